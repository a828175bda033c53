//! Everything that may wait for a network: the cloud, the check-ins, the building network. Each task ends and
//! begins again by itself when its part of the configuration changes; the doors do not notice.

use super::{
    boot::SiteRuntime,
    desk_readers::{DeskReaders, DeskTask},
    ks::{self, KsDesk},
    ks_entries::{DeskWatch, KsEntries},
    ks_session::{KsAccount, KsWatch},
    ks_watch::LockKeeper,
};
use crate::{
    access::{Index, Limits},
    building::{self, Outbox, OutboxError},
    config::{
        Config,
        model::{CheckinConfig, CloudConfig, HooksConfig, MqttConfig, PageConfig},
    },
    domain::EntryEvent,
    doors::world::World,
    platform::{self, Around, CheckIns, Platform},
    salto::watch::LocksDoc,
    store::{Begin, SnapshotMeta, Store},
    sync::{
        checkins::{self, Drain},
        hinter::Hinter,
        pull::{self, Command, Doors, Puller},
    },
    web::{
        self, Receiver,
        page::{FAULTS as PAGE_FAULTS, Page, Rooms},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

/// The name of the building network in the outbox.
const MQTT: &str = "mqtt";
/// How long tasks may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// The running tasks.
pub(super) struct Tasks {
    pub(super) puller: Option<mpsc::Sender<Command>>,
    pull_task: Option<JoinHandle<()>>,
    platform: Option<Arc<dyn Platform>>,
    /// The same, for whoever asks how it stands.
    asked: watch::Sender<Option<Arc<dyn Platform>>>,
    checkins: Stoppable<CheckinConfig>,
    mqtt: Stoppable<MqttConfig>,
    hooks: Stoppable<HooksConfig>,
    desk_readers: DeskTask,
    ks_account: KsAccount,
    page: Stoppable<PageConfig>,
    /// What the page serves.
    rooms: Rooms,
    /// The configuration in force, for whoever asks.
    config: watch::Sender<Arc<Config>>,
    ks_locks: Stoppable<()>,
    ks_locks_seen: watch::Receiver<Option<LocksDoc>>,
    ks_entries: KsEntries,
    ks_plans: Stoppable<()>,
    ks_desk: KsDesk,
    /// Counts the orders to read certificates again.
    reread: watch::Sender<u64>,
}

/// A task with what it was made of, and the means to end it.
struct Stoppable<C> {
    config: Option<C>,
    stop: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl<C> Stoppable<C> {
    const fn none() -> Self {
        Self {
            config: None,
            stop: None,
        }
    }

    async fn end(&mut self) {
        if let Some((stop, mut task)) = self.stop.take() {
            let _ = stop.send(true);
            if timeout(FAREWELL, &mut task).await.is_err() {
                tracing::warn!("a task did not end in time and is broken off");
                task.abort();
            }
        }
    }

    fn begin<F>(&mut self, config: C, task: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        self.config = Some(config);
        self.stop = Some((stop, tokio::spawn(task(stopped))));
    }
}

impl Tasks {
    /// Starts what the configuration names.
    pub(super) async fn start(site: &SiteRuntime) -> Self {
        let ks_account = KsAccount::new(site);
        let locks = LockKeeper::new(site, ks_account.subscribe());
        let mut tasks = Self {
            puller: None,
            pull_task: None,
            platform: None,
            asked: watch::Sender::new(None),
            checkins: Stoppable::none(),
            mqtt: Stoppable::none(),
            hooks: Stoppable::none(),
            desk_readers: DeskTask::start(site),
            page: Stoppable::none(),
            rooms: Rooms::default(),
            config: watch::Sender::new(Arc::clone(&site.config)),
            ks_entries: KsEntries::start(site, ks_account.subscribe()),
            ks_account,
            ks_locks: Stoppable::none(),
            ks_locks_seen: locks.shown(),
            ks_plans: Stoppable::none(),
            ks_desk: KsDesk::default(),
            reread: watch::Sender::new(0),
        };
        tasks.desk_readers.pair_with(tasks.ks_entries.desk());
        tasks.begin_cloud(site, site.stored.clone());
        tasks.begin_checkins(site).await;
        tasks.begin_hooks(site);
        tasks.begin_mqtt(site).await;
        tasks.ks_locks.begin((), |stop| locks.run(stop));
        let account = tasks.ks_account.subscribe();
        let keeper = ks::Keeper::new(site, account, &mut tasks.ks_desk);
        tasks.ks_plans.begin((), |stop| keeper.run(stop));
        tasks
    }

    /// Takes a new configuration over: what changed begins again, the rest goes on.
    pub(super) async fn reconfigure(&mut self, site: &SiteRuntime, before: &Config) {
        self.config.send_replace(Arc::clone(&site.config));
        let same_cloud = before.cloud == site.config.cloud;
        if same_cloud {
            if let Some(puller) = &self.puller {
                // It may wait for the cloud, and nobody waits for it.
                let (puller, command) = (puller.clone(), Command::Reconfigure(Arc::clone(&site.config)));
                tokio::spawn(async move { puller.send(command).await });
            }
        } else {
            self.end_cloud().await;
            // What was wrong with that cloud says nothing about the next one, or about none.
            for fault in pull::FAULTS.into_iter().chain([pull::CLOCK_SKEW]) {
                site.health.clear(fault);
            }
            let active = site.store.active().ok().flatten().map(|stored| stored.meta);
            self.begin_cloud(site, active);
        }
        if !same_cloud || self.checkins.config != site.config.checkins {
            self.checkins.end().await;
            self.begin_checkins(site).await;
        }
        if !same_cloud || self.hooks.config != site.config.hooks {
            self.hooks.end().await;
            self.begin_hooks(site);
        }
        self.ks_account.reconfigure(site, before);
        if self.page.config != site.config.page {
            self.page.end().await;
            self.begin_page(site);
        }
        self.desk_readers.reconfigure(site, before).await;
        if self.mqtt.config != site.config.mqtt {
            self.mqtt.end().await;
            self.begin_mqtt(site).await;
        }
    }

    /// The platform of the time, for whoever asks how it stands.
    pub(super) fn platform(&self) -> watch::Receiver<Option<Arc<dyn Platform>>> {
        self.asked.subscribe()
    }

    /// Where plans for SALTO KS are asked for.
    pub(super) fn ks_desk(&self) -> KsDesk {
        self.ks_desk.clone()
    }

    /// The account at SALTO KS of the time.
    pub(super) fn ks(&self) -> KsWatch {
        self.ks_account.subscribe()
    }

    /// The locks there, as they were seen last.
    pub(super) fn ks_locks(&self) -> watch::Receiver<Option<LocksDoc>> {
        self.ks_locks_seen.clone()
    }

    /// Where tags are paired with cards, while SALTO KS is configured.
    pub(super) fn ks_pairing(&self) -> DeskWatch {
        self.ks_entries.desk()
    }

    /// The desk's readers: one handle for the whole run.
    pub(super) fn desk_readers(&self) -> DeskReaders {
        self.desk_readers.desk.clone()
    }

    /// Certificates may be other ones though the configuration is the same.
    pub(super) fn reread_certificates(&self) {
        self.reread.send_modify(|orders| *orders += 1);
    }

    /// Ends everything; what was not delivered waits in the journal.
    pub(super) async fn stop(&mut self) {
        self.page.end().await;
        self.hooks.end().await;
        self.desk_readers.stop().await;
        self.ks_locks.end().await;
        self.end_cloud().await;
        self.ks_entries.end().await;
        self.ks_plans.end().await;
        self.checkins.end().await;
        self.mqtt.end().await;
    }

    fn begin_cloud(&mut self, site: &SiteRuntime, active: Option<SnapshotMeta>) {
        self.platform = platform(&site.config.cloud, site);
        self.asked.send_replace(self.platform.clone());
        let Some(platform) = &self.platform else { return };
        let puller = Puller::new(
            Arc::clone(platform),
            Arc::clone(&site.config),
            site.store.clone(),
            active,
            Arc::new(WorldDoors(Arc::clone(&site.world))),
            site.clock.clone(),
            site.health.clone(),
        );
        let (sender, commands) = mpsc::channel(8);
        self.puller = Some(sender);
        self.pull_task = Some(tokio::spawn(puller.run(commands)));
    }

    async fn end_cloud(&mut self) {
        self.puller = None;
        self.platform = None;
        self.asked.send_replace(None);
        if let Some(task) = self.pull_task.take() {
            // A fetch under way is dropped: a part of the facts changes nothing (invariant 4).
            task.abort();
            let _ = task.await;
        }
    }

    async fn begin_checkins(&mut self, site: &SiteRuntime) {
        self.checkins.config = site.config.checkins.clone();
        let modes = self
            .platform
            .as_ref()
            .map(|platform| platform.capabilities().check_ins);
        let kept_here = match (&site.config.checkins, modes) {
            (Some(_), Some(CheckIns::Never(why))) => Some(why),
            _ => None,
        };
        let (Some(config), Some(platform), None) = (&site.config.checkins, &self.platform, kept_here) else {
            site.store.forget(checkins::SUBSCRIBER);
            checkins::stand_down(&site.health, kept_here);
            return;
        };
        if !register(&site.store, checkins::SUBSCRIBER).await {
            return;
        }
        let drain = Drain {
            platform: Arc::clone(platform),
            config: config.clone(),
            store: site.store.clone(),
            clock: site.clock.clone(),
            health: site.health.clone(),
            hinter: self.puller.clone().map(Hinter::new),
        };
        self.checkins.begin(config.clone(), |stop| drain.run(stop));
    }

    /// Without a cloud nobody understands a web hook, and nothing listens.
    fn begin_hooks(&mut self, site: &SiteRuntime) {
        self.hooks.config = site.config.hooks.clone();
        let cloud = self.platform.as_ref().zip(self.puller.as_ref());
        let (Some(config), Some((platform, puller))) = (&site.config.hooks, cloud) else {
            for fault in web::FAULTS {
                site.health.clear(fault);
            }
            return;
        };
        let hinter = Hinter::new(puller.clone());
        let receiver = Receiver {
            config: config.clone(),
            platform: Arc::clone(platform),
            forward: Arc::new(move |hints| hinter.hint(hints)),
            clock: site.clock.clone(),
            health: site.health.clone(),
            runtime_dir: site.begun_with.runtime_dir.clone(),
        };
        let reread = self.reread.subscribe();
        self.hooks
            .begin(config.clone(), |stop| receiver.run(reread, stop));
    }

    /// The configuration in force, as it changes.
    pub(super) fn config(&self) -> watch::Receiver<Arc<Config>> {
        self.config.subscribe()
    }

    /// Serves the page, if there is to be one, with what these rooms answer: once they can.
    pub(super) fn serve_page(&mut self, site: &SiteRuntime, rooms: Rooms) {
        self.rooms = rooms;
        self.begin_page(site);
    }

    fn begin_page(&mut self, site: &SiteRuntime) {
        self.page.config = site.config.page.clone();
        let Some(config) = site.config.page.clone() else {
            for fault in PAGE_FAULTS {
                site.health.clear(fault);
            }
            return;
        };
        let page = Page {
            config: config.clone(),
            rooms: self.rooms.clone(),
            clock: site.clock.clone(),
            health: site.health.clone(),
            state_dir: site.begun_with.state_dir.clone(),
        };
        let reread = self.reread.subscribe();
        self.page.begin(config, |stop| page.run(reread, stop));
    }

    async fn begin_mqtt(&mut self, site: &SiteRuntime) {
        self.mqtt.config = site.config.mqtt.clone();
        let Some(config) = site.config.mqtt.clone() else {
            site.store.forget(MQTT);
            return;
        };
        if !register(&site.store, MQTT).await {
            return;
        }
        let outbox: Arc<dyn Outbox> = Arc::new(MqttOutbox(site.store.clone()));
        let (health, clock) = (site.health.clone(), site.clock.clone());
        self.mqtt.begin(config.clone(), |stop| {
            building::run(config, outbox, health, clock, stop)
        });
    }
}

/// A new subscriber begins with the next event: what happened before it was wanted is not told to it.
async fn register(store: &Store, subscriber: &'static str) -> bool {
    let store = store.clone();
    let registered = tokio::task::spawn_blocking(move || store.register(subscriber, Begin::Next)).await;
    match registered {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, subscriber, "the journal does not take this subscriber");
            false
        }
        Err(error) => {
            tracing::error!(%error, subscriber, "the journal does not take this subscriber");
            false
        }
    }
}

/// The adapter of a configuration; one that cannot be prepared is a fault.
fn platform(cloud: &CloudConfig, site: &SiteRuntime) -> Option<Arc<dyn Platform>> {
    let around = Around {
        vault: site.vault.clone(),
        clock: site.clock.clone(),
        zone: site.config.site.zone.clone(),
    };
    match platform::open(cloud, &around) {
        Ok(platform) => {
            site.health.clear("cloud_refused");
            platform
        }
        Err(error) => {
            site.health
                .raise("cloud_refused", error.to_string(), site.clock.now().at);
            None
        }
    }
}

struct WorldDoors(Arc<World>);

impl Doors for WorldDoors {
    fn swap(&self, index: Arc<Index>) {
        self.0.swap_index(index);
    }
    fn limits(&self, limits: Limits) {
        self.0.set_limits(limits);
    }
}

struct MqttOutbox(Store);

impl Outbox for MqttOutbox {
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, OutboxError> {
        self.0
            .events_after(seq, limit)
            .map_err(|error| OutboxError(error.to_string()))
    }
    fn cursor(&self) -> u64 {
        self.0.cursor(MQTT)
    }
    fn acknowledge(&self, seq: u64) -> Result<(), OutboxError> {
        self.0
            .acknowledge(MQTT, seq)
            .map_err(|error| OutboxError(error.to_string()))
    }
    fn wake(&self) -> watch::Receiver<u64> {
        self.0.committed()
    }
}
