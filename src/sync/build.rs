//! Facts to grants to index: the same way at start, after a pull and after a new configuration.

pub use super::local::{Local, local};
use super::{
    cancelled::{StillIn, still_in},
    judge::{Scale, Weight},
};
use crate::{
    access::{BuildError, BuildWarning, Index, fingerprint},
    config::Config,
    domain::{
        Block, Credential, PersonId, Snapshot, Text,
        facts::{Facts, Membership},
        time::Millis,
    },
    rules::{self, RuleWarning},
    store::{ReadStore, SnapshotMeta, StoreError},
};
use std::collections::HashMap;

/// An index with what it was made of.
#[derive(Debug)]
pub struct Built {
    /// Ready to decide.
    pub index: Index,
    /// What it was made of, for judging the next one.
    pub snapshot: Snapshot,
    /// What a person should look at, one sentence each.
    pub warnings: Vec<String>,
    /// Who is cancelled at the platform and gets in all the same, now or later.
    pub still_in: Vec<StillIn>,
    /// [`Local::fingerprint`] of what the gateway itself held.
    pub local: u64,
}

/// What the rules make of facts, before an index is made of it: from here on the facts themselves are not needed.
#[derive(Debug)]
pub struct Draft {
    snapshot: Snapshot,
    warnings: Vec<String>,
    /// The cards that the warnings name as held by two.
    shared: Vec<Credential>,
    still_in: Vec<StillIn>,
    local: u64,
}

/// Works complete facts out by the rules of a configuration. The facts go on the way: with what the rules make of them they
/// would be twice as much.
#[must_use]
pub fn draft(facts: Facts, config: &Config, local: &Local, taken_at: Millis) -> Draft {
    let version = facts.version;
    let cancelled = facts.memberships.iter().filter(|it| it.cancelled);
    let cancelled: Vec<Membership> = cancelled.cloned().collect();
    let outcome = rules::grants_of(facts, &config.rules, &config.site);
    let (mut snapshot, warnings) = outcome.into_snapshot(version, taken_at);
    local.add_to(
        &mut snapshot.people,
        &mut snapshot.credentials,
        &mut snapshot.grants,
        &mut snapshot.blocks,
    );
    Draft {
        local: local.fingerprint(),
        still_in: still_in(&cancelled, &snapshot, &config.site.zone),
        snapshot,
        shared: warnings.iter().filter_map(shared_card).collect(),
        warnings: warnings.iter().map(ToString::to_string).collect(),
    }
}

const fn shared_card(warning: &RuleWarning) -> Option<Credential> {
    match warning {
        RuleWarning::SharedCard { credential, .. } => Some(*credential),
        _ => None,
    }
}

impl Draft {
    /// With its index.
    ///
    /// # Errors
    /// Only when the snapshot is larger than an index can be, or the site's zone is unknown.
    pub fn build(self, config: &Config) -> Result<Built, BuildError> {
        let Self {
            snapshot,
            mut warnings,
            shared,
            still_in,
            local,
        } = self;
        let (index, build_warnings) = Index::build(&snapshot, &config.site)?;
        // The index says of a card of two people what the rules have said with their names.
        let said = |it: &&BuildWarning| matches!(it, BuildWarning::SharedCard(card) if shared.contains(card));
        warnings.extend(
            build_warnings
                .iter()
                .filter(|it| !said(it))
                .map(ToString::to_string),
        );
        warnings.sort();
        warnings.dedup();
        Ok(Built {
            index: index.stamped(stamp(config, local)),
            local,
            snapshot,
            warnings,
            still_in,
        })
    }
}

/// Builds an index from complete facts.
///
/// # Errors
/// As [`Draft::build`].
pub fn build(facts: &Facts, config: &Config, local: &Local, taken_at: Millis) -> Result<Built, BuildError> {
    draft(facts.clone(), config, local, taken_at).build(config)
}

/// What an index was made for: the site and the rules with their mapping. Another of either, and an image on disk is no
/// use, or whoever lost a right by the configuration would keep it over a restart. So is one of an earlier engine, and one
/// from before a card was blocked: a kill may come between the block and the image.
fn stamp(config: &Config, local: u64) -> u64 {
    let rules = format!("{} {:?}", rules::VERSION, config.rules);
    local
        ^ fingerprint(&config.site)
        ^ siphasher::sip::SipHasher13::new_with_keys(3, 4).hash(rules.as_bytes())
}

/// The facts in force, worked out again by a configuration. `None` when there are none yet.
///
/// # Errors
/// In words, when the store cannot be read or the index not be built.
pub fn rebuild(store: &ReadStore, config: &Config) -> Result<Option<(SnapshotMeta, Built)>, String> {
    rebuild_with(store, config, &[])
}

/// [`rebuild`], with blocks that hold though the store does not have them.
///
/// # Errors
/// As [`rebuild`].
pub fn rebuild_with(
    store: &ReadStore,
    config: &Config,
    blocks: &[Block],
) -> Result<Option<(SnapshotMeta, Built)>, String> {
    let Some((meta, draft)) = redraft(store, config, blocks)? else {
        return Ok(None);
    };
    let built = draft.build(config).map_err(|error| error.to_string())?;
    Ok(Some((meta, built)))
}

