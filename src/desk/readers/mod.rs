//! The desk's readers: whatever they are and wherever they are plugged in, they end in one stream of [`DeskEvent`]s.
//!
//! | file | what |
//! | --- | --- |
//! | `hub` | who is there, what they said, who listens |
//! | `start` | the handle: starts, reconfigures and ends the threads |
//! | `pcsc` | readers behind pcscd, whose library is loaded when it is there |
//! | `pn532` | PN532 modules on USB serial ports, by a codec of our own |
//! | `wedge` | readers that type like a keyboard, taken for the desk alone |
//!
//! Each kind has a pure core that is fed with bytes, states or keys, and a thread around it. They find their readers by
//! themselves, again after every loss. A door's reader that is lent to the desk comes in by [`Readers::lent`].
//!
//! A presentation at a desk is never an entry event: nothing here knows the journal, and nothing opens.

mod hub;
mod pcsc;
mod pn532;
mod start;
mod wedge;

pub use hub::Recent;
pub(crate) use pn532::fuzz as fuzz_pn532;
pub use start::{Places, Readers};
pub use wedge::{Keyboard, keyboards};

use crate::domain::{Credential, Millis, ReaderId, Say, time::Moment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is typed at the page comes from this reader, which is none.
pub const PAGE: &str = "page";

/// What kind of reader it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Behind pcscd.
    Pcsc,
    /// A PN532 on a serial port.
    Pn532,
    /// Types like a keyboard.
    Wedge,
    /// A door's reader, lent for a moment.
    Door,
    /// None: the number was typed at the page, or a browser read it.
    Page,
}

impl Kind {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pcsc => "USB reader (PC/SC)",
            Self::Pn532 => "PN532 on a serial port",
            Self::Wedge => "keyboard wedge",
            Self::Door => "door reader, lent",
            Self::Page => "typed at the page",
        }
    }
}

/// A reader that is there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskReader {
    /// The same for the same reader at the same place; differs from every door reader's id but a lent one's own.
    #[schema(value_type = String)]
    pub id: ReaderId,
    /// What people call it. No two have the same.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

impl DeskReader {
    /// Whether somebody means this one: by its id, or by its name in whatever case.
    #[must_use]
    pub fn is_called(&self, text: &str) -> bool {
        self.id.as_str() == text || self.name.to_lowercase() == text.to_lowercase()
    }
}

/// A card that was presented at the desk, as long as it can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// Greater than that of every presentation before, also of those before the gateway's last start.
    pub number: u64,
    /// Where.
    pub reader: DeskReader,
    /// The card.
    pub credential: Credential,
    /// When it was read, Unix milliseconds.
    pub at: Millis,
}

/// Something that is wrong until it is put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trouble {
    /// At which reader, if it is one's.
    #[schema(value_type = Option<String>)]
    pub reader: Option<ReaderId>,
    /// What it is and what to do. Holds no part of a card's number.
    pub words: String,
    /// The same, for whoever says it in another language.
    pub say: Option<Say>,
}

/// What happens at the desk's readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskEvent {
    /// A reader is there.
    Appeared {
        /// Which.
        id: ReaderId,
        /// What people call it.
        name: String,
        /// What it is.
        kind: Kind,
    },
    /// It was unplugged, its daemon ended, or its loan is over.
    Gone {
        /// Which.
        id: ReaderId,
    },
    /// A card lies on it. Once for each card that is put there, and never a random UID.
    Presented {
        /// Where.
        reader: ReaderId,
        /// The card: the same whichever reader read it.
        credential: Credential,
        /// When it was read.
        at: Moment,
    },
    /// The card was taken away. Readers that only type, and doors' readers, cannot tell.
    Removed {
        /// Where.
        reader: ReaderId,
    },
    /// Something that a person should know or do now.
    Trouble {
        /// At which reader, if it is one's.
        reader: Option<ReaderId>,
        /// What happened and what to do next. Holds no part of a card's number.
        words: String,
        /// The same, for whoever says it in another language.
        say: Option<Say>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::WedgeNumber;
    use proptest::prelude::*;

    proptest! {
        /// What each reader sends for a card of this number, and the credential that comes of it: also at the doors.
        #[test]
        fn one_fob_is_one_credential_at_every_reader(bytes in any::<[u8; 10]>(), length in 0_usize..3) {
            let uid = &bytes[..[4, 7, 10][length]];
            let card = Credential::uid(uid).unwrap();
            prop_assume!(!card.is_random_uid());
            let hex = |bytes: &mut dyn Iterator<Item = &u8>| -> String { bytes.map(|byte| format!("{byte:02X}")).collect() };
            let typed = |text: String, number| wedge::credential(&text, number).ok();
            let apdu = [uid, &[0x90, 0x00]].concat();
            let listing = [&[1, 1, 0x00, 0x44, 0x00, uid.len() as u8], uid].concat();
            prop_assert_eq!(pcsc::read_of(&apdu), Some(card));
            prop_assert_eq!(pn532::listed(&listing), Some(card));
            prop_assert_eq!(typed(hex(&mut uid.iter()), WedgeNumber::Hex), Some(card));
            prop_assert_eq!(typed(hex(&mut uid.iter().rev()), WedgeNumber::HexReversed), Some(card));
            // A 7-byte number with three zeros at its end is a short one to SALTO: no chip has it.
            if uid.len() == 7 && uid[4..] != [0, 0, 0] {
                let rom: [u8; 7] = uid.try_into().unwrap();
                prop_assert_eq!(typed(hex(&mut uid.iter()), WedgeNumber::Rom14), Some(card));
                prop_assert_eq!(Credential::rom14(rom), card, "behind a WRADAPT");
            }
        }
    }
}
