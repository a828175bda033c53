//! The rules again, when some of the facts have changed: what changed is worked out, and what hangs on it. The result is that
//! of [`super::grants`], always; a test holds it to that over random edits.
//!
//! Nothing is kept of the grants of each object. What an object gave is worked out again from the facts before, taken out,
//! and what it gives now is put in: so memory is the facts and the outcome, and nothing can drift apart.

use super::{
    Objects, Outcome, RuleWarning,
    context::{Book, Context, Look, Stale},
    diff::{Diff, Several},
    of_the_whole, people,
    sink::{Note, Sink},
    warnings, work,
};
use crate::{
    config::model::RulesConfig,
    domain::{
        PersonId, Text,
        facts::{Facts, Person, Team},
        site::Site,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// An outcome that follows the facts.
#[derive(Debug)]
pub struct Incremental {
    rules: RulesConfig,
    site: Site,
    facts: Arc<Facts>,
    look: Look,
    several: Several,
    notes: BTreeMap<Note, usize>,
    /// What hangs on people alone, and on everything: worked out whole when it may have changed.
    shared: Vec<RuleWarning>,
    whole: Vec<RuleWarning>,
    outcome: Outcome,
}

/// How much an update had to work out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Objects whose grants were worked out.
    pub objects: usize,
    /// Whether everything was, because something changed that anything may hang on.
    pub everything: bool,
}

impl Incremental {
    /// Works everything out.
    #[must_use]
    pub fn new(facts: Arc<Facts>, rules: RulesConfig, site: Site) -> Self {
        let book = Book::new(&rules, &site);
        let look = Look::new(&facts, &book);
        let mut sink = Sink::default();
        let context = Context {
            facts: &facts,
            look: &look,
            book: &book,
        };
        work(&context, &Objects::all(&facts), &mut sink);
        let whole = of_the_whole(&facts, &book, &site);
        let Sink { mut grants, notes } = sink;
        grants.sort_unstable();
        let several = Several::of(&mut grants);
        let mut counted = BTreeMap::new();
        for note in notes {
            *counted.entry(note).or_default() += 1;
        }
        let (credentials, shared) = people::cards(&facts.people);
        let outcome = Outcome {
            people: people::holders(&facts.people),
            credentials,
            grants,
            blocks: people::blocks(&facts.people),
            warnings: warnings(&counted, shared.clone(), whole.clone()),
        };
        Self {
            rules,
            site,
            facts,
            look,
            several,
            notes: counted,
            shared,
            whole,
            outcome,
        }
    }

    /// What the rules make of the facts that it has.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The facts that it has.
    #[must_use]
    pub const fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    /// Other rules, or another site: everything is worked out.
    pub fn reconfigure(&mut self, rules: RulesConfig, site: Site) {
        *self = Self::new(Arc::clone(&self.facts), rules, site);
    }

    /// Takes facts that may differ in anything.
    pub fn update(&mut self, facts: Arc<Facts>) -> Worked {
        let old = Arc::clone(&self.facts);
        if old.catalogue != facts.catalogue {
            *self = Self::new(facts, self.rules.clone(), self.site.clone());
            return Worked {
                objects: count(&Objects::all(&self.facts)),
                everything: true,
            };
        }
        let diffs = Diffs::between(&old, &facts);
        let book = Book::new(&self.rules, &self.site);
        let stale = diffs.stale();
        let new_look = (stale.people || stale.resources || stale.passes)
            .then(|| self.look.renewed(&facts, &book, stale));
        let before = Context {
            facts: &old,
            look: &self.look,
            book: &book,
        };
        let after = Context {
            facts: &facts,
            look: new_look.as_ref().unwrap_or(&self.look),
            book: &book,
        };
        let touched = diffs.touched(&before, &after);
        let (mut gone, mut new) = (Sink::default(), Sink::default());
        let past = diffs.objects(&old, &touched, Side::Before);
        let present = diffs.objects(&facts, &touched, Side::After);
        work(&before, &past, &mut gone);
        work(&after, &present, &mut new);
        let worked = Worked {
            objects: count(&present),
            everything: false,
        };
        if diffs.changes_the_whole() {
            self.whole = of_the_whole(&facts, &book, &self.site);
        }
        if !diffs.people.is_empty() {
            let (credentials, shared) = people::cards(&facts.people);
            self.outcome.credentials = credentials;
            self.outcome.people = people::holders(&facts.people);
            self.outcome.blocks = people::blocks(&facts.people);
            self.shared = shared;
        }
        if let Some(look) = new_look {
            self.look = look;
        }
        self.several
            .apply(&mut self.outcome.grants, gone.grants, new.grants);
        for note in gone.notes {
            if let Some(times) = self.notes.get_mut(&note) {
                *times -= 1;
                if *times == 0 {
                    self.notes.remove(&note);
                }
            }
        }
        for note in new.notes {
            *self.notes.entry(note).or_default() += 1;
        }
        self.outcome.warnings = warnings(&self.notes, self.shared.clone(), self.whole.clone());
        self.facts = facts;
        worked
    }
}

fn count(objects: &Objects<'_>) -> usize {
    objects.memberships.len()
        + objects.assignments.len()
        + objects.bookings.len()
        + objects.passes.len()
        + objects.people.len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// What differs, kind by kind.
struct Diffs<'a> {
    people: Diff<'a, Person>,
    teams: Diff<'a, Team>,
    resources: Diff<'a, crate::domain::facts::Resource>,
    memberships: Diff<'a, crate::domain::facts::Membership>,
    assignments: Diff<'a, crate::domain::facts::Assignment>,
    bookings: Diff<'a, crate::domain::facts::Booking>,
    passes: Diff<'a, crate::domain::facts::Pass>,
}

/// What unchanged objects may hang on and has changed.
#[derive(Default)]
struct Touched<'a> {
    people: HashSet<&'a PersonId>,
    teams: HashSet<&'a str>,
    resources: HashSet<&'a str>,
    /// Those whose passes are other ones: plans that need passes hang on them (R22).
    pass_people: HashSet<&'a PersonId>,
    pass_teams: HashSet<&'a str>,
}

