//! The loop that lives with the tasks: signals, new configurations, the watchdog, the clock.

use super::{
    boot::{self, RunError, SiteRuntime},
    control::{Action, Control, ControlSocket, Done, Refused, StatusDoc},
    desk::DeskRoom,
    desk_routes, ks_connect, page, rooms,
    tasks::Tasks,
};
use crate::{
    clock::Clock,
    config::{self, Config, watch::ConfigWatch},
    domain::{EventKind, LineId, say::journal as say},
    doors::keeper::Signal,
    health::Health,
    platform::Platform,
    sync::{build, pull::Command, stale},
};
use sd_notify::NotifyState;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval},
};

/// A line whose thread took no turn for this long cannot answer a card.
const STUCK: Duration = Duration::from_secs(5);
/// How often the clock, the watchdog and the store are looked at.
const TURN: Duration = Duration::from_secs(1);

/// A served socket: the means to end it, and its task.
type Serving = (oneshot::Sender<()>, tokio::task::JoinHandle<()>);
type Reply = oneshot::Sender<Result<String, String>>;

/// Begins to watch the configuration. Without a watch a restart applies a change.
pub(super) fn watch(path: &Path) -> Option<ConfigWatch> {
    ConfigWatch::start(path)
        .inspect_err(|error| tracing::warn!(%error, "changes of the configuration are not seen"))
        .ok()
}

