//! A Spacebring and its adapter, for scenarios.

use doorward::{
    clock::Clock,
    config::model::{CardText, Reach, SpacebringConfig, SpacebringLogin},
    domain::{facts::Facts, secret::Secret, time::Moment},
    platform::{
        Around, ErrorKind, Fetched, Known, Platform, PlatformError,
        budget::{Budget, Limit},
        spacebring::Spacebring,
        vault::Vault,
    },
};
use doorward_peers::spacebring::{self as peer, CLIENT_ID, CLIENT_SECRET, HOOK_SECRET, REFRESH_TOKEN, Space};
use std::time::Duration;
use tempfile::TempDir;

/// The adapter with what it stands on.
pub(crate) struct Site {
    pub(crate) cloud: peer::Spacebring,
    pub(crate) adapter: Spacebring,
    pub(crate) around: Around,
    pub(crate) state: TempDir,
}

pub(crate) fn hour(hours: i64) -> i64 {
    let now = Clock::system(true, 0).now().at;
    now + hours * 3_600_000
}

pub(crate) fn config(cloud: &peer::Spacebring) -> SpacebringConfig {
    SpacebringConfig {
        location: cloud.edit(|space| space.location.clone()),
        login: SpacebringLogin::Basic {
            client_id: CLIENT_ID.into(),
            client_secret: Secret::new(CLIENT_SECRET.into()),
        },
        url: cloud.url().parse().unwrap(),
        card_key: "cardNumber".into(),
        hook_secret: Some(Secret::new(HOOK_SECRET.into())),
        cards: CardText::Uid,
        allowance: 1,
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    }
}

/// The same with OAuth2.
pub(crate) fn oauth(cloud: &peer::Spacebring) -> SpacebringConfig {
    let login = SpacebringLogin::OAuth {
        client_id: CLIENT_ID.into(),
        client_secret: Secret::new(CLIENT_SECRET.into()),
        refresh_token: Secret::new(REFRESH_TOKEN.into()),
        network: cloud.edit(|space| space.network.clone()),
    };
    SpacebringConfig {
        login,
        ..config(cloud)
    }
}

/// No test waits for a second to be over.
const ROOMY: &[Limit] = &[Limit {
    count: 100_000,
    per: Duration::from_secs(1),
}];

/// An adapter that does not wait for the budget.
pub(crate) fn adapter(settings: &SpacebringConfig, around: &Around) -> Spacebring {
    let roomy = Budget::new(&[("requests", ROOMY)]);
    Spacebring::new(settings, around).unwrap().with_budget(roomy)
}

fn around(state: &TempDir) -> Around {
    Around {
        vault: Vault::new(state.path()),
        clock: Clock::manual(Moment {
            at: hour(0),
            trusted: true,
        }),
        zone: "Europe/Madrid".into(),
    }
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with(Space::usual())
    }
    pub(crate) fn with(space: Space) -> Self {
        let cloud = peer::Spacebring::with(space).unwrap();
        let settings = config(&cloud);
        Self::of(cloud, &settings)
    }
    pub(crate) fn of(cloud: peer::Spacebring, settings: &SpacebringConfig) -> Self {
        let state = tempfile::tempdir().unwrap();
        let around = around(&state);
        Self {
            adapter: adapter(settings, &around),
            cloud,
            around,
            state,
        }
    }

    /// An adapter alone, for a simulator that somebody else holds, with the folder of its state.
    pub(crate) fn beside(settings: &SpacebringConfig) -> (TempDir, Spacebring) {
        let state = tempfile::tempdir().unwrap();
        let adapter = adapter(settings, &around(&state));
        (state, adapter)
    }

    /// A whole fetch, with its problems as text.
    pub(crate) async fn facts(&self) -> (Facts, Vec<String>, Known) {
        take(self.adapter.fetch(None).await.unwrap())
    }

    /// What a fetch fails with; its words have no port.
    pub(crate) async fn fails(&self) -> (ErrorKind, String) {
        let error = self.adapter.fetch(None).await.unwrap_err();
        (error.kind, self.words(&error))
    }
    pub(crate) fn words(&self, error: &PlatformError) -> String {
        error.to_string().replace(&self.cloud.url(), "CLOUD")
    }
}

#[track_caller]
pub(crate) fn take(fetched: Fetched) -> (Facts, Vec<String>, Known) {
    let Fetched::Facts {
        facts,
        etag,
        problems,
    } = fetched
    else {
        panic!("facts")
    };
    let known = Known {
        version: facts.version,
        etag,
    };
    (facts, problems.iter().map(ToString::to_string).collect(), known)
}
