//! Plays a platform's story: staff and members act at the simulated platform, cards are presented at the readers, and
//! what comes of it is compared with what the platform's own rules say.

mod exports;
mod learns;
mod moments;

use super::{
    cast::{SPOTS, Spot},
    draw, plain,
    presented::{Presented, Released},
    scene::{DoorView, Scene},
    stage::{Stage, secret},
    stories::{self, Act, Step, Story},
    verdict::{self, Line},
};
use crate::{
    cli::{
        Context,
        failure::{Failure, status},
        out::Out,
    },
    clock::Clock,
    domain::{Reason, time::Millis},
};
use doorward_peers::office::Office;
use moments::{card, day, hexadecimal, minute_of_day};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use std::{
    collections::HashMap,
    io::IsTerminal as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A check-in may take this long to the platform.
const ARRIVES: Duration = Duration::from_secs(45);
/// A web hook that brought nothing for this long brings nothing more: the gateway is asked to fetch.
const HINTED: Duration = Duration::from_secs(6);
/// The secret part of the web hooks' address.
const HOOKS: &str = "a-house-of-cards-in-Madrid";
/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(10);
/// Between two steps, for whoever watches.
const PAUSE: Duration = Duration::from_millis(1_500);

/// Plays the story of a platform. `total`: for about so long, and never shorter than the gateway needs.
pub(super) fn play(
    context: &Context<'_>,
    platform: &str,
    total: Option<Duration>,
    out: &mut Out,
) -> Result<u8, Failure> {
    let failed = |text: String| Failure::new(status::FAILED, text, "");
    let story = stories::of(platform).ok_or_else(|| {
        failed(format!(
            "there is no story of `{}` in this build",
            platform.escape_debug()
        ))
    })?;
    let interrupted = super::play::interrupts()?;
    let clock = Clock::system(true, 0);
    let office = stories::office(platform).map_err(failed)?;
    if !out.is_json() {
        out.line(&format!(
            "starting the site: {}, {} simulated",
            plain::SITE,
            story.name
        ))?;
        out.finish()?;
    }
    let begun = clock.monotonic();
    let mut stage = Stage::build(|dir| configuration(story, office.as_ref(), dir)).map_err(failed)?;
    let up = stage
        .ready(&clock, || interrupted.load(Ordering::Relaxed))
        .map_err(failed)?;
    if !up {
        return Err(failed("interrupted before the site was ready".into()));
    }
    let picture = std::io::stdout().is_terminal() && !out.is_json();
    let terminal = picture.then(ratatui::try_init).and_then(Result::ok);
    let drawn = terminal.is_some();
    let mut theatre = Theatre::new(stage, office, clock, terminal, interrupted, context.runtime()?);
    theatre.scene.total = total;
    theatre.colours = context.args.color.colours(true, context.environment);
    let outcome = theatre.run(story, begun, out);
    if drawn {
        ratatui::restore();
    }
    outcome?;
    verdict::show(story, &theatre.lines, theatre.office.requests(), out)
}

/// The sections of the configuration that are the story's own.
fn configuration(story: &Story, office: &dyn Office, dir: &Path) -> std::io::Result<String> {
    let mut cloud = office.cloud_section(dir);
    if story.granted > 1 {
        let granted = format!("[cloud]\nallowance = {}\n", story.granted);
        cloud = cloud.replacen("[cloud]\n", &granted, 1);
    }
    secret(&dir.join("hooks-path"), HOOKS)?;
    Ok(format!(
        "{cloud}\n[hooks]\nlisten = \"127.0.0.1:0\"\npath_secret = {{ file = \"{{dir}}/hooks-path\" }}\n\
         [sync]\npoll_seconds = 60\nhold_share = 1\n{}\n[checkins]\n{}",
        story.config, story.map
    ))
}

/// Why the story cannot go on.
enum Halt {
    /// The user ended it.
    Interrupted,
    Failed(Failure),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

struct Theatre {
    stage: Stage,
    office: Box<dyn Office>,
    clock: Clock,
    terminal: Option<DefaultTerminal>,
    colours: bool,
    interrupted: Arc<AtomicBool>,
    scene: Scene,
    start: Duration,
    released: Released,
    /// Ids at the platform by name.
    members: HashMap<&'static str, String>,
    /// Each member's last booking.
    bookings: HashMap<&'static str, String>,
    /// When the last thing was done that the gateway may not know yet: by the wall clock and since the start.
    news: Option<(Millis, Duration)>,
    runtime: tokio::runtime::Runtime,
    lines: Vec<Line>,
}

impl Theatre {
    fn new(
        stage: Stage,
        office: Box<dyn Office>,
        clock: Clock,
        terminal: Option<DefaultTerminal>,
        interrupted: Arc<AtomicBool>,
        runtime: tokio::runtime::Runtime,
    ) -> Self {
        let doors = SPOTS.iter().map(|spot| DoorView::new(spot.name, spot.reader));
        let scene = Scene {
            doors: doors.collect(),
            cloud_up: true,
            ending: true, // no keys but the one that leaves
            ..Scene::default()
        };
        Self {
            start: clock.monotonic(),
            stage,
            office,
            clock,
            terminal,
            colours: true,
            interrupted,
            scene,
            released: Released::default(),
            members: HashMap::new(),
            bookings: HashMap::new(),
            news: None,
            runtime,
            lines: Vec::new(),
        }
    }

    fn run(&mut self, story: &Story, begun: Duration, out: &mut Out) -> Result<(), Failure> {
        let took = self.start.saturating_sub(begun);
        self.lines.push(Line::connected(story.name, took));
        let mut told = 0;
        if let Err(Halt::Failed(failure)) = self.hook_up() {
            return Err(failure);
        }
        for (number, step) in story.steps.iter().enumerate() {
            let played = self
                .step(step)
                .and_then(|()| self.learns_before(story.steps.get(number + 1)))
                .and_then(|()| self.pause(story.steps.len() - number));
            self.tell(&mut told, out)?;
            match played {
                Ok(()) => {}
                Err(Halt::Failed(failure)) => return Err(failure),
                Err(Halt::Interrupted) => {
                    self.lines.push(Line::ended_early(story.steps.len() - number));
                    break;
                }
            }
        }
        let surprises = std::mem::take(&mut self.scene.surprises);
        self.lines.extend(surprises.into_iter().map(Line::surprise));
        self.tell(&mut told, out)
    }

    /// Without a picture each line is printed as it comes.
    fn tell(&mut self, told: &mut usize, out: &mut Out) -> Result<(), Failure> {
        for line in self.lines.get(*told..).unwrap_or_default() {
            if self.terminal.is_none() && !out.is_json() {
                line.print(out)?;
            }
        }
        *told = self.lines.len();
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Does(act) => self.act(act, true),
            Step::Cannot(act) => self.act(act, false),
            Step::Taps {
                who,
                door,
                expected,
                rule,
                or_rules,
            } => self.presents(who, *door, expected, *rule, or_rules),
            Step::ByTheHour {
                who,
                door,
                opens: (from, until),
                rule,
            } => self.presents(who, *door, self.by_the_hour(*from, *until), *rule, &[12]),
            Step::Attends { who, times, rule } => self.attends(who, *times, *rule),
            Step::AttendanceStaysHere => {
                self.lines.push(Line::stays_here(self.office.attendance().len()));
                Ok(())
            }
            Step::Exports { warns_of, rule } => self.exports(warns_of, *rule),
            Step::Cloud { away } => {
                self.caption(if *away {
                    "the cloud is away: the doors go on from their own memory"
                } else {
                    "the cloud is back"
                });
                self.office.set_away(*away);
                self.scene.cloud_up = !away;
                // What was done meanwhile can be learnt from now on.
                self.news = self.news.map(|_| (self.clock.now().at, self.clock.monotonic()));
                self.lines.push(Line::cloud(*away));
                Ok(())
            }
        }
    }

    /// What must come of a booking by schedule at this hour.
    fn by_the_hour(&self, from: i16, until: i16) -> &'static [Reason] {
        let minute = minute_of_day(self.clock.now().at);
        match minute {
            _ if minute < from => &[Reason::NotYet],
            _ if minute < until => &[Reason::GrantedBooking],
            _ => &[Reason::Ended, Reason::NoGrantForDoor],
        }
    }

    /// Waits for what was done to be known before the pause and not after it: the time that it takes is the gateway's.
    fn learns_before(&mut self, next: Option<&Step>) -> Result<(), Halt> {
        let (who, door, expected) = match next {
            Some(Step::Taps {
                who, door, expected, ..
            }) => (who, door, *expected),
            Some(Step::ByTheHour {
                who,
                door,
                opens: (from, until),
                ..
            }) => (who, door, self.by_the_hour(*from, *until)),
            _ => return Ok(()),
        };
        let Some(spot) = SPOTS.get(*door).copied() else {
            return Ok(());
        };
        self.gateway_learns(who, spot, expected)
    }

    /// A card at a door, when the gateway knows what was done before.
    fn presents(
        &mut self,
        who: &'static str,
        door: usize,
        expected: &[Reason],
        rule: u8,
        or_rules: &[u8],
    ) -> Result<(), Halt> {
        let spot = SPOTS.get(door).copied();
        let (Some(spot), Some(first)) = (spot, expected.first()) else {
            return Ok(());
        };
        self.gateway_learns(who, spot, expected)?;
        let got = self.tap(who, spot, *first)?;
        self.lines
            .push(Line::tap(who, spot, expected, rule, or_rules, got));
        Ok(())
    }

    fn caption(&mut self, text: &str) {
        text.clone_into(&mut self.scene.caption);
    }

    /// Does something at the platform.
    fn act(&mut self, act: &Act, can: bool) -> Result<(), Halt> {
        let words = act.words();
        self.caption(&words);
        let done = self.perform(act);
        if done.is_ok() {
            self.news = Some((self.clock.now().at, self.clock.monotonic()));
        }
        self.lines.push(Line::act(words, can, done));
        self.frame()
    }

    fn perform(&mut self, act: &Act) -> Result<(), String> {
        let office = self.office.as_ref();
        let now = self.clock.now().at;
        let at = |minutes: i64| (now.div_euclid(60_000) + minutes) * 60_000;
        let member = |who: &str| self.members.get(who).cloned().unwrap_or_default();
        let booking = |who: &str| self.bookings.get(who).cloned().unwrap_or_default();
        match *act {
            Act::Join { who, plan, first } => {
                let mail = format!("{}@example.com", who.to_lowercase().replace(' ', "."));
                let id = office.join(who, &mail, plan, &day(now, first));
                office.give_card(&id, &hexadecimal(&card(who)));
                self.members.insert(who, id);
            }
            Act::Book {
                who,
                resource,
                from,
                until,
            } => {
                let id = office.book(&member(who), resource, at(from), at(until));
                self.bookings.insert(who, id);
            }
            Act::Move { who, from, until } => office.move_booking(&booking(who), at(from), at(until)),
            Act::Delete { who } => office.delete_booking(&booking(who)),
            Act::Invite { who, guest } => office.invite(&booking(who), &member(guest))?,
            Act::Assign { who, resource } => office.assign(&member(who), resource)?,
            Act::Sell { who, kind, count } => office.give_passes(&member(who), kind, count)?,
            Act::Cancel { who, last } => office.cancel(&member(who), &day(now, last)),
            Act::Deactivate { who } => office.deactivate(&member(who))?,
        }
        Ok(())
    }

    /// Tells the platform where its web hooks go, as soon as the gateway listens.
    fn hook_up(&mut self) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        while self.clock.monotonic() < begun + HINTED {
            let status = self.status();
            let hooks = status.as_ref().and_then(|status| status.sections.get("hooks"));
            let listening = hooks.and_then(|hooks| hooks.get("listening")?.as_str());
            if let Some(listening) = listening {
                let told = self
                    .office
                    .send_hooks_to(&format!("http://{listening}/hooks/{HOOKS}"));
                self.lines.push(Line::hooked(told));
                return Ok(());
            }
            self.frame()?;
        }
        self.lines
            .push(Line::hooked(Err("the gateway does not listen".into())));
        Ok(())
    }

    /// Presents a card and waits for the whole answer.
    fn tap(&mut self, who: &str, spot: Spot, expected: Reason) -> Result<verdict::Got, Halt> {
        self.caption(&format!("{who} at {}", spot.name));
        self.stage.events(); // what is old is no answer
        self.released.listen(&self.stage, None);
        let mut open = Presented::begin(who, spot, expected);
        self.stage.tap(spot, &card(who));
        self.scene.taps += 1;
        while !open.is_complete() && !open.is_late() {
            self.frame()?;
            let events = self.stage.events();
            let surprises = self.released.listen(&self.stage, Some(&mut open));
            self.scene.surprises.extend(surprises);
            open.decided(&events);
        }
        let Some(event) = open.answer() else {
            return Ok(verdict::Got::Nothing(open.missing()));
        };
        let row = open.row(event, !self.scene.cloud_up);
        let got = verdict::Got::Decision {
            reason: event.body.reason,
            rule: event.body.rule,
            words: row.words.clone(),
            shown_right: open.is_shown_right(event),
        };
        self.scene.answered(row, open.light(), open.hold());
        Ok(got)
    }

    fn attends(&mut self, who: &'static str, times: usize, rule: u8) -> Result<(), Halt> {
        self.caption(&format!("{who} is checked in at the platform"));
        let member = self.members.get(who).cloned().unwrap_or_default();
        let begun = self.clock.monotonic();
        let mut seen = 0;
        while seen < times && self.clock.monotonic() < begun + ARRIVES {
            let all = self.office.attendance();
            seen = all.iter().filter(|entry| entry.member == member).count();
            self.frame()?;
        }
        self.lines.push(Line::attends(
            who,
            times,
            seen,
            rule,
            self.clock.monotonic().saturating_sub(begun),
        ));
        Ok(())
    }

    /// Between two steps: the time that is left, shared out.
    fn pause(&mut self, steps_left: usize) -> Result<(), Halt> {
        let now = self.clock.monotonic().saturating_sub(self.start);
        let left = u32::try_from(steps_left).unwrap_or(1).max(1);
        let pause = match self.scene.total {
            Some(total) => (total.saturating_sub(now) / left).min(2 * PAUSE),
            None => PAUSE,
        };
        self.wait(pause)
    }

    fn wait(&mut self, pause: Duration) -> Result<(), Halt> {
        let until = self.clock.monotonic() + pause;
        while self.clock.monotonic() < until {
            self.frame()?;
        }
        Ok(())
    }

    /// One look: time passes, the picture is drawn, keys are read.
    fn frame(&mut self) -> Result<(), Halt> {
        let now = self.clock.monotonic().saturating_sub(self.start);
        self.scene.tick(now);
        let attendance = u64::try_from(self.office.attendance().len()).unwrap_or(u64::MAX);
        (self.scene.owed, self.scene.arrived) = (attendance, attendance);
        if self.interrupted.swap(false, Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        let Some(terminal) = &mut self.terminal else {
            std::thread::sleep(LOOK);
            return Ok(());
        };
        let (scene, colours) = (&self.scene, self.colours);
        terminal.draw(|frame| draw::draw(frame, scene, colours))?;
        if !event::poll(LOOK)? {
            return Ok(());
        }
        let Event::Key(key) = event::read()? else {
            return Ok(());
        };
        let leaves = match key.code {
            KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
            KeyCode::Char('q') | KeyCode::Esc => true,
            _ => false,
        };
        if leaves && key.kind == KeyEventKind::Press {
            return Err(Halt::Interrupted);
        }
        Ok(())
    }
}
