//! Many cards: sheets, queues of people, and what the platform did not take.

use super::{
    Api,
    asked::{Named, Sent},
    status::Done,
};
use crate::{
    desk::{
        Conflict, DeskError, Progress, Refusal, Resolution, Step, Wanted, answers::Import, refs::card_text,
    },
    domain::say::desk as say,
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

/// The longest name of a queue.
const LONGEST_NAME: usize = 100;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/cards/import", post(import))
        .route("/api/v1/conflicts", get(conflicts))
        .route("/api/v1/conflicts/{id}", post(resolve))
        .route("/api/v1/queues/{name}", post(begin).get(progress).delete(end))
        .route("/api/v1/queues/{name}/present", post(present))
        .route("/api/v1/queues/{name}/skip", post(skip))
        .route("/api/v1/queues/{name}/undo", post(undo))
}

/// A sheet of cards.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// CSV with a column for the card, and one for id, e-mail or name.
    text: String,
    /// How its numbers are written: a word of `card_format`. Absent: as the platform writes them.
    format: Option<String>,
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Conflicts {
    /// In the order in which the platform was told.
    conflicts: Vec<Conflict>,
}

/// How a conflict is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    resolution: Resolution,
}

/// Of whom a queue is to be: of the people of a sheet, of those who are named, or of those who are found.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewQueue {
    /// CSV with a column id, email or name: these, in this order.
    csv: Option<String>,
    /// The platform's ids: these, in this order.
    people: Option<Vec<String>>,
    /// Whoever is found by this, as in a search.
    search: Option<String>,
    /// Of this team.
    company: Option<String>,
    /// With this plan, by id or name.
    plan: Option<String>,
    /// Only those who have no card.
    without_card: bool,
}

/// A card for the one whose turn it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Present {
    /// The card's reference.
    card: String,
}

/// Give the cards of a sheet, row by row; every bad row is named
#[utoipa::path(post, path = "/api/v1/cards/import", tag = "cards", request_body = Sheet,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Import), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn import(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Sheet>,
) -> Result<Json<Import>, Problem> {
    who.need(Act::WriteCards)?;
    let import = api.at_the_desk(&who, move |desk, actor| {
        let format = sent.format.as_deref().map(card_text).transpose()?;
        desk.import(&sent.text, format, sent.dry_run, actor)
    });
    import.await.map(Json)
}

/// What the platform did not take
#[utoipa::path(get, path = "/api/v1/conflicts", tag = "cards", extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Conflicts), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn conflicts(State(api): State<Api>, who: Who) -> Result<Json<Conflicts>, Problem> {
    who.need(Act::WriteCards)?;
    let conflicts = api.at_the_desk(&who, |desk, _| desk.conflicts()).await?;
    Ok(Json(Conflicts { conflicts }))
}

/// Decide a conflict
#[utoipa::path(post, path = "/api/v1/conflicts/{id}", tag = "cards", params(("id" = String, Path)), request_body = Decision,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn resolve(
    State(api): State<Api>,
    who: Who,
    Named(id): Named,
    Sent(sent): Sent<Decision>,
) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    let message = api.at_the_desk(&who, move |desk, actor| desk.resolve(&id, sent.resolution, actor));
    Ok(Json(Done {
        message: message.await?,
    }))
}

/// The name of a queue, as it is kept: those of the command line have others.
fn queue(name: &str) -> Result<String, DeskError> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(DeskError::refused(Refusal::BadInput, say::queue_name()));
    }
    Ok(format!("page: {name}"))
}

/// Begin a queue: each card that is presented to it is the next person's
#[utoipa::path(post, path = "/api/v1/queues/{name}", tag = "queues", params(("name" = String, Path)),
    request_body = NewQueue, extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Step), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn begin(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
    Sent(sent): Sent<NewQueue>,
) -> Result<Json<Step>, Problem> {
    who.need(Act::WriteCards)?;
    let step = api.at_the_desk(&who, move |desk, actor| {
        let wanted = Wanted {
            sheet: sent.csv,
            people: sent.people,
            search: sent.search,
            company: sent.company,
            plan: sent.plan,
            without_card: sent.without_card,
        };
        desk.bulk_begin(&queue(&name)?, &wanted, actor)
    });
    step.await.map(Json)
}

/// How far a queue is
#[utoipa::path(get, path = "/api/v1/queues/{name}", tag = "queues", params(("name" = String, Path)),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Progress), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn progress(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<Json<Progress>, Problem> {
    who.need(Act::WriteCards)?;
    let progress = api.at_the_desk(&who, move |desk, _| desk.bulk_progress(&queue(&name)?));
    progress.await.map(Json)
}

/// End a queue; what was given stays given
#[utoipa::path(delete, path = "/api/v1/queues/{name}", tag = "queues", params(("name" = String, Path)),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn end(State(api): State<Api>, who: Who, Named(name): Named) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    api.at_the_desk(&who, move |desk, _| desk.bulk_end(&queue(&name)?))
        .await?;
    let message = "the queue is ended".to_owned();
    Ok(Json(Done { message }))
}

/// A card for the one whose turn it is
#[utoipa::path(post, path = "/api/v1/queues/{name}/present", tag = "queues", params(("name" = String, Path)),
    request_body = Present, extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Step), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn present(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
    Sent(sent): Sent<Present>,
) -> Result<Json<Step>, Problem> {
    who.need(Act::WriteCards)?;
    let step = api.at_the_desk(&who, move |desk, actor| {
        desk.bulk_present(&queue(&name)?, &desk.card(&sent.card)?, actor)
    });
    step.await.map(Json)
}

/// Pass the next one over
#[utoipa::path(post, path = "/api/v1/queues/{name}/skip", tag = "queues", params(("name" = String, Path)),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Step), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn skip(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<Json<Step>, Problem> {
    who.need(Act::WriteCards)?;
    let step = api.at_the_desk(&who, move |desk, _| desk.bulk_skip(&queue(&name)?));
    step.await.map(Json)
}

/// Take the last step back
#[utoipa::path(post, path = "/api/v1/queues/{name}/undo", tag = "queues", params(("name" = String, Path)),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Step), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn undo(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<Json<Step>, Problem> {
    who.need(Act::WriteCards)?;
    let step = api.at_the_desk(&who, move |desk, actor| desk.bulk_undo(&queue(&name)?, actor));
    step.await.map(Json)
}
