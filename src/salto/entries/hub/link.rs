//! Opening one connection to the hub: negotiation, TLS, WebSocket.

use crate::{
    config::model::{KsConfig, Reach},
    domain::secret::Secret,
    platform::{
        ErrorKind, PlatformError,
        http::{Http, Words, tls},
    },
    salto::{KsError, KsKind, client::of_platform},
};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error as WsError, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig,
    },
};
use url::{Host, Url};

use super::protocol::LONGEST;

/// The hub of entries below `[ks] stream_url`.
const HUB: &[&str] = &["v1", "hub", "entries"];
/// For name, TCP, TLS and the WebSocket's handshake together.
const OPENING: Duration = Duration::from_secs(20);
/// How often the hub may send the client elsewhere.
const MOST_MOVES: usize = 3;

const WORDS: Words = Words {
    accept: "application/json",
    contract: "a hub of entries",
    compare: "a newer gateway may understand it",
    credential: "the login",
    let_in: "run `doorward ks connect`",
    address: "[ks] stream_url",
};

/// Bytes both ways.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Pin<Box<dyn Wire>>>;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Negotiated {
    connection_id: Option<String>,
    connection_token: Option<String>,
    url: Option<String>,
    access_token: Option<String>,
    error: Option<String>,
    available_transports: Vec<Transport>,
}

#[derive(Deserialize)]
struct Transport {
    #[serde(default)]
    transport: String,
}

/// Opens a connection for the entries of a site.
///
/// # Errors
/// As the hub refuses; `Unauthorised` when the token is not accepted.
pub(super) async fn open(config: &KsConfig, site: &str, token: &Secret) -> Result<Socket, KsError> {
    let mut base = config.stream_url.clone();
    let mut token = token.clone();
    let mut segments: &[&str] = HUB;
    for _ in 0..MOST_MOVES {
        let http = Http::new(&base, &config.reach, WORDS).map_err(|error| of_platform(&error))?;
        let mut hub = http.url(segments).map_err(|error| of_platform(&error))?;
        if let Some(query) = base.query().filter(|_| segments.is_empty()) {
            hub.set_query(Some(query));
        }
        if segments == HUB {
            hub.query_pairs_mut().append_pair("site_id", site);
        }
        let negotiated = negotiate(&http, &hub, &token).await?;
        if let Some(error) = negotiated.error {
            let error: String = error.chars().filter(|c| !c.is_control()).take(120).collect();
            return Err(refused(&http, &error));
        }
        if let Some(elsewhere) = negotiated.url {
            base = Url::parse(&elsewhere)
                .map_err(|_| refused(&http, "it sends this gateway to an address that is none"))?;
            // The login is for SALTO only: elsewhere counts what the hub gave for it, and nothing else.
            let given = negotiated
                .access_token
                .ok_or_else(|| refused(&http, "it sends this gateway elsewhere without a token"))?;
            token = Secret::new(given);
            segments = &[];
            continue;
        }
        let transports = &negotiated.available_transports;
        if !transports.is_empty() && !transports.iter().any(|it| it.transport == "WebSockets") {
            return Err(refused(&http, "it offers no WebSocket"));
        }
        let id = negotiated.connection_token.or(negotiated.connection_id);
        if let Some(id) = id {
            hub.query_pairs_mut().append_pair("id", &id);
        }
        return socket(&hub, &config.reach, &token, http.place()).await;
    }
    Err(KsError::new(
        KsKind::Malformed,
        format!(
            "{} sends this gateway from one hub to the next; it tries again by itself",
            config.stream_url
        ),
    ))
}

async fn negotiate(http: &Http, hub: &Url, token: &Secret) -> Result<Negotiated, KsError> {
    const WHAT: &str = "listen to entries";
    let mut url = hub.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.push("negotiate");
    }
    url.query_pairs_mut().append_pair("negotiateVersion", "1");
    let request = http
        .request(Method::POST, url)
        .bearer_auth(token.reveal())
        .header("content-length", "0");
    let answer = http
        .send(request, WHAT)
        .await
        .map_err(|error| of_platform(&error))?;
    let status = answer.status();
    if status.is_success() {
        return http
            .json(answer, "the hub's offer")
            .await
            .map_err(|error| of_platform(&error));
    }
    Err(of_status(
        status,
        http.place(),
        &http.refusal(answer, WHAT).await.text,
    ))
}

