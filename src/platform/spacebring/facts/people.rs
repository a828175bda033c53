//! The location, plans, companies, people and resources.

use super::{Draft, HasPasses};
use crate::{
    domain::{
        PersonId,
        facts::{self as neutral, DoorAccess, Named, Person, ResourceKind, Standing, Team, When},
    },
    platform::{
        cards,
        spacebring::{
            hours,
            model::{Company, Location, Membership, Plan, Resource, User},
        },
    },
};
use serde_json::Value;

impl Draft<'_> {
    /// The site's own location, and whether its zone is the one that the gateway reckons with.
    pub(in crate::platform::spacebring) fn location(&mut self, row: &Location, zone: &str) {
        let name = row.title.clone().unwrap_or_else(|| row.id.clone());
        self.facts.catalogue.locations = vec![Named {
            id: row.id.clone().into(),
            name: name.into(),
        }];
        if let Some(theirs) = row.timezone_id.as_deref().filter(|theirs| *theirs != zone) {
            let text = format!(
                "is in {theirs} at Spacebring and in {zone} here; windows are reckoned in {zone}: correct [site] zone"
            );
            self.problem("locations", 0, &row.id, text);
        }
    }

    /// A plan.
    pub(in crate::platform::spacebring) fn plan(&mut self, row: Plan) {
        let name = row.title.unwrap_or_else(|| row.id.clone());
        let group = row.access.and_then(|access| access.saltoks_access_group_ref);
        self.plans
            .insert(row.id.clone(), group.filter(|group| !group.is_empty()));
        self.facts.catalogue.plans.push(Named {
            id: row.id.into(),
            name: name.into(),
        });
    }

    /// A company.
    pub(in crate::platform::spacebring) fn company(&mut self, row: Company) {
        let Ok(deleted) = self.instant("teams", &row.id, "deleteDate", row.delete_date.as_deref()) else {
            return;
        };
        if deleted.is_some_and(|deleted| deleted <= self.now) {
            return;
        }
        self.companies.insert(row.id.clone().into());
        self.passes_of(&row.id, true, row.day_passes.and_then(|passes| passes.expiring));
        let name = row.title.unwrap_or_else(|| row.id.clone());
        self.facts.teams.push(Team {
            id: row.id.into(),
            name: name.into(),
            payer: None,
        });
    }

    fn passes_of(&mut self, customer: &str, company: bool, count: Option<f64>) {
        if let Some(count) = count.filter(|count| *count > 0.0) {
            self.has_passes.push(HasPasses {
                customer: customer.to_owned(),
                company,
                count,
            });
        }
    }

    /// A membership of this location, or of another one when somebody named it.
    pub(in crate::platform::spacebring) fn member(&mut self, index: usize, row: Membership) {
        let id = PersonId::from(row.id.as_str());
        let mut person = Person::new(id.clone(), name(row.user.as_ref()));
        person.email = row
            .user
            .as_ref()
            .and_then(|user| user.email.clone())
            .filter(|email| !email.is_empty())
            .map(Into::into);
        let here = self.is_here(row.location_ref.as_deref());
        person.standing = match (here, row.kind.as_deref()) {
            (_, Some("nonmember")) => Standing::External,
            (true, _) => Standing::Member,
            (false, _) => Standing::Network,
        };
        // Somebody who has only asked to join is nobody's member yet.
        if row.status.as_deref() == Some("requested") {
            person.door_access = DoorAccess::Off;
        }
        let Ok(joined) = self.instant("people", &row.id, "createDate", row.create_date.as_deref()) else {
            return;
        };
        person.joined = joined.map(When::At);
        let Ok(deleted) = self.instant("people", &row.id, "deleteDate", row.delete_date.as_deref()) else {
            return;
        };
        person.deactivated = deleted.is_some_and(|deleted| deleted <= self.now);
        for text in card_texts(
            row.metadata
                .as_ref()
                .and_then(|data| data.get(&self.site.card_key)),
        ) {
            match cards::read(&text, self.site.cards) {
                Ok(card) if !person.credentials.contains(&card) => person.credentials.push(card),
                Ok(_) => {}
                Err(error) => {
                    let key = &self.site.card_key;
                    let text = format!(
                        "has a card in metadata {key:?} that cannot be read ({error}); the card is left out"
                    );
                    self.problem("people", index, &row.id, text);
                }
            }
        }
        if here {
            person.team = row.company_ref.filter(|team| !team.is_empty()).map(Into::into);
            let user = row.user_ref.or_else(|| row.user.and_then(|user| user.id));
            if let Some(user) = user {
                self.users.insert(&user, id.as_str());
            }
            self.people.insert(row.id.clone());
            self.passes_of(&row.id, false, row.day_passes.and_then(|passes| passes.expiring));
        } else {
            self.strangers.insert(row.id.clone());
        }
        self.facts.people.push(person);
    }

    /// A room, a desk, an office.
    pub(in crate::platform::spacebring) fn resource(&mut self, index: usize, row: Resource) {
        let title = row.title.unwrap_or_else(|| row.id.clone());
        let mut resource = neutral::Resource::new(row.id, title, kind(row.kind.as_deref()));
        resource.location = row.location_ref.map(Into::into);
        let (opening, mistakes) = hours::opening(row.schedule);
        resource.opening = opening;
        for mistake in mistakes {
            let id = resource.id.clone();
            self.problem("resources", index, &id, mistake);
        }
        self.facts.resources.push(resource);
    }
}

fn name(user: Option<&User>) -> String {
    let Some(user) = user else { return String::new() };
    let parts = [&user.name, &user.surname].map(|part| part.as_deref().unwrap_or_default().trim());
    let name = parts.join(" ");
    match name.trim() {
        "" => user.email.clone().unwrap_or_default(),
        name => name.to_owned(),
    }
}

/// Card numbers in a value of the metadata: a text, a number, or a list of them; commas and semicolons between.
pub(in crate::platform::spacebring) fn card_texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => {
            let parts = text.split([',', ';', '\n']).map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(ToOwned::to_owned)
                .collect()
        }
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Array(list)) => list.iter().flat_map(|value| card_texts(Some(value))).collect(),
        _ => Vec::new(),
    }
}

fn kind(text: Option<&str>) -> ResourceKind {
    match text {
        Some("hotDesk" | "dedicatedDesk") => ResourceKind::Desk,
        Some("office") => ResourceKind::Office,
        Some("room" | "meetingRoom" | "conferenceRoom" | "phoneBooth" | "eventSpace" | "studio") => {
            ResourceKind::Room
        }
        _ => ResourceKind::Other,
    }
}
