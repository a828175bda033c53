//! The facts in force, and what the rules make of them: for commands that look into rights, with a gateway or without.

use super::{
    failure::{Failure, status},
    stored,
};
use crate::{
    config::Config,
    domain::{facts::Facts, grant::Holder, time::Millis},
    rules::{self, Outcome},
    store::SnapshotMeta,
    sync::{build, stale},
};
use std::collections::HashSet;

/// Facts with what came of them.
#[derive(Debug)]
pub(super) struct InForce {
    /// What is known about the snapshot.
    pub(super) meta: SnapshotMeta,
    /// What the platform said last.
    pub(super) facts: Facts,
    /// What the rules make of it, with the cards and blocks of the gateway itself.
    pub(super) outcome: Outcome,
    /// Kinds of right that are refused because the platform was not reached for too long, or soon will be.
    pub(super) ageing: Vec<stale::Ageing>,
}

/// What the gateway itself holds beside the facts.
pub(super) type Local = build::Local;

/// Grants of facts by the configuration, with what the gateway itself holds.
pub(super) fn outcome(facts: &Facts, config: &Config, local: &Local) -> Outcome {
    let mut outcome = rules::grants(facts, &config.rules, &config.site);
    local.add_to(
        &mut outcome.people,
        &mut outcome.credentials,
        &mut outcome.grants,
        &mut outcome.blocks,
    );
    let known: HashSet<_> = outcome.people.iter().map(|holder| holder.id.clone()).collect();
    let strangers = local.cards.iter().map(|(_, person)| person);
    for id in strangers.filter(|id| !known.contains(*id)) {
        outcome.people.push(Holder {
            id: id.clone(),
            name: String::new().into(),
        });
    }
    outcome
}

/// What the store holds; nothing when nothing was ever fetched. The gateway's own cards and blocks in any case.
pub(super) fn read(config: &Config, now: Millis) -> Result<(Option<InForce>, Local), Failure> {
    let Some(store) = stored::open(&config.state_dir)? else {
        return Ok((None, Local::default()));
    };
    let local = build::local(&store)?;
    let Some(active) = store.active()? else {
        return Ok((None, local));
    };
    let facts = store.facts(&active)?;
    let in_force = InForce {
        outcome: outcome(&facts, config, &local),
        ageing: stale::ageing(config, store.last_contact()?, now),
        meta: active.meta,
        facts,
    };
    Ok((Some(in_force), local))
}

/// What to say when nothing was ever fetched.
pub(super) fn nothing() -> Failure {
    let words = "nothing has been fetched from the platform yet: nobody has any right here";
    let hint = "see `doorward sync status`; `doorward sync now` asks at once";
    Failure::new(status::FAILED, words, hint)
}
