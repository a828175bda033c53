//! Entries at SALTO KS become events and check-ins: by the stream at once, by asking where the stream was away, each once.

use crate::{
    cloud_site::members,
    harness::{Gateway, site::Layout, wait_for},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    ks::{Entry, Faults, Ks},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tempfile::TempDir;

/// The tag of member `number` as the platform knows it.
pub(crate) fn tag(number: usize) -> String {
    format!("{:08}", 1_000 + number)
}

/// The real daemon, the reference cloud and SALTO KS. The door `front` is KS's lock "Front door".
pub(crate) struct KsSite {
    pub(crate) gateway: Gateway,
    pub(crate) cloud: Cloud,
    pub(crate) ks: Ks,
    _secrets: TempDir,
}

impl KsSite {
    /// With five members whose cards are tags. `ks`: more lines of `[ks]`; `checkins`: whether there are any.
    pub(crate) fn start(ks: &str, checkins: bool) -> Self {
        let mut world = members(0);
        for number in 0..5 {
            let (id, card) = (format!("p{number}"), format!("ks:{}", tag(number)));
            world.member(&id, &format!("Member {number}"), &card, "Hot desk");
        }
        let cloud = Cloud::start(Options {
            world,
            ..Options::default()
        })
        .unwrap();
        let (peer, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
        let section = peer.ks_section(secrets.path()).unwrap();
        let mut layout = Layout::new("rtc = true")
            .cloud(&cloud, None, "timeout_seconds = 2")
            .table("[sync]", "poll_seconds = 3600")
            .table("", &format!("{section}{ks}\n"))
            .map("plans", "Hot desk", &["members"])
            .group("members", &["front"])
            .door("front", "ks_lock = \"Front door\"");
        if checkins {
            layout = layout.table("[checkins]", "");
        }
        let mut gateway = Gateway::new(layout.text());
        gateway.secret("token", cloud.token());
        gateway.start();
        let site = Self {
            gateway,
            cloud,
            ks: peer,
            _secrets: secrets,
        };
        site.settle();
        site
    }

    /// Waits for facts, for the stream and for a first answer about the past.
    #[track_caller]
    pub(crate) fn settle(&self) {
        self.section("stream, facts and past", |entries, report| {
            entries["connected"] == true
                && entries["complete_until"].is_i64()
                && entries["asking"] == false
                && report["sections"]["sync"]["version"].is_u64()
        });
    }

    /// Waits until the section `ks_entries` is so.
    #[track_caller]
    pub(crate) fn section(&self, what: &str, is: impl Fn(&Value, &Value) -> bool) -> Value {
        wait_for(what, || {
            let report = self.gateway.report();
            let entries = &report["sections"]["ks_entries"];
            if is(entries, &report) {
                Ok(entries.clone())
            } else {
                Err(report.clone())
            }
        })
    }

    /// Member `number` opens the door with the tag, now or so many seconds ago. The entry's id.
    pub(crate) fn opens(&self, number: usize, seconds_ago: i64) -> String {
        self.entry(seconds_ago, |entry| {
            entry.by = Some("tag".into());
            entry.by_detail = Some(tag(number));
        })
    }

    /// Any entry at the front door.
    pub(crate) fn entry(&self, seconds_ago: i64, change: impl FnOnce(&mut Entry)) -> String {
        self.ks
            .add_entry("Front door", self.ks.now() - seconds_ago * 1_000, change)
    }

    /// How often each entry is in the journal.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for event in self.gateway.events() {
            if let Some(id) = event["source"]
                .as_str()
                .and_then(|source| source.strip_prefix("ks:"))
            {
                *counted.entry(id.to_owned()).or_default() += 1;
            }
        }
        counted
    }

    /// Waits until each of these is one event, and fails when one is two.
    #[track_caller]
    fn each_once(&self, ids: &[String]) {
        wait_for("every entry in the journal", || {
            let counted = self.counted();
            assert!(counted.values().all(|count| *count == 1), "twice: {counted:?}");
            let missing = ids.iter().filter(|id| !counted.contains_key(*id)).count();
            if missing == 0 { Ok(()) } else { Err(missing) }
        });
    }
}

