//! One comparison: what is wanted, what stands there, and the plan between them.

use super::{Counts, InForce, Known, LOST, PlanDoc, Reconciler};
use crate::{
    config::model::KsConfig,
    domain::{Credential, DoorId},
    salto::{
        KsError, KsKind, SiteFacts,
        actual::{At, Depth, Managed, Seats},
        client::V1_2,
        doors,
        links::{self, KS, Ledger as _, Links, SPREADS},
        plan::{self, Plan, Policy},
        wanted::{self, Given, Wanted},
    },
    store::StoreError,
};
use jiff::tz::TimeZone;
use std::{collections::BTreeMap, sync::Arc};

/// Document of [`KS`]: which lock each door had last.
const LOCKS: &str = "locks";
/// Requests that a steady comparison spends on what is in groups. With 1,000 users (six pages) and the list of groups it
/// comes to 13 requests.
const INSIDES: usize = 6;
/// Requests that reading the site again costs, every quarter of an hour: so many are spared then, so that no comparison
/// takes more than 15.
const SITE: usize = 3;

/// What a comparison came to.
pub(super) struct Compared {
    pub(super) at: At,
    pub(super) role: Result<String, KsError>,
    pub(super) links: Links,
    pub(super) wanted: Arc<Wanted>,
    pub(super) plan: Plan,
}

/// What the store knows.
struct Stored {
    links: Links,
    pairs: Vec<(Credential, Credential)>,
    accepted: bool,
    locks: BTreeMap<DoorId, String>,
}

impl Reconciler {
    /// Compares. `None` when there is nothing wanted yet.
    ///
    /// # Errors
    /// As KS refuses, or when the store cannot be read.
    pub(super) async fn compare(&mut self, depth: Depth) -> Result<Option<Compared>, KsError> {
        let Some(ks) = self.config.ks.clone() else {
            return Ok(None);
        };
        let mut stored = self.stored().await?;
        self.doc.accepted = stored.accepted;
        if depth == Depth::Full {
            // Whoever has ordered seats and asks for a plan wants to see them.
            self.session.look_again().await;
        }
        let facts = self.session.site().await?;
        let reread = self
            .known
            .facts
            .as_ref()
            .is_none_or(|known| !Arc::ptr_eq(known, &facts));
        let insides = if reread { INSIDES - SITE } else { INSIDES };
        self.known.facts = Some(Arc::clone(&facts));
        let at = At {
            connect: self.session.connect().counted(),
            site: facts.id.clone(),
            at_once: ks.at_once,
        };
        self.find_doors(&at, depth, &stored.locks).await?;
        let pairs = std::mem::take(&mut stored.pairs);
        let Some(wanted) = self.wanted(&ks, &facts, pairs).await? else {
            return Ok(None);
        };
        let full = depth == Depth::Full || !self.reader.is_trusted();
        let now = self.clock.now().at;
        self.reader
            .read(&at, &Managed::of(&ks), depth, insides, now)
            .await?;
        if full {
            self.known.full = Some(self.clock.monotonic());
        }
        self.reader.actual.seats = facts.seats.map(|all| Seats { all, taken: 0 });
        self.seats_counted(false);
        self.mend(&mut stored.links, &wanted).await?;
        let Some(policy) = self.policy() else {
            return Ok(None);
        };
        let plan = plan::plan(&wanted, &self.reader.actual, &stored.links, &policy);
        self.doc.wanted = Counts::wanted(&wanted);
        self.doc.compared = Some(now);
        self.doc.notes.clone_from(&wanted.notes);
        let site = if reread { SITE } else { 0 };
        self.doc.requests = at.connect.requests() + u64::try_from(site).unwrap_or(0);
        Ok(Some(Compared {
            at,
            role: facts.role_id().map(str::to_owned),
            links: stored.links,
            wanted,
            plan,
        }))
    }

    /// Notes what a death kept from being noted.
    async fn mend(&self, links: &mut Links, wanted: &Wanted) -> Result<(), KsError> {
        let mended = links.mended(wanted, &self.reader.actual);
        let old: Vec<String> = links
            .founding
            .extract_if(.., |_, at| wanted.now >= at.saturating_add(SPREADS))
            .map(|(group, _)| group)
            .collect();
        if mended.is_empty() && old.is_empty() {
            return Ok(());
        }
        links.users.extend(mended.iter().cloned());
        let store = self.store.clone();
        blocking(move || {
            let mut mended = mended.iter();
            mended.try_for_each(|(person, link)| store.link(person, link))?;
            if old.is_empty() {
                Ok(())
            } else {
                store.founded(&old)
            }
        })
        .await
    }

    /// KS says how many seats there are; how many are taken is counted, as its own number is stale after every change.
    /// `full`: it has just said by its deeds that there are no more.
    pub(super) fn seats_counted(&mut self, full: bool) {
        let actual = &mut self.reader.actual;
        let taken = actual.users.values().filter(|user| !user.suspended).count();
        if let Some(seats) = &mut actual.seats {
            seats.taken = u32::try_from(taken).unwrap_or(u32::MAX);
            if full {
                seats.all = seats.all.min(seats.taken);
            }
        }
    }

