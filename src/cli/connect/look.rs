//! What an installer learns of a platform: its own survey, or, where it has none, what its facts say.

use crate::{
    domain::{
        Text,
        facts::{Catalogue, Facts, Named},
    },
    platform::{Fetched, Platform, PlatformError, Survey, SurveyCheck},
};
use std::collections::BTreeSet;

/// Tries every permission.
pub(super) async fn look(platform: &dyn Platform) -> Result<Survey, PlatformError> {
    let survey = platform.survey().await?;
    if !survey.checks.is_empty() {
        return Ok(survey);
    }
    let facts = match platform.fetch(None).await {
        Ok(Fetched::Facts { facts, problems, .. }) => {
            let mut survey = of_facts(facts);
            survey.remarks.extend(problems.iter().map(ToString::to_string));
            return Ok(survey);
        }
        Ok(Fetched::Unchanged) => Facts::default(),
        Err(error) => {
            let check = SurveyCheck {
                what: "facts".into(),
                why: "who may open what",
                outcome: Err(error),
            };
            return Ok(Survey {
                checks: vec![check],
                ..survey
            });
        }
    };
    Ok(of_facts(facts))
}

/// A survey made of complete facts.
fn of_facts(facts: Facts) -> Survey {
    let check = |what: &str, why, count| SurveyCheck {
        what: what.to_owned(),
        why,
        outcome: Ok(count),
    };
    let checks = vec![
        check("people", "names, teams and cards", facts.people.len()),
        check("memberships", "plans and their dates", facts.memberships.len()),
        check(
            "assignments",
            "desks and offices of members",
            facts.assignments.len(),
        ),
        check("resources", "rooms, desks and offices", facts.resources.len()),
        check("bookings", "who booked what, and when", facts.bookings.len()),
        check("passes", "what is left of them", facts.passes.len()),
    ];
    // A platform may name some of them and leave the rest to be seen from who holds what.
    let seen = catalogue(&facts);
    let named = facts.catalogue;
    let or = |named: Vec<Named>, seen| if named.is_empty() { seen } else { named };
    let catalogue = Catalogue {
        plans: or(named.plans, seen.plans),
        passes: or(named.passes, seen.passes),
        groups: or(named.groups, seen.groups),
        floors: or(named.floors, seen.floors),
        locations: or(named.locations, seen.locations),
    };
    Survey {
        checks,
        catalogue,
        resources: facts.resources,
        ..Survey::default()
    }
}

/// What facts name, where the platform does not tell what there is.
fn catalogue(facts: &Facts) -> Catalogue {
    fn named<'a>(names: impl Iterator<Item = &'a Text>) -> Vec<Named> {
        let distinct: BTreeSet<&Text> = names.collect();
        let named = distinct.into_iter().map(|name| Named {
            id: name.clone(),
            name: name.clone(),
        });
        named.collect()
    }
    Catalogue {
        plans: named(facts.memberships.iter().map(|it| &it.plan)),
        passes: named(facts.passes.iter().map(|it| &it.kind)),
        groups: named(facts.people.iter().flat_map(|it| &it.groups)),
        floors: named(facts.resources.iter().filter_map(|it| it.floor.as_ref())),
        locations: named(facts.resources.iter().filter_map(|it| it.location.as_ref())),
    }
}
