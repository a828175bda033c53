//! Web hooks that Nexudus shall send: one for each action, all to the receiver's address.

use super::{
    api::{self, Api},
    facts::Space,
    model::WebHook,
};
use crate::platform::{ErrorKind, PlatformError};
use reqwest::Method;
use serde::Serialize;
use std::collections::BTreeSet;
use url::Url;

/// The actions after which rights may be others (facts: platforms.md 3.6): 61 is Nexudus' own "somebody's access has to
/// be worked out again"; the rest says what changed before that.
const ACTIONS: [u64; 22] = [
    2, 3, 50, // customers
    6, 7, 8, // bookings
    10, 11, 12, 13, 60, 62, 77, // contracts
    57, 58, 59, // teams
    61, // access control
    71, 72, 73, // items of floor plans
    47, 49, // check-ins
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NewHook<'a> {
    business_id: u64,
    name: String,
    action: u64,
    #[serde(rename = "URL")]
    url: &'a str,
    active: bool,
}

/// Adds the web hooks that are missing. One that Nexudus has switched off after failures is left to a person: it may
/// have been switched off on purpose.
pub(super) async fn all(api: &Api, space: &Space, address: &Url) -> Result<(), PlatformError> {
    let query = [("WebHook_Business", space.business.to_string())];
    let listed: Vec<WebHook> = api.all(api::HOOKS, &query, |row| row).await?;
    let ours = listed
        .iter()
        .filter(|hook| hook.url.as_deref() == Some(address.as_str()));
    let mut there = BTreeSet::new();
    let mut off = Vec::new();
    for hook in ours {
        if let Some(action) = hook.action {
            there.insert(action);
            if hook.active == Some(false) {
                off.push(action.to_string());
            }
        }
    }
    for action in ACTIONS.into_iter().filter(|action| !there.contains(action)) {
        let hook = NewHook {
            business_id: space.business,
            name: format!("Doorward {action}"),
            action,
            url: address.as_str(),
            active: true,
        };
        let written = api.write(Method::POST, api::HOOKS, &hook).await?;
        if !written.was_successful {
            let text = format!(
                "{} refused a web hook for action {action}: {}; polling goes on",
                api.http.place(),
                written.words()
            );
            return Err(PlatformError::new(ErrorKind::Rejected { status: 422 }, text));
        }
    }
    if off.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{} has switched off the web hooks of the actions {}, as it does after failures; switch them on there once it reaches this gateway; polling goes on",
        api.http.place(),
        off.join(", ")
    );
    Err(PlatformError::new(ErrorKind::Rejected { status: 422 }, text))
}
