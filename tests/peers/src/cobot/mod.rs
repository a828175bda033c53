//! A simulated Cobot: both interfaces of one space on one address, with the quirks that the vendor's documents name.
//! Requests of API 2 are at `/`, those of API 1 at `/api/`.
//!
//! It runs on a thread of its own. Dropping the handle stops it.
//!
//! | file | what |
//! | --- | --- |
//! | `world` | what it knows |
//! | `api2`, `jsonapi`, `documents` | the newer interface |
//! | `api1` | the older one: tokens, passes, web hooks |
//! | `desk` | what a check-in takes and how long it lasts |
//! | `faults` | what goes wrong on request |
//! | `hooks` | web hooks |
//! | `office` | staff |

mod api1;
mod api2;
mod desk;
mod documents;
mod faults;
mod hooks;
mod jsonapi;
mod office;
mod state;
mod time;
mod world;

pub use faults::Faults;
pub use hooks::Sent;
pub use state::Request;
pub use world::{
    Allocation, Booking, Day, DropIn, External, Member, PassKind, Plan, PlanRow, Resource, Session,
    Subscription, Team, TimePass, Token, World,
};

use crate::cloud::{
    Line,
    server::{NeverSent, Server},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request as Incoming, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use state::Shared;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::watch;

/// The events that can be subscribed to and have to do with access.
pub const EVENTS: &[&str] = &[
    "created_booking",
    "updated_booking",
    "deleted_booking",
    "booking_will_begin",
    "booking_has_ended",
    "created_allocation",
    "updated_allocation",
    "deleted_allocation",
    "created_membership",
    "confirmed_membership",
    "canceled_membership",
    "uncanceled_membership",
    "reactivated_membership",
    "deleted_membership",
    "membership_cancellation_date_reached",
    "changed_membership_plan",
    "membership_plan_change_date_reached",
    "created_checkin",
    "created_checkout",
    "created_checkin_token",
    "deleted_checkin_token",
    "membership_added_time_passes",
    "membership_removed_time_passes",
    "created_drop_in_pass",
    "approved_external_booking",
    "updated_custom_field",
];

/// A running Cobot.
#[derive(Debug)]
pub struct Cobot {
    shared: Arc<Shared>,
    address: SocketAddr,
    line: watch::Sender<Line>,
    moved: Mutex<mpsc::Receiver<Line>>,
    thread: Option<JoinHandle<()>>,
}

impl Cobot {
    /// An ordinary small space.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> io::Result<Self> {
        Self::with(World::default())
    }

    /// A space that begins like this.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(world: World) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(world, format!("http://{address}")));
        let (line, orders) = watch::channel(Line::Up);
        let (reports, moved) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let server = Server {
            address,
            tls: None,
            router: router(Arc::clone(&shared)),
            orders,
            reports,
        };
        let thread = std::thread::Builder::new()
            .name("cobot".into())
            .spawn(move || runtime.block_on(server.run(listener)))?;
        Ok(Self {
            shared,
            address,
            line,
            moved: Mutex::new(moved),
            thread: Some(thread),
        })
    }

    /// The address of both interfaces.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access token.
    #[must_use]
    pub fn token(&self) -> String {
        self.shared.lock().token.clone()
    }

    /// Another token from now on: the old one is revoked. With an e-mail it is an admin's own one.
    pub fn set_token(&self, token: &str, personal: Option<&str>) {
        let mut inner = self.shared.lock();
        token.clone_into(&mut inner.token);
        inner.personal = personal.map(ToOwned::to_owned);
    }

    /// Looks at what it knows, or changes it without telling anybody.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        change(&mut self.shared.lock().world)
    }

    /// What goes wrong from now on.
    pub fn faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// Its time, Unix milliseconds; nothing: the system's.
    pub fn set_now(&self, now: Option<i64>) {
        self.shared.set_now(now);
    }

    /// Whether it refuses more than 60 requests a minute, as it does at first.
    pub fn set_limited(&self, limited: bool) {
        self.shared.set_limited(limited);
    }

    /// Grants this space so many times the usual number of requests.
    pub fn set_allowance(&self, times: usize) {
        self.shared.set_allowance(times);
    }

    /// Every request since the start, in the order of the answers.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The web hooks that were sent.
    #[must_use]
    pub fn hooks_sent(&self) -> Vec<Sent> {
        self.shared.hooks.sent()
    }

    /// Refuses connections while true. In force when this returns.
    pub fn set_down(&self, down: bool) {
        let line = if down { Line::Refusing } else { Line::Up };
        if self.line.send_replace(line) != line {
            let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            while moved
                .recv_timeout(Duration::from_secs(10))
                .is_ok_and(|reached| reached != line)
            {}
        }
    }
}

impl Drop for Cobot {
    fn drop(&mut self) {
        self.line.send_replace(Line::Gone);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been printed
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(api1::router())
        .merge(api2::router())
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), gate))
        .with_state(shared)
}

/// Token, limits, scopes and faults, before and after everything else.
async fn gate(State(shared): State<Arc<Shared>>, request: Incoming, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let query = jsonapi::pairs(request.uri());
    let method = request.method().to_string();
    let faults = shared.lock().faults.clone();
    let concerned = faults.concern(&path);
    if let Some(slow) = faults.slow.filter(|_| concerned) {
        tokio::time::sleep(slow).await;
    }
    let before = instead(&shared, &request, &faults);
    let mut response = match before {
        Some(response) => response,
        None => next.run(request).await,
    };
    if concerned && faults.cut_json && response.status().is_success() {
        response = cut(response).await;
    }
    if concerned && faults.lose_answer {
        response.extensions_mut().insert(NeverSent);
    }
    if faults.skew != 0 {
        skew(&mut response, shared.lock().now() + faults.skew * 1_000);
    }
    let status = response.status().as_u16();
    shared.lock().requests.push(Request {
        method,
        path,
        query,
        status,
    });
    response
}

/// The answer to a request that is not handled at all.
fn instead(shared: &Shared, request: &Incoming, faults: &Faults) -> Option<Response> {
    let path = request.uri().path();
    let header = |name: header::HeaderName| request.headers().get(name).and_then(|it| it.to_str().ok());
    let given = header(header::AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    let mut inner = shared.lock();
    if given != Some(inner.token.as_str()) {
        return Some(jsonapi::error(
            StatusCode::UNAUTHORIZED,
            "the access token is not valid",
        ));
    }
    let wait = faults.throttle.filter(|_| faults.concern(path));
    if let Some(wait) = wait.or_else(|| inner.over_limit(path)) {
        let mut response = jsonapi::error(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded");
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
        return Some(response);
    }
    if faults.forbidden.iter().any(|part| path.contains(part)) {
        return Some(jsonapi::error(
            StatusCode::FORBIDDEN,
            "the token lacks the scope for this",
        ));
    }
    if faults.error_500 && faults.concern(path) {
        return Some(jsonapi::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "a fault on request",
        ));
    }
    let accepts = header(header::ACCEPT).unwrap_or_default();
    if !path.starts_with("/api/") && !accepts.contains(jsonapi::TYPE) {
        return Some(jsonapi::error(
            StatusCode::NOT_ACCEPTABLE,
            "send Accept: application/vnd.api+json",
        ));
    }
    None
}

/// The first half of a body, under a length that fits it.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let half = bytes.slice(..bytes.len() / 2);
    Response::from_parts(parts, Body::from(half))
}

fn skew(response: &mut Response, at: i64) {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let text = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::DATE, value);
    }
}
