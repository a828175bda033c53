//! The task: listens, tells the platform where, rereads the certificate when it is another one.

use super::{
    hooks::{self, Desk},
    listen,
    replays::Replays,
};
use crate::{
    clock::Clock,
    config::model::HooksConfig,
    domain::{Millis, time::DAY_MS},
    health::Health,
    platform::{Hint, Platform},
};
use rustls::ServerConfig;
use serde::Serialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use url::Url;

/// Where hints go. Must return at once.
pub type Forward = Arc<dyn Fn(Vec<Hint>) + Send + Sync>;

/// Nobody can reach the receiver.
const UNREACHABLE: &str = "hooks_unreachable";
/// The platform could not be told where to send web hooks.
const NOT_SUBSCRIBED: &str = "hooks_not_subscribed";
/// Web hooks came that are not to be believed.
const REFUSED: &str = "hook_refused";
/// The faults of the receiver.
pub const FAULTS: [&str; 3] = [UNREACHABLE, NOT_SUBSCRIBED, REFUSED];
/// How often health, certificate and port are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A port that is taken, or a platform that was not told, is tried again after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// The platform is reminded so often.
const REMIND: Duration = Duration::from_secs(86_400);
/// A refused web hook is shown for so long after the last one.
const SHOWN: Millis = DAY_MS;

/// What the task needs.
pub struct Receiver {
    /// `[hooks]`.
    pub config: HooksConfig,
    /// Who understands web hooks.
    pub platform: Arc<dyn Platform>,
    /// Where hints go.
    pub forward: Forward,
    /// For the time of arrival.
    pub clock: Clock,
    /// For faults and figures.
    pub health: Health,
    /// Where deliveries are remembered over a restart.
    pub runtime_dir: PathBuf,
}

#[derive(Serialize)]
struct Shown<'a> {
    listening: Option<SocketAddr>,
    tls: bool,
    /// When the platform was last told the address, Unix milliseconds; absent where a person does that.
    subscribed: Option<Millis>,
    #[serde(flatten)]
    counts: &'a hooks::Counts,
}

/// When the platform was last told where web hooks go, Unix milliseconds.
type Told = Arc<Mutex<Option<Millis>>>;

/// What a certificate's files looked like when they were read.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl Receiver {
    /// Runs until `stop` says so. `reread` asks for the certificate's files to be read again.
    pub async fn run(self, mut reread: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let replays = Replays::open(&self.runtime_dir);
        let desk = Arc::new(Desk::new(
            Arc::clone(&self.platform),
            Arc::clone(&self.forward),
            self.clock.clone(),
            &self.config.path_secret,
            replays,
        ));
        let (certificate, tls) = watch::channel(None);
        let mut stamps = Stamps::default();
        let mut listening: Option<SocketAddr> = None;
        // Dropped with everything in it when this ends.
        let mut tasks = JoinSet::new();
        let told = Told::default();
        let mut next_bind = Instant::now();
        loop {
            let asked = reread.has_changed().unwrap_or(false);
            reread.mark_unchanged();
            let usable = self.certificate(&certificate, &mut stamps, asked);
            if usable && listening.is_none() && Instant::now() >= next_bind {
                next_bind = Instant::now() + AGAIN;
                if let Some((address, listener)) = self.bind().await {
                    let router = hooks::router(Arc::clone(&desk));
                    tasks.spawn(listen::serve(listener, router, tls.clone(), listen::HOOKS));
                    if let Some(public) = public_address(&self.config) {
                        let (platform, health) = (Arc::clone(&self.platform), self.health.clone());
                        tasks.spawn(subscribe(
                            platform,
                            public,
                            self.clock.clone(),
                            health,
                            Arc::clone(&told),
                        ));
                    }
                    listening = Some(address);
                }
            }
            let at = *told.lock().unwrap_or_else(PoisonError::into_inner);
            self.show(&desk, listening, at);
            tokio::select! {
                () = sleep(LOOK) => {}
                changed = reread.changed() => if changed.is_ok() { reread.mark_changed() },
                _ = stop.changed() => return,
            }
        }
    }

    async fn bind(&self) -> Option<(SocketAddr, TcpListener)> {
        let bound = TcpListener::bind(self.config.listen).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok(bound) => {
                self.health.clear(UNREACHABLE);
                tracing::info!(address = %bound.0, "listening for web hooks");
                Some(bound)
            }
            Err(error) => {
                let text = format!(
                    "web hooks cannot arrive: {} cannot be listened at ({error}); the cloud is asked every minute or so all \
                     the same. Change [hooks] listen, or end what holds that port",
                    self.config.listen
                );
                self.health.raise(UNREACHABLE, text, self.clock.now().at);
                None
            }
        }
    }

    /// Sees to it that the certificate in use is the one on disk. False while there is none to use.
    fn certificate(
        &self,
        current: &watch::Sender<Option<Arc<ServerConfig>>>,
        stamps: &mut Stamps,
        asked: bool,
    ) -> bool {
        let Some((cert, key)) = &self.config.tls else {
            return true; // plain: loopback only, as the configuration has it
        };
        let now = [stamp(cert), stamp(key)];
        if *stamps == now && !asked {
            return current.borrow().is_some();
        }
        *stamps = now;
        match listen::certificate(cert, key) {
            Ok(config) => {
                current.send_replace(Some(Arc::new(config)));
                self.health.clear(UNREACHABLE);
                true
            }
            Err(error) => {
                let still = current.borrow().is_some();
                let meanwhile = if still {
                    "the last one is still in use"
                } else {
                    "no web hook arrives"
                };
                let text = format!("the certificate of [hooks] is no use, {meanwhile}: {error}");
                self.health.raise(UNREACHABLE, text, self.clock.now().at);
                still
            }
        }
    }

    fn show(&self, desk: &Desk, listening: Option<SocketAddr>, subscribed: Option<Millis>) {
        let counts = desk.counts().clone();
        let now = self.clock.now().at;
        match &counts.last_refused {
            Some((at, why)) if now.saturating_sub(*at) < SHOWN => {
                let text = format!(
                    "a web hook to the secret address was not believed: {why} ({} since the start). Compare the secret that \
                     signs them with the platform's; changes are noticed at the next poll meanwhile",
                    counts.refused
                );
                self.health.raise(REFUSED, text, *at);
            }
            _ => drop(self.health.clear(REFUSED)),
        }
        self.health.section(
            "hooks",
            &Shown {
                listening,
                tls: self.config.tls.is_some(),
                subscribed,
                counts: &counts,
            },
        );
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// What the platform is told to call; absent where a person tells it.
fn public_address(config: &HooksConfig) -> Option<Url> {
    let mut url = config.public_url.clone()?;
    let secret = config.path_secret.reveal();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["hooks", secret]);
    Some(url)
}

/// Tells the platform where web hooks go, and reminds it daily.
async fn subscribe(platform: Arc<dyn Platform>, address: Url, clock: Clock, health: Health, at: Told) {
    loop {
        let pause = match platform.subscribe(&address).await {
            Ok(()) => {
                health.clear(NOT_SUBSCRIBED);
                *at.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock.now().at);
                REMIND
            }
            Err(error) => {
                let text = format!(
                    "the platform could not be told where to send web hooks, so changes are noticed at the next poll: {error}"
                );
                health.raise(NOT_SUBSCRIBED, text, clock.now().at);
                AGAIN
            }
        };
        sleep(pause).await;
    }
}
