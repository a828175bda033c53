//! The site as the configuration describes it: doors, groups of doors, weekly schedules, holidays, the zone.

use super::{DoorId, GroupId, ScheduleId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Everything about the building that a decision needs. Part of the index's identity: another site, another index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// IANA zone of the building, `Europe/Madrid`. Schedules are local to it.
    pub zone: String,
    /// Doors that the gateway decides.
    pub doors: Vec<Door>,
    /// Groups that grants name.
    pub groups: Vec<Group>,
    /// Weekly schedules that groups and doors name.
    pub schedules: Vec<Schedule>,
    /// Days on which schedules follow their holiday hours.
    pub holidays: Vec<Date>,
}

/// A door (portal).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Stable id.
    pub id: DoorId,
    /// What people call it.
    pub name: String,
    /// While this schedule is open, the door opens for everybody, cards unknown included (office hours).
    pub open_for_all: Option<ScheduleId>,
}

/// A group of doors, with hours if it has any (R40).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Stable id.
    pub id: GroupId,
    /// Its doors.
    pub doors: Vec<DoorId>,
    /// Its hours; absent means around the clock.
    pub hours: Option<ScheduleId>,
}

/// Opening hours by weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Stable id.
    pub id: ScheduleId,
    /// Monday first. Spans of minutes since local midnight.
    pub week: [Vec<Span>; 7],
    /// What holds on a holiday instead of the weekday's spans; empty means closed.
    pub holiday: Vec<Span>,
}

/// A span of a local day, in minutes since midnight by the wall clock: `0..=1440`. 1440 is 24:00.
/// A span that would end before it starts is split at midnight by the configuration, so `from < until` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First minute.
    pub from: u16,
    /// First minute after it.
    pub until: u16,
}
