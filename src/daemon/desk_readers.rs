//! The desk's readers in the running gateway: started and reconfigured with it, door readers lent to them, and their routes
//! on the control socket, which carry no number of a card in full.

use super::{boot::SiteRuntime, control::Refused, ks_entries::DeskWatch};
use crate::{
    clock::Clock,
    config::Config,
    desk::readers::{DeskEvent, DeskReader, Kind, PAGE, Places, Readers},
    domain::{Credential, DoorId, ReaderId},
    doors::{
        loan::{Borrowed, LONGEST},
        world::World,
    },
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{
        Notify,
        broadcast::{self, error::RecvError},
        mpsc::UnboundedReceiver,
    },
    task::JoinHandle,
    time::{interval, timeout},
};

/// How often it is looked whether a loan is over, while there is one.
const LOOK: Duration = Duration::from_millis(250);
/// Every reader of the desk.
const DESK: &str = "desk";
/// For how long a question for new events waits for one.
const PATIENT: Duration = Duration::from_secs(3);

/// The desk's readers with the door readers that may be lent to them. Cheap to clone.
#[derive(Clone)]
pub(super) struct DeskReaders {
    pub(super) readers: Readers,
    world: Arc<World>,
    clock: Clock,
    lent: Arc<Notify>,
}

impl DeskReaders {
    /// Lends a door's reader to the desk: until it is given back, or for `length`, or for a minute. `None` if there is no
    /// such reader.
    pub(super) fn lend(&self, reader: &ReaderId, length: Duration) -> Option<Duration> {
        let length = self.world.lend(reader, length, self.clock.monotonic())?;
        self.readers.lent(reader, reader.as_str());
        self.lent.notify_one();
        tracing::info!(%reader, seconds = length.as_secs(), "lent to the desk: cards open nothing there");
        Some(length)
    }

    /// Gives it back to its door at once. False if it was not lent.
    pub(super) fn give_back(&self, reader: &ReaderId) -> bool {
        let was_lent = self.world.give_back(reader, self.clock.monotonic());
        self.readers.returned(reader);
        was_lent
    }

    /// Whether a card there is read for the desk: `desk` is all of its readers, a door's reader is while it is lent.
    pub(super) fn reads_for_the_desk(&self, at: &str) -> bool {
        at == DESK
            || self.readers.list().iter().any(|reader| reader.is_called(at))
            || self.lent_now().contains(&ReaderId::from(at))
    }

    /// The first card that is presented there after this event, or from now on; and the number to ask after next. No card:
    /// none came within that time.
    pub(super) async fn next_card(
        &self,
        at: &str,
        after: Option<u64>,
        within: Duration,
    ) -> (u64, Option<Credential>) {
        let mut told = self.readers.told();
        let mut seen = after
            .filter(|after| *after <= *told.borrow())
            .unwrap_or_else(|| *told.borrow());
        let named: BTreeSet<ReaderId> = self
            .readers
            .list()
            .into_iter()
            .filter(|reader| reader.is_called(at))
            .map(|reader| reader.id)
            .chain([ReaderId::from(at)])
            .collect();
        let card = async {
            loop {
                for (number, event) in self.readers.since(seen).events {
                    seen = number;
                    if let DeskEvent::Presented {
                        reader, credential, ..
                    } = event
                        && (named.contains(&reader) || at == DESK && reader.as_str() != PAGE)
                    {
                        return Some(credential);
                    }
                }
                told.wait_for(|last| *last > seen).await.ok()?;
            }
        };
        let card = timeout(within, card).await.ok().flatten();
        (seen, card)
    }

