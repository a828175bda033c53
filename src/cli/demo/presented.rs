//! One card at a reader, from its presentation until everything of the answer is there.

use super::{
    cast::{Plug, Spot},
    scene::{Light, Row},
    stage::Stage,
};
use crate::{
    cli::moment,
    domain::{EntryEvent, EventKind, Reason},
};
use doorward_peers::osdp::{self, Color, Seen, What};
use std::time::{Duration, Instant};

/// A tap without an answer for this long was not answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// A tap that waits for its answer.
pub(super) struct Presented {
    who: String,
    spot: Spot,
    /// Whether the door is expected to open.
    opens: bool,
    since: Instant,
    /// What the reader showed, for how long, and how long after the card.
    light: Option<(Light, Duration, Duration)>,
    /// For how long the strike was released, and how long after the card.
    strike: Option<(Duration, Duration)>,
    event: Option<EntryEvent>,
}

impl Presented {
    /// The card is presented now.
    pub(super) fn begin(who: &str, spot: Spot, expected: Reason) -> Self {
        Self {
            who: who.to_owned(),
            spot,
            opens: expected.grants(),
            since: osdp::now(),
            light: None,
            strike: None,
            event: None,
        }
    }

    /// Takes the decision among these events, if it is there.
    pub(super) fn decided(&mut self, events: &[EntryEvent]) {
        let is_decision =
            |event: &&EntryEvent| matches!(event.body.kind, EventKind::Granted | EventKind::Refused);
        let decision = events.iter().find(is_decision);
        self.event = self.event.take().or_else(|| decision.cloned());
    }

    /// Whether everything is there that the answer consists of.
    pub(super) fn is_complete(&self) -> bool {
        let shown = self.light.is_some() || self.spot.reader == Plug::Wradapt;
        let decided = self.event.as_ref().map(|event| event.body.kind);
        match decided {
            Some(EventKind::Granted) => shown && self.strike.is_some(),
            Some(_) => shown,
            None => false,
        }
    }

    /// Whether it has been waited for long enough.
    pub(super) fn is_late(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }

    /// The decision of a complete answer.
    pub(super) fn answer(&self) -> Option<&EntryEvent> {
        self.event.as_ref().filter(|_| self.is_complete())
    }

    /// What did not come in time.
    pub(super) fn missing(&self) -> String {
        let parts = [
            ("event", self.event.is_none()),
            ("light", self.light.is_none() && self.spot.reader != Plug::Wradapt),
            ("release", self.strike.is_none() && self.opens),
        ];
        let parts: Vec<&str> = parts
            .iter()
            .filter(|(_, missing)| *missing)
            .map(|(part, _)| *part)
            .collect();
        let seconds = PATIENCE.as_secs();
        format!(
            "{} at {}: no {} within {seconds} s",
            self.who,
            self.spot.name,
            parts.join(", no ")
        )
    }

    /// Whether light and release say the same as the decision.
    pub(super) fn is_shown_right(&self, event: &EntryEvent) -> bool {
        let granted = event.body.kind == EventKind::Granted;
        let light_is_right = match self.light {
            Some((light, ..)) => granted == (light == Light::Green),
            None => self.spot.reader == Plug::Wradapt,
        };
        light_is_right && granted == self.strike.is_some()
    }

    /// What is not as it should be.
    pub(super) fn surprise(&self, event: &EntryEvent, expected: Reason) -> Option<String> {
        let granted = event.body.kind == EventKind::Granted;
        let right = event.body.reason == Some(expected) && granted == expected.grants();
        if right && self.is_shown_right(event) {
            return None;
        }
        let got = event.body.reason.map_or("nothing", |reason| reason.name());
        let light = self.light.map(|(light, ..)| light);
        let released = if self.strike.is_some() {
            "released"
        } else {
            "not released"
        };
        Some(format!(
            "{} at {}: expected {expected}, got {got}, light {light:?}, {released}",
            self.who, self.spot.name
        ))
    }

    /// The line for the picture.
    pub(super) fn row(&self, event: &EntryEvent, offline: bool) -> Row {
        let at = moment::local(event.body.at, "Europe/Madrid");
        Row {
            time: at.split(' ').nth(1).unwrap_or_default().into(),
            door: self.spot.name.into(),
            who: self.who.clone(),
            granted: event.body.kind == EventKind::Granted,
            words: words(event),
            // The wall reader has no light: its strike is all that a person sees.
            answered_in: self
                .light
                .map(|(_, _, after)| after)
                .or(self.strike.map(|(_, after)| after)),
            offline,
        }
    }

    /// The light that was shown, and for how long.
    pub(super) fn light(&self) -> Option<(Light, Duration)> {
        self.light.map(|(light, hold, _)| (light, hold))
    }

    /// For how long the strike was released.
    pub(super) fn hold(&self) -> Option<Duration> {
        self.strike.map(|(hold, _)| hold)
    }
}

/// The strike that was released last: a repeated command for the same one is no surprise.
#[derive(Default)]
pub(super) struct Released(Option<(usize, u8, u8)>);

impl Released {
    /// Gives the open tap what the readers have shown since the last look. What was released for nobody.
    pub(super) fn listen(&mut self, stage: &Stage, mut open: Option<&mut Presented>) -> Vec<String> {
        let mut surprises = Vec::new();
        for (bus, seen) in stage.seen.iter().enumerate() {
            for seen in seen.try_iter() {
                surprises.extend(self.noticed(open.as_deref_mut(), bus, &seen));
            }
        }
        surprises
    }

    fn noticed(&mut self, open: Option<&mut Presented>, bus: usize, seen: &Seen) -> Option<String> {
        let open = open.filter(|open| seen.at >= open.since);
        let hold = |timer: u16| Duration::from_millis(u64::from(timer) * 100);
        match seen.what {
            What::Light { color, timer } => {
                let light = match color {
                    Color::Green => Light::Green,
                    Color::Amber => Light::Amber,
                    _ => Light::Red,
                };
                let reader = Plug::Osdp {
                    bus,
                    address: seen.address,
                };
                if let Some(open) = open.filter(|open| open.spot.reader == reader) {
                    let after = seen.at.duration_since(open.since);
                    open.light.get_or_insert((light, hold(timer), after));
                }
            }
            What::Output { output, timer, .. } => {
                let strike = (bus, seen.address, output);
                if let Some(open) = open.filter(|open| open.spot.strike == strike) {
                    let after = seen.at.duration_since(open.since);
                    open.strike.get_or_insert((hold(timer), after));
                    self.0 = Some(strike);
                } else if self.0 != Some(strike) {
                    return Some(format!(
                        "output {output} of reader {} on line {bus} was released for nobody",
                        seen.address
                    ));
                }
            }
            What::Idle { .. } | What::Sound { .. } => {}
        }
        None
    }
}

/// Why, in plain words: the nearest miss, if the event names one.
fn words(event: &EntryEvent) -> String {
    let reason = event.body.reason.map(|reason| reason.words().to_owned());
    event.body.detail.clone().or(reason).unwrap_or_default()
}
