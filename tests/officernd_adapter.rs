//! OfficeRnD's adapter against its simulator, over real sockets: whole readings, tokens, pages, budgets, refusals.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::officernd_site::{Desk, card};
use doorward::platform::{ErrorKind, Fetched, Platform, Retry};
use doorward_peers::{office::Office, officernd::Faults};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn everything_arrives_and_what_did_not_change_is_known() {
    let desk = Desk::open();
    let ana = desk
        .office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    desk.office.give_card(&ana, &card(1));
    desk.office.assign(&ana, "Desk 2a").unwrap();
    let now = desk.now();
    let booking = desk
        .office
        .book(&ana, "Meeting room", now + 3_600_000, now + 7_200_000);
    let olga = desk.office.id_of("members", "Olga Oar");
    desk.office.invite(&booking, &olga).unwrap();
    desk.office.give_passes(&ana, "Day pass", 3).unwrap();
    let (facts, known, problems) = desk.whole().await;
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        (facts.people.len(), facts.memberships.len(), facts.teams.len()),
        (3, 1, 1)
    );
    let person = facts
        .people
        .iter()
        .find(|person| person.id.as_str() == ana)
        .unwrap();
    assert_eq!(person.credentials.len(), 1);
    assert_eq!(facts.memberships[0].plan, desk.office.id_of("plans", "Hot desk"));
    assert_eq!(facts.assignments[0].person.as_ref().unwrap().as_str(), ana);
    let desk_2a = facts
        .resources
        .iter()
        .find(|resource| resource.name == "Desk 2a")
        .unwrap();
    assert_eq!(
        desk_2a.floor,
        Some(desk.office.id_of("floors", "First floor").into()),
        "the office's floor"
    );
    assert_eq!(facts.bookings[0].invitees[0].as_str(), olga);
    assert_eq!(
        (facts.passes[0].left, facts.passes[0].kind.as_str()),
        (Some(3), "Day pass")
    );
    assert_eq!(facts.catalogue.plans.len(), 3);
    assert_eq!(
        desk.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
}

#[tokio::test]
async fn a_token_outlives_a_restart_ends_early_and_is_asked_for_once() {
    let desk = Desk::open();
    let all = (0..6).map(|_| desk.adapter.fetch(None));
    for outcome in futures(all).await {
        outcome.unwrap();
    }
    assert_eq!(
        desk.office.asked_for("POST", "/oauth/token"),
        1,
        "six callers, one token"
    );
    let again = desk.another();
    again.fetch(None).await.unwrap();
    assert_eq!(desk.office.asked_for("POST", "/oauth/token"), 1, "kept on disk");
    desk.office.forget_tokens();
    again.fetch(None).await.unwrap();
    assert_eq!(
        desk.office.asked_for("POST", "/oauth/token"),
        2,
        "a 401 brings a new one"
    );
    desk.clock.advance(Duration::from_secs(3_500));
    again.fetch(None).await.unwrap();
    assert_eq!(
        desk.office.asked_for("POST", "/oauth/token"),
        3,
        "shortly before its end"
    );
}

/// All at once.
async fn futures<T, F: Future<Output = T>>(all: impl Iterator<Item = F>) -> Vec<T> {
    let mut pinned: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_scope_that_is_not_granted_says_which_to_grant() {
    let desk = Desk::open();
    desk.office.revoke("flex.space.passes.read");
    let error = desk.adapter.fetch(None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unauthorised, Retry::Rarely)
    );
    assert!(
        error.text.contains("flex.space.passes.read") && error.text.contains("grant all of them"),
        "{error}"
    );
    desk.office.grant("flex.space.passes.read");
    desk.adapter.fetch(None).await.unwrap();
    // Taken away while a token is about: the endpoint says so.
    desk.office.revoke("flex.space.bookings.read");
    let error = desk.another().fetch(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorised);
    assert!(
        error.text.contains("GET /bookings/occurrences")
            && error.text.contains("grant the scope flex.space.bookings.read"),
        "{error}"
    );
}

#[tokio::test]
async fn wrong_credentials_and_a_wrong_organization_are_told_apart() {
    let desk = Desk::open();
    let error = desk
        .with(|config| config.client_id = "somebody".into())
        .fetch(None)
        .await
        .unwrap_err();
    assert!(
        error.kind == ErrorKind::Unauthorised && error.text.contains("client_id and client_secret"),
        "{error}"
    );
    let error = desk
        .with(|config| config.organization = "elsewhere".into())
        .fetch(None)
        .await
        .unwrap_err();
    assert!(
        error.kind == ErrorKind::Unauthorised && error.text.contains("knows no organization"),
        "{error}"
    );
}

