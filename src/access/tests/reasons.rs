//! Every reason: in words, as JSON, and in the documents.

use super::*;
use crate::{access::feedback, domain::Feedback};
use std::collections::BTreeMap;

/// A situation for every reason.
fn situations() -> Vec<Asked> {
    let hours = |from: &str, until: &str| {
        Window::between(
            at(&format!("{from}[Europe/Madrid]")),
            at(&format!("{until}[Europe/Madrid]")),
        )
    };
    let always = |kind, group, source| grant("m_1", kind, group, source, Window::ALWAYS);
    let plan = |group| always(GrantKind::Plan, group, ("pl_1", "Hot desk"));
    let booking = |from, until| {
        grant(
            "m_1",
            GrantKind::Booking,
            "rooms",
            ("bk_1", "Room Berlin"),
            hours(from, until),
        )
    };
    let changed = |grants: &[Grant], change: fn(&mut Asked)| {
        let mut asked = Asked::with(grants);
        change(&mut asked);
        asked
    };
    let void = Grant {
        void: Some(Reason::NoPassLeft),
        ..always(GrantKind::Pass, "rooms", ("ps_1", "Day pass"))
    };
    let mut all = vec![
        Asked::with(&[plan("rooms")]),
        Asked::with(&[always(GrantKind::Assignment, "rooms", ("as_1", "Desk 4"))]),
        Asked::with(&[booking("2026-11-22T14:00", "2026-11-22T15:00")]),
        Asked::with(&[always(GrantKind::Pass, "rooms", ("ps_1", "Day pass"))]),
        Asked::with(&[always(GrantKind::Direct, "room", ("d_1", "Key to Berlin"))]),
        Asked::with(&[booking("2026-11-22T14:25", "2026-11-22T15:00")]),
        Asked::with(&[booking("2026-11-24T14:25", "2026-11-24T15:00")]),
        Asked::with(&[booking("2026-11-22T13:00", "2026-11-22T14:00")]),
        Asked::with(&[plan("house")]),
        Asked::with(&[plan("never")]),
        Asked::with(&[void]),
        Asked::with(&[]),
    ];
    let unconnected = Grant {
        void: Some(Reason::NotConnected),
        rule: 31,
        ..plan("rooms")
    };
    let tentative = Grant {
        void: Some(Reason::NotConfirmed),
        rule: 19,
        ..booking("2026-11-22T14:00", "2026-11-22T15:00")
    };
    all.extend([
        changed(&[], |asked| {
            asked.door = Some("front");
            asked.card = Some(card(9));
            asked.now.at = at("2026-11-23T11:00[Europe/Madrid]");
        }),
        changed(&[], |asked| asked.card = Some(card(9))),
        changed(&[], |asked| {
            asked.snapshot.blocks = vec![block(BlockTarget::Credential(card(1)), "lost 3 November")];
        }),
        changed(&[], |asked| {
            asked.snapshot.blocks = vec![block(BlockTarget::Person("m_1".into()), "owes rent")];
        }),
        changed(&[], |asked| {
            asked.snapshot.credentials.push((card(1), "m_2".into()))
        }),
        changed(&[plan("rooms")], |asked| asked.door = Some("store")),
        changed(&[plan("rooms")], |asked| {
            asked
                .limits
                .set_stale_from(GrantKind::Plan, Some(at("2026-11-20T09:00[Europe/Madrid]")));
        }),
        changed(&[plan("house")], |asked| asked.now.trusted = false),
        changed(&[plan("rooms")], |asked| asked.lockdown = true),
        changed(&[plan("rooms")], |asked| asked.door = None),
        changed(&[plan("rooms")], |asked| asked.card = None),
        Asked::with(&[unconnected]),
        Asked::with(&[tentative]),
    ]);
    all
}

#[test]
fn every_reason_in_words() {
    let mut lines: Vec<(Reason, String)> = situations()
        .iter()
        .map(|asked| {
            let (verdict, explanation) = asked.verdict();
            (verdict.reason, explanation.text)
        })
        .collect();
    lines.sort_by_key(|(reason, _)| *reason);
    let seen: std::collections::BTreeSet<Reason> = lines.iter().map(|(reason, _)| *reason).collect();
    for reason in Reason::ALL {
        let elsewhere = matches!(
            reason,
            Reason::NoSnapshot
                | Reason::InternalError
                | Reason::GrantedByKs
                | Reason::RefusedByKs
                | Reason::AtTheDesk
        );
        assert!(elsewhere || seen.contains(reason), "no situation for {reason}");
    }
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn an_explanation_in_full() {
    let situations = situations();
    let (_, refused) = situations[6].verdict();
    insta::assert_snapshot!("lines", refused.lines().join("\n"));
    let json = serde_json::to_string_pretty(&refused).unwrap();
    insta::assert_snapshot!("json", json);
    let (_, blocked) = situations[14].verdict();
    insta::assert_snapshot!("blocked", blocked.lines().join("\n"));
    assert!(!json.contains("A2B3"), "the card stays masked");
}

/// Rows of the tables in docs/reasons.md: name to code, meaning, advice, feedback.
fn documented() -> BTreeMap<String, Vec<String>> {
    let text = include_str!("../../../docs/reasons.md");
    let row = |line: &str| -> Option<(String, Vec<String>)> {
        let cells: Vec<String> = line
            .strip_prefix("| `")?
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        let name = cells.first()?.trim_end_matches('`').to_owned();
        (cells.len() == 6).then(|| (name, cells[1..5].to_vec()))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn the_documents_list_every_reason_and_no_other() {
    let documented = documented();
    for reason in Reason::ALL {
        let row = documented
            .get(reason.name())
            .unwrap_or_else(|| panic!("docs/reasons.md lacks {reason}"));
        assert_eq!(row[0], reason.code().to_string(), "{reason}: code");
        assert!(
            row[1].len() > 20 && !row[2].is_empty(),
            "{reason}: meaning and advice"
        );
        let shown = match feedback(*reason) {
            Feedback::Granted => "granted",
            Feedback::Refused => "refused",
            Feedback::NotNow => "not now",
        };
        assert_eq!(row[3], shown, "{reason}: feedback");
    }
    assert_eq!(documented.len(), Reason::ALL.len());
}

#[test]
fn the_documents_list_every_field_of_an_explanation() {
    let text = include_str!("../../../docs/reasons.md");
    for asked in situations() {
        let json = serde_json::to_value(asked.verdict().1).unwrap();
        for field in json.as_object().unwrap().keys() {
            assert!(
                text.contains(&format!("| `{field}` |")),
                "docs/reasons.md lacks the field {field}"
            );
        }
        for field in json["grant"].as_object().iter().flat_map(|grant| grant.keys()) {
            assert!(
                text.contains(&format!("`{field}`")),
                "docs/reasons.md lacks grant.{field}"
            );
        }
    }
}
