//! What can be wrong with a snapshot (warnings) and with a site (errors).

use crate::domain::{Credential, Grant, PersonId, grant::Target};
use std::fmt;

/// Something in the facts that was left out or read with care. The text names people by id and cards masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildWarning {
    /// The snapshot lists a person twice; the first name stands, rights are joined.
    PersonTwice(PersonId),
    /// A card or a grant names a person whom the snapshot does not list; kept, without a name.
    UnlistedPerson(PersonId),
    /// Two people hold a card, so it opens for neither (R34).
    SharedCard(Credential),
    /// A card whose chip makes a new number each time; left out.
    RandomUid(Credential, PersonId),
    /// A grant for a group or door that the configuration does not have; left out.
    UnknownTarget(Box<Grant>),
    /// A grant whose window holds no instant; left out.
    EmptyWindow(Box<Grant>),
}

impl fmt::Display for BuildWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PersonTwice(person) => {
                write!(
                    f,
                    "person {person} is listed twice; the first name is used, the rights are joined"
                )
            }
            Self::UnlistedPerson(person) => {
                write!(
                    f,
                    "person {person} has a card or a right and is not listed; kept without a name"
                )
            }
            Self::SharedCard(card) => write!(f, "card {card} belongs to two people; it opens for neither"),
            Self::RandomUid(card, person) => write!(
                f,
                "card {card} of person {person} has a random UID, new at every presentation; left out: enrol another card"
            ),
            Self::UnknownTarget(grant) => {
                let (what, id) = match &grant.target {
                    Target::Group(id) => ("group", id.as_str()),
                    Target::Door(id) => ("door", id.as_str()),
                };
                write!(
                    f,
                    "the {} \"{}\" ({}) of person {} is for {what} {id:?}, which the configuration does not have; left out",
                    grant.kind.name(),
                    grant.source.label,
                    grant.source.id,
                    grant.person
                )
            }
            Self::EmptyWindow(grant) => write!(
                f,
                "the {} \"{}\" ({}) of person {} ends before it starts; left out",
                grant.kind.name(),
                grant.source.label,
                grant.source.id,
                grant.person
            ),
        }
    }
}

/// Why there is no index for a site. The configuration checks all of this before; nothing here is guessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The zone is not in the zone data.
    #[error("unknown time zone {0:?}; write an IANA name such as Europe/Madrid")]
    UnknownZone(String),
    /// Two things of one kind have the same id.
    #[error("{what} {id:?} exists twice")]
    Twice {
        /// Door, group or schedule.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A reference leads nowhere.
    #[error("{from} names {what} {id:?}, which does not exist")]
    Unknown {
        /// Who names it.
        from: String,
        /// Door or schedule.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A span is empty or outside of the day.
    #[error(
        "schedule {schedule:?} has the span {from}..{until}; minutes run from 0 to 1440, and a span ends after it begins"
    )]
    BadSpan {
        /// The schedule.
        schedule: String,
        /// First minute.
        from: u16,
        /// Minute after the last.
        until: u16,
    },
    /// More than the image's numbers can count: 500 million cards, 4 GiB of names.
    #[error("too many {0} for one gateway")]
    TooMany(&'static str),
}
