//! A plan's short name: a sum over its changes, so that what is applied is what somebody has seen. Whoever accepts a plan
//! says its name; a plan with one change more, fewer or other has another.

use super::{Act, Step};
use ring::digest::{Context, SHA256};

/// Hexadecimal digits of a name: with 32 bits, two plans of one site never meet by chance.
const DIGITS: usize = 8;

/// The sum of one change. Whose it is goes in, the tag as it is shown: a sum of a whole tag number would give it away.
#[must_use]
pub fn of_step(step: &Step) -> u64 {
    let text = match &step.act {
        // Without `before`: who else has the name is no part of the change.
        Act::CreateUser {
            person,
            alias,
            name,
            email,
            tag,
            before: _,
        } => format!("create {person:?} {alias:?} {name:?} {email:?} {tag:?}"),
        other => format!("{other:?}"),
    };
    let digest = ring::digest::digest(&SHA256, text.as_bytes());
    let first = digest.as_ref().first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}

/// The name of a plan with these changes, in whatever order they stand.
#[must_use]
pub fn id(steps: &[Step]) -> String {
    let mut sums: Vec<u64> = steps.iter().map(of_step).collect();
    sums.sort_unstable();
    let mut context = Context::new(&SHA256);
    for sum in sums {
        context.update(&sum.to_be_bytes());
    }
    let hex = context
        .finish()
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect::<String>();
    hex.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Credential,
        salto::{plan::Stage, wanted::Why},
    };

    fn step(act: Act) -> Step {
        Step {
            stage: Stage::Join,
            act,
            who: "Ana".into(),
            why: Why::default(),
        }
    }

    fn join(person: &str) -> Step {
        step(Act::AddMember {
            group: "Doorward members".into(),
            person: person.into(),
        })
    }

    #[test]
    fn the_same_changes_are_the_same_plan_and_any_other_change_is_another() {
        let plan = [join("ana"), join("ben")];
        let name = id(&plan);
        assert_eq!(name.len(), DIGITS);
        assert_eq!(id(&[join("ben"), join("ana")]), name, "whatever the order");
        let why = Step {
            why: Why {
                text: "another reason".into(),
                ..Why::default()
            },
            ..join("ana")
        };
        assert_eq!(id(&[why, join("ben")]), name, "a reason is no change");
        let others = [
            vec![join("ana")],
            vec![join("ana"), join("cho")],
            vec![join("ana"), join("ben"), join("ben")],
            vec![],
        ];
        assert!(others.iter().all(|other| id(other) != name));
    }

    #[test]
    fn a_sum_does_not_give_a_tag_away() {
        let give = |number: &str| {
            step(Act::GiveTag {
                person: "ana".into(),
                tag: Credential::ks_tag(number).unwrap(),
            })
        };
        assert_eq!(of_step(&give("02309289")), of_step(&give("99909289")));
    }
}
