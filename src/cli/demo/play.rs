//! The play: cards are presented, readers answer, the cloud goes away and comes back.

use super::{
    cast::{SPOTS, TAPS, Tap},
    draw,
    scene::{DoorView, Light, Row, Scene},
    stage::Stage,
};
use crate::{
    cli::{
        failure::{Failure, status},
        moment,
        out::{Out, Tone},
    },
    clock::Clock,
    domain::{EntryEvent, EventKind},
};
use doorward_peers::osdp::{Color, What};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use std::{
    collections::HashSet,
    io::IsTerminal as _,
    time::{Duration, Instant},
};

/// Between two cards.
const PAUSE: Duration = Duration::from_millis(700);
/// A tap without an answer for this long was not answered.
const PATIENCE: Duration = Duration::from_secs(5);
/// The check-ins may take this long to catch up after the last tap.
const CATCH_UP: Duration = Duration::from_secs(20);
/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(10);

/// Plays until `total` is over, or until the user ends it.
pub(super) fn play(total: Option<Duration>, out: &mut Out) -> Result<u8, Failure> {
    let failed = |text: String| Failure::new(status::FAILED, text, "");
    let clock = Clock::system(true, 0);
    let picture = std::io::stdout().is_terminal() && !out.is_json();
    if !picture && !out.is_json() {
        out.line("starting the site: three readers on two lines, a cloud, a gateway")?;
        out.finish()?;
    }
    let mut stage =
        Stage::build(&clock).map_err(|error| failed(format!("the site cannot be built: {error}")))?;
    stage.ready(&clock).map_err(failed)?;
    let terminal = picture.then(ratatui::init);
    let outcome = Play::new(stage, clock, total, terminal).run(out);
    if picture {
        ratatui::restore();
    }
    let scene = outcome?;
    summary(&scene, out)
}

/// A tap that waits for its answer.
struct Open {
    tap: Tap,
    presented: Instant,
    light: Option<(Light, Duration)>,
    event: Option<EntryEvent>,
}

struct Play {
    stage: Stage,
    clock: Clock,
    terminal: Option<DefaultTerminal>,
    scene: Scene,
    open: Option<Open>,
    next: Duration,
    number: usize,
    ending: bool,
}

impl Play {
    fn new(stage: Stage, clock: Clock, total: Option<Duration>, terminal: Option<DefaultTerminal>) -> Self {
        let start = clock.monotonic();
        let doors = SPOTS.iter().map(|spot| DoorView {
            name: spot.name.into(),
            ..DoorView::default()
        });
        let scene = Scene {
            total: total.map(|total| start + total),
            doors: doors.collect(),
            cloud_up: true,
            caption: "members come in; the gateway decides from its own memory".into(),
            ..Scene::default()
        };
        Self {
            stage,
            clock,
            terminal,
            scene,
            open: None,
            next: start,
            number: 0,
            ending: false,
        }
    }

    fn run(mut self, out: &mut Out) -> Result<Scene, Failure> {
        let start = self.clock.monotonic();
        loop {
            let now = self.clock.monotonic();
            self.scene.tick(now);
            self.direct(start, now);
            if self.open.is_none() && !self.ending && now >= self.next {
                self.present(now);
            }
            self.listen();
            self.settle(out)?;
            self.count();
            if self.ending && (self.scene.waiting() == 0 && self.open.is_none() || now > self.next + CATCH_UP)
            {
                break;
            }
            self.show()?;
            if !self.keys()? {
                break;
            }
        }
        self.count();
        Ok(self.scene)
    }

    /// A play that ends by itself takes the cloud away for its middle third.
    fn direct(&mut self, start: Duration, now: Duration) {
        let Some(end) = self.scene.total else { return };
        let length = end.saturating_sub(start);
        let at = now.saturating_sub(start);
        let away = at >= length / 3 && at < length * 2 / 3;
        if self.scene.cloud_up == away {
            self.cloud(!away);
        }
        if now >= end && !self.ending {
            self.ending = true;
            self.next = now;
            self.scene.caption = "the last check-ins catch up".into();
        }
    }

