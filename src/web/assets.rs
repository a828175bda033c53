//! The page as a browser gets it: one document, its scripts, styles and words, all from within the gateway.
//!
//! The document names everything below a path with a sum over all of it, so that a browser keeps what it has until the
//! gateway changes, and never mixes two versions. Nothing is kept compressed: a browser asks once for each version.

use super::{api::Gateway, page::escaped, problem::Problem, signin::Staff};
use crate::domain::say::page as say;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::{Compression, write::GzEncoder};
use ring::digest;
use std::{
    io::Write as _,
    sync::{Arc, LazyLock},
};

macro_rules! files {
    ($($name:literal,)*) => {
        /// What is served: name and content.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("assets/", $name))),)*];
    };
}

files![
    "icon.svg",
    "css/base.css",
    "css/controls.css",
    "css/frame.css",
    "css/views.css",
    "css/desk.css",
    "js/main.js",
    "js/api.js",
    "js/dom.js",
    "js/i18n.js",
    "js/icons.js",
    "js/router.js",
    "js/shell.js",
    "js/state.js",
    "js/stream.js",
    "js/theme.js",
    "js/parts/bits.js",
    "js/parts/dialog.js",
    "js/parts/entries.js",
    "js/parts/picker.js",
    "js/parts/said.js",
    "js/parts/toast.js",
    "js/desk/actions.js",
    "js/desk/card.js",
    "js/desk/conflicts.js",
    "js/desk/done.js",
    "js/desk/guest.js",
    "js/desk/import.js",
    "js/desk/queue.js",
    "js/desk/readers.js",
    "js/desk/stage.js",
    "js/desk/typed.js",
    "js/views/account.js",
    "js/views/desk.js",
    "js/views/doors.js",
    "js/views/live.js",
    "js/views/people.js",
    "js/views/person.js",
    "js/views/signin.js",
    "js/views/staff.js",
    "js/views/system.js",
    "lang/de.json",
    "lang/en.json",
    "lang/es.json",
];

const DOCUMENT: &str = include_str!("assets/index.html");

/// A browser may keep what stands below a version for a year.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// It asks each time whether it is still the same.
const ASK: &str = "no-cache";

/// `/assets/` and the sum over everything that is served.
static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut sum = digest::Context::new(&digest::SHA256);
    for (name, text) in FILES {
        sum.update(name.as_bytes());
        sum.update(text.as_bytes());
    }
    let sum = sum.finish();
    let short: String = sum
        .as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("/assets/{short}")
});

#[derive(Clone)]
struct Assets {
    staff: Staff,
    site: String,
    gateway: Arc<dyn Gateway>,
}

/// The routes `/` and `/assets/VERSION/…`. They say nothing that the sign-in does not say: the site's name, whether there is
/// an account yet, whether the space has a login of its own.
pub fn routes(staff: &Staff, site: &str, gateway: &Arc<dyn Gateway>) -> Router {
    Router::new()
        .route("/", get(document))
        .route("/assets/{version}/{*name}", get(asset))
        .with_state(Assets {
            staff: staff.clone(),
            site: site.to_owned(),
            gateway: Arc::clone(gateway),
        })
}

async fn document(State(assets): State<Assets>, headers: HeaderMap) -> Response {
    let config = assets.gateway.config();
    let oidc = cfg!(feature = "oidc") && config.page.as_ref().is_some_and(|page| page.oidc.is_some());
    let text = filled(&assets.site, assets.staff.is_empty(), oidc);
    let sum = digest::digest(&digest::SHA256, text.as_bytes());
    let sum: String = sum
        .as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    answer(&headers, "text/html; charset=utf-8", &text, ASK, &sum)
}

/// The document of this site. What others wrote goes in last.
fn filled(site: &str, first: bool, oidc: bool) -> String {
    let base = BASE.as_str();
    let mut head = String::new();
    for (name, _) in FILES {
        head += &match name.rsplit_once('.') {
            Some((_, "css")) => format!("<link rel=\"stylesheet\" href=\"{base}/{name}\">\n"),
            // Asked for at once, not one after another as each script names the next.
            Some((_, "js")) => format!("<link rel=\"modulepreload\" href=\"{base}/{name}\">\n"),
            _ => continue,
        };
    }
    head += &format!("<script type=\"module\" src=\"{base}/js/main.js\"></script>\n");
    let text = DOCUMENT
        .replace("{head}", &head)
        .replace("{assets}", base)
        .replace("{first}", if first { "true" } else { "false" })
        .replace("{oidc}", if oidc { "true" } else { "false" });
    text.replace("{site}", &escaped(site))
}

async fn asset(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some((name, text)) = FILES.iter().find(|(known, _)| *known == name) else {
        return Problem::missing(say::nothing_here()).into_response();
    };
    let ours = BASE.rsplit('/').next().unwrap_or_default();
    // A tab from before an update still asks for its own version.
    let keep = if version == ours { FOR_GOOD } else { ASK };
    answer(&headers, kind(name), text, keep, ours)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        _ => "image/svg+xml",
    }
}

fn asks_for(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter();
    let mut parts = values
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','));
    parts.any(|part| {
        let mut words = part.split(';').map(str::trim);
        words.next().map(|word| word.trim_start_matches("W/")) == Some(wanted)
            && words.all(|it| it.strip_prefix("q=").is_none_or(|q| q.parse() != Ok(0.0)))
    })
}

fn answer(asked: &HeaderMap, kind: &'static str, text: &str, keep: &'static str, sum: &str) -> Response {
    let tag = format!("\"{sum}\"");
    let unchanged = asks_for(asked, header::IF_NONE_MATCH, &tag);
    let packed = asks_for(asked, header::ACCEPT_ENCODING, "gzip")
        .then(|| packed(text))
        .flatten();
    let is_packed = packed.is_some();
    let body = packed.unwrap_or_else(|| text.as_bytes().to_vec());
    let mut answer = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&format!("W/{tag}")) {
        headers.insert(header::ETAG, tag);
    }
    if is_packed && !unchanged {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// As gzip (RFC 1952); some milliseconds on a Raspberry Pi, once for each browser and version.
fn packed(text: &str) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(text.len() / 3), Compression::default());
    packer.write_all(text.as_bytes()).ok()?;
    packer.finish().ok()
}

#[cfg(test)]
#[path = "assets_tests.rs"]
mod tests;
