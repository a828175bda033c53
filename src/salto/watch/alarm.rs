//! When a lock's flags are worth an event. KS's own are stale by up to half an hour and go back and forth, so a change
//! counts when it has stood for a while. Pure: readings and the time come in, alarms come out.

use crate::salto::model::{Iq, Lock};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// A battery's level has to stand this long: two readings.
const BATTERY_STANDS: Duration = Duration::from_secs(240);
/// An offline flag has to stand this long. A lock is flagged after five missed heartbeats, an IQ after up to half an hour.
const OFFLINE_STANDS: Duration = Duration::from_secs(900);
/// An online flag has to stand this long.
const ONLINE_STANDS: Duration = Duration::from_secs(240);

/// What is told about a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The battery is `low` or `critical`.
    BatteryLow(Battery),
    /// It is good again.
    BatteryGood,
    /// The lock does not answer KS, or its IQ, whose name stands here, does not.
    Offline(Option<String>),
    /// It answers again.
    Online,
}

/// A battery that needs somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Battery {
    /// Weeks.
    Low,
    /// Days.
    Critical,
}

impl Battery {
    /// As KS writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Critical => "critical",
        }
    }
}

/// What was told about a lock last. It outlives a restart, so that nothing is told twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The battery.
    #[serde(default)]
    pub battery: Option<Battery>,
    /// Whether it is offline.
    #[serde(default)]
    pub offline: bool,
}

/// All locks, as they were told and as they have been read since.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    told: BTreeMap<String, Told>,
    turning: BTreeMap<String, Turning>,
}

/// What differs from what was told, and since when.
#[derive(Clone, Copy, Debug, Default)]
struct Turning {
    battery: Option<(Option<Battery>, Duration)>,
    offline: Option<(bool, Duration)>,
}

impl Alarms {
    /// As they were told before the start.
    #[must_use]
    pub const fn new(told: BTreeMap<String, Told>) -> Self {
        Self {
            told,
            turning: BTreeMap::new(),
        }
    }

    /// What was told about each lock.
    #[must_use]
    pub const fn told(&self) -> &BTreeMap<String, Told> {
        &self.told
    }

    /// Takes a reading. `now`: time since the start. Gives what is to be told, each with the lock's id.
    pub fn read(&mut self, locks: &[Lock], iqs: &[Iq], now: Duration) -> Vec<(String, Alarm)> {
        self.told.retain(|id, _| locks.iter().any(|lock| lock.id == *id));
        self.turning
            .retain(|id, _| locks.iter().any(|lock| lock.id == *id));
        let mut alarms = Vec::new();
        for lock in locks {
            let told = self.told.entry(lock.id.clone()).or_default();
            let turning = self.turning.entry(lock.id.clone()).or_default();
            let mut tell = |alarm| alarms.push((lock.id.clone(), alarm));
            if let Some(level) = level(lock.battery_level.as_deref())
                && stands(&mut turning.battery, level, told.battery, now, |_| BATTERY_STANDS)
            {
                // Better, and still low, is no news to anybody who has a new battery in hand.
                if level.is_none() || level > told.battery {
                    tell(level.map_or(Alarm::BatteryGood, Alarm::BatteryLow));
                }
                told.battery = level;
            }
            if let Some((offline, iq)) = offline(lock, iqs)
                && stands(&mut turning.offline, offline, told.offline, now, |offline| {
                    if offline { OFFLINE_STANDS } else { ONLINE_STANDS }
                })
            {
                tell(if offline {
                    Alarm::Offline(iq)
                } else {
                    Alarm::Online
                });
                told.offline = offline;
            }
        }
        alarms
    }
}

/// Whether something other than what was told has stood for long enough.
fn stands<T: Copy + PartialEq>(
    turning: &mut Option<(T, Duration)>,
    is: T,
    told: T,
    now: Duration,
    long: impl Fn(T) -> Duration,
) -> bool {
    if is == told {
        *turning = None;
        return false;
    }
    match turning {
        Some((since_is, since)) if *since_is == is => {
            let enough = now.saturating_sub(*since) >= long(is);
            if enough {
                *turning = None;
            }
            enough
        }
        _ => {
            *turning = Some((is, now));
            false
        }
    }
}

/// Absent when KS says nothing of use: no battery, or one that nobody has heard of yet.
fn level(word: Option<&str>) -> Option<Option<Battery>> {
    match word? {
        "critical" => Some(Some(Battery::Critical)),
        "low" => Some(Some(Battery::Low)),
        "good" | "fresh" => Some(None),
        _ => None,
    }
}