impl<'a> Diffs<'a> {
    fn between(old: &'a Facts, new: &'a Facts) -> Self {
        Self {
            people: Diff::between(&old.people, &new.people),
            teams: Diff::between(&old.teams, &new.teams),
            resources: Diff::between(&old.resources, &new.resources),
            memberships: Diff::between(&old.memberships, &new.memberships),
            assignments: Diff::between(&old.assignments, &new.assignments),
            bookings: Diff::between(&old.bookings, &new.bookings),
            passes: Diff::between(&old.passes, &new.passes),
        }
    }

    /// The look-ups go by place, so another order is enough to need new ones.
    const fn stale(&self) -> Stale {
        Stale {
            people: !self.people.same || !self.teams.same,
            resources: !self.resources.same,
            passes: !self.passes.same,
        }
    }

    /// Whether the mapping may fit better or worse than before.
    const fn changes_the_whole(&self) -> bool {
        !(self.people.is_empty()
            && self.resources.is_empty()
            && self.memberships.is_empty()
            && self.passes.is_empty())
    }

    fn touched(&self, before: &Context<'a>, after: &Context<'a>) -> Touched<'a> {
        let mut touched = Touched::default();
        touched.people.extend(self.people.both().map(|person| &person.id));
        if !self.people.is_empty() {
            // An id may stand twice, once unchanged, in another team.
            let everybody = before.facts.people.iter().chain(&after.facts.people);
            for person in everybody.filter(|person| touched.people.contains(&person.id)) {
                touched.teams.extend(person.all_teams());
            }
        }
        for team in self.teams.both() {
            touched.teams.insert(&team.id);
        }
        let all_teams = before.facts.teams.iter().chain(&after.facts.teams);
        for team in all_teams
            .clone()
            .filter(|team| touched.teams.contains(team.id.as_str()))
        {
            touched.people.extend(&team.payer);
        }
        touched
            .resources
            .extend(self.resources.both().map(|resource| resource.id.as_str()));
        if after.rules().restrict_on_exhaustion && !self.passes.is_empty() {
            for pass in self.passes.both() {
                touched.pass_people.extend(&pass.person);
                if pass.person.is_none() {
                    touched.pass_teams.extend(pass.team.as_deref());
                }
            }
            // A team's pass is everybody's in it, who may be in other teams whose plan they use; and so on to the payer.
            let people = || before.facts.people.iter().chain(&after.facts.people);
            let of_teams =
                |person: &&Person, teams: &HashSet<&str>| person.all_teams().any(|team| teams.contains(team));
            if !touched.pass_teams.is_empty() {
                let members = people().filter(|person| of_teams(person, &touched.pass_teams));
                touched.pass_people.extend(members.map(|person| &person.id));
            }
            for person in people().filter(|person| touched.pass_people.contains(&person.id)) {
                touched.pass_teams.extend(person.all_teams());
            }
            for team in all_teams.filter(|team| touched.pass_teams.contains(team.id.as_str())) {
                touched.pass_people.extend(&team.payer);
            }
        }
        touched
    }

    /// The objects of one side that have changed themselves, or hang on what has. An unchanged object is in both sides or in
    /// neither.
    fn objects(&self, facts: &'a Facts, touched: &Touched<'a>, side: Side) -> Objects<'a> {
        fn pick<'a, T: super::diff::Object>(
            diff: &Diff<'a, T>,
            all: &'a [T],
            side: Side,
            hangs: Option<&dyn Fn(&T) -> bool>,
        ) -> Vec<&'a T> {
            let changed = if side == Side::Before {
                &diff.gone
            } else {
                &diff.new
            };
            let Some(hangs) = hangs else {
                return changed.clone();
            };
            let itself: HashSet<*const T> =
                changed.iter().map(|object| std::ptr::from_ref(*object)).collect();
            let picked = |object: &&T| hangs(object) || itself.contains(&std::ptr::from_ref(*object));
            all.iter().filter(picked).collect()
        }
        let people = !touched.people.is_empty() || !touched.teams.is_empty();
        let passes = !touched.pass_people.is_empty() || !touched.pass_teams.is_empty();
        let resources = !touched.resources.is_empty();
        let is =
            |set: &HashSet<&PersonId>, person: Option<&PersonId>| person.is_some_and(|id| set.contains(id));
        let of = |set: &HashSet<&str>, team: Option<&Text>| team.is_some_and(|id| set.contains(id.as_str()));
        let held = |person: &Option<PersonId>, team: &Option<Text>| {
            is(&touched.people, person.as_ref()) || of(&touched.teams, team.as_ref())
        };
        let membership = |it: &crate::domain::facts::Membership| {
            let by_pass =
                is(&touched.pass_people, it.person.as_ref()) || of(&touched.pass_teams, it.team.as_ref());
            held(&it.person, &it.team) || (it.pass_based && by_pass)
        };
        let assignment = |it: &crate::domain::facts::Assignment| {
            held(&it.person, &it.team) || touched.resources.contains(it.resource.as_str())
        };
        let booking = |it: &crate::domain::facts::Booking| {
            is(&touched.people, it.person.as_ref())
                || it.invitees.iter().any(|id| touched.people.contains(id))
                || touched.resources.contains(it.resource.as_str())
        };
        let pass = |it: &crate::domain::facts::Pass| held(&it.person, &it.team);
        // An id may stand twice: whether either is switched on for doors is asked of the id (R31).
        let person = |it: &Person| touched.people.contains(&it.id);
        Objects {
            memberships: pick(
                &self.memberships,
                &facts.memberships,
                side,
                (people || passes).then_some(&membership),
            ),
            assignments: pick(
                &self.assignments,
                &facts.assignments,
                side,
                (people || resources).then_some(&assignment),
            ),
            bookings: pick(
                &self.bookings,
                &facts.bookings,
                side,
                (people || resources).then_some(&booking),
            ),
            passes: pick(&self.passes, &facts.passes, side, people.then_some(&pass)),
            people: pick(&self.people, &facts.people, side, people.then_some(&person)),
        }
    }
}
