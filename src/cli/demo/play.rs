//! The play: cards are presented, readers answer, the cloud goes away and comes back.

use super::{
    cast::{self, SPOTS, TAPS, Tap},
    draw, page, plain,
    presented::{Presented, Released},
    scene::{DoorView, Scene},
    stage::{Stage, secret},
};
use crate::{
    cli::{
        Context,
        failure::{Failure, status},
        out::Out,
    },
    clock::Clock,
    domain::time::Millis,
};
use doorward_peers::cloud::{Cloud, Options};
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
    time::Duration,
};

/// Between two cards.
const PAUSE: Duration = Duration::from_millis(700);
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
    let cloud = reference_cloud(clock.now().at).map_err(failed)?;
    let mut stage = Stage::build(|dir| {
        secret(&dir.join("token"), cloud.token())?;
        Ok(include_str!("cloud.toml").replace("{cloud}", &cloud.url()))
    })
    .map_err(failed)?;
    let up = stage
        .ready(&clock, || interrupted.load(Ordering::Relaxed))
        .map_err(failed)?;
    if !up {
        return Err(failed("interrupted before the site was ready".into()));
    }
    let page = page::invitation(&context.runtime()?, &stage.runtime_dir());
    if let Some(page) = page.as_ref().filter(|_| !out.is_json()) {
        out.line(page)?;
        out.finish()?;
    }
    let picture = std::io::stdout().is_terminal() && !out.is_json();
    // Without a keyboard there is no picture, and lines do as well.
    let terminal = picture.then(ratatui::try_init).and_then(Result::ok);
    let drawn = terminal.is_some();
    let mut play = Play::new(stage, cloud, clock, total, terminal, interrupted);
    play.scene.page = page.unwrap_or_default();
    play.colours = context.args.color.colours(true, context.environment);
    let outcome = play.run(out);
    if drawn {
        ratatui::restore();
    }
    plain::summary(&outcome?, out)
}

fn reference_cloud(now: Millis) -> Result<Cloud, String> {
    let options = Options {
        world: cast::world(now),
        ..Options::default()
    };
    Cloud::start(options).map_err(|error| format!("the reference cloud does not start: {error}"))
}

/// Set by the signals that end a program. With the picture, Ctrl-C is a key and comes as one.
pub(super) fn interrupts() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::<AtomicBool>::default();
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

struct Play {
    stage: Stage,
    cloud: Cloud,
    clock: Clock,
    terminal: Option<DefaultTerminal>,
    colours: bool,
    interrupted: Arc<AtomicBool>,
    scene: Scene,
    start: Duration,
    open: Option<(Tap, Presented)>,
    next: Duration,
    number: usize,
    /// The user has taken the cloud into their own hands.
    by_hand: bool,
    /// Since when the last check-ins are waited for.
    ending: Option<Duration>,
    /// The user does not want to wait for them.
    left: bool,
    released: Released,
}

impl Play {
    fn new(
        stage: Stage,
        cloud: Cloud,
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
            cloud,
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
            released: Released::default(),
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
            self.take_cloud(away);
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
            self.take_cloud(false);
        }
        self.scene.ending = true;
        self.scene.caption = "no more cards: the last check-ins are waited for".into();
    }

    fn take_cloud(&mut self, away: bool) {
        let up = !away;
        self.cloud.set_down(!up);
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
        let presented = Presented::begin(tap.who, spot, tap.expected);
        self.stage.tap(spot, &tap.card);
        self.open = Some((tap, presented));
    }

    /// What the readers showed and what the journal says.
    fn listen(&mut self) {
        let events = self.stage.events();
        let mut open = self.open.as_mut().map(|(_, open)| open);
        let surprises = self.released.listen(&self.stage, open.as_deref_mut());
        self.scene.surprises.extend(surprises);
        if let Some(open) = open {
            open.decided(&events);
        }
    }

    /// A tap with all of its answer is answered; one without it for too long was not.
    fn settle(&mut self, out: &mut Out) -> Result<(), Failure> {
        let over = |(_, open): &mut (Tap, Presented)| open.is_complete() || open.is_late();
        let Some((tap, open)) = self.open.take_if(over) else {
            return Ok(());
        };
        let Some(event) = open.answer() else {
            self.scene.surprises.push(open.missing());
            return Ok(());
        };
        self.scene.surprises.extend(open.surprise(event, tap.expected));
        let row = open.row(event, !self.scene.cloud_up);
        self.scene.owed += u64::from(row.granted && event.body.person.is_some());
        if self.terminal.is_none() && !out.is_json() {
            plain::tap(&row, out)?;
        }
        self.scene.answered(row, open.light(), open.hold());
        Ok(())
    }

    fn count(&mut self) {
        let arrived = self.cloud.check_ins();
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
                self.take_cloud(self.scene.cloud_up);
            }
            KeyCode::Char(' ') => self.next = now,
            _ => {}
        }
        Ok(())
    }
}
