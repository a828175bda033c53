//! What an installer learns before the connection is used: each role tried by a read, and what there is to be mapped.

use super::{
    api::{self, Api, Entity},
    facts::Space,
    fetch,
    model::{Business, Numbered},
};
use crate::{
    domain::Millis,
    platform::{ErrorKind, PlatformError, Survey, SurveyCheck},
};

/// What is read, and what for.
const READS: [(Entity, &str); 14] = [
    (api::COWORKERS, "who there is, and their cards"),
    (api::CONTRACTS, "which plan each holds, and from when to when"),
    (api::PAUSES, "when a contract is paused"),
    (api::TARIFFS, "the plans, to be mapped"),
    (api::TARIFF_PASSES, "which plans need passes"),
    (api::TEAMS, "who is in which team, and who pays for it"),
    (api::ITEMS, "desks and offices, and whose they are"),
    (api::RESOURCES, "rooms, to be mapped"),
    (api::BOOKINGS, "who booked what, and when"),
    (api::VISITORS, "who is invited to a booking"),
    (api::PASS_KINDS, "the kinds of pass, to be mapped"),
    (api::SLOTS, "the hours of a kind of pass"),
    (api::PASSES, "who has passes left"),
    (api::CHECK_INS, "who is checked in, before an entry is sent"),
];

/// Tries everything. An error only when nothing at all can be asked.
pub(super) async fn all(api: &Api, space: &Space, now: Millis) -> Result<Survey, PlatformError> {
    api.login.token(&api.http, &api.budget, None).await?;
    let mut survey = Survey::default();
    for (entity, why) in READS {
        let outcome = api.count(entity, &[]).await;
        if let Err(error) = &outcome
            && matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Tls)
        {
            return Err(error.clone());
        }
        survey.checks.push(SurveyCheck {
            what: entity.what.to_owned(),
            why,
            outcome,
        });
    }
    location(api, space, &mut survey).await?;
    if survey.checks.iter().all(|check| check.outcome.is_ok()) {
        match fetch::whole(api, space, now).await {
            Ok(whole) => {
                remarks(&whole, &mut survey);
                survey.catalogue = whole.facts.catalogue;
                survey.resources = whole.facts.resources;
            }
            Err(error) => survey.remarks.push(error.to_string()),
        }
    }
    survey.remarks.push(
        "Roles that cannot be tried without changing something: Checkin-Create for check-ins, Coworker-Edit for cards given at the gateway."
            .to_owned(),
    );
    Ok(survey)
}

/// Whether the configured location is there. One that is not has nobody and nothing, which would look like a new space.
async fn location(api: &Api, space: &Space, survey: &mut Survey) -> Result<(), PlatformError> {
    let business = space.business;
    let listed: Result<Vec<Business>, _> = api.all(api::BUSINESSES, &[], |row| row).await;
    let remark = match listed {
        Ok(all) => match all.iter().find(|row| row.number() == business) {
            Some(found) => format!(
                "Location {business} is {}.",
                found.name.as_deref().unwrap_or("without a name")
            ),
            None => {
                let known: Vec<String> = all
                    .iter()
                    .map(|row| format!("{} ({})", row.id, row.name.as_deref().unwrap_or("?")))
                    .collect();
                let text = format!(
                    "there is no location {business} at {}; set [cloud.nexudus] business to one of {}",
                    api.http.place(),
                    known.join(", ")
                );
                return Err(PlatformError::new(ErrorKind::Unsupported, text));
            }
        },
        Err(_) => format!(
            "Whether location {business} exists could not be read (role Business-List); everything else goes on."
        ),
    };
    survey.remarks.push(remark);
    Ok(())
}

fn remarks(whole: &fetch::Whole, survey: &mut Survey) {
    let facts = &whole.facts;
    let cards = facts
        .people
        .iter()
        .filter(|person| !person.credentials.is_empty());
    survey.remarks.push(format!(
        "{} of {} customers have a card that can be read as [cloud] card_format says.",
        cards.count(),
        facts.people.len()
    ));
    let unread = whole
        .problems
        .iter()
        .filter(|problem| problem.field == Some("credentials"));
    let unread = unread.count();
    if unread > 0 {
        survey.remarks.push(format!(
            "{unread} numbers in \"Access Card Id\" cannot be read; look at [cloud] card_format."
        ));
    }
    for (group, names) in &whole.linked {
        survey.remarks.push(format!(
            "At Nexudus, access group {group} is linked to {names}: give these the same groups in [map.resources] and [map.passes]."
        ));
    }
}
