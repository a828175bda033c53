//! The rules once more, slow and obvious: may this person enter here at this instant, straight from the facts? It walks
//! through all objects, asks the calendar on the wall, and steps through days in minutes. It shares no code with the engine,
//! and engine and index together must answer the same for every profile.

use crate::rules_world::{MINUTE, World, card, with_cards};
use doorward::{
    access::{Index, Limits, Query},
    config::model::{BookingWindow, Connect, Mapping, Profile, RulesConfig, TeamRule},
    domain::{
        GroupId, Moment, PersonId, Text,
        facts::{Booking, DoorAccess, Facts, Named, Pass, Person, Resource, ResourceKind, Standing, When},
        opening::{Hours, Week},
        site::Site,
        time::Millis,
    },
    rules,
    sync::judge::Scale,
};
use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};
use proptest::prelude::*;

struct Model<'a> {
    facts: &'a Facts,
    rules: &'a RulesConfig,
    site: &'a Site,
    zone: TimeZone,
}

/// First instant, and first instant after it.
type Span = (Option<Millis>, Option<Millis>);

fn inside((from, until): Span, at: Millis) -> bool {
    from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
}

fn is_nothing(span: Span) -> bool {
    matches!(span, (Some(from), Some(until)) if until <= from)
}

impl Model<'_> {
    fn opens(&self, person: &Person, group: &str, at: Millis) -> bool {
        self.counts(person)
            && self.hours_of_the_group(group, at)
            && (self.by_plan(person, group, at)
                || self.by_assignment(person, group, at)
                || self.by_booking(person, group, at)
                || self.by_pass(person, group, at)
                || self.by_hand(person, group))
    }

    fn wall(&self, at: Millis) -> Zoned {
        Timestamp::from_millisecond(at)
            .unwrap()
            .to_zoned(self.zone.clone())
    }

    fn minute(&self, at: Millis) -> u16 {
        let wall = self.wall(at);
        u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap()
    }

    /// R5, R31.
    fn counts(&self, person: &Person) -> bool {
        if person.deactivated || person.door_access == DoorAccess::Off {
            return false;
        }
        if person.door_access == DoorAccess::On {
            return true;
        }
        match self.rules.connect {
            Connect::All => true,
            Connect::Chosen => false,
            Connect::NewOnly => {
                let joined = person.joined.map(|joined| match joined {
                    When::Day(day) => day,
                    When::At(at) => self.wall(at).date(),
                });
                joined.is_some_and(|joined| self.rules.connect_since.unwrap() <= joined)
            }
        }
    }

    /// R40.
    fn hours_of_the_group(&self, group: &str, at: Millis) -> bool {
        let group = self
            .site
            .groups
            .iter()
            .find(|it| it.id.as_str() == group)
            .unwrap();
        let Some(hours) = &group.hours else { return true };
        let schedule = self.site.schedules.iter().find(|it| it.id == *hours).unwrap();
        let wall = self.wall(at);
        let spans = if self.site.holidays.contains(&wall.date()) {
            &schedule.holiday
        } else {
            &schedule.week[usize::try_from(wall.weekday().to_monday_zero_offset()).unwrap()]
        };
        let minute = self.minute(at);
        spans.iter().any(|span| (span.from..span.until).contains(&minute))
    }

    fn maps(map: &Mapping, named: &[Named], key: &str, group: &str) -> bool {
        let has = |groups: &Vec<GroupId>| groups.iter().any(|it| it.as_str() == group);
        let by_name = named
            .iter()
            .find(|it| it.id == key)
            .and_then(|it| map.get(it.name.as_str()));
        let by_id = named
            .iter()
            .find(|it| it.name == key)
            .and_then(|it| map.get(it.id.as_str()));
        map.get(key).or(by_name).or(by_id).is_some_and(has)
    }

    /// R36.
    fn here(&self, location: Option<&Text>) -> bool {
        let only = &self.rules.only_locations;
        let Some(location) = location.filter(|_| !only.is_empty()) else {
            return true;
        };
        let names = self
            .facts
            .catalogue
            .locations
            .iter()
            .filter(|it| it.id == *location);
        only.iter().any(|it| it == location)
            || names
                .into_iter()
                .any(|named| only.iter().any(|it| *it == named.name))
    }

    /// R2, R3: the last day is a whole one. Days begin so many minutes after midnight.
    fn span(&self, starts: Option<When>, ends: Option<When>, day_starts: u16) -> Span {
        let begin = |day: Date| {
            let (hour, minute) = (
                i8::try_from(day_starts / 60).unwrap(),
                i8::try_from(day_starts % 60).unwrap(),
            );
            let local = day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).unwrap();
            local.timestamp().as_millisecond()
        };
        let from = starts.map(|when| match when {
            When::At(at) => at,
            When::Day(day) => begin(day),
        });
        let until = ends.map(|when| match when {
            When::At(at) => at,
            When::Day(day) => begin(day.tomorrow().unwrap()),
        });
        (from, until)
    }

    fn in_team(person: &Person, team: Option<&Text>) -> bool {
        team.is_some_and(|team| person.team.as_ref() == Some(team) || person.teams.contains(team))
    }

    /// R6, C7.
    fn holds(&self, person: &Person, holder: Option<&PersonId>, team: Option<&Text>, is_pass: bool) -> bool {
        let Some(holder) = holder else {
            return Self::in_team(person, team);
        };
        if *holder == person.id {
            return true;
        }
        match self.rules.team_rule {
            _ if is_pass => false,
            TeamRule::NoMember => false,
            TeamRule::CompanySubscription => Self::in_team(person, team),
            TeamRule::PayerContract => self.facts.teams.iter().any(|paid| {
                paid.payer.as_ref() == Some(holder)
                    && team.is_none_or(|team| *team == paid.id)
                    && Self::in_team(person, Some(&paid.id))
            }),
        }
    }

    fn by_plan(&self, person: &Person, group: &str, at: Millis) -> bool {
        self.facts.memberships.iter().any(|it| {
            let keeps = it.cancelled && !self.rules.cancel_revokes; // C1
            let undated = it.cancelled && it.ends.is_none() && !keeps;
            let span = self.span(it.starts, if keeps { None } else { it.ends }, 0);
            self.here(it.location.as_ref())
                && Self::maps(&self.rules.plans, &self.facts.catalogue.plans, &it.plan, group)
                && self.holds(person, it.person.as_ref(), it.team.as_ref(), false)
                && !undated
                && inside(span, at)
                && !(it.pass_based && self.rules.restrict_on_exhaustion && !self.has_pass(person, at))
        })
    }

    /// R22, R23.
    fn has_pass(&self, person: &Person, at: Millis) -> bool {
        self.facts.passes.iter().any(|it| {
            self.here(it.location.as_ref())
                && self.holds(person, it.person.as_ref(), it.team.as_ref(), true)
                && (self.left(it, at) || self.runs(it, at))
        })
    }

    fn left(&self, pass: &Pass, at: Millis) -> bool {
        pass.left != Some(0) && inside(self.span(pass.starts, pass.ends, self.rules.day_starts), at)
    }

    fn runs(&self, pass: &Pass, at: Millis) -> bool {
        let valid = self.span(pass.starts, pass.ends, self.rules.day_starts);
        !is_nothing(valid) && pass.running_until.is_some_and(|until| at < until)
    }

    fn by_pass(&self, person: &Person, group: &str, at: Millis) -> bool {
        self.facts.passes.iter().any(|it| {
            let bounded = it.starts.is_some() && it.ends.is_some();
            let hours = it.hours.as_ref().filter(|_| bounded); // never longer than a month here
            self.here(it.location.as_ref())
                && Self::maps(&self.rules.passes, &self.facts.catalogue.passes, &it.kind, group)
                && self.holds(person, it.person.as_ref(), it.team.as_ref(), true)
                && (self.runs(it, at)
                    || (self.left(it, at) && hours.is_none_or(|week| self.in_week(week, at))))
        })
    }

    fn in_week(&self, week: &Week, at: Millis) -> bool {
        let today = self.wall(at).date();
        let days = [today.yesterday().unwrap(), today, today.tomorrow().unwrap()];
        days.into_iter().any(|day| {
            self.spans_of(week, day)
                .into_iter()
                .any(|(from, until)| from <= at && at < until)
        })
    }

    /// The hours of a day: from the first five minutes whose wall clock lies in them to the last ones.
    fn spans_of(&self, week: &Week, day: Date) -> Vec<(Millis, Millis)> {
        let is_day = |closed: &doorward::domain::opening::YearDay| {
            (i16::from(closed.month), i16::from(closed.day)) == (i16::from(day.month()), i16::from(day.day()))
        };
        let weekday = u8::try_from(day.weekday().to_monday_one_offset()).unwrap();
        if week.closed.iter().any(is_day) {
            return vec![];
        }
        let today = week
            .hours
            .iter()
            .filter(|it| it.weekdays.is_empty() || it.weekdays.contains(&weekday));
        today.filter_map(|hours| self.span_of(hours, day)).collect()
    }

    fn span_of(&self, hours: &Hours, day: Date) -> Option<(Millis, Millis)> {
        let noon = day.at(12, 0, 0, 0).to_zoned(self.zone.clone()).unwrap();
        let noon = noon.timestamp().as_millisecond();
        let over_midnight = hours.until <= hours.from;
        let shows = |at: &Millis| {
            let (date, minute) = (self.wall(*at).date(), self.minute(*at));
            if date == day {
                hours.from <= minute && (over_midnight || minute < hours.until)
            } else {
                over_midnight && date == day.tomorrow().unwrap() && minute < hours.until
            }
        };
        let steps = (-15 * 12..42 * 12).map(|step| noon + step * 5 * MINUTE);
        let shown: Vec<Millis> = steps.filter(shows).collect();
        Some((*shown.first()?, shown.last()? + 5 * MINUTE))
    }

    fn by_assignment(&self, person: &Person, group: &str, at: Millis) -> bool {
        self.facts.assignments.iter().any(|it| {
            let Some(resource) = self.resource(&it.resource) else {
                return false;
            };
            let catalogue = &self.facts.catalogue;
            let on_floor = |floor: &Text| Self::maps(&self.rules.floors, &catalogue.floors, floor, group);
            let there =
                |location: &Text| Self::maps(&self.rules.locations, &catalogue.locations, location, group);
            (self.maps_resource(resource, group)
                || resource.floor.as_ref().is_some_and(on_floor)
                || resource.location.as_ref().is_some_and(there))
                && self.here(resource.location.as_ref())
                && self.holds(person, it.person.as_ref(), it.team.as_ref(), false)
                && inside(self.span(it.starts, it.ends, 0), at)
        })
    }

    fn resource(&self, id: &str) -> Option<&Resource> {
        self.facts.resources.iter().find(|it| it.id == id)
    }

    fn maps_resource(&self, resource: &Resource, group: &str) -> bool {
        let map = &self.rules.resources;
        let groups = map
            .get(resource.id.as_str())
            .or_else(|| map.get(resource.name.as_str()));
        groups.is_some_and(|groups| groups.iter().any(|it| it.as_str() == group))
    }

    fn by_booking(&self, person: &Person, group: &str, at: Millis) -> bool {
        self.facts.bookings.iter().any(|it| {
            let Some(resource) = self.resource(&it.resource) else {
                return false;
            };
            let is_desk = resource.kind == ResourceKind::Desk;
            let booked = it.person.as_ref() == Some(&person.id);
            let invited = !booked && it.invitees.contains(&person.id);
            let invites = if is_desk {
                self.rules.grant_desk_invitees
            } else {
                self.rules.grant_invitees
            };
            let may = booked && (person.standing != Standing::External || self.rules.grant_external);
            it.from < it.until
                && (!it.tentative || self.rules.grant_tentative)
                && self.here(resource.location.as_ref())
                && self.maps_resource(resource, group)
                && (may || (invited && invites))
                && self.booking_opens(it, resource, person.standing, at)
        })
    }

    fn booking_opens(&self, booking: &Booking, resource: &Resource, standing: Standing, at: Millis) -> bool {
        let rules = self.rules;
        let (window, before, after) = if resource.kind == ResourceKind::Desk {
            (rules.desk_window, rules.desk_before, rules.desk_after)
        } else {
            (rules.room_window, rules.room_before, rules.room_after)
        };
        let around = |from: Millis, until: Millis| {
            let millis = |it: std::time::Duration| Millis::try_from(it.as_millis()).unwrap();
            from - millis(before) <= at && at < until + millis(after)
        };
        match (window, &resource.opening) {
            (BookingWindow::WholeDay, _) => {
                let day = |at| self.working_day(at);
                day(booking.from) <= day(at) && day(at) <= day(booking.until - 1)
            }
            (BookingWindow::Schedule, Some(opening)) => {
                let other = rules.public_schedule_for_others && standing != Standing::Member;
                let Some(week) = (if other {
                    opening.public.as_ref()
                } else {
                    Some(&opening.default)
                }) else {
                    return false;
                };
                let mut day = self.wall(booking.from).date();
                let last = self.wall(booking.until - 1).date();
                while day <= last {
                    if self
                        .spans_of(week, day)
                        .into_iter()
                        .any(|(from, until)| around(from, until))
                    {
                        return true;
                    }
                    day = day.tomorrow().unwrap();
                }
                false
            }
            _ => around(booking.from, booking.until),
        }
    }

    /// The day of an instant, when days begin later than at midnight.
    fn working_day(&self, at: Millis) -> Date {
        let today = self.wall(at).date();
        if self.minute(at) < self.rules.day_starts {
            today.yesterday().unwrap()
        } else {
            today
        }
    }

    fn by_hand(&self, person: &Person, group: &str) -> bool {
        let named = &self.facts.catalogue.groups;
        person
            .groups
            .iter()
            .any(|it| Self::maps(&self.rules.groups, named, it, group))
    }
}

