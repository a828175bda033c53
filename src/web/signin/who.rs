//! Who asks: as the guard found out, and as the audit trail has it.

use super::{
    random::Sum,
    role::{Act, Role},
};
use crate::{domain::say::page as say, web::problem::Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{convert::Infallible, net::IpAddr};

/// Whoever does something, for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account, `token:NAME`, `oidc:NAME`, or the user of the system at the control socket: `root`.
    pub name: String,
    /// Their role; none for tokens and at the control socket.
    pub role: Option<Role>,
    /// Where they ask from; none on the gateway itself.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Whoever may open the control socket.
    #[must_use]
    pub fn root() -> Self {
        Self {
            name: "root".into(),
            role: None,
            address: None,
        }
    }

    /// Somebody who has not proven who it is.
    pub(super) fn stranger(name: &str, address: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            role: None,
            address: Some(address),
        }
    }

    /// Whether they may make or change accounts of this role.
    pub(super) fn is_over(&self, role: Role) -> bool {
        self.address.is_none() || self.role.is_some_and(|own| own >= role)
    }
}

/// The user of the system who opened the control socket, as the kernel says: put into each request there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalUser(pub String);

/// Whoever acts over the control socket. Who may open it may do everything.
pub(super) struct Local(pub(super) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Local {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let root = Actor::root();
        Ok(Self(match parts.extensions.get::<LocalUser>() {
            Some(LocalUser(user)) if !user.is_empty() => Actor {
                name: user.clone(),
                ..root
            },
            _ => root,
        }))
    }
}

/// Somebody who is signed in, by session or by token. As an argument of a handler it refuses everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The account, `oidc:NAME` or `token:NAME`.
    pub name: String,
    /// Their role; none for tokens.
    pub role: Option<Role>,
    pub(super) acts: Vec<Act>,
    /// Signed in with a password that must be changed first.
    pub must_change: bool,
    /// Where they ask from.
    pub address: IpAddr,
    pub(super) session: Option<Sum>,
}

impl Who {
    /// Whether they may.
    #[must_use]
    pub fn may(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }

    /// Everything that they may.
    #[must_use]
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Refuses whoever may not.
    ///
    /// # Errors
    /// 403, in words.
    pub fn need(&self, act: Act) -> Result<(), Problem> {
        if self.may(act) {
            return Ok(());
        }
        let name = act.name();
        Err(Problem::forbidden(if self.must_change {
            say::password_first()
        } else if self.role.is_some() {
            say::role_needed(name, act.least().name())
        } else {
            say::scope_needed(name)
        }))
    }

    /// As the audit trail has them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.clone(),
            role: self.role,
            address: Some(self.address),
        }
    }
}

/// What the guard found out about a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is; none if nobody is signed in.
    pub who: Option<Who>,
    /// Where the request came from.
    pub address: IpAddr,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::failed(&"a route outside the guard"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.who.ok_or_else(Problem::unauthenticated)
    }
}
