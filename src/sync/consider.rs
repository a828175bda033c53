//! What becomes of complete facts: built, judged, held back or put in force.

use super::{
    build::{self, Built},
    judge::{self, Weighed},
    pull::Puller,
    status::meta,
};
use crate::{
    config::Config,
    domain::{EventKind, event::Draft, facts::Facts, time::Millis},
    memory,
    store::{SnapshotMeta, Store, StoreError},
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
        let job = move || -> Result<_, String> {
            let local = build::local(store.read()).map_err(|error| error.to_string())?;
            let built = build::build(&facts, &config, &local, now).map_err(|error| error.to_string())?;
            let hold = active.and_then(|active| judge_against(&active, &store, &config, &built, now));
            Ok((facts, built, hold))
        };
        let (facts, mut built, hold) = blocking(job).await?;
        built.warnings.splice(0..0, problems);
        let mut meta = meta(&built, etag);
        match hold {
            Some(hold) => {
                meta.held_because = Some(hold.to_string());
                self.hold(meta, facts, built).await.map(Considered::Held)
            }
            None => {
                let words = self.apply(meta, facts, built).await?;
                if extent == Extent::Whole {
                    self.contact();
                }
                Ok(Considered::Applied(words))
            }
        }
    }

    async fn hold(&mut self, meta: SnapshotMeta, facts: Facts, built: Built) -> Result<String, String> {
        let why = meta.held_because.clone().unwrap_or_default();
        let (store, stored) = (self.store.clone(), meta.clone());
        let image = built.index.to_image();
        blocking(move || {
            store
                .hold_snapshot(&stored, &facts, &image)
                .map_err(|error| error.to_string())
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

    async fn apply(&mut self, meta: SnapshotMeta, facts: Facts, built: Built) -> Result<String, String> {
        let (store, stored) = (self.store.clone(), meta.clone());
        let (image, was_held) = (built.index.to_image(), self.status.held.is_some());
        let kept = blocking(move || {
            let text = |error: StoreError| error.to_string();
            store.apply_snapshot(&stored, &facts, &image).map_err(text)?;
            if was_held {
                store.discard_held().map(drop).map_err(text)
            } else {
                Ok(())
            }
        });
        // A card that cannot be written must not keep new rights from the doors: they live in memory until it can.
        if let Err(error) = kept.await {
            let text = format!("the newest facts decide at the doors, but are not on disk: {error}");
            self.health
                .raise("snapshot_not_stored", text, self.clock.now().at);
        } else {
            self.health.clear("snapshot_not_stored");
        }
        self.doors.swap(Arc::new(built.index));
        self.health.clear("snapshot_held");
        self.status.held = None;
        self.still_in = Some(built.still_in);
        self.show_warnings(built.warnings);
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
        let job = move || -> Result<_, String> {
            let text = |error: StoreError| error.to_string();
            let held = store.held().map_err(text)?.ok_or("no snapshot is held back")?;
            let facts = store.facts(&held).map_err(text)?;
            let local = build::local(store.read()).map_err(text)?;
            let built =
                build::build(&facts, &config, &local, held.meta.taken_at).map_err(|e| e.to_string())?;
            Ok((held.meta, facts, built))
        };
        let (mut meta, facts, built) = blocking(job).await?;
        meta.held_because = None;
        let outcome = self.apply(meta, facts, built).await;
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
        let job = move || build::rebuild(store.read(), &config);
        match blocking(job).await {
            Ok(Some((stored, built))) => {
                let meta = meta(&built, stored.etag);
                let (store, image) = (self.store.clone(), built.index.to_image());
                let kept = blocking(move || store.replace_image(&image).map_err(|error| error.to_string()));
                if let Err(error) = kept.await {
                    tracing::warn!(%error, "the index of the new configuration is not on disk");
                }
                self.doors.swap(Arc::new(built.index));
                self.active = Some(meta);
                self.still_in = Some(built.still_in);
                self.show_warnings(built.warnings);
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

    fn show_warnings(&mut self, mut warnings: Vec<String>) {
        if warnings.len() > SHOWN_WARNINGS {
            let more = warnings.len() - SHOWN_WARNINGS;
            warnings.truncate(SHOWN_WARNINGS);
            warnings.push(format!("and {more} more"));
        }
        self.status.warnings = warnings;
    }
}

/// Judges by the grants in force; where those cannot be read, by what is known of them without reading.
fn judge_against(
    active: &SnapshotMeta,
    store: &Store,
    config: &Config,
    next: &Built,
    now: Millis,
) -> Option<judge::Hold> {
    let share = config.sync.hold_share;
    let after = Weighed::of(&next.snapshot);
    let rebuilt = build::rebuild(store.read(), config);
    match rebuilt.inspect_err(|error| tracing::warn!(%error, "the facts in force cannot be read")) {
        Ok(Some((_, built))) => judge::judge(&Weighed::of(&built.snapshot), &after, share, now),
        Ok(None) | Err(_) => judge::judge_by_count(active.version, active.grants, &after, share),
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
