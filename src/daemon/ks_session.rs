//! The account at SALTO KS of the time: made anew when `[ks]` changes, and lent to whoever asks.

use super::boot::SiteRuntime;
use crate::{
    config::Config,
    salto::{Session, auth::LOGIN_FAULT, entries::OwnOpenings, open::Opener},
};
use std::sync::Arc;
use tokio::sync::watch;

/// An account that cannot be prepared.
const FAULT: &str = "ks_refused";

/// The account with the configuration in force.
#[derive(Clone, Debug)]
pub(super) struct KsNow {
    pub(super) session: Session,
    pub(super) opener: Opener,
    /// What the gateway itself opened, for whoever hears of it at KS.
    pub(super) own: OwnOpenings,
    pub(super) config: Arc<Config>,
}

/// The account of the time. `None` without `[ks]`.
pub(super) type KsWatch = watch::Receiver<Option<KsNow>>;

/// Keeps it.
#[derive(Debug)]
pub(super) struct KsAccount(watch::Sender<Option<KsNow>>);

impl KsAccount {
    pub(super) fn new(site: &SiteRuntime) -> Self {
        let account = Self(watch::Sender::new(None));
        account.0.send_replace(opened(site));
        account
    }

    /// Whoever waits on this sees every change of the configuration; the login is another only when `[ks]` is.
    pub(super) fn reconfigure(&self, site: &SiteRuntime, before: &Config) {
        let kept = self.0.borrow().clone();
        let now = match kept.filter(|_| before.ks == site.config.ks) {
            Some(kept) => Some(KsNow {
                config: Arc::clone(&site.config),
                ..kept
            }),
            None => opened(site),
        };
        self.0.send_replace(now);
    }

    pub(super) fn subscribe(&self) -> KsWatch {
        self.0.subscribe()
    }
}

fn opened(site: &SiteRuntime) -> Option<KsNow> {
    site.health.clear(LOGIN_FAULT);
    site.health.clear(FAULT);
    let ks = site.config.ks.as_ref()?;
    let opened = Session::open(
        ks,
        site.vault.clone(),
        site.store.clone(),
        site.clock.clone(),
        site.health.clone(),
    );
    match opened {
        Ok(session) => Some(KsNow {
            opener: Opener::new(session.clone()),
            own: OwnOpenings::default(),
            session,
            config: Arc::clone(&site.config),
        }),
        Err(error) => {
            site.health.raise(FAULT, error.text, site.clock.now().at);
            None
        }
    }
}
