//! From a configuration to doors that are decided. Nothing here waits for a network.

use super::{gate::SiteGate, lockdown};
use crate::{
    access::Index,
    clock::Clock,
    config::{self, Config, Environment, Findings},
    domain::{EventKind, Millis, event::Draft, say::journal as say},
    doors::{
        answer::{Answerer, Recorder},
        keeper::{Keeper, Signal, Strikes},
        world::World,
    },
    health::Health,
    memory,
    platform::vault::Vault,
    readers::Lines,
    store::{self, SnapshotMeta, Store, StoreError, StoreOptions},
    sync::{build, stale},
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::watch;

/// Why the gateway cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration is wrong: all of its mistakes.
    #[error("{0}")]
    Config(Findings),
    /// The state cannot be used at all.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// No runtime, no thread, no socket.
    #[error("the system gives no thread or socket: {0}")]
    Runtime(std::io::Error),
}

/// A gateway that decides.
pub(super) struct SiteRuntime {
    pub(super) path: PathBuf,
    pub(super) environment: Environment,
    pub(super) config: Arc<Config>,
    /// The same, for tasks that outlive a configuration.
    pub(super) shown: watch::Sender<Arc<Config>>,
    /// What this run began with: some of it cannot change while it runs.
    pub(super) begun_with: Arc<Config>,
    pub(super) store: Store,
    /// Tokens that outlive a restart: one for all, so that no two write the same file.
    pub(super) vault: Vault,
    /// What the start found in force.
    pub(super) stored: Option<SnapshotMeta>,
    pub(super) world: Arc<World>,
    pub(super) clock: Clock,
    /// The last trusted time on disk at the start: a proof of age while the clock is not trusted.
    pub(super) last_trusted: Option<Millis>,
    pub(super) health: Health,
    pub(super) lines: Arc<Lines>,
    pub(super) keeper: Sender<Signal>,
    pub(super) keeper_thread: JoinHandle<()>,
}

/// Starts everything that a decision needs, in the order in which it is needed.
pub(super) fn boot(path: &Path, environment: &Environment) -> Result<SiteRuntime, RunError> {
    let config = Arc::new(config::load(path, environment).map_err(RunError::Config)?);
    let health = Health::default();
    let clock = clock(&config);
    let options = StoreOptions {
        max_events: config.journal.max_events,
        ..StoreOptions::new(&config.state_dir, &config.runtime_dir)
    };
    let (store, recovered) = Store::open(&options, &clock, &health)?;
    if recovered.from_ring > 0 {
        tracing::info!(
            events = recovered.from_ring,
            "events of the last run follow from the ring"
        );
    }
    for warning in &recovered.warnings {
        tracing::warn!("{warning}");
    }
    let last_trusted = store.read().last_trusted_time().ok().flatten();
    let known = stale::Known::new(clock.now(), last_trusted, clock.monotonic());
    let limits = stale::limits(&config, store.last_contact(), known);
    let world = Arc::new(World::new(&config, limits));
    lockdown::restore(&store, &world, &health, &clock);
    let stored = load_index(&store, &config, &world, &health, &clock);

    let recorder: Arc<dyn Recorder> = Arc::new(store.clone());
    record(
        &store,
        &clock,
        EventKind::Started,
        Some(say::gateway_version(env!("CARGO_PKG_VERSION")).into()),
    );
    let (keeper, signals) = mpsc::channel();
    let answerer = Answerer::new(
        Arc::clone(&world),
        Arc::clone(&recorder),
        clock.clone(),
        keeper.clone(),
    );
    let gate = SiteGate {
        answerer,
        recorder: Arc::clone(&recorder),
        keeper: keeper.clone(),
        clock: clock.clone(),
        health: health.clone(),
    };
    crate::readers::bridge_logs(tracing::enabled!(target: "doorward::osdp", tracing::Level::DEBUG));
    let lines = Arc::new(Lines::start(
        &config.lines,
        &config.doors,
        Arc::new(gate),
        clock.clone(),
        health.clone(),
    ));
    let strikes = Box::new(LineStrikes(Arc::clone(&lines)));
    let machines = Keeper::new(
        &config,
        Arc::clone(&world),
        recorder,
        strikes,
        clock.clone(),
        health.clone(),
    );
    let keeper_thread = std::thread::Builder::new()
        .name("doors".into())
        .spawn(move || machines.run(&signals))
        .map_err(RunError::Runtime)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let (path, environment) = (path.to_owned(), environment.clone());
    let vault = vault(&config, &health, &clock);
    Ok(SiteRuntime {
        path,
        environment,
        begun_with: Arc::clone(&config),
        shown: watch::Sender::new(Arc::clone(&config)),
        config,
        store,
        vault,
        stored,
        world,
        clock,
        last_trusted,
        health,
        lines,
        keeper,
        keeper_thread,
    })
}

/// The tokens. Those that cannot be read are a fault and hold nothing up: every login begins anew.
fn vault(config: &Config, health: &Health, clock: &Clock) -> Vault {
    let vault = Vault::keyed(&config.state_dir, config.vault_key.as_ref());
    if let Err(error) = vault.check() {
        health.raise("vault_unreadable", error.to_string(), clock.now().at);
    }
    vault
}

/// The clock, never earlier than the last time on disk while it is not trusted.
fn clock(config: &Config) -> Clock {
    Clock::system(
        config.clock.rtc,
        store::time_floor(&config.state_dir).unwrap_or(0),
    )
}

/// Puts the stored index in force. A store that cannot be read is a fault, not an end: the first pull mends it.
fn load_index(
    store: &Store,
    config: &Config,
    world: &World,
    health: &Health,
    clock: &Clock,
) -> Option<SnapshotMeta> {
    match build::stored_index(store.read(), config) {
        Ok(Some(stored)) => {
            if stored.reworked {
                keep(store, &stored.index);
                memory::give_back();
            }
            world.swap_index(Arc::new(stored.index));
            Some(stored.meta)
        }
        Ok(None) => {
            tracing::info!("no facts yet: every card is refused until the first pull");
            None
        }
        Err(error) => {
            let text =
                format!("the last facts cannot be read, so nobody is known until the cloud answers: {error}");
            health.raise("snapshot_unreadable", text, clock.now().at);
            None
        }
    }
}

/// An index that had to be worked out again is kept, so that the next start need not.
fn keep(store: &Store, index: &Index) {
    if let Err(error) = store.replace_image(&index.to_image()) {
        tracing::warn!(%error, "the index of the new configuration is not on disk");
    }
}

/// Journals something that concerns the whole gateway.
pub(super) fn record(store: &Store, clock: &Clock, kind: EventKind, detail: Option<String>) {
    let now = clock.now();
    store.record(&Draft {
        detail,
        ..Draft::new(kind, now.at, now.quality())
    });
}

/// Strikes that hang on the lines.
struct LineStrikes(Arc<Lines>);

impl Strikes for LineStrikes {
    fn release(&self, output: &crate::config::model::OutputRef, hold: Duration) {
        if !self.0.output(output, hold) {
            tracing::warn!(reader = %output.reader, "no line has this device: the door stayed secured");
        }
    }
}
