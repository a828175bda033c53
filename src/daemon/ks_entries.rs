//! Hears the entries of SALTO KS for as long as there is an account, and begins again when it or the doors change.

use super::{
    boot::SiteRuntime,
    ks_session::{KsNow, KsWatch},
};
use crate::{
    clock::Clock,
    domain::{Credential, PersonId},
    doors::world::World,
    health::Health,
    salto::{
        entries::{Doors, Holders, Listener},
        pairing::Desk,
    },
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

/// How long the last entries may take to the disk.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where tags are paired with cards at the time.
pub(super) type DeskWatch = watch::Receiver<Option<Desk>>;

/// The task.
#[derive(Debug)]
pub(super) struct KsEntries {
    stop: watch::Sender<bool>,
    desk: watch::Sender<Option<Desk>>,
    task: Option<JoinHandle<()>>,
}

/// What does not change while the gateway runs.
struct Around {
    store: Store,
    clock: Clock,
    health: Health,
    world: Arc<World>,
    desk: watch::Sender<Option<Desk>>,
}

impl KsEntries {
    pub(super) fn start(site: &SiteRuntime, ks: KsWatch) -> Self {
        let (stop, stopped) = watch::channel(false);
        let desk = watch::Sender::new(None);
        let around = Around {
            store: site.store.clone(),
            clock: site.clock.clone(),
            health: site.health.clone(),
            world: Arc::clone(&site.world),
            desk: desk.clone(),
        };
        let task = Some(tokio::spawn(around.follow(ks, stopped)));
        Self { stop, desk, task }
    }

    pub(super) fn desk(&self) -> DeskWatch {
        self.desk.subscribe()
    }

    pub(super) async fn end(&mut self) {
        let _ = self.stop.send(true); // it may have ended
        if let Some(mut task) = self.task.take()
            && timeout(FAREWELL, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Around {
    /// Runs a listener for each account and each set of doors, one after the other.
    async fn follow(self, mut ks: KsWatch, mut stop: watch::Receiver<bool>) {
        loop {
            let now = ks.borrow_and_update().clone();
            let Some(now) = now else {
                self.desk.send_replace(None);
                Listener::stand_down(&self.health);
                tokio::select! {
                    changed = ks.changed() => if changed.is_err() { return },
                    _ = stop.changed() => return,
                }
                continue;
            };
            let (end, ended) = watch::channel(false);
            let listening = tokio::spawn(self.listener(&now).run(ended));
            let over = self.until_other(&now, &mut ks, &mut stop).await;
            let _ = end.send(true);
            let _ = listening.await; // it says by itself what went wrong
            if over {
                return;
            }
        }
    }

    /// Waits for another account or other doors. True: the gateway ends.
    async fn until_other(&self, now: &KsNow, ks: &mut KsWatch, stop: &mut watch::Receiver<bool>) -> bool {
        loop {
            tokio::select! {
                changed = ks.changed() => {
                    if changed.is_err() {
                        return true;
                    }
                    let next = ks.borrow_and_update().clone();
                    let same = next.is_some_and(|next| {
                        next.config.ks == now.config.ks && next.config.doors == now.config.doors
                    });
                    if !same {
                        // Looked at again at the top.
                        ks.mark_changed();
                        return false;
                    }
                }
                _ = stop.changed() => return true,
            }
        }
    }

    fn listener(&self, now: &KsNow) -> Listener {
        let session = &now.session;
        let desk = Desk::new(
            session.config().tag_reader.clone(),
            self.store.clone(),
            session.pairs(),
        );
        self.desk.send_replace(Some(desk.clone()));
        Listener {
            session: session.clone(),
            doors: Doors::new(&now.config.doors),
            holders: Arc::new(InForce(Arc::clone(&self.world))),
            desk,
            own: now.own.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            health: self.health.clone(),
        }
    }
}

/// The holders by the rights in force.
pub(super) struct InForce(pub(super) Arc<World>);

impl Holders for InForce {
    fn holder(&self, card: &Credential) -> Option<(PersonId, String)> {
        let index = self.0.index()?;
        let holder = index.holder(card)?;
        Some((PersonId::from(holder.id), holder.name.to_owned()))
    }
}
