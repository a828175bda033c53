//! What the demo shows: counted and remembered here, drawn in `draw`, printed line by line in `plain`.

use super::cast::Plug;
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
    /// The reader has none.
    Missing,
}

/// A door of the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DoorView {
    /// What people call it.
    pub name: String,
    /// What its reader is.
    pub reader: String,
    /// What its reader shows.
    pub light: Light,
    /// When that light goes out, on the demo's clock.
    pub light_until: Duration,
    /// Until when the strike is released, on the demo's clock.
    pub released_until: Duration,
    /// Whether it is released now.
    pub released: bool,
    /// The last person, and whether they came in.
    pub last: Option<(String, bool)>,
}

impl DoorView {
    /// A door at which nobody has been.
    pub(super) fn new(name: &str, reader: Plug) -> Self {
        let (reader, light) = match reader {
            Plug::Osdp { bus, address } => (format!("OSDP {}/{address}", bus + 1), Light::Idle),
            Plug::Wradapt => ("WRADAPT".into(), Light::Missing),
        };
        Self {
            name: name.into(),
            reader,
            light,
            ..Self::default()
        }
    }
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
    /// Plain words, with the nearest miss.
    pub words: String,
    /// From the card to the light at the reader, or to the strike where there is no light. Nothing when a reader
    /// without a light refused.
    pub answered_in: Option<Duration>,
    /// Whether the cloud was away then.
    pub offline: bool,
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// Where the page is, in words.
    pub page: String,
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
    /// Why no broker runs, if none does.
    pub no_broker: Option<String>,
    /// Whether only the last check-ins are waited for.
    pub ending: bool,
    /// A line for what just happened on stage.
    pub caption: String,
}

impl Scene {
    /// Remembers an answered tap: the light that the reader was told to show and the release, each for how long.
    pub(super) fn answered(&mut self, row: Row, light: Option<(Light, Duration)>, hold: Option<Duration>) {
        self.answered += 1;
        if let Some(door) = self.doors.iter_mut().find(|door| door.name == row.door) {
            if let Some((light, hold)) = light {
                door.light = light;
                door.light_until = self.now + hold;
            }
            if let Some(hold) = hold {
                door.released = true;
                door.released_until = self.now + hold;
            }
            door.last = Some((row.who.clone(), row.granted));
        }
        if let Some(after) = row.answered_in {
            self.times
                .push_back(u64::try_from(after.as_micros()).unwrap_or(u64::MAX));
        }
        if self.times.len() > TIMES {
            self.times.pop_front();
        }
        self.rows.push_front(row);
        self.rows.truncate(ROWS);
    }

    /// Lets time pass: lights go out, doors are secured.
    pub(super) fn tick(&mut self, now: Duration) {
        self.now = now;
        for door in &mut self.doors {
            if door.light != Light::Missing && now >= door.light_until {
                door.light = Light::Idle;
            }
            door.released &= now < door.released_until;
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

    fn row(granted: bool, answered_in: Option<Duration>) -> Row {
        Row {
            time: "10:00:00".into(),
            door: "Front".into(),
            who: "Ana".into(),
            granted,
            words: "has a plan".into(),
            answered_in,
            offline: false,
        }
    }

    fn scene(reader: Plug) -> Scene {
        Scene {
            doors: vec![DoorView::new("Front", reader)],
            ..Scene::default()
        }
    }

    #[test]
    fn a_light_comes_on_and_goes_out_and_the_strike_in_its_own_time() {
        let mut scene = scene(Plug::Osdp { bus: 0, address: 0 });
        let second = Duration::from_secs(1);
        let after = Some(Duration::from_micros(900));
        scene.answered(row(true, after), Some((Light::Green, second)), Some(second * 5));
        let seen = |scene: &Scene| (scene.doors[0].light, scene.doors[0].released);
        assert_eq!(seen(&scene), (Light::Green, true));
        scene.tick(second);
        assert_eq!(seen(&scene), (Light::Idle, true));
        scene.tick(second * 5);
        assert_eq!(seen(&scene), (Light::Idle, false));
        assert_eq!(scene.median(), Duration::from_micros(900));
    }

    #[test]
    fn a_reader_without_a_light_never_shows_one() {
        let mut scene = scene(Plug::Wradapt);
        scene.answered(row(false, None), None, None);
        scene.tick(Duration::from_secs(9));
        assert_eq!(scene.doors[0].light, Light::Missing);
        assert_eq!(scene.doors[0].last, Some(("Ana".into(), false)));
        assert!(scene.times.is_empty(), "no light, no time to it");
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
