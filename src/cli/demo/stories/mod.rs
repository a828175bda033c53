//! What each platform's own rules make of the same week: a table of steps a platform, as data. The theatre plays them
//! against its simulator and compares.
//!
//! Times are relative to the moment of the play: minutes from now, days from today. So a booking that begins in four
//! minutes is open where the platform has five minutes of grace, and one in twenty where it has thirty.

mod cobot;
mod coworks;
pub(super) mod ks;
mod nexudus;
mod officernd;
mod spacebring;

use super::bridge::Bridge;
use crate::domain::Reason;
use doorward_peers::{
    cobot::Cobot, nexudus::Nexudus, office::Office, officernd::OfficeRnd, spacebring::Spacebring,
};

/// Everybody in the stories. Their names are all that their cards are made of.
const ANA: &str = "Ana Ruiz";
const BEN: &str = "Ben Okafor";
const CHIARA: &str = "Chiara Neri";

/// The doors by their place in [`super::cast::SPOTS`].
pub(super) mod door {
    pub(crate) const FRONT: usize = 0;
    pub(crate) const STUDIO: usize = 1;
    pub(crate) const MEETING: usize = 2;
    pub(crate) const SIDE: usize = 3;
}

/// A platform's story.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    /// The word of `--platform`.
    pub(super) platform: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Sections of the configuration besides `[cloud]` and the mapping.
    pub(super) config: &'static str,
    /// The mapping.
    pub(super) map: &'static str,
    /// How many times the usual number of requests the simulated platform has granted this space, where a week of changes
    /// within moments would have the gateway wait for its budget. 1: as usual.
    pub(super) granted: u16,
    /// What happens.
    pub(super) steps: &'static [Step],
}

/// One line of a story.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Somebody does something at the platform.
    Does(Act),
    /// What the platform cannot do, and says so.
    Cannot(Act),
    /// A card is presented at a door.
    Taps {
        /// Whose.
        who: &'static str,
        /// Where: one of [`door`].
        door: usize,
        /// What must come of it: the first is what is expected as a rule, the others are as good.
        expected: &'static [Reason],
        /// The rule that it shows.
        rule: u8,
        /// Rules that the decision may cite instead.
        or_rules: &'static [u8],
    },
    /// A card is presented at the door of what is booked for today and follows a schedule: what must come of it hangs on
    /// the hour of the play.
    ByTheHour {
        /// Whose.
        who: &'static str,
        /// Where: one of [`door`].
        door: usize,
        /// From and until which minute of the local day it opens, buffers included.
        opens: (i16, i16),
        /// The rule that it shows.
        rule: u8,
    },
    /// The platform counts the person as having come in so many times at least.
    Attends {
        /// Who.
        who: &'static str,
        /// How often.
        times: usize,
        /// The rule that it shows.
        rule: u8,
    },
    /// The platform takes no check-ins: entries stay in the journal (R44).
    AttendanceStaysHere,
    /// Staff export the platform's tables as files, and the gateway's rules read them: what a site without a bridge does.
    Exports {
        /// Whom the warnings must name.
        warns_of: &'static str,
        /// The rule that it shows.
        rule: u8,
    },
    /// The cloud does not answer any more, and answers again.
    Cloud {
        /// Away from now on, or back.
        away: bool,
    },
}

