//! Opening hours as a platform says them: hours of weekdays in the location's zone, and days of the year that are closed.

use serde::{Deserialize, Serialize};

/// The minutes of a day: the largest `until`, 24:00.
pub const DAY_MINUTES: u16 = 1_440;

/// Opening hours of a resource, for members of its location and for everybody else (R17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// For members of the location.
    pub default: Week,
    /// For members of other locations and for outsiders. Absent: not open to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Week>,
}

/// A week of hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Week {
    /// Hours, each on some weekdays. Several may hold on one day.
    pub hours: Vec<Hours>,
    /// Days of every year on which it is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<YearDay>,
}

/// From a minute of the day to another one of the same day, on some weekdays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// ISO weekdays, 1 is Monday, 7 Sunday. Empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u8>,
    /// First minute of the local day, 0 to 1439.
    pub from: u16,
    /// First minute after it, 1 to 1440 (24:00). Not after `from`: it ends on the day after.
    pub until: u16,
}

/// A day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearDay {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}
