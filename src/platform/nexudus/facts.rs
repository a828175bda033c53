//! Nexudus' records as facts. Pure: no network, no clock, no rule. One function a kind of record, so that a whole fetch
//! and the refresh of one person or booking say the same.
//!
//! | in Nexudus | as a fact |
//! | --- | --- |
//! | customer | person; suspended or archived is deactivated |
//! | contract of this location, without its pauses | memberships, a span each |
//! | contract that a floor-plan item names | assignments, a span each |
//! | floor-plan item, resource | resource `item:ID`, resource `ID` |
//! | booking | booking of the resource, and of the item where it names one |
//! | visitor of a booking | invitee: the customer with that e-mail address, else an external person |
//! | pass | pass; of a payer whose team shares passes, the team's as well |

use super::{
    hours,
    model::{
        Bookable, CheckedIn, Contract, Coworker, HeldPass, Item, PassKind, Pause, Reserved, Slot, Visitor,
    },
    people, times,
};
use crate::{
    config::model::CardText,
    domain::{
        Millis, PersonId,
        facts::{Assignment, Booking, Membership, Pass, Person, Resource, ResourceKind, Standing, When},
    },
    platform::FactsProblem,
};
use jiff::{civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What every translation needs to know of the site.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// The location.
    pub(super) business: u64,
    /// Its zone.
    pub(super) zone: TimeZone,
    /// How card numbers stand in Nexudus.
    pub(super) cards: CardText,
}

/// What staff set up once and change rarely. Small, so an adapter may keep it between fetches.
#[derive(Clone, Debug, Default)]
pub(super) struct Setup {
    /// Plans that come with passes, and therefore need them (R22).
    pub(super) with_passes: HashSet<u64>,
    /// Kinds of pass.
    pub(super) kinds: BTreeMap<u64, PassKind>,
    /// Their hours.
    pub(super) slots: Vec<Slot>,
    /// Teams that share the passes of the member who pays: team and payer.
    pub(super) sharing: Vec<(u64, u64)>,
}

pub(super) fn problem(
    collection: &'static str,
    index: usize,
    field: &'static str,
    id: impl Into<String>,
    text: impl Into<String>,
) -> FactsProblem {
    FactsProblem {
        collection,
        index,
        field: Some(field),
        id: id.into(),
        text: text.into(),
    }
}

/// The id of a person: a customer's number.
pub(super) fn person_id(number: u64) -> PersonId {
    number.to_string().as_str().into()
}

/// The id of a floor-plan item as a resource. Resources have numbers of their own.
pub(super) fn item_id(number: u64) -> String {
    format!("item:{number}")
}

/// A customer. Teams are filled in by the caller, who knows them.
pub(super) fn person(
    row: &Coworker,
    index: usize,
    space: &Space,
    problems: &mut Vec<FactsProblem>,
) -> Person {
    let name = row.full_name.as_deref().map_or("", str::trim);
    let number = row.id.to_string();
    let mut person = Person::new(
        person_id(row.id),
        if name.is_empty() { number.as_str() } else { name },
    );
    person.email = row
        .email
        .clone()
        .filter(|email| !email.trim().is_empty())
        .map(Into::into);
    // Suspended, or put away: neither opens anything (R5).
    person.deactivated = row.active == Some(false) || row.archived == Some(true);
    if row
        .invoicing_business_id
        .is_some_and(|home| home != space.business)
    {
        person.standing = Standing::Network;
    }
    let joined = times::day(row.created_on.as_deref(), None, &space.zone);
    person.joined = joined.map(When::Day);
    let (cards, unreadable) = people::cards(row, space.cards);
    person.credentials = cards;
    for why in unreadable {
        let text = format!("has a card that cannot be read ({why}); the card is left out");
        problems.push(problem("people", index, "credentials", number.clone(), text));
    }
    person
}

/// A span of days, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) starts: Option<Date>,
    pub(super) ends: Option<Date>,
    /// Whether the end is the contract's own, not a pause's.
    pub(super) last: bool,
}

