//! The adapter for Cobot against the simulated one, over real sockets, with its quirks and faults.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cobot_site::{ANA, BEN, CARA, DAY, Got, HOUR, NOW, Site, adapter, config, fetch, got};
use doorward::{
    clock::Clock,
    domain::{
        Moment,
        facts::{Standing, When},
    },
    platform::{ErrorKind, Fetched, Platform, PlatformError, Retry},
};
use doorward_peers::{
    cobot::{DropIn, External, Faults, Request, Token, World},
    office::Office,
};
use std::time::Duration;

#[tokio::test]
async fn everything_that_the_space_has_becomes_facts() {
    let site = Site::start();
    site.cobot.give_card(ANA, "04A2B3C4D5E680");
    site.cobot.edit(|world| {
        world.tokens.push(Token {
            token: "AA:BB:CC:DD:EE:FF".into(),
            membership: ANA.into(),
        });
    });
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    let booking = site.cobot.book(ANA, "Meeting room", NOW + HOUR, NOW + 2 * HOUR);
    site.cobot.invite(&booking, CARA).unwrap();
    site.cobot.assign(CARA, "Office 2").unwrap();
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    assert!(problems.is_empty(), "{problems:?}");
    let names: Vec<&str> = facts.people.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Ana Ruiz", "Ben Okafor", "Cara Lind"]);
    assert_eq!(
        facts.people[0].credentials[0].reveal_in_full(),
        "uid:04A2B3C4D5E680"
    );
    assert_eq!(facts.people[0].credentials.len(), 1, "a telephone is no card");
    let plans: Vec<(&str, bool)> = facts
        .memberships
        .iter()
        .map(|it| (it.plan.as_str(), it.pass_based))
        .collect();
    assert_eq!(
        plans,
        [("Hot desk", false), ("Day passes", true), ("Full time", false)]
    );
    assert_eq!(
        facts.memberships[0].starts,
        Some(When::Day("2026-01-01".parse().unwrap()))
    );
    assert_eq!(facts.passes.len(), 2);
    assert_eq!(
        (facts.passes[0].kind.as_str(), facts.passes[0].left),
        ("Day pass", Some(1))
    );
    let hours = &facts.passes[0].hours.as_ref().unwrap().hours[0];
    assert_eq!((hours.from, hours.until), (240, 240), "four to four");
    let booked = &facts.bookings[0];
    assert_eq!((booked.from, booked.until), (NOW + HOUR, NOW + 2 * HOUR));
    assert_eq!(booked.person.as_ref().unwrap().as_str(), ANA);
    assert_eq!(booked.invitees[0].as_str(), CARA);
    assert_eq!(facts.assignments[0].person.as_ref().unwrap().as_str(), CARA);
    assert_eq!(facts.resources.len(), 4);
    let plans: Vec<&str> = facts.catalogue.plans.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(plans, ["Day passes", "Full time", "Hot desk"]);
}

async fn fails(site: &Site, faults: Faults) -> (PlatformError, String) {
    site.cobot.faults(faults);
    let error = site.adapter.fetch(None).await.unwrap_err();
    let words = error.to_string().replace(&site.cobot.url(), "COBOT");
    (error, words)
}

fn faults(only: &str) -> Faults {
    Faults {
        only: Some(only.into()),
        ..Faults::default()
    }
}

fn big() -> World {
    let mut world = World::default();
    for number in 0..450 {
        world.join(
            &format!("Member {number}"),
            &format!("m{number}@example.com"),
            "Hot desk",
            "2026-01-01",
        );
    }
    world
}

