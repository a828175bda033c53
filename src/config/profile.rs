//! The rules as parameters, and the profiles: for each platform a table of them, as data in `config/profiles/`.

use crate::domain::GroupId;
use jiff::civil::Date;
use std::{collections::BTreeMap, time::Duration};

/// `[rules] profile`: which platform's behaviour the parameters follow where the site says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// No platform's: the open contract, or a file.
    #[default]
    Open,
    /// Cobot.
    Cobot,
    /// Nexudus.
    Nexudus,
    /// OfficeRnD Flex.
    OfficeRnd,
    /// Spacebring.
    Spacebring,
    /// Coworks.
    Coworks,
}

impl Profile {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 6] = [
        ("open", Self::Open),
        ("cobot", Self::Cobot),
        ("nexudus", Self::Nexudus),
        ("officernd", Self::OfficeRnd),
        ("spacebring", Self::Spacebring),
        ("coworks", Self::Coworks),
    ];

    /// The word of the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, profile)| *profile == self);
        found.map_or("open", |(name, _)| name)
    }

    /// The profile that goes with a `[cloud] kind`: the one of its name, else the open one.
    #[must_use]
    pub fn of_cloud(kind: &str) -> Self {
        let found = Self::ALL.iter().find(|(name, _)| *name == kind);
        found.map_or(Self::Open, |(_, profile)| *profile)
    }

    /// The documented table, as it stands in `config/profiles/`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Open => include_str!("../../config/profiles/open.toml"),
            Self::Cobot => include_str!("../../config/profiles/cobot.toml"),
            Self::Nexudus => include_str!("../../config/profiles/nexudus.toml"),
            Self::OfficeRnd => include_str!("../../config/profiles/officernd.toml"),
            Self::Spacebring => include_str!("../../config/profiles/spacebring.toml"),
            Self::Coworks => include_str!("../../config/profiles/coworks.toml"),
        }
    }
}

/// What a booking's window is made of (R13, R17, C2, C12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BookingWindow {
    /// The booking's own times, with the buffers.
    #[default]
    Booking,
    /// The hours of the resource on each day of the booking, with the buffers.
    Schedule,
    /// Each day of the booking, whole.
    WholeDay,
}

/// Whose a membership or an assignment is, beside the person that it names (R6, C7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TeamRule {
    /// The whole team's if it names no person.
    #[default]
    NoMember,
    /// Also the whole team's if it is its payer's.
    PayerContract,
    /// The whole team's whenever it names a team.
    CompanySubscription,
}

/// Whose rights count at all, where the platform says nothing of a person (R31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Connect {
    /// Everybody's.
    #[default]
    All,
    /// Those of people who joined on `connect_since` or later.
    NewOnly,
    /// Only those of people for whom the platform says yes.
    Chosen,
}

/// A `[map.…]` table: the platform's id or name to groups.
pub type Mapping = BTreeMap<String, Vec<GroupId>>;