/// The connection itself. Plain ones go to this machine only: `Http` has refused any other.
async fn socket(hub: &Url, reach: &Reach, token: &Secret, place: &str) -> Result<Socket, KsError> {
    let tls = hub.scheme() == "https";
    let mut address = hub.clone();
    let scheme = if tls { "wss" } else { "ws" };
    if address.set_scheme(scheme).is_err() {
        return Err(unreachable(place, "its address has no WebSocket"));
    }
    let mut request = address
        .as_str()
        .into_client_request()
        .map_err(|error| unreachable(place, &error.to_string()))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| {
        KsError::new(
            KsKind::Unauthorised,
            format!("the token for {place} cannot be sent"),
        )
    })?;
    bearer.set_sensitive(true);
    request.headers_mut().insert("authorization", bearer);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let opening = async {
        let wire = wire(hub, tls, reach, place).await?;
        let opened = client_async_with_config(request, wire, Some(limits)).await;
        opened.map(|(socket, _)| socket).map_err(|error| match error {
            WsError::Http(answer) => of_status(answer.status(), place, ""),
            other => unreachable(place, &other.to_string()),
        })
    };
    timeout(OPENING, opening)
        .await
        .map_err(|_| unreachable(place, "it did not answer in time"))?
}

async fn wire(hub: &Url, tls: bool, reach: &Reach, place: &str) -> Result<Pin<Box<dyn Wire>>, KsError> {
    let io = |error: std::io::Error| unreachable(place, &error.to_string());
    let port = hub.port_or_known_default().unwrap_or(443);
    let host = match hub.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(unreachable(place, "its address has no host")),
    };
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(io)?;
    stream.set_nodelay(true).map_err(io)?;
    if !tls {
        return Ok(Box::pin(stream));
    }
    let config = tls::client(reach.ca_file.as_deref(), WORDS.address).map_err(|error| of_platform(&error))?;
    let name = rustls_pki_types::ServerName::try_from(host)
        .map_err(|_| unreachable(place, "its name cannot be in a certificate"))?;
    let connected = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    Ok(Box::pin(connected.map_err(|error| {
        let text = match tls::failure(&error) {
            Some(cause) => format!(
                "{place} is not to be trusted: {}",
                tls::words(cause, WORDS.address)
            ),
            None => format!(
                "{place} speaks no TLS: {error}; check the address in {}",
                WORDS.address
            ),
        };
        of_platform(&PlatformError::new(ErrorKind::Tls, text))
    })?))
}

fn of_status(status: StatusCode, place: &str, said: &str) -> KsError {
    let (kind, next) = match status {
        StatusCode::UNAUTHORIZED => (KsKind::Unauthorised, "it tries with another token"),
        StatusCode::FORBIDDEN => (
            KsKind::Forbidden,
            "the gateway's user at KS must be a site administrator, and the subscription must have events_streaming",
        ),
        StatusCode::NOT_FOUND => (KsKind::NotFound, "check [ks] stream_url"),
        StatusCode::TOO_MANY_REQUESTS => (
            KsKind::Throttled { retry_after: None },
            "it tries again by itself",
        ),
        status if status.is_server_error() => (KsKind::Unreachable, "it tries again by itself"),
        _ => (KsKind::Rejected, "check [ks] stream_url"),
    };
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(" ({said})")
    };
    KsError {
        kind,
        status: Some(status.as_u16()),
        code: None,
        text: format!(
            "the stream of entries at {place} refused with status {}{said}; {next}",
            status.as_u16()
        ),
    }
}

fn unreachable(place: &str, why: &str) -> KsError {
    KsError::new(
        KsKind::Unreachable,
        format!("the stream of entries at {place} cannot be reached: {why}; it tries again by itself"),
    )
}

fn refused(http: &Http, why: &str) -> KsError {
    KsError::new(
        KsKind::Rejected,
        format!("the stream of entries at {}: {why}", http.place()),
    )
}
