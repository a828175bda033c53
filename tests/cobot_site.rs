//! A simulated Cobot with three members and an adapter that knows nothing yet, on a clock that stands still.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    clock::Clock,
    config::model::{CardText, CobotConfig, Reach},
    domain::{ClockQuality, Millis, Moment, facts::Facts, secret::Secret},
    platform::{
        Around, CheckIn, FactsProblem, Fetched, Known, Platform,
        budget::{Budget, Limit},
        cobot::CobotCloud,
        vault::Vault,
    },
};
use doorward_peers::cobot::{Cobot, World};
use std::time::Duration;

/// 2026-06-15 10:00 in Madrid, a Monday.
pub(crate) const NOW: Millis = 1_781_510_400_000;
pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;

/// No test waits for a minute to be over.
const ROOMY: &[Limit] = &[Limit {
    count: 100_000,
    per: Duration::from_secs(60),
}];

/// A space with three members of two plans, and its adapter, which has not asked anything yet.
pub(crate) struct Site {
    pub(crate) cobot: Cobot,
    pub(crate) adapter: CobotCloud,
    pub(crate) clock: Clock,
}

pub(crate) fn config(cobot: &Cobot) -> CobotConfig {
    CobotConfig {
        subdomain: "riverside".into(),
        space: None,
        token: Secret::new(cobot.token()),
        url: cobot.url().parse().unwrap(),
        site_url: cobot.url().parse().unwrap(),
        cards: CardText::Auto,
        allowance: 1,
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    }
}

pub(crate) fn adapter(config: &CobotConfig, clock: &Clock) -> CobotCloud {
    let around = Around {
        vault: Vault::new(&std::env::temp_dir()),
        clock: clock.clone(),
        zone: "Europe/Madrid".into(),
    };
    let roomy = Budget::new(&[("requests", ROOMY), ("facts", ROOMY)]);
    CobotCloud::new(config, around).unwrap().with_budget(roomy)
}

pub(crate) fn world() -> World {
    let mut world = World::default();
    world.join("Ana Ruiz", "ana@example.com", "Hot desk", "2026-01-01");
    world.join("Ben Okafor", "ben@example.com", "Day passes", "2026-02-01");
    world.join("Cara Lind", "cara@example.com", "Full time", "2026-03-01");
    world
}
pub(crate) const ANA: &str = "membership-1";
pub(crate) const BEN: &str = "membership-3";
pub(crate) const CARA: &str = "membership-5";

impl Site {
    pub(crate) fn start() -> Self {
        Self::with(world())
    }
    pub(crate) fn with(world: World) -> Self {
        let cobot = Cobot::with(world).unwrap();
        cobot.set_now(Some(NOW));
        cobot.set_limited(false);
        let clock = Clock::manual(Moment::trusted(NOW));
        let adapter = adapter(&config(&cobot), &clock);
        Self {
            cobot,
            adapter,
            clock,
        }
    }
    /// Another adapter that knows nothing yet.
    pub(crate) fn stranger(&self) -> CobotCloud {
        adapter(&config(&self.cobot), &self.clock)
    }
    pub(crate) fn wait(&self, by: Millis) {
        self.clock.advance(Duration::from_millis(by.unsigned_abs()));
        self.cobot.set_now(Some(self.clock.now().at));
    }
}

pub(crate) struct Got {
    pub(crate) facts: Facts,
    pub(crate) known: Known,
    pub(crate) problems: Vec<FactsProblem>,
}

pub(crate) fn got(fetched: Fetched) -> Got {
    let Fetched::Facts {
        facts,
        etag,
        problems,
    } = fetched
    else {
        panic!("there is something new")
    };
    let known = Known {
        version: facts.version,
        etag,
    };
    Got {
        facts,
        known,
        problems,
    }
}

pub(crate) async fn fetch(adapter: &CobotCloud) -> Got {
    got(adapter.fetch(None).await.unwrap())
}

pub(crate) fn check_in(key: &str, person: &str, at: Millis) -> CheckIn {
    CheckIn {
        key: key.into(),
        person: person.into(),
        door: "front".into(),
        at,
        clock: ClockQuality::Trusted,
        late: false,
    }
}
