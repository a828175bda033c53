//! Whatever happens on the way (hints lost, doubled or in another order, restarts, outages, broken pages, another order
//! of items), the rights in force at the end are what the rules make of the final facts.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    access::{Index, Limits},
    clock::Clock,
    config::{
        self, Config, Environment,
        model::{HttpConfig, Reach},
    },
    domain::{
        Credential, Moment, PersonId,
        facts::{Booking, Facts, Membership, Person, Resource, ResourceKind},
        secret::Secret,
    },
    health::Health,
    platform::{
        Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Hint, Known, Platform,
        PlatformError, Reply, contract::ContractCloud, polled,
    },
    store::{Store, StoreOptions},
    sync::{
        build::{self, Local},
        pull::{Command, Doors, Puller},
    },
};
use doorward_peers::cloud::{self, Cloud, Faults, Line, Options, World};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

const AT: i64 = 1_780_000_000_000;
const CONFIG: &str = "[site]\nid = \"s\"\nname = \"S\"\nzone = \"Europe/Madrid\"\n[sync]\nhold_share = 1.0\n\
                      poll_seconds = 60\n[map.plans]\n\"Flex\" = [\"g\"]\n\"Night\" = [\"h\"]\n[map.resources]\n\
                      \"Blue room\" = [\"h\"]\n[[group]]\nid = \"g\"\ndoors = [\"front\"]\n[[group]]\nid = \"h\"\n\
                      doors = [\"front\", \"blue\"]\n[[door]]\nid = \"front\"\n[[door]]\nid = \"blue\"\n";

/// What the platform knows: people with a plan, and bookings of one room.
#[derive(Clone, Debug, Default)]
struct Model {
    people: BTreeMap<u8, &'static str>,
    bookings: BTreeMap<u8, (u8, i64)>,
    /// Which item comes first.
    order: usize,
}

impl Model {
    fn facts(&self) -> Facts {
        let person = |id: &u8| PersonId::from(format!("p{id}"));
        let mut facts = Facts {
            resources: vec![Resource::new("r", "Blue room", ResourceKind::Room)],
            ..Facts::default()
        };
        for (id, plan) in &self.people {
            facts.people.push(Person {
                credentials: vec![card(*id).parse().unwrap()],
                ..Person::new(person(id), format!("Member {id}"))
            });
            facts.memberships.push(Membership {
                person: Some(person(id)),
                ..Membership::new(format!("m-p{id}"), *plan)
            });
        }
        for (id, (who, from)) in &self.bookings {
            facts.bookings.push(Booking {
                person: self.people.contains_key(who).then(|| person(who)),
                ..Booking::new(format!("b{id}"), "r", AT + from, AT + from + 3_600_000)
            });
        }
        turn(&mut facts.people, self.order);
        turn(&mut facts.memberships, self.order);
        turn(&mut facts.bookings, self.order);
        facts
    }

    fn world(&self) -> World {
        let mut world = World {
            resources: vec![cloud::Resource {
                id: "r".into(),
                name: "Blue room".into(),
                ..cloud::Resource::default()
            }],
            ..World::default()
        };
        for (id, plan) in &self.people {
            world.member(&format!("p{id}"), &format!("Member {id}"), &card(*id), plan);
        }
        let instant = |at: i64| jiff::Timestamp::from_millisecond(AT + at).unwrap().to_string();
        for (id, (who, from)) in &self.bookings {
            world.bookings.push(cloud::Booking {
                id: format!("b{id}"),
                resource: "r".into(),
                person: self.people.contains_key(who).then(|| format!("p{who}")),
                from: instant(*from),
                until: instant(*from + 3_600_000),
                ..cloud::Booking::default()
            });
        }
        turn(&mut world.people, self.order);
        turn(&mut world.memberships, self.order);
        turn(&mut world.bookings, self.order);
        world
    }
}

fn card(id: u8) -> String {
    format!("uid:04A2B3C4D5E6{id:02X}")
}