fn paths(log: &[Request], path: &str) -> usize {
    log.iter().filter(|it| it.path.ends_with(path)).count()
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_unchanged_facts_say_so() {
    let site = Site::with(big());
    let first = fetch(&site.adapter).await;
    assert_eq!(
        (first.facts.people.len(), first.facts.memberships.len()),
        (450, 450)
    );
    assert_eq!(paths(&site.cobot.log(), "/memberships"), 3, "pages of 200");
    let again = site.adapter.fetch(Some(&first.known)).await.unwrap();
    assert_eq!(again, Fetched::Unchanged);
    site.cobot.cancel("membership-1", "2026-06-20");
    let Got { facts, .. } = got(site.adapter.fetch(Some(&first.known)).await.unwrap());
    assert_eq!(facts.version, first.facts.version + 1);
}

#[tokio::test]
async fn a_list_that_is_not_whole_takes_nothing() {
    let site = Site::with(big());
    let broken = [
        (
            Faults {
                repeats_page: true,
                ..faults("/memberships")
            },
            "brings something again",
        ),
        (
            Faults {
                circles: true,
                ..faults("/membership_plans")
            },
            "is the last one and leads on",
        ),
        (
            Faults {
                cut_json: true,
                ..faults("/bookings")
            },
            "is cut off",
        ),
        (
            Faults {
                cut_json: true,
                ..faults("/api/time_passes/unused")
            },
            "is cut off",
        ),
    ];
    for (faults, expected) in broken {
        let (error, words) = fails(&site, faults).await;
        assert_eq!(
            (error.kind, error.retry()),
            (ErrorKind::Malformed, Retry::Backoff),
            "{words}"
        );
        assert!(words.contains(expected), "{words}");
    }
    let (error, words) = fails(
        &site,
        Faults {
            error_500: true,
            ..faults("/teams")
        },
    )
    .await;
    assert_eq!(error.kind, ErrorKind::Unreachable, "{words}");
    site.cobot.faults(Faults::default());
    assert_eq!(
        fetch(&site.adapter).await.facts.people.len(),
        450,
        "and then it goes on"
    );
    site.cobot.faults(Faults {
        empty: true,
        ..faults("/memberships")
    });
    let empty = fetch(&site.adapter).await;
    assert_eq!(
        empty.facts.people.len(),
        0,
        "told as it is: to hold it back is the caller's"
    );
}

#[tokio::test]
async fn bookings_that_are_not_consistent_are_asked_for_again_and_never_taken() {
    let site = Site::start();
    site.cobot.book(ANA, "Meeting room", NOW, NOW + HOUR);
    site.cobot.faults(Faults {
        inconsistent: 2,
        ..Faults::default()
    });
    assert_eq!(fetch(&site.adapter).await.facts.bookings.len(), 1);
    let (error, words) = fails(
        &site,
        Faults {
            inconsistent: 100,
            ..Faults::default()
        },
    )
    .await;
    assert!(
        error.kind == ErrorKind::Malformed && words.contains("not consistent yet"),
        "{words}"
    );
}

#[tokio::test]
async fn what_the_token_may_not_do_is_named_with_its_scope() {
    let site = Site::start();
    let forbidden = Faults {
        forbidden: vec!["/api/check_in_tokens".into()],
        ..Faults::default()
    };
    let (error, scope) = fails(&site, forbidden).await;
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unauthorised, Retry::Rarely)
    );
    site.cobot.set_token("another", None);
    let (error, revoked) = fails(&site, Faults::default()).await;
    assert_eq!(error.kind, ErrorKind::Unauthorised);
    site.cobot.set_token("cobot-token", None);
    let (error, throttled) = fails(
        &site,
        Faults {
            throttle: Some(7),
            ..Faults::default()
        },
    )
    .await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
    assert_eq!(site.adapter.budgets()[0].throttled.min(1), 1);
    let named = revoked.split("read ").nth(1).unwrap().split(';').next().unwrap();
    assert!(named.contains("scope"), "{revoked}");
    assert!(throttled.contains("asks for fewer requests"), "{throttled}");
    insta::assert_snapshot!(scope, @r#"COBOT does not accept the access token for this, so this gateway could not read check-in tokens (scope checkin_tokens) ("the token lacks the scope for this"); give it that scope, or put a valid one into the file that [cloud.cobot] token names"#);
}

#[tokio::test]
async fn a_space_is_found_by_its_name_and_a_wrong_one_is_told() {
    let site = Site::start();
    let mut wrong = config(&site.cobot);
    wrong.subdomain = "elsewhere".into();
    let error = adapter(&wrong, &site.clock).fetch(None).await.unwrap_err();
    assert!(
        error.to_string().contains("no admin's of elsewhere.cobot.me"),
        "{error}"
    );
    wrong.space = Some("space-riverside".into());
    let by_id = adapter(&wrong, &site.clock);
    assert_eq!(
        fetch(&by_id).await.facts.people.len(),
        3,
        "by its id it needs no name"
    );
}

#[tokio::test]
async fn plans_hold_from_the_later_beginning_to_the_earlier_end() {
    let site = Site::start();
    site.cobot.change_plan(ANA, "Full time", "2026-07-01");
    site.cobot.cancel(CARA, "2026-06-30");
    site.cobot.edit(|world| {
        world.members[1].confirmed = Some("2026-06-20".into());
        world.members.push(doorward_peers::cobot::Member {
            id: "unconfirmed".into(),
            name: "Not Yet".into(),
            ..Default::default()
        });
    });
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    let day = |day: &str| Some(When::Day(day.parse().unwrap()));
    let of = |who: &str| -> Vec<_> {
        let own = facts
            .memberships
            .iter()
            .filter(|it| it.person.as_ref().unwrap().as_str() == who);
        own.map(|it| (it.plan.as_str(), it.starts, it.ends, it.cancelled))
            .collect()
    };
    let moved = [
        ("Full time", day("2026-07-01"), None, false),
        ("Hot desk", day("2026-01-01"), day("2026-06-30"), false),
    ];
    let mut ana = of(ANA);
    ana.sort_unstable_by_key(|it| it.0);
    assert_eq!(ana, moved, "R7: no moment with neither");
    assert_eq!(
        of(CARA),
        [("Full time", day("2026-03-01"), day("2026-06-30"), true)]
    );
    assert_eq!(of(BEN), [("Day passes", day("2026-06-20"), None, false)], "C14");
    assert!(problems.is_empty() && facts.people.len() == 3, "{problems:?}");
}

