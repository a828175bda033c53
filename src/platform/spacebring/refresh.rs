//! Facts of before, patched by what hints name. Whatever cannot be told for sure without reading everything says so, and
//! then everything is read: the outcome is the same as that of a whole read, always.

use super::{
    Last, Memory,
    client::{BOOKINGS, COMPANIES, Client, MEMBERSHIPS, RESOURCES, SUBSCRIPTIONS},
    facts::{Draft, Site},
    model::{Company, Membership, Subscription},
    read::{self, Window},
};
use crate::{
    domain::{
        PersonId, Text,
        facts::{Facts, Resource},
    },
    platform::{Hint, PlatformError},
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// More hints than this are one whole read.
const MOST_HINTS: usize = 20;

/// What hints name, without what they repeat.
#[derive(Debug, Default)]
struct Wanted {
    people: BTreeSet<String>,
    teams: BTreeSet<String>,
    subscriptions: BTreeSet<String>,
    bookings: BTreeSet<String>,
    resources: bool,
}

impl Wanted {
    /// `None`: everything.
    fn of(hints: &[Hint]) -> Option<Self> {
        if hints.len() > MOST_HINTS {
            return None;
        }
        let mut wanted = Self::default();
        for hint in hints {
            match hint {
                Hint::Person(id) => wanted.people.insert(id.as_str().to_owned()),
                Hint::Object { collection, id } => match *collection {
                    "people" => wanted.people.insert(id.clone()),
                    "teams" => wanted.teams.insert(id.clone()),
                    "memberships" => wanted.subscriptions.insert(id.clone()),
                    "bookings" => {
                        let series = id.split_once('_').map_or(id.as_str(), |(series, _)| series);
                        wanted.bookings.insert(series.to_owned())
                    }
                    _ => return None,
                },
                Hint::Collection("resources") => {
                    wanted.resources = true;
                    true
                }
                Hint::Collection(_) | Hint::Anything | Hint::Pushed(_) => return None,
            };
        }
        Some(wanted)
    }
}

/// The patched facts, or `None` if everything must be read.
pub(super) async fn patched<'s>(
    client: &Client,
    site: &'s Site,
    memory: &mut Memory,
    last: Facts,
    hints: &[Hint],
) -> Result<Option<(Draft<'s>, Window)>, PlatformError> {
    // Gone until the facts are whole again: after a failure everything is read.
    let Some(Last {
        window,
        strangers,
        users,
    }) = memory.last.take()
    else {
        return Ok(None);
    };
    let Some(mut wanted) = Wanted::of(hints).filter(|_| Window::around(client.now()) == window) else {
        return Ok(None);
    };
    let mut draft = Draft::resume(site, client.now(), last, strangers, users);
    if wanted.resources && !resources(client, &mut draft, site).await? {
        return Ok(None);
    }
    if !wanted.subscriptions.is_empty() {
        subscriptions(client, &mut draft, site, &mut wanted).await?;
    }
    for id in &wanted.teams {
        memory.balances.forget(id);
        team(client, &mut draft, id).await?;
    }
    for id in &wanted.people {
        memory.balances.forget(id);
        if !person(client, &mut draft, id).await? {
            return Ok(None);
        }
    }
    bookings(client, &mut draft, &wanted.bookings, window).await?;
    if draft.names_newcomers() {
        return Ok(None);
    }
    read::strangers(client, &mut draft).await?;
    read::balances(client, &mut draft, &mut memory.balances).await?;
    Ok(Some((draft, window)))
}

/// False when one came or went: bookings and assignments then read differently.
async fn resources(client: &Client, draft: &mut Draft<'_>, site: &Site) -> Result<bool, PlatformError> {
    let before = std::mem::take(&mut draft.facts.resources);
    let here = [("locationRef", site.location.as_str())];
    read::rows(
        client,
        draft,
        &RESOURCES,
        "resources",
        &here,
        |draft, index, row| {
            draft.resource(index, row);
        },
    )
    .await?;
    let ids = |list: &[Resource]| -> BTreeSet<Text> { list.iter().map(|it| it.id.clone()).collect() };
    Ok(ids(&before) == ids(&draft.facts.resources))
}

