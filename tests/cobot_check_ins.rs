//! Check-ins and cards at Cobot: looked for before they are made, never late, one for all entries while it runs.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cobot_site::{ANA, BEN, CARA, DAY, HOUR, MINUTE, NOW, Site, check_in, fetch, got};
use doorward::{
    domain::Millis,
    platform::{CheckIn, CheckInOutcome, ErrorKind, Hint, Platform, Retry},
};
use doorward_peers::{cobot::Faults, office::Office};

/// 03:59:59 on the next morning in Madrid: the end of the vendor's day.
const END_OF_DAY: Millis = NOW + 17 * HOUR + 59 * MINUTE + 59_000;

fn accepted(until: Millis) -> CheckInOutcome {
    CheckInOutcome::Accepted {
        running_until: Some(until),
    }
}
#[track_caller]
fn reason(outcome: CheckInOutcome) -> String {
    let CheckInOutcome::Refused { reason } = outcome else {
        panic!("{outcome:?}")
    };
    reason
}
fn posts(site: &Site) -> usize {
    site.cobot.log().iter().filter(|it| it.method == "POST").count()
}
fn late(check_in: CheckIn) -> CheckIn {
    CheckIn {
        late: true,
        ..check_in
    }
}
fn answer_lost() -> Faults {
    Faults {
        only: Some("=/check_ins".into()),
        lose_answer: true,
        ..Faults::default()
    }
}

/// R28, S3:73: in and out as often as one likes for as long as the pass runs.
#[tokio::test]
async fn one_check_in_stands_for_all_entries_while_it_runs() {
    let site = Site::start();
    site.cobot.give_card(BEN, "04A2B3C4D5E680");
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    fetch(&site.adapter).await;
    assert_eq!(
        site.adapter.check_in(&check_in("e-1", BEN, NOW)).await.unwrap(),
        accepted(END_OF_DAY)
    );
    let before = site.cobot.log().len();
    site.wait(HOUR);
    let again = check_in("e-2", BEN, NOW + HOUR);
    assert_eq!(site.adapter.check_in(&again).await.unwrap(), accepted(END_OF_DAY));
    assert_eq!(
        (site.cobot.log().len(), posts(&site)),
        (before, 1),
        "R28: without asking"
    );
    site.wait(DAY);
    let tomorrow = check_in("e-3", BEN, NOW + DAY + HOUR);
    assert_eq!(
        site.adapter.check_in(&tomorrow).await.unwrap(),
        accepted(END_OF_DAY + DAY)
    );
    assert_eq!(
        site.cobot.attendance().len(),
        2,
        "the second pass on the second day"
    );
    site.wait(DAY);
    let third = site
        .adapter
        .check_in(&check_in("e-4", BEN, NOW + 2 * DAY + HOUR))
        .await
        .unwrap();
    assert!(
        reason(third).contains("not enough time passes"),
        "R30: an answer and no failure"
    );
}

#[tokio::test]
async fn two_taps_at_once_take_one_pass() {
    let site = Site::start();
    site.cobot.give_card(BEN, "04A2B3C4D5E680");
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    fetch(&site.adapter).await;
    let (one, two) = (check_in("e-1", BEN, NOW), check_in("e-2", BEN, NOW));
    let (one, two) = tokio::join!(site.adapter.check_in(&one), site.adapter.check_in(&two));
    assert_eq!(
        (one.unwrap(), two.unwrap()),
        (accepted(END_OF_DAY), accepted(END_OF_DAY))
    );
    assert_eq!(site.cobot.attendance().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_takes_no_second_pass() {
    let site = Site::start();
    site.cobot.give_card(BEN, "04A2B3C4D5E680");
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    fetch(&site.adapter).await;
    site.cobot.faults(answer_lost());
    let entry = check_in("e-1", BEN, NOW);
    let error = site.adapter.check_in(&entry).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unreachable, Retry::Backoff)
    );
    site.cobot.faults(Faults::default());
    // By now it is late; it was sent in time, so it is looked for all the same.
    site.wait(HOUR);
    assert_eq!(
        site.adapter.check_in(&late(entry)).await.unwrap(),
        accepted(END_OF_DAY)
    );
    assert_eq!((site.cobot.attendance().len(), posts(&site)), (1, 1));
}

#[tokio::test]
async fn a_late_entry_is_refused_without_a_word_to_cobot() {
    let site = Site::start();
    site.cobot.give_passes(BEN, "Day pass", 1).unwrap();
    let before = site.cobot.log().len();
    let yesterday = late(check_in("e-1", BEN, NOW - DAY));
    let why = reason(site.adapter.check_in(&yesterday).await.unwrap());
    assert!(why.contains("would spend a pass of today"), "{why}");
    assert_eq!(site.cobot.log().len(), before);
    // One that was sent and never arrived is refused too, after a look.
    site.cobot.set_down(true);
    let lost = check_in("e-2", BEN, NOW);
    assert!(site.adapter.check_in(&lost).await.is_err());
    site.cobot.set_down(false);
    reason(site.adapter.check_in(&late(lost)).await.unwrap());
    assert_eq!(site.cobot.attendance().len(), 0);
}

