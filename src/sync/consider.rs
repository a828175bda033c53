//! What becomes of complete facts: built, judged, held back or put in force.

use super::{
    build::{self, Built},
    cancelled::StillIn,
    judge::{self, Scale, Weight},
    problems::Problems,
    pull::Puller,
    status::meta,
};
use crate::{
    access::Index,
    config::Config,
    domain::{EventKind, Snapshot, event::Draft, facts::Facts},
    memory,
    store::{PackedFacts, SnapshotMeta, Store, StoreError},
};
use std::sync::Arc;

/// How many warnings the status shows; the rest is counted.
const SHOWN_WARNINGS: usize = 50;

/// What became of complete facts, in words.
pub(super) enum Considered {
    /// In force.
    Applied(String),
    /// Waiting for a person.
    Held(String),
}

/// Facts that were worked out and can be put in force, or held.
struct Ready {
    meta: SnapshotMeta,
    facts: PackedFacts,
    index: Arc<Index>,
    /// What was left out of the facts.
    problems: Vec<String>,
    warnings: Vec<String>,
    still_in: Vec<StillIn>,
    /// What the gateway itself held when the index was made.
    local: u64,
}

impl Ready {
    /// With the snapshot, which is needed no longer than to weigh it.
    fn of(built: Built, facts: PackedFacts, etag: Option<String>, problems: Vec<String>) -> (Self, Snapshot) {
        let ready = Self {
            meta: meta(&built.snapshot, etag),
            facts,
            index: Arc::new(built.index),
            problems,
            warnings: built.warnings,
            still_in: built.still_in,
            local: built.local,
        };
        (ready, built.snapshot)
    }
}

/// How much of the facts was fetched just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything.
    Whole,
    /// What hints named; the rest is as before. No contact that keeps rights from going stale: what was not asked for
    /// may have failed for weeks.
    Part,
}

impl Puller {
    /// [`Self::consider`], and the memory that took is given back.
    pub(super) async fn considered(
        &mut self,
        facts: Facts,
        etag: Option<String>,
        problems: Vec<String>,
        extent: Extent,
    ) -> Result<Considered, String> {
        let outcome = self.consider(facts, etag, problems, extent).await;
        // Beside the runtime: it takes some milliseconds. That it did not run is no failure of the pull.
        let _ = tokio::task::spawn_blocking(memory::give_back).await;
        outcome
    }

    /// Complete facts have come: build, judge, and hold them or put them in force.
    async fn consider(
        &mut self,
        facts: Facts,
        etag: Option<String>,
        problems: Vec<String>,
        extent: Extent,
    ) -> Result<Considered, String> {
        let now = self.clock.now().at;
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let active = self.active.clone();
        // In an order in which each large thing is dropped before the next one is made: a snapshot in full is several
        // times its index.
        let job = move || -> Result<_, String> {
            // The pages that a platform sent are larger than the facts that came of them.
            memory::give_back();
            let local = build::local(store.read()).map_err(|error| error.to_string())?;
            let packed = store.pack(&facts).map_err(|error| error.to_string())?;
            let draft = build::draft(facts, &config, &local, now);
            memory::give_back();
            let built = draft.build(&config).map_err(|error| error.to_string())?;
            let (ready, snapshot) = Ready::of(built, packed, etag, problems);
            let scale = Scale::default();
            let weight = scale.weigh(&snapshot, now);
            drop(snapshot);
            let weigh_active = || build::weigh_active(store.read(), &config, &scale, now);
            let hold = active.and_then(|active| judge_against(&active, weigh_active, &weight, &config));
            Ok((ready, hold))
        };
        let (mut ready, hold) = blocking(job).await?;
        match hold {
            Some(hold) => {
                ready.meta.held_because = Some(hold.to_string());
                self.hold(ready).await.map(Considered::Held)
            }
            None => {
                let words = self.apply(ready).await?;
                if extent == Extent::Whole {
                    self.contact();
                }
                Ok(Considered::Applied(words))
            }
        }
    }

    async fn hold(&mut self, ready: Ready) -> Result<String, String> {
        let why = ready.meta.held_because.clone().unwrap_or_default();
        let (store, meta) = (self.store.clone(), ready.meta.clone());
        let (before, problems) = (
            self.problems.clone(),
            Problems {
                in_force: self.problems.in_force.clone(),
                held: ready.problems.clone(),
            },
        );
        self.problems = problems.clone();
        blocking(move || {
            let text = |error: StoreError| error.to_string();
            store
                .hold_packed(&ready.meta, &ready.facts, ready.index.image())
                .map_err(text)?;
            problems.keep(&before, &store).map_err(text)
        })
        .await?;
        if self
            .health
            .raise("snapshot_held", why.clone(), self.clock.now().at)
        {
            self.event(EventKind::SnapshotHeld, why.clone());
            tracing::warn!(%why, "a snapshot is held back");
        }
        self.status.held = Some(meta);
        Ok(why)
    }

