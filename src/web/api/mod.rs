//! The JSON API under `/api/v1/`: the same that the page uses. `docs/api/openapi.json` is made from this code.
//!
//! | file | what |
//! | --- | --- |
//! | `document` | the OpenAPI document |
//! | `asked` | bodies, queries and paths, refused as problems |
//! | `session` | who am I, sign in, sign out, another password |
//! | `status` | how the gateway is, its sync |
//! | `events`, `live` | what happened, and what happens |
//! | `doors` | their state, opening once, lockdown |
//! | `people` | who there is, what they may open and why |
//! | `desk_readers` | the desk's readers, what was presented there, what was typed |
//! | `cards`, `cards_many` | what the desk does with one card, and with many |
//! | `live_desk` | what happens at the desk, as a part of the stream |
//! | `staff` | accounts, tokens, the audit trail |

mod asked;
mod cards;
mod cards_many;
mod desk_readers;
mod document;
mod doors;
mod events;
mod live;
mod live_desk;
mod people;
mod session;
mod staff;
mod status;

pub use document::document;

use super::{
    problem::Problem,
    signin::{Staff, Who},
};
use crate::{
    clock::Clock,
    config::Config,
    desk::{self, Desk, DeskError},
    domain::{DoorId, ReaderId, say::page as say},
    health::Health,
    store::Store,
};
use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Something that takes its time; in words how it went.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

/// A door's reader, which may be lent to the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorReader {
    /// Its id.
    pub reader: ReaderId,
    /// Its door.
    pub door: DoorId,
    /// For how long it is lent still; absent if it is not.
    pub left: Option<Duration>,
}

/// What the running gateway does for the API.
pub trait Gateway: Send + Sync + 'static {
    /// The configuration in force.
    fn config(&self) -> Arc<Config>;
    /// For how long it has run, in seconds.
    fn uptime_seconds(&self) -> u64;
    /// Fetches the facts now.
    fn sync_now(&self) -> Work<'_>;
    /// Puts the held snapshot into force.
    fn sync_accept(&self) -> Work<'_>;
    /// Opens a door once, by its own strike or by SALTO KS. `who` is for the journal.
    fn open_once(&self, door: &DoorId, who: &str) -> Work<'_>;
    /// Begins or ends the lockdown of a door, also over a restart. `who` is for the report.
    fn lock_down(&self, door: &DoorId, on: bool, who: &str) -> Work<'_>;
    /// The doors' readers.
    fn door_readers(&self) -> Vec<DoorReader>;
    /// Lends a door's reader to the desk, for a minute at most. Gives for how long; `None` if there is no such reader.
    fn lend(&self, reader: &ReaderId, length: Duration) -> Option<Duration>;
    /// Gives it back to its door. False if it was not lent.
    fn give_back(&self, reader: &ReaderId) -> bool;
}

/// Streams of events at a time: each is a task, and a look at the journal for each event.
const STREAMS: usize = 16;

/// What every handler has.
#[derive(Clone)]
pub struct Api {
    staff: Staff,
    store: Store,
    clock: Clock,
    health: Health,
    gateway: Arc<dyn Gateway>,
    desk: Desk,
    streams: Arc<Semaphore>,
}

impl Api {
    /// The API of a running gateway.
    #[must_use]
    pub fn new(
        staff: &Staff,
        store: &Store,
        clock: &Clock,
        health: &Health,
        gateway: Arc<dyn Gateway>,
        desk: &Desk,
    ) -> Self {
        Self {
            staff: staff.clone(),
            store: store.clone(),
            clock: clock.clone(),
            health: health.clone(),
            gateway,
            desk: desk.clone(),
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }

    /// The routes `/api/v1/…`. Put the guard before them.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/api/v1/openapi.json", get(openapi))
            .merge(session::routes())
            .merge(status::routes())
            .merge(events::routes())
            .merge(live::routes())
            .merge(doors::routes())
            .merge(people::routes())
            .merge(desk_readers::routes())
            .merge(cards::routes())
            .merge(cards_many::routes())
            .merge(staff::routes())
            .with_state(self)
    }

    /// Asks the store something on the pool for blocking work.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let api = self.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&api)).await;
        asked.map_err(|error| Problem::failed(&error))?
    }

    /// Asks the desk something, in the name of whoever is signed in.
    async fn at_the_desk<T: Send + 'static>(
        &self,
        who: &Who,
        ask: impl FnOnce(&Desk, &desk::Actor) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let role = who.role.map_or("token", |role| role.name());
        let actor = desk::Actor::new(&who.name, role).from(who.address);
        self.ask(move |api| ask(&api.desk, &actor).map_err(Problem::from))
            .await
    }
}

/// The document as it is checked in: making it anew would cost code and memory.
async fn openapi(_: Who) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("../../../docs/api/openapi.json")).into_response()
}

/// What a path that leads nowhere answers.
pub async fn nowhere() -> Problem {
    Problem::missing(say::nothing_here())
}

/// What a method that a path does not have answers.
pub async fn no_method() -> Problem {
    Problem::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "not allowed",
        say::wrong_method(),
    )
}
