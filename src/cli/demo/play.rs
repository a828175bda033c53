//! The play: cards are presented, readers answer, the cloud goes away and comes back.

use super::{
    cast::{Plug, SPOTS, Spot, TAPS, Tap},
    draw, plain,
    scene::{DoorView, Light, Row, Scene},
    stage::Stage,
};
use crate::{
    cli::{
        Context,
        failure::{Failure, status},
        moment,
        out::Out,
    },
    clock::Clock,
    domain::{EntryEvent, EventKind},
};
use doorward_peers::osdp::{self, Color, Seen, What};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use std::{
    collections::HashSet,
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Between two cards.
const PAUSE: Duration = Duration::from_millis(700);
/// A tap without an answer for this long was not answered.
const PATIENCE: Duration = Duration::from_secs(5);
/// The check-ins may take this long to catch up after the last tap.
const CATCH_UP: Duration = Duration::from_secs(20);
/// A play shorter than this leaves the cloud where it is: there is no time to see it go.
const CLOUD_LEAVES_FROM: Duration = Duration::from_secs(6);
/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(10);

/// Plays until `total` is over, or until the user ends it.
pub(super) fn play(context: &Context<'_>, total: Option<Duration>, out: &mut Out) -> Result<u8, Failure> {
    let failed = |text: String| Failure::new(status::FAILED, text, "");
    let interrupted = interrupts()?;
    let clock = Clock::system(true, 0);
    if !out.is_json() {
        out.line(&format!("starting the site: {}", plain::SITE))?;
        out.finish()?;
    }
    let mut stage = Stage::build(&clock).map_err(failed)?;
    let up = stage
        .ready(&clock, || interrupted.load(Ordering::Relaxed))
        .map_err(failed)?;
    if !up {
        return Err(failed("interrupted before the site was ready".into()));
    }
    let picture = std::io::stdout().is_terminal() && !out.is_json();
    // Without a keyboard there is no picture, and lines do as well.
    let terminal = picture.then(ratatui::try_init).and_then(Result::ok);
    let drawn = terminal.is_some();
    let mut play = Play::new(stage, clock, total, terminal, interrupted);
    play.colours = context.args.color.colours(true, context.environment);
    let outcome = play.run(out);
    if drawn {
        ratatui::restore();
    }
    plain::summary(&outcome?, out)
}

/// Set by the signals that end a program. With the picture, Ctrl-C is a key and comes as one.
fn interrupts() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::<AtomicBool>::default();
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

/// A tap that waits for its answer.
struct Open {
    tap: Tap,
    spot: Spot,
    presented: Instant,
    /// What the reader showed, for how long, and how long after the card.
    light: Option<(Light, Duration, Duration)>,
    /// For how long the strike was released, and how long after the card.
    strike: Option<(Duration, Duration)>,
    event: Option<EntryEvent>,
}

impl Open {
    /// Whether everything is there that the answer consists of.
    fn is_complete(&self) -> bool {
        let shown = self.light.is_some() || self.spot.reader == Plug::Wradapt;
        let decided = self.event.as_ref().map(|event| event.body.kind);
        match decided {
            Some(EventKind::Granted) => shown && self.strike.is_some(),
            Some(_) => shown,
            None => false,
        }
    }

    /// What did not come in time.
    fn missing(&self) -> String {
        let parts = [
            ("event", self.event.is_none()),
            ("light", self.light.is_none() && self.spot.reader != Plug::Wradapt),
            ("release", self.strike.is_none() && self.tap.expected.grants()),
        ];
        let parts: Vec<&str> = parts
            .iter()
            .filter(|(_, missing)| *missing)
            .map(|(part, _)| *part)
            .collect();
        let seconds = PATIENCE.as_secs();
        format!(
            "{} at {}: no {} within {seconds} s",
            self.tap.who,
            self.spot.name,
            parts.join(", no ")
        )
    }

    /// What is not as it should be.
    fn surprise(&self, event: &EntryEvent) -> Option<String> {
        let granted = event.body.kind == EventKind::Granted;
        let light_is_right = match self.light {
            Some((light, ..)) => granted == (light == Light::Green),
            None => self.spot.reader == Plug::Wradapt,
        };
        let right = event.body.reason == Some(self.tap.expected) && granted == self.tap.expected.grants();
        if right && light_is_right && granted == self.strike.is_some() {
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
            "{} at {}: expected {}, got {got}, light {light:?}, {released}",
            self.tap.who, self.spot.name, self.tap.expected
        ))
    }
}

