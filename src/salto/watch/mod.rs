//! Locks and IQs at KS are looked at every few minutes: their state goes to health, batteries and locks that are cut off
//! become events of their doors, which the building network then hears.
//!
//! | file | what |
//! | --- | --- |
//! | `alarm` | when a flag is worth an event, pure |
//! | `census` | who gets in while a lock is cut off |
//! | `doc` | what is shown |

mod alarm;
mod census;
mod doc;

pub use alarm::{Alarm, Alarms, Battery, Told};
pub use census::{Census, CutOff, census};
pub use doc::{IqDoc, LockDoc, LocksDoc};

use super::{
    KsError, Session,
    client::V1_2,
    doors,
    model::{Iq, Lock},
    session::{ROOM, blocking},
};
use crate::{
    clock::Clock,
    config::model::DoorConfig,
    domain::{DoorId, EventKind, event::Draft},
    health::Health,
    store::Store,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::sync::watch;

/// Between two looks. Two requests each.
const EVERY: Duration = Duration::from_secs(300);
/// The first count of keys with offline access, so that a start has better things to do first.
const FIRST_CENSUS: Duration = Duration::from_secs(120);
/// Between two counts.
const CENSUS: Duration = Duration::from_secs(86_400);
/// A pause after each request of a count.
const PACE: Duration = Duration::from_secs(1);
/// Without a reading for so long the locks' state is not known.
const BLIND: Duration = Duration::from_secs(1_800);
/// The document with what was told.
const TOLD: &str = "watch";
/// The section of health.
const SECTION: &str = "ks_locks";
/// Faults that are begun here: kinds, or the beginnings of keys.
const FAULTS: [&str; 6] = [
    "ks_battery:",
    "ks_lock_offline:",
    "ks_lock_unknown:",
    "ks_iq_sync:",
    "ks_offline_keys:",
    "ks_locks_unread",
];

/// The watch over one account.
#[derive(Debug)]
pub struct Watch {
    session: Session,
    doors: Vec<DoorConfig>,
    store: Store,
    clock: Clock,
    health: Health,
    shown: watch::Sender<Option<LocksDoc>>,
    census: watch::Sender<Option<Census>>,
    alarms: Option<Alarms>,
    faults: BTreeSet<String>,
    last_read: Duration,
}

impl Watch {
    /// For this account. `shown` gets everything, with names.
    #[must_use]
    pub fn new(
        session: Session,
        doors: Vec<DoorConfig>,
        store: Store,
        health: Health,
        shown: watch::Sender<Option<LocksDoc>>,
    ) -> Self {
        let clock = session.clock().clone();
        Self {
            last_read: clock.monotonic(),
            session,
            doors,
            store,
            clock,
            health,
            shown,
            census: watch::Sender::new(None),
            alarms: None,
            faults: BTreeSet::new(),
        }
    }

    /// Looks until it is dropped.
    pub async fn run(mut self) {
        let (session, census) = (self.session.clone(), self.census.clone());
        let doors = self.doors.clone();
        let counting = async {
            tokio::time::sleep(FIRST_CENSUS).await;
            loop {
                match count(&session, &doors, PACE).await {
                    Ok(counted) => drop(census.send_replace(Some(counted))),
                    Err(error) => tracing::info!(%error, "keys with offline access were not counted"),
                }
                tokio::time::sleep(CENSUS).await;
            }
        };
        let looking = async {
            loop {
                self.turn().await;
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::join!(counting, looking);
    }

    /// Counts keys with offline access now.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn count_now(&self) -> Result<(), KsError> {
        let counted = count(&self.session, &self.doors, Duration::ZERO).await?;
        self.census.send_replace(Some(counted));
        Ok(())
    }

    /// Looks once. A failure changes nothing, and is a fault when it goes on.
    pub async fn turn(&mut self) {
        let now = self.clock.monotonic();
        match self.look(now).await {
            Ok(()) => {
                self.last_read = now;
                self.health.clear("ks_locks_unread");
            }
            Err(error) if now.saturating_sub(self.last_read) >= BLIND => {
                let text =
                    format!("locks and batteries at SALTO KS have not been read for half an hour: {error}");
                self.health.raise("ks_locks_unread", text, self.clock.now().at);
            }
            Err(error) => tracing::info!(%error, "the locks at SALTO KS were not read"),
        }
    }

    async fn look(&mut self, now: Duration) -> Result<(), KsError> {
        let site = self.session.site().await?;
        let connect = self.session.connect();
        let path = |what| ["sites", site.id.as_str(), what];
        let locks = connect
            .list::<Lock>(V1_2, &path("locks"), &[], "list the locks")
            .await?;
        let iqs = connect
            .list::<Iq>(V1_2, &path("iqs"), &[], "list the IQs")
            .await?;
        let doors = doors::resolve(&self.doors, &locks, &BTreeMap::new());
        let mut alarms = match self.alarms.take() {
            Some(alarms) => alarms,
            None => Alarms::new(self.told_before().await?),
        };
        let heard = alarms.read(&locks, &iqs, now);
        for (lock, alarm) in &heard {
            if let Some(door) = doors.door(lock) {
                self.tell(door, alarm);
            }
        }
        let kept = match heard.is_empty() {
            true => Ok(()),
            false => self.keep(alarms.told()).await,
        };
        self.faults(&locks, &iqs, &doors, alarms.told());
        let doc = LocksDoc::new(
            &site,
            &locks,
            &iqs,
            &doors,
            alarms.told(),
            self.census.borrow().as_ref(),
        );
        self.alarms = Some(alarms);
        self.health.section(SECTION, &doc.without_names());
        self.shown.send_replace(Some(doc));
        kept
    }

    fn tell(&self, door: &DoorId, alarm: &Alarm) {
        let (kind, detail) = match alarm {
            Alarm::BatteryLow(battery) => (EventKind::BatteryLow, Some(battery.word().to_owned())),
            Alarm::BatteryGood => (EventKind::BatteryGood, None),
            Alarm::Offline(None) => (EventKind::LockOffline, None),
            Alarm::Offline(Some(iq)) => (
                EventKind::LockOffline,
                Some(format!("its IQ {iq} does not answer")),
            ),
            Alarm::Online => (EventKind::LockOnline, None),
        };
        let now = self.clock.now();
        self.store.record(&Draft {
            door: Some(door.clone()),
            detail,
            ..Draft::new(kind, now.at, now.quality())
        });
    }

    /// What a person should act on now.
    fn faults(&mut self, locks: &[Lock], iqs: &[Iq], doors: &doors::Doors, told: &BTreeMap<String, Told>) {
        let mut faults: BTreeMap<String, String> = BTreeMap::new();
        for (door, words) in &doors.lost {
            faults.insert(format!("ks_lock_unknown:{door}"), words.clone());
        }
        for lock in locks {
            let Some(door) = doors.door(&lock.id) else {
                continue;
            };
            let told = told.get(&lock.id).copied().unwrap_or_default();
            if let Some(battery) = told.battery {
                let text = format!(
                    "the battery of the lock at door {door} is {}: change it",
                    battery.word()
                );
                faults.insert(format!("ks_battery:{door}"), text);
            }
            if told.offline {
                let text = format!(
                    "the lock at door {door} does not answer SALTO KS: changes do not reach it, and only keys with offline access open it; look at its IQ's power and network, and at the distance between them"
                );
                faults.insert(format!("ks_lock_offline:{door}"), text);
            }
            let full = lock.offline_access_keys_limit.filter(|limit| *limit > 0);
            if let (Some(limit), Some(count)) = (full, lock.offline_access_keys_count)
                && count >= limit
            {
                let text = format!(
                    "the lock at door {door} holds {count} keys with offline access and no more fit: take it from people who do not need it"
                );
                faults.insert(format!("ks_offline_keys:{door}"), text);
            }
        }
        // "not_synced" was the steady state of IQs whose doors worked, so only a failure counts.
        for iq in iqs
            .iter()
            .filter(|iq| iq.data_sync_state.as_deref() == Some("failed"))
        {
            let name = iq.customer_reference.as_deref().unwrap_or(&iq.id);
            let text = format!(
                "IQ {name} at SALTO KS could not take the last changes: look at its network, and restart it in SALTO KS"
            );
            faults.insert(format!("ks_iq_sync:{}", iq.id), text);
        }
        for ended in self.faults.iter().filter(|key| !faults.contains_key(*key)) {
            self.health.clear(ended);
        }
        let at = self.clock.now().at;
        self.faults = faults.keys().cloned().collect();
        for (key, text) in faults {
            self.health.raise(&key, text, at);
        }
    }

    async fn told_before(&self) -> Result<BTreeMap<String, Told>, KsError> {
        let store = self.store.clone();
        let body = blocking(move || store.read().document(ROOM, TOLD)).await?;
        Ok(body
            .and_then(|body| serde_json::from_str(&body).ok())
            .unwrap_or_default())
    }

    async fn keep(&self, told: &BTreeMap<String, Told>) -> Result<(), KsError> {
        let (store, body) = (
            self.store.clone(),
            serde_json::to_string(told).unwrap_or_default(),
        );
        blocking(move || store.put_documents(ROOM, &[(TOLD, Some(&body))])).await
    }
}

/// Ends the faults of a watch: another one begins anew, and without `[ks]` there is none.
pub fn stand_down(health: &Health) {
    for fault in health.doc().faults {
        if FAULTS.iter().any(|kind| fault.key.starts_with(kind)) {
            health.clear(&fault.key);
        }
    }
}

async fn count(session: &Session, doors: &[DoorConfig], pace: Duration) -> Result<Census, KsError> {
    let site = session.site().await?;
    let connect = session.connect();
    let path = ["sites", site.id.as_str(), "locks"];
    let locks = connect.list::<Lock>(V1_2, &path, &[], "list the locks").await?;
    let doors = doors::resolve(doors, &locks, &BTreeMap::new());
    let matter = doors.iter().map(|(_, lock)| lock.to_owned()).collect();
    census(connect, &site.id, &matter, pace).await
}
