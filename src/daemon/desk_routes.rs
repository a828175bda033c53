//! The desk on the control socket: `POST /v1/cards/ACTION` with a JSON document, for `doorward cards` and `enrol`. Card
//! numbers go in whole, and come out masked unless the question says `reveal`. Who may open the socket may do all of it; the
//! audit trail names the user of the system beside the name that the question gives.

use super::{control::Asker, desk_readers::DeskReaders};
use crate::{
    desk::{Desk, DeskError, NewGuest, Resolution, Wanted, refs, sheet},
    domain::{BlockTarget, Credential, PersonId},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a question for the next presentation waits.
const NEXT_WITHIN: Duration = Duration::from_secs(20);
/// How often it looks meanwhile.
const NEXT_EVERY: Duration = Duration::from_millis(100);

/// A question or an order. The action of the path is its name.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Ask {
    /// Whose card is this?
    Look {
        /// A card.
        card: CardRef,
    },
    /// Every known card.
    List {
        /// Whole numbers.
        #[serde(default)]
        reveal: bool,
    },
    /// People by a part of name, e-mail or company.
    Search {
        /// What was typed.
        query: String,
        /// At most so many.
        most: usize,
    },
    /// Exactly one person.
    Person {
        /// Id, e-mail or full name.
        text: String,
    },
    /// Gives a card to a person, in place of `from` if that is named.
    Assign {
        /// A card.
        card: CardRef,
        /// The platform's id.
        person: PersonId,
        /// Whose it was seen to be.
        from: Option<PersonId>,
        /// What `look` said.
        seen: Option<u64>,
        /// Who does it.
        by: String,
    },
    /// Takes a card back.
    Return {
        /// A card.
        card: CardRef,
        /// What `look` said.
        seen: Option<u64>,
        /// Who does it.
        by: String,
    },
    /// Another card for one that somebody had.
    Replace {
        /// The old card.
        old: CardRef,
        /// The new one.
        new: CardRef,
        /// The old one is lost: it is blocked as well.
        lost: bool,
        /// Who does it.
        by: String,
    },
    /// Gives a card to a guest.
    Guest {
        /// A card.
        card: CardRef,
        /// Who, where, until when.
        #[serde(flatten)]
        guest: NewGuest,
        /// Who does it.
        by: String,
    },
    /// Blocks a card or a person.
    Block {
        /// Which.
        target: Target,
        /// Why.
        note: String,
        /// Who does it.
        by: String,
    },
    /// Lifts a block.
    Unblock {
        /// Of which.
        target: Target,
        /// Who does it.
        by: String,
    },
    /// Gives the cards of a sheet.
    Import {
        /// CSV.
        text: String,
        /// How its numbers are written: a word of `card_format`.
        format: Option<String>,
        /// Only looks.
        dry_run: bool,
        /// Who does it.
        by: String,
    },
    /// What the platform did not take.
    Conflicts {},
    /// Decides a conflict.
    Resolve {
        /// Which.
        id: String,
        /// How.
        resolution: Resolution,
        /// Who does it.
        by: String,
    },
    /// The next card at the desk's readers (`desk`, or one of them), or at a door's; waits for a while.
    Next {
        /// The door or reader.
        at: String,
        /// After this place in the journal; absent: from now on.
        after: Option<u64>,
    },
    /// Begins a queue.
    QueueBegin {
        /// Its name.
        queue: String,
        /// Of whom.
        #[serde(flatten)]
        wanted: Wanted,
        /// Who does it.
        by: String,
    },
    /// A presentation for the next one of a queue.
    QueuePresent {
        /// Its name.
        queue: String,
        /// A card.
        card: CardRef,
        /// Who does it.
        by: String,
    },
    /// Passes the next one over.
    QueueSkip {
        /// Its name.
        queue: String,
    },
    /// Takes the last step back.
    QueueUndo {
        /// Its name.
        queue: String,
        /// Who does it.
        by: String,
    },
    /// How far it is.
    QueueProgress {
        /// Its name.
        queue: String,
    },
    /// Ends it.
    QueueEnd {
        /// Its name.
        queue: String,
    },
}

/// A card: its number with scheme, or `refused` for the one that a door refused last (`refused@DOOR`: at that one), or what
/// [`Desk::card`] takes besides.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct CardRef(pub String);

impl std::fmt::Debug for CardRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardRef(…)")
    }
}

/// What a block stops.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One card.
    Card(CardRef),
    /// A person with all cards.
    Person(PersonId),
}

/// The next card at a reader.
#[derive(Deserialize, Serialize)]
pub struct Presented {
    /// Its place in the journal, for the question after this one.
    pub seq: u64,
    /// The whole number; absent when nobody came yet.
    pub card: Option<Credential>,
}

/// The routes of a desk with its readers.
pub(super) fn routes(desk: Desk, readers: DeskReaders) -> Router {
    Router::new()
        .route("/v1/cards/{action}", post(act))
        .layer(DefaultBodyLimit::max(sheet::MOST_BYTES * 2))
        .with_state((desk, readers))
}

async fn act(
    State((desk, readers)): State<(Desk, DeskReaders)>,
    ConnectInfo(asker): ConnectInfo<Asker>,
    Path(action): Path<String>,
    Json(mut body): Json<Value>,
) -> Response {
    if let Some(map) = body.as_object_mut() {
        map.insert("action".into(), action.into());
    }
    let ask = match serde_json::from_value::<Ask>(body) {
        Ok(ask) => ask,
        // What serde says may repeat a part of the body, and with it of a number.
        Err(_) => {
            let words = json!({ "message": "the gateway does not understand this question", "hint": "" });
            return (StatusCode::CONFLICT, Json(words)).into_response();
        }
    };
    let answered = match ask {
        Ask::Next { at, after } if readers.reads_for_the_desk(&at) => {
            Ok(next_at_the_desk(&readers, &at, after).await)
        }
        Ask::Next { at, after } => next(desk, at, after).await,
        ask => on_a_thread(move || answer(&desk, ask, &asker)).await,
    };
    match answered {
        Ok(value) => Json(value).into_response(),
        Err(error) => (StatusCode::CONFLICT, Json(refusal(&error))).into_response(),
    }
}

