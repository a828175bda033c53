//! Web hooks: `officernd-signature: t=<unix>,signature=<hex>`, an HMAC-SHA256 over the body, a point and the time (facts:
//! platforms.md 4.5). Pure. What they say is only where to look.

use crate::{
    domain::{Millis, secret::Secret},
    platform::{Heard, Hint, Hook, HookRefused},
};
use ring::hmac;
use serde::Deserialize;

/// A delivery may be signed so long ago, or so far ahead.
const TOLERANCE_MS: Millis = 300_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    event_type: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "_id")]
    id: Option<String>,
}

/// Checks a delivery, and says what to fetch.
pub(super) fn hear(hook: &Hook<'_>, secret: Option<&Secret>) -> Result<Heard, HookRefused> {
    let secret = secret.ok_or(HookRefused::Unexpected)?;
    let header = hook.header("officernd-signature").ok_or(HookRefused::Signature)?;
    let (seconds, signature) = parts(header).ok_or(HookRefused::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let mut signed = hook.body.to_vec();
    signed.push(b'.');
    signed.extend_from_slice(seconds.as_bytes());
    // Takes the same time whatever is wrong.
    hmac::verify(&key, &signed, &signature).map_err(|_| HookRefused::Signature)?;
    let at: Millis = seconds
        .parse::<Millis>()
        .ok()
        .and_then(|at| at.checked_mul(1_000))
        .ok_or(HookRefused::Stale)?;
    if hook.now.at.abs_diff(at) > TOLERANCE_MS.unsigned_abs() {
        return Err(HookRefused::Stale);
    }
    let body: Body = serde_json::from_slice(hook.body).map_err(|_| HookRefused::Body)?;
    Ok(Heard {
        delivery: header.to_owned(),
        signed: true,
        hints: hints(&body),
    })
}

/// `t=…` and the signature behind it, whose name differs between what the platform documents and what it was seen to send.
fn parts(header: &str) -> Option<(&str, Vec<u8>)> {
    let (time, signature) = header.split_once(',')?;
    let seconds = time.trim().strip_prefix("t=")?;
    let (_, hex) = signature.trim().split_once('=')?;
    Some((seconds, unhex(hex)?))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if digits.len() != 64 {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(high * 16 + low),
            _ => None,
        })
        .collect()
}

/// Events that say nothing about who may open a door give no hint: fees, invoices, payment details.
fn hints(body: &Body) -> Vec<Hint> {
    let kind = body.event_type.split('.').next().unwrap_or_default();
    let collection = match kind {
        "member" => "people",
        "company" => "teams",
        "membership" => "memberships",
        "booking" => "bookings",
        "pass" => "passes",
        // A contract makes and ends memberships; which ones, it does not say.
        "contract" => return vec![Hint::Anything],
        "occupancyslot" => return vec![Hint::Collection("assignments")],
        "checkin" | "check-in" => return vec![Hint::Collection("check_ins")],
        _ => return Vec::new(),
    };
    if body.event_type.contains("paymentdetails") {
        return Vec::new();
    }
    let id = body
        .data
        .as_ref()
        .and_then(|data| data.object.as_ref()?.id.clone());
    match id.filter(|id| !id.is_empty()) {
        Some(id) => vec![Hint::Object { collection, id }],
        None => vec![Hint::Anything],
    }
}
