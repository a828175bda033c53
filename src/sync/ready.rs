//! Complete facts, worked out: an index that can be put in force or held, and whether it may be. It blocks, and takes
//! memory: each large thing is dropped before the next one is made, for a snapshot in full is several times its index.

use super::{
    build::{self, Built},
    judge::{self, Hold, Scale, Weight},
    status::meta,
};
use crate::{
    access::Index,
    config::Config,
    domain::{Snapshot, facts::Facts, time::Millis},
    store::{PackedFacts, SnapshotMeta, Store, StoreError},
};
use std::sync::Arc;

/// Facts that were worked out.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) meta: SnapshotMeta,
    pub(super) facts: PackedFacts,
    pub(super) index: Arc<Index>,
    pub(super) warnings: Vec<String>,
}

impl Ready {
    /// With the snapshot, which is needed no longer than to weigh it.
    fn of(built: Built, facts: PackedFacts, etag: Option<String>) -> (Self, Snapshot) {
        let ready = Self {
            meta: meta(&built.snapshot, etag),
            facts,
            index: Arc::new(built.index),
            warnings: built.warnings,
        };
        (ready, built.snapshot)
    }
}

/// Works new facts out, and judges them against `active`. `problems` of the facts come before the other warnings.
///
/// # Errors
/// In words, when the store cannot be read or the index not be built.
pub(super) fn work_out(
    facts: Facts,
    etag: Option<String>,
    problems: Vec<String>,
    active: Option<&SnapshotMeta>,
    store: &Store,
    config: &Config,
    now: Millis,
) -> Result<(Ready, Option<Hold>), String> {
    let local = build::local(store.read()).map_err(|error| error.to_string())?;
    let draft = build::draft(&facts, config, &local, now);
    let packed = store.pack(&facts).map_err(|error| error.to_string())?;
    drop(facts);
    let built = draft.build(config).map_err(|error| error.to_string())?;
    let (mut ready, snapshot) = Ready::of(built, packed, etag);
    ready.warnings.splice(0..0, problems);
    let scale = Scale::default();
    let weight = scale.weigh(&snapshot, now);
    drop(snapshot);
    let hold = active.and_then(|active| {
        let before = build::weigh_active(store.read(), config, &scale, now);
        judge_against(active, before, &weight, config)
    });
    Ok((ready, hold))
}

/// Works the facts out that are held back.
///
/// # Errors
/// In words, when nothing is held, the store cannot be read or the index not be built.
pub(super) fn work_out_held(store: &Store, config: &Config) -> Result<Ready, String> {
    let text = |error: StoreError| error.to_string();
    let held = store.held().map_err(text)?.ok_or("no snapshot is held back")?;
    let facts = store.facts(&held).map_err(text)?;
    let local = build::local(store.read()).map_err(text)?;
    let draft = build::draft(&facts, config, &local, held.meta.taken_at);
    let packed = store.pack(&facts).map_err(text)?;
    drop(facts);
    let built = draft.build(config).map_err(|error| error.to_string())?;
    Ok(Ready::of(built, packed, held.meta.etag).0)
}

/// Judges by the grants in force; where those cannot be read, by what is known of them without reading.
fn judge_against(
    active: &SnapshotMeta,
    before: Result<Option<Weight>, String>,
    next: &Weight,
    config: &Config,
) -> Option<Hold> {
    let share = config.sync.hold_share;
    match before.inspect_err(|error| tracing::warn!(%error, "the facts in force cannot be read")) {
        Ok(Some(before)) => judge::judge(&before, next, share),
        Ok(None) | Err(_) => judge::judge_by_count(active.version, active.grants, next, share),
    }
}
