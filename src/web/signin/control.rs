//! The staff over the control socket: whoever may open it is root, or of the gateway's group.

use super::{
    accounts::{AccountDoc, SecretDoc, TokenDoc},
    role::{Act, Role},
    staff::Staff,
    who::Local,
};
use crate::web::problem::Problem;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

/// Everybody, and every token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffDoc {
    /// Accounts, by name.
    pub accounts: Vec<AccountDoc>,
    /// Tokens, by name.
    pub tokens: Vec<TokenDoc>,
}

/// The code for the first account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstDoc {
    /// Absent once there is an account.
    pub code: Option<String>,
}

/// An account to be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// Its role, where there is to be one.
    #[serde(default)]
    pub role: Option<Role>,
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// What it is called.
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<Act>,
}

/// The routes `/v1/staff…` of the control socket. `shows_code`: there is a page where the code can be used.
pub fn routes(staff: &Staff) -> Router {
    type Us = State<Staff>;
    Router::new()
        .route(
            "/v1/staff",
            get(|State(staff): Us| async move {
                Json(StaffDoc {
                    accounts: staff.list(),
                    tokens: staff.tokens(),
                })
            }),
        )
        .route(
            "/v1/staff/first",
            get(|State(staff): Us| async move {
                let code = staff.first_code().map(|code| code.to_string());
                Json(FirstDoc { code })
            }),
        )
        .route(
            "/v1/staff/add",
            post(
                |State(staff): Us, Local(actor): Local, Json(new): Json<NewAccount>| async move {
                    let role = new.role.unwrap_or(Role::Viewer);
                    reply(staff.add(&actor, &new.name, role).await)
                },
            ),
        )
        .route(
            "/v1/staff/remove",
            post(
                |State(staff): Us, Local(actor): Local, Json(one): Json<NewAccount>| async move {
                    let done = staff.remove(&actor, &one.name).await;
                    reply(done.map(|()| said(format!("{} is gone, and signed out everywhere", one.name))))
                },
            ),
        )
        .route(
            "/v1/staff/role",
            post(
                |State(staff): Us, Local(actor): Local, Json(one): Json<NewAccount>| async move {
                    let role = one.role.unwrap_or(Role::Viewer);
                    let done = staff.set_role(&actor, &one.name, role).await;
                    reply(done.map(|()| said(format!("{} is {} now", one.name, role.name()))))
                },
            ),
        )
        .route(
            "/v1/staff/reset",
            post(
                |State(staff): Us, Local(actor): Local, Json(one): Json<NewAccount>| async move {
                    reply(staff.reset(&actor, &one.name).await)
                },
            ),
        )
        .route(
            "/v1/staff/signout",
            post(
                |State(staff): Us, Local(actor): Local, Json(one): Json<NewAccount>| async move {
                    let count = staff.sign_out_everywhere(&actor, &one.name).await;
                    reply(Ok(said(format!("{count} sessions of {} ended", one.name))))
                },
            ),
        )
        .route(
            "/v1/staff/token/add",
            post(
                |State(staff): Us, Local(actor): Local, Json(new): Json<NewToken>| async move {
                    reply(staff.add_token(&actor, &new.name, &new.scopes).await)
                },
            ),
        )
        .route(
            "/v1/staff/token/remove",
            post(
                |State(staff): Us, Local(actor): Local, Json(one): Json<NewToken>| async move {
                    let done = staff.remove_token(&actor, &one.name).await;
                    reply(done.map(|()| said(format!("the token {} is revoked", one.name))))
                },
            ),
        )
        .with_state(staff.clone())
}

fn said(message: String) -> SecretDoc {
    SecretDoc {
        name: message,
        secret: String::new(),
    }
}

/// As the other routes of the socket answer: 409 with message and hint for what was not done.
fn reply(done: Result<SecretDoc, Problem>) -> Response {
    match done {
        Ok(doc) if doc.secret.is_empty() => Json(serde_json::json!({ "message": doc.name })).into_response(),
        Ok(doc) => Json(doc).into_response(),
        Err(problem) => {
            let body = serde_json::json!({ "message": problem.detail, "hint": "" });
            (StatusCode::CONFLICT, Json(body)).into_response()
        }
    }
}
