//! What the simulated Cobot knows: one space with its people, things and cards.

use serde_json::{Value, json};

/// A day as Cobot writes it, `2026-05-31`.
pub type Day = String;

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $kind:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$fdoc])* pub $field: $kind,)*
        }
    )* };
}

rows! {
    /// A membership: at Cobot that is the person as well.
    Member {
        /// Id.
        id: String,
        /// Full name.
        name: String,
        /// E-mail.
        email: String,
        /// The team's id.
        team: Option<String>,
        /// Since when it is confirmed.
        confirmed: Option<Day>,
        /// The last day, once it is cancelled.
        canceled: Option<Day>,
    }
    /// A row of the history of plans.
    PlanRow {
        /// Id.
        id: String,
        /// Whose.
        membership: String,
        /// The plan's name.
        name: String,
        /// First day.
        starts: Day,
        /// Last day.
        canceled: Option<Day>,
    }
    /// A plan that members can be on.
    Plan {
        /// Name.
        name: String,
        /// Names of the kinds of pass that its members need.
        needs: Vec<String>,
    }
    /// A kind of time pass.
    PassKind {
        /// Name.
        name: String,
        /// In cents: the cheapest is used first (S3:72).
        price: u32,
        /// `parsed_timespans`.
        spans: Value,
    }
    /// A time pass.
    TimePass {
        /// Id.
        id: String,
        /// Whose.
        membership: String,
        /// Name of its kind.
        kind: String,
        /// Unix milliseconds.
        expires: Option<i64>,
        /// Unix milliseconds.
        used: Option<i64>,
    }
    /// A check-in ("work session").
    Session {
        /// Id.
        id: String,
        /// Whose.
        membership: String,
        /// The pass that it runs on.
        time_pass: Option<String>,
        /// Unix milliseconds.
        from: i64,
        /// Unix milliseconds.
        until: i64,
    }
    /// A team.
    Team {
        /// Id.
        id: String,
        /// Name.
        name: String,
    }
    /// A room, desk or office.
    Resource {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// `room`, `desk`, `other` or nothing.
        kind: Option<&'static str>,
        /// Assigned for long, not booked.
        allocatable: bool,
        /// `bookingTimes`.
        times: Value,
    }
    /// A booking.
    Booking {
        /// Id.
        id: String,
        /// The resource's id.
        resource: String,
        /// Who booked; nobody for bookings of admins and outsiders.
        membership: Option<String>,
        /// The external booking behind it.
        external: Option<String>,
        /// Unix milliseconds.
        from: i64,
        /// Unix milliseconds.
        until: i64,
        /// E-mail addresses of attendees.
        attendees: Vec<String>,
    }
    /// A booking by somebody who is no member.
    External {
        /// Id.
        id: String,
        /// The resource's id.
        resource: String,
        /// Who.
        name: String,
        /// E-mail.
        email: String,
        /// `pending`, `approved` or `canceled`.
        status: String,
        /// Unix milliseconds.
        from: i64,
        /// Unix milliseconds.
        until: i64,
        /// The contact's id.
        contact: Option<String>,
    }
    /// A desk or office given to a membership or a team.
    Allocation {
        /// Id.
        id: String,
        /// The resource's id.
        resource: String,
        /// A membership's id, or a team's.
        to: String,
        /// Whether `to` is a team.
        team: bool,
        /// First day.
        starts: Day,
        /// Last day.
        canceled: Option<Day>,
    }
    /// A pass of somebody who is no member.
    DropIn {
        /// Id.
        id: String,
        /// Name of the pass.
        name: String,
        /// The visitor's name.
        visitor: String,
        /// The visitor's e-mail.
        email: String,
        /// The day.
        day: Day,
        /// `confirmed` or `canceled`.
        status: String,
        /// `timeAvailability`.
        times: Value,
        /// The contact's id.
        contact: Option<String>,
    }
    /// A check-in token: a card, or the address of somebody's telephone.
    Token {
        /// The token.
        token: String,
        /// Whose.
        membership: String,
    }
    /// A subscription to web hooks.
    Subscription {
        /// Id.
        id: String,
        /// The event.
        event: String,
        /// Where to.
        callback: String,
        /// Not deactivated.
        active: bool,
    }
}

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The space's id.
    pub space: String,
    /// Its name in addresses.
    pub subdomain: String,
    /// Its zone, an IANA name.
    pub zone: String,
    /// Memberships.
    pub members: Vec<Member>,
    /// History of plans.
    pub plan_rows: Vec<PlanRow>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Kinds of pass.
    pub pass_kinds: Vec<PassKind>,
    /// Passes, used ones too.
    pub time_passes: Vec<TimePass>,
    /// Check-ins.
    pub sessions: Vec<Session>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Resources.
    pub resources: Vec<Resource>,
    /// Bookings.
    pub bookings: Vec<Booking>,
    /// Bookings from outside.
    pub externals: Vec<External>,
    /// Allocations.
    pub allocations: Vec<Allocation>,
    /// Drop-in passes.
    pub drop_ins: Vec<DropIn>,
    /// Check-in tokens.
    pub tokens: Vec<Token>,
    /// Web hooks.
    pub subscriptions: Vec<Subscription>,
    /// The last number in an id that was made.
    pub last_id: u64,
}

