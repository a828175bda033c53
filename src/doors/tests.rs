//! Answers and keeper together, on a configuration as an installer writes it.

use super::{
    answer::{Answerer, Granted, Recorder},
    keeper::{Keeper, Signal, Strikes},
    world::World,
};
use crate::{
    access::{Index, Limits},
    clock::Clock,
    config::{self, Config, Environment, model::OutputRef},
    domain::{
        Answer, Credential, EventKind, Feedback, Grant, GrantKind, Moment, Presentation, Reason, Snapshot,
        Source, Window,
        event::Draft,
        grant::{Holder, Target},
    },
    health::Health,
};
use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

const CONFIG: &str = r#"
[site]
id = "here"
name = "Here"
zone = "Europe/Madrid"
[[line]]
id = "bus"
path = "/dev/ttyUSB0"
[[line.reader]]
id = "front-reader"
door = "front"
address = 0
install_mode = true
[[door]]
id = "front"
name = "Front door"
release = { reader = "front-reader", output = 0 }
release_seconds = 5
contact = { reader = "front-reader", input = 0 }
request_to_exit = { reader = "front-reader", input = 1 }
[[group]]
id = "members"
doors = ["front"]
"#;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Draft>>>);

impl Memory {
    fn details(&self) -> Vec<Option<String>> {
        let all = self.0.lock().unwrap();
        all.iter().map(|draft| draft.detail.clone()).collect()
    }
    fn kinds(&self) -> Vec<EventKind> {
        self.0.lock().unwrap().iter().map(|draft| draft.kind).collect()
    }
}
impl Recorder for Memory {
    fn record(&self, draft: &Draft) -> u64 {
        let mut all = self.0.lock().unwrap();
        all.push(draft.clone());
        all.len() as u64
    }
}

struct Strike(mpsc::Sender<Duration>);
impl Strikes for Strike {
    fn release(&self, _: &OutputRef, hold: Duration) {
        self.0.send(hold).unwrap();
    }
}

fn config() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.toml");
    std::fs::write(&path, CONFIG).unwrap();
    config::load(&path, &Environment::default()).unwrap()
}

fn card() -> Credential {
    "uid:04A2B3C4D5E680".parse().unwrap()
}

fn snapshot() -> Snapshot {
    Snapshot {
        people: vec![Holder {
            id: "ana".into(),
            name: "Ana Ruiz".into(),
        }],
        credentials: vec![(card(), "ana".into())],
        grants: vec![Grant {
            person: "ana".into(),
            target: Target::Group("members".into()),
            window: Window::ALWAYS,
            kind: GrantKind::Plan,
            source: Source {
                id: "m1".into(),
                label: "Hot desk".into(),
            },
            rule: 1,
            void: None,
        }],
        ..Snapshot::default()
    }
}

struct Bench {
    config: Config,
    world: Arc<World>,
    memory: Memory,
    clock: Clock,
    health: Health,
    answerer: Answerer,
    signals: mpsc::Receiver<Signal>,
}

fn bench(with_facts: bool) -> Bench {
    let config = config();
    let world = Arc::new(World::new(&config, Limits::default()));
    if with_facts {
        let (index, warnings) = Index::build(&snapshot(), &config.site).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        world.swap_index(Arc::new(index));
    }
    let memory = Memory::default();
    let clock = Clock::manual(Moment::trusted(1_000));
    let (keeper, signals) = mpsc::channel();
    let answerer = Answerer::new(
        Arc::clone(&world),
        Arc::new(memory.clone()),
        clock.clone(),
        keeper,
    );
    Bench {
        config,
        world,
        memory,
        clock,
        health: Health::default(),
        answerer,
        signals,
    }
}

impl Bench {
    fn present(&self, reader: &str, credential: Option<Credential>) -> Answer {
        self.answerer.answer(&Presentation {
            reader: reader.into(),
            credential,
        })
    }
    fn keeper(&self) -> (Keeper, mpsc::Receiver<Duration>) {
        let (strike, struck) = mpsc::channel();
        let recorder = Arc::new(self.memory.clone());
        let (world, health) = (Arc::clone(&self.world), self.health.clone());
        let strikes = Box::new(Strike(strike));
        (
            Keeper::new(&self.config, world, recorder, strikes, self.clock.clone(), health),
            struck,
        )
    }
}

