use super::{journal::*, *};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn all() -> impl Iterator<Item = &'static Sentence> {
    let lists = [
        DESK,
        desk::ROWS,
        desk::FORMATS,
        READERS,
        PAGE,
        JOURNAL,
        RIGHTS,
        WAYS,
    ];
    lists.into_iter().flatten()
}

fn code(say: Option<Say>) -> String {
    say.map(|say| say.code.into_owned()).unwrap_or_default()
}

#[test]
fn every_sentence_has_one_code_and_is_found_again_by_its_own() {
    let mut codes = BTreeSet::new();
    for sentence in all() {
        assert!(codes.insert(sentence.code), "{} twice", sentence.code);
        let mut text = sentence.english.to_owned();
        for name in sentence.params {
            let filled = match *name {
                "right" => "booking Boardroom",
                "how" => "with a PIN",
                "asker" => "maria at the page",
                "fault" => "door_held:front",
                "why" => "there is no such door",
                _ => "xyz",
            };
            text = text.replace(&format!("{{{name}}}"), filled);
        }
        let found = [
            Say::of(&text),
            Say::of_detail(&text),
            Say::of_row(&text),
            Say::of_format(&text),
            Say::among(&[RIGHTS], &text),
            Say::among(&[WAYS], &text),
            Say::among(&[ASKERS], &text),
        ];
        let found: Vec<_> = found.into_iter().map(code).collect();
        assert!(found.iter().any(|it| it == sentence.code), "{text}: {found:?}");
    }
    for fault in FAULTS {
        assert!(codes.insert(fault.kind), "{} twice", fault.kind);
    }
}

#[test]
fn parts_come_out_as_they_went_in_and_sentences_within_as_sentences() {
    let say = Say::of(page::role_needed("cards:write", "desk").as_ref()).unwrap();
    assert_eq!(say.code, "role_needed");
    assert_eq!(
        serde_json::json!(say.params),
        serde_json::json!({ "scope": "cards:write", "role": "desk" })
    );
    let why = desk::card_is("Ana's mother");
    let say = Say::of(desk::queue_not_given(why, "Ben").as_ref()).unwrap();
    assert_eq!(say.params["why"]["code"], "card_is");
    assert_eq!(say.params["why"]["params"]["name"], "Ana's mother");
    let say = Say::of_detail("booking Meeting room starts Mon 2026-11-23 14:25").unwrap();
    assert_eq!(
        (say.code.as_ref(), &say.params["time"]),
        ("miss_starts", &"Mon 2026-11-23 14:25".into())
    );
    assert_eq!(say.params["right"]["params"]["name"], "Meeting room");
    let say =
        Say::of_detail("opened with a tag (no access); nobody here; its time lies ahead of ours").unwrap();
    assert_eq!(say.code, "ks_time_ahead");
    let inner = &say.params["why"]["params"]["why"];
    assert_eq!(
        (&inner["code"], &inner["params"]["how"]["code"]),
        (&"ks_opened_how".into(), &"way_detail".into())
    );
}

#[test]
fn a_fault_is_said_by_its_kind_with_its_text_in_the_small_print() {
    let say = Say::of_fault("door_held:front", "door front stands open").unwrap();
    assert_eq!(say.code, "door_held");
    assert_eq!(
        serde_json::json!(say.params),
        serde_json::json!({ "door": "front", "technical": "door front stands open" })
    );
    assert_eq!(Say::of_fault("made_up:front", "text"), None);
    assert_eq!(Say::of("whatever else is said"), None);
}

proptest! {
    /// Whatever is filled in, the English text comes back whole from code and parts.
    #[test]
    fn no_text_is_lost_on_the_way(name in "[ -~]{0,20}", other in "\\PC{0,12}", at in 0_usize..500) {
        let sentence = all().nth(at % all().count()).unwrap();
        let fill = |text: &str, params: &BTreeMap<&str, &str>| {
            let mut out = String::new();
            let mut pieces = text.split(['{', '}']);
            out.push_str(pieces.next().unwrap());
            while let (Some(name), Some(after)) = (pieces.next(), pieces.next()) {
                out.push_str(params[name]);
                out.push_str(after);
            }
            out
        };
        let values = [name.as_str(), other.as_str()].into_iter().cycle();
        let params: BTreeMap<&str, &str> = sentence.params.iter().copied().zip(values).collect();
        let text = fill(sentence.english, &params);
        // A sentence whose parts hold words of its own may be cut elsewhere, and reads the same.
        if let Some(parts) = sentence.parts(&text) {
            prop_assert_eq!(fill(sentence.english, &parts.into_iter().collect()), text);
        }
    }
}
