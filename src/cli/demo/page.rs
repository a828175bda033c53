//! The page of the simulated site: where it is, and how its first account is made.

use crate::cli::client::Client;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// A self-made certificate takes a moment on a slow machine.
const TRIES: u32 = 50;

/// Where to look at the page, in words; nothing if it does not come up. The play goes on without.
pub(super) fn invitation(runtime: &tokio::runtime::Runtime, run: &Path) -> Option<String> {
    let client = Client::new(run);
    let found = async {
        for _ in 0..TRIES {
            let doc = client.status().await.ok()?;
            let listening = doc
                .sections
                .get("page")
                .and_then(|page| page.get("listening")?.as_str());
            let port = listening
                .and_then(|address| address.rsplit(':').next())
                .map(str::to_owned);
            if let Some(port) = port {
                let first: Value = client.ask("/v1/staff/first").await.ok()?;
                let code = first.get("code")?.as_str()?;
                return Some(format!(
                    "the page is at https://localhost:{port} (a certificate of its own, so the browser warns once); code for the \
                     first account: {code}"
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    };
    runtime.block_on(found)
}