fn turn<T>(items: &mut [T], by: usize) {
    if !items.is_empty() {
        let by = by % items.len();
        items.rotate_left(by);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Member(u8, Option<&'static str>),
    Book(u8, Option<(u8, i64)>),
    Order(usize),
    /// What is hinted at, right or wrong, so many times.
    Hint(usize, usize),
    Trouble(usize),
    Restart,
    /// So many milliseconds pass.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let plan = prop_oneof![
        Just(None),
        Just(Some("Flex")),
        Just(Some("Night")),
        Just(Some("Unknown"))
    ];
    prop_oneof![
        3 => (0_u8..6, plan).prop_map(|(id, plan)| Step::Member(id, plan)),
        3 => (0_u8..4, prop::option::of((0_u8..6, -7_200_000_i64..7_200_000))).prop_map(|(id, to)| Step::Book(id, to)),
        1 => (0_usize..9).prop_map(Step::Order),
        4 => (0_usize..5, 1_usize..3).prop_map(|(what, times)| Step::Hint(what, times)),
        2 => (0_usize..6).prop_map(Step::Trouble),
        1 => Just(Step::Restart),
        2 => (0_u64..700).prop_map(Step::Wait),
    ]
}

fn hint(what: usize) -> Hint {
    match what {
        0 => Hint::Anything,
        1 => Hint::Collection("memberships"),
        2 => Hint::Collection("bookings"),
        3 => Hint::Person("p1".into()),
        _ => Hint::Object {
            collection: "bookings",
            id: "b1".into(),
        },
    }
}

/// What the doors have.
#[derive(Default)]
struct Seen(Mutex<Option<Arc<Index>>>, AtomicUsize);

impl Doors for Seen {
    fn swap(&self, index: Arc<Index>) {
        *self.0.lock().unwrap() = Some(index);
        self.1.fetch_add(1, Ordering::Relaxed);
    }
    fn limits(&self, _: Limits) {}
}

/// A puller with everything around it.
struct Rig {
    _folder: tempfile::TempDir,
    config: Arc<Config>,
    store: Store,
    platform: Arc<dyn Platform>,
    doors: Arc<Seen>,
    clock: Clock,
    health: Health,
    running: Option<(mpsc::Sender<Command>, JoinHandle<()>)>,
}

impl Rig {
    fn new(platform: Arc<dyn Platform>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.toml");
        std::fs::write(&path, CONFIG).unwrap();
        let config = Arc::new(config::load(&path, &Environment::default()).unwrap());
        let (clock, health) = (Clock::manual(Moment::trusted(AT)), Health::default());
        let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
        let (store, _) = Store::open(&options, &clock, &health).unwrap();
        let mut rig = Self {
            _folder: folder,
            config,
            store,
            platform,
            doors: Arc::default(),
            clock,
            health,
            running: None,
        };
        rig.begin();
        rig
    }

    fn begin(&mut self) {
        let puller = Puller::new(
            Arc::clone(&self.platform),
            Arc::clone(&self.config),
            self.store.clone(),
            self.store.active().unwrap().map(|stored| stored.meta),
            Arc::clone(&self.doors) as Arc<dyn Doors>,
            self.clock.clone(),
            self.health.clone(),
        );
        let (sender, commands) = mpsc::channel(8);
        self.running = Some((sender, tokio::spawn(puller.run(commands))));
    }

    async fn restart(&mut self) {
        let (_, task) = self.running.take().unwrap();
        task.abort();
        let _ = task.await;
        self.begin();
    }

    async fn tell(&self, command: Command) {
        self.running.as_ref().unwrap().0.send(command).await.unwrap();
    }

    async fn pull(&self) -> Result<String, String> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Now(reply)).await;
        answer.await.unwrap()
    }

    async fn end(mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
        self.store.close();
    }
}

/// Applies what concerns the model.
fn edit(model: &mut Model, step: &Step) -> bool {
    match step {
        Step::Member(id, Some(plan)) => drop(model.people.insert(*id, plan)),
        Step::Member(id, None) => drop(model.people.remove(id)),
        Step::Book(id, Some(to)) => drop(model.bookings.insert(*id, *to)),
        Step::Book(id, None) => drop(model.bookings.remove(id)),
        Step::Order(order) => model.order = *order,
        _ => return false,
    }
    true
}

