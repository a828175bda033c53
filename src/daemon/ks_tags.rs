//! What the control socket answers about tags of SALTO KS: pairing them with cards, registering, giving, blocking and
//! replacing them.

use super::{
    boot::SiteRuntime,
    control::{Asker, Done},
    ks_cards::DeskCards,
    ks_connect::{self, No},
    ks_entries::{DeskWatch, InForce},
    ks_session::KsWatch,
    tasks::Tasks,
};
use crate::{
    clock::Clock,
    desk::Actor,
    domain::{Credential, PersonId, credential::Scheme},
    doors::world::World,
    salto::{
        pairing::{self, Desk, Outcome},
        tags::{self, TagError},
    },
    store::Store,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// The longest registration that a lock takes.
const LONGEST: u64 = 600;
/// How often new tags are looked for meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// So long after its end one may still come up.
const UPLOAD: Duration = Duration::from_secs(3);

/// Which card was presented at the desk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairDoc {
    /// In full: the socket is the gateway's own.
    pub credential: Credential,
}

/// A pair, masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairShown {
    /// The tag, all but its end left out.
    pub tag: String,
    /// The card.
    pub card: String,
    /// Since when, Unix milliseconds.
    pub at: i64,
}

/// Which tag, and whose it becomes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssignDoc {
    /// The tag.
    pub tag: Credential,
    /// The platform's id of the person.
    pub person: PersonId,
}

/// Which tag is blocked, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockDoc {
    /// The tag.
    pub tag: Credential,
    /// Staff's words.
    pub note: String,
}

/// Which tag takes the place of which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplaceDoc {
    /// The old one.
    pub old: Credential,
    /// The new one.
    pub new: Credential,
    /// Staff's words.
    pub note: String,
}

/// At which lock tags are registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterDoc {
    /// Its name or UUID.
    pub lock: String,
    /// For how long.
    pub seconds: u64,
    /// Who gets the first new tag.
    pub person: Option<PersonId>,
}

/// How a registration stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteringDoc {
    /// The lock's name.
    pub lock: String,
    /// How long it still reads new tags.
    pub seconds_left: u64,
    /// New tags, in full: the socket is the gateway's own.
    pub tags: Vec<Credential>,
    /// What became of the first one, in words.
    pub given: Option<String>,
    /// It is over.
    pub over: bool,
    /// Why it ended badly.
    pub error: Option<String>,
}

/// What the routes share.
#[derive(Clone)]
pub(super) struct Room {
    ks: KsWatch,
    desk: DeskWatch,
    cards: crate::desk::Desk,
    store: Store,
    world: Arc<World>,
    clock: Clock,
    registering: Arc<Mutex<RegisteringDoc>>,
}

/// `/v1/ks/pair…` and `/v1/ks/tags/…`.
pub(super) fn routes(room: Room) -> Router {
    Router::new()
        .route("/v1/ks/pair", post(pair))
        .route("/v1/ks/pairs", get(pairs))
        .route("/v1/ks/pair/forget", post(forget))
        .route("/v1/ks/tags/assign", post(assign))
        .route("/v1/ks/tags/block", post(block))
        .route("/v1/ks/tags/replace", post(replace))
        .route("/v1/ks/tags/register", post(register).get(registering))
        .with_state(room)
}

type Answer<T> = Result<Json<T>, No>;

impl Room {
    pub(super) fn new(site: &SiteRuntime, tasks: &Tasks, cards: &crate::desk::Desk) -> Self {
        Self {
            ks: tasks.ks(),
            desk: tasks.ks_pairing(),
            cards: cards.clone(),
            store: site.store.clone(),
            world: Arc::clone(&site.world),
            clock: site.clock.clone(),
            registering: Arc::default(),
        }
    }

    fn desk(&self) -> Result<Desk, No> {
        ks_connect::now(&self.ks)?;
        self.desk
            .borrow()
            .clone()
            .ok_or_else(|| No::new("the gateway is not ready yet", "try again in a moment"))
    }

    fn tags(&self, actor: Actor) -> Result<tags::Tags, No> {
        let session = ks_connect::now(&self.ks)?.session;
        Ok(tags::Tags {
            session,
            store: self.store.clone(),
            holders: Arc::new(InForce(Arc::clone(&self.world))),
            local: Arc::new(DeskCards {
                desk: self.cards.clone(),
                actor,
            }),
        })
    }

