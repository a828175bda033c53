//! The table of the scenarios about SALTO KS: the simulator, a store, and what keeps both in step, without a process.

use doorward::{
    clock::Clock,
    config::{self, Config, Environment},
    domain::{
        Credential, Grant, GrantKind, Millis, Moment, Snapshot, Source, Window,
        grant::{Holder, Target},
    },
    health::Health,
    platform::vault::Vault,
    salto::{
        Rights, Session,
        apply::Applied,
        reconcile::{Asked, InForce, KsDoc, Order, Parts, PlanDoc, Reconciler, Shown},
    },
    store::{Store, StoreOptions},
};
use doorward_peers::ks::Ks;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::sync::{oneshot, watch};

/// A Monday, 12:00 in Madrid.
pub(crate) const NOON: &str = "2026-11-23T12:00";

/// An instant by the clock on the wall in Madrid.
pub(crate) fn at(text: &str) -> Millis {
    let wall: jiff::civil::DateTime = text.parse().unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    wall.to_zoned(zone).unwrap().timestamp().as_millisecond()
}

/// The grants in force, as a scenario sets them.
#[derive(Default)]
pub(crate) struct Given(Mutex<InForce>);

impl Rights for Given {
    fn rights(&self) -> Result<Option<InForce>, String> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }
}

pub(crate) struct Site {
    pub(crate) ks: Ks,
    pub(crate) clock: Clock,
    pub(crate) health: Health,
    pub(crate) given: Arc<Given>,
    pub(crate) store: Store,
    config: Arc<Config>,
    keeper: Option<Reconciler>,
    stop: Option<watch::Sender<bool>>,
    folder: tempfile::TempDir,
}

impl Site {
    /// Two locks of KS; `groups` of them beside `members` (front), `room` (room), `days` (front, office hours).
    pub(crate) fn start(more: &str) -> Self {
        Self::with(more, "")
    }

    /// `more` stands in `[ks]`, `rest` behind everything.
    pub(crate) fn with(more: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ks = Ks::start().unwrap();
        ks.set_clock(at(NOON));
        let head = "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"\n";
        let doors = "[[door]]\nid = \"front\"\nks_lock = \"Front door\"\n[[door]]\nid = \"room\"\nks_lock = \"Meeting room\"\n\
                     [[group]]\nid = \"members\"\ndoors = [\"front\"]\n[[group]]\nid = \"room\"\ndoors = [\"room\"]\n\
                     [[group]]\nid = \"days\"\ndoors = [\"front\"]\nhours = \"office\"\n\
                     [[schedule]]\nid = \"office\"\nweekdays = [\"08:00-20:00\"]\n";
        let section = ks.ks_section(folder.path()).unwrap();
        let path = folder.path().join("doorward.toml");
        std::fs::write(&path, format!("{head}{section}{more}\n{doors}{rest}")).unwrap();
        let config = config::load(&path, &Environment::default()).unwrap();
        let clock = Clock::manual(Moment::trusted(at(NOON)));
        let health = Health::default();
        let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
        let (store, _) = Store::open(&options, &clock, &health).unwrap();
        let mut site = Self {
            ks,
            clock,
            health,
            given: Arc::default(),
            store,
            config: Arc::new(config),
            keeper: None,
            stop: None,
            folder,
        };
        site.restart();
        site
    }

    /// Another process over the same store: nothing that was in memory is left.
    pub(crate) fn restart(&mut self) {
        let (stop, stopped) = watch::channel(false);
        let ks = self.config.ks.as_ref().unwrap();
        let vault = Vault::new(&self.folder.path().join("state"));
        let session = Session::open(
            ks,
            vault,
            self.store.clone(),
            self.clock.clone(),
            self.health.clone(),
        );
        let parts = Parts {
            session: session.unwrap(),
            config: Arc::clone(&self.config),
            rights: Arc::clone(&self.given) as Arc<dyn Rights>,
            store: self.store.clone(),
            clock: self.clock.clone(),
            health: self.health.clone(),
            shown: Shown::default(),
        };
        self.keeper = Some(Reconciler::new(parts, stopped));
        self.stop = Some(stop);
    }

    /// Both clocks.
    pub(crate) fn set_time(&mut self, text: &str) {
        self.clock.step(Moment::trusted(at(text)));
        self.ks.set_clock(at(text));
    }

    /// Other grants. The next comparison works them out.
    pub(crate) fn give(&mut self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.given.0.lock().unwrap().snapshot);
        self.keeper.as_mut().unwrap().rights_changed();
    }

    pub(crate) async fn plan(&mut self) -> Result<PlanDoc, String> {
        let (reply, answer) = oneshot::channel();
        self.keeper.as_mut().unwrap().obey(Order::Plan(reply)).await;
        answer.await.unwrap().map_err(|refusal| refusal.message)
    }

    /// Accepts whatever is planned by now, and what came of it.
    pub(crate) async fn apply(&mut self) -> Result<Applied, String> {
        let plan = self.plan().await?.id;
        self.apply_plan(&plan).await
    }

    /// Accepts the plan of this name, and what came of it.
    pub(crate) async fn apply_plan(&mut self, plan: &str) -> Result<Applied, String> {
        let (reply, answer) = oneshot::channel();
        let asked = Asked {
            plan: Some(plan.to_owned()),
            fresh: false,
        };
        let order = Order::Apply(asked, reply);
        self.keeper.as_mut().unwrap().obey(order).await;
        answer.await.unwrap().map_err(|refusal| refusal.message)?;
        Ok(self.doc().applied.unwrap())
    }

    /// What happens by itself.
    pub(crate) async fn turn(&mut self) -> KsDoc {
        self.keeper.as_mut().unwrap().turn().await;
        self.doc()
    }

    pub(crate) fn doc(&self) -> KsDoc {
        serde_json::from_value(self.health.doc().sections["ks"].clone()).unwrap()
    }

    pub(crate) fn fault(&self, key: &str) -> Option<String> {
        let mut faults = self.health.doc().faults.into_iter();
        faults.find(|fault| fault.key == key).map(|fault| fault.text)
    }

    /// Groups of the gateway with their members and schedules, and users without a group: what must be the same whatever
    /// happened on the way.
    pub(crate) fn standing(&self) -> BTreeMap<String, (Vec<String>, usize, usize)> {
        let groups = self.ks.groups().into_iter();
        groups
            .map(|group| {
                let members = self.ks.members(&group.id);
                (
                    group.name.clone(),
                    (members, group.locks.len(), group.schedules.len()),
                )
            })
            .collect()
    }
}

pub(crate) fn grant(person: &str, group: &str, kind: GrantKind, window: Window) -> Grant {
    Grant {
        person: person.into(),
        target: Target::Group(group.into()),
        window,
        kind,
        source: Source {
            id: format!("{}-{person}", kind.name()).into(),
            label: kind.name().into(),
        },
        rule: if kind == GrantKind::Booking { 12 } else { 1 },
        void: None,
    }
}

pub(crate) fn holder(id: &str, name: &str) -> Holder {
    Holder {
        id: id.into(),
        name: name.into(),
    }
}

pub(crate) fn tag(number: &str) -> Credential {
    Credential::ks_tag(number).unwrap()
}
