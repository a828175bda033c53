//! Locks and batteries at SALTO KS become events of their doors, once and when they have stood; and it is known beforehand
//! who stands outside when a lock is cut off.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward::{
    clock::Clock,
    config::{self, Environment, Purpose},
    domain::{EventKind, Moment},
    health::Health,
    platform::vault::Vault,
    salto::{
        Session,
        watch::{LocksDoc, Watch},
    },
    store::{Store, StoreOptions},
};
use doorward_peers::ks::{CLEANER, Faults, Ks};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;

struct Bench {
    ks: Ks,
    session: Session,
    doors: Vec<doorward::config::model::DoorConfig>,
    store: Store,
    clock: Clock,
    health: Health,
    shown: watch::Sender<Option<LocksDoc>>,
    _folders: [TempDir; 2],
}

fn bench() -> Bench {
    let (ks, folders) = (
        Ks::start().unwrap(),
        [(); 2].map(|()| tempfile::tempdir().unwrap()),
    );
    let section = ks.ks_section(folders[0].path()).unwrap();
    let doors = "[[door]]\nid = \"front\"\nks_lock = \"Front door\"\n[[door]]\nid = \"side\"\nks_lock = \"Side door\"\n";
    let text = format!("[site]\nid = \"here\"\nzone = \"Europe/Madrid\"\n{section}{doors}");
    let file = folders[0].path().join("doorward.toml");
    let (config, findings) = config::parse(&file, text, Purpose::Run, &Environment::default());
    let config = config.unwrap_or_else(|| panic!("{findings}"));
    let (clock, health) = (
        Clock::manual(Moment::trusted(1_780_000_000_000)),
        Health::default(),
    );
    let options = StoreOptions::new(folders[1].path().join("state"), folders[1].path().join("run"));
    let (store, _) = Store::open(&options, &clock, &health).unwrap();
    let vault = Vault::new(folders[1].path());
    let session = Session::open(
        config.ks.as_ref().unwrap(),
        vault,
        store.clone(),
        clock.clone(),
        health.clone(),
    );
    Bench {
        ks,
        session: session.unwrap(),
        doors: config.doors,
        store,
        clock,
        health,
        shown: watch::Sender::new(None),
        _folders: folders,
    }
}

impl Bench {
    fn watch(&self) -> Watch {
        Watch::new(
            self.session.clone(),
            self.doors.clone(),
            self.store.clone(),
            self.health.clone(),
            self.shown.clone(),
        )
    }

    /// So many readings, five minutes apart.
    async fn turns(&self, watch: &mut Watch, turns: usize) {
        for _ in 0..turns {
            watch.turn().await;
            self.clock.advance(Duration::from_secs(300));
            self.ks.advance(Duration::from_secs(300));
        }
    }

    fn events(&self, count: usize) -> Vec<(EventKind, String, String)> {
        let seen = wait_for("the journal", || {
            let seen = self.store.events_after(0, 1_000).unwrap();
            if seen.len() >= count { Ok(seen) } else { Err(seen) }
        });
        let told = seen.into_iter().map(|event| {
            let door = event.body.door.map(|door| door.as_str().to_owned());
            (
                event.body.kind,
                door.unwrap_or_default(),
                event.body.detail.unwrap_or_default(),
            )
        });
        told.collect()
    }

    fn faults(&self) -> Vec<String> {
        self.health
            .doc()
            .faults
            .into_iter()
            .map(|fault| fault.key)
            .collect()
    }
}

