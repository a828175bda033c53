//! Golden cases: one situation, one answer.

use super::*;
use crate::domain::GrantKind::{Assignment, Booking, Direct, Pass, Plan};

const PLAN: (&str, &str) = ("pl_1", "Hot desk");
const ROOM: (&str, &str) = ("bk_1", "Room Berlin");

fn hours(from: &str, until: &str) -> Window {
    Window::between(
        at(&format!("{from}[Europe/Madrid]")),
        at(&format!("{until}[Europe/Madrid]")),
    )
}

fn booking(from: &str, until: &str) -> Grant {
    grant("m_1", Booking, "rooms", ROOM, hours(from, until))
}

fn plan(group: &str) -> Grant {
    grant("m_1", Plan, group, PLAN, Window::ALWAYS)
}

#[test]
fn a_booking_opens_from_its_first_instant_to_its_last() {
    let asked = Asked::with(&[booking("2026-11-22T14:25", "2026-11-22T15:00")]);
    assert_eq!(
        asked.text(),
        "refused: not_yet — booking \"Room Berlin\" (bk_1, rule R12) starts 14:25"
    );
    let mut asked = asked.on("2026-11-22T14:25");
    assert_eq!(asked.reason(), Reason::GrantedBooking);
    asked.now.at = at("2026-11-22T15:00[Europe/Madrid]") - 1;
    assert_eq!(asked.reason(), Reason::GrantedBooking);
    asked.now.at += 1;
    assert_eq!(
        asked.text(),
        "refused: ended — booking \"Room Berlin\" (bk_1, rule R12) ended 15:00"
    );
    assert_eq!(
        asked.on("2026-11-23T09:00").text(),
        "refused: ended — booking \"Room Berlin\" (bk_1, rule R12) ended Sun 2026-11-22 15:00"
    );
}

#[test]
fn group_hours_narrow_a_plan_and_name_the_next_opening() {
    let asked = Asked::with(&[plan("house")]);
    assert_eq!(
        asked.text(),
        "refused: outside_hours — plan \"Hot desk\" (pl_1, rule R1) is outside its hours, opens Mon 2026-11-23 08:00"
    );
    assert_eq!(
        Asked::with(&[plan("house")]).on("2026-11-23T08:00").reason(),
        Reason::GrantedPlan
    );
    assert_eq!(
        Asked::with(&[plan("house")])
            .on("2026-11-23T19:59:59.999")
            .reason(),
        Reason::GrantedPlan
    );
    assert_eq!(
        Asked::with(&[plan("house")]).on("2026-11-23T20:00").reason(),
        Reason::OutsideHours
    );
}

#[test]
fn a_holiday_has_its_own_hours() {
    let on = |time| Asked::with(&[plan("house")]).on(time);
    assert_eq!(
        on("2026-12-08T09:00").verdict().0.when,
        Some(at("2026-12-08T10:00[Europe/Madrid]"))
    );
    assert_eq!(on("2026-12-08T10:00").reason(), Reason::GrantedPlan);
    assert_eq!(
        on("2026-12-08T14:00").verdict().0.when,
        Some(at("2026-12-09T08:00[Europe/Madrid]"))
    );
}

#[test]
fn hours_run_over_midnight_in_two_spans() {
    let on = |time| Asked::with(&[plan("night")]).on(time).reason();
    assert_eq!(on("2026-11-23T23:59:59.999"), Reason::GrantedPlan);
    assert_eq!(on("2026-11-24T00:00"), Reason::GrantedPlan);
    assert_eq!(on("2026-11-24T06:00"), Reason::OutsideHours);
}