/// How soon: `scripts/bench ks`.
#[test]
fn an_entry_by_the_stream_is_a_check_in_at_once() {
    let site = KsSite::start("", true);
    for number in 0..20 {
        site.opens(number % 5, 0);
        wait_for("the check-in", || {
            let there = site.cloud.check_ins().len();
            if there > number { Ok(()) } else { Err(there) }
        });
    }
    let check_ins = site.cloud.check_ins();
    assert!(
        check_ins
            .iter()
            .all(|it| it.body.door == "front" && !it.body.late)
    );
}

#[test]
fn every_kind_of_entry_is_what_the_table_says_and_only_an_entry_is_a_check_in() {
    let site = KsSite::start("", true);
    site.ks.add_tag(&tag(2));
    let came = site.opens(1, 0);
    let refused = site.entry(0, |entry| {
        entry.category = "lock_rejected".into();
        entry.detail = Some("no_access".into());
        entry.by = Some("tag".into());
        entry.by_detail = Some(tag(2));
    });
    let unknown_tag = site.entry(0, |entry| {
        entry.category = "lock_rejected".into();
        entry.by = Some("tag".into());
        entry.by_detail = Some("00009999".into());
    });
    let handle = site.entry(0, |entry| {
        entry.by = Some("inside_handle".into());
        entry.exit = true;
    });
    let pin = site.entry(0, |entry| {
        entry.by = Some("pin_code".into());
        entry.by_detail = Some("4711".into());
        entry.user = Some("00000000-0000-0000-0000-000000000001".into());
    });
    let office = site.entry(0, |entry| {
        entry.category = "easy_office_mode".into();
        entry.detail = Some("start".into());
        entry.by = Some("tag".into());
        entry.by_detail = Some(tag(3));
    });
    let new = site.entry(0, |entry| entry.category = "left_open_alarm".into());
    let elsewhere = site.ks.add_entry("Studio", site.ks.now(), |_| {});
    site.each_once(&[&came, &refused, &unknown_tag, &handle, &pin, &office, &new].map(Clone::clone));
    let events = site.gateway.events();
    let event = |id: &str| {
        let source = format!("ks:{id}");
        events
            .iter()
            .find(|event| event["source"] == source)
            .unwrap()
            .clone()
    };
    for (id, kind) in [
        (&came, "granted"),
        (&refused, "refused"),
        (&unknown_tag, "refused"),
        (&handle, "request_to_exit"),
        (&pin, "granted"),
        (&office, "lock_noted"),
        (&new, "lock_noted"),
    ] {
        assert_eq!(event(id)["kind"], kind, "{}", event(id));
        assert_eq!(event(id)["door"], "front");
    }
    assert_eq!(event(&came)["reason"], "granted_by_ks");
    assert_eq!(event(&refused)["person"]["name"], "Member 2");
    assert_eq!(event(&refused)["credential"], "ks:…02");
    assert_eq!(event(&unknown_tag)["credential"], "ks:…99");
    assert!(event(&unknown_tag)["person"].is_null() && event(&pin)["person"].is_null());
    let status = site.section("the rest counted", |entries, _| entries["elsewhere"] == 1);
    assert_eq!(status["other_locks"][0], "Studio");
    assert_eq!(status["unknown_categories"]["left open alarm"], 1);
    assert!(!site.counted().contains_key(&elsewhere));
    let check_ins = site.cloud.check_ins();
    assert_eq!(check_ins.len(), 1, "{check_ins:?}");
    assert_eq!(check_ins[0].body.person, "p1");
    let log = site.gateway.log();
    for number in [tag(1), tag(2), "00009999".into(), "4711".into()] {
        assert!(!log.contains(&number), "a number in the log");
    }
}

