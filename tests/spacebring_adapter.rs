//! The adapter against the simulated Spacebring, over real sockets.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::spacebring_site::*;
use doorward::{
    domain::{
        facts::{DoorAccess, ResourceKind, Standing, When},
        time::Moment,
    },
    platform::{ErrorKind, Fetched, Hint, Platform, Retry, spacebring::Spacebring},
};
use doorward_peers::{
    cloud::Line,
    spacebring::{self as peer, Balance, Customer, Faults, Space},
};
use std::{collections::BTreeSet, time::Duration};

#[tokio::test]
async fn everything_of_the_location_becomes_facts() {
    let mut space = Space::usual();
    let carmen = space.members[0].id.clone();
    space.members[0]
        .metadata
        .insert("cardNumber".into(), "04A2B3C4D5E680; 04:11:22:33".into());
    let guest = space.member("Gala", "Ruiz", "nonmember");
    let asks = space.member("Aitor", "Sanz", "member");
    space.members.last_mut().unwrap().status = "requested";
    let company = space.companies[0].id.clone();
    let whole = space.subscribe(Customer::Company(company.clone()), "Full time", hour(-48));
    let own = space.subscribe(Customer::User(carmen.clone()), "Day passes", hour(-48));
    let desk = (space.id(), space.resources[2].id.clone());
    space.subscriptions[1].assignments.push(desk.clone());
    let booking = space.book(&guest, "Meeting room", hour(1), hour(2));
    space.bookings[0].attendees = vec![Ok(carmen.clone()), Err("nobody@example.com".into())];
    let maybe = space.book(&carmen, "Phone booth", hour(3), hour(4));
    space.bookings[1].status = "tentative";
    let gone = space.book(&carmen, "Phone booth", hour(5), hour(6));
    space.bookings[2].deleted = Some(hour(0));

    let site = Site::with(space);
    let (facts, problems, _) = site.facts().await;
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(facts.people.len(), 3, "requests to join are not listed: {asks}");
    let person = |id: &str| {
        facts
            .people
            .iter()
            .find(|person| person.id.as_str() == id)
            .unwrap()
    };
    assert_eq!(person(&carmen).name, "Carmen Ortiz");
    assert_eq!(person(&carmen).credentials.len(), 2);
    assert_eq!(person(&carmen).team.as_deref(), Some(company.as_str()));
    assert_eq!(
        (person(&carmen).standing, person(&guest).standing),
        (Standing::Member, Standing::External)
    );
    assert_eq!(person(&guest).door_access, DoorAccess::Auto);
    assert_eq!(facts.teams[0].name, "Lumen Studio");
    let plans: Vec<&str> = facts
        .catalogue
        .plans
        .iter()
        .map(|plan| plan.name.as_str())
        .collect();
    assert_eq!(plans.len(), 3);
    let membership = |id: &str| facts.memberships.iter().find(|it| it.id.starts_with(id)).unwrap();
    assert_eq!(membership(&whole).team.as_deref(), Some(company.as_str()));
    assert_eq!(
        (&membership(&whole).person, membership(&whole).pass_based),
        (&None, false)
    );
    assert_eq!(membership(&own).person, Some(carmen.as_str().into()));
    assert!(membership(&own).pass_based && membership(&own).ends.is_none());
    assert!(matches!(membership(&own).starts, Some(When::At(_))));
    assert_eq!(facts.assignments[0].id, format!("{own}/{}", desk.0));
    assert_eq!(facts.assignments[0].resource, desk.1);
    let kinds = |name: &str| facts.resources.iter().find(|it| it.name == name).unwrap();
    assert_eq!(kinds("Phone booth").kind, ResourceKind::Room);
    assert_eq!(
        (kinds("Desk 7").kind, kinds("Office 2").kind),
        (ResourceKind::Desk, ResourceKind::Office)
    );
    let opening = kinds("Desk 7").opening.as_ref().unwrap();
    assert_eq!(
        (opening.default.hours[0].from, opening.default.hours[0].until),
        (540, 1_140)
    );
    assert_eq!(opening.public.as_ref().unwrap().hours[0].until, 960);
    assert!(kinds("Meeting room").opening.is_none());
    let booked = |id: &str| facts.bookings.iter().find(|it| it.id == id);
    assert_eq!(booked(&booking).unwrap().person, Some(guest.as_str().into()));
    assert_eq!(booked(&booking).unwrap().invitees, [carmen.as_str().into()]);
    assert!(!booked(&booking).unwrap().tentative && booked(&maybe).unwrap().tentative);
    assert_eq!(booked(&gone), None);
    let pass = &facts.passes[0];
    assert_eq!(
        (pass.left, &pass.person),
        (Some(10), &Some(carmen.as_str().into()))
    );
    assert!(pass.ends.is_some());
    let known = site.facts().await.2;
    assert_eq!(
        site.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
}

#[tokio::test]
async fn what_is_over_unpaid_or_elsewhere_gives_nothing_and_what_is_paused_or_cancelled_to_a_date_stays() {
    let mut space = Space::usual();
    let [carmen, diego] = [0, 1].map(|number: usize| space.members[number].id.clone());
    let ids: Vec<String> = (0..6)
        .map(|number| {
            let holder = if number % 2 == 0 { &carmen } else { &diego };
            space.subscribe(Customer::User(holder.clone()), "Hot desk", hour(-100))
        })
        .collect();
    space.subscriptions[0].incomplete = true;
    space.subscriptions[1].end = Some(hour(-1));
    space.subscriptions[2].deleted = Some(hour(-1));
    space.subscriptions[3].paused = true;
    space.subscriptions[4].end = Some(hour(50));
    space.subscriptions[4].items[0].end = Some(hour(40));
    space.subscriptions[5].start = hour(10);
    space.subscriptions[5].items[0].start = Some(hour(20));
    let expected = [hour(40), hour(20)];
    let site = Site::with(space);
    let (facts, problems, _) = site.facts().await;
    assert_eq!(problems, Vec::<String>::new());
    let held: BTreeSet<&str> = facts
        .memberships
        .iter()
        .filter_map(|it| it.id.split('/').next())
        .collect();
    assert_eq!(held, ids[3..].iter().map(String::as_str).collect());
    let of = |id: &str| facts.memberships.iter().find(|it| it.id.starts_with(id)).unwrap();
    let near = |when: Option<When>, expected: i64| match when {
        Some(When::At(at)) => assert!(at.abs_diff(expected) < 60_000, "{at} {expected}"),
        other => panic!("{other:?}"),
    };
    near(of(&ids[4]).ends, expected[0]);
    near(of(&ids[5]).starts, expected[1]);
    assert!(of(&ids[3]).ends.is_none() && !of(&ids[3]).cancelled);
}

#[tokio::test]
async fn a_group_that_staff_chose_in_a_subscription_counts_instead_of_the_plan() {
    let mut space = Space::usual();
    let [carmen, diego] = [0, 1].map(|number: usize| space.members[number].id.clone());
    let [usual, other] = [space.id(), space.id()];
    space.plans[0].salto = Some(usual.clone());
    let plan = space.plans[0].id.clone();
    space.subscribe(Customer::User(carmen), "Full time", hour(-1));
    space.subscribe(Customer::User(diego), "Full time", hour(-1));
    space.subscriptions[1].items[0].salto = Some(other.clone());
    let site = Site::with(space);
    let (facts, _, _) = site.facts().await;
    let plans: BTreeSet<&str> = facts.memberships.iter().map(|it| it.plan.as_str()).collect();
    let group = format!("salto:{other}");
    assert_eq!(plans, BTreeSet::from([plan.as_str(), group.as_str()]));
    assert!(facts.catalogue.plans.iter().any(|plan| plan.id == group));
}

#[tokio::test]
async fn a_member_of_another_location_who_books_here_is_a_network_member_and_only_then() {
    let mut space = Space::usual();
    let away = space.member("Nora", "Pla", "member");
    let elsewhere = space.elsewhere.clone();
    space.members.last_mut().unwrap().location = elsewhere;
    let gone = space.id();
    space.book(&away, "Desk 7", hour(1), hour(2));
    let lost = space.book(&gone, "Desk 7", hour(3), hour(4));
    let company = space.companies[0].id.clone();
    let team = space.book(&company, "Meeting room", hour(5), hour(6));
    let diego = space.members[1].clone();
    let booking = space.bookings.last_mut().unwrap();
    (booking.owner, booking.user) = (Customer::Company(company), Some(diego.user.clone()));
    let site = Site::with(space);
    let (facts, problems, _) = site.facts().await;
    assert_eq!(problems, Vec::<String>::new());
    let nora = facts
        .people
        .iter()
        .find(|person| person.id.as_str() == away)
        .unwrap();
    assert_eq!(nora.standing, Standing::Network);
    let who = |id: &str| {
        facts
            .bookings
            .iter()
            .find(|it| it.id == id)
            .unwrap()
            .person
            .clone()
    };
    assert_eq!(who(&lost), None);
    assert_eq!(who(&team), Some(diego.id.as_str().into()));
    site.cloud.edit(|space| space.bookings.remove(0));
    assert_eq!(site.facts().await.0.people.len(), 2);
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_series_come_as_single_bookings() {
    let mut space = Space::usual();
    for number in 0..230 {
        space.member(&format!("Member{number}"), "Of many", "member");
    }
    let carmen = space.members[0].id.clone();
    let id = space.book(&carmen, "Meeting room", hour(-50), hour(-49));
    space.bookings[0].repeat = Some((1, 30));
    let site = Site::with(space);
    let (facts, _, _) = site.facts().await;
    assert_eq!(facts.people.len(), 232);
    // The first two days are over for more than 36 hours or not, by the hour; 14 days ahead are known.
    let days = facts.bookings.len();
    assert!((15..=17).contains(&days), "{days}");
    assert!(
        facts
            .bookings
            .iter()
            .all(|it| it.id.starts_with(&format!("{id}_")) && it.id.ends_with('Z'))
    );
    let asked = site.cloud.asked();
    let members = asked
        .iter()
        .filter(|asked| asked.path.starts_with("/community/memberships/v1?"));
    assert_eq!(members.count(), 3, "pages of 100");
    assert!(asked.iter().all(|asked| asked.status == 200), "{asked:?}");
}

#[tokio::test]
async fn pages_that_lie_are_refused_whole() {
    let mut space = Space::usual();
    for number in 0..230 {
        space.member(&format!("Member{number}"), "Of many", "member");
    }
    let site = Site::with(space);
    let mut words = Vec::new();
    for faults in [
        Faults {
            half_a_page: true,
            ..Faults::default()
        },
        Faults {
            page_repeats: true,
            ..Faults::default()
        },
        Faults {
            token_repeats: true,
            ..Faults::default()
        },
    ] {
        site.cloud.faults(faults);
        let (kind, text) = site.fails().await;
        assert_eq!(kind, ErrorKind::Malformed, "{text}");
        words.push(text);
    }
    insta::assert_snapshot!(words.join("\n\n"));
    site.cloud.faults(Faults {
        rows_without_id: Some("resources"),
        ..Faults::default()
    });
    let (_, problems, _) = site.facts().await;
    assert_eq!(problems.len(), 4);
    assert_eq!(
        problems[0],
        "resources, item 1: cannot be read (missing field `id`); left out"
    );
    site.cloud.faults(Faults {
        rows_without_id: Some("memberships"),
        ..Faults::default()
    });
    assert_eq!(
        site.fails().await.0,
        ErrorKind::Malformed,
        "too many to be an accident"
    );
    // To hold an empty list back is the caller's: it is complete.
    site.cloud.faults(Faults {
        empty: BTreeSet::from(["memberships"]),
        ..Faults::default()
    });
    assert_eq!(site.facts().await.0.people.len(), 0);
}

#[tokio::test]
async fn each_refusal_says_what_could_not_be_read_and_what_to_grant() {
    let site = Site::start();
    let mut words = Vec::new();
    for list in ["locations", "memberships", "subscriptions", "bookings"] {
        site.cloud.faults(Faults {
            revoked: BTreeSet::from([list]),
            ..Faults::default()
        });
        let (kind, text) = site.fails().await;
        assert_eq!(kind, ErrorKind::Unauthorised);
        words.push(text);
    }
    site.cloud.faults(Faults {
        error_every: 3,
        ..Faults::default()
    });
    let (kind, text) = site.fails().await;
    assert_eq!(kind, ErrorKind::Unreachable);
    words.push(text);
    site.cloud.faults(Faults::default());
    site.cloud.set_basic(false);
    let (kind, text) = site.fails().await;
    assert_eq!(kind, ErrorKind::Unauthorised);
    words.push(text);
    site.cloud.set_basic(true);
    let mut settings = config(&site.cloud);
    settings.location = "3f0c6a4e-5f0e-4b1c-9f3e-2d1a7c9b8e10".into();
    let stranger = adapter(&settings, &site.around);
    let error = stranger.fetch(None).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Rarely);
    words.push(site.words(&error));
    insta::assert_snapshot!(words.join("\n\n"));
    site.cloud.set_line(Line::Refusing);
    assert_eq!(site.fails().await.0, ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_short_throttle_is_waited_for_and_a_long_one_is_told() {
    let site = Site::start();
    site.cloud.faults(Faults {
        throttle_every: 5,
        retry_after: Some(1),
        ..Faults::default()
    });
    let strict = Spacebring::new(&config(&site.cloud), &site.around).unwrap();
    take(strict.fetch(None).await.unwrap());
    let lane = strict.budgets().remove(0);
    assert!(
        lane.throttled >= 1 && lane.of == 8 && lane.per_ms == 1_000,
        "{lane:?}"
    );
    site.cloud.faults(Faults {
        throttle_every: 1,
        retry_after: Some(40),
        ..Faults::default()
    });
    let (kind, _) = site.fails().await;
    assert_eq!(
        kind,
        ErrorKind::Throttled {
            retry_after: Some(Duration::from_secs(40))
        }
    );
}

#[tokio::test]
async fn tokens_are_renewed_in_time_replaced_and_kept_across_a_restart() {
    let cloud = peer::Spacebring::start().unwrap();
    cloud.set_basic(false);
    let settings = oauth(&cloud);
    let site = Site::of(cloud, &settings);
    site.facts().await;
    let renewals = |site: &Site| {
        site.cloud
            .asked()
            .iter()
            .filter(|asked| asked.path == "/oauth2/token")
            .count()
    };
    assert_eq!(renewals(&site), 1);
    // A restart: the vault has the access token, and the refresh token that replaced the configured one.
    let again = adapter(&settings, &site.around);
    assert!(again.fetch(None).await.is_ok());
    assert_eq!(renewals(&site), 0);
    site.around.clock.advance(Duration::from_secs(3_560));
    assert!(again.fetch(None).await.is_ok());
    assert_eq!(renewals(&site), 1, "a minute before its end");
    site.cloud.expire_token();
    assert!(again.fetch(None).await.is_ok());
    assert_eq!(renewals(&site), 1, "after a 401");
    // The vault is lost, and the configured refresh token is spent.
    std::fs::remove_file(site.state.path().join("tokens.sealed")).unwrap();
    let error = again.fetch(None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unauthorised, Retry::Rarely)
    );
    insta::assert_snapshot!(site.words(&error));
    // A person puts a new one into the file.
    let mut renewed = settings.clone();
    if let doorward::config::model::SpacebringLogin::OAuth { refresh_token, .. } = &mut renewed.login {
        *refresh_token = doorward::domain::secret::Secret::new(site.cloud.refresh_token());
    }
    let renewed = adapter(&renewed, &site.around);
    assert!(renewed.fetch(None).await.is_ok());
}

#[tokio::test]
async fn a_clock_that_is_a_guess_asks_for_the_bookings_of_the_servers_time() {
    let mut space = Space::usual();
    let carmen = space.members[0].id.clone();
    space.book(&carmen, "Meeting room", hour(1), hour(2));
    let mut site = Site::with(space);
    site.around.clock = doorward::clock::Clock::manual(Moment {
        at: 86_400_000,
        trusted: false,
    });
    let lost = adapter(&config(&site.cloud), &site.around);
    let (facts, _, _) = take(lost.fetch(None).await.unwrap());
    assert_eq!(facts.bookings.len(), 1);
}

#[tokio::test]
async fn day_passes_are_asked_for_only_of_those_who_have_some_and_not_every_time() {
    let mut space = Space::usual();
    let (carmen, company) = (space.members[0].id.clone(), space.companies[0].id.clone());
    space.subscribe(Customer::User(carmen.clone()), "Day passes", hour(-1));
    let own = Balance {
        amount: 2.5,
        allocation: 3,
        expires: None,
        subscription: None,
    };
    space.balances.insert(company.clone(), vec![own]);
    let site = Site::with(space);
    let balances = |site: &Site| {
        site.cloud
            .asked()
            .iter()
            .filter(|it| it.path.contains("/balances/"))
            .count()
    };
    let (facts, _, _) = site.facts().await;
    assert_eq!(balances(&site), 2);
    let lefts: BTreeSet<_> = facts
        .passes
        .iter()
        .map(|pass| (pass.left, pass.team.is_some()))
        .collect();
    assert_eq!(lefts, BTreeSet::from([(Some(10), false), (Some(2), true)]));
    assert_eq!(site.facts().await.0.passes, facts.passes);
    assert_eq!(balances(&site), 0);
    site.cloud
        .edit(|space| space.balances.get_mut(&carmen).unwrap()[0].amount = 9.0);
    let passes = site.facts().await.0.passes;
    assert!(passes.iter().any(|pass| pass.left == Some(9)));
    assert_eq!(balances(&site), 1, "of the one whose number changed");
    site.around.clock.advance(Duration::from_secs(3_601));
    site.facts().await;
    assert_eq!(balances(&site), 2, "an hour later of all");
}

#[tokio::test]
async fn a_space_of_a_thousand_members_and_500_bookings_a_day_is_a_sixth_of_a_minutes_budget() {
    let mut space = Space::usual();
    for number in 0..998 {
        space.member(&format!("Member{number}"), "Of many", "member");
    }
    let people: Vec<String> = space.members.iter().map(|member| member.id.clone()).collect();
    for id in &people {
        space.subscribe(Customer::User(id.clone()), "Hot desk", hour(-1));
    }
    // 36 hours back and 14 days ahead are known.
    for person in people.iter().take(500) {
        space.book(person, "Meeting room", hour(-71), hour(-70));
        space.bookings.last_mut().unwrap().repeat = Some((1, 40));
    }
    let site = Site::with(space);
    let (facts, _, known) = site.facts().await;
    assert_eq!((facts.people.len(), facts.memberships.len()), (1_000, 1_000));
    assert!(facts.bookings.len() >= 7_500, "{}", facts.bookings.len());
    let asked = site.cloud.asked().len();
    assert!(asked <= 110, "{asked} requests");
    let subscription = site.cloud.edit(|space| {
        space.subscriptions[7].end = Some(hour(5));
        space.subscriptions[7].id.clone()
    });
    let hint = Hint::Object {
        collection: "memberships",
        id: subscription,
    };
    take(site.adapter.refresh(&known, facts, &[hint]).await.unwrap());
    assert_eq!(
        site.cloud.asked().len(),
        3,
        "plans, the subscription, its customer"
    );
}
