//! The reference cloud: `docs/contract/openapi.yaml` for real, in memory, with faults on request.
//!
//! It runs on a thread and a runtime of its own, so that neither a test's paused time nor a busy runtime
//! touches it. Dropping the handle stops it.
//!
//! | file | what |
//! | --- | --- |
//! | `world` | what the cloud knows |
//! | `api` | the contract's requests |
//! | `export` | the world as staff export it to tables |
//! | `faults` | what goes wrong, by seed |
//! | `hooks` | signed web hooks to a gateway |
//! | `office` | the same cloud, and Coworks' exports, as a simulated platform with its staff |
//! | `server` | sockets: up, refusing, hanging |

mod api;
mod export;
mod faults;
pub mod hooks;
mod office;
pub(crate) mod server;
mod state;
mod world;

pub use faults::{Faults, Throttle};
pub use office::{ContractOffice, CoworksOffice};
pub use server::Line;
pub use state::{CheckInBody, Received};
pub use world::{Assignment, Booking, Item, Membership, Named, Pass, Person, Resource, Team, World};

use state::Shared;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::watch;

/// How a cloud begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 by default.
    pub bind: SocketAddr,
    /// The bearer token that it accepts.
    pub token: String,
    /// TLS; plain HTTP when absent.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What it knows at first.
    pub world: World,
    /// The version of that; at least 1.
    pub version: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            token: "reference-token".into(),
            tls: None,
            world: World::default(),
            version: 1,
        }
    }
}

/// A running cloud.
#[derive(Debug)]
pub struct Cloud {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    line: watch::Sender<Line>,
    moved: Mutex<mpsc::Receiver<Line>>,
    runtime: tokio::runtime::Handle,
    thread: Option<JoinHandle<()>>,
}

impl Cloud {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be bound, or no thread can be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(options.bind)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared::new(options.token, options.world, options.version));
        let (line, orders) = watch::channel(Line::Up);
        let (reports, moved) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let server = server::Server {
            address,
            tls: options.tls.map(tokio_rustls::TlsAcceptor::from),
            router: api::router(Arc::clone(&shared)),
            orders,
            reports,
        };
        let thread = std::thread::Builder::new()
            .name("reference-cloud".into())
            .spawn(move || runtime.block_on(server.run(listener)))?;
        Ok(Self {
            shared,
            address,
            scheme,
            line,
            moved: Mutex::new(moved),
            runtime: handle,
            thread: Some(thread),
        })
    }

    /// The base address, `http://127.0.0.1:40000` say. With TLS the host is `localhost`.
    #[must_use]
    pub fn url(&self) -> String {
        match self.scheme {
            "https" => format!("https://localhost:{}", self.address.port()),
            scheme => format!("{scheme}://{}", self.address),
        }
    }

    /// The token that it accepts.
    #[must_use]
    pub fn token(&self) -> &str {
        self.shared.token()
    }

    /// Changes what the cloud knows. If anything changed, the version grows and waiting gateways wake.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.shared.edit(change)
    }

    /// The version of what it knows now.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.shared.version()
    }

    /// Sets what goes wrong from now on. `Faults::default()` ends all of it.
    pub fn faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// Up, refusing connections, or accepting and never answering. Connections that stand are cut. In force when
    /// this returns.
    pub fn set_line(&self, line: Line) {
        if self.line.send_replace(line) != line {
            let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            while moved
                .recv_timeout(Duration::from_secs(10))
                .is_ok_and(|reached| reached != line)
            {}
        }
    }

    /// `true` refuses connections, `false` takes them again.
    pub fn set_down(&self, down: bool) {
        self.set_line(if down { Line::Refusing } else { Line::Up });
    }

    /// The check-ins that it took, in order, each once, with the number of times it was delivered.
    #[must_use]
    pub fn check_ins(&self) -> Vec<Received> {
        self.shared.check_ins()
    }

    /// How many requests came in that named the right token.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Sends a signed web hook to this address after every change from now on. What a receiver answers is its own
    /// matter: a cloud does not send again.
    pub fn send_hooks_to(&self, address: &str) {
        let (address, shared) = (address.to_owned(), Arc::clone(&self.shared));
        let mut versions = shared.watch();
        self.runtime.spawn(async move {
            while versions.changed().await.is_ok() {
                let version = *versions.borrow_and_update();
                let (address, token) = (address.clone(), shared.token().to_owned());
                let sent = tokio::task::spawn_blocking(move || {
                    hooks::Delivery::of_version(&token, version).send(&address)
                });
                drop(sent.await);
            }
        });
    }

    /// Waits until `until` is true of the cloud, looking again after each request; false when it was not within
    /// `at_most`. For tests and demonstrations in threads that may block.
    pub fn wait(&self, at_most: Duration, until: impl FnMut(&Self) -> bool) -> bool {
        self.shared.wait(at_most, self, until)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.line.send_replace(Line::Gone);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}
