//! SALTO KS, or its stream alone, is away for an hour and for three months. Whatever happened at the locks meanwhile becomes one
//! event and one check-in, by the real gateway in a time that runs ahead of the machine's.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, local, members, tag},
};
use doorward_peers::ks::{CLEANER_TAG, Faults};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: usize = 5;
const DAY: u64 = 86_400;

fn site() -> KsSite {
    let site = KsSite::start(Plan {
        world: members(PEOPLE),
        house: House::small(),
        at: Some(local("2027-02-03T09:00")),
        ks: "[checkins]".into(),
        ..Plan::default()
    });
    site.applied();
    site.wait_in_step();
    section(&site, "stream and past", |entries| {
        entries["connected"] == true && entries["complete_until"].is_i64() && entries["asking"] == false
    });
    site
}

fn section(site: &KsSite, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || {
        let report = site.gateway.report();
        let entries = &report["sections"]["ks_entries"];
        if is(entries) {
            Ok(entries.clone())
        } else {
            Err(report)
        }
    })
}

/// Member `number` opens the front door now. The entry's id.
fn opens(site: &KsSite, number: usize) -> String {
    let did = site
        .ks
        .open_lock_with_tag("Front door", &tag(number % PEOPLE), site.ks.now());
    assert!(did.opened(), "{did:?}");
    site.ks.entries().last().unwrap().id.clone()
}

/// How often each entry is in the journal.
fn counted(site: &KsSite) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for event in site.gateway.events() {
        if let Some(id) = event["source"]
            .as_str()
            .and_then(|source| source.strip_prefix("ks:"))
        {
            *counted.entry(id.to_owned()).or_default() += 1;
        }
    }
    counted
}

/// Waits until each of these is one event and one check-in. Timers run ahead while it waits.
#[track_caller]
fn each_once(site: &KsSite, ids: &[String]) {
    let mut looks = 0_u32;
    wait_for("every entry in the journal", || {
        looks += 1;
        if looks.is_multiple_of(10) {
            site.pass(60);
        }
        let counted = counted(site);
        assert!(counted.values().all(|count| *count == 1), "twice: {counted:?}");
        let missing = ids.iter().filter(|id| !counted.contains_key(*id)).count();
        if missing == 0 { Ok(()) } else { Err(missing) }
    });
    wait_for("every check-in", || match site.cloud.check_ins().len() {
        there if there == ids.len() => Ok(()),
        there => Err(there),
    });
    let keys: BTreeSet<String> = site.cloud.check_ins().into_iter().map(|it| it.key).collect();
    assert_eq!(keys.len(), ids.len(), "each key once");
}

#[test]
fn an_hour_without_the_stream_is_asked_for_and_each_entry_counts_once() {
    let site = site();
    let mut ids = vec![opens(&site, 0)];
    each_once(&site, &ids);
    site.ks.faults(Faults {
        stream_away: true,
        ..Faults::default()
    });
    site.ks.drop_streams();
    section(&site, "the stream gone", |entries| entries["connected"] == false);
    for quarter in 0..6 {
        ids.push(opens(&site, quarter));
        site.pass(10 * 60);
        ids.push(opens(&site, quarter + 1));
        // Asked for every 15 seconds while the stream is away.
        each_once(&site, &ids);
    }
    let text = site.wait_for_fault("ks_stream");
    assert!(text.contains("every 15 s") && text.contains("minutes"), "{text}");
    // It comes back, and what is asked for once more is known.
    site.ks.faults(Faults::default());
    site.pass(2 * 60);
    section(&site, "the stream back", |entries| entries["connected"] == true);
    assert_eq!(site.fault("ks_stream"), None);
    ids.push(opens(&site, 3));
    each_once(&site, &ids);
    let streams = site.ks.streams();
    site.pass(20 * 60);
    ids.push(opens(&site, 4));
    each_once(&site, &ids);
    assert!(streams.1 >= 2, "{streams:?}");
    let late = site.cloud.check_ins().iter().filter(|it| it.body.late).count();
    assert!(late <= 6, "only what waited for ten minutes may be late: {late}");
}

/// Nobody hears KS for so many days, with ten entries at each.
fn away(site: &KsSite, days: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for day in 0..days {
        site.pass(DAY);
        for number in 0..10 {
            ids.push(opens(site, day + number));
        }
        // Not every opening is of a member.
        let now = site.ks.now();
        site.ks.open_lock_with_tag("Front door", CLEANER_TAG, now);
    }
    ids
}

#[test]
fn ninety_days_without_salto_ks_lose_no_entry() {
    let mut site = site();
    let mut ids = vec![opens(&site, 0)];
    each_once(&site, &ids);
    site.ks.faults(Faults {
        away: true,
        ..Faults::default()
    });
    site.ks.drop_streams();
    ids.extend(away(&site, 89));
    section(&site, "the stream gone", |entries| entries["connected"] == false);
    // Back, in a bad state: every seventh answer is none, pages are short, and the gateway is killed in the middle.
    site.ks.manners(|manners| manners.most_entries = 40);
    site.ks.faults(Faults {
        flaky: Some(7),
        ..Faults::default()
    });
    site.ks.forget_asked();
    wait_for("the middle", || {
        site.pass(30);
        let pages = site
            .ks
            .asked()
            .into_iter()
            .filter(|asked| asked.path.ends_with("/entries"));
        match pages.filter(|asked| asked.status == 200).count() {
            pages if pages >= 5 => Ok(()),
            pages => Err(pages),
        }
    });
    site.gateway.kill();
    site.ks.faults(Faults::default());
    site.gateway.start();
    each_once(&site, &ids);
    let asked = site.ks.asked();
    assert!(
        asked.iter().all(|asked| asked.status != 405),
        "entries are of the older version only"
    );
    let late = site.cloud.check_ins().iter().filter(|it| it.body.late).count();
    assert!(late >= ids.len() - 20, "{late} of {}", ids.len());
}

#[test]
fn a_hundred_days_away_keep_what_salto_ks_still_has() {
    let mut site = site();
    site.gateway.stop();
    let ids = away(&site, 100);
    site.gateway.start();
    // Entries of ninety days: nine tens of each hundred, and the day that is half over.
    let oldest = site.ks.now() - 90 * 86_400_000;
    let kept: BTreeSet<String> = site
        .ks
        .entries()
        .into_iter()
        .filter(|entry| entry.at > oldest)
        .map(|entry| entry.id)
        .collect();
    let kept: Vec<String> = ids.into_iter().filter(|id| kept.contains(id)).collect();
    assert!((890..=910).contains(&kept.len()), "{}", kept.len());
    each_once(&site, &kept);
}
