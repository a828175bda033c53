//! Items to facts, page after page, or to problems that name themselves.

use super::{
    AssignmentItem, BookingItem, Collections, MembershipItem, NamedItem, PassItem, PersonItem, ResourceItem,
    TeamItem,
    hours::{OpeningItem, WeekItem},
};
use crate::{
    domain::{
        Credential, Millis, PersonId,
        facts::{
            Assignment, Booking, DoorAccess, Membership, Named, Pass, Person, Resource, ResourceKind,
            Standing, Team, When,
        },
        opening::{Opening, Week},
    },
    platform::check::{Candidates, FactsProblem, Numbered},
};
use jiff::{civil, tz::TimeZone};
use std::collections::BTreeMap;

/// Items that become facts, or problems, page after page. Nothing else is kept of a page, so that a large site's facts
/// are never in memory twice.
#[derive(Debug)]
pub(in crate::platform) struct Gathering<'a> {
    zone: Option<&'a TimeZone>,
    candidates: Candidates,
    problems: Vec<FactsProblem>,
    /// How many items of each collection there were so far: an item's place is counted over all pages.
    seen: BTreeMap<&'static str, usize>,
    collection: &'static str,
    index: usize,
    id: String,
}

impl<'a> Gathering<'a> {
    /// Nothing yet. `zone` lets instants without an offset mean local time there.
    pub(in crate::platform) fn new(zone: Option<&'a TimeZone>) -> Self {
        Self {
            zone,
            candidates: Candidates::default(),
            problems: Vec::new(),
            seen: BTreeMap::new(),
            collection: "",
            index: 0,
            id: String::new(),
        }
    }

    /// How many items there were, the bad ones included.
    pub(in crate::platform) fn len(&self) -> usize {
        self.seen.values().sum()
    }

    /// Adds a page.
    pub(in crate::platform) fn add(&mut self, page: Collections) {
        let mut all = std::mem::take(&mut self.candidates);
        self.all("people", page.people, &mut all.people, |it| &it.id, Self::person);
        self.all(
            "memberships",
            page.memberships,
            &mut all.memberships,
            |it| &it.id,
            Self::membership,
        );
        self.all(
            "assignments",
            page.assignments,
            &mut all.assignments,
            |it| &it.id,
            Self::assignment,
        );
        self.all(
            "resources",
            page.resources,
            &mut all.resources,
            |it| &it.id,
            Self::resource,
        );
        self.all(
            "bookings",
            page.bookings,
            &mut all.bookings,
            |it| &it.id,
            Self::booking,
        );
        self.all("passes", page.passes, &mut all.passes, |it| &it.id, Self::pass);
        self.plainly("teams", page.teams, &mut all.teams, |it| &it.id, Self::team);
        let named = [
            ("plans", page.plans, &mut all.catalogue.plans),
            ("locations", page.locations, &mut all.catalogue.locations),
            ("floors", page.floors, &mut all.catalogue.floors),
            ("pass_kinds", page.pass_kinds, &mut all.catalogue.passes),
            ("groups", page.groups, &mut all.catalogue.groups),
        ];
        for (collection, items, into) in named {
            self.plainly(collection, items, into, |it| &it.id, Self::named);
        }
        self.candidates = all;
    }

    /// What came of all pages.
    pub(in crate::platform) fn finish(self) -> (Candidates, Vec<FactsProblem>) {
        (self.candidates, self.problems)
    }

    fn all<W, T>(
        &mut self,
        collection: &'static str,
        items: Vec<W>,
        into: &mut Vec<Numbered<T>>,
        id: fn(&W) -> &String,
        read: fn(&mut Self, W) -> Option<T>,
    ) {
        self.collection = collection;
        let first = self.seen.get(collection).copied().unwrap_or(0);
        self.seen.insert(collection, first + items.len());
        into.reserve(items.len());
        for (index, item) in (first..).zip(items) {
            self.index = index;
            id(&item).trim().clone_into(&mut self.id);
            if self.id.is_empty() {
                self.problem("id", "has no id; left out");
            } else if let Some(fact) = read(self, item) {
                into.push(Numbered { index, fact });
            }
        }
    }