    async fn apply(&mut self, ready: Ready) -> Result<String, String> {
        let Ready {
            meta,
            facts,
            index,
            problems,
            warnings,
            still_in,
            local,
        } = ready;
        let problems = Problems {
            in_force: problems,
            held: Vec::new(),
        };
        let before = std::mem::replace(&mut self.problems, problems.clone());
        let (store, was_held) = (self.store.clone(), self.status.held.is_some());
        let (stored, doors) = (meta.clone(), Arc::clone(&self.doors));
        let config = Arc::clone(&self.config);
        // One job, which goes on to its end when this task is ended meanwhile: else the store could have facts that a
        // next task takes for those at the doors. The doors first: they need not wait for a disk.
        let kept = blocking(move || {
            let text = |error: StoreError| error.to_string();
            let _turn = store.in_turn();
            let index = with_local(index, local, &facts, &stored, &store, &config);
            doors.swap(Arc::clone(&index));
            store.apply_packed(&stored, &facts, index.image()).map_err(text)?;
            if was_held {
                store.discard_held().map(drop).map_err(text)?;
            }
            problems.keep(&before, &store).map_err(text)
        });
        // A card that cannot be written must not keep new rights from the doors: they live in memory until it can.
        if let Err(error) = kept.await {
            let text = format!("the newest facts decide at the doors, but are not on disk: {error}");
            self.health
                .raise("snapshot_not_stored", text, self.clock.now().at);
        } else {
            self.health.clear("snapshot_not_stored");
        }
        self.health.clear("snapshot_held");
        self.status.held = None;
        self.still_in = Some(still_in);
        self.show_warnings(warnings);
        let words = format!(
            "version {}: {} people, {} cards, {} grants",
            meta.version, meta.people, meta.credentials, meta.grants
        );
        self.event(EventKind::SnapshotApplied, words.clone());
        self.active = Some(meta);
        Ok(words)
    }

    /// A person says that what is held back is meant.
    pub(super) async fn accept(&mut self) -> Result<String, String> {
        if self.status.held.is_none() {
            return Err("no snapshot is held back".into());
        }
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let problems = self.problems.held.clone();
        let job = move || -> Result<_, String> {
            let text = |error: StoreError| error.to_string();
            let held = store.held().map_err(text)?.ok_or("no snapshot is held back")?;
            let facts = store.facts(&held).map_err(text)?;
            let local = build::local(store.read()).map_err(text)?;
            let packed = store.pack(&facts).map_err(text)?;
            let draft = build::draft(facts, &config, &local, held.meta.taken_at);
            let built = draft.build(&config).map_err(|error| error.to_string())?;
            Ok(Ready::of(built, packed, held.meta.etag, problems).0)
        };
        let ready = blocking(job).await?;
        let outcome = self.apply(ready).await;
        if outcome.is_ok() {
            self.contact();
        }
        self.show();
        outcome
    }

    /// The rules, the mapping or the site changed: the same facts, worked out again.
    pub(super) async fn reconfigure(&mut self, config: Arc<Config>) {
        self.config = config;
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let doors = Arc::clone(&self.doors);
        let job = move || -> Result<_, String> {
            let _turn = store.in_turn();
            let Some((stored, built)) = build::rebuild(store.read(), &config)? else {
                return Ok(None);
            };
            if let Err(error) = store.replace_image(built.index.image()) {
                tracing::warn!(%error, "the index of the new configuration is not on disk");
            }
            let meta = meta(&built.snapshot, stored.etag);
            doors.swap(Arc::new(built.index));
            Ok(Some((meta, built.still_in, built.warnings)))
        };
        match blocking(job).await {
            Ok(Some((meta, still_in, warnings))) => {
                self.active = Some(meta);
                self.still_in = Some(still_in);
                self.show_warnings(warnings);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "the facts could not be worked out by the new configuration")
            }
        }
        self.show();
    }

    fn event(&self, kind: EventKind, detail: String) {
        let now = self.clock.now();
        self.store.record(&Draft {
            detail: Some(detail),
            ..Draft::new(kind, now.at, now.quality())
        });
    }

    /// What was left out of the facts, and what the rules say of those in force.
    fn show_warnings(&mut self, rules: Vec<String>) {
        let mut warnings = self.problems.in_force.clone();
        warnings.extend(rules);
        if warnings.len() > SHOWN_WARNINGS {
            let more = warnings.len() - SHOWN_WARNINGS;
            warnings.truncate(SHOWN_WARNINGS);
            warnings.push(format!("and {more} more"));
        }
        self.status.warnings = warnings;
    }
}

/// The index, or one made anew if a card was given out, taken back or blocked at the desk while it was made. The caller
/// has the turn.
fn with_local(
    index: Arc<Index>,
    local: u64,
    facts: &PackedFacts,
    meta: &SnapshotMeta,
    store: &Store,
    config: &Config,
) -> Arc<Index> {
    let again = || -> Result<Option<Index>, String> {
        let now = build::local(store.read()).map_err(|error| error.to_string())?;
        if now.fingerprint() == local {
            return Ok(None);
        }
        let facts = store.unpack(facts).map_err(|error| error.to_string())?;
        let built = build::build(&facts, config, &now, meta.taken_at).map_err(|error| error.to_string())?;
        Ok(Some(built.index))
    };
    match again() {
        Ok(Some(fresh)) => Arc::new(fresh),
        Ok(None) => index,
        Err(error) => {
            tracing::error!(%error, "what the desk did just now could not be added to the newest facts");
            index
        }
    }
}

/// Judges by the grants in force; where those cannot be read, by what is known of them without reading.
fn judge_against(
    active: &SnapshotMeta,
    weigh_active: impl FnOnce() -> Result<Option<Weight>, String>,
    next: &Weight,
    config: &Config,
) -> Option<judge::Hold> {
    let share = config.sync.hold_share;
    let before = weigh_active();
    match before.inspect_err(|error| tracing::warn!(%error, "the facts in force cannot be read")) {
        Ok(Some(before)) => judge::judge(&before, next, share),
        Ok(None) | Err(_) => judge::judge_by_count(active.version, active.grants, next, share),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(job).await {
        Ok(outcome) => outcome,
        Err(error) => Err(format!("work in the background broke off: {error}")),
    }
}