/// `[rules]` and `[map]`. What each parameter is for each platform, and why, stands in `docs/rules.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesConfig {
    /// `profile`: where the parameters come from that the site does not set.
    pub profile: Profile,
    /// The keys of `[rules]` that the site sets itself.
    pub set_here: Vec<&'static str>,
    /// `room_window`, for whatever is no desk. Never [`BookingWindow::Schedule`].
    pub room_window: BookingWindow,
    /// `room_before_minutes` (R13).
    pub room_before: Duration,
    /// `room_after_minutes` (R13).
    pub room_after: Duration,
    /// `desk_window` (R17).
    pub desk_window: BookingWindow,
    /// `desk_before_minutes` (R17).
    pub desk_before: Duration,
    /// `desk_after_minutes` (R17).
    pub desk_after: Duration,
    /// `public_schedule_for_others`: who is no member of this location follows a desk's public schedule (R17).
    pub public_schedule_for_others: bool,
    /// `grant_invitees`: to rooms (R14).
    pub grant_invitees: bool,
    /// `grant_desk_invitees`: to desks (R14).
    pub grant_desk_invitees: bool,
    /// `grant_external`: bookings of people who are no members (C11).
    pub grant_external: bool,
    /// `grant_tentative` (R19).
    pub grant_tentative: bool,
    /// `cancel_revokes` (R3, C1).
    pub cancel_revokes: bool,
    /// `team_rule` (R6, C7).
    pub team_rule: TeamRule,
    /// `restrict_on_exhaustion` (R22, C4).
    pub restrict_on_exhaustion: bool,
    /// `connect` (R31).
    pub connect: Connect,
    /// `connect_since`: set exactly when `connect` is [`Connect::NewOnly`].
    pub connect_since: Option<Date>,
    /// `deactivate_inactive` (R32): what [`crate::rules::inactive`] says is to be followed where people cost a licence.
    pub deactivate_inactive: bool,
    /// `day_starts`: minutes after local midnight at which a day of passes and of whole-day bookings begins.
    pub day_starts: u16,
    /// `locations`: ids or names; empty means all (R36).
    pub only_locations: Vec<String>,
    /// `[map.plans]`: plan id or name to groups (R1). A plan that is not here grants nothing (R8).
    pub plans: Mapping,
    /// `[map.resources]`: resource id or name to groups (R9, R12).
    pub resources: Mapping,
    /// `[map.floors]` (R10).
    pub floors: Mapping,
    /// `[map.locations]` (R10).
    pub locations: Mapping,
    /// `[map.passes]`: kind of pass to groups (R20).
    pub passes: Mapping,
    /// `[map.groups]`: the platform's own groups, given by hand there, to ours (R11).
    pub groups: Mapping,
}

/// A parameter as people read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Parameter {
    /// Its key in `[rules]`.
    pub key: &'static str,
    /// Its value in TOML.
    pub value: String,
    /// Whether the site sets it, or the profile.
    pub set_here: bool,
}

impl RulesConfig {
    /// A profile as it is, with nothing mapped.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        super::rules::read_profile(profile).0
    }

    /// Every parameter in force, in the order of the profiles.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        let minutes = |duration: Duration| (duration.as_secs() / 60).to_string();
        let texts = |list: &[String]| {
            let quoted: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
            format!("[{}]", quoted.join(", "))
        };
        let window = |window| super::rules::word(&super::rules::DESK_WINDOWS, window);
        let mut list = vec![
            ("room_window", window(self.room_window)),
            ("room_before_minutes", minutes(self.room_before)),
            ("room_after_minutes", minutes(self.room_after)),
            ("desk_window", window(self.desk_window)),
            ("desk_before_minutes", minutes(self.desk_before)),
            ("desk_after_minutes", minutes(self.desk_after)),
            (
                "public_schedule_for_others",
                self.public_schedule_for_others.to_string(),
            ),
            ("grant_invitees", self.grant_invitees.to_string()),
            ("grant_desk_invitees", self.grant_desk_invitees.to_string()),
            ("grant_external", self.grant_external.to_string()),
            ("grant_tentative", self.grant_tentative.to_string()),
            ("cancel_revokes", self.cancel_revokes.to_string()),
            (
                "team_rule",
                super::rules::word(&super::rules::TEAM_RULES, self.team_rule),
            ),
            ("restrict_on_exhaustion", self.restrict_on_exhaustion.to_string()),
            (
                "connect",
                super::rules::word(&super::rules::CONNECTS, self.connect),
            ),
        ];
        if let Some(since) = self.connect_since {
            list.push(("connect_since", format!("\"{since}\"")));
        }
        let start = format!("\"{:02}:{:02}\"", self.day_starts / 60, self.day_starts % 60);
        list.extend([
            ("deactivate_inactive", self.deactivate_inactive.to_string()),
            ("day_starts", start),
            ("locations", texts(&self.only_locations)),
        ]);
        let parameter = |(key, value)| Parameter {
            key,
            value,
            set_here: self.set_here.contains(&key),
        };
        list.into_iter().map(parameter).collect()
    }
}