    /// What nothing is compared with later has no place to remember.
    fn plainly<W, T>(
        &mut self,
        collection: &'static str,
        items: Vec<W>,
        into: &mut Vec<T>,
        id: fn(&W) -> &String,
        read: fn(&mut Self, W) -> Option<T>,
    ) {
        let mut numbered = Vec::new();
        self.all(collection, items, &mut numbered, id, read);
        into.extend(numbered.into_iter().map(|item: Numbered<T>| item.fact));
    }

    fn person(&mut self, item: PersonItem) -> Option<Person> {
        let mut credentials = Vec::with_capacity(item.credentials.len());
        for (place, text) in (1_usize..).zip(&item.credentials) {
            // The number itself is not repeated: it may stand in a log. Of several cards it is said which.
            let which = match item.credentials.len() {
                0 | 1 => String::new(),
                all => format!(", number {place} of {all},"),
            };
            let text = match text.parse::<Credential>() {
                Ok(card) if card.is_random_uid() => format!(
                    "has a card{which} whose number changes at every presentation, so it names nobody; the card is left out"
                ),
                Ok(card) => {
                    credentials.push(card);
                    continue;
                }
                Err(error) => {
                    format!("has a card{which} that cannot be read ({error}); the card is left out")
                }
            };
            self.problem("credentials", &text);
        }
        let standing = self.word(
            "standing",
            item.standing.as_deref(),
            &[
                ("member", Standing::Member),
                ("network", Standing::Network),
                ("external", Standing::External),
            ],
            Standing::External,
        );
        let door_access = self.word(
            "door_access",
            item.door_access.as_deref(),
            &[
                ("auto", DoorAccess::Auto),
                ("on", DoorAccess::On),
                ("off", DoorAccess::Off),
            ],
            DoorAccess::Off,
        );
        Some(Person {
            teams: item
                .teams
                .into_iter()
                .filter(|team| !team.trim().is_empty())
                .map(Into::into)
                .collect(),
            standing,
            door_access,
            joined: self.when("joined", item.joined).flatten(),
            email: filled(item.email).map(Into::into),
            team: filled(item.team).map(Into::into),
            deactivated: item.deactivated,
            credentials,
            groups: item.groups.into_iter().map(Into::into).collect(),
            ..Person::new(item.id.trim(), item.name)
        })
    }