struct Play {
    stage: Stage,
    clock: Clock,
    terminal: Option<DefaultTerminal>,
    colours: bool,
    interrupted: Arc<AtomicBool>,
    scene: Scene,
    start: Duration,
    open: Option<Open>,
    next: Duration,
    number: usize,
    /// The user has taken the cloud into their own hands.
    by_hand: bool,
    /// Since when the last check-ins are waited for.
    ending: Option<Duration>,
    /// The user does not want to wait for them.
    left: bool,
    /// Released last: a repeated command for the same strike is no surprise.
    released: Option<(usize, u8, u8)>,
}

impl Play {
    fn new(
        stage: Stage,
        clock: Clock,
        total: Option<Duration>,
        terminal: Option<DefaultTerminal>,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        let doors = SPOTS.iter().map(|spot| DoorView::new(spot.name, spot.reader));
        let scene = Scene {
            total,
            doors: doors.collect(),
            cloud_up: true,
            no_broker: stage.no_broker(),
            caption: "members come in; the gateway decides from its own memory".into(),
            ..Scene::default()
        };
        Self {
            start: clock.monotonic(),
            stage,
            clock,
            terminal,
            colours: true,
            interrupted,
            scene,
            open: None,
            next: Duration::ZERO,
            number: 0,
            by_hand: false,
            ending: None,
            left: false,
            released: None,
        }
    }

