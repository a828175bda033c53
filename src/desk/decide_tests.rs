use super::*;
use crate::domain::{Block, BlockTarget};
use proptest::prelude::*;

fn card() -> Credential {
    "uid:04A2B3C4D5E680".parse().unwrap()
}

fn people(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId::from(*name)).collect()
}

fn situation<'a>(platform: &'a [PersonId], row: Option<&'a LocalCard>) -> Situation<'a> {
    Situation {
        card: card(),
        platform,
        row,
        guest_over: false,
        blocked: None,
        told: true,
    }
}

fn give(situation: &Situation<'_>, to: &str) -> Result<Plan, Refusal> {
    situation.give(CardKind::Member, &to.into(), None)
}

#[test]
fn a_new_card_is_given_and_the_platform_told() {
    let plan = give(&situation(&[], None), "ana").unwrap();
    assert_eq!(plan.holder, Some((CardKind::Member, "ana".into())));
    assert_eq!(plan.writes, [("ana".into(), true)]);
    let kept_here = Situation {
        told: false,
        ..situation(&[], None)
    };
    assert_eq!(give(&kept_here, "ana").unwrap().writes, []);
}

#[test]
fn what_is_somebody_elses_needs_their_name() {
    let ana = people(&["ana"]);
    let held = situation(&ana, None);
    assert_eq!(give(&held, "ana"), Err(Refusal::AlreadyTheirs));
    assert_eq!(give(&held, "ben"), Err(Refusal::SomebodyElses));
    let wrong = held.give(CardKind::Member, &"ben".into(), Some(&"cleo".into()));
    assert_eq!(wrong, Err(Refusal::SomebodyElses), "seen before it changed hands");
    let plan = held
        .give(CardKind::Member, &"ben".into(), Some(&"ana".into()))
        .unwrap();
    assert_eq!(plan.instead, people(&["ana"]));
    assert_eq!(plan.writes, [("ana".into(), false), ("ben".into(), true)]);
    let both = people(&["ana", "ben"]);
    assert_eq!(give(&situation(&both, None), "ana"), Err(Refusal::SeveralHold));
    let sorted = situation(&both, None).give(CardKind::Member, &"ana".into(), Some(&"ben".into()));
    assert_eq!(sorted.unwrap().instead, people(&["ben"]));
}

#[test]
fn blocked_and_random_cards_are_given_to_nobody() {
    let block = KeptBlock {
        block: Block {
            target: BlockTarget::Credential(card()),
            note: "lost".into(),
        },
        by: "Maria".into(),
        at: 1,
    };
    let blocked = Situation {
        blocked: Some(&block),
        ..situation(&[], None)
    };
    assert_eq!(give(&blocked, "ana"), Err(Refusal::Blocked));
    let random = Situation {
        card: "uid:08010203".parse().unwrap(),
        ..situation(&[], None)
    };
    assert_eq!(give(&random, "ana"), Err(Refusal::RandomNumber));
}

#[test]
fn a_card_that_is_taken_back_while_the_cloud_is_down_is_taken_there_too() {
    // Given a moment ago: the write may be on its way.
    let row = LocalCard::new(card(), "ana");
    let plan = situation(&[], Some(&row)).take().unwrap();
    assert_eq!(plan.holder, Some((CardKind::Nobody, "ana".into())));
    assert_eq!(plan.writes, [("ana".into(), false)]);
    let kept_here = Situation {
        told: false,
        ..situation(&[], Some(&row))
    };
    let plan = kept_here.take().unwrap();
    assert_eq!(
        (plan.holder, plan.writes),
        (None, Vec::new()),
        "nothing is left to say"
    );
    assert_eq!(situation(&[], None).take(), Err(Refusal::NobodyHolds));
}

#[test]
fn a_guests_card_is_free_when_the_day_is_over() {
    let row = LocalCard {
        kind: CardKind::Guest,
        ..LocalCard::new(card(), "guest:1")
    };
    assert_eq!(
        give(&situation(&[], Some(&row)), "ana"),
        Err(Refusal::SomebodyElses)
    );
    let over = Situation {
        guest_over: true,
        ..situation(&[], Some(&row))
    };
    let plan = give(&over, "ana").unwrap();
    assert_eq!(
        plan.writes,
        [("ana".into(), true)],
        "no platform ever heard of the guest"
    );
}

#[test]
fn a_row_is_settled_when_the_facts_say_the_same() {
    let row = LocalCard {
        instead: people(&["ana"]),
        ..LocalCard::new(card(), "ben")
    };
    let settled = |platform: &[&str]| situation(&people(platform), Some(&row)).is_settled();
    assert!(settled(&["ben"]));
    assert!(!settled(&["ana"]) && !settled(&["ana", "ben"]) && !settled(&[]));
    let gone = LocalCard {
        kind: CardKind::Nobody,
        ..row.clone()
    };
    assert!(situation(&[], Some(&gone)).is_settled());
    assert!(!situation(&people(&["ana"]), Some(&gone)).is_settled());
}

proptest! {
    /// Whatever the desk does one after another, the card has the holder that was wanted, and once the platform has done
    /// what it was told, it says the same by itself.
    #[test]
    fn the_platform_ends_where_the_desk_does(
        begin in prop::collection::hash_set("[abc]", 0..3),
        steps in prop::collection::vec(prop::option::of("[abc]"), 1..6),
        in_time in any::<bool>(),
    ) {
        let mut platform: Vec<PersonId> = begin.iter().map(|name| name.as_str().into()).collect();
        let mut row: Option<LocalCard> = None;
        let mut queue: Vec<(PersonId, bool)> = Vec::new();
        for step in steps {
            let facts = platform.clone();
            let now = situation(&facts, row.as_ref());
            let holders = now.holders();
            let plan = match &step {
                Some(to) => now.give(CardKind::Member, &to.as_str().into(), holders.first()),
                None => now.take(),
            };
            let Ok(plan) = plan else { continue };
            row = plan.holder.map(|(kind, person)| LocalCard { kind, instead: plan.instead, ..LocalCard::new(card(), person) });
            queue = plan.writes;
            let wanted: Vec<PersonId> = step.iter().map(|name| name.as_str().into()).collect();
            prop_assert_eq!(situation(&facts, row.as_ref()).holders(), wanted);
            // Some of it may have gone out before the next step.
            if in_time && let Some((person, give)) = queue.first().cloned() {
                queue.remove(0);
                tell(&mut platform, &person, give);
            }
        }
        for (person, give) in queue {
            tell(&mut platform, &person, give);
        }
        if let Some(row) = &row {
            prop_assert!(situation(&platform, Some(row)).is_settled(), "{:?} {:?}", platform, row);
        }
    }
}

fn tell(platform: &mut Vec<PersonId>, person: &PersonId, give: bool) {
    platform.retain(|it| it != person);
    if give {
        platform.push(person.clone());
    }
}
