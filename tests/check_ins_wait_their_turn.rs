//! Which failures a check-in waits for, and for how long, in virtual time.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    clock::Clock,
    config::model::CheckinConfig,
    domain::{ClockQuality, Credential, EventKind, PersonId, event::Draft, time::Moment},
    health::Health,
    platform::{
        Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Known, Platform, PlatformError,
        Reply,
    },
    store::{Begin, Store, StoreOptions},
    sync::checkins::{Drain, SUBSCRIBER},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

const AT: i64 = 1_780_000_000_000;

/// A cloud with one answer for each person, and a count of how often it was asked. Sockets know no virtual time.
#[derive(Default)]
struct Answers {
    error: HashMap<&'static str, (ErrorKind, u32)>,
    now_only: bool,
    /// How long ago the entries were, milliseconds.
    ago: i64,
    asked: Mutex<HashMap<String, u32>>,
}

impl Platform for Answers {
    fn place(&self) -> String {
        "answers".into()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: if self.now_only {
                CheckIns::NowOnly
            } else {
                CheckIns::ByKey
            },
            cards: false,
        }
    }
    fn fetch<'a>(&'a self, _: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(async { Ok(Fetched::Unchanged) })
    }
    fn wait_hint(&self, _: u64, _: Duration) -> Reply<'_, bool> {
        Box::pin(std::future::pending())
    }
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(check_in.person.as_str().to_owned()).or_default();
        *count += 1;
        let failing = self.error.get(check_in.person.as_str());
        let outcome = match failing.filter(|(_, times)| *count <= *times) {
            Some((kind, _)) => Err(PlatformError {
                kind: *kind,
                text: "as told".into(),
            }),
            None => Ok(CheckInOutcome::Accepted { running_until: None }),
        };
        Box::pin(async { outcome })
    }
    fn assign_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn remove_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Drains entries of these people. How often each was asked for, how long it took, and the state that was shown.
async fn drain(people: &[&str], answers: Answers) -> (HashMap<String, u32>, Duration, serde_json::Value) {
    let dir = tempfile::tempdir().unwrap();
    let (clock, health) = (
        Clock::manual(Moment::trusted(AT + answers.ago)),
        Health::default(),
    );
    let options = StoreOptions::new(dir.path(), dir.path());
    let (store, _) = Store::open(&options, &clock, &health).unwrap();
    store.register(SUBSCRIBER, Begin::Oldest).unwrap();
    for person in people {
        store.record(&Draft {
            person: Some((*person).into()),
            door: Some("front".into()),
            ..Draft::new(EventKind::Granted, AT, ClockQuality::Trusted)
        });
    }
    store.flush().unwrap();
    let platform = Arc::new(answers);
    let drain = Drain {
        platform: Arc::clone(&platform) as Arc<dyn Platform>,
        config: CheckinConfig {
            late_after: Duration::from_secs(300),
            doors: Vec::new(),
        },
        store: store.clone(),
        clock,
        health: health.clone(),
        hinter: None,
    };
    let (stop, stopped) = watch::channel(false);
    let begun = Instant::now();
    let task = tokio::spawn(drain.run(stopped));
    let all = people.len() as u64;
    while store.cursor(SUBSCRIBER) < all {
        tokio::time::sleep(Duration::from_millis(100)).await; // virtual
        assert!(
            begun.elapsed() < Duration::from_secs(86_400),
            "stuck: {:?}",
            health.doc()
        );
    }
    let took = begun.elapsed();
    stop.send(true).unwrap();
    task.await.unwrap();
    let shown = serde_json::to_value(health.doc()).unwrap();
    let asked = platform.asked.lock().unwrap().clone();
    (asked, took, shown)
}

fn answers(error: &[(&'static str, ErrorKind, u32)]) -> Answers {
    Answers {
        error: error
            .iter()
            .map(|(who, kind, times)| (*who, (*kind, *times)))
            .collect(),
        ..Answers::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_without_end_is_given_up_and_holds_up_nobody_for_good() {
    let conflict = ErrorKind::Rejected { status: 409 };
    let (asked, took, shown) = drain(&["ana", "bob", "eve"], answers(&[("bob", conflict, u32::MAX)])).await;
    assert_eq!((asked["ana"], asked["bob"], asked["eve"]), (1, 10, 1));
    assert!(
        (60..240).contains(&took.as_secs()),
        "believed for a while, and no longer: {took:?}"
    );
    let section = &shown["sections"]["check_ins"];
    assert_eq!(
        (&section["delivered"], &section["rejected"]),
        (&2.into(), &1.into()),
        "{shown}"
    );
    assert!(
        shown["faults"].to_string().contains("check_in_rejected"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_hours_and_a_wrong_address_cost_no_check_in() {
    let trouble = [
        ("ana", ErrorKind::Unreachable, 500),
        ("bob", ErrorKind::Rejected { status: 404 }, 500),
        (
            "eve",
            ErrorKind::Throttled {
                retry_after: Some(Duration::from_secs(100)),
            },
            50,
        ),
    ];
    let (asked, took, shown) = drain(&["ana", "bob", "eve", "zoe"], answers(&trouble)).await;
    assert_eq!(
        (asked["ana"], asked["bob"], asked["eve"], asked["zoe"]),
        (501, 501, 51, 1)
    );
    assert!(took > Duration::from_secs(3 * 3_600), "{took:?}");
    let section = &shown["sections"]["check_ins"];
    assert_eq!(
        (&section["delivered"], &section["rejected"]),
        (&4.into(), &0.into()),
        "{shown}"
    );
    assert_eq!(shown["faults"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_counts_entries_as_of_now_never_gets_a_late_one() {
    let now_only = Answers {
        now_only: true,
        ago: 600_000,
        ..Answers::default()
    };
    let (asked, _, shown) = drain(&["ana", "bob"], now_only).await;
    assert_eq!(asked.len(), 0, "{asked:?}");
    let section = &shown["sections"]["check_ins"];
    assert_eq!(
        (&section["too_late"], &section["delivered"]),
        (&2.into(), &0.into()),
        "{shown}"
    );
    let why = section["last_refused"]["why"].as_str().unwrap();
    assert!(why.contains("counts every entry as of now"), "{why}");
    assert_eq!(shown["faults"], serde_json::json!([]));
}