/// What these worlds map, by id and by name, with a plan, a room and a pass that are not mapped and a group that is gone.
pub(crate) fn mapped(profile: Profile) -> RulesConfig {
    let map = |entries: &[(&str, &[&str])]| -> Mapping {
        let groups = |ids: &[&str]| ids.iter().map(|id| GroupId::from(*id)).collect();
        entries
            .iter()
            .map(|(name, ids)| ((*name).to_owned(), groups(ids)))
            .collect()
    };
    RulesConfig {
        plans: map(&[
            ("Full time", &["g0"]),
            ("plan1", &["g1", "g2"]),
            ("plan2", &["g3"]),
        ]),
        resources: map(&[
            ("r0", &["g2"]),
            ("R1", &["g3"]),
            ("r2", &["g4"]),
            ("r3", &["g5", "gone"]),
        ]),
        floors: map(&[("f0", &["g1"])]),
        locations: map(&[("London", &["g4"])]),
        passes: map(&[("Day pass", &["g5"]), ("kind1", &["g1"])]),
        groups: map(&[("hand0", &["g0"]), ("hand1", &["g2"])]),
        ..RulesConfig::of(profile)
    }
}

/// The profile, with some keys of a site over it now and then.
pub(crate) fn varied(profile: Profile, world: &mut World) -> RulesConfig {
    let mut rules = mapped(profile);
    if world.random.yes(3) {
        rules.connect = Connect::NewOnly;
        rules.connect_since = Some("2026-05-20".parse().unwrap());
    }
    if world.random.yes(3) {
        rules.only_locations = vec!["London".into()];
    }
    if world.random.yes(3) {
        rules.day_starts = 180;
    }
    if world.random.yes(3) {
        rules.restrict_on_exhaustion = !rules.restrict_on_exhaustion;
    }
    if world.random.yes(4) {
        rules.desk_window = BookingWindow::Schedule;
    }
    rules
}

