//! R12 to R19.

use super::*;

fn rooms(bookings: Vec<Booking>) -> Facts {
    Facts {
        people: vec![person("ada"), person("bob")],
        resources: vec![
            resource("blue", "Blue room", ResourceKind::Room),
            resource("desk-7", "Desk 7", ResourceKind::Desk),
            resource("booth", "Booth", ResourceKind::Room),
        ],
        bookings,
        ..Facts::default()
    }
}
#[test]
fn r13_s2_93_to_s2_105_thirty_minutes_before_and_after() {
    // The guide's own table: 12-16 opens 11:30-16:30, 9:30-11:30 opens 9:00-12:00.
    let table = [
        (
            "2024-08-01T12:00:00Z",
            "2024-08-01T16:00:00Z",
            "2024-08-01T11:30:00Z",
            "2024-08-01T16:30:00Z",
        ),
        (
            "2024-12-05T09:30:00Z",
            "2024-12-05T11:30:00Z",
            "2024-12-05T09:00:00Z",
            "2024-12-05T12:00:00Z",
        ),
    ];
    for (from, until, opens, closes) in table {
        let facts = rooms(vec![booking("b1", "blue", "ada", at(from), at(until))]);
        let window = only_window(&grants(&facts, &buffers(30, 30), &site("UTC")));
        assert_eq!(window, Window::between(at(opens), at(closes)));
    }
}

#[test]
fn r13_s3_33_five_minutes_and_s4_105_none_after() {
    let facts = rooms(vec![booking("b1", "blue", "ada", 3_600_000, 7_200_000)]);
    let five = only_window(&grants(&facts, &buffers(5, 5), &site("UTC")));
    assert_eq!(five, Window::between(3_300_000, 7_500_000));
    let lead_only = only_window(&grants(&facts, &buffers(15, 0), &site("UTC")));
    assert_eq!(lead_only, Window::between(2_700_000, 7_200_000));
}

#[test]
fn r13_each_platforms_room_opens_as_its_own_guide_says() {
    let facts = rooms(vec![booking(
        "b1",
        "blue",
        "ada",
        at("2026-05-20T10:00:00Z"),
        at("2026-05-20T11:00:00Z"),
    )]);
    for (profile, from, until) in [
        (Profile::Cobot, "2026-05-20T09:55:00Z", "2026-05-20T11:05:00Z"), // S3:33
        (Profile::Nexudus, "2026-05-20T09:45:00Z", "2026-05-20T11:15:00Z"),
        (Profile::OfficeRnd, "2026-05-20T09:45:00Z", "2026-05-20T11:00:00Z"), // S4:105
        (
            Profile::Spacebring,
            "2026-05-20T09:30:00Z",
            "2026-05-20T11:30:00Z",
        ), // S2:93
        (Profile::Coworks, "2026-05-19T22:00:00Z", "2026-05-20T22:00:00Z"),
        (Profile::Open, "2026-05-20T09:55:00Z", "2026-05-20T11:05:00Z"),
    ] {
        let window = only_window(&grants(&facts, &as_on(profile), &site("Europe/Madrid")));
        assert_eq!(window, between(from, until), "{profile:?}");
    }
}

#[test]
fn r14_c3_s2_93_s4_107_s3_33_who_is_invited_gets_in_by_profile() {
    let mut room = booking("b1", "blue", "ada", 0, 1_000);
    room.invitees = vec!["bob".into(), "ada".into()];
    let mut facts = rooms(vec![room]);
    // A guest is no member.
    facts.people[1].standing = crate::domain::facts::Standing::External;
    for (name, profile) in Profile::ALL {
        let invited = matches!(profile, Profile::OfficeRnd | Profile::Spacebring);
        let found = opens(&grants(&facts, &as_on(profile), &site("UTC")));
        let expected = [row("ada", "rooms", 12, "b1"), row("bob", "rooms", 14, "b1")];
        assert_eq!(found, &expected[..if invited { 2 } else { 1 }], "{name}");
    }
}

