//! Who signs in at the page, and what they may.
//!
//! | file | what |
//! | --- | --- |
//! | `role` | the table: what each role may |
//! | `who` | whoever asks, for handlers and for the audit trail |
//! | `guard` | before every handler: session, token, forged requests |
//! | `csrf` | whether a request was meant: pure |
//! | `staff` | the staff, sessions and tokens as they stand; signing in |
//! | `accounts` | changes of accounts and tokens |
//! | `sessions`, `slow` | when sessions end, and how wrong passwords slow down: pure |
//! | `password`, `random` | argon2id; secrets that the gateway makes |
//! | `oidc`, `provider` | signing in by the space's own identity provider |
//! | `control` | the same for root, over the control socket |
//! | `plain` | the page without a script: sign in, how the gateway is |

mod accounts;
mod control;
mod csrf;
mod guard;
#[cfg(feature = "oidc")]
mod oidc;
mod password;
mod plain;
#[cfg(feature = "oidc")]
mod provider;
mod random;
mod role;
mod sessions;
mod slow;
mod staff;
mod who;

pub use accounts::{AccountDoc, SecretDoc, TokenDoc};
pub use control::{FirstDoc, NewAccount, NewToken, StaffDoc, routes as control_routes};
pub use plain::routes as plain_routes;
pub use role::{Act, Role};
pub use sessions::{ABSOLUTE, IDLE};
pub use staff::{SignedIn, Staff};
pub use who::{Actor, Caller, LocalUser, Who};

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::Response,
};

/// Puts the guard before everything that these routes answer. Handlers take [`Who`] to let in only whoever is signed in, and
/// ask [`Who::need`].
pub fn guarded(routes: Router, staff: &Staff) -> Router {
    routes.layer(middleware::from_fn_with_state(staff.clone(), guard::identify))
}

/// The answer with the cookie of a session.
pub fn with_session(mut answer: Response, signed_in: &SignedIn) -> Response {
    let cookie = guard::set_cookie(Some(&signed_in.secret));
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    answer
}

/// The answer that takes the cookie away.
pub fn without_session(mut answer: Response) -> Response {
    let cookie: HeaderValue = guard::set_cookie(None);
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    answer
}
