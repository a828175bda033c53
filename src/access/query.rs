//! What a decision is asked and what it answers. Plain values, all `Copy`.

use crate::domain::{
    Credential, GrantKind, Reason,
    time::{Millis, Moment},
};

/// A door of one index. Good for that index only: resolve it again after a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DoorIx(pub(crate) u32);

/// A person of one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonIx(pub(crate) u32);

/// A grant of one index. People whose grants differ in nothing else share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantIx(pub(crate) u32);

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The card, or `None` for bits that no configured format accepts.
    pub credential: Option<&'a Credential>,
    /// The door of the reader, or `None` for a reader that is bound to no known door.
    pub door: Option<DoorIx>,
    /// The time and whether it may be believed.
    pub now: Moment,
    /// Whether the door is locked down.
    pub lockdown: bool,
    /// What staleness and an untrusted clock mean here.
    pub limits: &'a Limits,
}

/// The declared policy: how long each kind of grant holds without contact, and what an untrusted clock means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    stale_from: [Option<Millis>; GrantKind::ALL.len()],
    /// Whether grants with a window or hours open by the gateway's guess of the time while that is not trusted
    /// (`[clock] untrusted = "allow"`). Off: they are refused as `clock_untrusted`.
    pub allow_windowed_when_untrusted: bool,
}

impl Limits {
    /// As the instant of [`Self::set_stale_from`]: stale whatever the clock says. The caller knows it by other
    /// means, from two trusted times that were both written down, say.
    pub const STALE_FOR_CERTAIN: Millis = Millis::MIN;

    /// From which instant on grants of this kind are stale: last contact plus maximum age. `None`: never.
    ///
    /// While the clock is not trusted, only [`Self::STALE_FOR_CERTAIN`] counts: a guess of the time proves no age,
    /// and a clock that runs ahead would lock everybody out.
    pub fn set_stale_from(&mut self, kind: GrantKind, from: Option<Millis>) {
        if let Some(slot) = self.stale_from.get_mut(slot(kind)) {
            *slot = from;
        }
    }

    /// The instant that [`Self::set_stale_from`] set.
    #[must_use]
    pub fn stale_from(&self, kind: GrantKind) -> Option<Millis> {
        self.stale_from.get(slot(kind)).copied().flatten()
    }

    /// Whether grants of this kind are stale now.
    #[must_use]
    pub fn is_stale(&self, kind: GrantKind, now: Moment) -> bool {
        self.stale_from(kind)
            .is_some_and(|from| from == Self::STALE_FOR_CERTAIN || (now.trusted && from <= now.at))
    }
}

/// Codes of kinds begin at 1.
const fn slot(kind: GrantKind) -> usize {
    kind as usize - 1
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why. `reason.grants()` says whether the door opens.
    pub reason: Reason,
    /// Whose card, if it is exactly one person's.
    pub person: Option<PersonIx>,
    /// The deciding grant, or the nearest miss.
    pub grant: Option<GrantIx>,
    /// The instant of the nearest miss, Unix milliseconds: when it will open (`not_yet`, `outside_hours`), when it
    /// ended (`ended`), since when it is stale (`stale`).
    pub when: Option<Millis>,
}

impl Verdict {
    /// A verdict that names nothing but its reason.
    #[must_use]
    pub const fn bare(reason: Reason) -> Self {
        Self {
            reason,
            person: None,
            grant: None,
            when: None,
        }
    }
}