#[test]
fn what_the_stream_loses_is_asked_for_and_what_comes_hours_late_is_late() {
    let mut site = KsSite::start("", true);
    site.ks.faults(Faults {
        stream_away: true,
        ..Faults::default()
    });
    site.ks.drop_streams();
    site.section("the stream gone", |entries, _| entries["connected"] == false);
    let lost: Vec<String> = (0..5).map(|number| site.opens(number, 0)).collect();
    // Asked for while the stream is away; how soon is the plan's business.
    site.each_once(&lost);
    site.ks.faults(Faults::default());
    site.section("the stream back", |entries, _| entries["connected"] == true);
    site.each_once(&lost);
    // A lock that could not upload for three hours, and a gateway that was away.
    site.gateway.stop();
    let late = site.opens(4, 3 * 3_600);
    site.gateway.start();
    site.each_once(&[late]);
    wait_for("the check-ins", || {
        let there = site.cloud.check_ins();
        if there.len() == 6 {
            Ok(())
        } else {
            Err(there.len())
        }
    });
    let late: Vec<bool> = site.cloud.check_ins().iter().map(|it| it.body.late).collect();
    assert_eq!(late.iter().filter(|late| **late).count(), 1, "{late:?}");
}

#[test]
fn a_token_that_runs_out_and_a_hub_that_closes_end_nothing() {
    let site = KsSite::start("", false);
    site.ks.revoke_tokens(false);
    wait_for("another stream", || {
        let streams = site.ks.streams();
        if streams.0 == 1 && streams.1 >= 2 {
            Ok(())
        } else {
            Err(streams)
        }
    });
    let first = site.opens(0, 0);
    site.each_once(&[first]);
    site.ks.close_streams(None);
    wait_for("a third stream", || {
        let streams = site.ks.streams();
        if streams.0 == 1 && streams.1 >= 3 {
            Ok(())
        } else {
            Err(streams)
        }
    });
    let second = site.opens(1, 0);
    site.each_once(&[second]);
}

#[test]
fn without_the_feature_entries_are_asked_for() {
    let mut site = KsSite::start("", false);
    site.gateway.stop();
    site.ks.feature("events_streaming", false);
    let before = site.opens(0, 0);
    site.gateway.start();
    site.section("no stream", |entries, _| entries["streaming"] == false);
    site.each_once(&[before]);
    let after = site.opens(1, 0);
    site.each_once(&[after]);
}

#[test]
fn under_kills_and_lost_streams_each_entry_is_one_event_and_one_check_in() {
    let mut site = KsSite::start("", true);
    let mut ids = Vec::new();
    for round in 0..6_u64 {
        site.ks.faults(Faults {
            lose_events: round % 3 == 1,
            flaky: (round % 3 == 2).then_some(4),
            ..Faults::default()
        });
        for number in 0..8 {
            ids.push(site.opens(number % 5, i64::try_from(round).unwrap()));
            std::thread::park_timeout(Duration::from_millis((round * 7 + number as u64 * 5) % 23));
        }
        site.gateway.kill();
        ids.push(site.opens(0, 60));
        site.gateway.start();
    }
    site.ks.faults(Faults::default());
    site.each_once(&ids);
    wait_for("every check-in", || {
        let there = site.cloud.check_ins().len();
        if there == ids.len() { Ok(()) } else { Err(there) }
    });
    let keys: std::collections::BTreeSet<String> =
        site.cloud.check_ins().into_iter().map(|it| it.key).collect();
    assert_eq!(keys.len(), ids.len(), "each key once");
}

/// How soon: `scripts/bench ks`.
#[test]
fn ten_thousand_entries_of_the_past_come_over_a_kill_and_none_twice() {
    let mut site = KsSite::start("", false);
    site.gateway.stop();
    let ids: Vec<String> = (0..10_000_usize)
        .map(|number| site.opens(number % 5, i64::try_from(number % 7_200).unwrap()))
        .collect();
    site.ks.faults(Faults {
        answer_delay: Some(Duration::from_millis(100)),
        ..Faults::default()
    });
    // Cut in the middle: it goes on from there.
    site.gateway.start();
    site.section("the middle", |entries, _| entries["asked"].as_u64() > Some(3_000));
    site.gateway.kill();
    site.gateway.start();
    site.section("the end", |entries, _| {
        entries["asked"].as_u64() >= Some(10_000) && entries["asking"] == false
    });
    site.each_once(&ids);
    assert_eq!(site.counted().len(), ids.len());
}