async fn on_a_thread(
    work: impl FnOnce() -> Result<Value, DeskError> + Send + 'static,
) -> Result<Value, DeskError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => Err(DeskError::Failed(format!("the work broke off: {error}"))),
    }
}

fn refusal(error: &DeskError) -> Value {
    let mut document = json!({ "message": error.to_string(), "hint": error.hint() });
    if let (DeskError::Refused { code, look, .. }, Some(map)) = (error, document.as_object_mut()) {
        map.insert("code".into(), json!(code));
        map.insert("look".into(), json!(look));
    }
    document
}

fn card(desk: &Desk, reference: &CardRef) -> Result<Credential, DeskError> {
    desk.card(&reference.0)
}

fn target(desk: &Desk, target: Target) -> Result<BlockTarget, DeskError> {
    Ok(match target {
        Target::Card(reference) => BlockTarget::Credential(card(desk, &reference)?),
        Target::Person(person) => BlockTarget::Person(person),
    })
}

fn answer(desk: &Desk, ask: Ask, asker: &Asker) -> Result<Value, DeskError> {
    let actor = |by: String| asker.actor(by);
    Ok(match ask {
        Ask::Look { card: it } => json!(desk.look(&card(desk, &it)?)?),
        Ask::List { reveal } => json!(desk.cards(reveal)?),
        Ask::Search { query, most } => json!(desk.search(&query, most.min(1_000))?),
        Ask::Person { text } => json!(desk.person(&text)?),
        Ask::Assign {
            card: it,
            person,
            from,
            seen,
            by,
        } => {
            let (it, by) = (card(desk, &it)?, actor(by));
            json!(match from {
                Some(from) => desk.move_card(&it, &person, &from, seen, &by)?,
                None => desk.assign(&it, &person, seen, &by)?,
            })
        }
        Ask::Return { card: it, seen, by } => {
            json!(desk.return_card(&card(desk, &it)?, seen, &actor(by))?)
        }
        Ask::Replace { old, new, lost, by } => {
            json!(desk.replace(&card(desk, &old)?, &card(desk, &new)?, lost, &actor(by))?)
        }
        Ask::Guest { card: it, guest, by } => {
            json!(desk.guest(&card(desk, &it)?, &guest, None, &actor(by))?)
        }
        Ask::Block { target: it, note, by } => said(desk.block(&target(desk, it)?, &note, &actor(by))?),
        Ask::Unblock { target: it, by } => said(desk.unblock(&target(desk, it)?, &actor(by))?),
        Ask::Import {
            text,
            format,
            dry_run,
            by,
        } => {
            let format = format.map(|word| refs::card_text(&word)).transpose()?;
            json!(desk.import(&text, format, dry_run, &actor(by))?)
        }
        Ask::Conflicts {} => json!(desk.conflicts()?),
        Ask::Resolve { id, resolution, by } => said(desk.resolve(&id, resolution, &actor(by))?),
        Ask::QueueBegin { queue, wanted, by } => json!(desk.bulk_begin(&queue, &wanted, &actor(by))?),
        Ask::QueuePresent { queue, card: it, by } => {
            json!(desk.bulk_present(&queue, &card(desk, &it)?, &actor(by))?)
        }
        Ask::QueueSkip { queue } => json!(desk.bulk_skip(&queue)?),
        Ask::QueueUndo { queue, by } => json!(desk.bulk_undo(&queue, &actor(by))?),
        Ask::QueueProgress { queue } => json!(desk.bulk_progress(&queue)?),
        Ask::QueueEnd { queue } => {
            desk.bulk_end(&queue)?;
            said("the queue is ended".to_owned())
        }
        // It waits, so it is answered elsewhere.
        Ask::Next { .. } => Value::Null,
    })
}

fn said(message: String) -> Value {
    json!({ "message": message })
}

/// The next card at a reader of the desk, or at one that is lent to it. `after` counts its events, not the journal's.
async fn next_at_the_desk(readers: &DeskReaders, at: &str, after: Option<u64>) -> Value {
    let (seq, card) = readers.next_card(at, after, NEXT_WITHIN).await;
    json!(Presented { seq, card })
}

/// The next card at a door's reader. The door decides it as always.
async fn next(desk: Desk, at: String, after: Option<u64>) -> Result<Value, DeskError> {
    let began = {
        let desk = desk.clone();
        on_a_thread(move || Ok(json!(after.map_or_else(|| desk.journal_end(), Ok)?))).await?
    };
    let began = began.as_u64().unwrap_or_default();
    let looks = NEXT_WITHIN.as_millis() / NEXT_EVERY.as_millis();
    for _ in 0..looks {
        let (desk, at) = (desk.clone(), at.clone());
        let found = on_a_thread(move || {
            let found = desk.presented_after(began, &at)?;
            Ok(found.map_or(Value::Null, |(seq, card)| {
                json!(Presented {
                    seq,
                    card: Some(card)
                })
            }))
        })
        .await?;
        if !found.is_null() {
            return Ok(found);
        }
        tokio::time::sleep(NEXT_EVERY).await;
    }
    Ok(json!(Presented {
        seq: began,
        card: None
    }))
}