impl Default for World {
    /// An ordinary small space in Madrid, without members.
    fn default() -> Self {
        let plan = |name: &str, needs: &[&str]| Plan {
            name: name.into(),
            needs: needs.iter().map(|it| (*it).to_owned()).collect(),
        };
        let resource = |id: &str, name: &str, kind, allocatable| Resource {
            id: id.into(),
            name: name.into(),
            kind,
            allocatable,
            times: json!([]),
        };
        // From four in the morning to a minute to four: the day of the vendor's own example.
        let whole_day = json!([
            {"from_hour": 4, "from_minute": 0, "to_hour": 3, "to_minute": 59, "weekdays": []}
        ]);
        Self {
            space: "space-riverside".into(),
            subdomain: "riverside".into(),
            zone: "Europe/Madrid".into(),
            members: Vec::new(),
            plan_rows: Vec::new(),
            plans: vec![
                plan("Full time", &[]),
                plan("Hot desk", &[]),
                plan("Day passes", &["Day pass", "Two hours"]),
            ],
            pass_kinds: vec![
                PassKind {
                    name: "Day pass".into(),
                    price: 1_500,
                    spans: whole_day,
                },
                PassKind {
                    name: "Two hours".into(),
                    price: 500,
                    spans: json!([{"duration_hours": 2, "duration_minutes": 0, "weekdays": []}]),
                },
            ],
            time_passes: Vec::new(),
            sessions: Vec::new(),
            teams: vec![Team {
                id: "team-acme".into(),
                name: "Acme".into(),
            }],
            resources: vec![
                resource("res-meeting", "Meeting room", Some("room"), false),
                resource("res-phone", "Phone booth", Some("room"), false),
                resource("res-desk-7", "Desk 7", Some("desk"), true),
                resource("res-office-2", "Office 2", Some("room"), true),
            ],
            bookings: Vec::new(),
            externals: Vec::new(),
            allocations: Vec::new(),
            drop_ins: Vec::new(),
            tokens: Vec::new(),
            subscriptions: Vec::new(),
            last_id: 0,
        }
    }
}

impl World {
    /// A new id with this prefix.
    pub fn id(&mut self, prefix: &str) -> String {
        self.last_id += 1;
        format!("{prefix}-{}", self.last_id)
    }

    /// A new confirmed membership on a plan, from a day on. Its id.
    pub fn join(&mut self, name: &str, email: &str, plan: &str, day: &str) -> String {
        let id = self.id("membership");
        self.members.push(Member {
            id: id.clone(),
            name: name.into(),
            email: email.into(),
            confirmed: Some(day.into()),
            ..Member::default()
        });
        let row = PlanRow {
            id: self.id("plan"),
            membership: id.clone(),
            name: plan.into(),
            starts: day.into(),
            canceled: None,
        };
        self.plan_rows.push(row);
        id
    }

    /// Gives passes of a kind to a membership.
    pub fn give_passes(&mut self, member: &str, kind: &str, count: u32) {
        for _ in 0..count {
            let pass = TimePass {
                id: self.id("pass"),
                membership: member.into(),
                kind: kind.into(),
                ..TimePass::default()
            };
            self.time_passes.push(pass);
        }
    }

    /// A new booking. Its id.
    pub fn book(&mut self, member: Option<&str>, resource: &str, from: i64, until: i64) -> String {
        let id = self.id("booking");
        self.bookings.push(Booking {
            id: id.clone(),
            resource: resource.into(),
            membership: member.map(ToOwned::to_owned),
            from,
            until,
            ..Booking::default()
        });
        id
    }

    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|it| it.id == id)
    }
    pub(super) fn resource_named(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|it| it.name == name || it.id == name)
    }
    /// The row of the plan that holds on a day.
    pub(super) fn plan_on(&self, member: &str, day: &str) -> Option<&PlanRow> {
        self.plan_rows.iter().find(|row| {
            row.membership == member
                && row.starts.as_str() <= day
                && row.canceled.as_deref().is_none_or(|last| day <= last)
        })
    }
    pub(super) fn needs(&self, plan: &str) -> &[String] {
        self.plans
            .iter()
            .find(|it| it.name == plan)
            .map_or(&[], |it| it.needs.as_slice())
    }
}