    fn registering(&self) -> MutexGuard<'_, RegisteringDoc> {
        self.registering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn said(outcome: Result<String, TagError>) -> Answer<Done> {
    match outcome {
        Ok(message) => Ok(Json(Done { message })),
        Err(TagError(why)) => Err(No::new(why, "")),
    }
}

/// The user who opened the socket acts.
type Who = ConnectInfo<Asker>;

fn actor(ConnectInfo(asker): &Who) -> Actor {
    asker.actor(String::new())
}

async fn assign(State(room): State<Room>, who: Who, Json(asked): Json<AssignDoc>) -> Answer<Done> {
    said(room.tags(actor(&who))?.assign(asked.tag, &asked.person).await)
}

async fn block(State(room): State<Room>, who: Who, Json(asked): Json<BlockDoc>) -> Answer<Done> {
    said(room.tags(actor(&who))?.block(asked.tag, &asked.note).await)
}

async fn replace(State(room): State<Room>, who: Who, Json(asked): Json<ReplaceDoc>) -> Answer<Done> {
    let tags = room.tags(actor(&who))?;
    said(tags.replace(asked.old, asked.new, &asked.note).await)
}

async fn registering(State(room): State<Room>) -> Answer<RegisteringDoc> {
    Ok(Json(room.registering().clone()))
}

/// Begins to register; [`registering`] tells how it goes.
async fn register(
    State(room): State<Room>,
    who: Who,
    Json(asked): Json<RegisterDoc>,
) -> Answer<RegisteringDoc> {
    let tags = room.tags(actor(&who))?;
    if !(1..=LONGEST).contains(&asked.seconds) {
        return Err(No::new(
            format!("a lock reads new tags for 1 to {LONGEST} seconds"),
            "120 is what SALTO's own page takes",
        ));
    }
    let features = tags.session.site().await?;
    if !features.smart_tag_assignment() {
        return Err(No::new(
            "the subscription at SALTO KS has no smart_tag_assignment, so a lock cannot register tags",
            "register the tag at SALTO's own page, and give it out with `doorward ks tag assign`",
        ));
    }
    let wrong = |TagError(why)| No::new(why, "");
    let lock = tags.lock(&asked.lock).await.map_err(wrong)?;
    let before = tags.all().await.map_err(wrong)?;
    {
        let mut now = room.registering();
        if !now.over && now.seconds_left > 0 {
            return Err(No::new(
                format!("lock \"{}\" is registering tags already", now.lock),
                "wait until it is done",
            ));
        }
        *now = RegisteringDoc {
            lock: lock.customer_reference.clone().unwrap_or_else(|| lock.id.clone()),
            seconds_left: asked.seconds,
            ..RegisteringDoc::default()
        };
    }
    if let Err(error) = tags.begin_registration(&lock, asked.seconds).await {
        room.registering().over = true;
        return Err(wrong(error));
    }
    let begun = room.registering().clone();
    tokio::spawn(follow(room.clone(), tags, asked, before));
    Ok(Json(begun))
}

/// Looks for new tags until the time is over, or the one that somebody waits for is there.
async fn follow(room: Room, tags: tags::Tags, asked: RegisterDoc, before: BTreeMap<Credential, String>) {
    let begun = room.clock.monotonic();
    let until = Duration::from_secs(asked.seconds);
    loop {
        sleep(LOOK).await;
        let gone = room.clock.monotonic().saturating_sub(begun);
        let new = match tags.all().await {
            Ok(all) => all.into_keys().filter(|tag| !before.contains_key(tag)).collect(),
            Err(TagError(why)) => {
                room.registering().error = Some(why);
                Vec::new()
            }
        };
        let first = {
            let mut now = room.registering();
            now.seconds_left = until.saturating_sub(gone).as_secs();
            if !new.is_empty() {
                now.tags = new;
                now.error = None;
            }
            now.tags.first().copied()
        };
        if let (Some(person), Some(tag)) = (&asked.person, first) {
            let outcome = tags.assign(tag, person).await;
            let mut now = room.registering();
            match outcome {
                Ok(words) => now.given = Some(words),
                Err(TagError(why)) => now.error = Some(why),
            }
            now.over = true;
            return;
        }
        // What was read at the last moment still has to come up.
        if gone >= until + UPLOAD {
            room.registering().over = true;
            return;
        }
    }
}

/// A card at the desk: waits until its tag was seen, or the window is over.
async fn pair(State(room): State<Room>, Json(asked): Json<PairDoc>) -> Answer<Done> {
    let desk = room.desk()?;
    let card = asked.credential;
    if card.scheme() == Scheme::KsTag {
        return Err(No::new(
            "this is a tag's number already, not a card's",
            "present the fob at the desk's reader, or write its UID as uid:04…",
        ));
    }
    let mut outcomes = desk.outcomes();
    let mut outcome = desk
        .presented(card, room.clock.now().at)
        .await
        .map_err(|why| No::new(why, ""))?;
    if outcome == Outcome::Waits {
        let about_it = async {
            loop {
                match outcomes.recv().await {
                    Ok(Outcome::Waits) => {}
                    Ok(Outcome::Paired { card: other, .. }) if other != card => {}
                    Ok(other) => return other,
                    Err(_) => return Outcome::Waits,
                }
            }
        };
        let patience = pairing::WINDOW + pairing::UPLOAD + Duration::from_secs(5);
        outcome = timeout(patience, about_it).await.unwrap_or(Outcome::Waits);
    }
    match outcome {
        Outcome::Paired { tag, card } => Ok(Json(Done {
            message: format!("tag {tag} is card {card}"),
        })),
        Outcome::Waits => Err(No::new(
            format!(
                "KS saw no tag at \"{}\" within {} seconds of this card",
                desk.reader().unwrap_or_default(),
                pairing::WINDOW.as_secs()
            ),
            "present the same fob at that lock and at the desk; a lock in office mode reports no tag",
        )),
        Outcome::Ambiguous { .. } => Err(No::new(outcome.words(), "")),
    }
}

async fn pairs(State(room): State<Room>) -> Answer<Vec<PairShown>> {
    let desk = room.desk()?;
    let pairs = blocking(move || desk.pairs()).await?;
    let shown = pairs.iter().map(|pair| PairShown {
        tag: pair.tag.masked(),
        card: pair.card.masked(),
        at: pair.at,
    });
    Ok(Json(shown.collect()))
}

async fn forget(State(room): State<Room>, Json(asked): Json<PairDoc>) -> Answer<Done> {
    let desk = room.desk()?;
    let given = asked.credential;
    let gone = blocking(move || {
        let pairs = desk.pairs()?;
        let Some(pair) = pairs.iter().find(|pair| pair.tag == given || pair.card == given) else {
            return Ok(false);
        };
        desk.forget(pair.tag)
    })
    .await?;
    if !gone {
        return Err(No::new(
            format!("{given} is in no pair"),
            "`doorward ks pair` lists them",
        ));
    }
    Ok(Json(Done {
        message: format!("{given} is in no pair any more"),
    }))
}

pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, No> {
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|error| No::new(error.to_string(), ""))?
        .map_err(|why| No::new(why, ""))
}
