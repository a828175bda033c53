//! What the columns of an export are called. An export is made for people, by a program that may rename its columns at
//! any time, so many names are known, and `columns.toml` beside it adds a site's own.

use super::{FileError, dates::Order};
use crate::config::model::CardText;
use std::{collections::BTreeMap, path::Path};
use toml::de::DeTable;

/// Our names, and what columns for it are called: lower case, letters and digits only.
type Known = &'static [(&'static str, &'static [&'static str])];

const MEMBERS: Known = &[
    (
        "id",
        &["memberid", "id", "userid", "uuid", "contactid", "customerid"],
    ),
    ("name", &["name", "fullname", "member", "membername", "contact"]),
    ("first", &["firstname", "givenname"]),
    ("last", &["lastname", "surname", "familyname"]),
    ("email", &["email", "emailaddress", "mail"]),
    (
        "team",
        &[
            "company",
            "team",
            "organization",
            "organisation",
            "companyname",
            "teamname",
        ],
    ),
    (
        "plan",
        &[
            "plan",
            "membership",
            "membershipplan",
            "planname",
            "membershiptype",
            "membershipname",
        ],
    ),
    ("status", &["status", "memberstatus", "membershipstatus", "state"]),
    (
        "starts",
        &[
            "startdate",
            "start",
            "starts",
            "membersince",
            "joined",
            "joindate",
            "membershipstart",
        ],
    ),
    (
        "ends",
        &[
            "enddate",
            "end",
            "ends",
            "canceldate",
            "cancelledon",
            "canceledon",
            "cancellationdate",
            "membershipend",
            "expires",
        ],
    ),
    (
        "fob",
        &[
            "keyfob",
            "fob",
            "keyfobnumber",
            "fobnumber",
            "card",
            "cardnumber",
            "accesscard",
            "tag",
            "rfid",
            "saltotag",
        ],
    ),
    (
        "groups",
        &[
            "accessgroups",
            "accessgroup",
            "dooraccesscontrol",
            "dooraccess",
            "groups",
        ],
    ),
];

const BOOKINGS: Known = &[
    ("id", &["bookingid", "id", "reservationid", "uuid"]),
    (
        "resource",
        &[
            "room",
            "resource",
            "space",
            "resourcename",
            "roomname",
            "desk",
            "meetingroom",
        ],
    ),
    ("kind", &["type", "kind", "resourcetype", "category"]),
    (
        "person",
        &[
            "memberid",
            "member",
            "bookedby",
            "userid",
            "email",
            "user",
            "membername",
            "contact",
        ],
    ),
    ("date", &["date", "bookingdate", "reservationdate"]),
    (
        "from",
        &[
            "start",
            "from",
            "starts",
            "starttime",
            "begin",
            "startdate",
            "startdatetime",
        ],
    ),
    (
        "until",
        &[
            "end",
            "until",
            "ends",
            "endtime",
            "finish",
            "to",
            "enddate",
            "enddatetime",
        ],
    ),
    ("status", &["status", "state", "bookingstatus"]),
];

const PASSES: Known = &[
    ("id", &["passid", "id", "uuid"]),
    (
        "kind",
        &["pass", "kind", "type", "passtype", "passname", "product"],
    ),
    (
        "person",
        &[
            "memberid",
            "member",
            "userid",
            "email",
            "user",
            "membername",
            "contact",
        ],
    ),
    ("left", &["left", "remaining", "balance", "passesleft"]),
    ("date", &["date", "day", "passdate"]),
    ("starts", &["validfrom", "start", "starts", "from", "startdate"]),
    (
        "ends",
        &[
            "validuntil",
            "end",
            "ends",
            "until",
            "enddate",
            "expires",
            "expirydate",
        ],
    ),
];

/// What a status of a member means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Cancelled,
    /// Over by itself: only its last day counts.
    Ended,
    Deactivated,
    NotYet,
}

const STATUS: &[(Status, &[&str])] = &[
    (
        Status::Active,
        &[
            "active",
            "current",
            "confirmed",
            "paid",
            "pastdue",
            "overdue",
            "unpaid",
        ],
    ),
    (
        Status::Cancelled,
        &["cancelled", "canceled", "cancelling", "canceling", "terminated"],
    ),
    (Status::Ended, &["ended", "expired", "former"]),
    (
        Status::Deactivated,
        &[
            "deactivated",
            "disabled",
            "blocked",
            "archived",
            "deleted",
            "suspended",
        ],
    ),
    (
        Status::NotYet,
        &["pending", "lead", "prospect", "invited", "upcoming"],
    ),
];