/// When a contract of this location runs: without its pauses. Empty when it never does.
pub(super) fn spans(contract: &Contract, pauses: &[Pause], space: &Space) -> Vec<Span> {
    let zone = &space.zone;
    let starts = times::day(
        contract.start_date.as_deref(),
        contract.start_date_local.as_deref(),
        zone,
    );
    let ends = times::day(
        contract.cancellation_date.as_deref(),
        contract.cancellation_date_local.as_deref(),
        zone,
    );
    let mut gaps: Vec<(Date, Option<Date>)> = pauses
        .iter()
        .filter(|pause| pause.coworker_contract_id == Some(contract.id))
        .filter_map(|pause| {
            let from = times::day(
                pause.pause_from.as_deref(),
                pause.pause_from_local.as_deref(),
                zone,
            )?;
            let until = times::day(
                pause.pause_until.as_deref(),
                pause.pause_until_local.as_deref(),
                zone,
            );
            Some((from, until))
        })
        .collect();
    gaps.sort_unstable();
    let mut spans = Vec::new();
    let mut open = Some(starts);
    for (from, until) in gaps {
        let Some(starts) = open else {
            break; // paused for good
        };
        if ends.is_some_and(|ends| from > ends) {
            break;
        }
        let before = from.yesterday().ok();
        if starts.is_none_or(|starts| before.is_some_and(|before| starts <= before)) {
            spans.push(Span {
                starts,
                ends: before,
                last: false,
            });
        }
        // Two pauses may overlap: the later end counts.
        open = until.map(|until| Some(starts.map_or(until, |starts| starts.max(until))));
    }
    if let Some(starts) = open
        && !matches!((starts, ends), (Some(starts), Some(ends)) if !spans.is_empty() && starts > ends)
    {
        spans.push(Span {
            starts,
            ends,
            last: true,
        });
    }
    spans
}

/// Whether a contract gives anything here: it is this location's and active, and somebody holds it on a plan.
pub(super) fn holds(contract: &Contract, space: &Space) -> bool {
    contract
        .issued_by_id
        .is_none_or(|issuer| issuer == space.business)
        && contract.active != Some(false)
        && contract.coworker_id.is_some()
        && contract.tariff_id.is_some()
}

/// `77`, then `77:2`, `77:3` for what follows a pause.
fn numbered(id: &str, index: usize) -> String {
    if index == 0 {
        id.to_owned()
    } else {
        format!("{id}:{}", index + 1)
    }
}

/// A contract as memberships, one for each span.
pub(super) fn memberships(
    contract: &Contract,
    spans: &[Span],
    setup: &Setup,
    space: &Space,
) -> Vec<Membership> {
    let (Some(holder), Some(plan)) = (contract.coworker_id, contract.tariff_id) else {
        return Vec::new();
    };
    let id = contract.id.to_string();
    let spans = spans.iter().enumerate();
    spans
        .map(|(index, span)| Membership {
            person: Some(person_id(holder)),
            starts: span.starts.map(When::Day),
            ends: span.ends.map(When::Day),
            cancelled: span.last && (span.ends.is_some() || contract.cancelled == Some(true)),
            pass_based: setup.with_passes.contains(&plan),
            location: Some(space.business.to_string().into()),
            ..Membership::new(numbered(&id, index), plan.to_string())
        })
        .collect()
}

/// The contracts that a floor-plan item names, as assignments of it (R9).
pub(super) fn assignments(item: &Item, contracts: &HashMap<u64, (u64, Vec<Span>)>) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    let mut named = item.coworker_contract_ids.clone();
    named.sort_unstable();
    named.dedup();
    for contract in named {
        // Of another location, or not active: it assigns nothing.
        let Some((holder, spans)) = contracts.get(&contract) else {
            continue;
        };
        let id = format!("{}:{contract}", item.id);
        for (index, span) in spans.iter().enumerate() {
            assignments.push(Assignment {
                person: Some(person_id(*holder)),
                starts: span.starts.map(When::Day),
                ends: span.ends.map(When::Day),
                ..Assignment::new(numbered(&id, index), item_id(item.id))
            });
        }
    }
    assignments
}

fn kind(item_type: Option<u8>) -> ResourceKind {
    match item_type {
        Some(1) => ResourceKind::Office,
        Some(2 | 3) => ResourceKind::Desk,
        Some(5) => ResourceKind::Room,
        _ => ResourceKind::Other,
    }
}

