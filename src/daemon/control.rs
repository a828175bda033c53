//! The control socket: how the commands reach a running gateway. HTTP/1 with JSON over a Unix socket in the
//! runtime directory. Who may open it is a matter of the file's mode (0660): nothing of it is on the network.

use crate::{desk::Actor, health::HealthDoc};
use axum::{
    Json, Router,
    extract::{State, connect_info::Connected},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::IncomingStream,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    future::Future,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};
use tokio::net::UnixListener;

/// Name of the socket in the runtime directory.
pub const SOCKET: &str = "control.sock";
/// Owner and group may connect.
const MODE: u32 = 0o660;

/// What `GET /v1/status` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusDoc {
    /// The running version.
    pub version: String,
    /// `[site] id`.
    pub site: String,
    /// For how long the gateway has run.
    pub uptime_seconds: u64,
    /// What a person should act on.
    pub faults: Vec<FaultDoc>,
    /// State of each part.
    pub sections: BTreeMap<String, serde_json::Value>,
}

/// A fault as the socket tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultDoc {
    /// Stable name, `kind:object`.
    pub key: String,
    /// What happened, where, and what to do next.
    pub text: String,
    /// When it began, Unix milliseconds.
    pub since: i64,
}

impl StatusDoc {
    /// The status of a gateway in this state of health.
    #[must_use]
    pub fn new(site: &str, uptime_seconds: u64, health: HealthDoc) -> Self {
        let faults = health.faults.into_iter();
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            site: site.into(),
            uptime_seconds,
            faults: faults
                .map(|fault| FaultDoc {
                    key: fault.key,
                    text: fault.text,
                    since: fault.since,
                })
                .collect(),
            sections: health
                .sections
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }
}

/// What was done, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// "42 grants, version 17", say.
    pub message: String,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What happened.
    pub message: String,
    /// What to do next; may be empty.
    #[serde(default)]
    pub hint: String,
}

/// An action that takes its time.
pub type Action<'a> = Pin<Box<dyn Future<Output = Result<Done, Refused>> + Send + 'a>>;

/// What the daemon does when it is told.
pub trait Control: Send + Sync + 'static {
    /// How it is.
    fn status(&self) -> StatusDoc;
    /// Fetches the facts now and waits for the outcome.
    fn sync_now(&self) -> Action<'_>;
    /// Puts the held snapshot into force.
    fn sync_accept(&self) -> Action<'_>;
    /// Reads the configuration again.
    fn reload(&self) -> Action<'_>;
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another process answers at it.
    #[error("another gateway is running: it answers at {0}; stop it first (systemctl stop doorward)")]
    Taken(PathBuf),
    /// The system refused.
    #[error("the control socket {0} cannot be made: {1}; the folder must belong to the gateway's user")]
    Io(PathBuf, std::io::Error),
}

/// A socket that listens and is not served yet. Dropping it removes the file.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    file: SocketFile,
}

#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // systemd empties the folder as well
    }
}

impl ControlSocket {
    /// Listens in the runtime directory. A socket that a dead gateway left is replaced.
    ///
    /// # Errors
    /// When another gateway answers there, or the system refuses.
    pub fn bind(runtime_dir: &Path) -> Result<Self, ControlError> {
        let path = runtime_dir.join(SOCKET);
        let io = |error| ControlError::Io(path.clone(), error);
        match UnixStream::connect(&path) {
            Ok(_) => return Err(ControlError::Taken(path)),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(&path).map_err(io)?;
            }
            Err(_) => {} // none there, or bind will say what is wrong
        }
        let listener = UnixListener::bind(&path).map_err(io)?;
        let file = SocketFile(path.clone());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(MODE)).map_err(io)?;
        Ok(Self { listener, file })
    }

    /// Serves until `end` comes; requests under way are finished. `rooms` answers what the rooms answer by themselves:
    /// their paths begin with `/v1/` and the room's name.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(
        self,
        control: Arc<dyn Control>,
        rooms: Router,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Self { listener, file } = self;
        let router = router(control).merge(rooms);
        let service = router.into_make_service_with_connect_info::<Asker>();
        let served = axum::serve(listener, service).with_graceful_shutdown(end).await;
        drop(file);
        served
    }
}

/// Whose command it is, as the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Asker {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|credentials| credentials.uid()))
    }
}

/// As what whoever reaches the socket acts.
const ROLE: &str = "command line";

impl Asker {
    /// The user's name, or number where it has none; empty where the kernel does not say.
    #[must_use]
    pub fn user(&self) -> String {
        let Some(uid) = self.0 else {
            return String::new();
        };
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        name_of(uid, &users).map_or_else(|| uid.to_string(), str::to_owned)
    }

    /// Whoever acts over the socket: `by` is what they say that they are called, or nothing.
    #[must_use]
    pub fn actor(&self, by: String) -> Actor {
        let user = self.user();
        let name = if by.trim().is_empty() { user.clone() } else { by };
        Actor::new(name, ROLE).as_user(user)
    }
}

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.user() {
            user if user.is_empty() => f.write_str("a user of this machine"),
            user => write!(f, "user {user} of this machine"),
        }
    }
}

/// The name of a user, passwd(5).
fn name_of(uid: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

fn router(control: Arc<dyn Control>) -> Router {
    type Shared = State<Arc<dyn Control>>;
    Router::new()
        .route(
            "/v1/status",
            get(|State(control): Shared| async move { Json(control.status()) }),
        )
        .route(
            "/v1/sync/now",
            post(|State(control): Shared| async move { reply(control.sync_now().await) }),
        )
        .route(
            "/v1/sync/accept",
            post(|State(control): Shared| async move { reply(control.sync_accept().await) }),
        )
        .route(
            "/v1/reload",
            post(|State(control): Shared| async move { reply(control.reload().await) }),
        )
        .with_state(control)
}

fn reply(outcome: Result<Done, Refused>) -> Response {
    match outcome {
        Ok(done) => Json(done).into_response(),
        Err(refused) => (StatusCode::CONFLICT, Json(refused)).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_acts_is_the_user_whatever_they_say() {
        let said = Asker(Some(0)).actor("Maria".into());
        assert_eq!((said.name.as_str(), said.user.as_str()), ("Maria", "root"));
        assert_eq!(said.proven(), "root, as Maria");
        assert_eq!(Asker(Some(0)).actor(" ".into()).proven(), "root");
        assert_eq!(
            Asker(Some(4_000_000)).actor("Otto".into()).proven(),
            "4000000, as Otto"
        );
        assert_eq!(Asker(None).actor("Otto".into()).proven(), "Otto");
    }

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(name_of(1_000, users), Some("ada"));
        assert_eq!(name_of(7, users), None);
        assert_eq!(name_of(0, "torn"), None);
    }
}
