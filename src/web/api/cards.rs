//! What the desk does with one card. A card is named by a reference and never by a whole number, unless somebody types one:
//! `presented@N`, `refused` or `refused@DOOR`, `known@TOKEN`, or a number with its scheme.

use super::{
    Api,
    asked::{Asked, Sent, Which},
    status::Done,
};
use crate::{
    desk::{Change, Desk, DeskError, Known, Look, NewGuest},
    domain::{BlockTarget, PersonId, say::page as say},
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/cards", get(list))
        .route("/api/v1/cards/look", post(look))
        .route("/api/v1/cards/assign", post(assign))
        .route("/api/v1/cards/return", post(give_back))
        .route("/api/v1/cards/replace", post(replace))
        .route("/api/v1/cards/guest", post(guest))
        .route("/api/v1/cards/block", post(block))
        .route("/api/v1/cards/unblock", post(unblock))
}

/// A card.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThisCard {
    /// Its reference.
    card: String,
}

/// To whom a card is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    /// The card's reference.
    card: String,
    /// The platform's id of the person.
    person: String,
    /// Whose card it was seen to be, where it is to change hands: the move is confirmed by naming them.
    from: Option<String>,
    /// `seen` of the look: if the card changed hands since, nothing is done.
    seen: Option<u64>,
}

/// Which card is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    /// The card's reference.
    card: String,
    /// `seen` of the look: if the card changed hands since, nothing is done.
    seen: Option<u64>,
}

/// Which card takes the place of which.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replace {
    /// The old card's reference.
    old: String,
    /// The new one's.
    new: String,
    /// The old one is lost: it is blocked as well.
    lost: bool,
}

/// A guest who is to have a card.
#[derive(Deserialize, ToSchema)]
pub(super) struct Guest {
    /// The card's reference.
    card: String,
    #[serde(flatten)]
    guest: NewGuest,
}

/// What is blocked: a card, or a person with all cards.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    /// The card's reference.
    card: Option<String>,
    /// Or the platform's id of the person.
    person: Option<String>,
    /// Why, in staff's words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// What is blocked no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unblock {
    /// The card's reference.
    card: Option<String>,
    /// Or the platform's id of the person.
    person: Option<String>,
}

/// A page of known cards.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CardPage {
    /// By the names of their holders.
    cards: Vec<Known>,
    /// How many fit in all.
    total: usize,
    /// For the next page; null at the end.
    next: Option<usize>,
}

/// Known cards and whose they are
#[utoipa::path(get, path = "/api/v1/cards", tag = "cards", params(Which),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = CardPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(api): State<Api>,
    who: Who,
    Asked(which): Asked<Which>,
) -> Result<Json<CardPage>, Problem> {
    who.need(Act::WriteCards)?;
    let limit = which.limit()?;
    let page = api.at_the_desk(&who, move |desk, _| {
        let (cards, total) = desk.cards_page(&which.q, which.cursor, limit, false)?;
        let end = which.cursor.saturating_add(cards.len());
        let next = (end < total && !cards.is_empty()).then_some(end);
        Ok(CardPage { cards, total, next })
    });
    page.await.map(Json)
}

/// Whose card is this, since when, is it blocked, where was it refused
#[utoipa::path(post, path = "/api/v1/cards/look", tag = "cards", request_body = ThisCard,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Look), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn look(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<ThisCard>,
) -> Result<Json<Look>, Problem> {
    who.need(Act::WriteCards)?;
    let look = api.at_the_desk(&who, move |desk, _| desk.look(&desk.card(&sent.card)?));
    look.await.map(Json)
}

/// Give a card to a person, or move it from the one who has it
#[utoipa::path(post, path = "/api/v1/cards/assign", tag = "cards", request_body = Assign,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Change), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn assign(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Assign>,
) -> Result<Json<Change>, Problem> {
    who.need(Act::WriteCards)?;
    let change = api.at_the_desk(&who, move |desk, actor| {
        let (card, person) = (desk.card(&sent.card)?, PersonId::from(sent.person));
        match sent.from.map(PersonId::from) {
            Some(from) => desk.move_card(&card, &person, &from, sent.seen, actor),
            None => desk.assign(&card, &person, sent.seen, actor),
        }
    });
    Ok(Json(change.await?.spoken()))
}

/// Take a card back: it opens nothing, whatever the platform still says
#[utoipa::path(post, path = "/api/v1/cards/return", tag = "cards", request_body = Return,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Change), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn give_back(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Return>,
) -> Result<Json<Change>, Problem> {
    who.need(Act::WriteCards)?;
    let change = api.at_the_desk(&who, move |desk, actor| {
        desk.return_card(&desk.card(&sent.card)?, sent.seen, actor)
    });
    Ok(Json(change.await?.spoken()))
}

/// A new card for an old one: the old one opens nothing any more
#[utoipa::path(post, path = "/api/v1/cards/replace", tag = "cards", request_body = Replace,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Change), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn replace(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Replace>,
) -> Result<Json<Change>, Problem> {
    who.need(Act::WriteCards)?;
    let change = api.at_the_desk(&who, move |desk, actor| {
        desk.replace(&desk.card(&sent.old)?, &desk.card(&sent.new)?, sent.lost, actor)
    });
    Ok(Json(change.await?.spoken()))
}

/// Give a card to a guest, until it ends by itself
#[utoipa::path(post, path = "/api/v1/cards/guest", tag = "cards", request_body = Guest,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Change), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn guest(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Guest>,
) -> Result<Json<Change>, Problem> {
    who.need(Act::WriteCards)?;
    let change = api.at_the_desk(&who, move |desk, actor| {
        desk.guest(&desk.card(&sent.card)?, &sent.guest, None, actor)
    });
    Ok(Json(change.await?.spoken()))
}

/// Block a card or a person at every door at once, whatever the cloud does
#[utoipa::path(post, path = "/api/v1/cards/block", tag = "cards", request_body = Block,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn block(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Block>,
) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    if sent.note.chars().count() > 500 {
        return Err(Problem::invalid(say::long_note()));
    }
    let asked = one_of(sent.card, sent.person)?;
    let message = api.at_the_desk(&who, move |desk, actor| {
        desk.block(&asked.target(desk)?, &sent.note, actor)
    });
    Ok(Json(Done {
        message: message.await?,
    }))
}

/// Lift a block
#[utoipa::path(post, path = "/api/v1/cards/unblock", tag = "cards", request_body = Unblock,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn unblock(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Unblock>,
) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    let asked = one_of(sent.card, sent.person)?;
    let message = api.at_the_desk(&who, move |desk, actor| desk.unblock(&asked.target(desk)?, actor));
    Ok(Json(Done {
        message: message.await?,
    }))
}

/// A card or a person.
enum Asks {
    Card(String),
    Person(PersonId),
}

fn one_of(card: Option<String>, person: Option<String>) -> Result<Asks, Problem> {
    match (card, person) {
        (Some(card), None) => Ok(Asks::Card(card)),
        (None, Some(person)) => Ok(Asks::Person(person.into())),
        _ => Err(Problem::invalid(say::card_or_person())),
    }
}

impl Asks {
    /// A person must be one whom somebody knows: a block of a mistyped id would stop nobody, and say that it did.
    fn target(self, desk: &Desk) -> Result<BlockTarget, DeskError> {
        Ok(match self {
            Self::Card(card) => BlockTarget::Credential(desk.card(&card)?),
            Self::Person(person) => BlockTarget::Person(desk.known_person(person)?),
        })
    }
}
