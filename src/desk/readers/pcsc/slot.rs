//! What a change of a reader's state means. Pure.

/// Bits of `dwEventState` (pcsclite.h).
pub(super) const CHANGED: u32 = 0x0002;
pub(super) const UNKNOWN: u32 = 0x0004;
const UNAVAILABLE: u32 = 0x0008;
const PRESENT: u32 = 0x0020;
const MUTE: u32 = 0x0200;

/// A reader's card, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    present: bool,
    mute: bool,
    /// Insertions and removals since pcscd knows the reader, in the upper 16 bits of the state.
    count: u32,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    /// A card lies there: ask for its number.
    Read,
    /// The card that lay there is gone.
    Removed,
    /// Something lies there that does not answer.
    Mute,
    /// The reader is gone.
    Gone,
}

impl Slot {
    /// Takes a state.
    pub(super) fn change(&mut self, state: u32) -> Vec<Do> {
        if state & (UNKNOWN | UNAVAILABLE) != 0 {
            return vec![Do::Gone];
        }
        let count = state >> 16;
        let now = Self {
            present: state & PRESENT != 0,
            mute: state & MUTE != 0,
            count,
        };
        let before = std::mem::replace(self, now);
        // Taken away and another one laid down while nobody looked.
        let other = before.present && count.wrapping_sub(before.count) & 0xFFFF >= 2;
        let mut todo = Vec::new();
        if before.present && (!now.present || other) {
            todo.push(Do::Removed);
        }
        if now.present && (!before.present || other || (before.mute && !now.mute)) {
            todo.push(if now.mute { Do::Mute } else { Do::Read });
        }
        todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: u32 = 0x0010;
    const INUSE: u32 = 0x0100;

    #[test]
    fn a_card_is_read_once_and_a_swap_is_seen() {
        let mut slot = Slot::default();
        let mut change = |count: u32, bits: u32| slot.change(count << 16 | CHANGED | bits);
        assert_eq!(change(0, EMPTY), []);
        assert_eq!(change(1, PRESENT), [Do::Read]);
        assert_eq!(change(1, PRESENT | INUSE), [], "that is us");
        assert_eq!(change(1, PRESENT), []);
        assert_eq!(
            change(3, PRESENT),
            [Do::Removed, Do::Read],
            "another one meanwhile"
        );
        assert_eq!(change(4, EMPTY), [Do::Removed]);
        assert_eq!(change(6, EMPTY), [], "somebody waved a card");
        assert_eq!(change(7, PRESENT | MUTE), [Do::Mute]);
        assert_eq!(change(7, PRESENT), [Do::Read], "it answers now");
        assert_eq!(change(7, UNKNOWN), [Do::Gone]);
    }

    #[test]
    fn a_card_that_lies_there_when_the_desk_begins_is_read() {
        assert_eq!(Slot::default().change(5 << 16 | PRESENT), [Do::Read]);
    }
}
