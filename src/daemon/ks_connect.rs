//! What the control socket answers about the connection to SALTO KS. The login is the gateway's: the command only carries
//! the browser's answer to it, and no token ever leaves this process.

use super::{
    control::{Done, Refused},
    ks_session::{KsNow, KsWatch},
};
use crate::salto::{KsError, Survey, survey};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use url::Url;

/// How the gateway logs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDoc {
    /// Somebody logs in in a browser; else a system user is configured.
    pub by_code: bool,
    /// Whether the login works now.
    pub logged_in: bool,
    /// Why not.
    #[serde(default)]
    pub why: Option<String>,
    /// How often somebody has logged in since the gateway's start.
    pub logins: u64,
}

/// What `begin` is told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BeginDoc {
    /// Where the browser comes back to, unless the configuration says.
    #[serde(default)]
    pub redirect: Option<String>,
}

/// What `begin` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddressDoc {
    /// Where somebody logs in.
    pub url: String,
    /// Where the browser comes back to.
    pub redirect: String,
}

/// What the browser brought back.
#[derive(Clone, Serialize, Deserialize)]
pub struct AnswerDoc {
    /// Whose login.
    #[serde(default)]
    pub state: String,
    /// What SALTO gave for it; empty when it refused.
    #[serde(default)]
    pub code: String,
}

/// Which site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChooseDoc {
    /// UUID.
    pub site: String,
}

/// `/v1/ks/login…`, `/v1/ks/survey` and `/v1/ks/site`.
pub(super) fn routes(ks: KsWatch) -> Router {
    Router::new()
        .route("/v1/ks/login", get(login))
        .route("/v1/ks/login/begin", post(begin))
        .route("/v1/ks/login/finish", post(finish))
        .route("/v1/ks/survey", get(look))
        .route("/v1/ks/site", post(choose))
        .with_state(ks)
}

/// `/ks/callback` at the gateway's page: the browser comes back from SALTO. Nobody is signed in there; what lets it in is
/// the state, which only a login begun over the control socket or the page knows, and which is good once (invariant 9).
pub(super) fn page_routes(ks: KsWatch) -> Router {
    Router::new().route("/ks/callback", get(came_back)).with_state(ks)
}

async fn came_back(
    State(ks): State<KsWatch>,
    Query(answer): Query<AnswerDoc>,
) -> (StatusCode, Html<&'static str>) {
    const GOOD: &str = "<!doctype html><meta charset=utf-8><title>Doorward</title>\
        <p>The gateway is logged in at SALTO KS. This window can be closed.";
    const BAD: &str = "<!doctype html><meta charset=utf-8><title>Doorward</title>\
        <p>The gateway is not logged in: this login was not begun here, was used already, took too long, or SALTO \
        refused it. Run <code>doorward ks connect</code> again.";
    let session = ks.borrow().as_ref().map(|ks| ks.session.clone());
    let Some(session) = session else {
        return (StatusCode::NOT_FOUND, Html(BAD));
    };
    match session.tokens().finish(&answer.state, &answer.code).await {
        Ok(()) => {
            tracing::info!("logged in at SALTO KS");
            (StatusCode::OK, Html(GOOD))
        }
        Err(error) => {
            tracing::warn!(%error, "a browser came back from SALTO without a login");
            (StatusCode::FORBIDDEN, Html(BAD))
        }
    }
}

type Answer<T> = Result<Json<T>, No>;

/// A refusal as the control socket tells it.
pub(super) struct No(Refused);

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(self.0)).into_response()
    }
}

impl From<KsError> for No {
    fn from(error: KsError) -> Self {
        Self::new(error.text, "")
    }
}

impl No {
    /// For those who are told elsewhere than at the socket.
    pub(super) fn message(self) -> String {
        self.0.message
    }

    /// What happened.
    pub(super) fn text(&self) -> &str {
        &self.0.message
    }

    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(Refused {
            message: message.into(),
            hint: hint.into(),
        })
    }
}

/// The account of the time.
pub(super) fn now(ks: &KsWatch) -> Result<KsNow, No> {
    ks.borrow().clone().ok_or_else(|| {
        No::new(
            "the running gateway has no [ks] that it can use",
            "add the table [ks] to the configuration; `doorward report` tells whether it was refused",
        )
    })
}

async fn login(State(ks): State<KsWatch>) -> Answer<LoginDoc> {
    let session = now(&ks)?.session;
    let tried = session.sites().await;
    Ok(Json(LoginDoc {
        by_code: session.tokens().by_code(),
        logged_in: tried.is_ok(),
        why: tried.err().map(|error| error.text),
        logins: session.tokens().logins(),
    }))
}

async fn begin(State(ks): State<KsWatch>, Json(asked): Json<BeginDoc>) -> Answer<AddressDoc> {
    let redirect = asked.redirect.as_deref().map(Url::parse).transpose();
    let redirect =
        redirect.map_err(|error| No::new(format!("the browser cannot come back there: {error}"), ""))?;
    let begun = now(&ks)?.session.tokens().begin(redirect.as_ref())?;
    Ok(Json(AddressDoc {
        url: begun.url.into(),
        redirect: begun.redirect.into(),
    }))
}

async fn finish(State(ks): State<KsWatch>, Json(answer): Json<AnswerDoc>) -> Answer<Done> {
    let session = now(&ks)?.session;
    session.tokens().finish(&answer.state, &answer.code).await?;
    tracing::info!("logged in at SALTO KS");
    Ok(Json(Done {
        message: format!("logged in at {}", session.connect().place()),
    }))
}

async fn look(State(ks): State<KsWatch>) -> Answer<Survey> {
    let KsNow { session, config, .. } = now(&ks)?;
    Ok(Json(survey::survey(&session, &config).await?))
}

async fn choose(State(ks): State<KsWatch>, Json(asked): Json<ChooseDoc>) -> Answer<Done> {
    let facts = now(&ks)?.session.choose(&asked.site).await?;
    tracing::info!(site = facts.name, "the site at SALTO KS was chosen");
    Ok(Json(Done {
        message: format!("the site is \"{}\" from now on", facts.name),
    }))
}