fn redraft(
    store: &ReadStore,
    config: &Config,
    blocks: &[Block],
) -> Result<Option<(SnapshotMeta, Draft)>, String> {
    let text = |error: StoreError| error.to_string();
    let (Some(meta), Some(facts)) = (
        store.active_meta().map_err(text)?,
        store.active_facts().map_err(text)?,
    ) else {
        return Ok(None);
    };
    let mut local = local(store).map_err(text)?;
    local.blocks.extend_from_slice(blocks);
    let draft = draft(facts, config, &local, meta.taken_at);
    Ok(Some((meta, draft)))
}

/// Addresses of people who have one.
pub type Emails = HashMap<PersonId, Text>;

/// What the facts in force come to by a configuration, with the e-mail addresses of people, for whoever keeps other doors
/// in step with the gateway's own. `None` when there are none yet.
///
/// # Errors
/// In words, when the store cannot be read.
pub fn in_force(store: &ReadStore, config: &Config) -> Result<Option<(Snapshot, Emails)>, String> {
    let text = |error: StoreError| error.to_string();
    let Some(mut active) = store.active().map_err(text)? else {
        return Ok(None);
    };
    active.image = Vec::new();
    let facts = store.facts(&active).map_err(text)?;
    let local = local(store).map_err(text)?;
    let with_email = facts
        .people
        .iter()
        .filter_map(|person| Some((person.id.clone(), person.email.clone()?)));
    let emails = with_email.collect();
    let draft = draft(facts, config, &local, active.meta.taken_at);
    Ok(Some((draft.snapshot, emails)))
}

/// What the facts in force weigh by a configuration. `None` when there are none yet.
///
/// The index says it, where it was made by this configuration: the facts and what the rules make of them are several times
/// as large, and the new ones are in memory already.
///
/// # Errors
/// In words, when the store cannot be read.
pub fn weigh_active(
    store: &ReadStore,
    config: &Config,
    scale: &Scale,
    now: Millis,
) -> Result<Option<Weight>, String> {
    let Some(active) = store.active().map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let held = local(store).map_err(|error| error.to_string())?.fingerprint();
    if let Ok(index) = Index::from_image(active.image)
        && index.site_fingerprint() == stamp(config, held)
    {
        let grants = usize::try_from(active.meta.grants).unwrap_or(usize::MAX);
        return Ok(Some(scale.weigh_index(&index, grants, now)));
    }
    let active = redraft(store, config, &[])?;
    Ok(active.map(|(_, draft)| scale.weigh(&draft.snapshot, now)))
}

/// An index from the store.
#[derive(Debug)]
pub struct Stored {
    /// What is known about the snapshot that it was made of.
    pub meta: SnapshotMeta,
    /// Ready to decide.
    pub index: Index,
    /// It was worked out again just now: the image on disk is another one.
    pub reworked: bool,
}

/// The stored index, or one worked out again from the stored facts when it was made for another site or other rules,
/// or is no use. `None` when nothing was ever fetched.
///
/// # Errors
/// In words, when the store cannot be read or the index not be built.
pub fn stored_index(store: &ReadStore, config: &Config) -> Result<Option<Stored>, String> {
    let Some(active) = store.active().map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let local = local(store).map_err(|error| error.to_string())?.fingerprint();
    match Index::from_image(active.image) {
        Ok(index) if index.site_fingerprint() == stamp(config, local) => {
            return Ok(Some(Stored {
                meta: active.meta,
                index,
                reworked: false,
            }));
        }
        Ok(_) => {
            tracing::info!("the site, the mapping or cards of the desk changed: working the facts out again")
        }
        Err(error) => tracing::warn!(%error, "the stored index is no use: working the facts out again"),
    }
    Ok(rebuild(store, config)?.map(|(meta, built)| Stored {
        meta,
        index: built.index,
        reworked: true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        config::{self, Environment},
        domain::Moment,
        health::Health,
        store::{Store, StoreOptions},
    };

    fn config(folder: &std::path::Path, map: &str) -> Config {
        let path = folder.join("doorward.toml");
        let site = "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"\n[[door]]\nid = \"front\"\n\
                    [[group]]\nid = \"members\"\ndoors = [\"front\"]\n";
        std::fs::write(&path, format!("{site}{map}")).unwrap();
        config::load(&path, &Environment::default()).unwrap()
    }

    /// A start that works everything out again takes a second for 250,000 people, and three times the memory.
    #[test]
    fn a_stored_index_is_used_as_it_is_until_site_or_mapping_change() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Moment::trusted(1_000));
        let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
        let (store, _) = Store::open(&options, &clock, &Health::default()).unwrap();
        let before = config(folder.path(), "[map.plans]\n\"Hot desk\" = [\"members\"]\n");
        let built = build(&Facts::default(), &before, &Local::default(), 1_000).unwrap();
        let image = built.index.to_image();
        store
            .apply_snapshot(&SnapshotMeta::default(), &Facts::default(), &image)
            .unwrap();
        let stored = stored_index(store.read(), &before).unwrap().unwrap();
        assert!(!stored.reworked);
        let after = config(folder.path(), "[map.plans]\n\"Hot desk\" = []\n");
        let stored = stored_index(store.read(), &after).unwrap().unwrap();
        assert!(stored.reworked, "another mapping is another index");
        store.close();
    }
}