/// Subscriptions one by one, with the plans. Their customers are read again as well: day passes come with subscriptions.
async fn subscriptions(
    client: &Client,
    draft: &mut Draft<'_>,
    site: &Site,
    wanted: &mut Wanted,
) -> Result<(), PlatformError> {
    draft.facts.catalogue.plans.clear();
    read::plans(client, draft, &site.location).await?;
    for id in &wanted.subscriptions {
        let row: Option<Subscription> = client.object(&SUBSCRIPTIONS, &[id], Some("subscription")).await?;
        let own = format!("{id}/");
        let facts = &mut draft.facts;
        for gone in facts.memberships.iter().filter(|it| it.id.starts_with(&own)) {
            match (&gone.person, &gone.team) {
                (Some(person), _) => wanted.people.insert(person.as_str().to_owned()),
                (None, Some(team)) => wanted.teams.insert(team.to_string()),
                (None, None) => false,
            };
        }
        facts.memberships.retain(|it| !it.id.starts_with(&own));
        facts.assignments.retain(|it| !it.id.starts_with(&own));
        let Some(row) = row else { continue };
        if !draft.is_here(row.location_ref.as_deref()) {
            continue;
        }
        if let Some(customer) = row.customer_ref.clone() {
            match row.subscription_type.as_deref() {
                Some("company") => wanted.teams.insert(customer),
                _ => wanted.people.insert(customer),
            };
        }
        draft.subscription(row);
    }
    Ok(())
}

async fn team(client: &Client, draft: &mut Draft<'_>, id: &str) -> Result<(), PlatformError> {
    let row: Option<Company> = client.object(&COMPANIES, &[id], Some("company")).await?;
    draft.facts.teams.retain(|team| team.id != id);
    draft
        .facts
        .passes
        .retain(|pass| pass.person.is_some() || pass.team.as_deref() != Some(id));
    if let Some(row) = row.filter(|row| draft.is_here(row.location_ref.as_deref())) {
        draft.company(row);
    }
    Ok(())
}

/// False when a person is new here: bookings that only named the user may mean that person now.
async fn person(client: &Client, draft: &mut Draft<'_>, id: &str) -> Result<bool, PlatformError> {
    let row: Option<Membership> = client.object(&MEMBERSHIPS, &[id], Some("membership")).await?;
    let row = row.filter(|row| row.id == id && !draft.is_over(row));
    let known = draft.knows(id);
    let stranger = draft.strangers.contains(id);
    let Some(row) = row else {
        if stranger {
            draft.nobody(id);
        }
        // What a member held may name another membership of the same user from now on.
        return Ok(!known);
    };
    let here = draft.is_here(row.location_ref.as_deref());
    match (known, here) {
        (true, true) => {}
        (false, false) if stranger => {}
        // Of another location, and nothing here names this person.
        (false, false) => return Ok(true),
        _ => return Ok(false),
    }
    let person = PersonId::from(id);
    draft.facts.people.retain(|known| known.id != person);
    draft
        .facts
        .passes
        .retain(|pass| pass.person.as_ref() != Some(&person));
    draft.member(0, row);
    Ok(true)
}

/// All bookings of the resources that the named ones are of, or were of.
async fn bookings(
    client: &Client,
    draft: &mut Draft<'_>,
    wanted: &BTreeSet<String>,
    window: Window,
) -> Result<(), PlatformError> {
    /// Where a booking is; nothing else is taken from the object, which does not say whether it is confirmed.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Place {
        resource_ref: Option<String>,
    }
    let mut resources: BTreeSet<String> = BTreeSet::new();
    for id in wanted {
        let row: Option<Place> = client.object(&BOOKINGS, &[id], Some("booking")).await?;
        resources.extend(row.and_then(|row| row.resource_ref));
        let occurrence = format!("{id}_");
        let before = draft.facts.bookings.iter();
        let before = before.filter(|it| it.id == *id || it.id.starts_with(&occurrence));
        resources.extend(before.map(|it| it.resource.to_string()));
    }
    // Hooks come for all locations; a resource that is not known here is not of this one.
    resources.retain(|id| draft.facts.resources.iter().any(|resource| resource.id == *id));
    for resource in &resources {
        draft.facts.bookings.retain(|it| it.resource != *resource);
        read::bookings(client, draft, ("resourceRef", resource), window).await?;
    }
    Ok(())
}
