//! Whether a plan takes so much away that somebody should look at it first: a mapping that was emptied by mistake, a platform
//! that forgot its members.

use super::{Act, Draft};
use std::collections::BTreeSet;

/// Fewer than this is everyday life at a small site and never waits.
const HOLD_AT_LEAST: usize = 2;

/// Memberships of managed groups, and how many of them go without another one in their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    all: usize,
    gone: usize,
}

impl Lost {
    pub(super) fn counted<'a>(&mut self, members: impl Iterator<Item = &'a str>) {
        self.all += members.count();
    }

    pub(super) const fn one(&mut self, _: &str) {
        self.gone += 1;
    }
}

/// Why the plan waits, if it does. A window that is over and a person who moves are not lost.
pub(super) fn held(draft: &Draft<'_>, lost: Lost) -> Option<String> {
    let share = draft.policy.hold_share;
    let rests: BTreeSet<_> = draft
        .steps
        .iter()
        .filter(|step| matches!(step.act, Act::Suspend { .. } | Act::Block { .. }))
        .filter_map(|step| step.act.person())
        .collect();
    let awake = draft
        .users
        .values()
        .filter_map(|id| draft.actual.users.get(*id))
        .filter(|user| !user.suspended && !user.blocked)
        .count();
    let parts = [
        (rests.len(), awake, "people would be put to rest"),
        (
            lost.gone,
            lost.all,
            "memberships of access groups would be taken away",
        ),
    ];
    let too_many = |part: &&(usize, usize, &str)| {
        let (gone, all, _) = **part;
        #[expect(clippy::cast_precision_loss, reason = "counts of people")]
        let (gone_share, all_share) = (gone as f64, all as f64 * share);
        gone >= HOLD_AT_LEAST && gone_share > all_share
    };
    parts.iter().find(too_many).map(|(gone, all, what)| {
        format!(
            "{gone} of {all} {what}, more than [ks] hold_share allows: look at `doorward ks plan`, then `doorward ks apply` \
             if it is meant"
        )
    })
}