    fn cloud(&mut self, up: bool) {
        self.stage.cloud.set_down(!up);
        self.scene.cloud_up = up;
        let caption = match up {
            true => "the cloud is back: check-ins catch up",
            false => "the cloud is away: the doors go on, check-ins wait in the journal",
        };
        self.scene.caption = caption.into();
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the stopwatch of the play, not a time of anything"
    )]
    fn present(&mut self, now: Duration) {
        let Some(tap) = TAPS.get(self.number % TAPS.len()).copied() else {
            return;
        };
        let Some(spot) = SPOTS.get(tap.spot).copied() else {
            return;
        };
        self.number += 1;
        self.next = now + PAUSE;
        self.scene.taps += 1;
        let presented = Instant::now();
        self.stage.tap(spot, &tap.card);
        self.open = Some(Open {
            tap,
            presented,
            light: None,
            event: None,
        });
    }

    /// What the readers showed and what the journal says.
    fn listen(&mut self) {
        let events = self.stage.events();
        let Some(open) = &mut self.open else { return };
        let Some(spot) = SPOTS.get(open.tap.spot) else {
            return;
        };
        if let Some(seen) = self.stage.seen.get(spot.bus) {
            for seen in seen
                .try_iter()
                .filter(|seen| seen.address == spot.address && seen.at >= open.presented)
            {
                let What::Light { color, .. } = seen.what else {
                    continue;
                };
                let light = match color {
                    Color::Green => Light::Green,
                    Color::Amber => Light::Amber,
                    _ => Light::Red,
                };
                open.light
                    .get_or_insert((light, seen.at.duration_since(open.presented)));
            }
        }
        let is_decision =
            |event: &EntryEvent| matches!(event.body.kind, EventKind::Granted | EventKind::Refused);
        open.event = open.event.take().or_else(|| events.into_iter().find(is_decision));
    }

    /// A tap with both light and event is answered; one without for too long was not.
    fn settle(&mut self, out: &mut Out) -> Result<(), Failure> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let (light, answered_in, event) = match (&open.light, &open.event) {
            (Some((light, answered_in)), Some(event)) => (*light, *answered_in, event.clone()),
            _ if open.presented.elapsed() > PATIENCE => {
                self.scene
                    .surprises
                    .push(format!("{} got no answer", open.tap.who));
                return Ok(());
            }
            _ => {
                self.open = Some(open);
                return Ok(());
            }
        };
        let reason = event.body.reason;
        let granted = event.body.kind == EventKind::Granted;
        if reason != Some(open.tap.expected) || granted != (light == Light::Green) {
            let got = reason.map_or("nothing", |reason| reason.name());
            let text = format!(
                "{}: expected {}, got {got} and {light:?}",
                open.tap.who, open.tap.expected
            );
            self.scene.surprises.push(text);
        }
        self.scene.owed += u64::from(granted && event.body.person.is_some());
        let spot = SPOTS.get(open.tap.spot).map_or("", |spot| spot.name);
        let words = reason.map_or("", |reason| reason.words());
        let words = event.body.detail.clone().unwrap_or_else(|| words.to_owned());
        let row = Row {
            time: moment::local(event.body.at, "Europe/Madrid")
                .split(' ')
                .nth(1)
                .unwrap_or_default()
                .into(),
            door: spot.into(),
            who: open.tap.who.into(),
            granted,
            reason: reason.map_or("", |reason| reason.name()).into(),
            words,
            answered_in,
            offline: !self.scene.cloud_up,
        };
        if self.terminal.is_none() && !out.is_json() {
            print(&row, out)?;
        }
        self.scene.answered(row, light);
        Ok(())
    }

    fn count(&mut self) {
        let arrived = self.stage.cloud.check_ins();
        let unique: HashSet<&str> = arrived
            .iter()
            .map(|check_in| check_in.body.event.as_str())
            .collect();
        self.scene.arrived = u64::try_from(unique.len()).unwrap_or(u64::MAX);
        self.scene.doubled = u64::try_from(arrived.len() - unique.len()).unwrap_or(u64::MAX);
        self.scene.heard = self.stage.heard();
    }

    fn show(&mut self) -> Result<(), Failure> {
        if let Some(terminal) = &mut self.terminal {
            let scene = &self.scene;
            terminal.draw(|frame| draw::draw(frame, scene))?;
        }
        Ok(())
    }

    /// The user's keys; false ends the play.
    fn keys(&mut self) -> Result<bool, Failure> {
        if self.terminal.is_none() {
            std::thread::sleep(LOOK);
            return Ok(true);
        }
        if !event::poll(LOOK)? {
            return Ok(true);
        }
        let Event::Key(key) = event::read()? else {
            return Ok(true);
        };
        if key.kind != KeyEventKind::Press {
            return Ok(true);
        }
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(false),
            KeyCode::Char('q') | KeyCode::Esc => return Ok(false),
            KeyCode::Char('c') if self.scene.total.is_none() => self.cloud(!self.scene.cloud_up),
            KeyCode::Char(' ') => self.next = Duration::ZERO,
            _ => {}
        }
        Ok(true)
    }
}

fn print(row: &Row, out: &mut Out) -> Result<(), Failure> {
    let verdict = match row.granted {
        true => out.paint(Tone::Good, "granted"),
        false => out.paint(Tone::Bad, "refused"),
    };
    let milliseconds = row.answered_in.as_secs_f64() * 1e3;
    let cloud = if row.offline { ", cloud away" } else { "" };
    out.line(&format!(
        "{}  {:<13} {:<14} {verdict}  {} ({milliseconds:.1} ms{cloud})",
        row.time, row.door, row.who, row.words
    ))?;
    out.finish()
}

fn summary(scene: &Scene, out: &mut Out) -> Result<u8, Failure> {
    let complaints = scene.complaints();
    let status = if complaints.is_empty() {
        status::OK
    } else {
        status::FAILED
    };
    if out.is_json() {
        out.json(&serde_json::json!({
            "taps": scene.taps, "answered": scene.answered, "check_ins_owed": scene.owed,
            "check_ins_arrived": scene.arrived, "check_ins_doubled": scene.doubled,
            "events_on_mqtt": scene.heard, "card_to_light_median_us": u64::try_from(scene.median().as_micros()).ok(),
            "complaints": complaints,
        }))?;
        return Ok(status);
    }
    let median = scene.median().as_secs_f64() * 1e3;
    out.line("")?;
    out.line(&format!(
        "{} taps, {} answered, middle time from card to light {median:.1} ms",
        scene.taps, scene.answered
    ))?;
    out.line(&format!(
        "{} check-ins owed, {} arrived, {} twice",
        scene.owed, scene.arrived, scene.doubled
    ))?;
    if let Some(heard) = scene.heard {
        out.line(&format!("{heard} events heard on MQTT"))?;
    }
    for complaint in &complaints {
        let line = out.paint(Tone::Bad, complaint);
        out.line(&line)?;
    }
    if complaints.is_empty() {
        let line = out.paint(
            Tone::Good,
            "every tap was answered as it should be, every check-in arrived once",
        );
        out.line(&line)?;
    }
    Ok(status)
}
