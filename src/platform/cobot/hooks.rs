//! Web hooks. Cobot signs nothing and sends only the address of what changed, so the address is read and never
//! followed: its path says what to fetch, by this gateway's own addresses.

use super::{CobotCloud, api::What, model::OldSubscription};
use crate::{
    config::model::CobotConfig,
    domain::PersonId,
    platform::{ErrorKind, Heard, Hint, Hook, HookRefused, PlatformError},
};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use url::Url;

/// What may change access (facts: platforms.md 2.5).
const EVENTS: &[&str] = &[
    "created_booking",
    "updated_booking",
    "deleted_booking",
    "created_allocation",
    "updated_allocation",
    "deleted_allocation",
    "created_membership",
    "confirmed_membership",
    "canceled_membership",
    "uncanceled_membership",
    "reactivated_membership",
    "deleted_membership",
    "membership_cancellation_date_reached",
    "changed_membership_plan",
    "membership_plan_change_date_reached",
    "created_checkin",
    "created_checkout",
    "created_checkin_token",
    "deleted_checkin_token",
    "membership_added_time_passes",
    "membership_removed_time_passes",
    "created_drop_in_pass",
    "approved_external_booking",
];
/// The longest body: a deleted object is sent whole.
const MOST_BYTES: usize = 256 << 10;
/// The longest id. Cobot's have 32 digits.
const MOST_ID: usize = 64;

const HOOKS: What = What {
    name: "web hooks",
    scope: "read_subscriptions",
    facts: false,
};

#[derive(Deserialize)]
struct Body {
    url: String,
}

/// What a delivery suggests to fetch.
pub(super) fn hear(hook: &Hook<'_>, config: &CobotConfig) -> Result<Heard, HookRefused> {
    if hook.body.len() > MOST_BYTES {
        return Err(HookRefused::Body);
    }
    let body: Body = serde_json::from_slice(hook.body).map_err(|_| HookRefused::Body)?;
    let url: Url = body.url.parse().map_err(|_| HookRefused::Body)?;
    if !is_ours(&url, config) {
        return Err(HookRefused::Body);
    }
    let hints = vec![hint(&url)];
    // Unsigned and without a number: two changes of one thing are the same body. So the second of its arrival belongs to
    // the name: a hint that is refused as a replay within it has only just been followed.
    let mut hasher = SipHasher13::new();
    hasher.write(hook.body);
    hasher.write_i64(hook.now.at.div_euclid(1_000));
    let sum = hasher.finish128();
    Ok(Heard {
        delivery: format!("cobot-{:016x}{:016x}", sum.h1, sum.h2),
        signed: false,
        hints,
    })
}

/// The space's own host, as it stands in the configuration or as Cobot itself writes it.
fn is_ours(url: &Url, config: &CobotConfig) -> bool {
    let own = url.host() == config.site_url.host()
        && url.port_or_known_default() == config.site_url.port_or_known_default();
    let usual = url.host_str() == Some(&format!("{}.cobot.me", config.subdomain));
    let newer =
        url.host() == config.url.host() && url.port_or_known_default() == config.url.port_or_known_default();
    own || usual || newer
}

fn hint(url: &Url) -> Hint {
    let segments: Vec<&str> = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|it| *it != "api")
        .collect();
    let sound = |id: &str| {
        !id.is_empty()
            && id.len() <= MOST_ID
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let object = |collection, id: &str| Hint::Object {
        collection,
        id: id.to_owned(),
    };
    match segments.as_slice() {
        // The last part of a token's address is a card number: it goes no further.
        ["check_in_tokens", ..] => Hint::Collection("people"),
        [
            "check_ins" | "work_sessions" | "time_passes" | "drop_in_passes",
            ..,
        ] => Hint::Collection("passes"),
        ["memberships", id, ..] if sound(id) => Hint::Person(PersonId::from(*id)),
        ["bookings", id, ..] if sound(id) => object("bookings", id),
        ["bookings" | "external_bookings", ..] => Hint::Collection("bookings"),
        ["allocations", ..] => Hint::Collection("assignments"),
        ["memberships", ..] => Hint::Collection("memberships"),
        ["resources", ..] => Hint::Collection("resources"),
        _ => Hint::Anything,
    }
}

impl CobotCloud {
    /// Sees that every event is subscribed to. One that was switched off, because the gateway did not answer for long,
    /// is made anew.
    pub(super) async fn subscribe_to_all(&self, address: &Url) -> Result<(), PlatformError> {
        let path = ["api", "subscriptions"];
        let found: Vec<OldSubscription> = self.api.old_list(HOOKS, &path, &[], |it| it).await?;
        let ours: Vec<&OldSubscription> = found
            .iter()
            .filter(|it| it.callback_url == address.as_str())
            .collect();
        for event in EVENTS {
            let mut of_event = ours.iter().filter(|it| it.event == *event);
            match of_event.next() {
                Some(it) if it.active => continue,
                Some(it) => self.unsubscribe(&it.id).await?,
                None => {}
            }
            let body = json!({ "event": event, "callback_url": address.as_str() });
            let request = self.api.request1(Method::POST, &path, &[])?.json(&body);
            let words = "ask for web hooks (scope write_subscriptions)";
            let answer = self.api.order(&self.api.old, request, words).await?;
            match answer.status() {
                // 409: somebody subscribed meanwhile.
                StatusCode::OK | StatusCode::CREATED | StatusCode::CONFLICT => {}
                _ => return Err(self.api.old.refusal(answer, words).await),
            }
        }
        Ok(())
    }

    async fn unsubscribe(&self, id: &str) -> Result<(), PlatformError> {
        let request = self
            .api
            .request1(Method::DELETE, &["api", "subscriptions", id], &[])?;
        let words = "renew a web hook (scope write_subscriptions)";
        let answer = self.api.order(&self.api.old, request, words).await?;
        if answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        let error = self.api.old.refusal(answer, words).await;
        match error.kind {
            // Being told once too often is better than not at all.
            ErrorKind::Rejected { .. } => Ok(()),
            _ => Err(error),
        }
    }
}