    /// The doors' readers with their doors, by their ids, and for how long each is lent still.
    pub(super) fn at_doors(&self) -> Vec<(ReaderId, DoorId, Option<Duration>)> {
        let mut all = self.world.readers(self.clock.monotonic());
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    fn lent_now(&self) -> BTreeSet<ReaderId> {
        let all = self.world.readers(self.clock.monotonic()).into_iter();
        all.filter(|(_, _, left)| left.is_some())
            .map(|(reader, ..)| reader)
            .collect()
    }

    /// Hands cards at lent readers on, and notices when a loan is over.
    async fn forward(self, mut borrowed: UnboundedReceiver<Borrowed>) {
        let mut look = interval(LOOK);
        let mut lent = BTreeSet::new();
        loop {
            tokio::select! {
                Some(card) = borrowed.recv() => self.readers.presented_at_door(&card.reader, card.credential),
                () = self.lent.notified() => lent.extend(self.lent_now()),
                _ = look.tick(), if !lent.is_empty() => {
                    let still = self.lent_now();
                    for over in lent.difference(&still) {
                        self.readers.returned(over);
                    }
                    lent = still;
                }
            }
        }
    }
}

/// The desk with its task.
pub(super) struct DeskTask {
    pub(super) desk: DeskReaders,
    forward: Option<JoinHandle<()>>,
    pairing: Option<JoinHandle<()>>,
}

/// Tells the pairing at SALTO KS of each card that is read at the desk: the same fob may have been at the KS lock just now.
async fn pair(mut events: broadcast::Receiver<DeskEvent>, pairing: DeskWatch) {
    loop {
        match events.recv().await {
            // What is typed is a number, and no fob that was at the lock just now.
            Ok(DeskEvent::Presented { reader, .. }) if reader.as_str() == PAGE => {}
            Ok(DeskEvent::Presented { credential, at, .. }) => {
                let desk = pairing.borrow().clone();
                let Some(desk) = desk.filter(|desk| desk.reader().is_some()) else {
                    continue;
                };
                if let Err(error) = desk.presented(credential, at.at).await {
                    tracing::warn!(%error, "a card at the desk was not paired with a tag");
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn ports(config: &Config) -> Vec<PathBuf> {
    config.lines.iter().map(|line| line.path.clone()).collect()
}

impl DeskTask {
    /// Starts the readers that the configuration asks for.
    pub(super) fn start(site: &SiteRuntime) -> Self {
        let (config, clock, health) = (&site.config, site.clock.clone(), site.health.clone());
        let (readers, _) = Readers::start(
            config.desk.as_ref(),
            &ports(config),
            Places::default(),
            clock,
            health,
        );
        let desk = DeskReaders {
            readers,
            world: Arc::clone(&site.world),
            clock: site.clock.clone(),
            lent: Arc::default(),
        };
        let forward = site
            .world
            .borrowed()
            .map(|borrowed| tokio::spawn(desk.clone().forward(borrowed)));
        Self {
            desk,
            forward,
            pairing: None,
        }
    }

    /// From now on tags and cards that are the same fob become pairs.
    pub(super) fn pair_with(&mut self, pairing: DeskWatch) {
        self.pairing = Some(tokio::spawn(pair(self.desk.readers.subscribe(), pairing)));
    }

    /// Takes a new configuration over, if it is another one for the desk.
    pub(super) async fn reconfigure(&self, site: &SiteRuntime, before: &Config) {
        if before.desk == site.config.desk && ports(before) == ports(&site.config) {
            return;
        }
        let (readers, config) = (self.desk.readers.clone(), Arc::clone(&site.config));
        let changed =
            tokio::task::spawn_blocking(move || readers.reconfigure(config.desk.as_ref(), &ports(&config)));
        let _ = changed.await;
    }

    /// Ends the readers' threads.
    pub(super) async fn stop(&mut self) {
        let readers = self.desk.readers.clone();
        let _ = tokio::task::spawn_blocking(move || readers.stop()).await;
        for task in [self.forward.take(), self.pairing.take()].into_iter().flatten() {
            task.abort();
        }
    }
}

/// What `GET /v1/desk/readers` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskDoc {
    /// The readers that are there.
    pub readers: Vec<DeskReader>,
    /// What is wrong, in words.
    pub troubles: Vec<String>,
    /// The doors' readers, which may be lent.
    pub doors: Vec<DoorReaderDoc>,
    /// The number of the last event.
    pub last: u64,
}

/// A door's reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorReaderDoc {
    /// Its id.
    pub reader: String,
    /// Its door.
    pub door: String,
    /// For how much longer it is lent; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lent_seconds: Option<u64>,
}

/// What `GET /v1/desk/events?after=N` answers, as soon as there is one, or after three seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskEventsDoc {
    /// The number of the last event: ask after it next.
    pub last: u64,
    /// The events, oldest first; at most the last 64.
    pub events: Vec<DeskEventDoc>,
}

/// An event at the desk, with the card masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskEventDoc {
    /// Its number.
    pub number: u64,
    /// `appeared`, `gone`, `presented`, `removed` or `trouble`.
    pub event: String,
    /// The reader's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// Its name, when it appeared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is, when it appeared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The card, all but its end left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When it was read, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// What happened and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

impl DeskEventDoc {
    /// The event as it may be shown.
    #[must_use]
    pub fn new(number: u64, event: &DeskEvent) -> Self {
        let doc = |name: &str, reader: Option<&ReaderId>| Self {
            number,
            event: name.into(),
            reader: reader.map(|reader| reader.as_str().to_owned()),
            ..Self::default()
        };
        match event {
            DeskEvent::Appeared { id, name, kind } => Self {
                name: Some(name.clone()),
                kind: Some(*kind),
                ..doc("appeared", Some(id))
            },
            DeskEvent::Gone { id } => doc("gone", Some(id)),
            DeskEvent::Presented {
                reader,
                credential,
                at,
            } => Self {
                card: Some(credential.masked()),
                at: Some(at.at),
                ..doc("presented", Some(reader))
            },
            DeskEvent::Removed { reader } => doc("removed", Some(reader)),
            DeskEvent::Trouble { reader, words, .. } => Self {
                words: Some(words.clone()),
                ..doc("trouble", reader.as_ref())
            },
        }
    }
}

impl DeskEventsDoc {
    /// What happened after a number.
    #[must_use]
    pub fn since(readers: &Readers, after: u64) -> Self {
        let recent = readers.since(after);
        Self {
            last: recent.last,
            events: recent
                .events
                .iter()
                .map(|(number, event)| DeskEventDoc::new(*number, event))
                .collect(),
        }
    }
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

#[derive(Deserialize)]
struct Loan {
    reader: String,
    #[serde(default)]
    seconds: Option<u64>,
}

/// The routes on the control socket.
pub(super) fn routes(desk: DeskReaders) -> Router {
    Router::new()
        .route("/v1/desk/readers", get(readers))
        .route("/v1/desk/events", get(events))
        .route("/v1/desk/lend", post(lend))
        .route("/v1/desk/return", post(give_back))
        .with_state(desk)
}

fn state(desk: &DeskReaders) -> DeskDoc {
    let doors = desk
        .at_doors()
        .into_iter()
        .map(|(reader, door, left)| DoorReaderDoc {
            reader: reader.into(),
            door: door.into(),
            lent_seconds: left.map(|left| left.as_millis().div_ceil(1_000).try_into().unwrap_or(0)),
        })
        .collect();
    DeskDoc {
        readers: desk.readers.list(),
        troubles: desk.readers.troubles(),
        doors,
        last: desk.readers.since(u64::MAX).last,
    }
}

async fn readers(State(desk): State<DeskReaders>) -> Json<DeskDoc> {
    Json(state(&desk))
}

async fn events(
    State(desk): State<DeskReaders>,
    Query(After { after }): Query<After>,
) -> Json<DeskEventsDoc> {
    let mut told = desk.readers.told();
    // A number ahead of ours is from before a restart: everything is new then.
    let after = if after > *told.borrow() { 0 } else { after };
    let _ = timeout(PATIENT, told.wait_for(|last| *last > after)).await;
    Json(DeskEventsDoc::since(&desk.readers, after))
}

async fn lend(State(desk): State<DeskReaders>, Query(loan): Query<Loan>) -> Response {
    let length = loan.seconds.map_or(LONGEST, Duration::from_secs);
    match desk.lend(&loan.reader.as_str().into(), length) {
        Some(_) => Json(state(&desk)).into_response(),
        None => unknown(&loan.reader, &desk),
    }
}

async fn give_back(State(desk): State<DeskReaders>, Query(loan): Query<Loan>) -> Response {
    let reader = ReaderId::from(loan.reader.as_str());
    if !desk
        .world
        .readers(Duration::ZERO)
        .iter()
        .any(|(id, ..)| *id == reader)
    {
        return unknown(&loan.reader, &desk);
    }
    desk.give_back(&reader);
    Json(state(&desk)).into_response()
}

fn unknown(reader: &str, desk: &DeskReaders) -> Response {
    let all = desk.world.readers(Duration::ZERO).into_iter();
    let mut known: Vec<String> = all.map(|(reader, ..)| reader.into()).collect();
    known.sort();
    let refused = Refused {
        message: format!("no reader at a door is called {reader:?}"),
        hint: format!("the doors' readers are: {}", known.join(", ")),
    };
    (StatusCode::CONFLICT, Json(refused)).into_response()
}
