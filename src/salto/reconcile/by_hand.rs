//! People whom hands put into a group of the gateway are shown before they are taken out: as a fault for one comparison, so
//! that somebody may pin them or give them what they need.

use super::Reconciler;
use crate::salto::plan::{Act, Step};
use std::collections::BTreeSet;

/// Groups with the users whom hands put in, as the last comparison saw them.
pub(super) type Shown = BTreeSet<(String, String)>;

/// So many are named.
const NAMED: usize = 5;

/// Takes the steps out of `steps` that were not shown before, and remembers what is shown now. A group that changes
/// otherwise does not wait: nobody is to find a lock or an hour more in it.
pub(super) fn wait(steps: &mut Vec<Step>, shown: &mut Shown) -> Vec<Step> {
    let changing: BTreeSet<String> = steps
        .iter()
        .filter(|step| step.put_in_by_hand().is_none() && !matches!(step.act, Act::AddMember { .. }))
        .map(|step| step.act.group().to_owned())
        .collect();
    let owned = |(group, user): (&str, &str)| (group.to_owned(), user.to_owned());
    let now: Shown = steps.iter().filter_map(Step::put_in_by_hand).map(owned).collect();
    let before = std::mem::replace(shown, now);
    let is_new = |step: &mut Step| {
        let key = step.put_in_by_hand().map(owned);
        key.is_some_and(|key| !before.contains(&key)) && !changing.contains(step.act.group())
    };
    steps.extract_if(.., is_new).collect()
}

/// "Hal Hand (Doorward members), …".
pub(super) fn words(steps: &[Step]) -> Option<String> {
    let all: Vec<&Step> = steps
        .iter()
        .filter(|step| step.put_in_by_hand().is_some())
        .collect();
    let named: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|step| format!("{} ({})", step.who, step.act.group()))
        .collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!all.is_empty()).then(|| {
        format!(
            "somebody was put into a group of the gateway by hand at SALTO KS: {}{more}; the next comparison takes them out \
             again; who is to stay belongs into [ks] pinned",
            named.join(", ")
        )
    })
}

impl Reconciler {
    /// What of a plan is carried out now, by itself; the rest stays in it and is shown.
    pub(super) fn ripe(&mut self, steps: &mut Vec<Step>) -> Vec<Step> {
        let waiting = wait(steps, &mut self.by_hand);
        std::mem::replace(steps, waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salto::{
        plan::{BY_HAND, Stage},
        wanted::Why,
    };

    fn remove(group: &str, user: &str) -> Step {
        Step {
            stage: Stage::Leave,
            act: Act::RemoveMember {
                id: group.into(),
                group: group.into(),
                user: user.into(),
            },
            who: user.to_uppercase(),
            why: Why::rule(37, BY_HAND),
        }
    }

    #[test]
    fn who_was_put_in_is_shown_once_and_then_goes() {
        let mut shown = Shown::default();
        let mut steps = vec![remove("members", "hal")];
        let waiting = wait(&mut steps, &mut shown);
        assert_eq!((waiting.len(), steps.len()), (1, 0));
        assert!(words(&waiting).unwrap().contains("HAL (members)"));
        // Another one comes meanwhile: that one waits, the first goes.
        let mut steps = vec![remove("members", "hal"), remove("members", "ida")];
        let waiting = wait(&mut steps, &mut shown);
        assert_eq!(
            (waiting, steps),
            (vec![remove("members", "ida")], vec![remove("members", "hal")])
        );
        assert_eq!(words(&[]), None);
    }

    #[test]
    fn in_a_group_that_opens_something_else_nobody_stays_for_a_look() {
        let lock = Step {
            act: Act::AddLock {
                group: "members".into(),
                lock: "vault".into(),
            },
            ..remove("members", "hal")
        };
        let mut steps = vec![remove("members", "hal"), remove("others", "ida"), lock];
        let waiting = wait(&mut steps, &mut Shown::default());
        assert_eq!(waiting, [remove("others", "ida")]);
        assert_eq!(steps.len(), 2);
    }
}
