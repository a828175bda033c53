//! A plan is accepted: the one that was shown, by its name. What has become another plan since is refused, with what is
//! different in words.

use super::{Compared, Order, Progress, Reconciler};
use crate::salto::{
    links::KS,
    plan::{Act, Plan, Step, sum},
};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::oneshot;

/// So many plans that were shown are remembered: two people may look at once.
const SHOWN: usize = 2;
/// So many changes of one are remembered in words; the others are counted.
const IN_WORDS: usize = 2_000;
/// So many differences are named.
const NAMED: usize = 5;
/// Of a name that is no plan's, in a message.
const LONGEST_NAME: usize = 16;

/// What is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The name of the plan that was shown.
    #[serde(default)]
    pub plan: Option<String>,
    /// Whatever the plan is by now. One that takes so much away that it waits needs its own name all the same.
    #[serde(default)]
    pub fresh: bool,
}

/// Why something was not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// What happened.
    pub message: String,
    /// What to do next; may be empty.
    pub hint: String,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self {
            message,
            hint: String::new(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Plans that were shown, the latest last.
#[derive(Debug, Default)]
pub(super) struct ShownPlans(VecDeque<ShownPlan>);

#[derive(Debug)]
struct ShownPlan {
    id: String,
    /// Changes by their sums.
    changes: BTreeMap<u64, Option<String>>,
}

impl ShownPlans {
    /// Remembers a plan that is shown to somebody.
    pub(super) fn keep(&mut self, id: &str, steps: &[Step], lock: &dyn Fn(&str) -> String) {
        self.0.retain(|shown| shown.id != id);
        while self.0.len() >= SHOWN {
            self.0.pop_front();
        }
        let change = |(at, step): (usize, &Step)| {
            let text = (at < IN_WORDS).then(|| in_words(step, lock));
            (sum::of_step(step), text)
        };
        self.0.push_back(ShownPlan {
            id: id.to_owned(),
            changes: steps.iter().enumerate().map(change).collect(),
        });
    }

    /// What is new in a plan and what is gone from it since the one of this name was shown; `None` if it is not known.
    fn difference(&self, id: &str, steps: &[Step], lock: &dyn Fn(&str) -> String) -> Option<String> {
        let shown = self.0.iter().find(|shown| shown.id == id)?;
        let now: BTreeMap<u64, &Step> = steps.iter().map(|step| (sum::of_step(step), step)).collect();
        let new = steps
            .iter()
            .filter(|step| !shown.changes.contains_key(&sum::of_step(step)))
            .map(|step| Some(in_words(step, lock)));
        let gone = shown.changes.iter().filter(|(sum, _)| !now.contains_key(sum));
        let parts = [
            listed("new in it", new.collect()),
            listed("no longer in it", gone.map(|(_, text)| text.clone()).collect()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        Some(parts.join("; "))
    }
}

/// "new in it: add member Ana (Doorward members), … and 3 more".
fn listed(what: &str, all: Vec<Option<String>>) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let count = all.len();
    let named: Vec<String> = all.into_iter().flatten().take(NAMED).collect();
    Some(match (count - named.len(), named.is_empty()) {
        (0, _) => format!("{what}: {}", named.join(", ")),
        (more, true) => format!("{what}: {more} changes"),
        (more, false) => format!("{what}: {} and {more} more", named.join(", ")),
    })
}

/// "add member Ana (Doorward members)".
fn in_words(step: &Step, lock: &dyn Fn(&str) -> String) -> String {
    let doc = step.doc(lock);
    let mut text = doc.act.replace('-', " ");
    let alias = match &step.act {
        // What a user is called is the person already.
        Act::CreateUser { .. } => String::new(),
        _ => doc.what,
    };
    for word in [doc.who, alias].iter().filter(|word| !word.is_empty()) {
        text.push(' ');
        text.push_str(word);
    }
    if !doc.group.is_empty() {
        text.push_str(&format!(" ({})", doc.group));
    }
    text
}

/// "3 changes".
fn changes(count: usize) -> String {
    match count {
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}

impl ShownPlans {
    /// Whether the plan may be carried out for somebody who asks so.
    fn check(
        &self,
        asked: &Asked,
        plan: &Plan,
        accepted: bool,
        lock: &dyn Fn(&str) -> String,
    ) -> Result<(), Refusal> {
        let id = plan.id();
        let named = asked.plan.as_deref().map(str::trim);
        // What was shown was made meanwhile, by the gateway itself.
        let done = accepted && plan.steps.is_empty();
        if done || named.is_some_and(|named| named.eq_ignore_ascii_case(&id)) {
            return Ok(());
        }
        let count = changes(plan.steps.len());
        let hint = format!("look at `doorward ks plan`, then `doorward ks apply {id}`");
        match (asked.fresh, named, &plan.held) {
            (true, _, None) => Ok(()),
            (true, _, Some(held)) => Err(Refusal {
                message: format!("the plan by now takes too much away to be applied unseen: {held}"),
                hint,
            }),
            (false, None, _) => Err(Refusal {
                message: format!("which plan is meant was not said; the one by now is {id}, with {count}"),
                hint,
            }),
            (false, Some(named), _) => {
                let named: String = named.chars().take(LONGEST_NAME).collect();
                let named = named.escape_debug();
                let message = match self.difference(
                    &named.to_string().to_ascii_lowercase(),
                    &plan.steps,
                    lock,
                ) {
                    Some(difference) => format!(
                        "nothing was changed: the plan is no longer {named}, it is {id} now, with {count}; {difference}"
                    ),
                    None => format!(
                        "nothing was changed: this gateway has shown no plan {named} since it began or its configuration \
                         changed; the plan is {id} now, with {count}"
                    ),
                };
                Err(Refusal { message, hint })
            }
        }
    }
}

impl Reconciler {
    /// Carries a plan out for somebody, from then on by itself as well.
    pub(super) async fn accept(
        &mut self,
        asked: &Asked,
        compared: Result<Compared, Refusal>,
        reply: oneshot::Sender<Result<usize, Refusal>>,
    ) {
        let accepted = match compared {
            Ok(_) if !self.clock.now().trusted => Err(Refusal::from(
                "the time is not known for certain: what begins and ends now cannot be told".to_owned(),
            )),
            Ok(compared) => {
                let checked = self
                    .plans
                    .check(asked, &compared.plan, self.doc.accepted, &self.lock_names());
                match checked {
                    Ok(()) => self
                        .write_accepted()
                        .await
                        .map(|()| compared)
                        .map_err(Refusal::from),
                    Err(refusal) => Err(refusal),
                }
            }
            Err(error) => Err(error),
        };
        match accepted {
            Ok(mut compared) => {
                self.doc.accepted = true;
                let steps = std::mem::take(&mut compared.plan.steps);
                self.show(|progress| {
                    *progress = Progress {
                        running: true,
                        of: steps.len(),
                        ..Progress::default()
                    };
                });
                let _ = reply.send(Ok(steps.len()));
                compared.plan.held = None;
                self.tell(&compared.plan);
                self.carry_out(steps, compared, false).await;
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    async fn write_accepted(&self) -> Result<(), String> {
        let (store, at) = (self.store.clone(), self.clock.now().at);
        let body = serde_json::json!({ "at": at }).to_string();
        let written = tokio::task::spawn_blocking(move || {
            store.put_documents(KS, &[("accepted", Some(body.as_str()))])
        });
        let written = written.await.map_err(|error| error.to_string())?;
        written.map_err(|error| error.to_string())
    }

    /// Does what a person asks for.
    pub async fn obey(&mut self, order: Order) {
        let compared = self.compare_for_a_person().await;
        match order {
            Order::Plan(reply) => {
                let doc = compared.map(|compared| {
                    self.tell(&compared.plan);
                    let doc = self.plan_doc(&compared);
                    let lock = self.lock_names();
                    self.plans.keep(&doc.id, &compared.plan.steps, &lock);
                    doc
                });
                let _ = reply.send(doc);
            }
            Order::Apply(asked, reply) => self.accept(&asked, compared, reply).await,
        }
        self.publish();
    }

    /// The door of a lock, or the lock's own id.
    pub(super) fn lock_names(&self) -> impl Fn(&str) -> String + Send + Sync + 'static {
        let doors = self.known.doors.clone();
        move |id| doors.door(id).map_or_else(|| id.to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salto::{plan::Stage, wanted::Why};

    fn plan(people: &[&str]) -> Plan {
        let join = |person: &&str| Step {
            stage: Stage::Join,
            act: Act::AddMember {
                group: "Members".into(),
                person: (*person).into(),
            },
            who: person.to_uppercase(),
            why: Why::default(),
        };
        Plan {
            steps: people.iter().map(join).collect(),
            ..Plan::default()
        }
    }

    fn lock(id: &str) -> String {
        id.to_owned()
    }

    fn named(plan: &str) -> Asked {
        Asked {
            plan: Some(plan.to_owned()),
            fresh: false,
        }
    }

    const FRESH: Asked = Asked {
        plan: None,
        fresh: true,
    };

    #[test]
    fn a_plan_is_carried_out_by_its_name_and_another_one_says_what_is_different() {
        let mut shown = ShownPlans::default();
        let before = plan(&["ana", "ben"]);
        shown.keep(&before.id(), &before.steps, &lock);
        let check = |asked: &Asked, plan: &Plan| shown.check(asked, plan, false, &lock);
        check(&named(&before.id().to_uppercase()), &before).unwrap();
        let now = plan(&["ben", "cho"]);
        let refusal = check(&named(&before.id()), &now).unwrap_err();
        for part in [
            "new in it: add member CHO (Members)",
            "no longer in it: add member ANA (Members)",
            "it is ",
            "2 changes",
        ] {
            assert!(refusal.message.contains(part), "{refusal}");
        }
        assert!(
            refusal.hint.contains(&format!("apply {}", now.id())),
            "{refusal:?}"
        );
        let unknown = check(&named("0badcafe"), &now).unwrap_err();
        assert!(unknown.message.contains("shown no plan 0badcafe"), "{unknown}");
        let unsaid = check(&Asked::default(), &now).unwrap_err();
        assert!(unsaid.message.contains(&now.id()), "{unsaid}");
    }

    #[test]
    fn fresh_takes_any_plan_but_one_that_waits_for_a_person() {
        let shown = ShownPlans::default();
        let mut now = plan(&["ana"]);
        shown.check(&FRESH, &now, true, &lock).unwrap();
        now.held = Some("5 of 10 memberships".into());
        let refusal = shown.check(&FRESH, &now, true, &lock).unwrap_err();
        assert!(refusal.message.contains("5 of 10 memberships"), "{refusal}");
        shown.check(&named(&now.id()), &now, true, &lock).unwrap();
    }

    #[test]
    fn what_the_gateway_made_meanwhile_is_done_and_a_first_plan_is_never_taken_for_done() {
        let shown = ShownPlans::default();
        shown.check(&named("0badcafe"), &plan(&[]), true, &lock).unwrap();
        assert!(shown.check(&named("0badcafe"), &plan(&[]), false, &lock).is_err());
    }

    #[test]
    fn a_long_difference_is_counted() {
        let mut shown = ShownPlans::default();
        let names: Vec<String> = (0..9).map(|number| format!("p{number}")).collect();
        let all = plan(&names.iter().map(String::as_str).collect::<Vec<_>>());
        shown.keep("a", &[], &lock);
        shown.keep("b", &all.steps, &lock);
        shown.keep("b", &all.steps, &lock);
        let said = shown.difference("a", &all.steps, &lock).unwrap();
        assert!(said.ends_with("and 4 more"), "{said}");
        shown.keep("c", &[], &lock);
        assert!(shown.difference("a", &[], &lock).is_none(), "two are remembered");
    }
}
