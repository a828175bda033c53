//! How wanted and actual stand to each other, for `doorward ks status`, the health and whoever asks.

use crate::salto::{
    actual::Actual,
    apply::Applied,
    plan::{Plan, StepDoc, Waiting},
    wanted::Wanted,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As many of one kind are named; the rest are counted.
const MOST_NAMED: usize = 50;

/// A plan in words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanDoc {
    /// Its name: a sum over its changes, by which `ks apply` is told that this plan is meant.
    #[serde(default)]
    pub id: String,
    /// Changes in the order in which they would be made.
    pub steps: Vec<StepDoc>,
    /// What is wanted and not planned, and why.
    pub waits: Vec<Waiting>,
    /// Why the plan waits for a person, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Whether somebody has accepted a first plan: from then on the gateway applies by itself.
    pub accepted: bool,
    /// What KS cannot be told as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// People, groups and memberships on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Active people; users that hold a seat.
    pub people: usize,
    /// Managed access groups.
    pub groups: usize,
    /// Members of all of them.
    pub members: usize,
}

impl Counts {
    /// Of what is wanted.
    #[must_use]
    pub fn wanted(wanted: &Wanted) -> Self {
        Self {
            people: wanted.people.values().filter(|person| person.active).count(),
            groups: wanted.groups.len(),
            members: wanted.groups.values().map(|group| group.members.len()).sum(),
        }
    }

    /// Of what is there.
    #[must_use]
    pub fn there(actual: &Actual) -> Self {
        Self {
            people: actual.users.values().filter(|user| !user.suspended).count(),
            groups: actual.groups.len(),
            members: actual.groups.values().map(|group| group.members.len()).sum(),
        }
    }
}

/// The section `ks` of the health.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KsDoc {
    /// Whether somebody has accepted a first plan.
    pub accepted: bool,
    /// What should be there.
    pub wanted: Counts,
    /// What is there.
    pub there: Counts,
    /// Seats, if KS says: all of them and those that are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<(u32, u32)>,
    /// Changes that stand out, by kind. Empty: in step.
    pub drift: BTreeMap<String, usize>,
    /// Why they wait, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// What is wanted and not planned, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Waiting>,
    /// What KS cannot be told as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// When they were compared last, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<i64>,
    /// Requests that the last comparison cost.
    pub requests: u64,
    /// What came of the last plan that was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// Why they could not be compared the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl KsDoc {
    /// What a plan leaves to do.
    pub fn take(&mut self, plan: &Plan) {
        self.drift.clear();
        for step in &plan.steps {
            *self.drift.entry(step.act.name().to_owned()).or_default() += 1;
        }
        self.held.clone_from(&plan.held);
        self.waits = plan.waits.iter().take(MOST_NAMED).cloned().collect();
    }
}

/// How far a plan is carried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Whether one is.
    pub running: bool,
    /// Steps that are done, or refused.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
    /// What came of it, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// Why it could not begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