const CARDS: [(&str, CardText); 8] = [
    ("auto", CardText::Auto),
    ("uid", CardText::Uid),
    ("uid-reversed", CardText::UidReversed),
    ("decimal", CardText::Decimal),
    ("decimal-reversed", CardText::DecimalReversed),
    ("wiegand26", CardText::Wiegand26),
    ("ks", CardText::KsTag),
    ("token", CardText::Token),
];

/// The names of a site.
#[derive(Debug, Default)]
pub(super) struct Headings {
    own: BTreeMap<(&'static str, String), String>,
    status: BTreeMap<String, Status>,
    pub(super) order: Option<Order>,
    pub(super) cards: CardText,
}

/// Lower case, letters and digits only: "Key-fob #" is "keyfob".
pub(super) fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Headings {
    /// Reads `columns.toml`.
    pub(super) fn read(path: &Path, text: &str, errors: &mut Vec<FileError>) -> Self {
        let mut headings = Self::default();
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let (root, broken) = DeTable::parse_recoverable(text);
        for error in broken {
            let at = error.span().map_or(1, |span| line(span.start));
            errors.push(FileError::new(path, at, error.message()));
        }
        for (name, value) in root.get_ref() {
            let at = line(name.span().start);
            let mut wrong = |text: String| errors.push(FileError::new(path, at, text));
            match (
                name.get_ref().as_ref(),
                value.get_ref().as_str(),
                value.get_ref().as_table(),
            ) {
                ("dates", Some("day-first"), _) => headings.order = Some(Order::DayFirst),
                ("dates", Some("month-first"), _) => headings.order = Some(Order::MonthFirst),
                ("dates", ..) => wrong("dates must be \"day-first\" or \"month-first\"".into()),
                ("cards", Some(word), _) => match CARDS.iter().find(|(known, _)| *known == word) {
                    Some((_, format)) => headings.cards = *format,
                    None => wrong(format!(
                        "cards must be one of {}",
                        CARDS.map(|(word, _)| word).join(", ")
                    )),
                },
                (table @ ("members" | "bookings" | "passes" | "status"), _, Some(pairs)) => {
                    for (theirs, ours) in pairs {
                        let ours = ours.get_ref().as_str().unwrap_or_default();
                        if let Err(text) = headings.add(table, theirs.get_ref(), ours) {
                            errors.push(FileError::new(path, line(theirs.span().start), text));
                        }
                    }
                }
                (other, ..) => wrong(format!(
                    "there is no \"{other}\"; there are dates, cards, [members], [bookings], [passes], [status]"
                )),
            }
        }
        headings
    }

    fn add(&mut self, table: &str, theirs: &str, ours: &str) -> Result<(), String> {
        if table == "status" {
            let word = plain(ours);
            let known = STATUS
                .iter()
                .find(|(_, words)| words.first() == Some(&word.as_str()));
            let (status, _) =
                known.ok_or("a status is one of active, cancelled, ended, deactivated, pending")?;
            self.status.insert(plain(theirs), *status);
            return Ok(());
        }
        let (name, known) = known(table);
        if !known.iter().any(|(word, _)| *word == ours) {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            return Err(format!("columns of {table} are {}", words.join(", ")));
        }
        self.own.insert((name, plain(theirs)), ours.to_owned());
        Ok(())
    }

    /// Our name of a column; `None` for one that says nothing to us.
    pub(super) fn ours(&self, table: &'static str, heading: &str) -> Option<&str> {
        let heading = plain(heading);
        if let Some(ours) = self.own.get(&(table, heading.clone())) {
            return Some(ours);
        }
        let found = known(table)
            .1
            .iter()
            .find(|(_, names)| names.contains(&heading.as_str()));
        found.map(|(ours, _)| *ours)
    }

    /// How good a known name is: of two columns for the same, the first of the list counts. A site's own name is best.
    pub(super) fn rank(&self, table: &'static str, heading: &str) -> usize {
        let heading = plain(heading);
        if self.own.contains_key(&(table, heading.clone())) {
            return 0;
        }
        let mut names = known(table)
            .1
            .iter()
            .filter_map(|(_, names)| names.iter().position(|name| *name == heading));
        names.next().map_or(usize::MAX, |place| place + 1)
    }

    /// What a status means; `None` for a word that nobody knows.
    pub(super) fn status(&self, text: &str) -> Option<Status> {
        let word = plain(text);
        if let Some(status) = self.status.get(&word) {
            return Some(*status);
        }
        let found = STATUS.iter().find(|(_, words)| words.contains(&word.as_str()));
        found.map(|(status, _)| *status)
    }
}

fn known(table: &str) -> (&'static str, Known) {
    match table {
        "bookings" => ("bookings", BOOKINGS),
        "passes" => ("passes", PASSES),
        _ => ("members", MEMBERS),
    }
}