    fn membership(&mut self, item: MembershipItem) -> Option<Membership> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        Some(Membership {
            person: person(item.person),
            team: filled(item.team).map(Into::into),
            starts,
            ends,
            cancelled: item.cancelled,
            pass_based: item.pass_based,
            location: filled(item.location).map(Into::into),
            ..Membership::new(item.id, item.plan)
        })
    }

    fn assignment(&mut self, item: AssignmentItem) -> Option<Assignment> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        Some(Assignment {
            id: item.id.into(),
            resource: item.resource.into(),
            person: person(item.person),
            team: filled(item.team).map(Into::into),
            starts,
            ends,
        })
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape that all readers of items share"
    )]
    fn resource(&mut self, item: ResourceItem) -> Option<Resource> {
        let kind = match item.kind.as_deref() {
            None | Some("" | "room") => ResourceKind::Room,
            Some("desk") => ResourceKind::Desk,
            Some("office") => ResourceKind::Office,
            Some(_) => ResourceKind::Other, // the contract may grow kinds
        };
        Some(Resource {
            opening: self.opening(item.opening, item.public_opening),
            floor: filled(item.floor).map(Into::into),
            location: filled(item.location).map(Into::into),
            ..Resource::new(item.id, item.name, kind)
        })
    }

    fn booking(&mut self, item: BookingItem) -> Option<Booking> {
        let (from, until) = (
            self.instant("from", &item.from)?,
            self.instant("until", &item.until)?,
        );
        Some(Booking {
            id: item.id.into(),
            resource: item.resource.into(),
            person: person(item.person),
            invitees: item.invitees.into_iter().map(PersonId::from).collect(),
            from,
            until,
            tentative: item.tentative,
        })
    }

    fn pass(&mut self, item: PassItem) -> Option<Pass> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        let running_until = match filled(item.running_until) {
            None => None,
            Some(text) => Some(self.instant("running_until", &text)?),
        };
        let hours = match item.hours {
            None => None,
            Some(WeekItem::Text(text)) if text.trim().is_empty() => None,
            Some(hours) => match hours.read() {
                None => {
                    self.problem("hours", "has hours that cannot be read; left out");
                    return None;
                }
                hours => hours,
            },
        };
        Some(Pass {
            hours,
            location: filled(item.location).map(Into::into),
            person: person(item.person),
            team: filled(item.team).map(Into::into),
            left: item
                .left
                .map(|left| u32::try_from(left.max(0)).unwrap_or(u32::MAX)),
            running_until,
            starts,
            ends,
            ..Pass::new(item.id, item.kind)
        })
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape that all readers of items share"
    )]
    fn team(&mut self, item: TeamItem) -> Option<Team> {
        Some(Team {
            id: item.id.trim().into(),
            name: item.name.into(),
            payer: person(item.payer),
        })
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape that all readers of items share"
    )]
    fn named(&mut self, item: NamedItem) -> Option<Named> {
        Some(Named {
            id: item.id.trim().into(),
            name: item.name.into(),
        })
    }

    /// Hours that cannot be read open to nobody: that can only take access away.
    fn opening(&mut self, opening: Option<OpeningItem>, public: Option<WeekItem>) -> Option<Opening> {
        let blank = |week: &WeekItem| matches!(week, WeekItem::Text(text) if text.trim().is_empty());
        let opening = opening.filter(|it| !matches!(it, OpeningItem::Members(week) if blank(week)));
        let public = public.filter(|week| !blank(week));
        let read = match (opening, public) {
            (None, None) => return None,
            (None, Some(_)) => None, // hours for strangers and none for members
            (Some(opening), None) => opening.read(),
            (Some(opening), Some(public)) => {
                opening.read().zip(public.read()).map(|(opening, week)| Opening {
                    public: Some(week),
                    ..opening
                })
            }
        };
        if read.is_none() {
            self.problem(
                "opening",
                "has opening hours that cannot be read; taken as closed",
            );
        }
        Some(read.unwrap_or_else(|| Opening {
            default: Week::default(),
            public: None,
        }))
    }

    /// A word of a list. Another one is taken as `least`, which can only take access away.
    fn word<T: Copy + Default>(
        &mut self,
        field: &'static str,
        text: Option<&str>,
        words: &[(&str, T)],
        least: T,
    ) -> T {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return T::default();
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(
            field,
            &format!(
                "has another {field} than {}; taken as the one that opens least",
                known.join(", ")
            ),
        );
        least
    }

    fn limits(
        &mut self,
        starts: Option<String>,
        ends: Option<String>,
    ) -> Option<(Option<When>, Option<When>)> {
        Some((self.when("starts", starts)?, self.when("ends", ends)?))
    }

    /// The outer `None` means that the text is no time, and was reported.
    fn when(&mut self, field: &'static str, text: Option<String>) -> Option<Option<When>> {
        let Some(text) = filled(text) else {
            return Some(None);
        };
        if let Ok(day) = text.parse::<civil::Date>()
            && text.len() == 10
        {
            return Some(Some(When::Day(day)));
        }
        Some(Some(When::At(self.instant(field, &text)?)))
    }

    fn instant(&mut self, field: &'static str, text: &str) -> Option<Millis> {
        let read = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let local: civil::DateTime = text.parse().ok()?;
            Some(local.to_zoned(self.zone?.clone()).ok()?.timestamp())
        });
        if read.is_none() {
            let shown: String = text.chars().take(40).collect();
            self.problem(
                field,
                &format!("has \"{shown}\" as {field}, which is no time; write 2026-05-31T18:00:00Z (or +02:00); left out"),
            );
        }
        Some(read?.as_millisecond())
    }

    fn problem(&mut self, field: &'static str, text: &str) {
        self.problems.push(FactsProblem {
            collection: self.collection,
            index: self.index,
            field: Some(field),
            id: self.id.clone(),
            text: text.to_owned(),
        });
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn person(id: Option<String>) -> Option<PersonId> {
    filled(id).map(PersonId::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::opening::YearDay;

    #[test]
    fn a_place_is_counted_over_all_pages() {
        let page = |text: &str| serde_json::from_str::<Collections>(text).unwrap();
        let mut gathering = Gathering::new(None);
        gathering.add(page(
            r#"{"people":[{"id":"a","name":"A"},{"id":"b","name":"B"}],"passes":[{"id":"x","kind":"Day"}]}"#,
        ));
        gathering.add(page(
            r#"{"people":[{"id":" ","name":"C"},{"id":"d","name":"D","credentials":["ks:x"]}]}"#,
        ));
        assert_eq!(gathering.len(), 5, "the bad one counts as well");
        let (candidates, problems) = gathering.finish();
        let places: Vec<usize> = candidates.people.iter().map(|it| it.index).collect();
        assert_eq!(places, [0, 1, 3]);
        let named: Vec<_> = problems.iter().map(|it| (it.collection, it.index)).collect();
        assert_eq!(named, [("people", 2), ("people", 3)]);
    }

    fn read(text: &str) -> (Candidates, Vec<FactsProblem>) {
        let page: Collections = serde_json::from_str(text).unwrap();
        page.read(None)
    }

    #[test]
    fn everything_that_the_rules_can_use_arrives() {
        let (facts, problems) = read(
            r#"{
            "people": [{"id": "p1", "name": "Ana", "team": "t1", "teams": ["t2", ""], "standing": "network",
                "door_access": "on", "joined": "2026-05-01"}],
            "memberships": [{"id": "m1", "plan": "1", "person": "p1", "location": "harbour"}],
            "resources": [{"id": "r1", "name": "Desk", "kind": "desk", "opening": {"default":
                {"hours": [{"from": "09:00", "until": "18:00"}], "closed": ["12-25"]}, "public": "daily 10:00-16:00"}}],
            "passes": [{"id": "x", "kind": "Half day", "person": "p1", "location": "harbour",
                "hours": {"hours": [{"weekdays": [1], "from": "09:00", "until": "13:00"}]}}],
            "teams": [{"id": "t1", "name": "Riverside Ltd", "payer": "p1"}],
            "plans": [{"id": "1", "name": "Flex"}], "pass_kinds": [{"id": "2", "name": "Half day"}],
            "groups": [{"id": "3", "name": "Cleaners"}], "floors": [{"id": "4", "name": "First"}],
            "locations": [{"id": "harbour", "name": "Harbour"}]
        }"#,
        );
        assert_eq!(problems, []);
        let person = &facts.people[0].fact;
        assert_eq!(person.all_teams().collect::<Vec<_>>(), ["t1", "t2"]);
        assert_eq!(
            (person.standing, person.door_access),
            (Standing::Network, DoorAccess::On)
        );
        assert_eq!(person.joined, Some(When::Day("2026-05-01".parse().unwrap())));
        assert_eq!(facts.memberships[0].fact.location.as_deref(), Some("harbour"));
        let opening = facts.resources[0].fact.opening.as_ref().unwrap();
        assert_eq!(opening.default.closed, [YearDay { month: 12, day: 25 }]);
        assert_eq!(opening.public.as_ref().unwrap().hours[0].until, 960);
        let pass = &facts.passes[0].fact;
        assert_eq!(pass.hours.as_ref().unwrap().hours[0].until, 780);
        assert_eq!(pass.location.as_deref(), Some("harbour"));
        assert_eq!(facts.teams[0].payer, Some(PersonId::from("p1")));
        let catalogue = &facts.catalogue;
        let named = [
            &catalogue.plans,
            &catalogue.passes,
            &catalogue.groups,
            &catalogue.floors,
            &catalogue.locations,
        ];
        assert!(named.iter().all(|list| list.len() == 1));
    }

    #[test]
    fn what_cannot_be_read_of_them_only_takes_access_away() {
        let (facts, problems) = read(
            r#"{
            "people": [{"id": "p1", "name": "Ana", "standing": "friend", "door_access": "maybe", "joined": "long ago"}],
            "resources": [{"id": "r1", "name": "Desk", "opening": "always"}],
            "passes": [{"id": "x", "kind": "Half day", "person": "p1", "hours": "mornings"}],
            "plans": [{"id": " ", "name": "Flex"}]
        }"#,
        );
        let person = &facts.people[0].fact;
        assert_eq!(
            (person.standing, person.door_access),
            (Standing::External, DoorAccess::Off)
        );
        let opening = facts.resources[0].fact.opening.as_ref().unwrap();
        assert!(
            opening.default.hours.is_empty() && opening.public.is_none(),
            "closed"
        );
        assert!(facts.passes.is_empty() && facts.catalogue.plans.is_empty());
        let fields: Vec<_> = problems.iter().filter_map(|problem| problem.field).collect();
        assert_eq!(
            fields,
            ["standing", "door_access", "joined", "opening", "hours", "id"]
        );
    }
}
