//! R25 at Cobot: who stays longer than the cheap pass lasts is charged the dear one, and gets the cheap one back (S3:72).
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cobot_site::{BEN, DAY, HOUR, MINUTE, NOW, Site, check_in, fetch, got};
use doorward::{
    config::model::{Profile, RulesConfig},
    domain::{
        Millis,
        facts::Facts,
        site::{Group, Site as House},
    },
    platform::{Hint, Platform},
    rules,
};
use doorward_peers::office::Office;

/// 03:59:59 on the next morning in Madrid: the end of the vendor's day.
const END_OF_DAY: Millis = NOW + 17 * HOUR + 59 * MINUTE + 59_000;

/// What Cobot does when a member leaves later than a pass of two hours lasts: the session runs on the day pass.
fn upgrades(site: &Site) {
    site.cobot.edit(|world| {
        let of = |kind: &str| world.time_passes.iter().position(|it| it.kind == kind).unwrap();
        let (short, long) = (of("Two hours"), of("Day pass"));
        world.time_passes[short].used = None;
        world.time_passes[long].used = Some(NOW + 3 * HOUR);
        let id = world.time_passes[long].id.clone();
        world.sessions[0].time_pass = Some(id);
        world.sessions[0].until = END_OF_DAY;
    });
}

/// What a pass has left, and until when it runs, by its kind.
fn stands(facts: &Facts, kind: &str) -> (Option<u32>, Option<Millis>) {
    let pass = facts.passes.iter().find(|it| it.kind == kind).unwrap();
    (pass.left, pass.running_until)
}

/// Whether his plan, which needs passes, opens at an instant.
fn plan_opens(facts: &Facts, at: Millis) -> bool {
    let mut rules = RulesConfig::of(Profile::Cobot);
    rules.restrict_on_exhaustion = true;
    rules.plans.insert("Day passes".into(), vec!["members".into()]);
    let house = House {
        zone: "Europe/Madrid".into(),
        doors: vec![],
        groups: vec![Group {
            id: "members".into(),
            doors: vec![],
            hours: None,
        }],
        schedules: vec![],
        holidays: vec![],
    };
    let outcome = rules::grants(facts, &rules, &house);
    let his = outcome.grants.iter().filter(|it| it.person.as_str() == BEN);
    his.filter(|it| it.rule == 22 && it.void.is_none())
        .any(|it| it.window.contains(at))
}

/// R25, S3:72: the shorter pass is returned, the longer one deducted instead.
#[tokio::test]
async fn the_pass_that_comes_back_opens_again_and_the_dear_one_runs() {
    let site = Site::start();
    site.cobot.give_passes(BEN, "Two hours", 1).unwrap();
    site.cobot.give_passes(BEN, "Day pass", 1).unwrap();
    fetch(&site.adapter).await;
    site.adapter.check_in(&check_in("e-1", BEN, NOW)).await.unwrap();
    let cheap = fetch(&site.adapter).await;
    assert_eq!(
        stands(&cheap.facts, "Two hours"),
        (Some(0), Some(NOW + 2 * HOUR)),
        "R24: the cheap one first"
    );
    assert_eq!(stands(&cheap.facts, "Day pass"), (Some(1), None));

    site.wait(HOUR);
    upgrades(&site);
    let refreshed = site
        .adapter
        .refresh(&cheap.known, cheap.facts, &[Hint::Person(BEN.into())])
        .await;
    let after = got(refreshed.unwrap());
    assert_eq!(stands(&after.facts, "Two hours"), (Some(1), None), "R25");
    assert_eq!(stands(&after.facts, "Day pass"), (Some(0), Some(END_OF_DAY)));
    // Not remembered, but said by Cobot: a gateway that knows nothing reads the same.
    assert_eq!(fetch(&site.stranger()).await.facts.passes, after.facts.passes);

    assert!(
        plan_opens(&after.facts, NOW + 3 * HOUR),
        "while the dear one runs"
    );
    site.wait(DAY);
    let tomorrow = fetch(&site.adapter).await.facts;
    assert_eq!(stands(&tomorrow, "Two hours"), (Some(1), None));
    assert!(
        plan_opens(&tomorrow, NOW + DAY + HOUR),
        "by the one that came back"
    );
    let again = site
        .adapter
        .check_in(&check_in("e-2", BEN, NOW + DAY + HOUR))
        .await;
    assert!(again.is_ok(), "{again:?}");
    let spent = fetch(&site.adapter).await.facts;
    assert_eq!(stands(&spent, "Two hours").0, Some(0));
    site.wait(DAY);
    assert!(!plan_opens(
        &fetch(&site.adapter).await.facts,
        NOW + 2 * DAY + HOUR
    ));
}