#[test]
fn a_known_card_opens_and_the_event_names_person_source_and_rule() {
    let bench = bench(true);
    let answer = bench.present("front-reader", Some(card()));
    assert_eq!(
        (answer.reason, answer.feedback, answer.seq),
        (Reason::GrantedPlan, Feedback::Granted, 1)
    );
    assert_eq!(
        answer.release.map(|release| release.hold),
        Some(Duration::from_secs(5))
    );
    let draft = bench.memory.0.lock().unwrap()[0].clone();
    assert_eq!((draft.kind, draft.at), (EventKind::Granted, 1_000));
    assert_eq!(
        (draft.person_name.as_deref(), draft.source.as_deref(), draft.rule),
        (Some("Ana Ruiz"), Some("m1"), Some(1))
    );
    assert!(
        matches!(bench.signals.try_recv(), Ok(Signal::Granted(Granted { hold, .. })) if hold.as_secs() == 5)
    );
}

#[test]
fn a_lent_reader_opens_nothing_records_nothing_and_comes_back_by_itself() {
    let bench = bench(true);
    let mut desk = bench.world.borrowed().unwrap();
    assert!(bench.world.borrowed().is_none(), "one desk hears it");
    let reader = "front-reader".into();
    let lend = |seconds| {
        let now = bench.clock.monotonic();
        bench.world.lend(&reader, Duration::from_secs(seconds), now)
    };
    assert_eq!(lend(600), Some(Duration::from_secs(60)), "a minute at most");
    let answer = bench.present("front-reader", Some(card()));
    assert_eq!(
        (answer.reason, answer.feedback, answer.release, answer.seq),
        (Reason::AtTheDesk, Feedback::NotNow, None, 0)
    );
    assert_eq!(desk.try_recv().unwrap().credential, Some(card()));
    assert!(bench.memory.kinds().is_empty() && bench.signals.try_recv().is_err());
    // A new configuration does not end it, its time does.
    bench.world.bind(&bench.config, None);
    bench.clock.advance(Duration::from_millis(59_999));
    assert_eq!(
        bench.present("front-reader", Some(card())).reason,
        Reason::AtTheDesk
    );
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(
        bench.present("front-reader", Some(card())).reason,
        Reason::GrantedPlan
    );
    // Given back early; lent by a desk that is gone.
    assert!(lend(60).is_some() && bench.world.give_back(&reader, bench.clock.monotonic()));
    assert!(!bench.world.give_back(&reader, bench.clock.monotonic()));
    assert_eq!(
        bench.present("front-reader", Some(card())).reason,
        Reason::GrantedPlan
    );
    drop(desk);
    lend(60);
    assert_eq!(bench.present("front-reader", Some(card())).release, None);
    let nobody = bench
        .world
        .lend(&"no-such-reader".into(), Duration::from_secs(1), Duration::ZERO);
    assert_eq!(nobody, None);
}

#[test]
fn every_refusal_is_recorded_and_releases_nothing() {
    let bench = bench(true);
    let stranger = "uid:01020304".parse().unwrap();
    let seen = [
        bench.present("front-reader", Some(stranger)).reason,
        bench.present("front-reader", None).reason,
        bench.present("no-such-reader", Some(card())).reason,
    ];
    assert_eq!(
        seen,
        [
            Reason::UnknownCredential,
            Reason::UnreadableCard,
            Reason::UnknownDoor
        ]
    );
    assert_eq!(bench.memory.kinds(), [EventKind::Refused; 3]);
    assert!(bench.signals.try_recv().is_err());
}

#[test]
fn the_event_of_a_refusal_names_the_nearest_miss() {
    let bench = bench(true);
    let mut snapshot = snapshot();
    snapshot.grants[0].kind = GrantKind::Booking;
    snapshot.grants[0].source.label = "Meeting room".into();
    snapshot.grants[0].window.from = Some(1_800_000);
    let (index, _) = Index::build(&snapshot, &bench.config.site).unwrap();
    bench.world.swap_index(Arc::new(index));
    assert_eq!(bench.present("front-reader", Some(card())).reason, Reason::NotYet);
    let draft = bench.memory.0.lock().unwrap()[0].clone();
    // Madrid is an hour ahead of UTC on 1 January 1970.
    assert_eq!(draft.detail.as_deref(), Some("booking Meeting room starts 01:30"));
    assert_eq!(
        (draft.person.is_some(), draft.source.as_deref()),
        (true, Some("m1")),
        "the building network withholds the clause with the person"
    );
    bench.clock.advance(Duration::from_secs(1_800));
    let _ = bench.present("front-reader", Some(card()));
    assert_eq!(
        bench.memory.0.lock().unwrap()[1].detail,
        None,
        "a grant misses nothing"
    );
    assert_eq!(
        crate::access::miss::MAX_CLAUSE,
        crate::store::MAX_DETAIL,
        "it fits the journal"
    );
}