/// With the reference cloud over sockets, whole fetches, and its seeded faults.
async fn over_the_contract(steps: &[Step]) {
    let cloud = Cloud::start(Options::default()).unwrap();
    let adapter = ContractCloud::new(&HttpConfig {
        url: cloud.url().parse().unwrap(),
        token: Secret::new(cloud.token().to_owned()),
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    })
    .unwrap();
    let mut rig = Rig::new(Arc::new(adapter));
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        if edit(&mut model, step) {
            cloud.edit(|world| *world = model.world());
        }
        match step {
            Step::Hint(what, times) => {
                for _ in 0..*times {
                    rig.tell(Command::Hint(vec![hint(*what)])).await;
                }
            }
            Step::Restart => rig.restart().await,
            Step::Trouble(what) => {
                let base = Faults {
                    seed: number as u64,
                    ..Faults::default()
                };
                cloud.set_line(if *what == 5 { Line::Refusing } else { Line::Up });
                cloud.faults(match what {
                    0 => base,
                    1 => Faults {
                        error_500: 0.5,
                        ..base
                    },
                    2 => Faults {
                        half_page: 0.5,
                        ..base
                    },
                    3 => Faults {
                        cut_json: 0.5,
                        ..base
                    },
                    _ => Faults {
                        no_changes: true,
                        ..base
                    },
                });
                drop(rig.pull().await);
            }
            Step::Wait(millis) => tokio::time::sleep(Duration::from_millis(*millis / 20)).await,
            _ => {}
        }
    }
    cloud.faults(Faults::default());
    cloud.set_line(Line::Up);
    // A connection that was kept may be one that was cut.
    let mut tries = 0;
    while let Err(error) = rig.pull().await {
        tries += 1;
        assert!(tries < 20, "{error}");
    }
    // The order of items is the platform's own business: the grants are compared, not the image.
    let (facts, again) = (model.facts(), rig.pull().await);
    assert_eq!(again.as_deref(), Ok("nothing has changed"));
    assert_in_force(&rig, facts);
    rig.end().await;
}

/// The grants in force are those of the facts, and the doors have the index of what is stored.
fn assert_in_force(rig: &Rig, facts: Facts) {
    let (_, stored) = build::rebuild(rig.store.read(), &rig.config).unwrap().unwrap();
    let wanted = build::build(&facts, &rig.config, &Local::default(), AT).unwrap();
    assert_eq!(stored.snapshot.grants, wanted.snapshot.grants);
    let sorted = |mut cards: Vec<(Credential, PersonId)>| {
        cards.sort();
        cards
    };
    assert_eq!(
        sorted(stored.snapshot.credentials),
        sorted(wanted.snapshot.credentials)
    );
    let there = rig.doors.0.lock().unwrap().as_ref().map(|index| index.to_image());
    assert_eq!(
        there,
        Some(stored.index.to_image()),
        "the doors have what is stored"
    );
}

/// A platform that fetches what hints name, in virtual time: sockets know none.
#[derive(Default)]
struct Parts {
    model: Mutex<Model>,
    away: AtomicBool,
    parts_fail: AtomicBool,
    whole: AtomicUsize,
}

impl Parts {
    fn now(&self) -> Result<Facts, PlatformError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(PlatformError {
                kind: ErrorKind::Unreachable,
                text: "away".into(),
            });
        }
        Ok(self.model.lock().unwrap().facts())
    }

    fn part(&self, known: &Known, mut last: Facts, hints: &[Hint]) -> Result<Fetched, PlatformError> {
        let now = self.now()?;
        if self.parts_fail.load(Ordering::Relaxed) {
            return Err(PlatformError {
                kind: ErrorKind::Rejected { status: 404 },
                text: "no such part".into(),
            });
        }
        for hint in hints {
            match hint {
                Hint::Collection("bookings") => last.bookings.clone_from(&now.bookings),
                Hint::Object { id, .. } => {
                    last.bookings.retain(|it| it.id != *id);
                    last.bookings
                        .extend(now.bookings.iter().filter(|it| it.id == *id).cloned());
                }
                Hint::Person(person) => {
                    last.memberships.retain(|it| it.person.as_ref() != Some(person));
                    let own = now
                        .memberships
                        .iter()
                        .filter(|it| it.person.as_ref() == Some(person));
                    last.memberships.extend(own.cloned());
                    last.people.retain(|it| it.id != *person);
                    last.people
                        .extend(now.people.iter().filter(|it| it.id == *person).cloned());
                }
                _ => last = now.clone(),
            }
        }
        polled::settle(last, Vec::new(), Some(known), "parts")
    }
}