    fn run(mut self, out: &mut Out) -> Result<Scene, Failure> {
        let mut caption = self.scene.caption.clone();
        loop {
            let now = self.clock.monotonic().saturating_sub(self.start);
            self.scene.tick(now);
            self.direct(now);
            if self.open.is_none() && self.ending.is_none() && now >= self.next {
                self.present(now);
            }
            self.listen();
            self.settle(out)?;
            self.count();
            if self.terminal.is_none() && !out.is_json() && caption != self.scene.caption {
                caption.clone_from(&self.scene.caption);
                plain::caption(&caption, out)?;
            }
            if self.is_over(now) {
                return Ok(self.scene);
            }
            self.show()?;
            self.keys(now)?;
            if self.interrupted.swap(false, Ordering::Relaxed) {
                self.leave(now);
            }
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        let caught_up = self.open.is_none() && self.scene.waiting() == 0;
        self.left
            || self
                .ending
                .is_some_and(|since| caught_up || now > since + CATCH_UP)
    }

    /// A play that ends by itself takes the cloud away for its middle third, unless the user does it.
    fn direct(&mut self, now: Duration) {
        let Some(total) = self.scene.total else { return };
        let away = total >= CLOUD_LEAVES_FROM && now >= total / 3 && now < total * 2 / 3;
        if !self.by_hand && self.ending.is_none() && self.scene.cloud_up == away {
            self.cloud(!away);
        }
        if now >= total && self.ending.is_none() {
            self.leave(now);
        }
    }

    /// No more cards; what is owed to the cloud is waited for. Said twice: nothing is waited for.
    fn leave(&mut self, now: Duration) {
        if self.ending.is_some() {
            self.left = true;
            return;
        }
        self.ending = Some(now);
        if !self.scene.cloud_up {
            self.cloud(true);
        }
        self.scene.ending = true;
        self.scene.caption = "no more cards: the last check-ins are waited for".into();
    }

    fn cloud(&mut self, up: bool) {
        self.stage.cloud.set_down(!up);
        self.scene.cloud_up = up;
        let caption = match up {
            true => "the cloud is back: the check-ins catch up",
            false => "the cloud is away: the doors go on, check-ins wait in the journal",
        };
        self.scene.caption = caption.into();
    }

    fn present(&mut self, now: Duration) {
        let tap = TAPS.get(self.number % TAPS.len()).copied();
        let Some((tap, spot)) = tap.and_then(|tap| Some((tap, *SPOTS.get(tap.spot)?))) else {
            return;
        };
        self.number += 1;
        self.next = now + PAUSE;
        self.scene.taps += 1;
        let presented = osdp::now();
        self.stage.tap(spot, &tap.card);
        self.open = Some(Open {
            tap,
            spot,
            presented,
            light: None,
            strike: None,
            event: None,
        });
    }

    /// What the readers showed and what the journal says.
    fn listen(&mut self) {
        for bus in 0..self.stage.seen.len() {
            let seen: Vec<Seen> = self
                .stage
                .seen
                .get(bus)
                .map(|seen| seen.try_iter().collect())
                .unwrap_or_default();
            for seen in seen {
                self.noticed(bus, seen);
            }
        }
        let is_decision =
            |event: &EntryEvent| matches!(event.body.kind, EventKind::Granted | EventKind::Refused);
        let decision = self.stage.events().into_iter().find(is_decision);
        if let Some(open) = &mut self.open {
            open.event = open.event.take().or(decision);
        }
    }

    fn noticed(&mut self, bus: usize, seen: Seen) {
        let open = self.open.as_mut().filter(|open| seen.at >= open.presented);
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
                    let after = seen.at.duration_since(open.presented);
                    open.light.get_or_insert((light, hold(timer), after));
                }
            }
            What::Output { output, timer, .. } => {
                let strike = (bus, seen.address, output);
                if let Some(open) = open.filter(|open| open.spot.strike == strike) {
                    let after = seen.at.duration_since(open.presented);
                    open.strike.get_or_insert((hold(timer), after));
                    self.released = Some(strike);
                } else if self.released != Some(strike) {
                    let text = format!(
                        "output {output} of reader {} on line {bus} was released for nobody",
                        seen.address
                    );
                    self.scene.surprises.push(text);
                }
            }
            What::Idle { .. } | What::Sound { .. } => {}
        }
    }

    /// A tap with all of its answer is answered; one without it for too long was not.
    fn settle(&mut self, out: &mut Out) -> Result<(), Failure> {
        let late = |open: &mut Open| open.is_complete() || open.presented.elapsed() > PATIENCE;
        let Some(open) = self.open.take_if(late) else {
            return Ok(());
        };
        let Some(event) = open.event.as_ref().filter(|_| open.is_complete()) else {
            self.scene.surprises.push(open.missing());
            return Ok(());
        };
        self.scene.surprises.extend(open.surprise(event));
        let granted = event.body.kind == EventKind::Granted;
        self.scene.owed += u64::from(granted && event.body.person.is_some());
        let row = Row {
            time: moment::local(event.body.at, "Europe/Madrid")
                .split(' ')
                .nth(1)
                .unwrap_or_default()
                .into(),
            door: open.spot.name.into(),
            who: open.tap.who.into(),
            granted,
            words: words(event),
            // The wall reader has no light: its strike is all that a person sees.
            answered_in: open
                .light
                .map(|(_, _, after)| after)
                .or(open.strike.map(|(_, after)| after)),
            offline: !self.scene.cloud_up,
        };
        if self.terminal.is_none() && !out.is_json() {
            plain::tap(&row, out)?;
        }
        let light = open.light.map(|(light, hold, _)| (light, hold));
        self.scene.answered(row, light, open.strike.map(|(hold, _)| hold));
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
            let (scene, colours) = (&self.scene, self.colours);
            terminal.draw(|frame| draw::draw(frame, scene, colours))?;
        }
        Ok(())
    }

    /// The user's keys.
    fn keys(&mut self, now: Duration) -> Result<(), Failure> {
        if self.terminal.is_none() {
            std::thread::sleep(LOOK);
            return Ok(());
        }
        if !event::poll(LOOK)? {
            return Ok(());
        }
        let Event::Key(key) = event::read()? else {
            return Ok(());
        };
        if key.kind != KeyEventKind::Press {
            return Ok(());
        }
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => self.leave(now),
            KeyCode::Char('q') | KeyCode::Esc => self.leave(now),
            KeyCode::Char('c') if self.ending.is_none() => {
                self.by_hand = true;
                self.cloud(!self.scene.cloud_up);
            }
            KeyCode::Char(' ') => self.next = now,
            _ => {}
        }
        Ok(())
    }
}

/// Why, in plain words: the nearest miss, if the event names one.
fn words(event: &EntryEvent) -> String {
    let reason = event.body.reason.map(|reason| reason.words().to_owned());
    event.body.detail.clone().or(reason).unwrap_or_default()
}