fn name_or(name: Option<&str>, id: u64) -> String {
    match name.map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => id.to_string(),
    }
}

/// Floor-plan items and resources. What is booked has the kind and the floor of the items that stand for it.
pub(super) fn resources(items: &[Item], bookable: &[Bookable], space: &Space) -> Vec<Resource> {
    let location = Some(space.business.to_string());
    let mut resources: Vec<Resource> = items
        .iter()
        .map(|item| Resource {
            floor: item.floor_plan_id.map(|floor| floor.to_string()).map(Into::into),
            location: location.clone().map(Into::into),
            ..Resource::new(
                item_id(item.id),
                name_or(item.name.as_deref(), item.id),
                kind(item.item_type),
            )
        })
        .collect();
    for row in bookable {
        let mut own = items.iter().filter(|item| item.resource_id == Some(row.id));
        let first = own.next();
        let same = |of: fn(&Item) -> Option<u64>| {
            let value = first.and_then(of);
            value.filter(|_| own.clone().all(|item| of(item) == value))
        };
        let floor = same(|item| item.floor_plan_id);
        let shape = same(|item| item.item_type.map(u64::from));
        let shape = shape.and_then(|shape| u8::try_from(shape).ok());
        resources.push(Resource {
            floor: floor.map(|floor| floor.to_string()).map(Into::into),
            location: location.clone().map(Into::into),
            ..Resource::new(
                row.id.to_string(),
                name_or(row.name.as_deref(), row.id),
                shape.map_or(ResourceKind::Room, |shape| kind(Some(shape))),
            )
        });
    }
    resources
}

/// Who has which e-mail address; nobody where two have the same.
#[derive(Debug, Default)]
pub(super) struct Addresses(HashMap<String, Option<PersonId>>);

impl Addresses {
    pub(super) fn of<'a>(people: impl Iterator<Item = &'a Person>) -> Self {
        let mut addresses: HashMap<String, Option<PersonId>> = HashMap::new();
        for person in people.filter(|person| !is_visitor(&person.id)) {
            if let Some(email) = person.email.as_deref().map(key) {
                addresses
                    .entry(email)
                    .and_modify(|holder| *holder = None)
                    .or_insert_with(|| Some(person.id.clone()));
            }
        }
        Self(addresses)
    }

    fn holder(&self, email: Option<&str>) -> Option<&PersonId> {
        self.0.get(&key(email?))?.as_ref()
    }
}

fn key(email: &str) -> String {
    email.trim().to_lowercase()
}

const VISITOR: &str = "visitor:";

/// Whether a person is a visitor of a booking and no customer.
pub(super) fn is_visitor(id: &PersonId) -> bool {
    id.as_str().starts_with(VISITOR)
}

/// Visitors as people: the customer with that address, else somebody from outside.
pub(super) fn invitees(visitors: &[&Visitor], addresses: &Addresses) -> (Vec<PersonId>, Vec<Person>) {
    let (mut invitees, mut outside) = (Vec::new(), Vec::new());
    for visitor in visitors {
        let id = if let Some(holder) = addresses.holder(visitor.visitor_email.as_deref()) {
            holder.clone()
        } else {
            let number = visitor.visitor_id.unwrap_or(visitor.id);
            let id: PersonId = format!("{VISITOR}{number}").as_str().into();
            let mut person = Person::new(id.clone(), name_or(visitor.visitor_full_name.as_deref(), number));
            person.email = visitor
                .visitor_email
                .clone()
                .filter(|email| !email.trim().is_empty())
                .map(Into::into);
            person.standing = Standing::External;
            outside.push(person);
            id
        };
        if !invitees.contains(&id) {
            invitees.push(id);
        }
    }
    invitees.sort_unstable();
    (invitees, outside)
}

