//! Whether a request that changes something was meant by whoever is signed in, or made by another page in their browser.
//! `docs/decisions/0019` has the reasons.

use axum::http::{HeaderMap, Method, header};

/// What a client that is no browser sends instead: no page of another site can, without asking first.
pub(super) const HEADER: &str = "x-doorward";

/// Whether the request may go on. Requests with a token need not ask: no browser sends one by itself.
pub(super) fn is_meant(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Told by the browser itself, and out of a page's reach. All of them do, over TLS, since 2023.
    if headers.contains_key("sec-fetch-site") {
        return text("sec-fetch-site") == Some("same-origin");
    }
    if headers.contains_key(header::ORIGIN.as_str()) {
        let host = text("host").unwrap_or_default();
        return !host.is_empty() && text("origin") == Some(&format!("https://{host}"));
    }
    headers.contains_key(HEADER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn meant(method: Method, pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        is_meant(&method, &headers)
    }

    #[test]
    fn only_the_gateways_own_page_changes_something() {
        assert!(meant(Method::GET, &[("sec-fetch-site", "cross-site")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(
                !meant(Method::POST, &[("sec-fetch-site", site), (HEADER, "1")]),
                "{site}"
            );
        }
        assert!(meant(Method::POST, &[("sec-fetch-site", "same-origin")]));
        let host = ("host", "gate:8444");
        assert!(meant(Method::DELETE, &[host, ("origin", "https://gate:8444")]));
        for origin in ["https://gate:8443", "http://gate:8444", "null", "https://evil"] {
            assert!(
                !meant(Method::DELETE, &[host, ("origin", origin), (HEADER, "1")]),
                "{origin}"
            );
        }
        assert!(!meant(Method::POST, &[("origin", "https://")]));
        assert!(meant(Method::POST, &[(HEADER, "1")]) && !meant(Method::POST, &[]));
    }
}