#[test]
fn the_clock_on_the_wall_decides_when_the_clocks_change() {
    let mut site = site();
    let nights = &mut site.schedules[2];
    nights.week = std::array::from_fn(|_| {
        vec![Span {
            from: 120,
            until: 150,
        }]
    }); // 02:00 to 02:30
    let (index, _) = Index::build(&ada(&[plan("night")]), &site).unwrap();
    let limits = Limits::default();
    let ask = |utc: &str| {
        let now: jiff::Timestamp = utc.parse().unwrap();
        index.decide(&Query {
            credential: Some(&card(1)),
            door: index.door("room"),
            now: Moment::trusted(now.as_millisecond()),
            lockdown: false,
            limits: &limits,
        })
    };
    let instant = |utc: &str| Some(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    // 2026-10-25 in Madrid has 02:00 to 03:00 twice: open both times, and shut in between.
    assert_eq!(ask("2026-10-25T00:10:00Z").reason, Reason::GrantedPlan);
    assert_eq!(ask("2026-10-25T00:40:00Z").when, instant("2026-10-25T01:00:00Z"));
    assert_eq!(ask("2026-10-25T01:10:00Z").reason, Reason::GrantedPlan);
    // 2026-03-29 has no 02:00 to 03:00 at all.
    assert_eq!(ask("2026-03-29T00:59:00Z").when, instant("2026-03-30T00:00:00Z"));
    assert_eq!(ask("2026-03-29T01:00:00Z").reason, Reason::OutsideHours);
}

#[test]
fn any_open_source_opens_and_the_first_by_kind_decides() {
    let grants = [
        grant("m_1", Pass, "rooms", ("ps_1", "Day pass"), Window::ALWAYS),
        booking("2026-11-22T14:00", "2026-11-22T15:00"),
        plan("house"), // shut on Sunday
        grant("m_1", Direct, "room", ("d_1", "Key"), Window::ALWAYS),
    ];
    assert_eq!(
        Asked::with(&grants).text(),
        "granted: granted_booking — booking \"Room Berlin\" (bk_1, rule R12) opens this door"
    );
    assert_eq!(
        Asked::with(&grants).on("2026-11-23T12:00").reason(),
        Reason::GrantedPlan
    );
    assert_eq!(
        Asked::with(&grants).on("2026-11-24T23:00").reason(),
        Reason::GrantedPass
    );
}

#[test]
fn the_nearest_miss_is_the_one_that_helps_most() {
    let soon = booking("2026-11-22T14:25", "2026-11-22T15:00");
    let later = grant(
        "m_1",
        Booking,
        "rooms",
        ("bk_0", "Room Oslo"),
        hours("2026-11-30T09:00", "2026-11-30T10:00"),
    );
    let over = grant(
        "m_1",
        Assignment,
        "rooms",
        ("as_1", "Desk 4"),
        hours("2026-11-01T00:00", "2026-11-20T00:00"),
    );
    let mut older = over.clone();
    older.source.id = "as_0".into();
    older.window.until = Some(at("2026-11-10T00:00[Europe/Madrid]"));
    let void = Grant {
        void: Some(Reason::NoPassLeft),
        ..grant("m_1", Pass, "rooms", ("ps_1", "Day pass"), Window::ALWAYS)
    };
    let all = [older, over, later, void, soon, plan("never")];
    let named = |asked: Asked| {
        let (verdict, explanation) = asked.verdict();
        (verdict.reason, explanation.grant.map(|grant| grant.source_id))
    };
    let expect = |reason, source: &str| (reason, Some(source.to_owned()));
    assert_eq!(named(Asked::with(&all)), expect(Reason::NotYet, "bk_1"));
    assert_eq!(named(Asked::with(&all[..4])), expect(Reason::NoPassLeft, "ps_1"));
    assert_eq!(named(Asked::with(&all[..3])), expect(Reason::NotYet, "bk_0"));
    assert_eq!(named(Asked::with(&all[..2])), expect(Reason::Ended, "as_1"));
    assert_eq!(
        named(Asked::with(&all[5..])),
        expect(Reason::OutsideHours, "pl_1")
    );
    let mut asked = Asked::with(&[all[4].clone(), grant("m_1", Plan, "rooms", PLAN, Window::ALWAYS)]);
    asked
        .limits
        .set_stale_from(Plan, Some(at("2026-11-20T09:00[Europe/Madrid]")));
    assert_eq!(
        asked.text(),
        "refused: stale — plan \"Hot desk\" (pl_1, rule R1) holds no longer since Fri 2026-11-20 09:00: \
         the platform was not reached for too long"
    );
}

#[test]
fn a_start_outside_the_hours_names_the_instant_that_really_opens() {
    let early = grant(
        "m_1",
        Booking,
        "house",
        ROOM,
        hours("2026-11-23T06:00", "2026-11-23T10:00"),
    );
    assert_eq!(
        Asked::with(std::slice::from_ref(&early)).text(),
        "refused: not_yet — booking \"Room Berlin\" (bk_1, rule R12) first opens Mon 2026-11-23 08:00, by its hours"
    );
    let night = Grant {
        window: hours("2026-11-23T20:30", "2026-11-23T21:00"),
        ..early
    };
    let (verdict, explanation) = Asked::with(&[night]).verdict();
    assert_eq!((verdict.reason, verdict.when), (Reason::NotYet, None));
    assert!(
        explanation.text.contains("does not open any more before it ends"),
        "{}",
        explanation.text
    );
}

#[test]
fn blocks_beat_every_grant_and_office_hours() {
    let mut asked = Asked::with(&[plan("rooms")]).on("2026-11-23T11:00");
    asked.door = Some("front");
    assert_eq!(asked.reason(), Reason::GrantedDoorOpen);
    asked.snapshot.blocks = vec![block(BlockTarget::Person("m_1".into()), "left owing rent")];
    assert_eq!(
        asked.text(),
        "refused: person_blocked — the person is blocked: \"left owing rent\""
    );
    asked
        .snapshot
        .blocks
        .push(block(BlockTarget::Credential(card(1)), "lost 3 November"));
    assert_eq!(
        asked.text(),
        "refused: credential_blocked — the card is blocked: \"lost 3 November\""
    );
    asked.card = Some(card(9));
    assert_eq!(
        asked.reason(),
        Reason::GrantedDoorOpen,
        "an unknown card in office hours"
    );
    asked
        .snapshot
        .blocks
        .push(block(BlockTarget::Credential(card(9)), ""));
    assert_eq!(
        asked.reason(),
        Reason::CredentialBlocked,
        "blocked, though nobody holds it"
    );
}

#[test]
fn office_hours_open_to_everybody_only_with_a_clock_to_trust() {
    let mut asked = Asked::with(&[]).on("2026-11-23T11:00");
    asked.door = Some("front");
    asked.card = None;
    assert_eq!(asked.reason(), Reason::GrantedDoorOpen);
    asked.now.trusted = false;
    asked.limits.allow_windowed_when_untrusted = true;
    assert_eq!(asked.reason(), Reason::UnreadableCard);
    asked.now.trusted = true;
    asked.lockdown = true;
    assert_eq!(asked.reason(), Reason::Lockdown);
}

#[test]
fn a_card_with_two_holders_opens_for_neither() {
    let mut asked = Asked::with(&[plan("rooms")]);
    asked.snapshot.credentials.push((card(1), "m_2".into()));
    assert_eq!(asked.reason(), Reason::CredentialAmbiguous);
    assert_eq!(asked.verdict().0.person, None);
    let mut open = asked.on("2026-11-23T11:00");
    open.door = Some("front");
    assert_eq!(open.reason(), Reason::GrantedDoorOpen);
    open.snapshot.blocks = vec![block(BlockTarget::Person("m_2".into()), "")];
    assert_eq!(
        open.reason(),
        Reason::CredentialAmbiguous,
        "one of the holders is blocked"
    );
    open.snapshot.credentials = vec![(card(1), "m_1".into()); 2];
    assert_eq!(
        open.reason(),
        Reason::GrantedDoorOpen,
        "the same holder twice is one holder"
    );
}

#[test]
fn an_untrusted_clock_opens_only_what_needs_no_clock() {
    let booked = booking("2026-11-22T14:00", "2026-11-22T15:00");
    let untrusted = |grants: &[Grant]| {
        let mut asked = Asked::with(grants).on("2026-11-22T14:10");
        asked.now.trusted = false;
        asked
    };
    assert_eq!(untrusted(&[plan("rooms")]).reason(), Reason::GrantedPlan);
    assert_eq!(
        untrusted(std::slice::from_ref(&booked)).reason(),
        Reason::ClockUntrusted
    );
    assert_eq!(untrusted(&[plan("house")]).reason(), Reason::ClockUntrusted);
    let mut allowed = untrusted(&[booked]);
    allowed.limits.allow_windowed_when_untrusted = true;
    assert_eq!(allowed.reason(), Reason::GrantedBooking);
}

#[test]
fn staleness_needs_a_known_age() {
    let mut asked = Asked::with(&[plan("rooms")]);
    asked.limits.set_stale_from(Plan, Some(asked.now.at));
    assert_eq!(asked.reason(), Reason::Stale);
    asked.limits.set_stale_from(Plan, Some(asked.now.at + 1));
    assert_eq!(asked.reason(), Reason::GrantedPlan);
    asked.limits.set_stale_from(Plan, Some(asked.now.at - 1));
    asked.now.trusted = false;
    assert_eq!(
        asked.reason(),
        Reason::GrantedPlan,
        "a guess of the time proves no age"
    );
    asked.limits.set_stale_from(Plan, Some(Limits::STALE_FOR_CERTAIN));
    assert_eq!((asked.reason(), asked.verdict().0.when), (Reason::Stale, None));
    asked.limits.set_stale_from(Plan, None);
    asked
        .limits
        .set_stale_from(Booking, Some(Limits::STALE_FOR_CERTAIN));
    assert_eq!(asked.reason(), Reason::GrantedPlan, "each kind has its own age");
}

#[test]
fn no_rights_here_and_no_rights_anywhere_are_told_apart() {
    let mut asked = Asked::with(&[plan("rooms")]);
    asked.door = Some("store");
    assert_eq!(asked.reason(), Reason::NoGrantForDoor);
    asked.snapshot.grants.clear();
    assert_eq!(asked.reason(), Reason::NoGrant);
    asked.card = Some(card(2));
    assert_eq!(asked.reason(), Reason::UnknownCredential);
    asked.card = None;
    assert_eq!(asked.reason(), Reason::UnreadableCard);
    asked.door = None;
    assert_eq!(asked.reason(), Reason::UnknownDoor);
}

#[test]
fn without_a_snapshot_and_with_a_door_of_another_index_nothing_opens() {
    let limits = Limits::default();
    let card = card(1);
    let empty = Index::without_snapshot(&site()).unwrap();
    let mut query = Query {
        credential: Some(&card),
        door: empty.door("front"),
        now: Moment::trusted(at("2026-11-23T11:00[Europe/Madrid]")),
        lockdown: false,
        limits: &limits,
    };
    assert_eq!(empty.decide(&query).reason, Reason::NoSnapshot);
    let (index, _) = Index::build(&ada(&[]), &site()).unwrap();
    query.door = Some(crate::access::DoorIx(77));
    assert_eq!(index.decide(&query).reason, Reason::InternalError);
}

#[test]
fn instants_at_the_ends_of_time_have_an_answer() {
    for now in [Millis::MIN, Millis::MIN + 1, -1, 0, Millis::MAX - 1, Millis::MAX] {
        for grants in [
            plan("house"),
            plan("never"),
            plan("night"),
            booking("2026-11-22T14:25", "2026-11-22T15:00"),
        ] {
            let mut asked = Asked::with(&[grants]);
            asked.now.at = now;
            assert!(!asked.text().is_empty());
        }
    }
}

#[test]
fn what_the_facts_get_wrong_is_named_and_opens_nothing() {
    let mut snapshot = ada(&[
        booking("2026-11-22T15:00", "2026-11-22T14:00"),
        plan("cellar"),
        grant("m_9", Plan, "rooms", PLAN, Window::ALWAYS),
    ]);
    snapshot.people.push(Holder {
        id: "m_1".into(),
        name: "Ada King".into(),
    });
    snapshot.credentials.push((card(1), "m_2".into()));
    snapshot
        .credentials
        .push((Credential::uid(&[8, 1, 2, 3]).unwrap(), "m_1".into()));
    let (_, warnings) = Index::build(&snapshot, &site()).unwrap();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn what_the_configuration_gets_wrong_is_an_error() {
    let error = |change: fn(&mut Site)| {
        let mut site = site();
        change(&mut site);
        Index::build(&ada(&[]), &site).unwrap_err().to_string()
    };
    let errors = [
        error(|site| site.zone = "Europe/Atlantis".into()),
        error(|site| site.doors[1].id = "front".into()),
        error(|site| site.groups[0].doors.push("cellar".into())),
        error(|site| site.groups[0].hours = Some("sometimes".into())),
        error(|site| site.doors[0].open_for_all = Some("sometimes".into())),
        error(|site| site.schedules[0].week[0][0].until = 1441),
        error(|site| site.schedules[0].holiday[0].until = 600),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}
