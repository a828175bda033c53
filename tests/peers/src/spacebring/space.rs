//! What the space knows: compact, in the platform's own words. `wire` spells it as the platform does.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A membership: a person at one location.
#[derive(Clone, Debug)]
pub struct Member {
    /// The membership's id.
    pub id: String,
    /// The user's id.
    pub user: String,
    /// Given name.
    pub name: String,
    /// Family name.
    pub surname: String,
    /// E-mail.
    pub email: String,
    /// The location.
    pub location: String,
    /// `member` or `nonmember`.
    pub kind: &'static str,
    /// `approved` or `requested`.
    pub status: &'static str,
    /// The company.
    pub company: Option<String>,
    /// Key-value data that administrators see.
    pub metadata: Map<String, Value>,
    /// When it was deleted, Unix milliseconds.
    pub deleted: Option<i64>,
}

/// A company.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// When it was deleted, Unix milliseconds.
    pub deleted: Option<i64>,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The SALTO KS access group that staff chose for it.
    pub salto: Option<String>,
    /// Day passes that it includes.
    pub day_passes: u32,
}

/// A resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `meetingRoom`, `hotDesk` and so on.
    pub kind: &'static str,
    /// As the platform spells it.
    pub schedule: Option<Value>,
}

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Customer {
    /// A member, by the membership's id.
    User(String),
    /// A company, by its id.
    Company(String),
}

impl Customer {
    /// The id, whichever it is.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Company(id) => id,
        }
    }
}

/// A subscription. Times are Unix milliseconds.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Who holds it.
    pub customer: Customer,
    /// When it begins.
    pub start: i64,
    /// When it ends: the natural end, or the one that it was cancelled to.
    pub end: Option<i64>,
    /// When it was deleted.
    pub deleted: Option<i64>,
    /// The first payment never came.
    pub incomplete: bool,
    /// Payment collection is paused.
    pub paused: bool,
    /// What it consists of.
    pub items: Vec<Item>,
    /// Resources that come with it: the assignment's id and the resource's.
    pub assignments: Vec<(String, String)>,
}

/// A line of a subscription.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The plan.
    pub plan: Option<String>,
    /// Its own start.
    pub start: Option<i64>,
    /// Its own end.
    pub end: Option<i64>,
    /// Day passes in each period.
    pub day_passes: u32,
    /// The SALTO KS access group of this line.
    pub salto: Option<String>,
}

/// A booking, or a series of them.
#[derive(Clone, Debug)]
pub struct Booking {
    /// Its id.
    pub id: String,
    /// The resource.
    pub resource: String,
    /// Who pays, by the membership's or company's id.
    pub owner: Customer,
    /// Who booked, by the user's id.
    pub user: Option<String>,
    /// The memberships that are invited; others by e-mail alone.
    pub attendees: Vec<Result<String, String>>,
    /// Start of the first occurrence.
    pub start: i64,
    /// End of it.
    pub end: i64,
    /// `confirmed` or `tentative`.
    pub status: &'static str,
    /// When it was cancelled.
    pub deleted: Option<i64>,
    /// Every so many days, so many times. `None`: once.
    pub repeat: Option<(u32, u32)>,
}

/// Day passes of one customer from one source.
#[derive(Clone, Debug)]
pub struct Balance {
    /// How many are left.
    pub amount: f64,
    /// How many there were.
    pub allocation: u32,
    /// When they lapse.
    pub expires: Option<i64>,
    /// The subscription that they came with.
    pub subscription: Option<String>,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// The network's id.
    pub network: String,
    /// The location's id.
    pub location: String,
    /// Another location of the network.
    pub elsewhere: String,
    /// Memberships of both locations.
    pub members: Vec<Member>,
    /// Companies of the location.
    pub companies: Vec<Company>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Resources.
    pub resources: Vec<Resource>,
    /// Subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Bookings.
    pub bookings: Vec<Booking>,
    /// Day passes, by customer.
    pub balances: BTreeMap<String, Vec<Balance>>,
    ids: u64,
}

