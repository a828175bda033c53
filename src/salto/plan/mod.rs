//! What has to change at KS so that what stands there is what is wanted. Pure: the same arguments, the same plan; once it is
//! carried out, the next plan is empty.
//!
//! | file | what |
//! | --- | --- |
//! | `step` | one change, and its place in the order |
//! | `people` | users: adopted, made, named, put to rest, woken; tags |
//! | `groups` | access groups: schedules, locks, members |
//! | `sum` | the name of a plan |
//! | `weigh` | whether a plan takes so much away that a person should look at it first |

mod groups;
mod people;
mod step;
pub mod sum;
mod weigh;

pub use step::{Act, Stage, Step, StepDoc};

use super::{
    actual::{Actual, Managed},
    links::Links,
    wanted::Wanted,
};
use crate::domain::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Why somebody goes whom the gateway does not know.
pub(in crate::salto) const BY_HAND: &str = "was added at SALTO KS by hand; the group is the gateway's alone";

/// What does not depend on people or time.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which groups are managed.
    pub managed: Managed,
    /// Aliases, e-mail addresses and ids of those who stay whatever the facts say.
    pub pinned: BTreeSet<String>,
    /// Put to rest who has no use of a door (R32).
    pub deactivate: bool,
    /// A plan that takes more than this share away waits.
    pub hold_share: f64,
}

/// Something that is wanted and not planned, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What is wrong, as a short word: `no-seat`, `ambiguous`, `by-hand`, `tag-elsewhere`, `group-twice`, `under-way`.
    pub kind: String,
    /// Whom or what it is about.
    pub who: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// What would be done, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Changes in the order of their stages.
    pub steps: Vec<Step>,
    /// What is wanted and not planned.
    pub waits: Vec<Waiting>,
    /// Why the plan waits for a person, if it does.
    pub held: Option<String>,
}

impl Plan {
    /// Its name: the same changes, the same name.
    #[must_use]
    pub fn id(&self) -> String {
        sum::id(&self.steps)
    }

    /// What goes ahead even while the rest waits: blocks take away and never give (R5).
    #[must_use]
    pub fn urgent(&self) -> Vec<Step> {
        let urgent = self.steps.iter().filter(|step| step.stage <= Stage::Block);
        urgent.cloned().collect()
    }
}

impl Step {
    /// The group and the user, if this takes out somebody whom hands put into a group of the gateway.
    #[must_use]
    pub fn put_in_by_hand(&self) -> Option<(&str, &str)> {
        match &self.act {
            Act::RemoveMember { id, user, .. } if self.why.text == BY_HAND => Some((id, user)),
            _ => None,
        }
    }
}

/// Works it out.
#[must_use]
pub fn plan(wanted: &Wanted, actual: &Actual, links: &Links, policy: &Policy) -> Plan {
    let mut draft = Draft {
        wanted,
        actual,
        links,
        policy,
        users: BTreeMap::new(),
        coming: BTreeSet::new(),
        owners: HashMap::new(),
        steps: Vec::new(),
        waits: Vec::new(),
    };
    draft.people();
    let lost = draft.groups();
    draft.steps.sort_by(|a, b| {
        let key = |step: &Step| (step.stage, step.act.group().to_owned(), step.who.clone());
        key(a).cmp(&key(b))
    });
    let held = weigh::held(&draft, lost);
    Plan {
        steps: draft.steps,
        waits: draft.waits,
        held,
    }
}

/// A plan in the making.
struct Draft<'a> {
    wanted: &'a Wanted,
    actual: &'a Actual,
    links: &'a Links,
    policy: &'a Policy,
    /// Site users of people, adopted ones among them.
    users: BTreeMap<&'a PersonId, &'a str>,
    /// People who get a user by this plan.
    coming: BTreeSet<&'a PersonId>,
    /// People by the id at KS.
    owners: HashMap<&'a str, &'a PersonId>,
    steps: Vec<Step>,
    waits: Vec<Waiting>,
}

impl Draft<'_> {
    /// Whether a user stays whatever the facts say.
    fn is_pinned(&self, site_user: &str) -> bool {
        let pinned = |text: &str| {
            let mut pins = self.policy.pinned.iter();
            pins.any(|pin| pin.trim().eq_ignore_ascii_case(text.trim()))
        };
        let user = self.actual.users.get(site_user);
        pinned(site_user)
            || user.is_some_and(|user| {
                pinned(&user.user) || pinned(&user.alias) || user.email.as_deref().is_some_and(pinned)
            })
    }

    fn wait(&mut self, kind: &str, who: &str, text: String) {
        self.waits.push(Waiting {
            kind: kind.into(),
            who: who.into(),
            text,
        });
    }
}

#[cfg(test)]
mod tests;
