//! A page of one address, for as long as somebody logs in: the browser comes back to it with the code.

use crate::daemon::ks_connect::AnswerDoc;
use axum::{
    Router,
    extract::{Query, State},
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use serde::Deserialize;
use std::net::SocketAddr;
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;

/// The path at which the gateway's own page hears it as well.
pub(super) const PATH: &str = "/ks/callback";

/// What the browser brings back (RFC 6749, sections 4.1.2 and 4.1.2.1).
#[derive(Clone, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    error: String,
}

impl Back {
    /// Out of the address at which a browser ended.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let value = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let back = Self {
            state: value("state").unwrap_or_default(),
            code: value("code").unwrap_or_default(),
            error: value("error").unwrap_or_default(),
        };
        (!back.code.is_empty() || !back.error.is_empty()).then_some(back)
    }

    /// The answer for the gateway, or why there is none.
    pub(super) fn answer(self) -> Result<AnswerDoc, String> {
        if !self.code.is_empty() && self.error.is_empty() {
            return Ok(AnswerDoc {
                state: self.state,
                code: self.code,
            });
        }
        Err(match self.error.as_str() {
            "access_denied" => "the login was refused or broken off at SALTO".into(),
            "invalid_scope" | "unauthorized_client" => {
                "SALTO does not let this client log people in: ask SALTO for the authorization code flow with the scope user_api.full_access".into()
            }
            "" => "the browser came back without a code".into(),
            other => format!("SALTO ended the login with \"{}\"", other.escape_debug()),
        })
    }
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Where the browser comes back to.
    pub(super) redirect: String,
    answers: mpsc::Receiver<Back>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn listen(at: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let redirect = format!("http://{}{PATH}", listener.local_addr()?);
        let (sender, answers) = mpsc::channel(4);
        let router = Router::new().route(PATH, get(heard)).with_state(sender);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            redirect,
            answers,
            task,
        })
    }

    /// The next browser that comes back.
    pub(super) async fn next(&mut self) -> Option<Back> {
        self.answers.recv().await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn heard(State(sender): State<mpsc::Sender<Back>>, Query(back): Query<Back>) -> impl IntoResponse {
    // Somebody who calls again and again only waits: the login checks the state.
    let _ = sender.try_send(back);
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let page = "<!doctype html><meta charset=utf-8><title>Doorward</title>\
                <p>The gateway has heard from SALTO. This window can be closed; the terminal tells the rest.";
    (headers, Html(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_in_the_browser_is_as_good_as_the_page() {
        let back = Back::of_address(" https://doors.example.com/ks/callback?code=c%2B1&state=s\n").unwrap();
        let answer = back.answer().unwrap();
        assert_eq!((answer.code.as_str(), answer.state.as_str()), ("c+1", "s"));
        assert!(Back::of_address("https://doors.example.com/").is_none());
        let denied = Back::of_address("http://127.0.0.1/ks/callback?error=access_denied&state=s").unwrap();
        assert!(denied.answer().err().unwrap().contains("refused"));
    }
}
