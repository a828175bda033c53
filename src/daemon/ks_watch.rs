//! The watch over locks and batteries at SALTO KS, of whatever account is in force; and what the control socket tells of it.

use super::{boot::SiteRuntime, ks_connect::No, ks_session::KsWatch};
use crate::{
    health::Health,
    salto::watch::{self as locks, LocksDoc, Watch},
    store::Store,
};
use axum::{Json, Router, extract::State, routing::get};
use tokio::sync::watch;

/// Keeps watch for as long as the gateway lives.
pub(super) struct LockKeeper {
    account: KsWatch,
    store: Store,
    health: Health,
    shown: watch::Sender<Option<LocksDoc>>,
}

impl LockKeeper {
    pub(super) fn new(site: &SiteRuntime, account: KsWatch) -> Self {
        Self {
            account,
            store: site.store.clone(),
            health: site.health.clone(),
            shown: watch::Sender::new(None),
        }
    }

    /// What was seen last.
    pub(super) fn shown(&self) -> watch::Receiver<Option<LocksDoc>> {
        self.shown.subscribe()
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let now = self.account.borrow_and_update().clone();
            locks::stand_down(&self.health);
            let watching = async {
                match now {
                    Some(ks) => {
                        let doors = ks.config.doors.clone();
                        let (store, health, shown) =
                            (self.store.clone(), self.health.clone(), self.shown.clone());
                        Watch::new(ks.session, doors, store, health, shown).run().await;
                    }
                    None => {
                        self.shown.send_replace(None);
                        std::future::pending().await
                    }
                }
            };
            tokio::select! {
                () = watching => {}
                changed = self.account.changed() => if changed.is_err() { return },
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}

/// `/v1/ks/locks`.
pub(super) fn routes(shown: watch::Receiver<Option<LocksDoc>>) -> Router {
    Router::new().route("/v1/ks/locks", get(all)).with_state(shown)
}

async fn all(State(shown): State<watch::Receiver<Option<LocksDoc>>>) -> Result<Json<LocksDoc>, No> {
    shown.borrow().clone().map(Json).ok_or_else(|| {
        No::new(
            "the locks at SALTO KS have not been read yet",
            "`doorward report` tells why; without [ks] there are none",
        )
    })
}
