//! The enrolment desk of the running gateway: what it does counts at the doors at once, and its task tells the platform.

use super::boot::SiteRuntime;
use crate::{
    config::{Config, model::CloudConfig},
    desk::{Around, Audit, Desk, Doors, JournalAudit, TrailAudit, readers::Readers},
    domain::{Block, facts::Facts},
    doors::world::World,
    memory,
    platform::Platform,
    store::{SnapshotMeta, Store},
    sync::build,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};

/// So long after the last change the index is written to the disk: a start without it works the facts out again.
const QUIET: Duration = Duration::from_secs(2);
/// How long the tasks may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// The desk with its tasks.
pub(super) struct DeskRoom {
    pub(super) desk: Desk,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl DeskRoom {
    /// Opens the desk.
    pub(super) fn open(
        site: &SiteRuntime,
        platform: watch::Receiver<Option<Arc<dyn Platform>>>,
        readers: Readers,
    ) -> Self {
        let changed = Arc::new(Notify::new());
        let doors = SiteDoors {
            store: site.store.clone(),
            world: Arc::clone(&site.world),
            config: site.shown.subscribe(),
            changed: Arc::clone(&changed),
        };
        let audit: Vec<Arc<dyn Audit>> = vec![
            Arc::new(JournalAudit::new(site.store.clone(), site.clock.clone())),
            Arc::new(TrailAudit::new(site.store.clone(), site.clock.clone())),
        ];
        let desk = Desk::new(Around {
            store: site.store.clone(),
            clock: site.clock.clone(),
            health: site.health.clone(),
            audit: Arc::new(audit),
            doors: Arc::new(doors),
            config: site.shown.subscribe(),
            platform,
            swaps: site.world.swaps(),
            readers,
        });
        let (stop, stopped) = watch::channel(false);
        let keep = keep_images(
            site.store.clone(),
            Arc::clone(&site.world),
            changed,
            stop.subscribe(),
        );
        let tasks = vec![tokio::spawn(desk.clone().run(stopped)), tokio::spawn(keep)];
        Self { desk, stop, tasks }
    }

    /// Ends the tasks. What the platform was not told waits on the disk.
    pub(super) async fn close(self) {
        let _ = self.stop.send(true);
        for mut task in self.tasks {
            if timeout(FAREWELL, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// The doors of the running gateway.
struct SiteDoors {
    store: Store,
    world: Arc<World>,
    config: watch::Receiver<Arc<Config>>,
    changed: Arc<Notify>,
}

impl Doors for SiteDoors {
    fn rework(&self, unkept: &[Block]) -> Result<bool, String> {
        let config = self.config.borrow().clone();
        let _turn = self.store.in_turn();
        if config.cloud == CloudConfig::None {
            self.begin_without_a_cloud(&config)?;
        }
        let Some((_, built)) = build::rebuild_with(self.store.read(), &config, unkept)? else {
            return Ok(false);
        };
        self.world.swap_index(Arc::new(built.index));
        self.changed.notify_one();
        memory::give_back();
        Ok(true)
    }
}

impl SiteDoors {
    /// Where there is no cloud, nothing will ever be fetched: nobody's facts are the facts, and guests are let in.
    fn begin_without_a_cloud(&self, config: &Config) -> Result<(), String> {
        let text = |error: crate::store::StoreError| error.to_string();
        if self.store.read().active_meta().map_err(text)?.is_some() {
            return Ok(());
        }
        let (facts, local) = (Facts::default(), build::Local::default());
        let built = build::build(&facts, config, &local, 0).map_err(|error| error.to_string())?;
        self.store
            .apply_snapshot(&SnapshotMeta::default(), &facts, built.index.image())
            .map_err(text)
    }
}

/// Keeps the index of the doors on the disk, some time after it changed: nobody at the desk waits for that.
async fn keep_images(store: Store, world: Arc<World>, changed: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = changed.notified() => {}
        }
        // Many changes are one image.
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                () = changed.notified() => {}
                () = tokio::time::sleep(QUIET) => break,
            }
        }
        let (store, world) = (store.clone(), Arc::clone(&world));
        let kept = tokio::task::spawn_blocking(move || {
            let _turn = store.in_turn();
            world
                .index()
                .map_or(Ok(false), |index| store.replace_image(index.image()))
        });
        match kept.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the index with the desk's cards is not on disk"),
            Err(error) => tracing::error!(%error, "keeping the index broke off"),
        }
    }
}
