//! Talks to a running gateway over its control socket, and says clearly when there is none.

use crate::daemon::control::{Done, Refused, SOCKET, StatusDoc};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::UnixStream, time::timeout};

/// A status is made from memory.
const QUICK: Duration = Duration::from_secs(5);
/// Fetching a large site over a slow line.
const PATIENT: Duration = Duration::from_secs(120);

/// Why the gateway did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no socket, or nobody behind it.
    #[error("the gateway is not running: nobody answers at {0}")]
    NotRunning(PathBuf),
    /// The socket belongs to others.
    #[error("this user may not talk to the gateway: {0} is for its own user and group")]
    NotAllowed(PathBuf),
    /// It listens and does not answer.
    #[error("the gateway did not answer within {0:?}")]
    Silent(Duration),
    /// Something answers that is no gateway of this version.
    #[error("the answer was not understood: {0}")]
    Strange(String),
    /// It did not do it.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl ClientError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotRunning(_) => {
                "start it with `systemctl start doorward`; `journalctl -u doorward` tells why it ended".into()
            }
            Self::NotAllowed(_) => "run the command as root (sudo), or join the group doorward".into(),
            Self::Silent(_) => "`systemctl status doorward` tells how it is".into(),
            Self::Strange(_) => {
                "command and gateway may be of different versions: restart the gateway after an upgrade"
                    .into()
            }
            Self::Refused(refused) => refused.hint.clone(),
        }
    }
}

/// A client of the gateway whose socket lies in this runtime directory.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(runtime_dir: &Path) -> Self {
        Self {
            socket: runtime_dir.join(SOCKET),
        }
    }

    /// How the gateway is.
    ///
    /// # Errors
    /// See [`ClientError`]; the same holds for the other calls.
    pub async fn status(&self) -> Result<StatusDoc, ClientError> {
        self.call(Method::GET, "/v1/status", QUICK).await
    }
    /// Fetches the facts now.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sync_now(&self) -> Result<Done, ClientError> {
        self.call(Method::POST, "/v1/sync/now", PATIENT).await
    }
    /// Puts the held snapshot into force.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sync_accept(&self) -> Result<Done, ClientError> {
        self.call(Method::POST, "/v1/sync/accept", PATIENT).await
    }
    /// Has the configuration read again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reload(&self) -> Result<Done, ClientError> {
        self.call(Method::POST, "/v1/reload", QUICK).await
    }
    /// What a room answers to `GET` at a path of its own; it may have to ask a cloud first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, PATIENT).await
    }
    /// Tells a room something (`POST`, JSON) at a path of its own.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tell<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Strange(error.to_string()))?;
        timeout(PATIENT, self.exchange(Method::POST, path, Some(body.into())))
            .await
            .map_err(|_| ClientError::Silent(PATIENT))?
    }

    /// Asks a room of the gateway, with a body if there is one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T, ClientError> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        timeout(PATIENT, self.exchange(method, path, body))
            .await
            .map_err(|_| ClientError::Silent(PATIENT))?
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        within: Duration,
    ) -> Result<T, ClientError> {
        timeout(within, self.exchange(method, path, None))
            .await
            .map_err(|_| ClientError::Silent(within))?
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<T, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::PermissionDenied => ClientError::NotAllowed(self.socket.clone()),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning(self.socket.clone())
                }
                _ => ClientError::Strange(error.to_string()),
            })?;
        let strange = |error: hyper::Error| ClientError::Strange(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(strange)?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "doorward");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(body.unwrap_or_default()));
        let request = request.map_err(|error| ClientError::Strange(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(strange)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(strange)?.to_bytes();
        driver.abort();
        match status {
            StatusCode::OK => parse(&body),
            StatusCode::CONFLICT => Err(ClientError::Refused(parse(&body)?)),
            other => Err(ClientError::Strange(format!("{path}: {other}"))),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::Strange(error.to_string()))
}