/// Lives until SIGTERM or SIGINT.
pub(super) async fn serve(mut site: SiteRuntime, mut watch: Option<ConfigWatch>) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Runtime)?;
    let mut tasks = Tasks::start(&site).await;
    let (commands, mut commanded) = mpsc::channel(8);
    let control = Arc::new(SiteControl {
        site: site.config.site_id.clone(),
        health: site.health.clone(),
        clock: site.clock.clone(),
        orders: commands,
        platform: tasks.platform(),
    });
    let desk = DeskRoom::open(&site, tasks.platform(), tasks.desk_readers().readers);
    let page = page::open(&site).await;
    let served = page
        .rooms(&site, control.clone(), &tasks, &desk.desk)
        .with(ks_connect::page_routes(tasks.ks()));
    tasks.serve_page(&site, served);
    let rooms = rooms::routes(&site, &tasks, &desk.desk)
        .merge(page.control_routes())
        .merge(desk_routes::routes(desk.desk.clone(), tasks.desk_readers()));
    let control = serve_control(&site, control, rooms);
    if let Some(text) = watch.as_ref().and_then(ConfigWatch::degraded) {
        site.health.raise("config_watch", text, site.clock.now().at);
    }
    let mut watchdog = Watchdog::default();
    let mut turn = interval(TURN);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A daemon that was not started by systemd has nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    tracing::info!(site = %site.config.site_id, "deciding");
    loop {
        let changed = async {
            match &mut watch {
                Some(watch) => drop(watch.changed().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = changed => drop(reload(&mut site, &mut tasks).await),
            Some(command) = commanded.recv() => obey(command, &mut site, &mut tasks).await,
            _ = turn.tick() => watchdog.turn(&site),
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    tracing::info!("ending: nothing that was answered is lost");
    if let Some((end, served)) = control {
        let _ = end.send(());
        let _ = tokio::time::timeout(TURN, served).await;
    }
    desk.close().await;
    tasks.stop().await;
    shut(site);
    Ok(())
}

/// Ends the threads in the order in which they depend on each other.
fn shut(site: SiteRuntime) {
    let SiteRuntime {
        store,
        lines,
        keeper,
        keeper_thread,
        clock,
        ..
    } = site;
    let _ = keeper.send(Signal::Stop);
    let _ = keeper_thread.join();
    drop(lines);
    boot::record(&store, &clock, EventKind::Stopped, None);
    store.note_time(clock.at_least());
    store.close();
}

/// What the control socket asks of the loop.
#[derive(Debug)]
enum Order {
    Now(Reply),
    Accept(Reply),
    Reload(Reply),
}

async fn obey(order: Order, site: &mut SiteRuntime, tasks: &mut Tasks) {
    match order {
        Order::Reload(reply) => {
            let _ = reply.send(reload(site, tasks).await);
        }
        Order::Now(reply) => forward(tasks, reply, Command::Now),
        Order::Accept(reply) => forward(tasks, reply, Command::Accept),
    }
}

/// A puller that waits for the cloud takes its commands later: this loop does not wait for it, as it feeds the watchdog.
fn forward(tasks: &Tasks, reply: Reply, command: impl FnOnce(Reply) -> Command) {
    match &tasks.puller {
        Some(puller) => {
            let (puller, command) = (puller.clone(), command(reply));
            tokio::spawn(async move { puller.send(command).await });
        }
        None => drop(reply.send(Err(
            "no cloud is configured: see [cloud] in the configuration".into(),
        ))),
    }
}

/// Reads the configuration again, and tells systemd meanwhile. A bad one is reported and the running one stays.
async fn reload(site: &mut SiteRuntime, tasks: &mut Tasks) -> Result<String, String> {
    let begun: Vec<_> = [Ok(NotifyState::Reloading), NotifyState::monotonic_usec_now()]
        .into_iter()
        .flatten()
        .collect();
    let _ = sd_notify::notify(&begun);
    tasks.reread_certificates();
    let outcome = take_over(site, tasks).await;
    // Ready again either way: the doors are decided by the old configuration or the new one.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    outcome
}

async fn take_over(site: &mut SiteRuntime, tasks: &mut Tasks) -> Result<String, String> {
    let next = match config::load(&site.path, &site.environment) {
        Ok(next) => Arc::new(next),
        Err(mut findings) => {
            findings.warnings.clear(); // they refuse nothing, and would stand before what does
            let text = format!("the new configuration is refused, the running one stays:\n{findings}");
            tracing::error!("{text}");
            site.health
                .raise("config_refused", text.clone(), site.clock.now().at);
            boot::record(&site.store, &site.clock, EventKind::ConfigRefused, None);
            return Err(text);
        }
    };
    site.health.clear("config_refused");
    if next == site.config {
        return Ok("nothing has changed".into());
    }
    let before = std::mem::replace(&mut site.config, Arc::clone(&next));
    // Before anything is worked out by it: what the desk does meanwhile is by the new one too.
    site.shown.send_replace(Arc::clone(&next));
    if needs_restart(&site.begun_with, &next) {
        let text =
            "[paths], [journal] and [clock] rtc take effect at the next start: systemctl restart doorward";
        site.health.raise("restart_needed", text, site.clock.now().at);
    } else {
        site.health.clear("restart_needed");
    }
    // The facts in force by the new groups and mapping, whether the cloud answers or not, and in the same swap as the
    // readers' places: a presentation sees all of the old or all of the new.
    bind_worked_out_again(site).await;
    let known = stale::Known::new(site.clock.now(), site.last_trusted, site.clock.monotonic());
    site.world
        .set_limits(stale::limits(&next, site.store.last_contact(), known));
    site.lines.reconfigure(&next.lines, &next.doors);
    let _ = site
        .keeper
        .send(Signal::Reconfigure(Box::new(Config::clone(&next))));
    tasks.reconfigure(site, &before).await;
    boot::record(&site.store, &site.clock, EventKind::ConfigApplied, None);
    for warning in &next.warnings {
        tracing::warn!("{warning}");
    }
    tracing::info!("the new configuration is in force");
    Ok("the new configuration is in force".into())
}

/// Whether something differs that only a start reads.
fn needs_restart(begun_with: &Config, next: &Config) -> bool {
    let fixed = |config: &Config| {
        (
            config.state_dir.clone(),
            config.runtime_dir.clone(),
            config.vault_key.clone(),
            config.journal.clone(),
            config.clock.rtc,
        )
    };
    fixed(begun_with) != fixed(next)
}

/// Without facts, or with some that cannot be read, the index in force stays.
async fn bind_worked_out_again(site: &SiteRuntime) {
    let (store, config, world) = (
        site.store.clone(),
        Arc::clone(&site.config),
        Arc::clone(&site.world),
    );
    let job = move || {
        let _turn = store.in_turn();
        let index = match build::rebuild(store.read(), &config) {
            Ok(built) => built.map(|(_, built)| Arc::new(built.index)),
            Err(error) => {
                tracing::error!(%error, "the facts could not be worked out by the new configuration");
                None
            }
        };
        world.bind(&config, index);
    };
    if let Err(error) = tokio::task::spawn_blocking(job).await {
        tracing::error!(%error, "the facts could not be worked out by the new configuration");
        site.world.bind(&site.config, None);
    }
}

/// Feeds systemd's watchdog while decisions are possible, and notices what changes slowly.
#[derive(Default)]
struct Watchdog {
    trusted: Option<bool>,
    faults: BTreeSet<String>,
}

impl Watchdog {
    fn turn(&mut self, site: &SiteRuntime) {
        site.clock.refresh();
        let now = site.clock.now();
        site.store.note_time(site.clock.at_least());
        self.clock_changed(site, now.trusted);
        site.health.section("store", &site.store.health());
        self.faults_changed(site);
        if decides(site) {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }

    fn clock_changed(&mut self, site: &SiteRuntime, trusted: bool) {
        if self.trusted == Some(trusted) {
            return;
        }
        let text = if site.clock.rtc_is_behind() {
            "the time is not known for certain: no network time since the start, and the battery clock says an earlier time \
             than the last one on disk; replace its battery, and bring the network back"
        } else {
            "the time is not known for certain: no network time since the start, and no battery clock is configured"
        };
        match trusted {
            true => drop(site.health.clear("clock_untrusted")),
            false => drop(site.health.raise("clock_untrusted", text, site.clock.now().at)),
        }
        let detail = if trusted {
            say::time_trusted()
        } else {
            say::time_untrusted()
        };
        if self.trusted.is_some() || !trusted {
            boot::record(
                &site.store,
                &site.clock,
                EventKind::ClockChanged,
                Some(detail.into()),
            );
        }
        site.health
            .section("clock", &serde_json::json!({ "trusted": trusted }));
        self.trusted = Some(trusted);
    }

    /// Faults that have no event of their own are journalled when they begin and end.
    fn faults_changed(&mut self, site: &SiteRuntime) {
        let has_own_event = |key: &str| {
            [
                "reader_offline:",
                "reader_tamper:",
                "door_",
                "snapshot_held",
                "clock_untrusted",
                "config_refused",
                "ks_battery:",
                "ks_lock_offline:",
            ]
            .iter()
            .any(|own| key.starts_with(own))
        };
        let now: BTreeSet<String> = site
            .health
            .doc()
            .faults
            .into_iter()
            .map(|fault| fault.key)
            .filter(|key| !has_own_event(key))
            .collect();
        for begun in now.difference(&self.faults) {
            boot::record(
                &site.store,
                &site.clock,
                EventKind::Fault,
                Some(say::fault_began(begun).into()),
            );
        }
        for ended in self.faults.difference(&now) {
            boot::record(
                &site.store,
                &site.clock,
                EventKind::Fault,
                Some(say::fault_ended(ended).into()),
            );
        }
        self.faults = now;
    }
}

/// The lines whose threads took no turn lately.
fn stuck(heartbeats: Vec<(LineId, Duration)>, now: Duration) -> Vec<LineId> {
    let late = |(_, beat): &(LineId, Duration)| now.saturating_sub(*beat) >= STUCK;
    heartbeats
        .into_iter()
        .filter(late)
        .map(|(line, _)| line)
        .collect()
}

/// Whether a card at any line would be answered now.
fn decides(site: &SiteRuntime) -> bool {
    let stuck = stuck(site.lines.heartbeats(), site.clock.monotonic());
    for line in &stuck {
        tracing::error!(%line, "the line's thread is stuck");
    }
    stuck.is_empty() && !site.keeper_thread.is_finished() && site.world.can_decide(site.clock.now())
}

/// The socket of the command line. Without it the doors go on; the commands say that they do not reach it.
fn serve_control(site: &SiteRuntime, control: Arc<dyn Control>, rooms: axum::Router) -> Option<Serving> {
    match ControlSocket::bind(&site.config.runtime_dir) {
        Ok(socket) => {
            let (end, ended) = oneshot::channel();
            let task = tokio::spawn(async move {
                if let Err(error) = socket.serve(control, rooms, async { drop(ended.await) }).await {
                    tracing::error!(%error, "the control socket ended");
                }
            });
            Some((end, task))
        }
        Err(error) => {
            site.health
                .raise("control_socket", error.to_string(), site.clock.now().at);
            None
        }
    }
}

struct SiteControl {
    site: String,
    health: Health,
    clock: Clock,
    orders: mpsc::Sender<Order>,
    platform: watch::Receiver<Option<Arc<dyn Platform>>>,
}

impl SiteControl {
    fn ask(&self, order: impl FnOnce(Reply) -> Order + Send + 'static) -> Action<'_> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let ending = || Refused {
                message: "the gateway is ending".into(),
                hint: String::new(),
            };
            self.orders.send(order(reply)).await.map_err(|_| ending())?;
            match answer.await.map_err(|_| ending())? {
                Ok(message) => Ok(Done { message }),
                Err(message) => Err(Refused {
                    message,
                    hint: String::new(),
                }),
            }
        })
    }
}

impl Control for SiteControl {
    fn status(&self) -> StatusDoc {
        let mut doc = StatusDoc::new(&self.site, self.clock.monotonic().as_secs(), self.health.doc());
        // As they stand now: within a minute all of them are others.
        let budgets = self.platform.borrow().as_ref().map(|platform| platform.budgets());
        if let Some(budgets) = budgets.filter(|budgets| !budgets.is_empty()) {
            doc.sections.insert("budgets".into(), serde_json::json!(budgets));
        }
        doc
    }
    fn sync_now(&self) -> Action<'_> {
        self.ask(Order::Now)
    }
    fn sync_accept(&self) -> Action<'_> {
        self.ask(Order::Accept)
    }
    fn reload(&self) -> Action<'_> {
        self.ask(Order::Reload)
    }
}
