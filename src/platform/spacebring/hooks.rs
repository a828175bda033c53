//! Web hooks, delivered and signed by Svix: HMAC-SHA256 of `id.timestamp.body`, the key in base64 after `whsec_`, several
//! signatures with spaces between while a key is being changed (Svix: Verifying webhooks manually). Pure.

use crate::{
    domain::{PersonId, secret::Secret},
    platform::{Heard, Hint, Hook, HookRefused},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::Value;

/// A delivery may be so much older or newer than now, seconds (Svix's own libraries: five minutes).
const TOLERANCE: i64 = 300;

/// The key that signs; `None` when the text is none.
pub(super) fn key(secret: &Secret) -> Option<hmac::Key> {
    let text = secret.reveal().trim();
    let bytes = STANDARD
        .decode(text.strip_prefix("whsec_").unwrap_or(text))
        .ok()?;
    (!bytes.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// Checks the signature and says what to fetch.
pub(super) fn heard(hook: &Hook<'_>, key: Option<&hmac::Key>, location: &str) -> Result<Heard, HookRefused> {
    let key = key.ok_or(HookRefused::Unexpected)?;
    let header = |name| hook.header(name).ok_or(HookRefused::Signature);
    let (id, timestamp, signatures) = (
        header("svix-id")?,
        header("svix-timestamp")?,
        header("svix-signature")?,
    );
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(hook.body);
    let right = signatures.split(' ').any(|signature| {
        let bytes = signature
            .strip_prefix("v1,")
            .and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| hmac::verify(key, &signed, &bytes).is_ok())
    });
    if !right {
        return Err(HookRefused::Signature);
    }
    let at: i64 = timestamp.parse().map_err(|_| HookRefused::Signature)?;
    let age = hook.now.at.div_euclid(1_000).saturating_sub(at);
    // While this clock is a guess, nobody can say how old a delivery is. A hint that is replayed costs a fetch, no more.
    if hook.now.trusted && age.saturating_abs() > TOLERANCE {
        return Err(HookRefused::Stale);
    }
    let body: Value = serde_json::from_slice(hook.body).map_err(|_| HookRefused::Body)?;
    if !body.is_object() {
        return Err(HookRefused::Body);
    }
    Ok(Heard {
        delivery: id.to_owned(),
        signed: true,
        hints: hints(&body, location),
    })
}

/// What a body suggests to fetch. Subscriptions come without a `type`: the body is the object itself.
fn hints(body: &Value, location: &str) -> Vec<Hint> {
    let kind = body.get("type").and_then(Value::as_str);
    let about = match kind {
        Some(kind) => kind.split('.').next().unwrap_or_default(),
        None if body.get("items").is_some() && body.get("startDate").is_some() => "subscription",
        None if body.get("visit").is_some() => "visitors",
        None => "",
    };
    let object = match (about, body.get(about)) {
        ("subscription", None) => body,
        (_, found) => found.unwrap_or(&Value::Null),
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if text("locationRef").is_some_and(|place| place != location) {
        return Vec::new(); // one set of hooks serves all locations of a network
    }
    let id = text("id").filter(|id| !id.is_empty()).map(ToOwned::to_owned);
    let one = |collection| {
        let hint = id.clone().map(|id| Hint::Object { collection, id });
        vec![hint.unwrap_or(Hint::Collection(collection))]
    };
    match about {
        "booking" => one("bookings"),
        "subscription" => one("memberships"),
        "company" => one("teams"),
        "membership" => vec![id.map_or(Hint::Collection("people"), |id| {
            Hint::Person(PersonId::from(id.as_str()))
        })],
        "resource" => vec![Hint::Collection("resources")],
        // Nothing of these opens a door.
        "benefit" | "event" | "invoice" | "shop" | "support" | "visitors" => Vec::new(),
        _ => vec![Hint::Anything],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Moment;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of Svix's documentation, so that more than our own signing agrees.
    #[test]
    fn the_example_of_the_scheme_verifies_and_nothing_else_does() {
        let key = key(&Secret::new(SECRET.into()));
        let body = br#"{"test": 2432232314}"#;
        let at = 1_614_265_330;
        let headers = |signature: &str| {
            vec![
                ("svix-id".to_owned(), "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
                ("svix-timestamp".to_owned(), at.to_string()),
                ("svix-signature".to_owned(), signature.to_owned()),
            ]
        };
        let hear = |headers: &[(String, String)], body: &[u8], now: i64, trusted: bool| {
            let now = Moment {
                at: now * 1_000,
                trusted,
            };
            heard(&Hook { headers, body, now }, key.as_ref(), "here")
        };
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let found = hear(&headers(right), body, at + 299, true).unwrap();
        assert_eq!(
            (found.delivery.as_str(), found.signed),
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", true)
        );
        assert_eq!(found.hints, [Hint::Anything]);
        let rotated = format!("v1,AAAA v1a,zzz {right}");
        assert!(hear(&headers(&rotated), body, at, true).is_ok());
        for late in [301, -301] {
            assert_eq!(
                hear(&headers(right), body, at + late, true),
                Err(HookRefused::Stale)
            );
        }
        assert!(hear(&headers(right), body, at + 301, false).is_ok());
        assert_eq!(
            hear(&headers(right), b"{}", at, true),
            Err(HookRefused::Signature)
        );
        assert_eq!(
            hear(&headers(&right.replace("v1,", "v2,")), body, at, true),
            Err(HookRefused::Signature)
        );
        assert_eq!(hear(&[], body, at, true), Err(HookRefused::Signature));
        let now = Moment {
            at: at * 1_000,
            trusted: true,
        };
        let signed = headers(right);
        let hook = Hook {
            headers: &signed,
            body,
            now,
        };
        assert_eq!(heard(&hook, None, "here"), Err(HookRefused::Unexpected));
    }

    #[test]
    fn each_event_names_what_to_fetch() {
        let object = |collection, id: &str| {
            vec![Hint::Object {
                collection,
                id: id.into(),
            }]
        };
        let table = [
            (
                r#"{"type":"booking.updated","booking":{"id":"b1"}}"#,
                object("bookings", "b1"),
            ),
            (
                r#"{"id":"s1","items":[],"startDate":"x","locationRef":"here"}"#,
                object("memberships", "s1"),
            ),
            (
                r#"{"type":"subscription.updated","subscription":{"id":"s1"}}"#,
                object("memberships", "s1"),
            ),
            (
                r#"{"type":"company.deleted","company":{"id":"c1","locationRef":"here"}}"#,
                object("teams", "c1"),
            ),
            (
                r#"{"type":"membership.created","membership":{"id":"m1"}}"#,
                vec![Hint::Person("m1".into())],
            ),
            (
                r#"{"type":"membership.created","membership":{"id":"m1","locationRef":"there"}}"#,
                vec![],
            ),
            (
                r#"{"type":"resource.updated"}"#,
                vec![Hint::Collection("resources")],
            ),
            (
                r#"{"type":"booking.created"}"#,
                vec![Hint::Collection("bookings")],
            ),
            (r#"{"type":"location.updated"}"#, vec![Hint::Anything]),
            (r#"{"type":"shop.order.paid","order":{"id":"o1"}}"#, vec![]),
            (r#"{"visit":{"id":"v1"}}"#, vec![]),
        ];
        for (body, expected) in table {
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(hints(&body, "here"), expected, "{body}");
        }
    }
}
