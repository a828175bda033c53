//! The desk's readers: which there are, what was presented there, and numbers that a person typed or a browser read.

use super::{
    Api,
    asked::{Asked, Named, Sent},
    status::Done,
};
use crate::{
    desk::{
        Presented,
        readers::{DeskReader, Kind, Trouble},
    },
    domain::{ReaderId, say::page as say},
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
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// The longest loan, in seconds.
const LONGEST: u64 = 60;
/// The longest number that is looked at.
const LONGEST_NUMBER: usize = 200;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/desk/readers", get(readers))
        .route("/api/v1/desk/readers/{id}/lend", post(lend))
        .route("/api/v1/desk/readers/{id}/return", post(give_back))
        .route("/api/v1/cards/presented", get(presented))
        .route("/api/v1/cards/read", post(read))
}

/// The desk's readers as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ReadersDoc {
    /// The readers that are there, lent ones of doors included.
    pub(super) readers: Vec<AtDesk>,
    /// What is wrong, until it is put right.
    trouble: Vec<Trouble>,
    /// The doors' readers that may be lent to the desk now.
    may_lend: Vec<MayLend>,
}

/// A reader at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct AtDesk {
    /// The same for the same reader at the same place.
    id: String,
    /// What people call it.
    name: String,
    /// What it is.
    kind: Kind,
    /// For how long it is lent still, if it is a door's; else null.
    pub(super) lent_for_seconds: Option<u64>,
}

/// A door's reader that may be lent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct MayLend {
    /// The reader's id.
    id: String,
    /// Its door.
    door: String,
    /// What people call that door.
    name: String,
}

/// For how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Loan {
    /// A minute if absent.
    #[schema(minimum = 1, maximum = 60)]
    seconds: Option<u64>,
}

/// A number.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    /// As it is written. With its scheme (`uid:04…`) it is what it says.
    #[schema(max_length = 200)]
    number: String,
    /// How it is written: a word of `card_format` (`uid`, `uid-reversed`, `decimal`, `decimal-reversed`, `wiegand26`, `ks`,
    /// `token`, `auto`). Absent: `auto`.
    format: Option<String>,
}

/// Which presentations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `n` of the last one that is known; absent: those of the last quarter of an hour.
    #[serde(default)]
    after: u64,
}

/// Presentations at the desk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Presentations {
    /// The newest last, 20 at most.
    presentations: Vec<Presented>,
}

/// The readers as they are now.
pub(super) fn all(api: &Api) -> ReadersDoc {
    let at_doors = api.gateway.door_readers();
    let left = |id: &ReaderId| at_doors.iter().find(|it| it.reader == *id)?.left;
    let of_desk = api.desk.readers();
    let shown = |reader: DeskReader| AtDesk {
        lent_for_seconds: left(&reader.id).map(|left| left.as_secs().max(1)),
        id: reader.id.as_str().to_owned(),
        name: reader.name,
        kind: reader.kind,
    };
    let config = api.gateway.config();
    let may_lend = at_doors.iter().filter(|it| it.left.is_none()).map(|it| {
        let door = config.site.doors.iter().find(|door| door.id == it.door);
        MayLend {
            id: it.reader.as_str().to_owned(),
            door: it.door.as_str().to_owned(),
            name: door.map_or_else(|| it.door.as_str().to_owned(), |door| door.name.clone()),
        }
    });
    ReadersDoc {
        readers: of_desk.list().into_iter().map(shown).collect(),
        trouble: of_desk.standing(),
        may_lend: may_lend.collect(),
    }
}

/// The desk's readers, and the doors' that may be lent to it
#[utoipa::path(get, path = "/api/v1/desk/readers", tag = "desk", extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = ReadersDoc), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn readers(State(api): State<Api>, who: Who) -> Result<Json<ReadersDoc>, Problem> {
    who.need(Act::WriteCards)?;
    Ok(Json(all(&api)))
}

/// Lend a door's reader to the desk: it opens nothing by card meanwhile
#[utoipa::path(post, path = "/api/v1/desk/readers/{id}/lend", tag = "desk", params(("id" = String, Path)),
    request_body = Loan, extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn lend(
    State(api): State<Api>,
    who: Who,
    Named(id): Named,
    Sent(loan): Sent<Loan>,
) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    let seconds = loan.seconds.unwrap_or(LONGEST);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(Problem::invalid(say::loan_length()));
    }
    let reader = ReaderId::from(id.as_str());
    let lent = api.gateway.lend(&reader, Duration::from_secs(seconds));
    let lent = lent.ok_or_else(|| Problem::missing(say::no_such_reader()))?;
    api.staff.audit(&who.actor(), "reader.lent", &id, "done").await;
    let message = format!(
        "{id} is lent to the desk for {} s: cards open nothing there",
        lent.as_secs()
    );
    Ok(Json(Done { message }))
}

/// Give a lent reader back to its door at once
#[utoipa::path(post, path = "/api/v1/desk/readers/{id}/return", tag = "desk", params(("id" = String, Path)),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn give_back(
    State(api): State<Api>,
    who: Who,
    Named(id): Named,
) -> Result<Json<Done>, Problem> {
    who.need(Act::WriteCards)?;
    let reader = ReaderId::from(id.as_str());
    if !api.gateway.door_readers().iter().any(|it| it.reader == reader) {
        return Err(Problem::missing(say::no_such_reader()));
    }
    let message = match api.gateway.give_back(&reader) {
        true => {
            api.staff
                .audit(&who.actor(), "reader.returned", &id, "done")
                .await;
            format!("{id} opens its door again")
        }
        false => format!("{id} was not lent"),
    };
    Ok(Json(Done { message }))
}

/// Cards that were presented at the desk's readers
#[utoipa::path(get, path = "/api/v1/cards/presented", tag = "desk", params(Which),
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Presentations), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn presented(
    State(api): State<Api>,
    who: Who,
    Asked(which): Asked<Which>,
) -> Result<Json<Presentations>, Problem> {
    who.need(Act::WriteCards)?;
    let presentations = api.at_the_desk(&who, move |desk, _| desk.presented(which.after));
    let presentations = presentations.await?;
    Ok(Json(Presentations { presentations }))
}

/// A number that was typed, or that a browser read: every open desk hears of it, as of a card at a reader
#[utoipa::path(post, path = "/api/v1/cards/read", tag = "desk", request_body = Number,
    extensions(("x-scope" = json!("cards:write"))), responses(
    (status = 200, body = Presented), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn read(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Number>,
) -> Result<Json<Presented>, Problem> {
    who.need(Act::WriteCards)?;
    if sent.number.len() > LONGEST_NUMBER {
        return Err(Problem::invalid(say::long_number()));
    }
    let read = api.at_the_desk(&who, move |desk, _| {
        desk.read(&sent.number, sent.format.as_deref())
    });
    read.await.map(Json)
}
