//! The adapter for Cobot against the simulated one, over real sockets, with its quirks and faults.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    clock::Clock,
    config::model::{CardText, CobotConfig, Reach},
    domain::{
        ClockQuality, Millis, Moment,
        facts::{Facts, Standing, When},
        secret::Secret,
    },
    platform::{
        Around, CheckIn, CheckInOutcome, ErrorKind, FactsProblem, Fetched, Hint, Known, Platform,
        PlatformError, Retry,
        budget::{Budget, Limit},
        cobot::CobotCloud,
        vault::Vault,
    },
};
use doorward_peers::{
    cobot::{Cobot, External, Faults, Token, World},
    office::Office,
};
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

fn check_in(key: &str, person: &str, at: Millis) -> CheckIn {
    CheckIn {
        key: key.into(),
        person: person.into(),
        door: "front".into(),
        at,
        clock: ClockQuality::Trusted,
        late: false,
    }
}

#[tokio::test]
async fn everything_that_the_space_has_becomes_facts() {
    let site = Site::start();
    site.cobot.give_card(ANA, "04A2B3C4D5E680");
    site.cobot.edit(|world| {
        world.tokens.push(Token {
            token: "AA:BB:CC:DD:EE:FF".into(),
            membership: ANA.into(),
        });
    });
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    let booking = site.cobot.book(ANA, "Meeting room", NOW + HOUR, NOW + 2 * HOUR);
    site.cobot.invite(&booking, CARA).unwrap();
    site.cobot.assign(CARA, "Office 2").unwrap();
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    assert!(problems.is_empty(), "{problems:?}");
    let names: Vec<&str> = facts.people.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Ana Ruiz", "Ben Okafor", "Cara Lind"]);
    assert_eq!(
        facts.people[0].credentials[0].reveal_in_full(),
        "uid:04A2B3C4D5E680"
    );
    assert_eq!(facts.people[0].credentials.len(), 1, "a telephone is no card");
    let plans: Vec<(&str, bool)> = facts
        .memberships
        .iter()
        .map(|it| (it.plan.as_str(), it.pass_based))
        .collect();
    assert_eq!(
        plans,
        [("Hot desk", false), ("Day passes", true), ("Full time", false)]
    );
    assert_eq!(
        facts.memberships[0].starts,
        Some(When::Day("2026-01-01".parse().unwrap()))
    );
    assert_eq!(facts.passes.len(), 2);
    assert_eq!(
        (facts.passes[0].kind.as_str(), facts.passes[0].left),
        ("Day pass", Some(1))
    );
    let hours = &facts.passes[0].hours.as_ref().unwrap().hours[0];
    assert_eq!((hours.from, hours.until), (240, 240), "four to four");
    let booked = &facts.bookings[0];
    assert_eq!((booked.from, booked.until), (NOW + HOUR, NOW + 2 * HOUR));
    assert_eq!(booked.person.as_ref().unwrap().as_str(), ANA);
    assert_eq!(booked.invitees[0].as_str(), CARA);
    assert_eq!(facts.assignments[0].person.as_ref().unwrap().as_str(), CARA);
    assert_eq!(facts.resources.len(), 4);
    let plans: Vec<&str> = facts.catalogue.plans.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(plans, ["Day passes", "Full time", "Hot desk"]);
}