#[test]
fn r14_s2_93_s4_107_invitees_by_profile_and_never_at_a_desk() {
    let mut room = booking("b1", "blue", "ada", 0, 1_000);
    room.invitees = vec!["bob".into(), "stranger".into()];
    let mut desk = booking("b2", "desk-7", "ada", 0, 1_000);
    desk.invitees = vec!["bob".into()];
    let facts = rooms(vec![room, desk]);
    let inviting = RulesConfig {
        grant_invitees: true,
        ..rules()
    };
    let booker = [row("ada", "desks", 17, "b2"), row("ada", "rooms", 12, "b1")];
    assert_eq!(opens(&grants(&facts, &rules(), &site("UTC"))), booker);
    let with_bob = [booker.to_vec(), vec![row("bob", "rooms", 14, "b1")]].concat();
    assert_eq!(opens(&grants(&facts, &inviting, &site("UTC"))), with_bob);
}

#[test]
fn r12_s4_103_an_unmapped_room_opens_nothing_and_warns_nobody() {
    let outcome = grants(
        &rooms(vec![booking("b1", "booth", "ada", 0, 1_000)]),
        &rules(),
        &site("UTC"),
    );
    assert!(outcome.grants.is_empty() && warned(&outcome).is_empty());
}

#[test]
fn r15_bookings_back_to_back_leave_no_gap_and_do_not_overlap() {
    let facts = rooms(vec![
        booking("b1", "blue", "ada", 0, 3_600_000),
        booking("b2", "blue", "ada", 3_600_000, 7_200_000),
    ]);
    let outcome = grants(&facts, &rules(), &site("UTC"));
    for now in [0, 3_599_999, 3_600_000, 7_199_999] {
        assert_eq!(
            outcome.grants.iter().filter(|it| it.window.contains(now)).count(),
            1,
            "{now}"
        );
    }
}

#[test]
fn r18_a_buffer_may_cross_midnight_and_a_clock_change() {
    // Madrid: 02:00 to 03:00 does not exist on 29 March 2026; 02:00 to 03:00 comes twice on 25 October.
    for (from, opens) in [
        ("2026-03-29T01:10:00Z", "2026-03-29T00:40:00Z"), // 03:10 summer time, half an hour before is 01:40
        ("2026-10-25T01:10:00Z", "2026-10-25T00:40:00Z"), // 02:10 the second time, before it 02:40 the first
        ("2026-06-01T22:10:00Z", "2026-06-01T21:40:00Z"), // 00:10, before it yesterday 23:40
    ] {
        let facts = rooms(vec![booking("b1", "blue", "ada", at(from), at(from) + 3_600_000)]);
        let window = only_window(&grants(&facts, &buffers(30, 30), &site("Europe/Madrid")));
        assert_eq!(window, Window::between(at(opens), at(from) + 5_400_000), "{from}");
    }
}

/// R19: the guides are silent on what is not confirmed.
#[test]
fn r19_no_platform_opens_for_what_is_not_confirmed() {
    let mut pending = booking("b1", "blue", "ada", 0, 1_000);
    pending.tentative = true;
    for (name, profile) in Profile::ALL {
        let outcome = grants(&rooms(vec![pending.clone()]), &as_on(profile), &site("UTC"));
        let void: Vec<_> = outcome.grants.iter().map(|it| (it.rule, it.void)).collect();
        assert_eq!(
            void,
            [(19, Some(Reason::NotConfirmed))],
            "{name}: a refusal can say why"
        );
    }
}

#[test]
fn r19_a_tentative_booking_opens_by_profile_only() {
    let mut pending = booking("b1", "blue", "ada", 0, 1_000);
    pending.tentative = true;
    let facts = rooms(vec![pending]);
    let refused = grants(&facts, &rules(), &site("UTC")).grants;
    assert!(refused.iter().all(|it| it.void.is_some()), "{refused:?}");
    let lenient = RulesConfig {
        grant_tentative: true,
        ..rules()
    };
    assert_eq!(
        opens(&grants(&facts, &lenient, &site("UTC"))),
        [row("ada", "rooms", 12, "b1")]
    );
}