impl Platform for Parts {
    fn place(&self) -> String {
        "parts".into()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: CheckIns::Never("nobody asks"),
            cards: false,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        self.whole.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { polled::settle(self.now()?, Vec::new(), known, "parts") })
    }
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        Box::pin(async move { self.part(known, last, hints) })
    }
    fn wait_hint(&self, _: u64, _: Duration) -> Reply<'_, bool> {
        Box::pin(std::future::pending())
    }
    fn check_in<'a>(&'a self, _: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(std::future::pending())
    }
    fn assign_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        Box::pin(std::future::pending())
    }
    fn remove_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        Box::pin(std::future::pending())
    }
}

async fn by_parts(steps: &[Step]) {
    let platform = Arc::new(Parts::default());
    let mut rig = Rig::new(Arc::clone(&platform) as Arc<dyn Platform>);
    for step in steps {
        edit(&mut platform.model.lock().unwrap(), step);
        match step {
            Step::Hint(what, times) => {
                for _ in 0..*times {
                    rig.tell(Command::Hint(vec![hint(*what), hint(what + 1)])).await;
                }
            }
            Step::Restart => rig.restart().await,
            Step::Trouble(what) => {
                platform.away.store(what % 3 == 1, Ordering::Relaxed);
                platform.parts_fail.store(what % 3 == 2, Ordering::Relaxed);
            }
            Step::Wait(millis) => tokio::time::sleep(Duration::from_millis(*millis)).await,
            _ => {}
        }
    }
    platform.away.store(false, Ordering::Relaxed);
    // The longest pause after failures, and then a poll.
    tokio::time::sleep(Duration::from_secs(125)).await;
    let facts = platform.model.lock().unwrap().facts();
    assert_in_force(&rig, facts);
    rig.end().await;
}

fn runtime(paused: bool) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(paused)
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_on_the_way_changes_where_it_ends(steps in prop::collection::vec(step(), 1..40)) {
        runtime(false).block_on(over_the_contract(&steps));
    }

    #[test]
    fn no_lost_or_doubled_hint_changes_where_parts_end(steps in prop::collection::vec(step(), 1..60)) {
        runtime(true).block_on(by_parts(&steps));
    }
}

#[test]
fn a_hint_brings_its_part_within_a_second_and_the_timer_whatever_was_not_hinted_at() {
    runtime(true).block_on(async {
        let platform = Arc::new(Parts::default());
        let rig = Rig::new(Arc::clone(&platform) as Arc<dyn Platform>);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let whole = || platform.whole.load(Ordering::Relaxed);
        assert_eq!(whole(), 1);
        {
            let mut model = platform.model.lock().unwrap();
            model.people.extend([(1, "Flex"), (2, "Flex")]);
        }
        let swaps = rig.doors.1.load(Ordering::Relaxed);
        for _ in 0..5 {
            rig.tell(Command::Hint(vec![Hint::Person("p1".into())])).await;
        }
        tokio::time::sleep(Duration::from_millis(900)).await;
        let mut only_one = platform.model.lock().unwrap().clone();
        only_one.people.remove(&2);
        assert_in_force(&rig, only_one.facts());
        assert_eq!(whole(), 1, "nothing else was asked for");
        assert_eq!(
            rig.doors.1.load(Ordering::Relaxed),
            swaps + 1,
            "a burst is one refresh"
        );
        tokio::time::sleep(Duration::from_secs(60)).await;
        let all = platform.model.lock().unwrap().facts();
        assert_in_force(&rig, all);

        // What cannot be fetched alone is fetched with everything else.
        platform.parts_fail.store(true, Ordering::Relaxed);
        platform.model.lock().unwrap().people.insert(3, "Night");
        let before = whole();
        rig.tell(Command::Hint(vec![Hint::Person("p3".into())])).await;
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(whole(), before + 1);
        let all = platform.model.lock().unwrap().facts();
        assert_in_force(&rig, all);
        rig.end().await;
    });
}