#[test]
fn without_facts_everybody_is_refused_for_that_reason() {
    let bench = bench(false);
    assert_eq!(
        bench.present("front-reader", Some(card())).reason,
        Reason::NoSnapshot
    );
}

#[test]
fn lockdown_holds_from_the_next_presentation_on_and_survives_a_new_configuration() {
    let bench = bench(true);
    assert!(bench.world.set_lockdown(&"front".into(), true));
    let answer = bench.present("front-reader", Some(card()));
    assert_eq!(
        (answer.reason, answer.feedback, answer.release),
        (Reason::Lockdown, Feedback::NotNow, None)
    );
    bench.world.bind(&bench.config, None);
    assert_eq!(
        bench.present("front-reader", Some(card())).reason,
        Reason::Lockdown
    );
    assert!(
        !bench.world.set_lockdown(&"cellar".into(), true),
        "no reader stands there"
    );
    assert!(
        bench.world.is_locked_down(&"cellar".into()) && bench.world.is_locked_down(&"front".into()),
        "a door that others decide is not opened from here either"
    );
    bench.world.set_lockdown(&"cellar".into(), false);
    assert!(!bench.world.is_locked_down(&"cellar".into()));
}

#[test]
fn inputs_become_the_doors_events_and_a_request_to_exit_releases() {
    let bench = bench(true);
    let (mut keeper, struck) = bench.keeper();
    let input = |input, active| Signal::Input {
        reader: "front-reader".into(),
        input,
        active,
        changed: true,
    };
    keeper.step(input(0, false));
    keeper.step(input(0, true));
    assert!(
        bench
            .health
            .doc()
            .faults
            .iter()
            .any(|fault| fault.key == "door_forced:front")
    );
    keeper.step(input(0, false));
    keeper.step(input(1, true));
    assert_eq!(struck.try_recv(), Ok(Duration::from_secs(5)));
    let expected = [
        EventKind::DoorForced,
        EventKind::DoorSecured,
        EventKind::RequestToExit,
    ];
    assert_eq!(bench.memory.kinds(), expected);
    assert!(bench.health.doc().faults.is_empty());
}

#[test]
fn a_device_that_goes_away_makes_the_contact_unknown() {
    let bench = bench(true);
    let (mut keeper, struck) = bench.keeper();
    keeper.step(Signal::Input {
        reader: "front-reader".into(),
        input: 0,
        active: false,
        changed: false,
    });
    keeper.step(Signal::Away("front-reader".into()));
    keeper.step(Signal::Input {
        reader: "front-reader".into(),
        input: 0,
        active: true,
        changed: false,
    });
    assert!(bench.memory.kinds().is_empty(), "found open is not forced");
    assert_eq!(bench.health.doc().sections["doors"]["front"]["contact"], "open");
    bench.clock.advance(Duration::from_secs(600));
    keeper.step(Signal::Remote("front".into(), "ada at the page".into()));
    assert_eq!(
        bench.memory.kinds(),
        [EventKind::RemoteRelease, EventKind::DoorHeld],
        "one opening, one release"
    );
    let details: Vec<_> = bench.memory.details();
    assert_eq!(details, [Some("asked for by ada at the page".to_owned()), None]);
    assert_eq!(struck.try_recv(), Ok(Duration::from_secs(5)));
}

#[test]
fn a_button_found_pressed_when_its_reader_comes_back_releases_nothing() {
    let bench = bench(true);
    let (mut keeper, struck) = bench.keeper();
    let pressed = |active, changed| Signal::Input {
        reader: "front-reader".into(),
        input: 1,
        active,
        changed,
    };
    keeper.step(pressed(true, false));
    keeper.step(Signal::Away("front-reader".into()));
    keeper.step(pressed(true, false));
    assert!(bench.memory.kinds().is_empty() && struck.try_recv().is_err());
    keeper.step(pressed(false, true));
    keeper.step(pressed(true, true));
    assert_eq!(struck.try_recv(), Ok(Duration::from_secs(5)));
    assert_eq!(bench.memory.kinds(), [EventKind::RequestToExit]);
}
