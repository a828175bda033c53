//! A table set for scenarios about Nexudus: the simulator, and the adapter on it with a clock that stands still.

use doorward::{
    clock::Clock,
    config::model::{CardText, CloudConfig, NexudusConfig, Reach},
    domain::{ClockQuality, Moment, facts::Facts, secret::Secret},
    platform::{Around, CheckIn, Fetched, Known, Platform, PlatformError, open, vault::Vault},
};
use doorward_peers::nexudus::{ACS_TOKEN, BUSINESS, HOOK_SECRET, Nexudus, PASSWORD, USER};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) struct Table {
    pub(crate) office: Nexudus,
    pub(crate) clock: Clock,
    pub(crate) dir: TempDir,
    pub(crate) adapter: Arc<dyn Platform>,
}

/// When scenarios begin: 10 June 2026, 12:00 in Madrid.
pub(crate) const WEDNESDAY: i64 = 1_781_085_600_000;

/// An instant in whole seconds.
pub(crate) fn second(at: i64) -> i64 {
    at.div_euclid(1_000) * 1_000
}

impl Table {
    pub(crate) fn set() -> Self {
        Self::with(Duration::from_secs(5))
    }

    /// For tests in which time runs faster.
    pub(crate) fn patient() -> Self {
        Self::with(Duration::from_secs(86_400))
    }

    fn with(timeout: Duration) -> Self {
        let office = Nexudus::start().unwrap();
        office.set_now(WEDNESDAY);
        let clock = Clock::manual(Moment::trusted(WEDNESDAY));
        let dir = tempfile::tempdir().unwrap();
        let adapter = adapter_for(&office, &clock, &dir, PASSWORD, timeout);
        Self {
            office,
            clock,
            dir,
            adapter,
        }
    }

    /// The same gateway after a restart: what it kept on disk, and nothing else.
    pub(crate) fn restart(&mut self) {
        self.adapter = adapter(&self.office, &self.clock, &self.dir, PASSWORD);
    }

    pub(crate) async fn fetch(&self) -> Result<Facts, PlatformError> {
        match self.adapter.fetch(None).await? {
            Fetched::Facts { facts, .. } => Ok(facts),
            Fetched::Unchanged => panic!("nothing was known"),
        }
    }

    /// The facts with what a [`Known`] needs, and the problems in words.
    pub(crate) async fn whole(&self) -> (Facts, Known, Vec<String>) {
        match self.adapter.fetch(None).await.unwrap() {
            Fetched::Facts {
                facts,
                etag,
                problems,
            } => {
                let version = facts.version;
                let problems = problems.iter().map(ToString::to_string).collect();
                (facts, Known { version, etag }, problems)
            }
            Fetched::Unchanged => panic!("nothing was known"),
        }
    }

    pub(crate) fn entry(&self, key: &str, person: &str, at: i64) -> CheckIn {
        CheckIn {
            key: key.into(),
            person: person.into(),
            door: "front".into(),
            at,
            clock: ClockQuality::Trusted,
            late: false,
        }
    }

    /// Requests whose address contains `part`, as `METHOD path`.
    pub(crate) fn asked(&self, part: &str) -> Vec<String> {
        let requests = self.office.requests().into_iter();
        requests
            .filter(|request| request.target.contains(part))
            .map(|request| format!("{} {}", request.method, request.target))
            .collect()
    }
}

pub(crate) fn adapter(office: &Nexudus, clock: &Clock, dir: &TempDir, password: &str) -> Arc<dyn Platform> {
    adapter_for(office, clock, dir, password, Duration::from_secs(5))
}

fn adapter_for(
    office: &Nexudus,
    clock: &Clock,
    dir: &TempDir,
    password: &str,
    timeout: Duration,
) -> Arc<dyn Platform> {
    let config = NexudusConfig {
        user: USER.into(),
        password: Secret::new(password.into()),
        business: BUSINESS,
        url: office.url().parse().unwrap(),
        hook_secret: Some(Secret::new(HOOK_SECRET.into())),
        acs_token: Some(Secret::new(ACS_TOKEN.into())),
        groups: vec!["office-2".into(), "rooms".into()],
        cards: CardText::Auto,
        allowance: 1,
        reach: Reach {
            ca_file: None,
            timeout,
        },
    };
    let around = Around {
        vault: Vault::new(dir.path()),
        clock: clock.clone(),
        zone: "Europe/Madrid".into(),
    };
    open(&CloudConfig::Nexudus(config), &around).unwrap().unwrap()
}

/// Runs a hundred times faster than the budget allows: time goes on by itself, a little at every turn, so that waits are
/// short and nobody's patience ends while the simulator, which lives in real time, is still answering.
pub(crate) fn in_haste<T>(job: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(1)
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let hurry = tokio::spawn(async {
            loop {
                std::thread::park_timeout(Duration::from_micros(100));
                tokio::time::advance(Duration::from_millis(10)).await;
            }
        });
        let outcome = job.await;
        hurry.abort();
        outcome
    })
}
