//! What the desk answers, for page, interface and command line. Card numbers are masked unless somebody asks to see them.

use super::{
    decide::Refusal,
    readers::DeskReader,
    views::{Format, View},
};
use crate::domain::{Credential, Say};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A card number in an answer: masked, or whole for whoever asked for that.
#[must_use]
pub fn shown(card: &Credential, reveal: bool) -> String {
    if reveal {
        card.reveal_in_full()
    } else {
        card.masked()
    }
}

/// Where it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The platform's facts.
    Platform,
    /// Given out at the desk.
    Desk,
    /// A guest of the gateway's own.
    Guest,
}

/// Somebody who holds a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// The platform's id, or the guest's.
    pub person: String,
    /// Full name; the id if nobody knows it.
    pub name: String,
    /// E-mail; empty when unknown.
    pub email: String,
    /// Team; empty when there is none.
    pub company: String,
    /// Where that is known from.
    pub place: Place,
    /// Since when, Unix milliseconds; absent when nobody knows.
    pub since: Option<i64>,
    /// Who gave it; empty when nobody knows.
    pub by: String,
    /// Until when, Unix milliseconds, if it ends by itself.
    pub until: Option<i64>,
}

/// A block of a card or of its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocked {
    /// Why, in staff's words.
    pub note: String,
    /// The same, where it is the gateway that says it.
    #[serde(default)]
    pub say: Option<Say>,
    /// Who set it; empty when nobody knows.
    pub by: String,
    /// When, Unix milliseconds; 0 when nobody knows.
    pub since: i64,
    /// The person is blocked with all cards, not this card alone.
    pub person: bool,
}

/// When and where a card was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedAt {
    /// Unix milliseconds.
    pub at: i64,
    /// The door's id; empty for a reader without one.
    pub door: String,
    /// The reader's id.
    pub reader: String,
    /// The stable name of the reason.
    pub reason: String,
    /// The reason in words.
    pub words: String,
}

/// How the platform's word of a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtPlatform {
    /// It says the same.
    Agrees,
    /// It is still to be told.
    Waiting,
    /// It was told, and the next fetch will show it.
    Told,
    /// It was told and does not show it.
    Unseen,
    /// It said no: see the conflicts.
    Refused,
    /// It is not told: it takes no cards, or a person decided so. The card counts at these doors.
    KeptHere,
}

/// A known card that is written as this one may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alike {
    /// The known card, masked.
    pub card: String,
    /// Its name wherever a card is asked for.
    #[serde(rename = "ref", default)]
    pub reference: String,
    /// Whose it is.
    pub name: String,
    /// In which way they are written the same.
    pub format: String,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub format_say: Option<Say>,
    /// Other cards may be written so as well.
    pub lossy: bool,
}

/// A card that somebody holds in their hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Look {
    /// The card, masked.
    pub card: String,
    /// Its name wherever a card is asked for, as long as the gateway runs: `known@…`.
    #[serde(rename = "ref", default)]
    pub reference: String,
    /// Name this when changing it: then it is noticed if it changed hands between. 0: nobody's.
    pub seen: u64,
    /// Who holds it: nobody, one, or several, and then it opens for none of them.
    pub holders: Vec<Held>,
    /// It is blocked, or its holder is.
    pub blocked: Option<Blocked>,
    /// When it was last refused, of what the journal still has at hand.
    pub refused: Option<RefusedAt>,
    /// How the platform's word stands, if the desk did something with the card.
    pub platform: Option<AtPlatform>,
    /// Why it cannot be given to anybody, if it cannot.
    pub unfit: Option<String>,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub unfit_say: Option<Say>,
    /// Known cards that may be the same one, written otherwise. Only for a card that nobody holds.
    pub alike: Vec<Alike>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// In words.
    pub message: String,
    /// The card, masked.
    pub card: String,
    /// Whose it is now; empty for nobody.
    pub person: String,
    /// Their name.
    pub name: String,
    /// For the next change.
    pub seen: u64,
    /// How the platform's word stands.
    pub platform: AtPlatform,
    /// It counts at the doors now. False: nothing was fetched yet, so that nobody has any right.
    pub in_force: bool,
    /// What a person should know besides.
    pub warnings: Vec<String>,
    /// The same, for whoever says it in another language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings_say: Vec<Option<Say>>,
}

/// One known card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Known {
    /// The number, masked or whole.
    pub card: String,
    /// Its name wherever a card is asked for, as long as the gateway runs: `known@…`.
    #[serde(rename = "ref", default)]
    pub reference: String,
    /// Whose.
    pub person: String,
    /// Their name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Team.
    pub company: String,
    /// Where it is known from.
    pub place: Place,
    /// Since when, Unix milliseconds, if the desk gave it.
    pub since: Option<i64>,
    /// Who gave it.
    pub by: String,
    /// Until when, for a guest.
    pub until: Option<i64>,
    /// The card or its holder is blocked.
    pub blocked: bool,
    /// How the platform's word stands, if the desk did something with the card.
    pub platform: Option<AtPlatform>,
    /// Several people hold it.
    pub shared: bool,
}

