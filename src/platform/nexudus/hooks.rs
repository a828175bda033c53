//! What Nexudus sends: web hooks, which are only hints, and the pushes of Custom ACS. Pure: headers and bytes in, hints
//! out.

use super::acs::Push;
use crate::{
    domain::secret::Secret,
    platform::{Asked, Heard, Hint, Hook, HookRefused, Served},
};
use ring::{digest, hmac};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

/// Upper-case hexadecimal HMAC-SHA256 of the body (facts: platforms.md 3.6).
const SIGNATURE: &str = "x-nexudus-hook-signature";
/// A push that was made longer ago, or in the future, is not taken, milliseconds.
const PUSH_LASTS: i64 = 10 * 60_000;
/// The same bytes within this are one delivery, milliseconds: no longer than hints are gathered before they are fetched.
const REPLAY: i64 = 100;
/// Records in one hook. Nexudus sends one.
const MOST_RECORDS: usize = 100;

/// Who may send what.
#[derive(Clone, Debug)]
pub(super) struct Senders {
    pub(super) hook_secret: Option<Secret>,
    pub(super) acs_token: Option<Secret>,
    pub(super) business: u64,
}

/// Understands a delivery of either kind.
pub(super) fn hear(senders: &Senders, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
    if let Some(given) = hook.header(SIGNATURE) {
        let secret = senders.hook_secret.as_ref().ok_or(HookRefused::Unexpected)?;
        signed(secret, given, hook)
    } else if hook.header("authorization").is_some() {
        if !is_acs(senders, hook.headers)? {
            return Err(HookRefused::Signature);
        }
        pushed(senders, hook)
    } else if senders.hook_secret.is_none() && senders.acs_token.is_none() {
        Err(HookRefused::Unexpected)
    } else {
        Err(HookRefused::Signature)
    }
}

