//! Telling OfficeRnD where to send web hooks. The secret that signs them stands in the answer to that alone, so it is kept
//! in the vault; one that the configuration names comes first.

use super::{auth::Purpose, client::Client};
use crate::{
    domain::secret::Secret,
    platform::{ErrorKind, PlatformError, vault::Kept},
};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

/// What the gateway wants to hear (facts: platforms.md 4.5).
const EVENTS: &[&str] = &[
    "member.created",
    "member.updated",
    "member.removed",
    "company.created",
    "company.updated",
    "company.removed",
    "membership.created",
    "membership.updated",
    "membership.removed",
    "booking.created",
    "booking.updated",
    "booking.removed",
    "contract.created",
    "contract.updated",
    "contract.removed",
    "pass.created",
    "pass.updated",
    "occupancyslot.created",
    "occupancyslot.removed",
];

fn kept_as(client: &Client) -> String {
    format!("officernd:{}:hook-secret", client.config().organization)
}

/// The secret that signs, where there is one.
pub(super) fn secret(client: &Client) -> Option<Secret> {
    let configured = client.config().hook_secret.clone();
    configured.or_else(|| Some(client.around().vault.get(&kept_as(client))?.secret))
}

/// Sees that web hooks go to `address`.
pub(super) async fn subscribe(client: &Client, address: &Url) -> Result<(), PlatformError> {
    let listed = client
        .get_for(Purpose::Hooks, &["webhooks"], "read web hooks (GET /webhooks)")
        .await?;
    let rows = listed.get("results").or(Some(&listed)).and_then(Value::as_array);
    let text = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
    let ours = rows
        .into_iter()
        .flatten()
        .find(|row| text(row, "url").as_deref() == Some(address.as_str()));
    if let Some(row) = ours {
        if row.get("isEnabled").and_then(Value::as_bool) == Some(false) {
            return Err(by_hand(
                client,
                "is switched off there after failures; switch it on again",
            ));
        }
        if secret(client).is_some() {
            return Ok(());
        }
        return match text(row, "secret") {
            Some(found) => keep(client, found),
            None => Err(by_hand(
                client,
                "is there already and its secret is not known here; put it into the file that [cloud.officernd] hook_secret names, or remove the web hook there",
            )),
        };
    }
    let body = json!({"url": address.as_str(), "eventTypes": EVENTS, "description": "Doorward"});
    let what = "set up web hooks (POST /webhooks)";
    let row = client
        .write(Purpose::Hooks, Method::POST, &["webhooks"], &body, what)
        .await?;
    let found = text(&row, "secret").ok_or_else(|| {
        PlatformError::malformed(format_args!("{} set up a web hook without a secret; put the one that it shows into [cloud.officernd] hook_secret", client.place()))
    })?;
    keep(client, found)
}

fn keep(client: &Client, found: String) -> Result<(), PlatformError> {
    let kept = Kept {
        secret: Secret::new(found),
        until: None,
    };
    client.around().vault.put(&kept_as(client), &kept).map_err(|error| {
        let text = format!("the secret of OfficeRnD's web hooks cannot be kept on disk ({error}); check the state directory");
        PlatformError::new(ErrorKind::Malformed, text)
    })
}

fn by_hand(client: &Client, what: &str) -> PlatformError {
    let text = format!(
        "the web hook to this gateway at {} {what}; polling goes on",
        client.place()
    );
    PlatformError::new(ErrorKind::Rejected { status: 409 }, text)
}
