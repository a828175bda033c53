//! Users at KS: found again, adopted, made, called by their names, put to rest and woken, with their tags.

use super::{Act, Draft, Stage, Step};
use crate::{
    domain::{Credential, PersonId},
    salto::{
        actual::User,
        links::{Link, Rest, SPREADS},
        wanted::{Person, Why, folded},
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Someone who needs a seat.
enum Needs<'a> {
    User(&'a PersonId, &'a Person, Vec<String>),
    Waking(&'a PersonId, Why),
}

impl<'a> Draft<'a> {
    /// Steps for users.
    pub(super) fn people(&mut self) {
        let wanted = self.wanted;
        let unlinked = self.find();
        let mut need = Vec::new();
        for (person, who) in &wanted.people {
            if self.users.contains_key(person) || !who.active {
                continue;
            }
            self.adopt_or_make(person, who, &unlinked, &mut need);
        }
        let found: Vec<(&'a PersonId, &'a str)> = self.users.iter().map(|(a, b)| (*a, *b)).collect();
        for (person, site_user) in &found {
            if let Some(user) = self.actual.users.get(*site_user) {
                self.owners.insert(&user.user, person);
                self.state(person, site_user, user, &mut need);
            }
        }
        self.seats(need);
        self.tags(&found);
    }

    /// Links whose user is still there; the other users by folded alias.
    fn find(&mut self) -> HashMap<String, Vec<&'a str>> {
        let (actual, links) = (self.actual, self.links);
        let mut linked = BTreeSet::new();
        for (person, link) in &links.users {
            if let Some((site_user, _)) = actual.users.get_key_value(&link.site_user)
                && linked.insert(site_user.as_str())
            {
                self.users.insert(person, site_user);
            }
        }
        let mut unlinked: HashMap<String, Vec<&'a str>> = HashMap::new();
        for (site_user, user) in actual
            .users
            .iter()
            .filter(|(id, _)| !linked.contains(id.as_str()))
        {
            unlinked.entry(folded(&user.alias)).or_default().push(site_user);
        }
        unlinked
    }

    fn adopt_or_make(
        &mut self,
        person: &'a PersonId,
        who: &'a Person,
        unlinked: &HashMap<String, Vec<&'a str>>,
        need: &mut Vec<Needs<'a>>,
    ) {
        let taken: BTreeSet<&str> = self.users.values().copied().collect();
        let free = |id: &&'a str| !taken.contains(id);
        let by_email: Vec<&'a str> = match &who.email {
            Some(email) => unlinked
                .values()
                .flatten()
                .copied()
                .filter(free)
                .filter(|id| {
                    let user = self.actual.users.get(*id);
                    user.and_then(|user| user.email.as_deref())
                        .is_some_and(|other| other.eq_ignore_ascii_case(email))
                })
                .collect(),
            None => Vec::new(),
        };
        let named = unlinked.get(&folded(&who.alias)).map_or(&[][..], Vec::as_slice);
        let intent = self
            .links
            .intents
            .get(person)
            .filter(|intent| intent.alias == who.alias);
        let ours = |id: &&str| intent.is_none_or(|intent| !intent.before.contains(*id));
        let by_name: Vec<&'a str> = named.iter().copied().filter(free).filter(ours).collect();
        let (found, how) = match (by_email.as_slice(), by_name.as_slice()) {
            ([one], _) => (*one, "the same e-mail address"),
            ([], [one]) => (*one, "the same name"),
            ([], []) if self.is_under_way(person) => {
                let text = format!(
                    "{} was made at SALTO KS a moment ago and is not to be seen there yet",
                    who.name
                );
                self.wait("under-way", &who.name, text);
                return;
            }
            ([], []) => {
                let before = named.iter().map(|id| (*id).to_owned()).collect();
                need.push(Needs::User(person, who, before));
                return;
            }
            _ => {
                let text = format!(
                    "{} users at SALTO KS are called \"{}\" and none of them has a link here: give one of them \
                     the person's e-mail address or the others another name",
                    by_email.len().max(by_name.len()),
                    who.alias
                );
                self.wait("ambiguous", &who.name, text);
                return;
            }
        };
        self.users.insert(person, found);
        let act = Act::Adopt {
            person: person.clone(),
            site_user: found.to_owned(),
        };
        let why = Why::rule(35, format!("a user of {how} is there already"));
        self.push(Stage::Adopt, act, &who.name, why);
    }

    /// Whether a user of this person may be on its way into the lists of KS.
    fn is_under_way(&self, person: &PersonId) -> bool {
        let made = self.links.users.get(person).and_then(|link| link.made);
        let asked = self.links.intents.get(person).map(|intent| intent.at);
        let now = self.wanted.now;
        made.max(asked)
            .is_some_and(|at| (at..at.saturating_add(SPREADS)).contains(&now))
    }

    fn push(&mut self, stage: Stage, act: Act, who: &str, why: Why) {
        self.steps.push(Step {
            stage,
            act,
            who: who.to_owned(),
            why,
        });
    }

    /// Name, block and seat of a user.
    fn state(&mut self, person: &'a PersonId, site_user: &str, user: &User, need: &mut Vec<Needs<'a>>) {
        let link = self
            .links
            .users
            .get(person)
            .filter(|link| link.site_user == site_user);
        let wanted = self.wanted.people.get(person);
        let name = wanted.map_or(user.alias.as_str(), |who| who.name.as_str());
        let keeps = user.admin || self.is_pinned(site_user);
        let rests = |rest: Rest| link.is_some_and(|link| link.rests.contains(&rest));
        let id = person.clone();
        if let Some(alias) = wanted.map(|who| &who.alias).filter(|alias| **alias != user.alias) {
            let act = Act::Rename {
                person: id.clone(),
                alias: alias.clone(),
            };
            self.push(
                Stage::People,
                act,
                name,
                Why::rule(35, format!("is called {} there", user.alias)),
            );
        }
        let active = wanted.is_some_and(|who| who.active);
        match wanted.and_then(|who| who.blocked.as_ref()) {
            Some(note) if !user.blocked && !keeps => {
                self.push(
                    Stage::Block,
                    Act::Block { person: id.clone() },
                    name,
                    Why::rule(5, note.clone()),
                );
            }
            None if user.blocked && rests(Rest::Blocked) => {
                let why = Why::rule(5, "not deactivated any more");
                self.push(Stage::Wake, Act::Unblock { person: id.clone() }, name, why);
            }
            None if user.blocked && active => {
                let text = format!("{name} is blocked at SALTO KS by hand: unblock there, or nothing opens");
                self.wait("by-hand", name, text);
            }
            _ => {}
        }
        if active && user.suspended {
            match link.is_some_and(|link| !link.rests.contains(&Rest::Idle) && !rests(Rest::NoSeat)) {
                true => {
                    let text = format!(
                        "{name} is suspended at SALTO KS and not by the gateway: subscribe there, or nothing opens"
                    );
                    self.wait("by-hand", name, text);
                }
                false => need.push(Needs::Waking(
                    person,
                    wanted.map(|who| who.why.clone()).unwrap_or_default(),
                )),
            }
        } else if !active && !user.suspended && !keeps && self.policy.deactivate {
            let why = match wanted {
                Some(Person {
                    blocked: Some(note), ..
                }) => Why::rule(5, note.clone()),
                Some(_) => Why::rule(
                    32,
                    "no door of SALTO KS is open to this person, and no booking is to come",
                ),
                None => Why::rule(33, "the platform does not know this person any more"),
            };
            self.push(Stage::Rest, Act::Suspend { person: id }, name, why);
        }
    }

    /// Gives seats to those who need one, as far as there are any. First whoever has a user already, then the others, each by
    /// the platform's id: so that the same people are in and out whenever it is asked. Nobody new is made while somebody who
    /// was made before has none, whatever KS says of its seats.
    fn seats(&mut self, need: Vec<Needs<'a>>) {
        let given_up = self
            .steps
            .iter()
            .filter(|step| matches!(step.act, Act::Suspend { .. }))
            .count();
        // There may be more users with a seat than seats: those come first.
        let free = self
            .actual
            .seats
            .map(|seats| i64::from(seats.all) - i64::from(seats.taken));
        let given_up = i64::try_from(given_up).unwrap_or(0);
        let mut left = free.map(|free| free + given_up);
        // Whoever has a user already comes first.
        let (waking, new): (Vec<_>, Vec<_>) = need
            .into_iter()
            .partition(|needs| matches!(needs, Needs::Waking(..)));
        let links = self.links;
        let was_full = waking.iter().any(|needs| match needs {
            Needs::Waking(person, _) => {
                let link = links.users.get(*person);
                link.is_some_and(|link| link.rests.contains(&Rest::NoSeat))
            }
            Needs::User(..) => false,
        });
        for needs in waking.into_iter().chain(new) {
            let is_new = matches!(needs, Needs::User(..));
            let fits = left.is_none_or(|left| left > 0) && !(is_new && was_full);
            left = left.map(|left| left - 1);
            match needs {
                Needs::Waking(person, why) if fits => {
                    let name = self.name(person);
                    let act = Act::Subscribe {
                        person: person.clone(),
                    };
                    self.push(Stage::Wake, act, &name, why);
                }
                Needs::User(person, who, before) if fits => self.make(person, who, before),
                Needs::Waking(person, _) | Needs::User(person, ..) => {
                    let name = self.name(person);
                    let why = match self.actual.seats {
                        Some(seats) if !(is_new && was_full) => {
                            format!("{} of {} are taken", seats.taken, seats.all)
                        }
                        _ => "KS made others without one, who come first".to_owned(),
                    };
                    let text =
                        format!("no seat is left at SALTO KS for {name}: {why}; order more, or free one");
                    self.wait("no-seat", &name, text);
                }
            }
        }
    }

    fn name(&self, person: &PersonId) -> String {
        let known = self.wanted.people.get(person).map(|who| who.name.clone());
        known.unwrap_or_else(|| person.to_string())
    }

    fn make(&mut self, person: &'a PersonId, who: &Person, before: Vec<String>) {
        let link = self.links.users.get(person);
        let mut why = who.why.clone();
        if link.is_some() {
            why.text = format!("{}; the user that was there is gone", why.text);
        }
        self.coming.insert(person);
        let act = Act::CreateUser {
            person: person.clone(),
            alias: who.alias.clone(),
            name: who.name.clone(),
            email: who.email.clone(),
            tag: self.free_tag(who, None),
            before,
        };
        self.push(Stage::People, act, &who.name, why);
    }

    /// The tag that a person should have: the one at hand if it is theirs, or else the first that no stranger holds.
    fn free_tag(&self, who: &Person, has: Option<&Credential>) -> Option<Credential> {
        if let Some(tag) = has.filter(|tag| who.tags.contains(tag)) {
            return Some(*tag);
        }
        who.tags.iter().copied().find(|tag| self.stranger(tag).is_none())
    }

    /// The user with this tag whom the gateway does not know.
    fn stranger(&self, tag: &Credential) -> Option<&'a User> {
        let mut holders = self
            .actual
            .users
            .values()
            .filter(|user| user.tag.as_ref() == Some(tag));
        holders.find(|user| !self.owners.contains_key(user.user.as_str()))
    }

    /// Tags go to whom they belong, and away from whom they do not.
    fn tags(&mut self, found: &[(&'a PersonId, &'a str)]) {
        let wanted = self.wanted;
        let rightful: BTreeMap<&Credential, &PersonId> = wanted
            .people
            .iter()
            .flat_map(|(person, who)| who.tags.iter().map(move |tag| (tag, person)))
            .collect();
        for (person, site_user) in found {
            let Some(user) = self.actual.users.get(*site_user) else {
                continue;
            };
            let link: Option<&Link> = self.links.users.get(*person);
            let who = wanted.people.get(*person);
            let has = user.tag.as_ref();
            let name = self.name(person);
            let goal = who.and_then(|who| self.free_tag(who, has));
            let takes = |text: &str| Why::rule(34, text.to_owned());
            let taken =
                has.filter(|tag| goal.as_ref() != Some(*tag))
                    .and_then(|tag| match rightful.get(tag) {
                        Some(owner) if owner != person => Some(takes("the tag is another person's")),
                        _ if wanted.barred.contains(tag) => {
                            Some(takes("the card is blocked, or two people claim it"))
                        }
                        _ if link.and_then(|link| link.tag.as_ref()) == Some(tag) => {
                            Some(takes("the card is not this person's any more"))
                        }
                        _ => goal.map(|_| takes("another tag takes its place")),
                    });
            if let Some(why) = taken {
                let act = Act::TakeTag {
                    person: (*person).clone(),
                };
                self.push(Stage::Rest, act, &name, why);
            }
            if let Some(tag) = goal.filter(|goal| has != Some(goal)) {
                let act = Act::GiveTag {
                    person: (*person).clone(),
                    tag,
                };
                self.push(Stage::Wake, act, &name, Why::rule(34, "the person's card"));
            }
        }
        self.tags_elsewhere();
    }

    fn tags_elsewhere(&mut self) {
        let wanted = self.wanted;
        for who in wanted.people.values().filter(|who| who.active) {
            for tag in &who.tags {
                if let Some(user) = self.stranger(tag) {
                    let text = format!(
                        "{}'s tag {tag} is with \"{}\" at SALTO KS, whom the gateway does not know: take it from \
                         that user there",
                        who.name, user.alias
                    );
                    self.wait("tag-elsewhere", &who.name, text);
                }
            }
        }
    }
}