#[tokio::test]
async fn batteries_and_locks_that_are_away_are_told_once_and_over_a_restart() {
    let bench = bench();
    let mut watch = bench.watch();
    bench
        .ks
        .change_lock("Front door", |lock| lock.battery = "low".into());
    bench
        .ks
        .change_lock("Studio", |lock| lock.battery = "critical".into());
    bench.turns(&mut watch, 1).await;
    assert_eq!(bench.faults(), Vec::<String>::new(), "one reading is no news");
    bench.turns(&mut watch, 3).await;
    assert_eq!(bench.faults(), ["ks_battery:front"], "Studio is no door here");

    bench.ks.change_lock("Side door", |lock| lock.online = false);
    bench.turns(&mut watch, 2).await;
    bench.ks.change_lock("Side door", |lock| lock.online = true);
    bench.turns(&mut watch, 1).await;
    bench.ks.with(|state| state.iqs[0].online = false);
    bench.turns(&mut watch, 4).await;
    assert_eq!(
        bench.faults(),
        [
            "ks_battery:front",
            "ks_lock_offline:front",
            "ks_lock_offline:side"
        ]
    );

    // The gateway starts again, and nobody is told a second time.
    let mut watch = bench.watch();
    bench.turns(&mut watch, 4).await;
    bench.ks.with(|state| state.iqs[0].online = true);
    bench
        .ks
        .change_lock("Front door", |lock| lock.battery = "fresh".into());
    bench.turns(&mut watch, 3).await;
    assert_eq!(bench.faults(), Vec::<String>::new());
    let event = |kind, door: &str, detail: &str| (kind, door.to_owned(), detail.to_owned());
    let away = "its IQ IQ ground floor does not answer";
    assert_eq!(
        bench.events(6),
        [
            event(EventKind::BatteryLow, "front", "low"),
            event(EventKind::LockOffline, "front", away),
            event(EventKind::LockOffline, "side", away),
            event(EventKind::BatteryGood, "front", ""),
            event(EventKind::LockOnline, "front", ""),
            event(EventKind::LockOnline, "side", ""),
        ]
    );
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = bench.session.connect().requests();
        bench.turns(&mut watch, 1).await;
        least = least.min(bench.session.connect().requests() - before);
    }
    assert_eq!(least, 2, "requests a look, but for the site itself now and then");
}

#[tokio::test]
async fn who_stands_outside_when_a_lock_is_cut_off_is_counted_and_not_published() {
    let bench = bench();
    let mut watch = bench.watch();
    bench.ks.change_lock("Front door", |lock| lock.offline_keys = 360);
    watch.count_now().await.unwrap();
    watch.turn().await;
    let doc = bench.shown.borrow().clone().unwrap();
    let front = doc
        .locks
        .iter()
        .find(|lock| lock.door.as_deref() == Some("front"))
        .unwrap();
    let cut = front.cut_off.as_ref().unwrap();
    assert_eq!((cut.people, cut.keep, cut.unknown), (1, 0, 0));
    assert_eq!(cut.lose, [CLEANER]);
    assert_eq!(bench.faults(), ["ks_offline_keys:front"]);
    let health = serde_json::to_string(&bench.health.doc()).unwrap();
    assert!(
        health.contains("ks_locks") && !health.contains(CLEANER),
        "{health}"
    );
}

#[tokio::test]
async fn half_an_hour_without_a_reading_is_a_fault_of_its_own() {
    let bench = bench();
    let mut watch = bench.watch();
    bench.turns(&mut watch, 1).await;
    bench.ks.faults(Faults {
        away: true,
        ..Faults::default()
    });
    bench.turns(&mut watch, 3).await;
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.turns(&mut watch, 4).await;
    assert_eq!(bench.faults(), ["ks_locks_unread"]);
    bench.ks.faults(Faults::default());
    bench.turns(&mut watch, 1).await;
    assert_eq!(bench.faults(), Vec::<String>::new());
}

#[test]
fn the_running_gateway_shows_its_locks() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let config = Layout::new("rtc = true")
        .table(&ks.ks_section(secrets.path()).unwrap(), "")
        .table("[[door]]\nid = \"front\"\nks_lock = \"Front door\"", "");
    let mut gateway = Gateway::new(config.text());
    gateway.start();
    let section = wait_for("the section", || {
        let report = gateway.report();
        let section = report["sections"]["ks_locks"].clone();
        if section.is_object() {
            Ok(section)
        } else {
            Err(report)
        }
    });
    assert_eq!(section["locks"].as_array().unwrap().len(), 5);
    let (status, out, error) = gateway.command(&["ks", "locks"]);
    assert_eq!(status, 0, "{error}");
    assert!(
        out.contains("Front door") && out.contains("IQ ground floor"),
        "{out}"
    );
    // Without [ks] there is nothing to show, and nothing is left over.
    gateway.configure(Layout::new("rtc = true").door("front", "").text());
    wait_for("no account", || {
        let (status, _, error) = gateway.command(&["ks", "locks"]);
        if status == 1 { Ok(()) } else { Err(error) }
    });
}
