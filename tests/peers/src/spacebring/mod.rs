//! Spacebring as its public documents describe it: HTTP Basic and OAuth2 with tokens that rotate, pages by opaque
//! tokens, bookings in series, subscriptions with lines and periods, day-pass balances, metadata, Svix-signed web hooks.
//!
//! | file | what |
//! | --- | --- |
//! | `space` | what the space knows |
//! | `wire` | the same as the platform spells it |
//! | `api` | who asks, tokens, changes |
//! | `lists` | filters and pages |
//! | `hooks` | web hooks, signed |
//! | `state` | faults and the record of requests |
//! | `office` | what a scenario does |

mod api;
mod hooks;
mod lists;
mod office;
mod space;
mod state;
mod wire;

pub use hooks::{Delivery, sign};
pub use space::{
    Balance, Booking, Company, Customer, Item, Member, Plan, Resource, Space, Subscription, schedule,
};
pub use state::{Asked, CLIENT_ID, CLIENT_SECRET, Faults, HOOK_SECRET, REFRESH_TOKEN};

use crate::cloud::{Line, server::Server};
use serde_json::{Value, json};
use state::Shared;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::watch;

/// A running platform. Dropping it stops it.
#[derive(Debug)]
pub struct Spacebring {
    shared: Arc<Shared>,
    address: SocketAddr,
    line: watch::Sender<Line>,
    moved: Mutex<mpsc::Receiver<Line>>,
    thread: Option<JoinHandle<()>>,
}

impl Spacebring {
    /// Starts with the usual space, on a free port.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> io::Result<Self> {
        Self::with(Space::usual())
    }

    /// Starts with a space.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn with(space: Space) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(space));
        let (line, orders) = watch::channel(Line::Up);
        let (reports, moved) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let server = Server {
            address,
            tls: None,
            router: api::router(Arc::clone(&shared)),
            orders,
            reports,
        };
        let thread = std::thread::Builder::new()
            .name("spacebring".into())
            .spawn(move || runtime.block_on(server.run(listener)))?;
        Ok(Self {
            shared,
            address,
            line,
            moved: Mutex::new(moved),
            thread: Some(thread),
        })
    }

    /// The base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what the space knows, without a web hook.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Space) -> R) -> R {
        change(&mut self.shared.lock().space)
    }

    /// Sets what goes wrong from now on. `Faults::default()` ends all of it.
    pub fn faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// Up, refusing connections, or accepting and never answering. In force when this returns.
    pub fn set_line(&self, line: Line) {
        if self.line.send_replace(line) != line {
            let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            while moved
                .recv_timeout(Duration::from_secs(10))
                .is_ok_and(|reached| reached != line)
            {}
        }
    }

    /// Whether HTTP Basic is accepted; bearer tokens always are.
    pub fn set_basic(&self, accepted: bool) {
        self.shared.lock().tokens.basic = accepted;
    }

    /// How long new access tokens last.
    pub fn set_lifetime(&self, lifetime: Duration) {
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        self.shared.lock().tokens.lifetime = lifetime;
    }

    /// Ends the access token now.
    pub fn expire_token(&self) {
        self.shared.lock().tokens.access = None;
    }

    /// The refresh token that would be accepted now.
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.shared.lock().tokens.refresh.clone()
    }

    /// Every request since the start, or since the last call.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.lock().asked)
    }

    /// Sends a web hook with this body.
    pub fn tell(&self, event: Value) {
        self.shared.tell(event);
    }

    /// Sends the web hook of a subscription. Those have no `type`, only the object (as the vendor's catalogue shows).
    pub fn tell_subscription(&self, id: &str) {
        let now = self.shared.now();
        let row = {
            let inner = self.shared.lock();
            let found = inner.space.subscriptions.iter().find(|row| row.id == id);
            found.map(|row| wire::subscription(&inner.space, row, now))
        };
        if let Some(row) = row {
            self.shared.tell(row);
        }
    }

    /// Sends the web hook of a booking: "booking.created" and so on.
    pub fn tell_booking(&self, id: &str, what: &str) {
        let row = {
            let inner = self.shared.lock();
            let found = inner.space.bookings.iter().find(|row| row.id == id);
            found.map(|row| wire::booking(&inner.space, row, None))
        };
        if let Some(row) = row {
            self.shared.tell(json!({ "type": what, "booking": row }));
        }
    }

    /// Sends the web hook of a new membership.
    pub fn tell_member(&self, id: &str) {
        let row = {
            let inner = self.shared.lock();
            let found = inner.space.members.iter().find(|row| row.id == id);
            found.map(|row| wire::member(&inner.space, row))
        };
        if let Some(row) = row {
            self.shared
                .tell(json!({ "type": "membership.created", "membership": row }));
        }
    }
}

impl Drop for Spacebring {
    fn drop(&mut self) {
        self.line.send_replace(Line::Gone);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}
