//! `doorward people --why`: one person with every right, the rules behind them, and what comes nearest.

use super::{Cards, Words};
use crate::{
    cli::{
        failure::{Failure, status},
        in_force::InForce,
        moment,
        out::{Cell, Out, Tone, plain},
        rule_words,
    },
    desk::fold,
    domain::{
        Grant, PersonId,
        facts::{DoorAccess, Person, Standing},
        time::Millis,
    },
    rules::{self, RuleWarning, State},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// More people of a name than this are counted.
const MOST: usize = 20;

/// A right that is over.
#[derive(Serialize)]
struct Over<'a> {
    kind: crate::domain::GrantKind,
    source: &'a crate::domain::Source,
    target: &'a crate::domain::grant::Target,
    window: crate::domain::Window,
    rule: u8,
}

pub(super) fn show(out: &mut Out, words: &Words<'_>, in_force: &InForce, name: &str) -> Result<u8, Failure> {
    let found = named(&in_force.facts.people, name);
    let id = match found.as_slice() {
        [person] => person.id.clone(),
        // A card of the gateway itself may belong to somebody whom the platform does not name.
        [] => in_force
            .outcome
            .people
            .iter()
            .find(|holder| holder.id.as_str() == name)
            .map(|holder| holder.id.clone())
            .ok_or_else(|| nobody(name))?,
        several => return Err(which(name, several)),
    };
    let story = Story::of(words, in_force, &id);
    if out.is_json() {
        out.json(&story.document(words))?;
        return Ok(status::OK);
    }
    story.tell(out, words)?;
    Ok(status::OK)
}

/// By id or e-mail, else by the whole name, else by a part of it; names without regard to accents.
fn named<'a>(people: &'a [Person], text: &str) -> Vec<&'a Person> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let typed = fold(text);
    if typed.is_empty() {
        return Vec::new();
    }
    let mail = |person: &Person| {
        person
            .email
            .as_ref()
            .is_some_and(|mail| mail.to_lowercase() == lower)
    };
    let exact = people.iter().filter(|it| it.id.as_str() == text || mail(it));
    let whole = people.iter().filter(|it| fold(&it.name) == typed);
    let part = people.iter().filter(|it| fold(&it.name).contains(&typed));
    [exact.collect::<Vec<_>>(), whole.collect(), part.collect()]
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn nobody(name: &str) -> Failure {
    let message = format!("nobody is called `{}`", name.escape_debug());
    let hint =
        "write a part of the name, the e-mail address or the platform's id; `doorward people` lists all";
    Failure::new(status::FAILED, message, hint)
}

fn which(name: &str, people: &[&Person]) -> Failure {
    let more = people.len().saturating_sub(MOST);
    let shown = people.iter().take(MOST).map(|person| {
        let mail = person.email.as_deref().unwrap_or("no e-mail");
        format!(
            "  {}  {}  {}",
            plain(person.id.as_str()),
            plain(&person.name),
            plain(mail)
        )
    });
    let mut shown: Vec<String> = shown.collect();
    if more > 0 {
        shown.push(format!("  and {more} more"));
    }
    let message = format!("{} people match `{}`", people.len(), name.escape_debug());
    Failure::new(status::FAILED, message, "name one by id or e-mail").with_details(shown.join("\n"))
}

/// Everything about one person.
struct Story<'a> {
    person: Option<&'a Person>,
    access: rules::PersonAccess,
    over: Vec<&'a Grant>,
    cards: Vec<String>,
    /// Why none of the cards opens anything, if they are all somebody else's as well.
    useless: Option<String>,
    warnings: Vec<String>,
}

