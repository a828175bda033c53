//! Who there is, and what they may open and why (R43).

use super::{
    Api,
    asked::{Asked, Named},
    events::rfc3339,
};
use crate::{
    config::Config,
    domain::{PersonId, Reason, facts::Facts, grant::Target},
    rules::{self, State as RightState},
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{Json, Router, extract::State, routing::get};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use utoipa::{IntoParams, ToSchema};

/// People on a page, at most.
const LONGEST_PAGE: usize = 200;

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
    /// The company.
    team: Option<String>,
    /// How many cards.
    cards: usize,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeoplePage {
    /// By name.
    people: Vec<Person>,
    /// How many fit in all.
    total: usize,
    /// For the next page; null at the end.
    next: Option<usize>,
}

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Words that name, e-mail, company or id contain, all of them.
    #[serde(default)]
    #[param(max_length = 200)]
    q: String,
    /// `next` of the page before.
    #[serde(default)]
    cursor: usize,
    /// People on the page; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
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
    /// Cards, all but the end left out.
    cards: Vec<String>,
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

struct Row {
    person: Person,
    /// Everything that a search looks at, in lower case.
    key: String,
}

/// The people of some rights, for searches: made at the first, and anew when other rights are in force.
struct Directory {
    rights: u64,
    rows: Vec<Row>,
}

/// Where the directory stands.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<Option<Arc<Directory>>>>);

impl Shelf {
    fn get(&self, api: &Api) -> Result<Arc<Directory>, Problem> {
        let rights = api.gateway.rights();
        // Held while it is made: two searches at once do not make it twice.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.as_ref().filter(|known| known.rights == rights) {
            return Ok(Arc::clone(known));
        }
        *slot = None;
        let made = Arc::new(Directory::new(
            rights,
            facts(api)?.as_ref().map(|(facts, _)| facts),
        ));
        *slot = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Directory {
    fn new(rights: u64, facts: Option<&Facts>) -> Self {
        let Some(facts) = facts else {
            return Self {
                rights,
                rows: Vec::new(),
            };
        };
        let teams: HashMap<&str, &str> = facts
            .teams
            .iter()
            .map(|team| (team.id.as_str(), team.name.as_str()))
            .collect();
        let row = |person: &crate::domain::facts::Person| {
            let team = person.team.as_deref();
            let team = team.map(|id| teams.get(id).copied().unwrap_or(id).to_owned());
            let texts = [
                Some(person.name.as_str()),
                person.email.as_deref(),
                team.as_deref(),
                Some(person.id.as_str()),
            ];
            let key: Vec<&str> = texts.into_iter().flatten().collect();
            Row {
                key: key.join("\n").to_lowercase(),
                person: Person {
                    id: person.id.as_str().to_owned(),
                    name: person.name.clone(),
                    email: person.email.clone(),
                    team,
                    cards: person.credentials.len(),
                },
            }
        };
        let mut rows: Vec<Row> = facts.people.iter().map(row).collect();
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        Self { rights, rows }
    }

    /// Whose name begins so comes first.
    fn search(&self, which: &Which, limit: usize) -> PeoplePage {
        let query = which.q.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let fits = |row: &&Row| words.iter().all(|word| row.key.contains(word));
        let begins = |row: &&Row| words.first().is_some_and(|word| row.key.starts_with(word));
        let (first, then): (Vec<&Row>, Vec<&Row>) = self.rows.iter().filter(fits).partition(begins);
        let total = first.len() + then.len();
        let people: Vec<Person> = first
            .into_iter()
            .chain(then)
            .skip(which.cursor)
            .take(limit)
            .map(|row| row.person.clone())
            .collect();
        let end = which.cursor.saturating_add(people.len());
        PeoplePage {
            people,
            total,
            next: (end < total).then_some(end),
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
    let limit = which.limit.unwrap_or(50);
    if !(1..=LONGEST_PAGE).contains(&limit) || which.q.chars().count() > 200 {
        return Err(Problem::invalid(
            "limit is 1 to 200, and q has 200 characters at most",
        ));
    }
    api.ask(move |api| Ok(api.directory.get(api)?.search(&which, limit)))
        .await
        .map(Json)
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
    let missing = || Problem::missing("the facts in force do not name such a person");
    let failed = |error| Problem::failed(&error);
    let config = api.gateway.config();
    let (facts, taken_at) = facts(api)?.ok_or_else(missing)?;
    let known = facts.people.iter().find(|person| person.id.as_str() == id);
    let known = known.ok_or_else(missing)?;
    let mut outcome = rules::grants(&facts, &config.rules, &config.site);
    let store = api.store.read();
    outcome.blocks.extend(store.blocks().map_err(failed)?);
    for card in store.local_cards().map_err(failed)? {
        let card = (card.credential, card.person);
        if !outcome.credentials.contains(&card) {
            outcome.credentials.push(card);
        }
    }
    let who: &PersonId = &known.id;
    let at = api.clock.now().at;
    let all = rules::effective(&outcome, &config.site, at);
    let access = all.into_iter().find(|it| it.person == *who).ok_or_else(missing)?;
    let cards = outcome.credentials.iter().filter(|(_, holder)| holder == who);
    Ok(Detail {
        id: id.to_owned(),
        name: known.name.clone(),
        email: known.email.clone(),
        blocked: access.blocked.clone(),
        cards: cards.map(|(card, _)| card.masked()).collect(),
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
    let (state, words) = match right.state {
        RightState::Open => ("open", right.kind.granted().words().to_owned()),
        RightState::OutsideHours => ("outside_hours", Reason::OutsideHours.words().to_owned()),
        RightState::NotYet => ("not_yet", "has not begun yet".to_owned()),
        RightState::Void(reason) => ("void", reason.words().to_owned()),
    };
    Right {
        state,
        words,
        group,
        door,
        doors,
        kind: right.kind.name(),
        because: right.source.label.clone(),
        source: right.source.id.clone(),
        from: right.window.from.map(rfc3339),
        until: right.window.until.map(rfc3339),
        hours: right.hours.as_ref().map(|hours| hours.as_str().to_owned()),
        rule: right.rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_by_every_word_and_names_first() {
        let person = |id: &str, name: &str, email: &str| serde_json::json!({ "id": id, "name": name, "email": email, "team": "t1" });
        let facts = serde_json::json!({
            "version": 1,
            "people": [person("1", "Ana Ruiz", "ana@x.es"), person("2", "Ben Mariana", "b@x.es"), person("3", "Cy", "c@y.de")],
            "teams": [{ "id": "t1", "name": "Acme" }],
        });
        let facts: Facts = serde_json::from_value(facts).unwrap();
        let directory = Directory::new(1, Some(&facts));
        let ids = |q: &str, cursor, limit| {
            let which = Which {
                q: q.into(),
                cursor,
                limit: None,
            };
            let page = directory.search(&which, limit);
            let ids: String = page.people.iter().map(|it| it.id.as_str()).collect();
            (ids, page.total, page.next)
        };
        assert_eq!(ids("ana", 0, 9), ("12".into(), 2, None));
        assert_eq!(ids("ACME x.es ben", 0, 9), ("2".into(), 1, None));
        assert_eq!(ids("", 0, 2), ("12".into(), 3, Some(2)));
        assert_eq!(ids("", 2, 2), ("3".into(), 3, None));
        assert_eq!(ids("nobody", 0, 2), (String::new(), 0, None));
        assert_eq!(ids("", usize::MAX, 2).0, "");
    }
}