#[tokio::test]
async fn visitors_are_people_from_outside_and_a_booking_that_runs_is_not_missed() {
    let site = Site::start();
    site.cobot.edit(|world| {
        let external = |id: &str, status: &str, from, until| External {
            id: id.into(),
            resource: "res-meeting".into(),
            name: "Vera Visitor".into(),
            email: "vera@example.com".into(),
            status: status.into(),
            from,
            until,
            contact: Some("c1".into()),
        };
        world
            .externals
            .push(external("e1", "pending", NOW - 3 * DAY, NOW + DAY));
        world
            .externals
            .push(external("e2", "pending", NOW + HOUR, NOW + 2 * HOUR));
        world
            .externals
            .push(external("e3", "canceled", NOW + HOUR, NOW + 2 * HOUR));
        let drop_in = |id: &str, status: &str| DropIn {
            id: id.into(),
            name: "Day pass".into(),
            visitor: "Dan Drop".into(),
            email: "dan@example.com".into(),
            day: "2026-06-15".into(),
            status: status.into(),
            times: serde_json::json!([{"from": "09:00", "to": "17:30", "weekdays": [1]}]),
            contact: None,
        };
        world.drop_ins.push(drop_in("d1", "confirmed"));
        world.drop_ins.push(drop_in("d2", "canceled"));
    });
    site.cobot.approve("e1");
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    assert!(problems.is_empty(), "{problems:?}");
    let outside: Vec<(&str, &str)> = facts
        .people
        .iter()
        .filter(|it| it.standing == Standing::External)
        .map(|it| (it.id.as_str(), it.name.as_str()))
        .collect();
    assert_eq!(
        outside,
        [("contact:c1", "Vera Visitor"), ("drop-in:d1", "Dan Drop")]
    );
    let booked: Vec<(&str, bool)> = facts
        .bookings
        .iter()
        .map(|it| (it.id.as_str(), it.tentative))
        .collect();
    assert_eq!(booked, [("e1", false), ("e2", true)], "once each, and R19");
    let pass = &facts.passes[0];
    assert_eq!(
        (pass.id.as_str(), pass.starts, pass.left),
        ("d1", pass.ends, None)
    );
    let hours = &pass.hours.as_ref().unwrap().hours[0];
    assert_eq!(
        (hours.weekdays.as_slice(), hours.from, hours.until),
        (&[1][..], 540, 1_050)
    );
}

#[tokio::test]
async fn bookings_of_two_weeks_are_known_after_a_few_polls() {
    let site = Site::start();
    let far = site
        .cobot
        .book(ANA, "Meeting room", NOW + 13 * DAY, NOW + 13 * DAY + HOUR);
    let near = site.cobot.book(ANA, "Meeting room", NOW + DAY, NOW + DAY + HOUR);
    let mut got_far = 0;
    for poll in 1..=6 {
        let Got { facts, .. } = fetch(&site.adapter).await;
        assert!(facts.bookings.iter().any(|it| it.id == near));
        if facts.bookings.iter().any(|it| it.id == far) {
            got_far = poll;
            break;
        }
        site.wait(60_000);
    }
    assert!(got_far > 1, "{got_far}: in turns, and within six polls");
    // Days later it is near, and known all the time between.
    for _ in 0..26 {
        site.wait(12 * HOUR);
        let Got { facts, .. } = fetch(&site.adapter).await;
        assert_eq!(facts.bookings.iter().filter(|it| it.id == far).count(), 1);
    }
    site.cobot.delete_booking(&far);
    assert_eq!(fetch(&site.adapter).await.facts.bookings.len(), 0);
}

#[tokio::test]
async fn a_gateway_without_the_time_asks_by_the_servers_clock() {
    let site = Site::start();
    site.cobot.book(ANA, "Meeting room", NOW, NOW + HOUR);
    site.cobot.faults(Faults {
        skew: 1,
        ..Faults::default()
    });
    let lost = Clock::manual(Moment::untrusted(0));
    let adapter = adapter(&config(&site.cobot), &lost);
    assert_eq!(fetch(&adapter).await.facts.bookings.len(), 1);
}

#[tokio::test]
async fn a_card_of_two_members_is_told_of_both() {
    let site = Site::start();
    site.cobot.give_card(ANA, "04A2B3C4D5E680");
    site.cobot.give_card(BEN, "04:a2:b3:c4:d5:e6:80");
    let facts = fetch(&site.adapter).await.facts;
    assert_eq!(facts.people[0].credentials, facts.people[1].credentials);
    assert_eq!(
        facts.people[0].credentials.len(),
        1,
        "the rules refuse it for both"
    );
}

#[tokio::test]
async fn tokens_that_are_no_cards_cost_no_members() {
    let site = Site::with(big());
    site.cobot.edit(|world| {
        for number in 0..400_u32 {
            let membership = world.members[0].id.clone();
            world.tokens.push(Token {
                token: format!("{:010}", 1_000_000_000 + number),
                membership,
            });
        }
    });
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!((facts.people.len(), problems.len()), (450, 4));
    assert!(
        texts[3].contains("397 more check-in tokens are no cards; set [cloud] card_format"),
        "{texts:?}"
    );
    assert!(!texts.join("").contains("1000000"), "{texts:?}");
}
