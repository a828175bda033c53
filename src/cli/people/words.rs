//! Rights in words, for tables that a manager reads.

use crate::{
    cli::{moment, out::plain},
    config::Config,
    domain::{DoorId, GrantKind, Source, grant::Target, site::Site, time::Millis},
    rules::{Access, State},
};

/// The site's names, and the instant that a table is about.
pub(crate) struct Words<'a> {
    config: &'a Config,
    /// Unix milliseconds.
    pub(crate) at: Millis,
}

impl<'a> Words<'a> {
    pub(crate) const fn new(config: &'a Config, at: Millis) -> Self {
        Self { config, at }
    }

    pub(crate) const fn site(&self) -> &'a Site {
        &self.config.site
    }

    pub(crate) fn zone(&self) -> &'a str {
        &self.config.site.zone
    }

    /// "now", or the instant, with its day where that is not today.
    pub(crate) fn moment(&self, now: Millis) -> String {
        if self.at.abs_diff(now) < 60_000 {
            return "now".into();
        }
        let (at, now) = (
            moment::local(self.at, self.zone()),
            moment::local(now, self.zone()),
        );
        let minute = at.get(..16).unwrap_or(&at);
        match (minute.split_once(' '), now.split_once(' ')) {
            (Some((day, time)), Some((today, _))) if day == today => format!("at {time}"),
            (Some((day, time)), _) => format!("on {day} at {time}"),
            _ => format!("at {minute}"),
        }
    }

    /// An instant to the minute; the date only where it is another day.
    pub(crate) fn time(&self, at: Millis) -> String {
        let (then, today) = (
            moment::local(at, self.zone()),
            moment::local(self.at, self.zone()),
        );
        let minute = then.get(..16).unwrap_or(&then);
        match (minute.split_once(' '), today.split_once(' ')) {
            (Some((day, time)), Some((today, _))) if day == today => time.to_owned(),
            _ => minute.to_owned(),
        }
    }

    /// The group or door.
    pub(crate) fn target(&self, target: &Target) -> String {
        match target {
            Target::Group(group) => group.to_string(),
            Target::Door(door) => format!("door {}", self.door(door)),
        }
    }

    fn door(&self, id: &DoorId) -> &'a str {
        let found = self.site().doors.iter().find(|door| door.id == *id);
        let name = found.map(|door| {
            if door.name.is_empty() {
                door.id.as_str()
            } else {
                door.name.as_str()
            }
        });
        name.unwrap_or("that is gone")
    }

    /// The names of the doors behind it.
    pub(crate) fn doors(&self, target: &Target) -> String {
        let doors: Vec<&str> = match target {
            Target::Door(door) => vec![self.door(door)],
            Target::Group(id) => {
                let group = self.site().groups.iter().find(|group| group.id == *id);
                let doors = group.map_or(&[][..], |group| group.doors.as_slice());
                doors.iter().map(|door| self.door(door)).collect()
            }
        };
        if doors.is_empty() {
            return "no door: the group is not in the configuration".into();
        }
        doors.join(", ")
    }

    /// Until when; with the hours that narrow it.
    pub(crate) fn until(&self, access: &Access) -> String {
        let until = access.window.until.map(|until| self.time(until));
        let hours = access.hours.as_ref().map(|hours| format!("in hours {hours}"));
        match (until, hours) {
            (Some(until), Some(hours)) => format!("{until}, {hours}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "no end".into(),
        }
    }

    /// Since when or from when on, where that is to come.
    pub(crate) fn from(&self, access: &Access) -> String {
        match (access.state, access.window.from, &access.hours) {
            (State::NotYet, Some(from), _) => format!(", from {}", self.time(from)),
            (State::OutsideHours, _, Some(hours)) => format!(", in hours {hours}"),
            _ => String::new(),
        }
    }

    /// How a right stands.
    pub(crate) const fn state(&self, state: State) -> &'static str {
        match state {
            State::Open => "open",
            State::OutsideHours => "not at this hour",
            State::NotYet => "not yet",
            State::Void(reason) => reason.words(),
        }
    }

    /// The source object and its rule: `plan "Hot desk" (m1), R1`.
    pub(crate) fn because(&self, kind: GrantKind, source: &Source, rule: u8) -> String {
        let kind = match kind {
            GrantKind::Direct => "by hand",
            kind => kind.name(),
        };
        format!(
            "{kind} \"{}\" ({}), R{rule}",
            plain(&source.label),
            plain(&source.id)
        )
    }
}
