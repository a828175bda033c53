//! Locks and IQs as they are shown: in the health section `ks_locks` without names of people, to staff with them.

use super::{
    alarm::{Told, offline},
    census::{Census, CutOff},
};
use crate::salto::{
    SiteFacts,
    doors::Doors,
    model::{Iq, Lock},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything about the hardware at KS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocksDoc {
    /// The site's name.
    pub site: String,
    /// Whether the subscription runs.
    pub subscription_valid: Option<bool>,
    /// Seats.
    pub seats: Option<u32>,
    /// Taken ones.
    pub seats_taken: Option<u32>,
    /// Locks by name.
    pub locks: Vec<LockDoc>,
    /// IQs by name.
    pub iqs: Vec<IqDoc>,
}

/// A lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockDoc {
    /// What it is called.
    pub name: String,
    /// The door here.
    pub door: Option<String>,
    /// As KS says it.
    pub battery: Option<String>,
    /// Whether KS hears it now; stale by up to half an hour.
    pub online: Option<bool>,
    /// Whether it has been told as offline.
    pub told_offline: bool,
    /// Keys with offline access.
    pub offline_keys: Option<u32>,
    /// And how many fit.
    pub offline_keys_limit: Option<u32>,
    /// Who gets in while it is cut off; absent until it was counted.
    pub cut_off: Option<CutOff>,
}

/// An IQ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IqDoc {
    /// What it is called.
    pub name: String,
    /// Whether KS hears it; stale.
    pub online: Option<bool>,
    /// `synced`, `pending`, `not_synced`, `failed`.
    pub sync: Option<String>,
}

impl LocksDoc {
    /// Puts it together.
    #[must_use]
    pub fn new(
        site: &SiteFacts,
        locks: &[Lock],
        iqs: &[Iq],
        doors: &Doors,
        told: &BTreeMap<String, Told>,
        census: Option<&Census>,
    ) -> Self {
        let lock = |lock: &Lock| LockDoc {
            name: lock.customer_reference.clone().unwrap_or_else(|| lock.id.clone()),
            door: doors.door(&lock.id).map(|door| door.as_str().to_owned()),
            battery: lock.battery_level.clone(),
            online: offline(lock, iqs).map(|(offline, _)| !offline),
            told_offline: told.get(&lock.id).is_some_and(|told| told.offline),
            offline_keys: lock.offline_access_keys_count,
            offline_keys_limit: lock.offline_access_keys_limit,
            cut_off: census.and_then(|census| census.get(&lock.id)).cloned(),
        };
        let iq = |iq: &Iq| IqDoc {
            name: iq.customer_reference.clone().unwrap_or_else(|| iq.id.clone()),
            online: iq.online,
            sync: iq.data_sync_state.clone(),
        };
        let mut doc = Self {
            site: site.name.clone(),
            subscription_valid: site.subscription_valid,
            seats: site.seats,
            seats_taken: site.seats_taken,
            locks: locks.iter().map(lock).collect(),
            iqs: iqs.iter().map(iq).collect(),
        };
        doc.locks.sort_by(|one, other| one.name.cmp(&other.name));
        doc.iqs.sort_by(|one, other| one.name.cmp(&other.name));
        doc
    }

    /// The same without names of people: this one goes to the building network too.
    #[must_use]
    pub fn without_names(&self) -> serde_json::Value {
        let mut doc = serde_json::to_value(self).unwrap_or_default();
        let locks = doc.get_mut("locks").and_then(serde_json::Value::as_array_mut);
        for cut in locks
            .into_iter()
            .flatten()
            .filter_map(|lock| lock.get_mut("cut_off"))
        {
            if let Some(lose) = cut.get_mut("lose") {
                *lose = lose.as_array().map_or(0, Vec::len).into();
            }
        }
        doc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_counts_people_and_does_not_name_them() {
        let doc = LocksDoc {
            locks: vec![LockDoc {
                cut_off: Some(CutOff {
                    people: 2,
                    lose: vec!["Ada".into(), "Bea".into()],
                    ..CutOff::default()
                }),
                ..LockDoc::default()
            }],
            ..LocksDoc::default()
        };
        let shown = doc.without_names();
        assert_eq!(shown["locks"][0]["cut_off"]["lose"], 2);
        assert!(!shown.to_string().contains("Ada"));
    }
}
