//! Who there is, and what they may open and why (R43).

use super::{
    Api,
    asked::{Asked, Named, Which},
    events::rfc3339,
};
use crate::{
    config::Config,
    desk::{Hit, answers::Theirs},
    domain::{BlockTarget, PersonId, Reason, facts::Facts, grant::Target, say::page as say},
    rules::{self, State as RightState},
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/people", get(people))
        .route("/api/v1/people/{id}", get(person))
}

/// Somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Person {
    /// The platform's id.
    id: String,
    /// Full name.
    name: String,
    /// As the platform has it.
    email: Option<String>,
    /// The company; several with a comma between.
    team: Option<String>,
    /// How many cards count at the doors.
    cards: usize,
    /// Whether the person is blocked at the gateway.
    blocked: bool,
    /// Whether the platform has locked the person out.
    deactivated: bool,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeoplePage {
    /// Whose name begins so first, then by name.
    people: Vec<Person>,
    /// How many fit in all.
    total: usize,
    /// For the next page; null at the end.
    next: Option<usize>,
}

/// A person with every right.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Detail {
    /// The platform's id.
    id: String,
    /// Full name.
    name: String,
    /// As the platform has it.
    email: Option<String>,
    /// Why nothing opens, in words; null if something may.
    blocked: Option<String>,
    /// The company; several with a comma between.
    team: Option<String>,
    /// Whether a block of the person stands at the gateway, which `cards/unblock` lifts.
    blocked_here: bool,
    /// Cards, all but the end left out.
    cards: Vec<Theirs>,
    /// What is open first, then what comes, then what opens nothing.
    access: Vec<Right>,
    /// When the facts were fetched, RFC 3339.
    facts_of: String,
}

/// One right and where it comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Right {
    /// `open`, `outside_hours`, `not_yet` or `void`.
    state: &'static str,
    /// The same for people, with the reason.
    words: String,
    /// Why it opens nothing now, as a stable name; null if it does or has not begun.
    reason: Option<&'static str>,
    /// The group that it opens.
    group: Option<String>,
    /// Or the one door.
    door: Option<String>,
    /// The doors that it opens.
    doors: Vec<String>,
    /// `plan`, `assignment`, `booking`, `pass` or `direct`.
    kind: &'static str,
    /// What people call it: the plan's name, the room's.
    because: String,
    /// Its id at the platform.
    source: String,
    /// From when on, RFC 3339; null if it has no beginning.
    from: Option<String>,
    /// The first instant at which it is over; null if it has no end.
    until: Option<String>,
    /// The schedule that narrows it.
    hours: Option<String>,
    /// The rule of docs/rules.md, 1 to 44.
    rule: u8,
}

impl Person {
    fn of((hit, blocked): (Hit, bool)) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            id: hit.id,
            name: hit.name,
            email: some(hit.email),
            team: some(hit.company),
            cards: hit.cards,
            blocked,
            deactivated: hit.deactivated,
        }
    }
}

/// The facts in force and when they were fetched.
fn facts(api: &Api) -> Result<Option<(Facts, i64)>, Problem> {
    let failed = |error| Problem::failed(&error);
    let store = api.store.read();
    let Some(active) = store.active().map_err(failed)? else {
        return Ok(None);
    };
    let facts = store.facts(&active).map_err(failed)?;
    Ok(Some((facts, active.meta.taken_at)))
}

/// People by name, e-mail, company or id
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Which),
    extensions(("x-scope" = json!("people:read"))), responses(
    (status = 200, body = PeoplePage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn people(
    State(api): State<Api>,
    who: Who,
    Asked(which): Asked<Which>,
) -> Result<Json<PeoplePage>, Problem> {
    who.need(Act::ReadPeople)?;
    let limit = which.limit()?;
    let page = api.at_the_desk(&who, move |desk, _| {
        let (people, total) = desk.people(&which.q, which.cursor, limit)?;
        let people: Vec<Person> = people.into_iter().map(Person::of).collect();
        let end = which.cursor.saturating_add(people.len());
        let next = (end < total && !people.is_empty()).then_some(end);
        Ok(PeoplePage { people, total, next })
    });
    page.await.map(Json)
}

/// What somebody may open, and why
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)),
    extensions(("x-scope" = json!("people:read"))), responses(
    (status = 200, body = Detail), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn person(
    State(api): State<Api>,
    who: Who,
    Named(id): Named,
) -> Result<Json<Detail>, Problem> {
    who.need(Act::ReadPeople)?;
    api.ask(move |api| detail(api, &id)).await.map(Json)
}

fn detail(api: &Api, id: &str) -> Result<Detail, Problem> {
    let missing = || Problem::missing(say::not_in_facts());
    let failed = |error| Problem::failed(&error);
    let config = api.gateway.config();
    let (facts, taken_at) = facts(api)?.ok_or_else(missing)?;
    let known = facts.people.iter().find(|person| person.id.as_str() == id);
    let known = known.ok_or_else(missing)?;
    let mut outcome = rules::grants(&facts, &config.rules, &config.site);
    let store = api.store.read();
    outcome.blocks.extend(store.blocks().map_err(failed)?);
    let who: &PersonId = &known.id;
    let at = api.clock.now().at;
    let all = rules::effective(&outcome, &config.site, at);
    let access = all.into_iter().find(|it| it.person == *who).ok_or_else(missing)?;
    let target = BlockTarget::Person(who.clone());
    let blocked_here = outcome.blocks.iter().any(|block| block.target == target);
    let cards = api.desk.cards_of(who).map_err(Problem::from)?;
    let hit = api.desk.directory().map_err(Problem::from)?.person(who);
    Ok(Detail {
        id: id.to_owned(),
        name: known.name.to_string(),
        email: known.email.clone().map(Into::into),
        blocked: access.blocked.clone(),
        team: hit.map(|hit| hit.company).filter(|company| !company.is_empty()),
        blocked_here,
        cards,
        access: access.access.iter().map(|right| shown(right, &config)).collect(),
        facts_of: rfc3339(taken_at),
    })
}

fn shown(right: &rules::Access, config: &Config) -> Right {
    let (group, door) = match &right.target {
        Target::Group(group) => (Some(group.as_str().to_owned()), None),
        Target::Door(door) => (None, Some(door.as_str().to_owned())),
    };
    let doors = match &right.target {
        Target::Door(door) => vec![door.as_str().to_owned()],
        Target::Group(group) => {
            let found = config.site.groups.iter().find(|known| known.id == *group);
            let doors = found.map_or(&[][..], |group| group.doors.as_slice());
            doors.iter().map(|door| door.as_str().to_owned()).collect()
        }
    };
    let (state, reason) = match right.state {
        RightState::Open => ("open", None),
        RightState::OutsideHours => ("outside_hours", Some(Reason::OutsideHours)),
        RightState::NotYet => ("not_yet", None),
        RightState::Void(reason) => ("void", Some(reason)),
    };
    let words = match (&right.state, reason) {
        (_, Some(reason)) => reason.words(),
        (RightState::NotYet, None) => "has not begun yet",
        (_, None) => right.kind.granted().words(),
    };
    Right {
        state,
        words: words.to_owned(),
        reason: reason.map(|reason| reason.name()),
        group,
        door,
        doors,
        kind: right.kind.name(),
        because: right.source.label.to_string(),
        source: right.source.id.to_string(),
        from: right.window.from.map(rfc3339),
        until: right.window.until.map(rfc3339),
        hours: right.hours.as_ref().map(|hours| hours.as_str().to_owned()),
        rule: right.rule,
    }
}
