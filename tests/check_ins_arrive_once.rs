//! Each granted entry is one check-in at the cloud, exactly one, whatever is killed, cut off or refused meanwhile.

use crate::{
    cloud_site::{CloudSite, Plan, members},
    harness::wait_for,
};
use doorward_peers::cloud::{Faults, Line, Throttle};
use std::{collections::BTreeMap, time::Duration};

/// SplitMix64: the same seed makes the same trouble.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn trouble(chance: &mut Seeded) -> Faults {
    let seed = chance.below(u64::MAX);
    let calm = Faults {
        seed,
        ..Faults::default()
    };
    match chance.below(4) {
        0 => Faults {
            lose_reply_after_commit: 0.5,
            ..calm
        },
        1 => Faults {
            error_500: 0.3,
            ..calm
        },
        2 => Faults {
            throttle: Some(Throttle {
                every: 3,
                retry_after: 1,
            }),
            ..calm
        },
        _ => Faults {
            lose_reply_after_commit: 0.3,
            error_500: 0.2,
            ..calm
        },
    }
}

/// Who, where and when of each entry, by its id.
type Entries = BTreeMap<String, (String, String, jiff::Timestamp)>;

fn granted(site: &CloudSite) -> Entries {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    site.entries()
        .iter()
        .filter(|entry| entry["kind"] == "granted")
        .map(|entry| {
            let at = text(&entry["time"]).parse().unwrap();
            (
                text(&entry["id"]),
                (text(&entry["person"]["id"]), text(&entry["door"]), at),
            )
        })
        .collect()
}

fn arrived(site: &CloudSite) -> Entries {
    let all = site.cloud.check_ins();
    let entries: Entries = all
        .iter()
        .map(|it| {
            let body = &it.body;
            let at = body.at.parse().unwrap();
            (it.key.clone(), (body.person.clone(), body.door.clone(), at))
        })
        .collect();
    assert_eq!(entries.len(), all.len(), "a key counts once");
    entries
}

fn plan(checkins: &str) -> Plan {
    let mut plan = Plan {
        checkins: checkins.into(),
        ..Plan::default()
    };
    plan.options.world = members(5);
    plan
}

/// R27, S3:44: whoever opens a lock is checked in.
#[test]
fn under_kills_outages_lost_answers_and_throttling_none_is_missing_and_none_twice() {
    let mut chance = Seeded(20_260_522);
    let mut site = CloudSite::start(plan(""));
    for _ in 0..8 {
        site.cloud.faults(trouble(&mut chance));
        let line = [Line::Up, Line::Up, Line::Refusing, Line::Hanging];
        site.cloud
            .set_line(line[usize::try_from(chance.below(4)).unwrap()]);
        for _ in 0..12 {
            site.tap(usize::try_from(chance.below(5)).unwrap());
            std::thread::park_timeout(Duration::from_micros(chance.below(15_000)));
        }
        // Somewhere between the presentations, the journal's commits and the deliveries.
        std::thread::park_timeout(Duration::from_millis(chance.below(300)));
        site.gateway.kill();
        site.gateway.start();
        wait_for("the line", || {
            let report = site.report();
            if report["sections"]["lines"]["side"]["open"] == true {
                Ok(())
            } else {
                Err(report)
            }
        });
    }
    site.cloud.faults(Faults::default());
    site.cloud.set_line(Line::Up);
    assert_eq!(site.tapped(0), "granted_plan");
    let expected = granted(&site);
    wait_for("every check-in", || {
        let arrived = arrived(&site);
        if arrived.len() >= expected.len() {
            Ok(())
        } else {
            Err((arrived.len(), site.report()))
        }
    });
    assert_eq!(arrived(&site), expected);
    assert!(expected.len() > 50, "{} of 97", expected.len());
    assert!(
        site.cloud.check_ins().iter().any(|it| it.deliveries > 1),
        "some came again"
    );
    wait_for("an empty outbox", || {
        let report = site.report();
        let unsent = &report["sections"]["store"]["unsent"]["check-ins"];
        let calm = !report["faults"].to_string().contains("check_in");
        if unsent == 0 && calm { Ok(()) } else { Err(report) }
    });
    site.gateway.stop();
}

#[test]
fn one_delivered_again_as_late_is_the_one_that_came_in_time() {
    let site = CloudSite::start(plan("late_after_seconds = 1"));
    site.cloud.faults(Faults {
        lose_reply_after_commit: 1.0,
        ..Faults::default()
    });
    site.tap(1);
    wait_for("the first delivery", || match site.cloud.check_ins().len() {
        1 => Ok(()),
        count => Err(count),
    });
    let first = &site.cloud.check_ins()[0];
    assert!(!first.body.late);
    wait_for("a delivery that is late", || {
        let last = site.cloud.check_ins()[0].clone();
        if last.last_late {
            Ok(())
        } else {
            Err(last.deliveries)
        }
    });
    site.cloud.faults(Faults::default());
    wait_for("the answer", || {
        let report = site.report();
        let unsent = report["sections"]["store"]["unsent"]["check-ins"] == 0;
        if unsent { Ok(()) } else { Err(report) }
    });
    let taken = site.cloud.check_ins();
    assert_eq!((taken.len(), taken[0].body.late), (1, false));
    let report = site.report();
    assert_eq!(report["sections"]["check_ins"]["delivered"], 1, "{report}");
    assert_eq!(report["faults"], serde_json::json!([]));
}

#[test]
fn one_that_the_cloud_never_takes_is_shown_and_does_not_hold_up_the_next() {
    let site = CloudSite::start(plan(""));
    site.cloud.faults(Faults {
        check_ins_answered: Some(422),
        ..Faults::default()
    });
    assert_eq!(site.tapped(1), "granted_plan");
    let report = wait_for("the fault", || {
        let report = site.report();
        let faults = report["faults"].to_string();
        if faults.contains("check_in_rejected") {
            Ok(report)
        } else {
            Err(report)
        }
    });
    let text = report["faults"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("the entry is in the journal") && text.contains("status 422"),
        "{text}"
    );
    site.cloud.faults(Faults::default());
    site.tap(2);
    wait_for("the next one", || match site.cloud.check_ins() {
        all if all.len() == 1 => Ok(()),
        all => Err(all),
    });
    assert_eq!(site.cloud.check_ins()[0].body.person, "p2");
    wait_for("both counted", || {
        let counts = site.report()["sections"]["check_ins"].clone();
        if (&counts["delivered"], &counts["rejected"]) == (&1.into(), &1.into()) {
            Ok(())
        } else {
            Err(counts)
        }
    });
}