fn agree(seed: u64) -> Result<(), TestCaseError> {
    for (name, profile) in Profile::ALL {
        let mut world = World::new(seed);
        let mut facts = world.facts();
        with_cards(&mut facts);
        let rules = varied(profile, &mut world);
        let site = world.site.clone();
        let (snapshot, _) = rules::grants(&facts, &rules, &site).into_snapshot(1, 0);
        let index = Index::build(&snapshot, &site).unwrap().0;
        let scale = Scale::default();
        for now in [0, world.instant()] {
            let by_index = scale.weigh_index(&index, snapshot.grants.len(), now);
            prop_assert_eq!(by_index, scale.weigh(&snapshot, now), "{}: {:?}", name, snapshot);
        }
        let zone = TimeZone::get(&site.zone).unwrap();
        let (facts, limits) = (&facts, Limits::default());
        let model = Model {
            facts,
            rules: &rules,
            site: &site,
            zone,
        };
        for _ in 0..25 {
            // Ends of windows, buffers and days, to the millisecond and on both sides of it.
            let at = world.instant()
                + [0, -1, 1, 30 * MINUTE - 1][usize::try_from(world.random.below(4)).unwrap()];
            for (place, person) in facts.people.iter().enumerate() {
                for door in &site.doors {
                    let card = card(place);
                    let query = Query {
                        credential: Some(&card),
                        door: index.door(door.id.as_str()),
                        now: Moment::trusted(at),
                        lockdown: false,
                        limits: &limits,
                    };
                    let verdict = index.decide(&query);
                    let expected = model.opens(person, door.id.as_str(), at);
                    prop_assert_eq!(
                        verdict.reason.grants(),
                        expected,
                        "{} {}: {} at {} ({}), {:?}\n{:#?}\n{:#?}",
                        name,
                        site.zone,
                        person.id,
                        door.id,
                        model.wall(at),
                        verdict,
                        snapshot
                            .grants
                            .iter()
                            .filter(|it| it.person == person.id)
                            .collect::<Vec<_>>(),
                        facts
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn engine_and_index_answer_as_the_model_does_for_every_profile(seed: u64) {
        agree(seed)?;
    }
}

/// So that the agreement is about something: over some worlds each profile opens and refuses, by every kind of source.
#[test]
fn the_worlds_of_the_model_have_everything_in_them() {
    for (name, profile) in Profile::ALL {
        let mut rules_seen = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let mut world = World::new(seed);
            let facts = world.facts();
            let rules = varied(profile, &mut world);
            let outcome = rules::grants(&facts, &rules, &world.site);
            rules_seen.extend(
                outcome
                    .grants
                    .iter()
                    .map(|grant| (grant.rule, grant.void.is_some())),
            );
        }
        for rule in [1, 6, 9, 10, 11, 12, 17, 20, 21, 22, 23] {
            assert!(rules_seen.contains(&(rule, false)), "{name}: nothing by R{rule}");
        }
        for rule in [19, 20, 22, 31] {
            assert!(
                rules_seen.contains(&(rule, true)),
                "{name}: nothing void by R{rule}"
            );
        }
        let invites = RulesConfig::of(profile).grant_invitees;
        assert_eq!(rules_seen.contains(&(14, false)), invites, "{name}");
    }
}