/// A card that was presented at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presented {
    /// Greater than that of every presentation before.
    pub n: u64,
    /// Its name wherever a card is asked for, for a quarter of an hour: `presented@N`.
    pub card: String,
    /// The number, masked.
    pub shown: String,
    /// Where.
    pub reader: DeskReader,
    /// When it was read, Unix milliseconds.
    pub at: i64,
    /// Whose it is; null if that could not be looked up.
    pub look: Option<Look>,
}

/// A card of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Theirs {
    /// Its name wherever a card is asked for, as long as the gateway runs: `known@…`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The number, masked.
    pub shown: String,
    /// Where it is known from.
    pub kind: Place,
    /// What its number is: `uid`, `wiegand26`, `ks`, `token`.
    pub scheme: String,
    /// Since when, Unix milliseconds, if the desk gave it.
    pub since: Option<i64>,
    /// The platform is still to be told.
    pub waiting: bool,
    /// How the platform's word stands, if the desk did something with the card.
    pub platform: Option<AtPlatform>,
    /// This card is blocked, whatever its holder is.
    pub blocked: bool,
    /// Several people hold it, so it opens for none of them.
    pub shared: bool,
}

/// A row of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// The card, masked; empty if it cannot be read.
    pub card: String,
    /// Who was meant, as the file names them.
    pub who: String,
    /// Done, or to be done in a dry run; else why not.
    pub outcome: ImportOutcome,
    /// In words.
    pub words: String,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub say: Option<Say>,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// Given.
    Assigned,
    /// Was so already.
    AlreadyTheirs,
    /// Not done.
    Bad,
}

/// An import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Nothing was done, only looked at.
    pub dry_run: bool,
    /// How many were given, or would be.
    pub assigned: usize,
    /// How many were so already.
    pub already: usize,
    /// How many cannot be.
    pub bad: usize,
    /// Every row.
    pub rows: Vec<ImportRow>,
}

impl Change {
    /// With its warnings for whoever says them in another language.
    #[must_use]
    pub fn spoken(self) -> Self {
        let warnings_say = self.warnings.iter().map(|words| Say::of(words)).collect();
        Self { warnings_say, ..self }
    }
}

impl Look {
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.holders.iter().map(|held| held.name.as_str()).collect();
        names.join(" and ")
    }
}

impl Alike {
    pub(super) fn of(card: &Credential, name: String, view: &View) -> Self {
        Self {
            card: card.masked(),
            reference: String::new(),
            name,
            format: view.format.name().to_owned(),
            format_say: Say::of_format(view.format.name()),
            lossy: view.lossy,
        }
    }
}

impl Format {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uid => "UID",
            Self::UidReversed => "UID, last byte first",
            Self::Rom14 => "ROM code",
            Self::Decimal => "ten digits",
            Self::DecimalReversed => "ten digits, last byte first",
            Self::ThreeFive => "three and five digits",
            Self::ThreeFiveReversed => "three and five digits, last byte first",
            Self::Wiegand26 => "Wiegand 26",
            Self::Wiegand26Reversed => "Wiegand 26, last byte first",
            Self::Wiegand34 => "Wiegand 34",
            Self::Wiegand34Reversed => "Wiegand 34, last byte first",
            Self::Wiegand37 => "Wiegand 37",
            Self::Wiegand37Reversed => "Wiegand 37, last byte first",
            Self::KsTag => "SALTO KS tag",
            Self::Token => "token",
            Self::Telegram => "Wiegand",
        }
    }
}

impl Refusal {
    /// What to do next; may be empty.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::RandomNumber => "use a fob, or a card that is no payment card and no telephone",
            Self::Blocked => "lift the block first if the card was found again",
            Self::SomebodyElses | Self::SeveralHold => "move it if it is meant to change hands",
            Self::Meanwhile => "look again before deciding",
            Self::NoSuchPerson => {
                "search by a part of the name, by e-mail or company; who is new at the platform comes with the next fetch"
            }
            Self::SeveralSuch => "name the person by id or e-mail",
            Self::EmptyQueue => {
                "name other people, or fewer conditions: those who have a card already may be what is left out"
            }
            Self::NoQueue => "begin a queue, or another one",
            Self::NoSuchGroup => "groups of doors are those of the configuration",
            Self::NoSuchCard => {
                "present the card at a reader of the desk, or write its number with its scheme"
            }
            _ => "",
        }
    }
}
