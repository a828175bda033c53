//! SALTO KS: first connection, plan, one word, and from then on KS follows the facts: taps at its locks, entries that come
//! back as check-ins, a booking, drift by hand that is put right, a gateway that is away. Its own play, as no reader of ours
//! is in it: the simulated locks decide from what the gateway wrote at KS.

mod house;

use super::{
    super::{
        play::interrupts,
        verdict::{self, Line},
    },
    ANA, BEN, Story,
};
use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::Out,
    },
    clock::Clock,
    domain::{EventKind, Reason, time::Millis},
    salto::reconcile::{Asked, PlanDoc},
};
use doorward_peers::{
    cloud::{Booking, Cloud, Options, Resource, World},
    ks::{CLEANER, CLEANER_TAG, CLEANERS, Ks},
};
use house::House;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What the table names.
const STORY: Story = Story {
    platform: "ks",
    name: "SALTO KS",
    config: "",
    map: "",
    granted: 1,
    steps: &[],
};
/// A change may take this long to the locks: an interval of comparing, and KS's own patience.
const REACHES: Duration = Duration::from_secs(45);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Between two steps, for whoever watches.
const PAUSE: Duration = Duration::from_millis(800);
/// The tags.
const ANAS: &str = "02309289";
const BENS: &str = "01507333";
const HAND: &str = "Hanna Hand";
const HANNAS: &str = "00004711";
const UNKNOWN: &str = "09990001";

/// Why the story cannot go on.
enum Halt {
    Interrupted,
    Failed(Failure),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

struct Play<'a> {
    house: House,
    clock: Clock,
    runtime: &'a tokio::runtime::Runtime,
    lines: Vec<Line>,
    interrupted: Arc<AtomicBool>,
    pause: Duration,
}

/// Plays it. `total`: without pauses when it is short.
pub(in super::super) fn play(
    context: &Context<'_>,
    total: Option<Duration>,
    out: &mut Out,
) -> Result<u8, Failure> {
    let failed = |text: String| Failure::new(status::FAILED, text, "");
    let interrupted = interrupts()?;
    if !out.is_json() {
        out.line(
            "starting the site: four locks of SALTO KS and their IQ, all simulated, a cloud, a gateway",
        )?;
        out.finish()?;
    }
    let clock = Clock::system(true, 0);
    let cloud = Cloud::start(Options {
        world: world(),
        ..Options::default()
    });
    let cloud = cloud.map_err(|error| failed(format!("the reference cloud does not start: {error}")))?;
    let ks =
        Ks::start().map_err(|error| failed(format!("the simulator of SALTO KS does not start: {error}")))?;
    for number in [ANAS, BENS] {
        ks.add_tag(number);
    }
    let house =
        House::build(cloud, ks).map_err(|error| failed(format!("the site does not start: {error}")))?;
    let runtime = context.runtime()?;
    let mut play = Play {
        house,
        clock,
        runtime: &runtime,
        lines: Vec::new(),
        interrupted,
        pause: if total.is_some_and(|total| total < Duration::from_secs(20)) {
            Duration::ZERO
        } else {
            PAUSE
        },
    };
    match play.run(out) {
        Ok(()) => {}
        Err(Halt::Interrupted) => play.lines.push(Line::ended_early(1)),
        Err(Halt::Failed(failure)) => return Err(failure),
    }
    let requests = u64::try_from(play.house.ks.asked().len()).unwrap_or(u64::MAX);
    verdict::show(&STORY, &play.lines, requests, out)
}

/// Two members with tags of KS, one of them on a plan that is mapped to nothing. A room.
fn world() -> World {
    let mut world = World::default();
    world.resources.push(Resource {
        id: "meeting".into(),
        name: "Meeting room".into(),
        kind: Some("room".into()),
        ..Resource::default()
    });
    for (id, name, tag) in [("ana", ANA, ANAS), ("ben", BEN, BENS)] {
        world.member(id, name, &format!("ks:{tag}"), "Full time");
    }
    if let Some(bens) = world.memberships.last_mut() {
        bens.plan = "Not mapped to any group".into();
    }
    world
}

