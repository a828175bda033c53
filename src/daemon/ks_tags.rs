//! What the control socket answers about tags of SALTO KS: pairing them with cards.

use super::{control::Done, ks_connect::No, ks_entries::DeskWatch, ks_session::KsWatch};
use crate::{
    clock::Clock,
    domain::{Credential, credential::Scheme},
    salto::pairing::{self, Desk, Outcome},
    store::Store,
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;

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

#[derive(Clone)]
pub(super) struct Tags {
    pub(super) ks: KsWatch,
    pub(super) desk: DeskWatch,
    pub(super) store: Store,
    pub(super) clock: Clock,
}

/// `/v1/ks/pair…`.
pub(super) fn routes(ks: KsWatch, desk: DeskWatch, store: Store, clock: Clock) -> Router {
    Router::new()
        .route("/v1/ks/pair", post(pair))
        .route("/v1/ks/pairs", get(pairs))
        .route("/v1/ks/pair/forget", post(forget))
        .with_state(Tags {
            ks,
            desk,
            store,
            clock,
        })
}

type Answer<T> = Result<Json<T>, No>;

impl Tags {
    fn desk(&self) -> Result<Desk, No> {
        super::ks_connect::now(&self.ks)?;
        self.desk
            .borrow()
            .clone()
            .ok_or_else(|| No::new("the gateway is not ready yet", "try again in a moment"))
    }
}

/// A card at the desk: waits until its tag was seen, or the window is over.
async fn pair(State(tags): State<Tags>, Json(asked): Json<PairDoc>) -> Answer<Done> {
    let desk = tags.desk()?;
    let card = asked.credential;
    if card.scheme() == Scheme::KsTag {
        return Err(No::new(
            "this is a tag's number already, not a card's",
            "present the fob at the desk's reader, or write its UID as uid:04…",
        ));
    }
    let mut outcomes = desk.outcomes();
    let mut outcome = desk
        .presented(card, tags.clock.now().at)
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

async fn pairs(State(tags): State<Tags>) -> Answer<Vec<PairShown>> {
    let desk = tags.desk()?;
    let pairs = blocking(move || desk.pairs()).await?;
    let shown = pairs.iter().map(|pair| PairShown {
        tag: pair.tag.masked(),
        card: pair.card.masked(),
        at: pair.at,
    });
    Ok(Json(shown.collect()))
}

async fn forget(State(tags): State<Tags>, Json(asked): Json<PairDoc>) -> Answer<Done> {
    let desk = tags.desk()?;
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
