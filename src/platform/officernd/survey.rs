//! What an installer learns: every permission tried, everything that can be mapped listed. Changes nothing.

use super::{
    auth::Purpose,
    client::Client,
    facts::{self, Site, Span},
    lists,
    pull::written,
    rows::{self, Rows},
};
use crate::domain::Text;
use crate::{
    domain::facts::Facts,
    platform::{ErrorKind, PlatformError, Survey, SurveyCheck},
};
use serde_json::Value;
use std::time::Duration;

/// What is read, and why: path and reason.
const READS: &[(&str, &str)] = &[
    ("locations", "the zone in which days and hours count"),
    ("floors", "desks of a floor can be mapped together"),
    ("plans", "plans are mapped to groups"),
    ("resources", "rooms, desks and offices are mapped to groups"),
    ("members", "who the people are, and which cards they have"),
    (
        "companies",
        "a membership without a member is the whole company's",
    ),
    ("memberships", "who is on which plan, from when to when"),
    ("assignments", "who has which desk or office"),
    ("bookings/occurrences", "who may enter a room, and when"),
    ("visitors", "who the guests of a booking are"),
    ("passes", "who has day passes left"),
    ("checkins", "an entry is reported once, and a pass in use goes on"),
];

/// The longest wait for the next token: they are counted by the minute.
const PATIENCE: Duration = Duration::from_secs(75);

pub(super) async fn survey(client: &Client, site: &Site) -> Result<Survey, PlatformError> {
    token(client, Purpose::Read).await?;
    let mut survey = Survey::default();
    let mut all = Rows::default();
    let (mut cards, mut locations) = (0, 0);
    for (path, why) in READS {
        let outcome = read(client, path, &mut all, &mut cards).await;
        if *path == "locations" {
            // Nothing can be asked at all: one error says it better than twelve.
            if let Err(error) = &outcome
                && !error.text.contains("grant the scope")
            {
                return Err(error.clone());
            }
            locations = all.locations.len();
        }
        survey.checks.push(SurveyCheck {
            what: (*path).to_owned(),
            why,
            outcome,
        });
    }
    for (purpose, what, why) in [
        (
            Purpose::CheckIns,
            "check-ins, writing",
            "entries become check-ins",
        ),
        (
            Purpose::Cards,
            "members, writing",
            "the desk writes card numbers into members",
        ),
        (
            Purpose::Hooks,
            "web hooks",
            "a change arrives at once and not by the next poll",
        ),
    ] {
        survey.checks.push(SurveyCheck {
            what: what.to_owned(),
            why,
            outcome: token(client, purpose).await.map(|()| purpose.scopes().len()),
        });
    }
    survey.zone = zone(&all, site);
    survey.remarks = remarks(client, site, locations, cards, all.members.len());
    let (made, _): (Facts, _) = facts::facts(all, site, Span::default(), client.around().clock.now().at);
    survey.catalogue = made.catalogue;
    survey.resources = made.resources;
    Ok(survey)
}

/// A token for each purpose makes four, and there are five a minute for this client, wherever it runs: beside a gateway that
/// has just started, or a second time after a slip, the next one has to be waited for. That is no missing permission.
async fn token(client: &Client, purpose: Purpose) -> Result<(), PlatformError> {
    let refused = match client.token(purpose).await {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    match refused.kind {
        ErrorKind::Throttled { retry_after } if retry_after.unwrap_or_default() <= PATIENCE => {
            tracing::warn!("OfficeRnD gives a client five tokens a minute: waiting for the next");
            client.token(purpose).await.map(drop) // the budget waits for as long as OfficeRnD asked
        }
        _ => Err(refused),
    }
}

async fn read(
    client: &Client,
    path: &str,
    all: &mut Rows,
    cards: &mut usize,
) -> Result<usize, PlatformError> {
    let property = client.config().card_property.as_str();
    let now = client.around().clock.now().at;
    let span = Span::around(now, 14);
    let query = match path {
        "bookings/occurrences" => vec![("from", written(span.from)), ("to", written(span.until))],
        "checkins" => vec![("start[$gte]", written(now.saturating_sub(86_400_000)))],
        _ => Vec::new(),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let take = |row: Value| {
        let Some(id) = rows::id(&row) else {
            return;
        };
        match path {
            "locations" => insert(&mut all.locations, id, rows::location(&row)),
            "floors" => insert(&mut all.floors, id, rows::floor(&row)),
            "plans" => insert(&mut all.plans, id, rows::named(&row)),
            "resources" => insert(&mut all.resources, id, rows::resource(&row)),
            "members" => {
                *cards += usize::from(rows::card_text(&row, property).is_some());
                insert(&mut all.members, id, rows::member(&row, property));
            }
            _ => {}
        }
    };
    let listed = lists::each(client, &parts, &query, take).await;
    match listed {
        Ok(listed) => Ok(listed.rows),
        // Some organizations are asked resource by resource; the gateway finds that out by itself.
        Err(error) if path == "assignments" && super::client::not_understood(&error) => {
            let Some(id) = all.resources.keys().next().cloned() else {
                return Err(error);
            };
            let query = [("resource", id.to_string())];
            Ok(lists::each(client, &parts, &query, |_| {}).await?.rows)
        }
        Err(error) => Err(error),
    }
}

fn insert<T>(found: &mut std::collections::BTreeMap<Text, T>, id: Text, row: Result<T, rows::Unread>) {
    if let Ok(row) = row {
        found.insert(id, row);
    }
}

fn zone(all: &Rows, site: &Site) -> Option<String> {
    let ours = match &site.location {
        Some(id) => all.locations.get(id.as_str()),
        None => all.locations.values().next().filter(|_| all.locations.len() == 1),
    };
    ours?.zone.clone().map(Into::into)
}

fn remarks(client: &Client, site: &Site, locations: usize, cards: usize, members: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    if locations > 1 && site.location.is_none() {
        remarks.push(format!(
            "There are {locations} locations: name this one in [cloud.officernd] location, or no entry becomes a check-in."
        ));
    }
    let property = &client.config().card_property;
    if cards == 0 && members > 0 {
        remarks.push(format!(
            "No member has the custom property {property:?}: create it in OfficeRnD under Settings > Customization > Custom properties, or name yours in [cloud.officernd] card_property."
        ));
    } else {
        remarks.push(format!(
            "{cards} of {members} members have a card number in {property:?}."
        ));
    }
    remarks
}
