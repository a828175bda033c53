//! The gateway's own page: listens where `[page]` says, over TLS, and serves what the rooms put there.
//!
//! | file | what |
//! | --- | --- |
//! | `certificate` | of the configuration, or of its own |
//! | `headers` | what every answer carries, how large a request may be |

mod certificate;
mod headers;

use super::listen::{self, Limits};
use crate::{clock::Clock, config::model::PageConfig, health::Health};
use axum::{Router, middleware};
use certificate::Certificate;
use headers::Strict;
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

/// Nobody can reach the page.
const UNREACHABLE: &str = "page_unreachable";
/// The faults of the page.
pub const FAULTS: [&str; 1] = [UNREACHABLE];
/// How often certificate and port are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A port that is taken is tried again after so long.
const AGAIN: Duration = Duration::from_secs(10);
/// A browser makes up to six connections and may hold a stream of events for hours; a desk has a handful of browsers.
const LIMITS: Limits = Limits {
    at_once: 64,
    of_one: 32,
    longest: Duration::from_secs(12 * 3600),
};

/// What is served: each room adds the routes that it answers. A path belongs to one room: the page's own are `/`,
/// `/signin`, `/assets/…` and `/api/v1/…`; SALTO KS has `/ks/…`.
#[derive(Clone, Debug, Default)]
pub struct Rooms(Router);

impl Rooms {
    /// With the routes of one more room.
    #[must_use]
    pub fn with(self, routes: Router) -> Self {
        Self(self.0.merge(routes))
    }
}

/// What the task needs.
pub struct Page {
    /// `[page]`.
    pub config: PageConfig,
    /// What is served.
    pub rooms: Rooms,
    /// For the time of faults.
    pub clock: Clock,
    /// For faults and the address.
    pub health: Health,
    /// Where its own certificate is kept.
    pub state_dir: PathBuf,
}

#[derive(Serialize)]
struct Shown<'a> {
    listening: Option<SocketAddr>,
    /// `own` or `configured`.
    certificate: &'static str,
    /// SHA-256, to compare with what the browser shows.
    fingerprint: Option<&'a str>,
}

impl Page {
    /// Runs until `stop` says so. `reread` asks for the certificate's files to be read again; a file that changed is
    /// noticed anyway.
    pub async fn run(self, mut reread: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let mut certificate = Certificate::new(&self.config, &self.state_dir);
        let router = self.router(&certificate);
        let mut listening = None;
        // Dropped with everything in it when this ends.
        let mut tasks = JoinSet::new();
        let mut next_bind = Instant::now();
        loop {
            let asked = reread.has_changed().unwrap_or(false);
            reread.mark_unchanged();
            self.refresh(&mut certificate, asked);
            if certificate.is_usable() && listening.is_none() && Instant::now() >= next_bind {
                next_bind = Instant::now() + AGAIN;
                if let Some((address, listener)) = self.bind(&certificate).await {
                    tasks.spawn(listen::serve(
                        listener,
                        router.clone(),
                        certificate.watch(),
                        LIMITS,
                    ));
                    listening = Some(address);
                }
            }
            self.health.section(
                "page",
                &Shown {
                    listening,
                    certificate: if certificate.own { "own" } else { "configured" },
                    fingerprint: certificate.fingerprint.as_deref(),
                },
            );
            tokio::select! {
                () = sleep(LOOK) => {}
                changed = reread.changed() => if changed.is_ok() { reread.mark_changed() },
                _ = stop.changed() => return,
            }
        }
    }

    fn router(&self, certificate: &Certificate) -> Router {
        let strict = Strict(!certificate.own);
        let Rooms(rooms) = self.rooms.clone();
        rooms
            .layer(middleware::from_fn(headers::bounded))
            .layer(middleware::from_fn_with_state(strict, headers::secure))
    }

    async fn bind(&self, certificate: &Certificate) -> Option<(SocketAddr, TcpListener)> {
        let bound = TcpListener::bind(self.config.listen).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok(bound) => {
                self.health.clear(UNREACHABLE);
                let fingerprint = certificate.fingerprint.as_deref().unwrap_or_default();
                tracing::info!(address = %bound.0, %fingerprint, "the page is served");
                Some(bound)
            }
            Err(error) => {
                let text = format!(
                    "the page cannot be reached: {} cannot be listened at ({error}). Change [page] listen, or end what holds \
                     that port; it is tried again",
                    self.config.listen
                );
                self.health.raise(UNREACHABLE, text, self.clock.now().at);
                None
            }
        }
    }

    fn refresh(&self, certificate: &mut Certificate, asked: bool) {
        match certificate.refresh(asked) {
            None => {}
            Some(Ok(())) => drop(self.health.clear(UNREACHABLE)),
            Some(Err(error)) => {
                let meanwhile = if certificate.is_usable() {
                    "the last one is still in use"
                } else {
                    "no page is served"
                };
                let text = format!("the certificate of [page] is no use, {meanwhile}: {error}");
                self.health.raise(UNREACHABLE, text, self.clock.now().at);
            }
        }
    }
}

/// Text that a browser takes for text.
pub(in crate::web) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