/// Whether a lock is cut off, with its IQ's name if it is the IQ that is.
pub(super) fn offline(lock: &Lock, iqs: &[Iq]) -> Option<(bool, Option<String>)> {
    let iq = lock.iq.as_ref();
    let listed = iq.and_then(|iq| iqs.iter().find(|listed| listed.id == iq.id));
    let iq_online = listed.and_then(|iq| iq.online).or_else(|| iq?.is_online);
    let name = || {
        let name = listed.and_then(|iq| iq.customer_reference.clone());
        name.or_else(|| iq.map(|iq| iq.id.clone()))
    };
    match (lock.online, iq_online) {
        (None, None) => None,
        (_, Some(false)) => Some((true, name())),
        (online, _) => Some((online == Some(false), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MINUTE: u64 = 60;

    fn lock(battery: &str, online: bool) -> Lock {
        let row = json!({ "id": "l", "battery_level": battery, "online": online, "iq": { "id": "q" } });
        serde_json::from_value(row).unwrap()
    }

    fn iq(online: bool) -> Iq {
        serde_json::from_value(json!({ "id": "q", "customer_reference": "Cellar", "online": online }))
            .unwrap()
    }

    /// Readings every five minutes.
    fn told(alarms: &mut Alarms, from: u64, readings: &[(&str, bool, bool)]) -> Vec<(u64, Alarm)> {
        let mut all = Vec::new();
        for (turn, (battery, online, iq_online)) in readings.iter().enumerate() {
            let minute = from + turn as u64 * 5;
            let now = Duration::from_secs(minute * MINUTE);
            let heard = alarms.read(&[lock(battery, *online)], &[iq(*iq_online)], now);
            all.extend(heard.into_iter().map(|(_, alarm)| (minute, alarm)));
        }
        all
    }

    #[test]
    fn a_battery_is_told_when_it_has_stood_and_once() {
        let mut alarms = Alarms::default();
        let low = ("low", true, true);
        let good = ("fresh", true, true);
        let critical = ("critical", true, true);
        assert_eq!(
            told(&mut alarms, 0, &[good, low, good, low]),
            [],
            "it goes back and forth"
        );
        assert_eq!(
            told(&mut alarms, 20, &[low, low, low]),
            [(20, Alarm::BatteryLow(Battery::Low))]
        );
        assert_eq!(
            told(&mut alarms, 40, &[critical, critical, low, low]),
            [(45, Alarm::BatteryLow(Battery::Critical))],
            "worse is told, a little better is not"
        );
        assert_eq!(
            told(&mut alarms, 60, &[("unknown", true, true), ("none", true, true)]),
            []
        );
        assert_eq!(
            told(&mut alarms, 70, &[good, good, good]),
            [(75, Alarm::BatteryGood)]
        );
    }

    #[test]
    fn a_lock_is_offline_after_a_quarter_of_an_hour_and_online_soon() {
        let mut alarms = Alarms::default();
        let (on, off) = (("good", true, true), ("good", false, true));
        assert_eq!(
            told(&mut alarms, 0, &[on, off, off, on, off]),
            [],
            "stale flags come and go"
        );
        assert_eq!(
            told(&mut alarms, 25, &[off, off, off, off]),
            [(35, Alarm::Offline(None))]
        );
        assert_eq!(told(&mut alarms, 45, &[on, off, on, on]), [(60, Alarm::Online)]);
    }

    #[test]
    fn a_lock_behind_an_iq_that_is_away_says_so() {
        let mut alarms = Alarms::default();
        let away = ("good", true, false);
        let heard = told(&mut alarms, 0, &[away, away, away, away]);
        assert_eq!(heard, [(15, Alarm::Offline(Some("Cellar".into())))]);
    }

    #[test]
    fn nothing_is_told_twice_over_a_restart() {
        let mut alarms = Alarms::default();
        let low = ("low", true, true);
        assert_eq!(told(&mut alarms, 0, &[low, low]).len(), 1);
        let text = serde_json::to_string(alarms.told()).unwrap();
        let mut again = Alarms::new(serde_json::from_str(&text).unwrap());
        assert_eq!(told(&mut again, 0, &[low, low, low]), []);
        again.read(&[], &[], Duration::from_secs(1));
        assert!(again.told().is_empty(), "a lock that is gone is forgotten");
    }
}
