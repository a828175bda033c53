//! OfficeRnD Flex, simulated: the paths, tokens, paging, refusals and times of API v2 as its documentation and its
//! clients show them, in memory, with faults on request.
//!
//! It runs on a thread and a runtime of its own. Dropping the handle stops it.
//!
//! | file | what |
//! | --- | --- |
//! | `state` | what the platform knows, and who asked for what |
//! | `identity` | tokens: five requests a minute, scopes that are granted or not |
//! | `lists` | lists with cursors, filters that are known or refused |
//! | `occurrences` | bookings with their repeats expanded |
//! | `checkins` | check-ins with their refusals, check-outs at midnight |
//! | `writes` | members' properties, web hooks' addresses |
//! | `api` | one request: who may, where it goes |
//! | `faults` | what goes wrong |
//! | `hooks` | signed web hooks on their way |
//! | `seed` | the space as it is at first |
//! | `office` | the neutral words of `Office` |
//! | `server` | sockets |

mod api;
mod checkins;
mod faults;
mod hooks;
mod identity;
mod lists;
mod occurrences;
mod office;
mod seed;
mod server;
mod state;
mod writes;

pub use faults::Faults;
pub use office::HOOK_SECRET;
pub use state::Asked;

use serde_json::Value;
use state::State;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// The organization's name in its addresses.
pub const ORGANIZATION: &str = "riverside";
/// The client that it knows.
pub const CLIENT: &str = "doorward-client";
/// That client's secret.
pub const CLIENT_SECRET: &str = "officernd-test-secret";
/// The custom property that holds card numbers.
pub const CARD_PROPERTY: &str = "CardNumber";

/// A running OfficeRnD.
pub struct OfficeRnd {
    shared: Arc<Mutex<State>>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OfficeRnd {
    /// Starts listening, with the default space.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut state = State::default();
        seed::space(&mut state);
        let shared = Arc::new(Mutex::new(state));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("officernd".into())
            .spawn(move || runtime.block_on(server::run(listener, serving, stopped)))?;
        Ok(Self {
            shared,
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The base address, of the API and of the token endpoint alike.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at what it knows, or changes it without a word to anybody.
    pub fn with<T>(&self, job: impl FnOnce(&mut State) -> T) -> T {
        job(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets what goes wrong from now on. `Faults::default()` ends all of it.
    pub fn faults(&self, faults: Faults) {
        self.with(|state| state.faults = faults);
    }

    /// Adds an object to a collection, as staff would: it gets an id, and web hooks are sent. Its id.
    pub fn add(&self, collection: &'static str, row: Value) -> String {
        let (id, messages) = self.with(|state| {
            let id = state.insert(collection, row);
            (id.clone(), hooks::messages(state, collection, "created", &id))
        });
        hooks::send(messages);
        id
    }

    /// Changes an object of a collection.
    pub fn change(&self, collection: &'static str, id: &str, change: impl FnOnce(&mut Value)) {
        let messages = self.with(|state| {
            state.update(collection, id, change);
            hooks::messages(state, collection, "updated", id)
        });
        hooks::send(messages);
    }

    /// Removes an object of a collection.
    pub fn remove(&self, collection: &'static str, id: &str) {
        let messages = self.with(|state| {
            let messages = hooks::messages(state, collection, "removed", id);
            state.remove(collection, id);
            messages
        });
        hooks::send(messages);
    }

    /// The id of an object by its name. Empty when there is none.
    #[must_use]
    pub fn id_of(&self, collection: &'static str, name: &str) -> String {
        self.with(|state| state.named(collection, name))
    }

    /// Everything that was asked since the start.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.with(|state| state.asked.clone())
    }

    /// How often something was asked of a path, `/members` say, or of what lies below it, since the start.
    #[must_use]
    pub fn asked_for(&self, method: &str, path: &str) -> usize {
        let below = format!("{}/", path.trim_end_matches('/'));
        self.with(|state| {
            let of = state.asked.iter().filter(|asked| asked.method == method);
            of.filter(|asked| asked.path == path || asked.path.starts_with(&below))
                .count()
        })
    }

    /// The newest web hook as it was sent: the value of `officernd-signature`, and the body.
    #[must_use]
    pub fn last_hook(&self) -> Option<(String, String)> {
        self.with(|state| state.sent.last().cloned())
    }

    /// Sets its clock, Unix milliseconds; it goes on from there.
    pub fn set_clock(&self, at: i64) {
        self.with(|state| state.set_by += at - state.server_now());
    }

    /// Every token is forgotten: the next request with one is answered 401.
    pub fn forget_tokens(&self) {
        self.with(|state| state.tokens.clear());
    }

    /// Takes a scope from the client, of tokens that are about as well.
    pub fn revoke(&self, scope: &str) {
        self.with(|state| {
            state.granted.remove(scope);
        });
    }

    /// Gives a scope to the client.
    pub fn grant(&self, scope: &str) {
        self.with(|state| {
            state.granted.insert(scope.to_owned());
        });
    }
}

impl Drop for OfficeRnd {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // it may be gone already
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}