    /// What does not depend on people.
    pub(super) fn policy(&self) -> Option<Policy> {
        let ks = self.config.ks.as_ref()?;
        Some(Policy {
            managed: Managed::of(ks),
            pinned: ks.pinned.iter().cloned().collect(),
            deactivate: self.config.rules.deactivate_inactive,
            hold_share: ks.hold_share,
        })
    }

    pub(super) fn plan_doc(&self, compared: &Compared) -> PlanDoc {
        let lock = self.lock_names();
        PlanDoc {
            id: compared.plan.id(),
            steps: compared.plan.steps.iter().map(|step| step.doc(&lock)).collect(),
            waits: compared.plan.waits.clone(),
            held: compared.plan.held.clone(),
            accepted: self.doc.accepted,
            notes: compared.wanted.notes.clone(),
        }
    }

    async fn stored(&self) -> Result<Stored, KsError> {
        let store = self.store.clone();
        let read = move || -> Result<Stored, StoreError> {
            let store = store.read();
            let locks = store.document(KS, LOCKS)?;
            Ok(Stored {
                links: Links::read(store)?,
                pairs: links::pairs(store)?,
                accepted: store.document(KS, "accepted")?.is_some(),
                locks: locks
                    .and_then(|body| serde_json::from_str(&body).ok())
                    .unwrap_or_default(),
            })
        };
        blocking(move || read().map_err(|error| error.to_string())).await
    }

    /// Reads the locks, if it is time, and finds the doors among them.
    async fn find_doors(
        &mut self,
        at: &At,
        depth: Depth,
        remembered: &BTreeMap<DoorId, String>,
    ) -> Result<(), KsError> {
        if depth == Depth::Steady && !self.known.locks.is_empty() {
            return Ok(());
        }
        let path = at.path(&["locks"]);
        self.known.locks = at.connect.list(V1_2, &path, &[], "list the locks").await?;
        let found = doors::resolve(&self.config.doors, &self.known.locks, remembered);
        let now = self.clock.now().at;
        for old in std::mem::take(&mut self.lost) {
            self.health.clear(&old);
        }
        for (door, text) in &found.lost {
            let key = format!("{LOST}{door}");
            self.health.raise(&key, text.clone(), now);
            self.lost.push(key);
        }
        if found != self.known.doors {
            self.known.wanted = None;
            let locks: BTreeMap<&DoorId, &str> = found.iter().collect();
            let (store, body) = (
                self.store.clone(),
                serde_json::to_string(&locks).unwrap_or_default(),
            );
            blocking(move || {
                let put = store.put_documents(KS, &[(LOCKS, Some(body.as_str()))]);
                put.map_err(|error| error.to_string())
            })
            .await?;
            self.known.doors = found;
        }
        Ok(())
    }

    /// What is wanted: as it was worked out last, unless something changed that it hangs on.
    async fn wanted(
        &mut self,
        ks: &KsConfig,
        facts: &SiteFacts,
        pairs: Vec<(Credential, Credential)>,
    ) -> Result<Option<Arc<Wanted>>, KsError> {
        let now = self.clock.now().at;
        let is_new = pairs != self.known.pairs || facts.zone != self.known.zone;
        let zone = facts.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let zone = zone
            .or_else(|| TimeZone::get(&self.config.site.zone).ok())
            .unwrap_or(TimeZone::UTC);
        let kept = self.known.wanted.as_mut().filter(|_| !is_new);
        if let Some(wanted) = kept.filter(|wanted| wanted.next.is_none_or(|next| now < next)) {
            Arc::make_mut(wanted).tick(now, &zone);
            return Ok(Some(Arc::clone(wanted)));
        }
        let (rights, config) = (Arc::clone(&self.rights), Arc::clone(&self.config));
        let (ks, doors, given_pairs) = (ks.clone(), self.known.doors.clone(), pairs.clone());
        let wanted = blocking(move || {
            let Some(InForce { snapshot, emails }) = rights.rights()? else {
                return Ok(None);
            };
            Ok(Some(wanted::wanted(&Given {
                snapshot: &snapshot,
                emails: &emails,
                site: &config.site,
                config: &ks,
                doors: &doors,
                pairs: &given_pairs,
                now,
                zone: &zone,
            })))
        })
        .await?;
        let Known {
            wanted: kept,
            pairs: kept_pairs,
            zone: kept_zone,
            ..
        } = &mut self.known;
        *kept = wanted.map(Arc::new);
        *kept_pairs = pairs;
        kept_zone.clone_from(&facts.zone);
        Ok(self.known.wanted.clone())
    }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, KsError> {
    let failed = |text: String| KsError::new(KsKind::Rejected, text);
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|error| failed(error.to_string()))?.map_err(failed)
}