/// What is done at the platform.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// A new member with a card, on a plan from so many days from today on.
    Join {
        who: &'static str,
        plan: &'static str,
        first: i32,
    },
    /// Books from and until so many minutes from now.
    Book {
        who: &'static str,
        resource: &'static str,
        from: i64,
        until: i64,
    },
    /// Moves the person's last booking.
    Move {
        who: &'static str,
        from: i64,
        until: i64,
    },
    /// Deletes the person's last booking.
    Delete { who: &'static str },
    /// Invites somebody to the person's last booking.
    Invite { who: &'static str, guest: &'static str },
    /// Assigns a desk or office.
    Assign {
        who: &'static str,
        resource: &'static str,
    },
    /// Sells passes.
    Sell {
        who: &'static str,
        kind: &'static str,
        count: u32,
    },
    /// Cancels the membership to a last day, so many days from today.
    Cancel { who: &'static str, last: i32 },
    /// Deactivates the person.
    Deactivate { who: &'static str },
}

/// A tap that must come out so; the first of the reasons is what the table says, the others are as good.
pub(super) const fn tap(who: &'static str, door: usize, expected: &'static [Reason], rule: u8) -> Step {
    Step::Taps {
        who,
        door,
        expected,
        rule,
        or_rules: &[],
    }
}

impl Step {
    /// The rules that the decision itself may cite: a booking's right is R12's, whatever buffer it shows.
    pub(super) const fn by(self, rules: &'static [u8]) -> Self {
        match self {
            Self::Taps {
                who,
                door,
                expected,
                rule,
                ..
            } => Self::Taps {
                who,
                door,
                expected,
                rule,
                or_rules: rules,
            },
            other => other,
        }
    }
}

/// The mapping of most stories: the simulators have these plans, rooms and kinds of pass.
const MAP: &str = r#"
[map.plans]
"Full time" = ["members"]
"Hot desk" = ["members"]
"Day passes" = ["members"]
[map.resources]
"Meeting room" = ["meeting"]
"Desk 7" = ["team"]
"Office 2" = ["team"]
[map.passes]
"Day pass" = ["members"]
"#;

/// All of them.
const STORIES: [&Story; 5] = [
    &cobot::STORY,
    &nexudus::STORY,
    &officernd::STORY,
    &spacebring::STORY,
    &coworks::STORY,
];

/// The story of a platform.
pub(super) fn of(platform: &str) -> Option<&'static Story> {
    STORIES.into_iter().find(|story| story.platform == platform)
}

/// The platform's simulator, with its staff.
pub(super) fn office(platform: &str) -> Result<Box<dyn Office>, String> {
    let started: std::io::Result<Box<dyn Office>> = match platform {
        "cobot" => Cobot::start().map(|office| {
            office.set_allowance(usize::from(cobot::STORY.granted));
            Box::new(office) as _
        }),
        "nexudus" => Nexudus::start().map(|office| Box::new(office) as _),
        "officernd" => OfficeRnd::start().map(|office| Box::new(office) as _),
        "spacebring" => Spacebring::start().map(|office| Box::new(office) as _),
        "coworks" => Bridge::start().map(|office| Box::new(office) as _),
        other => return Err(format!("this build has no simulator of {other}")),
    };
    started.map_err(|error| format!("the simulator of {platform} does not start: {error}"))
}

impl Act {
    /// The act in a clause.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Join { who, plan, first } => format!("{who} joins on \"{plan}\" {}", day(*first)),
            Self::Book {
                who, resource, from, ..
            } => format!("{who} books \"{resource}\" {}", minutes(*from)),
            Self::Move { who, from, .. } => {
                format!("{who} moves the booking: now it begins {}", minutes(*from))
            }
            Self::Delete { who } => format!("{who} deletes the booking"),
            Self::Invite { who, guest } => format!("{who} invites {guest} to the booking"),
            Self::Assign { who, resource } => format!("{who} gets \"{resource}\" assigned"),
            Self::Sell { who, kind, count: 1 } => format!("{who} buys a \"{kind}\""),
            Self::Sell { who, kind, count } => format!("{who} buys {count} of \"{kind}\""),
            Self::Cancel { who, last } => format!("{who} is cancelled, last day {}", day(*last)),
            Self::Deactivate { who } => format!("{who} is deactivated"),
        }
    }
}

fn day(days: i32) -> String {
    match days {
        0 => "today".into(),
        1 => "tomorrow".into(),
        -1 => "yesterday".into(),
        2.. => format!("in {days} days"),
        _ => format!("{} days ago", -days),
    }
}

fn minutes(minutes: i64) -> String {
    match minutes {
        -1_439..0 => format!("{} min ago", -minutes),
        0 => "now".into(),
        ..=-1_440 => format!("{} h ago", -minutes / 60),
        1..1_440 => format!("in {minutes} min"),
        _ => format!("in {} h", minutes / 60),
    }
}