impl<'a> Story<'a> {
    fn of(words: &Words<'_>, in_force: &'a InForce, id: &PersonId) -> Self {
        let outcome = &in_force.outcome;
        let person = in_force.facts.people.iter().find(|person| person.id == *id);
        let everybody = rules::effective(outcome, words.site(), words.at);
        let nothing = || rules::PersonAccess {
            person: id.clone(),
            name: String::new(),
            blocked: None,
            access: Vec::new(),
        };
        let is_over =
            |grant: &&Grant| grant.person == *id && grant.window.until.is_some_and(|until| until <= words.at);
        let mut over: Vec<&Grant> = outcome.grants.iter().filter(is_over).collect();
        over.sort_by_key(|grant| std::cmp::Reverse(grant.window.until));
        let cards = outcome.credentials.iter().filter(|(_, holder)| holder == id);
        let all = Cards::of(outcome);
        Self {
            useless: all
                .are_useless(id)
                .then(|| format!("shared card: {}", all.why_shared(id))),
            person,
            access: everybody
                .into_iter()
                .find(|access| access.person == *id)
                .unwrap_or_else(nothing),
            over,
            cards: cards.map(|(card, _)| card.masked()).collect(),
            warnings: concerning(in_force, id, person),
        }
    }

    /// What comes nearest to an opening, if nothing is open.
    fn nearest(&self, words: &Words<'_>) -> Option<String> {
        if let Some(note) = &self.access.blocked {
            return Some(format!(
                "blocked, so nothing opens: {} ({})",
                plain(note),
                rule_words::cited(5)
            ));
        }
        if let Some(why) = &self.useless {
            return Some(plain(why).into_owned());
        }
        if self.access.opens_something() {
            return None;
        }
        let soon = |it: &&rules::Access| match it.state {
            State::Open => (0, it.window.from),
            State::OutsideHours => (1, None),
            State::NotYet => (2, it.window.from),
            State::Void(_) => (3, None),
        };
        if let Some(next) = self.access.access.iter().min_by_key(soon) {
            let what = words.because(next.kind, &next.source, next.rule);
            return Some(format!("{}: {what}{}", words.state(next.state), words.from(next)));
        }
        let last = self.over.first()?;
        let what = words.because(last.kind, &last.source, last.rule);
        let until = last
            .window
            .until
            .map(|until| words.time(until))
            .unwrap_or_default();
        Some(format!("over: {what}, ended {until}"))
    }

    fn rules(&self) -> BTreeSet<u8> {
        let now = self.access.access.iter().map(|access| access.rule);
        now.chain(self.over.iter().map(|grant| grant.rule)).collect()
    }

    fn document(&self, words: &Words<'_>) -> serde_json::Value {
        let over: Vec<Over<'_>> = self
            .over
            .iter()
            .map(|grant| Over {
                kind: grant.kind,
                source: &grant.source,
                target: &grant.target,
                window: grant.window,
                rule: grant.rule,
            })
            .collect();
        let rules = self
            .rules()
            .into_iter()
            .map(|rule| (format!("R{rule}"), rule_words::words(rule)));
        let rules: std::collections::BTreeMap<_, _> = rules.collect();
        serde_json::json!({
            "at": moment::rfc3339(words.at), "zone": words.zone(), "person": self.access,
            "email": self.person.and_then(|person| person.email.as_deref()),
            "team": self.person.and_then(|person| person.team.as_deref()),
            "cards": self.cards, "over": over, "nearest": self.nearest(words), "warnings": self.warnings,
            "rules": rules,
        })
    }

    fn tell(&self, out: &mut Out, words: &Words<'_>) -> Result<(), Failure> {
        let name = out.paint(Tone::Strong, &plain(&self.access.name));
        out.line(&format!("{name} ({})", plain(self.access.person.as_str())))?;
        if let Some(person) = self.person {
            for line in about(person) {
                out.line(&format!("  {line}"))?;
            }
        }
        let cards = match self.cards.as_slice() {
            [] => "no card: nothing can be presented at a reader".to_owned(),
            cards => format!("cards {}", cards.join(", ")),
        };
        out.line(&format!("  {cards}"))?;
        match self.nearest(words) {
            None => {
                let verdict = out.paint(Tone::Good, "may open something");
                out.line(&format!("  {verdict}"))?;
            }
            Some(nearest) => {
                let verdict = out.paint(Tone::Bad, "opens nothing");
                out.line(&format!("  {verdict}; nearest: {nearest}"))?;
            }
        }
        self.rights(out, words)?;
        for warning in &self.warnings {
            let line = out.paint(Tone::Watch, &plain(warning));
            out.line(&line)?;
        }
        for rule in self.rules() {
            let line = out.paint(Tone::Faint, &rule_words::cited(rule));
            out.line(&line)?;
        }
        Ok(())
    }