#[tokio::test]
async fn pages_are_followed_and_a_broken_one_spoils_everything() {
    let desk = Desk::open();
    for number in 0..120 {
        desk.office.join(
            &format!("Member {number}"),
            "m@example.org",
            "Full time",
            "2026-01-01",
        );
    }
    let (facts, ..) = desk.whole().await;
    assert_eq!((facts.people.len(), facts.memberships.len()), (122, 120));
    assert_eq!(desk.office.asked_for("GET", "/members"), 3, "pages of 50");
    let members = Some("members");
    for (faults, words) in [
        (
            Faults {
                half_page: members,
                ..Faults::default()
            },
            "broke off",
        ),
        (
            Faults {
                cut_json: members,
                ..Faults::default()
            },
            "is cut off",
        ),
        (
            Faults {
                short_page: members,
                ..Faults::default()
            },
            "it holds 49 rows and says that it is 1 to 50",
        ),
        (
            Faults {
                repeated_page: members,
                ..Faults::default()
            },
            "every row of it was on an earlier page",
        ),
        (
            Faults {
                cursor_in_a_circle: members,
                ..Faults::default()
            },
            "leads back to an earlier page",
        ),
    ] {
        desk.office.faults(faults.clone());
        let error = desk.another().fetch(None).await.unwrap_err();
        assert!(
            error.kind == ErrorKind::Malformed && error.text.contains(words),
            "{faults:?}: {error}"
        );
    }
    desk.office.faults(Faults {
        error_500: Some("/memberships"),
        ..Faults::default()
    });
    assert_eq!(
        desk.another().fetch(None).await.unwrap_err().kind,
        ErrorKind::Unreachable
    );
    desk.office.faults(Faults {
        away: true,
        ..Faults::default()
    });
    assert_eq!(
        desk.another().fetch(None).await.unwrap_err().kind,
        ErrorKind::Unreachable
    );
    desk.office.faults(Faults {
        empty: members,
        ..Faults::default()
    });
    let outcome = desk.another().fetch(None).await;
    let error = outcome.unwrap_err();
    assert!(
        error.text.contains("contradict themselves"),
        "memberships of nobody are no site: {error}"
    );
    desk.office.faults(Faults::default());
    desk.another().fetch(None).await.unwrap();
}

#[tokio::test]
async fn a_throttle_is_obeyed() {
    let desk = Desk::open();
    desk.office.faults(Faults {
        throttle: Some(17),
        ..Faults::default()
    });
    let error = desk.adapter.fetch(None).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
    let reads = desk
        .adapter
        .budgets()
        .into_iter()
        .find(|lane| lane.lane == "reads")
        .unwrap();
    assert_eq!((reads.throttled, reads.total), (1, 1));
}

#[tokio::test]
async fn the_last_read_of_a_minute_is_followed_by_a_pause_and_not_by_a_refusal() {
    let desk = Desk::open();
    desk.office.faults(Faults {
        reads_left: Some(3),
        ..Faults::default()
    });
    let office = &desk.office;
    let more = async {
        while office.asked_for("GET", "/") < 3 {
            tokio::task::yield_now().await;
        }
        office.faults(Faults::default());
    };
    let (outcome, ()) = tokio::join!(desk.adapter.fetch(None), more);
    outcome.unwrap();
    let reads = desk
        .adapter
        .budgets()
        .into_iter()
        .find(|lane| lane.lane == "reads")
        .unwrap();
    assert_eq!(reads.throttled, 1, "the header was read");
    assert!(office.asked().iter().all(|asked| asked.status != 429));
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named_and_the_rest_goes_on() {
    let desk = Desk::open();
    let ana = desk
        .office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    desk.office.give_card(&ana, "04A2B3C4D5E601, 12345678");
    desk.office.add(
        "memberships",
        json!({"name": "?", "status": "approved", "plan": null}),
    );
    desk.office.add(
        "bookings",
        json!({"resource": "r", "start": "soon", "end": "later"}),
    );
    let (facts, _, problems) = desk.whole().await;
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("has no plan"), "{texts:?}");
    assert!(
        texts[1].contains("has a card that cannot be read") && !texts[1].contains("12345678"),
        "{texts:?}"
    );
    let person = facts
        .people
        .iter()
        .find(|person| person.id.as_str() == ana)
        .unwrap();
    assert_eq!(person.credentials.len(), 1);
}

#[tokio::test]
async fn assignments_are_asked_for_one_by_one_where_there_is_no_list() {
    let desk = Desk::open();
    let ana = desk
        .office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    desk.office.assign(&ana, "Office 2").unwrap();
    let (listed, ..) = desk.whole().await;
    desk.office.faults(Faults {
        assignments_by_resource: true,
        ..Faults::default()
    });
    let Fetched::Facts { facts, .. } = desk.another().fetch(None).await.unwrap() else {
        panic!("facts")
    };
    assert_eq!(facts.assignments.len(), 1);
    assert_eq!(facts, listed);
}