/// One of the story's scenes.
type Step<P> = fn(&mut P) -> Result<(), Halt>;

impl Play<'_> {
    fn run(&mut self, out: &mut Out) -> Result<(), Halt> {
        let steps: [Step<Self>; 9] = [
            Self::first_connection,
            Self::one_word,
            Self::the_plan_opens,
            Self::a_booking,
            Self::strangers,
            Self::drift_by_hand,
            Self::a_plan_change,
            Self::the_gateway_is_away,
            Self::a_deactivation,
        ];
        let mut told = 0;
        for step in steps {
            let done = step(self);
            for line in self.lines.get(told..).unwrap_or_default() {
                if !out.is_json() {
                    line.print(out)?;
                }
            }
            told = self.lines.len();
            done?;
            self.wait(self.pause)?;
        }
        Ok(())
    }

    /// The gateway signs in, compares, and changes nothing.
    fn first_connection(&mut self) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        let plan = self.until(|play| play.plan().filter(|plan| steps(plan) > 0))?;
        let took = self.since(begun);
        let got = plan.as_ref().map_or_else(
            || format!("no plan: {}", self.house.last_words()),
            |plan| format!("{} changes planned after {took}", steps(plan)),
        );
        self.line(
            "first connection to SALTO KS",
            "a plan",
            got,
            plan.is_some(),
            Some(43),
        );
        let changed = self.house.ks.changes();
        let got = format!("{changed} requests that change something");
        self.line(
            "nobody has accepted it yet",
            "nothing is changed",
            got,
            changed == 0,
            None,
        );
        Ok(())
    }

    /// `doorward ks apply`.
    fn one_word(&mut self) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        let client = Client::new(&self.house.runtime_dir());
        let word = async {
            let plan: PlanDoc = client.ask("/v1/ks/plan").await?;
            let asked = Asked {
                plan: Some(plan.id),
                fresh: false,
            };
            client.tell::<Value>("/v1/ks/apply", &asked).await
        };
        let told = self.runtime.block_on(word);
        if let Err(error) = told {
            self.line(
                "`doorward ks apply`",
                "KS in step",
                error.to_string(),
                false,
                None,
            );
            return Ok(());
        }
        let done = self.until(|play| play.plan().filter(|plan| steps(plan) == 0))?;
        let got = match done {
            Some(_) => format!(
                "in step after {}, {} changes",
                self.since(begun),
                self.house.ks.changes()
            ),
            None => "it is not in step".into(),
        };
        self.line("`doorward ks apply`", "KS in step", got, done.is_some(), None);
        let cleaners = self.house.ks.members(CLEANERS);
        let got = format!("its members: {}", cleaners.join(", "));
        self.line(
            &format!("the group {CLEANERS}, which is nobody's business"),
            "as it was",
            got,
            cleaners == [CLEANER],
            Some(38),
        );
        Ok(())
    }

    fn the_plan_opens(&mut self) -> Result<(), Halt> {
        self.tap(ANA, ANAS, "Front door", true, 1)?;
        self.entry(ANA, EventKind::Granted, Reason::GrantedByKs)?;
        self.check_in("ana")?;
        self.tap(BEN, BENS, "Front door", false, 8)?;
        self.entry(BEN, EventKind::Refused, Reason::RefusedByKs)?;
        self.tap(ANA, ANAS, "Meeting room", false, 12)
    }

    fn a_booking(&mut self) -> Result<(), Halt> {
        let minute = 60_000;
        let now = self.clock.now().at;
        self.facts("Ana Ruiz books the meeting room, in 4 minutes", |world| {
            world
                .bookings
                .push(booking("ana", now + 4 * minute, now + 64 * minute));
        });
        self.tap(ANA, ANAS, "Meeting room", true, 13)?;
        self.facts("the booking is deleted", |world| world.bookings.clear());
        self.tap(ANA, ANAS, "Meeting room", false, 16)
    }

    /// A tag that nobody has, and a person of the group that is not managed.
    fn strangers(&mut self) -> Result<(), Halt> {
        self.tap("an unknown tag", UNKNOWN, "Front door", false, 34)?;
        self.entry("an unknown tag", EventKind::Refused, Reason::RefusedByKs)?;
        self.tap(CLEANER, CLEANER_TAG, "Front door", true, 38)
    }

    fn drift_by_hand(&mut self) -> Result<(), Halt> {
        let ks = &self.house.ks;
        ks.add_user_by_hand(HAND, Some(HANNAS));
        let users = ks.users();
        let ana = users
            .iter()
            .find(|user| user.alias == ANA)
            .map(|user| user.platform.clone());
        let mut groups = ks.groups().into_iter();
        let group = groups.find(|group| {
            group
                .members
                .iter()
                .any(|member| Some(&member.user) == ana.as_ref())
        });
        let name = group.map(|group| group.name).unwrap_or_default();
        let there = ks.add_member_by_hand(&name, HAND);
        ks.drop_member_by_hand(&name, ANA);
        let got = if there {
            "done"
        } else {
            "there is no group of Ana's"
        };
        self.line(
            &format!("by hand at KS: {HAND} into \"{name}\", {ANA} out of it"),
            "done",
            got.into(),
            there,
            None,
        );
        self.tap(HAND, HANNAS, "Front door", false, 37)?;
        self.tap(ANA, ANAS, "Front door", true, 37)
    }

    fn a_plan_change(&mut self) -> Result<(), Halt> {
        self.facts("Ben Okafor moves to the plan \"Full time\"", |world| {
            for membership in &mut world.memberships {
                membership.plan = "Full time".into();
            }
        });
        self.tap(BEN, BENS, "Studio", true, 7)
    }

    /// What was made ahead opens and ends while nobody is there.
    fn the_gateway_is_away(&mut self) -> Result<(), Halt> {
        let minute = 60_000;
        let now = self.clock.now().at;
        self.facts("Ben Okafor books the meeting room, in 30 minutes", |world| {
            world
                .bookings
                .push(booking("ben", now + 30 * minute, now + 60 * minute));
        });
        let would = |play: &Self, at: i64| {
            play.house
                .ks
                .would("Meeting room", BENS, now + at * minute)
                .opened()
        };
        let made = self.until(|play| would(play, 40).then_some(()))?;
        self.line(
            "its access group is made ahead",
            "at KS",
            if made.is_some() { "there" } else { "not there" }.into(),
            made.is_some(),
            Some(12),
        );
        self.house.stop();
        let got = [20, 26, 50, 64, 66].map(|at| would(self, at));
        let good = got == [false, true, true, true, false];
        let words = got.map(|opens| if opens { "opens" } else { "shut" }).join(", ");
        self.line(
            "the gateway is away: the lock 20, 26, 50, 64, 66 minutes from now",
            "shut, opens, opens, opens, shut",
            words,
            good,
            Some(13),
        );
        if let Err(error) = self.house.start() {
            self.line("the gateway comes back", "done", error.to_string(), false, None);
        }
        Ok(())
    }

    fn a_deactivation(&mut self) -> Result<(), Halt> {
        self.facts("Ana Ruiz is deactivated", |world| {
            for person in &mut world.people {
                person.deactivated |= person.id == "ana";
            }
        });
        self.tap(ANA, ANAS, "Front door", false, 5)?;
        let kept = self.house.ks.user(ANA).is_some();
        self.line(
            "Ana Ruiz at KS",
            "still there",
            if kept { "still there" } else { "gone" }.into(),
            kept,
            Some(33),
        );
        Ok(())
    }

    // What they are made of.

    fn line(&mut self, step: &str, expected: &str, got: String, agrees: bool, rule: Option<u8>) {
        self.lines.push(Line::seen(step, expected, got, agrees, rule));
    }

    fn since(&self, begun: Duration) -> String {
        format!(
            "{:.1} s",
            self.clock.monotonic().saturating_sub(begun).as_secs_f64()
        )
    }

    /// Staff change something at the platform.
    fn facts(&mut self, words: &str, change: impl FnOnce(&mut World)) {
        self.house.cloud.edit(change);
        self.line(words, "done", "done".into(), true, None);
    }

    fn plan(&self) -> Option<Value> {
        let client = Client::new(&self.house.runtime_dir());
        self.runtime.block_on(client.ask::<Value>("/v1/ks/plan")).ok()
    }

    /// A tag at a lock, once KS knows what it must; the lock decides.
    fn tap(&mut self, who: &str, tag: &str, lock: &'static str, opens: bool, rule: u8) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        self.until(|play| {
            let now = play.clock.now().at;
            (play.house.ks.would(lock, tag, now).opened() == opens).then_some(())
        })?;
        let took = self.since(begun);
        self.house.events(); // what is old is no answer
        let did = self.house.ks.open_lock_with_tag(lock, tag, self.clock.now().at);
        let words = |opens: bool| {
            if opens {
                "the lock opens"
            } else {
                "the lock stays shut"
            }
        };
        let got = format!("{}, after {took}", words(did.opened()));
        self.line(
            &format!("{who} taps: {lock}"),
            words(opens),
            got,
            did.opened() == opens,
            Some(rule),
        );
        Ok(())
    }

    /// The entry of the last tap comes back by the stream.
    fn entry(&mut self, who: &str, kind: EventKind, reason: Reason) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        let found = self.until(|play| {
            let mut events = play.house.events().into_iter();
            events.find(|event| event.body.kind == kind && event.body.reason == Some(reason))
        })?;
        let got = match &found {
            Some(event) => format!(
                "{reason} after {}, {}",
                self.since(begun),
                event.body.person_name.as_deref().unwrap_or("nobody known")
            ),
            None => "it did not come".into(),
        };
        self.line(
            &format!("the entry of {who} comes back"),
            &reason.to_string(),
            got,
            found.is_some(),
            Some(44),
        );
        Ok(())
    }

    fn check_in(&mut self, person: &str) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        let there = |play: &Self| {
            let arrived = play.house.cloud.check_ins();
            arrived
                .iter()
                .filter(|check_in| check_in.body.person == person)
                .count()
        };
        let found = self.until(|play| Some(there(play)).filter(|count| *count > 0))?;
        let got = found.map_or_else(
            || "none".to_owned(),
            |count| format!("{count}, after {}", self.since(begun)),
        );
        self.line(
            "the check-in at the platform",
            "one",
            got,
            found == Some(1),
            Some(27),
        );
        Ok(())
    }

    /// Looks until there is something, for as long as a change may take.
    fn until<T>(&mut self, mut look: impl FnMut(&mut Self) -> Option<T>) -> Result<Option<T>, Halt> {
        let deadline = self.clock.monotonic() + REACHES;
        loop {
            let found = look(self);
            if found.is_some() || self.clock.monotonic() > deadline {
                return Ok(found);
            }
            if self.house.has_ended() {
                let text = format!(
                    "the gateway ended; the end of its log:\n{}",
                    self.house.last_words()
                );
                return Err(Failure::new(status::FAILED, text, "").into());
            }
            self.wait(LOOK)?;
        }
    }

    fn wait(&self, pause: Duration) -> Result<(), Halt> {
        std::thread::sleep(pause);
        if self.interrupted.swap(false, Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        Ok(())
    }
}

fn booking(person: &str, from: Millis, until: Millis) -> Booking {
    let instant = |at: Millis| {
        jiff::Timestamp::from_millisecond(at)
            .unwrap_or_default()
            .to_string()
    };
    Booking {
        id: format!("b-{person}-{from}"),
        resource: "meeting".into(),
        person: Some(person.to_owned()),
        from: instant(from),
        until: instant(until),
        ..Booking::default()
    }
}

fn steps(plan: &Value) -> usize {
    plan.get("steps").and_then(Value::as_array).map_or(0, Vec::len)
}
