//! Over random edits, working out what changed gives what working out everything does.

use crate::{rules_model::varied, rules_world::World};
use doorward::{config::model::Profile, rules};
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_update_gives_what_working_out_everything_gives(seed: u64, profile in 0_usize..6) {
        let mut world = World::new(seed);
        let mut facts = world.facts();
        let (_, profile) = Profile::ALL[profile];
        let mut rules = varied(profile, &mut world);
        let site = world.site.clone();
        let mut incremental = rules::Incremental::new(Arc::new(facts.clone()), rules.clone(), site.clone());
        for step in 0..24 {
            for _ in 0..=world.random.below(3) {
                world.edit(&mut facts);
            }
            if world.random.yes(12) {
                rules = varied(profile, &mut world);
                incremental.reconfigure(rules.clone(), site.clone());
            }
            let before = incremental.facts().clone();
            incremental.update(Arc::new(facts.clone()));
            let whole = rules::grants(&facts, &rules, &site);
            let consumed = rules::grants_of(facts.clone(), &rules, &site);
            prop_assert!(consumed == whole, "with the facts going on the way: {facts:?}");
let found = incremental.outcome();
            let only = |one: &rules::Outcome, other: &rules::Outcome| {
                let grants: Vec<_> = one.grants.iter().filter(|it| !other.grants.contains(it)).cloned().collect();
                let warnings: Vec<_> = one.warnings.iter().filter(|it| !other.warnings.contains(it)).cloned().collect();
                (grants, warnings)
            };
            prop_assert!(
                found == &whole,
                "step {step}: too much {:?}, missing {:?}\nfrom {before:?}\nto {facts:?}",
                only(found, &whole), only(&whole, found)
            );
        }
    }
}
