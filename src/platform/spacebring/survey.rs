//! What an installer learns before the connection is used: each permission tried by a read, and what there is to map.

use super::{
    client::{
        BALANCES, BOOKINGS, COMPANIES, Client, FORBIDDEN, LOCATIONS, MEMBERSHIPS, Operation, PLANS,
        RESOURCES, SUBSCRIPTIONS,
    },
    facts::{Draft, Site},
    model::Location,
    read::{self, Window},
};
use crate::platform::{ErrorKind, PlatformError, Survey, SurveyCheck};
use serde_json::{Map, Value};

/// A difference between the clocks that is worth a remark, milliseconds.
const MUCH: i64 = 60_000;

/// Tries everything. An error only when nothing at all can be asked: one says it better than eight.
pub(super) async fn survey(
    client: &Client,
    site: &Site,
    zone: &str,
    hooks: bool,
) -> Result<Survey, PlatformError> {
    let mut survey = Survey::default();
    let mut draft = Draft::new(site, client.now());
    let here = [("locationRef", site.location.as_str())];
    let place = locations(client, site, &mut draft, zone, &mut survey).await;
    if let Err(error) = &place
        && !error.text.contains(FORBIDDEN)
    {
        return Err(error.clone());
    }
    note(&mut survey, &LOCATIONS, place);
    let plans = read::rows(client, &mut draft, &PLANS, "plans", &here, |draft, _, row| {
        draft.plan(row)
    })
    .await;
    note(&mut survey, &PLANS, plans);
    let companies = read::rows(client, &mut draft, &COMPANIES, "teams", &here, |draft, _, row| {
        draft.company(row)
    })
    .await;
    note(&mut survey, &COMPANIES, companies);
    let people = read::rows(
        client,
        &mut draft,
        &MEMBERSHIPS,
        "people",
        &here,
        |draft, index, row| {
            draft.member(index, row);
        },
    );
    note(&mut survey, &MEMBERSHIPS, people.await);
    let resources = read::rows(
        client,
        &mut draft,
        &RESOURCES,
        "resources",
        &here,
        |draft, index, row| {
            draft.resource(index, row);
        },
    );
    note(&mut survey, &RESOURCES, resources.await);
    let current = [here[0], ("status", "active,scheduled")];
    let subscriptions = read::rows(
        client,
        &mut draft,
        &SUBSCRIPTIONS,
        "memberships",
        &current,
        |draft, _, row| {
            draft.subscription(row);
        },
    );
    note(&mut survey, &SUBSCRIPTIONS, subscriptions.await);
    let bookings = read::bookings(client, &mut draft, here[0], Window::around(client.now())).await;
    let bookings = bookings.map(|()| draft.bookings());
    note(&mut survey, &BOOKINGS, bookings);
    // Without anybody who has day passes, the location's id asks as well: what counts is whether asking is allowed.
    let customer = draft
        .has_passes
        .first()
        .map_or(site.location.clone(), |it| it.customer.clone());
    let passes: Result<Option<Map<String, Value>>, PlatformError> =
        client.object(&BALANCES, &[&customer, "day_passes"], None).await;
    note(&mut survey, &BALANCES, passes.map(|_| draft.has_passes.len()));
    remarks(client, &draft, hooks, &mut survey);
    let (facts, problems, ..) = draft.finish();
    // The zone is told by whoever compares it with the site's.
    let problems = problems.iter().filter(|it| it.collection != LOCATIONS.key);
    survey.remarks.extend(problems.map(ToString::to_string));
    survey.catalogue = facts.catalogue;
    survey.resources = facts.resources;
    Ok(survey)
}

async fn locations(
    client: &Client,
    site: &Site,
    draft: &mut Draft<'_>,
    zone: &str,
    survey: &mut Survey,
) -> Result<usize, PlatformError> {
    let (mut all, mut ours) = (Vec::new(), None);
    let list: Option<Vec<Location>> = client.object(&LOCATIONS, &[], Some(LOCATIONS.key)).await?;
    for row in list.unwrap_or_default() {
        all.push(format!("{} ({})", row.title.clone().unwrap_or_default(), row.id));
        if row.id == site.location {
            ours = Some(row);
        }
    }
    match ours {
        Some(row) => {
            survey.zone.clone_from(&row.timezone_id);
            draft.location(&row, zone);
        }
        None => {
            let text = format!(
                "location {} is not among those of this client; correct [cloud.spacebring] location to one of: {}",
                site.location,
                all.join(", ")
            );
            return Err(PlatformError::new(ErrorKind::Unsupported, text));
        }
    }
    Ok(all.len())
}

fn note(survey: &mut Survey, operation: &Operation, outcome: Result<usize, PlatformError>) {
    survey.checks.push(SurveyCheck {
        what: operation.key.to_owned(),
        why: operation.why,
        outcome,
    });
}

fn remarks(client: &Client, draft: &Draft<'_>, hooks: bool, survey: &mut Survey) {
    survey.remarks.push(format!("{}.", super::NO_CHECK_INS));
    if !hooks {
        let text = "web hooks are refused because [cloud.spacebring] hook_secret is not set; changes arrive by polling";
        survey.remarks.push(text.into());
    }
    let with_cards = draft
        .facts
        .people
        .iter()
        .filter(|person| !person.credentials.is_empty())
        .count();
    survey.remarks.push(format!(
        "{with_cards} of {} people have a card number in their metadata",
        draft.facts.people.len()
    ));
    let ahead = client.ahead();
    if ahead.saturating_abs() > MUCH {
        survey.remarks.push(format!(
            "the platform's clock and this gateway's differ by {} s; check the time here",
            ahead.saturating_abs() / 1_000
        ));
    }
}