    fn rights(&self, out: &mut Out, words: &Words<'_>) -> Result<(), Failure> {
        out.line("")?;
        if self.access.access.is_empty() && self.over.is_empty() {
            return out.line("no rights at all, and none that are over");
        }
        let mut rows = Vec::new();
        for access in &self.access.access {
            let tone = match access.state {
                State::Open => Tone::Good,
                State::OutsideHours | State::NotYet => Tone::Watch,
                State::Void(_) => Tone::Bad,
            };
            rows.push(vec![
                Cell(words.state(access.state).into(), tone),
                words.target(&access.target).into(),
                words.doors(&access.target).into(),
                from(words, access.window.from).into(),
                words.until(access).into(),
                words.because(access.kind, &access.source, access.rule).into(),
            ]);
        }
        for grant in &self.over {
            rows.push(vec![
                Cell("over".into(), Tone::Faint),
                words.target(&grant.target).into(),
                words.doors(&grant.target).into(),
                from(words, grant.window.from).into(),
                grant
                    .window
                    .until
                    .map(|until| words.time(until))
                    .unwrap_or_default()
                    .into(),
                words.because(grant.kind, &grant.source, grant.rule).into(),
            ]);
        }
        out.table(&["right", "opens", "doors", "from", "until", "because"], rows)?;
        out.line("")
    }
}

fn from(words: &Words<'_>, from: Option<Millis>) -> String {
    from.map_or_else(|| "ever".into(), |from| words.time(from))
}

/// What the platform says of a person, besides rights.
fn about(person: &Person) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(person.email.as_ref().map(|mail| plain(mail).into_owned()));
    let teams: Vec<&str> = person.all_teams().collect();
    if !teams.is_empty() {
        lines.push(format!("team {}", plain(&teams.join(", "))));
    }
    match person.standing {
        Standing::Member => {}
        Standing::Network => lines.push("a member of another location of the network".into()),
        Standing::External => lines.push("no member: a guest from outside".into()),
    }
    match person.door_access {
        DoorAccess::Auto => {}
        DoorAccess::On => lines.push(format!(
            "doors are switched on for this person ({})",
            rule_words::cited(31)
        )),
        DoorAccess::Off => lines.push(format!(
            "doors are switched off for this person ({})",
            rule_words::cited(31)
        )),
    }
    lines
}

/// The warnings of the rules that concern a person: a plan of theirs that is not mapped, a card that two have.
fn concerning(in_force: &InForce, id: &PersonId, person: Option<&Person>) -> Vec<String> {
    let teams: Vec<&str> = person
        .map(|person| person.all_teams().collect())
        .unwrap_or_default();
    let theirs = |holder: Option<&PersonId>, team: Option<&str>| match holder {
        Some(holder) => holder == id,
        None => team.is_some_and(|team| teams.contains(&team)),
    };
    let facts = &in_force.facts;
    let concerns = |warning: &&RuleWarning| match warning {
        RuleWarning::UnmappedPlan { plan, .. } => facts
            .memberships
            .iter()
            .any(|it| it.plan == *plan && theirs(it.person.as_ref(), it.team.as_deref())),
        RuleWarning::UnmappedPass { kind, .. } => facts
            .passes
            .iter()
            .any(|it| it.kind == *kind && theirs(it.person.as_ref(), it.team.as_deref())),
        RuleWarning::SharedCard { people, .. } => people.contains(id),
        RuleWarning::CancelledWithoutDate { id: membership } => facts
            .memberships
            .iter()
            .any(|it| it.id == *membership && theirs(it.person.as_ref(), it.team.as_deref())),
        _ => false,
    };
    let found = in_force.outcome.warnings.iter().filter(concerns);
    found.map(ToString::to_string).collect()
}
