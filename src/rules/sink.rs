//! Where rules put what they make of one object: grants, and notes that become warnings.

use super::{RuleWarning, context::Context};
use crate::domain::{Grant, GrantKind, GroupId, PersonId, Reason, Source, Window, grant::Target};
use std::collections::BTreeMap;

/// What all grants of one platform object share.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) kind: GrantKind,
    pub(super) id: &'a str,
    pub(super) label: &'a str,
}

/// Something to look at, said of one object. Those that are alike become one warning with a count or a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    UnmappedPlan(String),
    UnmappedPass(String),
    UnmappedGroup(String),
    UnmappedAssignment(String),
    PassHours(String),
    NoJoinDate,
    CancelledKeeps(String),
    Warning(RuleWarning),
}

/// What comes out.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) grants: Vec<Grant>,
    pub(super) notes: Vec<Note>,
}

impl Sink {
    pub(super) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    pub(super) fn warn(&mut self, warning: RuleWarning) {
        self.notes.push(Note::Warning(warning));
    }

    /// A right of a person to groups, void where the person is not switched on for doors (R31). Groups that the site does not have are left out: `super::grants` says so once.
    #[expect(clippy::too_many_arguments, reason = "a grant has as many parts")]
    pub(super) fn grant(
        &mut self,
        context: &Context<'_>,
        person: &PersonId,
        groups: &[GroupId],
        window: Window,
        origin: Origin<'_>,
        rule: u8,
        void: Option<Reason>,
    ) {
        if window.is_empty() {
            return; // nothing is left of it: an end before the start of what it was cut with
        }
        let (rule, void) = if context.look.crowd.is_connected(person) {
            (rule, void)
        } else {
            (31, Some(Reason::NotConnected))
        };
        let known = groups
            .iter()
            .filter(|group| context.book.groups.contains_key(*group));
        self.grants.extend(known.map(|group| Grant {
            person: person.clone(),
            target: Target::Group(group.clone()),
            window,
            kind: origin.kind,
            source: Source {
                id: origin.id.into(),
                label: origin.label.into(),
            },
            rule,
            void,
        }));
    }

    /// Says that a right is over before it begins, and whether it is.
    pub(super) fn is_empty(&mut self, kind: &'static str, id: &str, window: Window) -> bool {
        if window.is_empty() {
            let id = id.to_owned();
            self.warn(RuleWarning::EmptyWindow { kind, id });
        }
        window.is_empty()
    }
}

/// The warnings that counted notes make, unsorted.
pub(super) fn warnings(notes: &BTreeMap<Note, usize>) -> Vec<RuleWarning> {
    let mut found = Vec::new();
    let mut cancelled = Vec::new();
    for (note, count) in notes {
        let (count, note) = (*count, note.clone());
        found.push(match note {
            Note::UnmappedPlan(plan) => RuleWarning::UnmappedPlan {
                plan,
                memberships: count,
            },
            Note::UnmappedPass(kind) => RuleWarning::UnmappedPass { kind, passes: count },
            Note::UnmappedGroup(group) => RuleWarning::UnmappedGroup { group, people: count },
            Note::UnmappedAssignment(resource) => RuleWarning::UnmappedAssignment {
                resource,
                assignments: count,
            },
            Note::PassHours(kind) => RuleWarning::PassHours { kind, passes: count },
            Note::NoJoinDate => RuleWarning::NoJoinDate { people: count },
            Note::CancelledKeeps(name) => {
                cancelled.push(name);
                continue;
            }
            Note::Warning(warning) => warning,
        });
    }
    if !cancelled.is_empty() {
        found.push(RuleWarning::CancelledKeeps { people: cancelled });
    }
    found
}
