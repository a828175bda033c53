//! SALTO KS, simulated: identity, Connect v1.1 and v1.2, entries and the SignalR hub, with the manners that were
//! measured at a test site in 2026, in memory, with faults on request. It decides too: what a lock does with a tag follows
//! from its own groups, members and schedules.
//!
//! It runs on a thread and a runtime of its own, with a clock that can be set. Dropping the handle stops it.
//!
//! | file | what |
//! | --- | --- |
//! | `state` | what KS knows, and who asked for what |
//! | `identity` | tokens for an hour, refresh tokens for one use, codes with PKCE |
//! | `api` | one request: who may, where it goes, which version |
//! | `reply` | answers and refusals, bodies that must be as they should |
//! | `lists` | filters and orders that are understood or refused, a bare array or pages |
//! | `sites` | sites, subscription, roles |
//! | `users` | people with two ids, guests, keys, tags |
//! | `groups` | access groups with members, locks and schedules |
//! | `hardware` | locks and IQs, registration of tags, remote opening |
//! | `entries` | entries with continuation tokens, for ninety days |
//! | `hub` | SignalR |
//! | `decide` | what a lock does |
//! | `ear` | somebody else at the stream |
//! | `faults` | what goes wrong, and how it answers where its answers differ |
//! | `seed` | the site as it is at first |
//! | `desk` | what staff do by hand, and what a scenario looks at |
//! | `server` | sockets |
//! | `tests`, `door_tests`, `stream_tests` | its own quirks, each shown |

mod api;
mod decide;
mod desk;
#[cfg(test)]
mod door_tests;
mod ear;
mod entries;
mod faults;
mod groups;
mod hardware;
mod hub;
mod identity;
mod lists;
mod reply;
mod seed;
mod server;
mod sites;
mod state;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
mod users;

pub use decide::Did;
pub use ear::Ear;
pub use faults::{Codes, Faults, Manners, Shape, Trap};
pub use hardware::otp;
pub use hub::stream_query;
pub use identity::{CLIENT, CLIENT_SECRET, LASTS, PASSWORD, USERNAME};
pub use seed::{CLEANER, CLEANER_TAG, CLEANERS, LOCKS};
pub use sites::SITE_UID;
pub use state::{Asked, Entry, Group, Iq, Lock, Member, OtherSite, Schedule, Spreading, State, Tag, User};

use server::Host;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A running SALTO KS.
pub struct Ks {
    shared: Arc<Mutex<State>>,
    addresses: [SocketAddr; 3],
    tls: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ks {
    /// Starts listening, with the default site.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> io::Result<Self> {
        Self::listening(None)
    }

    /// The same with TLS at every address. The host is `localhost` then.
    ///
    /// # Errors
    /// The same.
    pub fn start_tls(config: Arc<rustls::ServerConfig>) -> io::Result<Self> {
        Self::listening(Some(config.into()))
    }

    fn listening(tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>((listener.local_addr()?, listener))
        };
        let (identity, api, stream) = (listen()?, listen()?, listen()?);
        let addresses = [identity.0, api.0, stream.0];
        let listeners = vec![
            (Host::Identity, identity.1),
            (Host::Api, api.1),
            (Host::Stream, stream.1),
        ];
        let mut state = State::default();
        seed::site(&mut state);
        let shared = Arc::new(Mutex::new(state));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let has_tls = tls.is_some();
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("salto-ks".into())
            .spawn(move || runtime.block_on(server::run(listeners, tls, serving, stopped)))?;
        Ok(Self {
            shared,
            addresses,
            tls: has_tls,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address of identity.
    #[must_use]
    pub fn identity_url(&self) -> String {
        self.address(0)
    }

    /// The address of Connect.
    #[must_use]
    pub fn url(&self) -> String {
        self.address(1)
    }

    /// The address of the stream.
    #[must_use]
    pub fn stream_url(&self) -> String {
        self.address(2)
    }

    fn address(&self, which: usize) -> String {
        let at = self.addresses.get(which).copied();
        let port = at.map_or(0, |at| at.port());
        if self.tls {
            format!("https://localhost:{port}")
        } else {
            format!("http://127.0.0.1:{port}")
        }
    }

    /// Looks at what it knows, or changes it without a word to anybody.
    pub fn with<T>(&self, job: impl FnOnce(&mut State) -> T) -> T {
        job(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Ks {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // it may be gone already
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}
