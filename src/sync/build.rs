//! Facts to grants to index: the same way at start, after a pull and after a new configuration.

use crate::{
    access::{BuildError, Index},
    config::Config,
    domain::{Block, Credential, PersonId, Snapshot, facts::Facts, time::Millis},
    rules,
};

/// What the gateway itself holds beside the platform's facts: it survives every pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Cards assigned at the desk.
    pub cards: Vec<(Credential, PersonId)>,
    /// Blocks set here.
    pub blocks: Vec<Block>,
}

/// An index with what it was made of.
#[derive(Debug)]
pub struct Built {
    /// Ready to decide.
    pub index: Index,
    /// What it was made of, for judging the next one.
    pub snapshot: Snapshot,
    /// What a person should look at, one sentence each.
    pub warnings: Vec<String>,
}

/// Builds an index from complete facts.
///
/// # Errors
/// Only when the facts are larger than an index can be, or the site's zone is unknown.
pub fn build(facts: &Facts, config: &Config, local: &Local, taken_at: Millis) -> Result<Built, BuildError> {
    let outcome = rules::grants(facts, &config.rules, &config.site);
    let (mut snapshot, rule_warnings) = outcome.into_snapshot(facts.version, taken_at);
    for card in &local.cards {
        if !snapshot.credentials.contains(card) {
            snapshot.credentials.push(card.clone());
        }
    }
    snapshot.blocks.extend(local.blocks.iter().cloned());
    let (index, build_warnings) = Index::build(&snapshot, &config.site)?;
    let mut warnings: Vec<String> = rule_warnings.iter().map(ToString::to_string).collect();
    warnings.extend(build_warnings.iter().map(ToString::to_string));
    warnings.sort();
    warnings.dedup();
    Ok(Built {
        index,
        snapshot,
        warnings,
    })
}
