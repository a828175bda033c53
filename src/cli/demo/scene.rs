//! What the demo shows: counted and remembered here, drawn in `draw`, printed line by line in `plain`.

use std::{collections::VecDeque, time::Duration};

/// How many events the picture keeps.
const ROWS: usize = 200;
/// How many answer times the sparkline keeps.
const TIMES: usize = 120;

/// The light that a reader shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Light {
    /// Waiting for a card.
    #[default]
    Idle,
    /// Come in.
    Green,
    /// No.
    Red,
    /// Not now.
    Amber,
    /// The reader does not answer.
    Dark,
}

/// A door of the picture.
#[derive(Clone, Debug, Default)]
pub(super) struct DoorView {
    /// What people call it.
    pub name: String,
    /// What its reader shows.
    pub light: Light,
    /// When that light goes out, on the demo's clock.
    pub until: Duration,
    /// Whether the strike is released now.
    pub released: bool,
    /// The last person and outcome.
    pub last: String,
}

/// One tap with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Local time of day.
    pub time: String,
    /// Door's name.
    pub door: String,
    /// Who tapped.
    pub who: String,
    /// Whether the door opened.
    pub granted: bool,
    /// Stable name of the reason.
    pub reason: String,
    /// Plain words, with the nearest miss.
    pub words: String,
    /// From the card to the light at the reader.
    pub answered_in: Duration,
    /// Whether the cloud was away then.
    pub offline: bool,
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// Time since the demo's start.
    pub now: Duration,
    /// How long it will run, if it ends by itself.
    pub total: Option<Duration>,
    /// The doors.
    pub doors: Vec<DoorView>,
    /// The newest tap first.
    pub rows: VecDeque<Row>,
    /// Microseconds from the card to the light, oldest first.
    pub times: VecDeque<u64>,
    /// Cards presented.
    pub taps: u64,
    /// Taps that the reader showed an answer for.
    pub answered: u64,
    /// Answers that were not the expected ones.
    pub surprises: Vec<String>,
    /// Granted entries of people, each of which owes the cloud a check-in.
    pub owed: u64,
    /// Check-ins that the cloud has.
    pub arrived: u64,
    /// Check-ins that the cloud has twice.
    pub doubled: u64,
    /// Whether the cloud answers.
    pub cloud_up: bool,
    /// Events that the building network has heard, if a broker runs.
    pub heard: Option<u64>,
    /// A line for what just happened on stage.
    pub caption: String,
}

impl Scene {
    /// Remembers an answered tap and lights the door.
    pub(super) fn answered(&mut self, row: Row, light: Light) {
        self.answered += 1;
        let until = self.now + Duration::from_secs(2);
        if let Some(door) = self.doors.iter_mut().find(|door| door.name == row.door) {
            door.light = light;
            door.until = until;
            door.released = row.granted;
            door.last = format!(
                "{} {}",
                row.who,
                if row.granted { "came in" } else { "was refused" }
            );
        }
        self.times
            .push_back(u64::try_from(row.answered_in.as_micros()).unwrap_or(u64::MAX));
        if self.times.len() > TIMES {
            self.times.pop_front();
        }
        self.rows.push_front(row);
        self.rows.truncate(ROWS);
    }

    /// Lets time pass: lights go out.
    pub(super) fn tick(&mut self, now: Duration) {
        self.now = now;
        for door in &mut self.doors {
            if door.light != Light::Dark && now >= door.until {
                door.light = Light::Idle;
                door.released = false;
            }
        }
    }

    /// Check-ins that the cloud still waits for.
    #[must_use]
    pub(super) const fn waiting(&self) -> u64 {
        self.owed.saturating_sub(self.arrived)
    }

    /// The middle answer time, for the summary.
    #[must_use]
    pub(super) fn median(&self) -> Duration {
        let mut sorted: Vec<u64> = self.times.iter().copied().collect();
        sorted.sort_unstable();
        Duration::from_micros(sorted.get(sorted.len() / 2).copied().unwrap_or(0))
    }

    /// What went wrong, if anything did: empty means that the demo kept its word.
    #[must_use]
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut all = self.surprises.clone();
        if self.taps == 0 {
            all.push("no card was presented".into());
        }
        if self.answered != self.taps {
            all.push(format!("{} of {} taps were answered", self.answered, self.taps));
        }
        if self.arrived != self.owed {
            all.push(format!("{} of {} check-ins arrived", self.arrived, self.owed));
        }
        if self.doubled > 0 {
            all.push(format!("{} check-ins arrived twice", self.doubled));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(granted: bool) -> Row {
        Row {
            time: "10:00:00".into(),
            door: "Front".into(),
            who: "Ana".into(),
            granted,
            reason: "granted_plan".into(),
            words: "has a plan".into(),
            answered_in: Duration::from_micros(900),
            offline: false,
        }
    }

    #[test]
    fn a_light_comes_on_and_goes_out() {
        let door = DoorView {
            name: "Front".into(),
            ..DoorView::default()
        };
        let mut scene = Scene {
            doors: vec![door],
            ..Scene::default()
        };
        scene.answered(row(true), Light::Green);
        assert_eq!(
            (scene.doors[0].light, scene.doors[0].released),
            (Light::Green, true)
        );
        scene.tick(Duration::from_secs(2));
        assert_eq!(
            (scene.doors[0].light, scene.doors[0].released),
            (Light::Idle, false)
        );
        assert_eq!(scene.median(), Duration::from_micros(900));
    }

    #[test]
    fn every_broken_promise_is_a_complaint() {
        assert_eq!(Scene::default().complaints(), ["no card was presented"]);
        let scene = Scene {
            taps: 3,
            answered: 2,
            owed: 2,
            arrived: 1,
            doubled: 1,
            ..Scene::default()
        };
        assert_eq!(scene.complaints().len(), 3);
        let kept = Scene {
            taps: 3,
            answered: 3,
            owed: 2,
            arrived: 2,
            ..Scene::default()
        };
        assert!(kept.complaints().is_empty());
    }
}
