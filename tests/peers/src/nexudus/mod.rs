//! A simulated Nexudus: its back-office REST interface with logins, partial lists, throttling by 409 and failures in a
//! 200, its signed web hooks, and Custom ACS. Written from the platform's documentation, not from any client.
//!
//! | file | what |
//! | --- | --- |
//! | `tables` | entities, filters, pages |
//! | `state` | what it knows, and what was asked |
//! | `api` | the requests |
//! | `check_in` | who may check in, and on which pass |
//! | `hooks` | what it sends |
//! | `world` | the space that it begins with |
//! | `office` | what its staff do |
//! | `faults` | what goes wrong |

mod api;
mod check_in;
mod faults;
mod hooks;
mod office;
mod state;
mod tables;
mod world;

pub use faults::Faults;
pub use hooks::{Delivery, request};
pub use state::Request;
pub use tables::Row;

use crate::cloud::{Line, server};
use serde_json::Value;
use state::Shared;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};
use tokio::sync::watch;

/// The gateway's user.
pub const USER: &str = "doorward@example.com";
/// Its password.
pub const PASSWORD: &str = "correct horse";
/// The location's number.
pub const BUSINESS: u64 = 1_414;
/// Another location of the same network.
pub const ELSEWHERE: u64 = 1_415;
/// The location's zone.
pub const ZONE: &str = "Europe/Madrid";
/// What web hooks are signed with.
pub const HOOK_SECRET: &str = "hook secret of the space";
/// What Custom ACS shows.
pub const ACS_TOKEN: &str = "acs-token-of-the-space";

/// A running Nexudus.
#[derive(Debug)]
pub struct Nexudus {
    shared: Arc<Shared>,
    address: SocketAddr,
    line: watch::Sender<Line>,
    thread: Option<JoinHandle<()>>,
}

impl Nexudus {
    /// Starts with the default space.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new());
        world::furnish(&mut shared.lock());
        let (line, orders) = watch::channel(Line::Up);
        let (reports, _) = mpsc::channel(); // nobody waits for a change of the line
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let server = server::Server {
            address,
            tls: None,
            router: api::router(Arc::clone(&shared)),
            orders,
            reports,
        };
        let thread = std::thread::Builder::new()
            .name("nexudus".into())
            .spawn(move || runtime.block_on(server.run(listener)))?;
        Ok(Self {
            shared,
            address,
            line,
            thread: Some(thread),
        })
    }

    /// The base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets what goes wrong from now on. `Faults::default()` ends all of it.
    pub fn faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// Every access token stops working, as after a change of the user's rights.
    pub fn expire_tokens(&self) {
        self.shared.lock().logins.access.clear();
    }

    /// The refresh token stops working as well.
    pub fn forget_logins(&self) {
        let mut state = self.shared.lock();
        state.logins.access.clear();
        state.logins.refresh = None;
    }

    /// How often somebody came with the password.
    #[must_use]
    pub fn password_logins(&self) -> u64 {
        self.shared.lock().logins.by_password
    }

    /// Every request since the start.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Adds a record; its id. `path` as in addresses: `spaces/bookings`.
    pub fn add(&self, path: &'static str, row: &Value) -> u64 {
        let mut state = self.shared.lock();
        let id = state.add(path, row);
        self.tell(&state, path, id);
        id
    }

    /// Sets columns of a record.
    pub fn set(&self, path: &'static str, id: u64, columns: &Value) {
        let mut state = self.shared.lock();
        state.set(path, id, columns);
        self.tell(&state, path, id);
    }

    /// Removes a record.
    pub fn remove(&self, path: &'static str, id: u64) {
        if let Some(row) = self.shared.lock().remove(path, id) {
            self.shared.hooks.tell(&row);
        }
    }

    /// A record with everything in it.
    #[must_use]
    pub fn row(&self, path: &str, id: u64) -> Option<Row> {
        self.shared.lock().row(path, id).cloned()
    }

    /// All records of an entity.
    #[must_use]
    pub fn rows(&self, path: &str) -> Vec<Row> {
        self.shared.lock().rows(path).cloned().collect()
    }

    /// Unix milliseconds by its own clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.lock().now()
    }

    /// Makes it this time there, Unix milliseconds; it goes on from here.
    pub fn set_now(&self, at: i64) {
        let mut state = self.shared.lock();
        state.ahead += at - state.now();
    }

    fn tell(&self, state: &state::State, path: &str, id: u64) {
        if let Some(row) = state.row(path, id) {
            self.shared.hooks.tell(row);
        }
    }
}

impl Drop for Nexudus {
    fn drop(&mut self) {
        self.line.send_replace(Line::Gone);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}
