//! OfficeRnD's simulator with an adapter at it, for scenarios of the one against the other.

use doorward::{
    clock::Clock,
    config::model::{CardText, OfficeRndConfig, Reach},
    domain::{Moment, facts::Facts, secret::Secret},
    platform::{Around, FactsProblem, Fetched, Known, Platform, officernd::OfficeRndCloud, vault::Vault},
};
use doorward_peers::officernd::{CARD_PROPERTY, CLIENT, CLIENT_SECRET, HOOK_SECRET, ORGANIZATION, OfficeRnd};
use jiff::Timestamp;
use std::time::Duration;
use tempfile::TempDir;

/// A card's number: seven bytes, the last not zero.
pub(crate) fn card(number: usize) -> String {
    format!("04A2B3C4{:06X}", number * 16 + 1)
}

/// Noon of this day in Madrid: no test ends on another day than it began.
fn noon() -> i64 {
    let now = Timestamp::from_millisecond(Clock::system(true, 0).now().at).unwrap();
    let day = now.in_tz("Europe/Madrid").unwrap().date();
    let noon = day.at(12, 0, 0, 0).in_tz("Europe/Madrid").unwrap();
    noon.timestamp().as_millisecond()
}

/// The simulator, an adapter, and a clock that only moves when told.
pub(crate) struct Desk {
    pub(crate) office: OfficeRnd,
    pub(crate) adapter: OfficeRndCloud,
    pub(crate) clock: Clock,
    dir: TempDir,
}

impl Desk {
    pub(crate) fn open() -> Self {
        let office = OfficeRnd::start().unwrap();
        let noon = noon();
        office.set_clock(noon);
        let clock = Clock::manual(Moment::trusted(noon));
        let dir = tempfile::tempdir().unwrap();
        let adapter = adapter(&office, &clock, &dir, |_| ());
        Self {
            office,
            adapter,
            clock,
            dir,
        }
    }

    /// An adapter as it is after a restart, on the same state directory.
    pub(crate) fn another(&self) -> OfficeRndCloud {
        self.with(|_| ())
    }

    /// One that is configured otherwise.
    pub(crate) fn with(&self, change: impl FnOnce(&mut OfficeRndConfig)) -> OfficeRndCloud {
        adapter(&self.office, &self.clock, &self.dir, change)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().at
    }

    /// Facts of an adapter that knows nothing yet.
    pub(crate) async fn whole(&self) -> (Facts, Known, Vec<FactsProblem>) {
        taken(self.adapter.fetch(None).await.unwrap())
    }
}

/// Facts that arrived, and what to know of them.
pub(crate) fn taken(fetched: Fetched) -> (Facts, Known, Vec<FactsProblem>) {
    let Fetched::Facts {
        facts,
        etag,
        problems,
    } = fetched
    else {
        panic!("there is something to fetch")
    };
    let known = Known {
        version: facts.version,
        etag,
    };
    (facts, known, problems)
}

fn adapter(
    office: &OfficeRnd,
    clock: &Clock,
    dir: &TempDir,
    change: impl FnOnce(&mut OfficeRndConfig),
) -> OfficeRndCloud {
    let mut config = OfficeRndConfig {
        organization: ORGANIZATION.into(),
        location: None,
        client_id: CLIENT.into(),
        client_secret: Secret::new(CLIENT_SECRET.into()),
        url: office.url().parse().unwrap(),
        identity_url: office.url().parse().unwrap(),
        card_property: CARD_PROPERTY.into(),
        hook_secret: Some(Secret::new(HOOK_SECRET.into())),
        cards: CardText::Auto,
        allowance: 1,
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    };
    change(&mut config);
    let around = Around {
        vault: Vault::new(dir.path()),
        clock: clock.clone(),
        zone: "Europe/Madrid".into(),
    };
    OfficeRndCloud::new(&config, &around).unwrap()
}
