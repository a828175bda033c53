//! The clause of an event, and the hints about a card that nobody holds.

use super::*;
use crate::{
    access::{Likeness, miss::MAX_CLAUSE, nearest_miss},
    domain::Say,
};

fn clause(asked: &Asked) -> Option<String> {
    let (index, _) = Index::build(&asked.snapshot, &site()).unwrap();
    nearest_miss(&index, asked.now, &asked.verdict().0)
}

fn right(kind: GrantKind, target: &str, label: &str, from: Option<&str>, until: Option<&str>) -> Asked {
    let instant = |time: &str| at(&format!("{time}[Europe/Madrid]"));
    let window = Window {
        from: from.map(instant),
        until: until.map(instant),
    };
    Asked::with(&[grant("m_1", kind, target, ("x_1", label), window)])
}

#[test]
fn a_refusal_names_its_nearest_miss_by_the_clock_on_the_wall() {
    let booking = |from, until| right(GrantKind::Booking, "rooms", "Berlin", Some(from), Some(until));
    let said = |asked: Asked| {
        let said = clause(&asked).unwrap();
        assert!(
            Say::of_detail(&said).is_some(),
            "said in no other language: {said}"
        );
        said
    };
    assert_eq!(
        said(booking("2026-11-22T14:25", "2026-11-22T15:00")),
        "booking Berlin starts 14:25"
    );
    assert_eq!(
        said(booking("2026-11-24T09:05", "2026-11-24T15:00")),
        "booking Berlin starts Tue 2026-11-24 09:05"
    );
    assert_eq!(
        said(booking("2026-11-22T13:00", "2026-11-22T14:00")),
        "booking Berlin ended 14:00"
    );
    // The day changes in Madrid an hour before it does in UTC.
    let night = booking("2026-11-23T00:10", "2026-11-23T02:00").on("2026-11-22T23:55");
    assert_eq!(said(night), "booking Berlin starts Mon 2026-11-23 00:10");
    let plan = || right(GrantKind::Plan, "house", "Hot desk", None, None);
    assert_eq!(said(plan()), "plan Hot desk opens Mon 2026-11-23 08:00");
    assert_eq!(said(plan().on("2026-11-23T07:00")), "plan Hot desk opens 08:00");
    let mut stale = plan().on("2026-11-23T09:00");
    stale
        .limits
        .set_stale_from(GrantKind::Plan, Some(at("2026-11-20T09:00[Europe/Madrid]")));
    assert_eq!(said(stale), "plan Hot desk held until Fri 2026-11-20 09:00");
    let mut unsure = plan();
    unsure.now.trusted = false;
    assert_eq!(said(unsure), "plan Hot desk needs the time");
    let never = right(GrantKind::Plan, "never", "", None, None);
    assert_eq!(said(never), "plan does not open again before it ends");
    let mut used = right(GrantKind::Pass, "rooms", "Day pass", None, None);
    used.snapshot.grants[0].void = Some(Reason::NoPassLeft);
    assert_eq!(said(used), "pass Day pass is used up");
}

#[test]
fn a_refusal_without_a_miss_and_a_grant_have_no_clause() {
    assert_eq!(
        clause(&right(GrantKind::Plan, "rooms", "Hot desk", None, None)),
        None
    );
    assert_eq!(clause(&Asked::with(&[])), None);
    let mut stranger = Asked::with(&[]);
    stranger.card = Some(card(9));
    assert_eq!(clause(&stranger), None);
}

#[test]
fn a_clause_fits_the_journal_whatever_the_label() {
    for label in ["é".repeat(200), "\u{1b}[2J\n".repeat(30), "会".repeat(90)] {
        let mut never = right(GrantKind::Direct, "room", &label, Some("2027-11-22T14:25"), None);
        let said = clause(&never).unwrap();
        assert!(
            said.len() <= MAX_CLAUSE && said.ends_with("starts Mon 2027-11-22 14:25"),
            "{said}"
        );
        assert!(!said.chars().any(char::is_control), "{said:?}");
        never.snapshot.grants[0].target = Target::Group("never".into());
        let said = clause(&never).unwrap();
        assert!(said.len() <= MAX_CLAUSE && said.ends_with("ends"), "{said}");
    }
}

#[test]
fn an_unknown_card_has_cousins_that_are_no_grant() {
    let mut snapshot = ada(&[]);
    let text = |text: &str| text.parse::<Credential>().unwrap();
    let known = ["uid:04A2B3C4D5E680", "uid:11223344", "wiegand26:123-45678"];
    snapshot.credentials = known.map(|card| (text(card), "m_1".into())).into();
    let (index, _) = Index::build(&snapshot, &site()).unwrap();
    let like = |asked: &str| {
        let cousins = index.cousins(&text(asked), 3);
        let found = cousins.iter().map(|cousin| (cousin.credential, cousin.likeness));
        assert!(
            cousins
                .iter()
                .all(|cousin| index.person(cousin.person.unwrap()).unwrap().id == "m_1")
        );
        found.collect::<Vec<_>>()
    };
    assert_eq!(like("uid:80E6D5C4B3A204"), [(text(known[0]), Likeness::Reversed)]);
    assert_eq!(
        like("wiegand32:11223344"),
        [(text(known[1]), Likeness::OtherScheme)]
    );
    assert_eq!(
        like("wiegand32:44332211"),
        [(text(known[1]), Likeness::OtherScheme)]
    );
    // 04A2B3 is facility 4, number A2B3: a reader that sends 26 bits of the UID.
    assert_eq!(like("wiegand26:4-41651"), [(text(known[0]), Likeness::Part)]);
    assert_eq!(like("uid:C4D5E680"), [(text(known[0]), Likeness::Part)]);
    // 123-45678 is 7BB26E; somebody typed the chip's number.
    assert_eq!(like("uid:7BB26E00"), [(text(known[2]), Likeness::Part)]);
    assert_eq!(like("uid:99887766"), []);
    assert_eq!(like("ks:02309289"), []);
    assert_eq!(like(known[0]), [], "a known card needs no hint");
}

#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture a_clause_costs"]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn a_clause_costs_little() {
    let asked = right(
        GrantKind::Booking,
        "rooms",
        "Meeting room Berlin",
        Some("2026-11-24T14:25"),
        None,
    );
    let (index, _) = Index::build(&asked.snapshot, &site()).unwrap();
    let (verdict, rounds) = (asked.verdict().0, 100_000);
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(nearest_miss(&index, asked.now, &verdict));
    }
    println!("{:?} a clause", start.elapsed() / rounds);
}