/// A booking, of the resource and of the floor-plan item that it names: the site maps whichever has the door. Empty for
/// a booking of something that is not here.
pub(super) fn bookings(
    row: &Reserved,
    index: usize,
    invited: &[PersonId],
    here: impl Fn(&str) -> bool,
    problems: &mut Vec<FactsProblem>,
) -> Vec<Booking> {
    let resource = row.resource_id.map(|id| id.to_string());
    let item = row.floor_plan_desk_id.map(item_id);
    let id = row.id.to_string();
    let named = [(resource, id.clone()), (item, format!("{id}:item"))];
    let named = named
        .into_iter()
        .filter_map(|(resource, id)| Some((resource?, id)));
    let named: Vec<(String, String)> = named.filter(|(resource, _)| here(resource)).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let times = (
        row.from_time.as_deref().and_then(times::instant),
        row.to_time.as_deref().and_then(times::instant),
    );
    let (Some(from), Some(until)) = times else {
        let text = "has no times that can be read; left out";
        problems.push(problem("bookings", index, "from", id, text));
        return Vec::new();
    };
    named
        .into_iter()
        .map(|(resource, id)| Booking {
            person: row.coworker_id.map(person_id),
            invitees: invited.to_vec(),
            tentative: row.tentative == Some(true),
            ..Booking::new(id, resource, from, until)
        })
        .collect()
}

/// When a check-in is over: at its end, or, while it is open, when what it runs on is used up: the minutes of the pass,
/// or the day at local midnight.
pub(super) fn check_in_end(row: &CheckedIn, minutes: Option<u64>, zone: &TimeZone) -> Option<Millis> {
    if let Some(end) = row.to_time.as_deref().and_then(times::instant) {
        return Some(end);
    }
    let from = row.from_time.as_deref().and_then(times::instant)?;
    let minutes = minutes.and_then(|minutes| i64::try_from(minutes).ok());
    minutes.map_or_else(
        || times::end_of_day(from, zone),
        |minutes| Some(from.saturating_add(minutes.saturating_mul(60_000))),
    )
}

/// The passes of somebody, as facts. Empty when the kind of pass is not valid here.
pub(super) fn passes(row: &HeldPass, check_ins: &[CheckedIn], setup: &Setup, space: &Space) -> Vec<Pass> {
    let (Some(holder), Some(kind)) = (row.coworker_id, row.time_pass_id) else {
        return Vec::new();
    };
    let known = setup.kinds.get(&kind);
    let here = known.is_some_and(|kind| {
        kind.businesses.contains(&space.business)
            || (kind.businesses.is_empty() && kind.business_id.is_none_or(|at| at == space.business))
    });
    if !here {
        return Vec::new();
    }
    let minutes = known.and_then(|kind| kind.minutes_included);
    let guid = row.unique_id.as_deref().map(str::to_lowercase);
    let mut runs: Vec<Millis> = check_ins
        .iter()
        .filter(|check_in| {
            let on = check_in.coworker_time_pass_guid.as_deref().map(str::to_lowercase);
            on.is_some() && on == guid
        })
        .filter_map(|check_in| check_in_end(check_in, minutes, &space.zone))
        .collect();
    if runs.is_empty() && row.checked_in == Some(true) {
        // In use by a check-in that was not listed: what the pass itself says.
        let used = row.used_date.as_deref().and_then(times::instant);
        runs.extend(used.and_then(|at| times::end_of_day(at, &space.zone)));
    }
    let left = match row.remaining_uses {
        Some(left) => u32::try_from(left.max(0)).unwrap_or(u32::MAX),
        None => u32::from(row.used != Some(true)),
    };
    let ends = times::day(row.expire_date.as_deref(), None, &space.zone);
    let id = row.id.to_string();
    let own = Pass {
        person: Some(person_id(holder)),
        left: Some(left),
        running_until: runs.into_iter().max(),
        ends: ends.map(When::Day),
        hours: hours::week(kind, &setup.slots),
        location: Some(space.business.to_string().into()),
        ..Pass::new(id.clone(), kind.to_string())
    };
    let teams = setup.sharing.iter().filter(|(_, payer)| *payer == holder);
    let shared = teams.map(|(team, _)| Pass {
        id: format!("{id}:{team}").into(),
        person: None,
        team: Some(team.to_string().into()),
        ..own.clone()
    });
    let shared: Vec<Pass> = shared.collect();
    std::iter::once(own).chain(shared).collect()
}
