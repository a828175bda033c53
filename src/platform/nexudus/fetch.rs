//! A whole fetch: every list that matters, page by page, and the facts that they make.

use super::{
    api::{self, Api},
    facts::{self, Addresses, Setup, Space, Span},
    model::{
        Bookable, CheckedIn, Contract, Coworker, HeldPass, Item, Numbered as _, PassKind, Pause, Reserved,
        Slot, Tariff, TariffPass, Team, Visitor,
    },
    times,
};
use crate::{
    domain::{
        Millis,
        facts::{self as neutral, Catalogue, Facts, Named, Person},
    },
    platform::{FactsProblem, PlatformError},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Bookings that ended this long ago are of no use to a door any more.
const BOOKINGS_BACK_DAYS: i64 = 1;
/// How far ahead bookings are kept, for weeks without the internet.
const BOOKINGS_AHEAD_DAYS: i64 = 28;
/// A visitor of a booking was written down at most this long ago. Nexudus cannot list them by the booking's time.
const VISITORS_BACK_DAYS: i64 = 60;
/// A check-in that began longer ago runs no pass any more.
const CHECK_INS_BACK_DAYS: i64 = 1;

/// Filters of lists, all of one instant.
pub(super) struct Filters {
    pub(super) bookings: [(&'static str, String); 2],
    pub(super) visitors: (&'static str, String),
    pub(super) check_ins: [(&'static str, String); 2],
    /// The same window, for what is not asked for by a list.
    booked: (Millis, Millis),
}

/// A booking's window is told in minutes.
const MINUTE: Millis = 60_000;

impl Filters {
    pub(super) fn at(now: Millis, business: u64) -> Self {
        let from = times::days_from(now, -BOOKINGS_BACK_DAYS).div_euclid(MINUTE) * MINUTE;
        let until = times::days_from(now, BOOKINGS_AHEAD_DAYS).div_euclid(MINUTE) * MINUTE;
        Self {
            bookings: [
                ("from_Booking_ToTime", times::minute(from)),
                ("to_Booking_FromTime", times::minute(until)),
            ],
            visitors: (
                "from_BookingVisitor_CreatedOn",
                times::minute(times::days_from(now, -VISITORS_BACK_DAYS)),
            ),
            check_ins: [
                ("Checkin_Business", business.to_string()),
                (
                    "from_Checkin_FromTime",
                    times::minute(times::days_from(now, -CHECK_INS_BACK_DAYS)),
                ),
            ],
            booked: (from, until),
        }
    }

    /// Whether a list of bookings would have this one.
    pub(super) fn lists(&self, booking: &Reserved) -> bool {
        let at = |text: &Option<String>| text.as_deref().and_then(times::instant);
        at(&booking.to_time).is_none_or(|to| to >= self.booked.0)
            && at(&booking.from_time).is_none_or(|from| from <= self.booked.1)
    }
}

/// What a whole fetch brought, with what is worth keeping until the next one.
pub(super) struct Whole {
    pub(super) facts: Facts,
    pub(super) problems: Vec<FactsProblem>,
    pub(super) setup: Setup,
    /// Access groups, and the names of what Nexudus has linked to each.
    pub(super) linked: Vec<(String, String)>,
}

fn here(name: &'static str, space: &Space) -> [(&'static str, String); 1] {
    [(name, space.business.to_string())]
}

/// Reads everything.
pub(super) async fn whole(api: &Api, space: &Space, now: Millis) -> Result<Whole, PlatformError> {
    let mut made = Facts::default();
    let mut problems = Vec::new();
    let filters = Filters::at(now, space.business);

    let teams = teams(api, space).await?;
    let (setup, plans) = setup(api, space, &teams).await?;
    made.catalogue = catalogue(plans, &setup, space);
    made.people = people(api, space, &teams, &mut problems).await?;
    made.teams = teams.iter().map(team).collect();

    let contracts = contracts(api, space, None, &setup, &mut made.memberships).await?;
    let items = items(api, space).await?;
    for item in &items {
        made.assignments.extend(facts::assignments(item, &contracts));
    }
    let bookable: Vec<Bookable> = api
        .all(api::RESOURCES, &here("Resource_Business", space), |row| row)
        .await?;
    let linked = complete(&mut made.catalogue, &items, &bookable, &setup, space);
    made.resources = facts::resources(&items, &bookable, space);
    bookings(api, &filters, &mut made, &mut problems).await?;

    let check_ins: Vec<CheckedIn> = api.all(api::CHECK_INS, &filters.check_ins, |row| row).await?;
    for pass in passes(api, None).await? {
        made.passes
            .extend(facts::passes(&pass, &check_ins, &setup, space));
    }
    Ok(Whole {
        facts: made,
        problems,
        setup,
        linked,
    })
}

/// The teams of the location. Lists do not say who is in them.
async fn teams(api: &Api, space: &Space) -> Result<Vec<Team>, PlatformError> {
    let listed: Vec<u64> = api
        .all(api::TEAMS, &here("Team_Business", space), |team: Team| {
            team.number()
        })
        .await?;
    let teams: Vec<Team> = api.several(api::TEAMS, &listed).await?;
    if teams.len() != listed.len() {
        let (came, expected) = (teams.len(), listed.len());
        return Err(PlatformError::malformed(format_args!(
            "{came} teams came from {} where {expected} were asked for; nothing is taken from them, and the doors go on with the last complete facts",
            api.http.place()
        )));
    }
    Ok(teams)
}

fn team(row: &Team) -> neutral::Team {
    neutral::Team {
        id: row.id.to_string().into(),
        name: row.name.clone().unwrap_or_else(|| row.id.to_string()).into(),
        payer: row.paying_member_id.map(facts::person_id),
    }
}

/// Kinds of pass with their hours, and the plans.
async fn setup(api: &Api, space: &Space, teams: &[Team]) -> Result<(Setup, Vec<Tariff>), PlatformError> {
    let plans = api
        .all(api::TARIFFS, &here("Tariff_Business", space), |row| row)
        .await?;
    let with_passes: Vec<Option<u64>> = api
        .all(api::TARIFF_PASSES, &[], |row: TariffPass| row.tariff_id)
        .await?;
    let kinds: Vec<u64> = api
        .all(api::PASS_KINDS, &[], |kind: PassKind| kind.number())
        .await?;
    // Where a kind of pass is valid is told of whole records only.
    let kinds: Vec<PassKind> = api.several(api::PASS_KINDS, &kinds).await?;
    let slots: Vec<Slot> = api.all(api::SLOTS, &[], |row| row).await?;
    let sharing = teams
        .iter()
        .filter(|team| team.share_time_passes == Some(true))
        .filter_map(|team| Some((team.id, team.paying_member_id?)))
        .collect();
    let setup = Setup {
        with_passes: with_passes.into_iter().flatten().collect(),
        kinds: kinds.into_iter().map(|kind| (kind.id, kind)).collect(),
        slots,
        sharing,
    };
    Ok((setup, plans))
}

fn named(id: impl ToString, name: Option<&str>) -> Named {
    let id = id.to_string();
    Named {
        name: name.map_or_else(|| id.clone(), str::to_owned).into(),
        id: id.into(),
    }
}

fn catalogue(plans: Vec<Tariff>, setup: &Setup, space: &Space) -> Catalogue {
    let valid = |kind: &&PassKind| {
        kind.businesses.contains(&space.business)
            || (kind.businesses.is_empty() && kind.business_id.is_none_or(|at| at == space.business))
    };
    Catalogue {
        plans: plans
            .iter()
            .map(|plan| named(plan.id, plan.name.as_deref()))
            .collect(),
        passes: setup
            .kinds
            .values()
            .filter(valid)
            .map(|kind| named(kind.id, kind.name.as_deref()))
            .collect(),
        ..Catalogue::default()
    }
}

/// Floors and the location; and what Nexudus itself has linked to each access group.
fn complete(
    catalogue: &mut Catalogue,
    items: &[Item],
    bookable: &[Bookable],
    setup: &Setup,
    space: &Space,
) -> Vec<(String, String)> {
    let mut floors = BTreeMap::new();
    let mut location = None;
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in items {
        if let Some(floor) = item.floor_plan_id {
            floors
                .entry(floor)
                .or_insert_with(|| named(floor, item.floor_plan_name.as_deref()));
        }
        location = location.or(item.floor_plan_business_name.as_deref());
        if let (Some(group), Some(name)) = (&item.access_control_group_id, &item.name) {
            groups.entry(group).or_default().push(name);
        }
    }
    for row in bookable {
        location = location.or(row.business_name.as_deref());
        if let (Some(group), Some(name)) = (&row.access_control_group_id, &row.name) {
            groups.entry(group).or_default().push(name);
        }
    }
    for kind in setup.kinds.values() {
        if let (Some(group), Some(name)) = (&kind.access_control_group_id, &kind.name) {
            groups.entry(group).or_default().push(name);
        }
    }
    catalogue.floors = floors.into_values().collect();
    catalogue.locations = vec![named(space.business, location)];
    groups
        .into_iter()
        .map(|(group, mut names)| {
            names.sort_unstable();
            names.dedup();
            (group.to_owned(), names.join(", "))
        })
        .collect()
}

/// Everybody, of other locations of the network too: they may book here.
async fn people(
    api: &Api,
    space: &Space,
    teams: &[Team],
    problems: &mut Vec<FactsProblem>,
) -> Result<Vec<Person>, PlatformError> {
    let mut teams_of: HashMap<u64, Vec<u64>> = HashMap::new();
    for team in teams {
        for member in &team.team_members {
            teams_of.entry(*member).or_default().push(team.id);
        }
    }
    let rows = api
        .all(api::COWORKERS, &[], |row: Coworker| {
            let mut found = Vec::new();
            let mut person = facts::person(&row, 0, space, &mut found);
            into_teams(&mut person, teams_of.get(&row.id).map_or(&[][..], Vec::as_slice));
            (person, found)
        })
        .await?;
    let mut people = Vec::with_capacity(rows.len());
    for (index, (person, found)) in rows.into_iter().enumerate() {
        problems.extend(found.into_iter().map(|problem| FactsProblem { index, ..problem }));
        people.push(person);
    }
    Ok(people)
}

/// Puts a person into teams: the first one by its number, and the rest.
pub(super) fn into_teams(person: &mut Person, teams: &[u64]) {
    let mut teams = teams.to_vec();
    teams.sort_unstable();
    teams.dedup();
    let mut teams = teams.into_iter().map(|team| team.to_string().into());
    person.team = teams.next();
    person.teams = teams.collect();
}

/// Who holds which contract when, and the memberships that these are. Of one person, or of everybody.
pub(super) async fn contracts(
    api: &Api,
    space: &Space,
    of: Option<u64>,
    setup: &Setup,
    memberships: &mut Vec<neutral::Membership>,
) -> Result<HashMap<u64, (u64, Vec<Span>)>, PlatformError> {
    let mut query = vec![("CoworkerContract_IssuedBy", space.business.to_string())];
    query.extend(of.map(|person| ("CoworkerContract_Coworker", person.to_string())));
    let contracts: Vec<Contract> = api.all(api::CONTRACTS, &query, |row| row).await?;
    let pauses: Vec<Pause> = api.all(api::PAUSES, &[], |row| row).await?;
    let mut paused: HashMap<u64, Vec<Pause>> = HashMap::new();
    for pause in pauses {
        if let Some(contract) = pause.coworker_contract_id {
            paused.entry(contract).or_default().push(pause);
        }
    }
    let mut held = HashMap::with_capacity(contracts.len());
    for contract in contracts.iter().filter(|row| facts::holds(row, space)) {
        let pauses = paused.get(&contract.id).map_or(&[][..], Vec::as_slice);
        let spans = facts::spans(contract, pauses, space);
        memberships.extend(facts::memberships(contract, &spans, setup, space));
        if let Some(holder) = contract.coworker_id {
            held.insert(contract.id, (holder, spans));
        }
    }
    Ok(held)
}

/// The items of the location's floor plans.
pub(super) async fn items(api: &Api, space: &Space) -> Result<Vec<Item>, PlatformError> {
    let query = here("FloorPlanDesk_FloorPlan_Business_Id", space);
    let items: Vec<Item> = api.all(api::ITEMS, &query, |row| row).await?;
    let ours = |item: &Item| item.floor_plan_business_id.is_none_or(|at| at == space.business);
    Ok(items.into_iter().filter(ours).collect())
}

/// Bookings of what is here, with whom they invite. People and resources of `made` are there already; visitors from
/// outside are added.
pub(super) async fn bookings(
    api: &Api,
    filters: &Filters,
    made: &mut Facts,
    problems: &mut Vec<FactsProblem>,
) -> Result<(), PlatformError> {
    let rows: Vec<Reserved> = api.all(api::BOOKINGS, &filters.bookings, |row| row).await?;
    let visitors: Vec<Visitor> = api
        .all(api::VISITORS, std::slice::from_ref(&filters.visitors), |row| row)
        .await?;
    let mut of: HashMap<u64, Vec<&Visitor>> = HashMap::new();
    for visitor in &visitors {
        if let Some(booking) = visitor.booking_id {
            of.entry(booking).or_default().push(visitor);
        }
    }
    let addresses = Addresses::of(made.people.iter());
    let resources: HashSet<&str> = made.resources.iter().map(|it| it.id.as_str()).collect();
    let mut outside = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let visitors = of.get(&row.id).map_or(&[][..], Vec::as_slice);
        let (invited, strangers) = facts::invitees(visitors, &addresses);
        let booked = facts::bookings(row, index, &invited, |id| resources.contains(id), problems);
        if !booked.is_empty() {
            outside.extend(strangers);
        }
        made.bookings.extend(booked);
    }
    add_visitors(&mut made.people, outside);
    Ok(())
}

/// Each visitor once.
pub(super) fn add_visitors(people: &mut Vec<Person>, mut outside: Vec<Person>) {
    outside.sort_by(|a, b| a.id.cmp(&b.id));
    outside.dedup_by(|a, b| a.id == b.id);
    people.extend(outside);
}

/// Passes that are not used up, and those in use. Of one person, or of everybody.
pub(super) async fn passes(api: &Api, of: Option<u64>) -> Result<Vec<HeldPass>, PlatformError> {
    let of = of.map(|person| ("CoworkerTimePass_Coworker", person.to_string()));
    let mut all: BTreeMap<u64, HeldPass> = BTreeMap::new();
    for which in [
        ("CoworkerTimePass_Used", "false".to_owned()),
        ("CoworkerTimePass_CheckedIn", "true".to_owned()),
    ] {
        let mut query = vec![which];
        query.extend(of.clone());
        let some: Vec<HeldPass> = api.all(api::PASSES, &query, |row| row).await?;
        // One that is in both lists moved in between: the second look is the newer.
        all.extend(some.into_iter().map(|pass| (pass.id, pass)));
    }
    Ok(all.into_values().collect())
}