#[tokio::test]
async fn who_is_checked_in_already_by_other_means_is_not_again() {
    let site = Site::start();
    site.cobot.give_passes(BEN, "Two hours", 2).unwrap();
    let other = site.stranger();
    assert_eq!(
        other.check_in(&check_in("x-1", BEN, NOW)).await.unwrap(),
        accepted(NOW + 2 * HOUR)
    );
    site.wait(HOUR);
    let here = site
        .adapter
        .check_in(&check_in("e-1", BEN, NOW + HOUR))
        .await
        .unwrap();
    assert_eq!(here, accepted(NOW + 2 * HOUR));
    assert_eq!((posts(&site), site.cobot.attendance().len()), (1, 1));
}

#[tokio::test]
async fn a_member_without_a_token_is_checked_in_by_the_membership_and_a_visitor_not_at_all() {
    let site = Site::start();
    assert_eq!(
        site.adapter.check_in(&check_in("e-1", ANA, NOW)).await.unwrap(),
        accepted(END_OF_DAY)
    );
    let log = site.cobot.log();
    assert!(
        log.iter()
            .any(|it| it.path == format!("/api/memberships/{ANA}/work_sessions")),
        "{log:?}"
    );
    let visitor = site
        .adapter
        .check_in(&check_in("e-2", "contact:c1", NOW))
        .await
        .unwrap();
    assert!(reason(visitor).contains("members in only"));
    let gone = site
        .adapter
        .check_in(&check_in("e-3", "membership-99", NOW))
        .await
        .unwrap_err();
    assert_eq!(
        (gone.kind, gone.retry()),
        (ErrorKind::Rejected { status: 404 }, Retry::Never)
    );
}

#[tokio::test]
async fn a_pass_in_use_still_opens_and_its_kind_is_known() {
    let site = Site::start();
    site.cobot.give_passes(BEN, "Day pass", 1).unwrap();
    let first = fetch(&site.adapter).await;
    site.adapter.check_in(&check_in("e-1", BEN, NOW)).await.unwrap();
    let before = site.cobot.log().len();
    let refreshed = site
        .adapter
        .refresh(&first.known, first.facts, &[Hint::Person(BEN.into())])
        .await;
    let after = got(refreshed.unwrap());
    let pass = &after.facts.passes[0];
    assert_eq!(
        (pass.kind.as_str(), pass.left, pass.running_until),
        ("Day pass", Some(0), Some(END_OF_DAY)),
        "R23"
    );
    assert_eq!(
        site.cobot.log().len() - before,
        2,
        "after a check-in: passes of the member and check-ins"
    );
    // After a restart nobody remembers what the pass was before it was used.
    let restarted = site.stranger();
    assert_eq!(fetch(&restarted).await.facts.passes, after.facts.passes);
    assert!(
        site.cobot
            .log()
            .iter()
            .any(|it| it.path == format!("/api/time_passes/{}", pass.id))
    );
    site.wait(DAY);
    assert_eq!(
        fetch(&site.adapter).await.facts.passes.len(),
        0,
        "and then it is over"
    );
}

#[tokio::test]
async fn a_card_goes_to_one_member_only_and_cannot_be_taken_back_from_here() {
    let site = Site::start();
    fetch(&site.adapter).await;
    let card = "uid:04A2B3C4D5E680".parse().unwrap();
    for _ in 0..2 {
        site.adapter.assign_credential(&ANA.into(), &card).await.unwrap();
    }
    let tokens = site.cobot.edit(|world| world.tokens.clone());
    assert_eq!((tokens.len(), tokens[0].token.as_str()), (1, "04A2B3C4D5E680"));
    let held = site
        .adapter
        .assign_credential(&CARA.into(), &card)
        .await
        .unwrap_err();
    assert_eq!(held.kind, ErrorKind::Rejected { status: 409 });
    assert!(
        held.to_string().contains(ANA) && !held.to_string().contains("04A2B3"),
        "{held}"
    );
    let other = "uid:04A2B3C4D5E681".parse().unwrap();
    let nobody = site
        .adapter
        .assign_credential(&"membership-99".into(), &other)
        .await
        .unwrap_err();
    assert_eq!(nobody.kind, ErrorKind::Rejected { status: 404 });
    assert_eq!(fetch(&site.adapter).await.facts.people[0].credentials, [card]);
    site.adapter.remove_credential(&CARA.into(), &card).await.unwrap();
    let cannot = site
        .adapter
        .remove_credential(&ANA.into(), &card)
        .await
        .unwrap_err();
    assert_eq!(cannot.kind, ErrorKind::Unsupported);
    assert!(cannot.to_string().contains("Manage check-in tokens"), "{cannot}");
    let addresses: Vec<_> = site
        .cobot
        .log()
        .into_iter()
        .map(|it| format!("{}{:?}", it.path, it.query))
        .collect();
    assert!(
        !addresses.join("").contains("04A2"),
        "no card number stands in an address"
    );
}