impl Space {
    /// A new id, a UUID as all ids there are.
    pub fn id(&mut self) -> String {
        self.ids += 1;
        // Mixed, so that the order of ids is not the order of creation.
        let mixed = self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            mixed >> 32,
            (mixed >> 16) & 0xFFFF,
            mixed & 0xFFF,
            self.ids >> 48 & 0xFFF,
            self.ids & 0xFFFF_FFFF_FFFF
        )
    }

    /// A small space in Madrid: three plans, two rooms, a booth's kind of room, a desk and an office, a company with two members.
    #[must_use]
    pub fn usual() -> Self {
        let mut space = Self::default();
        space.network = space.id();
        space.location = space.id();
        space.elsewhere = space.id();
        for (title, day_passes) in [("Full time", 0), ("Hot desk", 0), ("Day passes", 10)] {
            let id = space.id();
            space.plans.push(Plan {
                id,
                title: title.into(),
                salto: None,
                day_passes,
            });
        }
        for (title, kind) in [
            ("Meeting room", "meetingRoom"),
            ("Phone booth", "phoneBooth"),
            ("Desk 7", "hotDesk"),
            ("Office 2", "office"),
        ] {
            let id = space.id();
            let schedule =
                (kind == "hotDesk").then(|| schedule(("09:00", "19:00"), Some(("10:00", "16:00"))));
            space.resources.push(Resource {
                id,
                title: title.into(),
                kind,
                schedule,
            });
        }
        let company = space.id();
        space.companies.push(Company {
            id: company.clone(),
            title: "Lumen Studio".into(),
            deleted: None,
        });
        for (name, surname) in [("Carmen", "Ortiz"), ("Diego", "Vega")] {
            let id = space.member(name, surname, "member");
            if let Some(member) = space.members.iter_mut().find(|member| member.id == id) {
                member.company = Some(company.clone());
            }
        }
        space
    }

    /// A new membership at the location. Its id.
    pub fn member(&mut self, name: &str, surname: &str, kind: &'static str) -> String {
        let (id, user) = (self.id(), self.id());
        let email = format!("{}.{}@example.com", name.to_lowercase(), surname.to_lowercase());
        self.members.push(Member {
            id: id.clone(),
            user,
            name: name.into(),
            surname: surname.into(),
            email,
            location: self.location.clone(),
            kind,
            status: "approved",
            company: None,
            metadata: Map::new(),
            deleted: None,
        });
        id
    }

    /// A subscription to a plan, by its title. Its id. Day passes of the plan are handed out at once.
    pub fn subscribe(&mut self, customer: Customer, plan: &str, start: i64) -> String {
        let (id, item) = (self.id(), self.id());
        let plan = self.plans.iter().find(|known| known.title == plan).cloned();
        let day_passes = plan.as_ref().map_or(0, |plan| plan.day_passes);
        if day_passes > 0 {
            let balance = Balance {
                amount: f64::from(day_passes),
                allocation: day_passes,
                expires: Some(start.saturating_add(31 * 86_400_000)),
                subscription: Some(id.clone()),
            };
            self.balances
                .entry(customer.id().to_owned())
                .or_default()
                .push(balance);
        }
        self.subscriptions.push(Subscription {
            id: id.clone(),
            customer,
            start,
            end: None,
            deleted: None,
            incomplete: false,
            paused: false,
            items: vec![Item {
                id: item,
                salto: plan.as_ref().and_then(|plan| plan.salto.clone()),
                plan: plan.map(|plan| plan.id),
                start: None,
                end: None,
                day_passes,
            }],
            assignments: Vec::new(),
        });
        id
    }

    /// A booking of a resource (by title) by a member. Its id.
    pub fn book(&mut self, member: &str, resource: &str, start: i64, end: i64) -> String {
        let id = self.id();
        let resource = self.resources.iter().find(|known| known.title == resource);
        let user = self.members.iter().find(|known| known.id == member);
        self.bookings.push(Booking {
            id: id.clone(),
            resource: resource.map(|resource| resource.id.clone()).unwrap_or_default(),
            owner: Customer::User(member.to_owned()),
            user: user.map(|member| member.user.clone()),
            attendees: Vec::new(),
            start,
            end,
            status: "confirmed",
            deleted: None,
            repeat: None,
        });
        id
    }

    /// Day passes left of a customer, as a membership or company shows them.
    #[must_use]
    pub fn day_passes(&self, customer: &str) -> f64 {
        let balances = self.balances.get(customer).map(Vec::as_slice).unwrap_or_default();
        balances.iter().map(|balance| balance.amount).sum()
    }
}

/// A schedule as the platform spells it: every day of the week, without closed days.
#[must_use]
pub fn schedule(default: (&str, &str), public: Option<(&str, &str)>) -> Value {
    let days = serde_json::json!({
        "monday": true, "tuesday": true, "wednesday": true, "thursday": true, "friday": true,
        "saturday": true, "sunday": true
    });
    let items = |hours: (&str, &str)| serde_json::json!([{ "days": days, "hours": { "from": hours.0, "to": hours.1 } }]);
    serde_json::json!({
        "enabled": true,
        "default": { "items": items(default), "closedDays": [] },
        "public": {
            "enabled": public.is_some(),
            "items": public.map_or_else(|| serde_json::json!([]), items),
            "closedDays": []
        }
    })
}
