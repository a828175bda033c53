//! Spacebring when it is slow, and when its clock is another one than ours.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::spacebring_site::{Site, adapter, config, hour, oauth, take};
use doorward::platform::{ErrorKind, Fetched, Hook, HookRefused, Platform, Retry};
use doorward_peers::spacebring::{Customer, Faults, HOOK_SECRET, Space, Spacebring, sign};
use std::time::Duration;

const HOUR: i64 = 3_600_000;

/// A member with a plan, who has booked the room for in an hour.
fn space() -> Space {
    let mut space = Space::usual();
    let carmen = space.members[0].id.clone();
    space.subscribe(Customer::User(carmen.clone()), "Hot desk", hour(-1));
    space.book(&carmen, "Meeting room", hour(1), hour(2));
    space
}

fn slow(by: Duration) -> Faults {
    Faults {
        slow: Some(by),
        ..Faults::default()
    }
}

fn skewed(by: i64) -> Faults {
    Faults {
        skew: by,
        ..Faults::default()
    }
}

#[tokio::test]
async fn answers_that_take_their_time_are_waited_for_and_those_that_do_not_come_take_nothing() {
    let site = Site::with(space());
    let (facts, problems, known) = site.facts().await;
    assert!(problems.is_empty(), "{problems:?}");
    // Slower than a line should be, and within what one request may take.
    site.cloud.faults(slow(Duration::from_millis(40)));
    assert_eq!(
        site.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );

    // So slow that a request gives up.
    let mut hasty = config(&site.cloud);
    hasty.reach.timeout = Duration::from_millis(200);
    let hasty = adapter(&hasty, &site.around);
    site.cloud.faults(slow(Duration::from_secs(60)));
    let error = hasty.fetch(Some(&known)).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unreachable, Retry::Backoff)
    );
    let words = site.words(&error);
    assert!(words.contains("did not answer within"), "{words}");

    // And it is itself again: nothing of the failure is left.
    site.cloud.faults(Faults::default());
    let (again, _, _) = site.facts().await;
    assert_eq!(again, facts);
}

#[tokio::test]
async fn a_server_with_another_time_changes_no_fact_and_says_by_how_much() {
    let site = Site::with(space());
    let (facts, _, known) = site.facts().await;
    assert_eq!(facts.bookings.len(), 1);
    for skew in [-5 * HOUR, 5 * HOUR] {
        site.cloud.faults(skewed(skew));
        assert_eq!(
            site.adapter.fetch(Some(&known)).await.unwrap(),
            Fetched::Unchanged,
            "{skew} ms: instants are instants"
        );
        let theirs = site.adapter.server_time().unwrap();
        let seen = theirs - hour(0);
        assert!((seen - skew).abs() < 60_000, "{seen} is not {skew}");
    }
}

#[tokio::test]
async fn a_hook_signed_by_a_clock_five_hours_off_is_no_hint_and_the_poll_brings_it_all_the_same() {
    let site = Site::with(space());
    let (_, _, known) = site.facts().await;
    let now = site.around.clock.now();
    let body = r#"{"type":"booking.created","booking":{"id":"b1"}}"#;
    for skew in [-5 * HOUR, 5 * HOUR] {
        site.cloud.faults(skewed(skew));
        let delivery = sign("msg_1", now.at + skew, body, HOOK_SECRET);
        let headers = [
            ("svix-id".to_owned(), delivery.id),
            ("svix-timestamp".to_owned(), delivery.timestamp),
            ("svix-signature".to_owned(), delivery.signature),
        ];
        let hook = Hook {
            headers: &headers,
            body: body.as_bytes(),
            now,
        };
        assert_eq!(site.adapter.hook(&hook), Err(HookRefused::Stale), "{skew} ms");
    }
    site.cloud.edit(|space| {
        let carmen = space.members[0].id.clone();
        space.book(&carmen, "Phone booth", hour(3), hour(4));
    });
    let (facts, _, _) = take(site.adapter.fetch(Some(&known)).await.unwrap());
    assert_eq!(facts.bookings.len(), 2);
}

/// The life of a token is counted from when it came, by one clock alone.
#[tokio::test]
async fn tokens_live_as_long_as_the_server_says_whatever_its_clock_shows() {
    for skew in [-5 * HOUR, 5 * HOUR] {
        let cloud = Spacebring::with(space()).unwrap();
        cloud.faults(skewed(skew));
        let settings = oauth(&cloud);
        let site = Site::of(cloud, &settings);
        for _ in 0..3 {
            site.facts().await;
        }
        let asked = site.cloud.asked();
        assert!(asked.iter().all(|it| it.status == 200), "{skew} ms: {asked:?}");
    }
}
