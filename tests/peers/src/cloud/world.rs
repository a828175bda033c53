//! What the cloud knows, as `docs/contract/openapi.yaml` spells it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything. The fields are the collections of `GET /v1/facts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct World {
    /// People.
    pub people: Vec<Person>,
    /// Memberships on plans.
    pub memberships: Vec<Membership>,
    /// Desks and offices assigned for longer.
    pub assignments: Vec<Assignment>,
    /// Bookable and assignable things.
    pub resources: Vec<Resource>,
    /// Bookings.
    pub bookings: Vec<Booking>,
    /// Passes.
    pub passes: Vec<Pass>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Plans, whether anybody holds one or not.
    pub plans: Vec<Named>,
    /// Locations.
    pub locations: Vec<Named>,
    /// Floors.
    pub floors: Vec<Named>,
    /// Kinds of pass.
    pub pass_kinds: Vec<Named>,
    /// Groups that are given by hand.
    pub groups: Vec<Named>,
}

macro_rules! items {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $kind:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $(
                $(#[$fdoc])*
                #[serde(skip_serializing_if = "is_default")]
                pub $field: $kind,
            )*
        }
        impl Item for $name {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )* };
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Something with an id.
pub trait Item: Serialize {
    /// The id.
    fn id(&self) -> &str;
}

items! {
    /// A person.
    Person {
        /// Id.
        id: String,
        /// Full name.
        name: String,
        /// E-mail.
        email: Option<String>,
        /// Team.
        team: Option<String>,
        /// Further teams.
        teams: Vec<String>,
        /// `member` (of this location), `network` or `external`.
        standing: Option<String>,
        /// `auto`, `on` or `off`.
        door_access: Option<String>,
        /// Since when.
        joined: Option<String>,
        /// Locked out of everything.
        deactivated: bool,
        /// Cards, `scheme:value`.
        credentials: Vec<String>,
        /// Groups given by hand.
        groups: Vec<String>,
    }
    /// A membership.
    Membership {
        /// Id.
        id: String,
        /// Plan.
        plan: String,
        /// Holder.
        person: Option<String>,
        /// Team.
        team: Option<String>,
        /// First day or instant.
        starts: Option<String>,
        /// Last day, or end.
        ends: Option<String>,
        /// Cancelled to `ends`.
        cancelled: bool,
        /// Needs passes.
        pass_based: bool,
        /// The only location that it is for.
        location: Option<String>,
    }
    /// An assignment.
    Assignment {
        /// Id.
        id: String,
        /// Resource.
        resource: String,
        /// Holder.
        person: Option<String>,
        /// Team.
        team: Option<String>,
        /// First day or instant.
        starts: Option<String>,
        /// Last day, or end.
        ends: Option<String>,
    }
    /// A resource.
    Resource {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// `room`, `desk`, `office` or `other`.
        kind: Option<String>,
        /// Floor.
        floor: Option<String>,
        /// Location.
        location: Option<String>,
        /// `{ "default": WEEK, "public": WEEK }`.
        opening: Option<Value>,
    }
    /// A booking.
    Booking {
        /// Id.
        id: String,
        /// Resource.
        resource: String,
        /// Who booked.
        person: Option<String>,
        /// Invited people.
        invitees: Vec<String>,
        /// First instant.
        from: String,
        /// First instant after it.
        until: String,
        /// Not confirmed.
        tentative: bool,
    }
    /// A pass.
    Pass {
        /// Id.
        id: String,
        /// Kind of pass.
        kind: String,
        /// Holder.
        person: Option<String>,
        /// Team.
        team: Option<String>,
        /// How many are left; absent means unlimited.
        left: Option<i64>,
        /// A pass runs until here.
        running_until: Option<String>,
        /// First day or instant.
        starts: Option<String>,
        /// Last day, or end.
        ends: Option<String>,
        /// The hours of a pass for a part of the day, a WEEK.
        hours: Option<Value>,
        /// The only location that it is for.
        location: Option<String>,
    }
    /// A team.
    Team {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Who pays for it.
        payer: Option<String>,
    }
    /// Something that a mapping can name.
    Named {
        /// Id.
        id: String,
        /// Name.
        name: String,
    }
}

/// One item with the name of its collection, ready to be sent.
pub(super) type Row = (&'static str, serde_json::Value);

impl World {
    /// Every item in the order of the collections, for paging.
    pub(super) fn rows(&self) -> Vec<Row> {
        fn rows<T: Item>(name: &'static str, items: &[T]) -> impl Iterator<Item = Row> {
            items
                .iter()
                .map(move |item| (name, serde_json::to_value(item).unwrap_or_default()))
        }
        rows("people", &self.people)
            .chain(rows("memberships", &self.memberships))
            .chain(rows("assignments", &self.assignments))
            .chain(rows("resources", &self.resources))
            .chain(rows("bookings", &self.bookings))
            .chain(rows("passes", &self.passes))
            .chain(rows("teams", &self.teams))
            .chain(rows("plans", &self.plans))
            .chain(rows("locations", &self.locations))
            .chain(rows("floors", &self.floors))
            .chain(rows("pass_kinds", &self.pass_kinds))
            .chain(rows("groups", &self.groups))
            .collect()
    }

    /// Adds a person with one card, on one plan; returns them for more.
    pub fn member(&mut self, id: &str, name: &str, card: &str, plan: &str) -> &mut Person {
        self.memberships.push(Membership {
            id: format!("m-{id}"),
            plan: plan.to_owned(),
            person: Some(id.to_owned()),
            ..Membership::default()
        });
        self.people.push(Person {
            id: id.to_owned(),
            name: name.to_owned(),
            credentials: vec![card.to_owned()],
            ..Person::default()
        });
        let last = self.people.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "pushed two lines above")]
        &mut self.people[last]
    }
}