/// Whether a request shows the token of Custom ACS.
pub(super) fn is_acs(senders: &Senders, headers: &[(String, String)]) -> Result<bool, HookRefused> {
    let token = senders.acs_token.as_ref().ok_or(HookRefused::Unexpected)?;
    let given = headers.iter().find(|(name, _)| name == "authorization");
    let given = given.and_then(|(_, value)| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Ok(given.is_some_and(|(_, given)| {
        let (given, token) = (given.trim().as_bytes(), token.reveal().as_bytes());
        bool::from(given.ct_eq(token))
    }))
}

/// Answers Custom ACS, which asks for the groups that there are (facts: platforms.md 3.7): `GET` of the receiver's address,
/// or of `groups` below it. `None`: there is no such thing here.
pub(super) fn serve(
    senders: &Senders,
    asked: &Asked<'_>,
    groups: impl FnOnce() -> Vec<String>,
) -> Option<Served> {
    if asked.method != "GET" || !matches!(asked.path, "" | "groups" | "groups/") {
        return None;
    }
    let (status, body) = match is_acs(senders, asked.hook.headers) {
        Err(_) => return None,
        Ok(false) => (401, json!({ "message": "the token is not known" })),
        Ok(true) => {
            let groups = groups().into_iter();
            (
                200,
                groups
                    .map(|group| json!({ "id": group, "name": group }))
                    .collect(),
            )
        }
    };
    Some(Served {
        status,
        content_type: "application/json",
        body: body.to_string().into_bytes(),
        hints: Vec::new(),
    })
}

fn signed(secret: &Secret, given: &str, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
    let tag = from_hex(given.trim()).ok_or(HookRefused::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    hmac::verify(&key, hook.body, &tag).map_err(|_| HookRefused::Signature)?;
    let body: Value = serde_json::from_slice(hook.body).map_err(|_| HookRefused::Body)?;
    let records = match &body {
        Value::Array(records) if records.len() <= MOST_RECORDS => records.as_slice(),
        Value::Object(_) => std::slice::from_ref(&body),
        _ => return Err(HookRefused::Body),
    };
    let mut hints = Vec::new();
    for record in records {
        let hint = hint(record);
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    // Two deliveries may have the same bytes and mean two things: neither a time nor the action is among them, and a
    // booking that is deleted looks as it did when it was changed last, a moment before perhaps. So the same bytes are a
    // replay only while the first of them still waits to be fetched; later they are a hint to look once more, which opens
    // nothing and costs a few requests.
    let moment = hook.now.at.div_euclid(REPLAY);
    Ok(Heard {
        delivery: format!("{}:{moment}", named(hook.body)),
        signed: true,
        hints,
    })
}

/// A name for these bytes.
fn named(body: &[u8]) -> String {
    let sum = digest::digest(&digest::SHA256, body);
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Dto {
    id: Option<u64>,
    full_name: Option<Value>,
    email: Option<Value>,
    coworker_id: Option<u64>,
    coworker_contract_coworker_id: Option<u64>,
    resource_id: Option<u64>,
    from_time: Option<Value>,
    to_time: Option<Value>,
    tariff_id: Option<u64>,
    start_date: Option<Value>,
    time_pass_id: Option<u64>,
    booking_id: Option<u64>,
    source: Option<Value>,
    floor_plan_id: Option<u64>,
}

/// What a record suggests to fetch. The action does not stand in the body, so its fields have to say what it is; what
/// they do not say is fetched whole.
fn hint(record: &Value) -> Hint {
    let Ok(dto) = serde_json::from_value::<Dto>(record.clone()) else {
        return Hint::Anything;
    };
    let person = |id: u64| Hint::Person(super::facts::person_id(id));
    let booking = |id: u64| Hint::Object {
        collection: "bookings",
        id: id.to_string(),
    };
    if dto.floor_plan_id.is_some() {
        return Hint::Collection("assignments");
    }
    match dto {
        Dto {
            booking_id: Some(id), ..
        } => booking(id),
        Dto {
            id: Some(id),
            resource_id: Some(_),
            from_time: Some(_),
            to_time: Some(_),
            ..
        } => booking(id),
        // A pass, a contract or a check-in: all of a customer.
        Dto {
            coworker_id: Some(id),
            time_pass_id: Some(_),
            ..
        }
        | Dto {
            coworker_id: Some(id),
            tariff_id: Some(_),
            start_date: Some(_),
            ..
        }
        | Dto {
            coworker_id: Some(id),
            from_time: Some(_),
            source: Some(_),
            ..
        }
        | Dto {
            coworker_contract_coworker_id: Some(id),
            ..
        }
        | Dto {
            id: Some(id),
            full_name: Some(_),
            email: Some(_),
            ..
        } => person(id),
        _ => Hint::Anything,
    }
}

fn pushed(senders: &Senders, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
    let push = Push::read(hook.body).ok_or(HookRefused::Body)?;
    let made = push.made();
    if hook.now.trusted && made.is_some_and(|made| (hook.now.at - made).abs() > PUSH_LASTS) {
        return Err(HookRefused::Stale);
    }
    let text = std::str::from_utf8(hook.body).map_err(|_| HookRefused::Body)?;
    // One address may get the pushes of all locations of the network.
    let ours = push.is_for(senders.business);
    Ok(Heard {
        delivery: named(hook.body),
        signed: true,
        hints: ours.then(|| Hint::Pushed(text.to_owned())).into_iter().collect(),
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 128 {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;

    /// HMAC-SHA256 of the body by another tool: printf '%s' BODY | openssl dgst -sha256 -hmac s3cret.
    const BODY: &str =
        r#"[{"Id":88,"ResourceId":401,"FromTime":"2026-06-10T10:00:00Z","ToTime":"2026-06-10T11:00:00Z"}]"#;
    const SIGNED: &str = "7360595C3CAF87E91E8504A81135042E6C2CB77723DC7064CA3A2A0A72B779A9";
    /// 10 June 2026, 10:00 UTC.
    const NOW: i64 = 1_781_085_600_000;

    fn senders() -> Senders {
        Senders {
            hook_secret: Some(Secret::new("s3cret".into())),
            acs_token: Some(Secret::new("t0ken".into())),
            business: 1_414,
        }
    }
    fn heard(headers: &[(&str, &str)], body: &str) -> Result<Heard, HookRefused> {
        heard_by(&senders(), headers, body)
    }
    fn heard_by(senders: &Senders, headers: &[(&str, &str)], body: &str) -> Result<Heard, HookRefused> {
        heard_at(senders, headers, body, NOW)
    }
    fn heard_at(
        senders: &Senders,
        headers: &[(&str, &str)],
        body: &str,
        now: i64,
    ) -> Result<Heard, HookRefused> {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let hook = Hook {
            headers: &headers,
            body: body.as_bytes(),
            now: Moment::trusted(now),
        };
        hear(senders, &hook)
    }
    fn sign(body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
        let tag = hmac::sign(&key, body.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }
    fn hints(body: &str) -> Vec<Hint> {
        heard(&[(SIGNATURE, &sign(body))], body).unwrap().hints
    }

    #[test]
    fn a_hook_is_known_by_its_signature_and_names_what_to_fetch() {
        let booking = Hint::Object {
            collection: "bookings",
            id: "88".into(),
        };
        let first = heard(&[(SIGNATURE, SIGNED)], BODY).unwrap();
        assert_eq!((first.signed, &first.hints), (true, &vec![booking]));
        assert_eq!(
            heard(&[(SIGNATURE, SIGNED)], BODY).unwrap().delivery,
            first.delivery
        );
        // A booking that is deleted within the second in which it was changed is signed with the same bytes.
        let soon = heard_at(&senders(), &[(SIGNATURE, SIGNED)], BODY, NOW + 200).unwrap();
        assert_ne!(soon.delivery, first.delivery);
        let changed = BODY.replace("401", "402");
        for (signature, body) in [(SIGNED, changed.as_str()), ("", BODY), ("zz", BODY), ("AB", BODY)] {
            assert_eq!(
                heard(&[(SIGNATURE, signature)], body),
                Err(HookRefused::Signature)
            );
        }
        assert_eq!(heard(&[], BODY), Err(HookRefused::Signature));
        let none = Senders {
            hook_secret: None,
            acs_token: None,
            business: 1_414,
        };
        assert_eq!(
            heard_by(&none, &[(SIGNATURE, SIGNED)], BODY),
            Err(HookRefused::Unexpected)
        );
        assert_eq!(heard_by(&none, &[], BODY), Err(HookRefused::Unexpected));
        for body in ["[", "7", "null"] {
            assert_eq!(heard(&[(SIGNATURE, &sign(body))], body), Err(HookRefused::Body));
        }
    }

    #[test]
    fn records_say_by_their_fields_what_they_are() {
        let person = |id: &str| vec![Hint::Person(id.into())];
        assert_eq!(
            hints(r#"[{"Id":9,"FullName":"Ada","Email":"a@example.com","TariffId":3}]"#),
            person("9")
        );
        assert_eq!(
            hints(r#"[{"Id":7,"CoworkerId":9,"TariffId":3,"StartDate":"2026-06-01T00:00:00Z"}]"#),
            person("9")
        );
        assert_eq!(
            hints(r#"[{"Id":7,"CoworkerId":9,"TimePassId":3,"RemainingUses":2}]"#),
            person("9")
        );
        assert_eq!(
            hints(r#"[{"Id":7,"CoworkerId":9,"FromTime":"x","ToTime":null,"Source":2}]"#),
            person("9")
        );
        assert_eq!(
            hints(r#"[{"Id":612,"FloorPlanId":601,"CoworkerId":9,"ResourceId":3}]"#),
            [Hint::Collection("assignments")]
        );
        assert_eq!(
            hints(r#"[{"Id":501,"Name":"Team","PayingMemberId":9}]"#),
            [Hint::Anything]
        );
        assert_eq!(hints(r#"[{"Id":"odd"}, 7, null]"#), [Hint::Anything]);
        assert_eq!(hints("[]"), []);
    }

    const PUSH: &str = r#"{"time":"2026-06-10T09:59:00Z","business":{"id":1414,"name":"Harbour","uniqueId":"x"},
        "coworker":{"id":9,"email":"a@example.com","uniqueId":"y","accessPincode":"1234"},"groups":["1"],"schedule":[]}"#;

    #[test]
    fn a_push_is_known_by_its_token_and_taken_for_its_own_location_in_time() {
        let bearer = [("authorization", "Bearer t0ken")];
        let push = heard(&bearer, PUSH).unwrap();
        assert_eq!((push.signed, push.hints), (true, vec![Hint::Pushed(PUSH.into())]));
        for wrong in ["Bearer t0kem", "Bearer ", "Basic t0ken", "t0ken"] {
            assert_eq!(
                heard(&[("authorization", wrong)], PUSH),
                Err(HookRefused::Signature),
                "{wrong}"
            );
        }
        let other = PUSH.replace("1414", "1415");
        assert_eq!(heard(&bearer, &other).unwrap().hints, []);
        for time in ["2026-06-10T09:40:00Z", "2026-06-10T10:20:00Z"] {
            let late = PUSH.replace("2026-06-10T09:59:00Z", time);
            assert_eq!(heard(&bearer, &late), Err(HookRefused::Stale), "{time}");
        }
        assert_eq!(heard(&bearer, r#"{"groups":["1"]}"#), Err(HookRefused::Body));
        let ask = |token: &str, path: &str| {
            let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
            let hook = Hook {
                headers: &headers,
                body: b"",
                now: Moment::trusted(NOW),
            };
            let asked = Asked {
                method: "GET",
                path,
                query: "",
                hook,
            };
            serve(&senders(), &asked, || vec!["rooms".into()])
        };
        let served = ask("t0ken", "groups").unwrap();
        let body = String::from_utf8(served.body).unwrap();
        assert_eq!(
            (served.status, body.as_str()),
            (200, r#"[{"id":"rooms","name":"rooms"}]"#)
        );
        assert_eq!(ask("other", "").unwrap().status, 401);
        assert_eq!(ask("t0ken", "elsewhere"), None);
        let without = Senders {
            acs_token: None,
            ..senders()
        };
        assert_eq!(heard_by(&without, &bearer, PUSH), Err(HookRefused::Unexpected));
    }
}
