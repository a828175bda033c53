//! The hub of entries: ASP.NET Core SignalR with the JSON protocol over a WebSocket.

use super::{
    identity::encoded,
    reply::{Reply, Request},
    state::State,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

/// Where it is.
const PATH: &str = "/v1/hub/entries";
/// The end of a record.
const END: char = '\u{1e}';
/// How often a stream looks at tokens and faults.
const LOOK: Duration = Duration::from_millis(20);

/// Streams that stand.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: Vec<mpsc::UnboundedSender<Told>>,
    negotiated: BTreeSet<String>,
    made: u64,
    pub(super) accepted: u64,
}

/// What a stream is told to do.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// Send this entry.
    Event(String),
    /// Say goodbye with these words, if any, and close.
    Close(Option<String>),
    /// Vanish.
    Drop,
}

impl Sessions {
    /// Sends a row to all of them, as a text of JSON.
    pub(super) fn send(&mut self, row: &Value) {
        let event = Told::Event(row.to_string());
        self.open.retain(|stream| stream.send(event.clone()).is_ok());
    }
    /// Tells all of them something.
    pub(super) fn tell(&mut self, told: &Told) {
        self.open.retain(|stream| stream.send(told.clone()).is_ok());
    }
    /// Somebody comes with this id without having negotiated it.
    pub(super) fn expect(&mut self, id: &str) {
        self.negotiated.insert(id.to_owned());
    }
    /// How many stand.
    pub(super) fn count(&mut self) -> usize {
        self.open.retain(|stream| !stream.is_closed());
        self.open.len()
    }
}

/// What comes of a request at the stream's address.
pub(super) enum Hub {
    /// An answer.
    Reply(Reply),
    /// A WebSocket for whoever holds this token.
    Upgrade(String),
}

/// One request.
pub(super) fn answer(state: &mut State, request: &Request, key: Option<&str>) -> Hub {
    match opened(state, request, key) {
        Ok(hub) => hub,
        Err(code) => Hub::Reply(Reply::empty(code)),
    }
}

fn opened(state: &mut State, request: &Request, key: Option<&str>) -> Result<Hub, u16> {
    if state.faults.stream_away {
        return Err(503);
    }
    let bearer = request
        .authorization
        .as_deref()
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer
        .map(str::to_owned)
        .or_else(|| request.parameter("access_token"));
    let token = token.filter(|token| state.token_is_good(token)).ok_or(401_u16)?;
    if !matches!(request.path.strip_prefix(PATH), Some("" | "/negotiate")) {
        return Err(404);
    }
    let site = request.parameter("site_id").ok_or(400_u16)?;
    if site != state.site {
        return Err(400);
    }
    // Entries of a whole site are for administrators, where the subscription has them.
    if state.faults.no_admin || !state.features.iter().any(|feature| feature == "events_streaming") {
        return Err(403);
    }
    if request.path.ends_with("/negotiate") {
        return if request.method == "POST" {
            Ok(Hub::Reply(negotiate(state, request)))
        } else {
            Err(405)
        };
    }
    let id = request.parameter("id");
    if id.is_some_and(|id| !state.streams.negotiated.remove(&id)) {
        return Err(404);
    }
    match key {
        Some(_) if request.method == "GET" => Ok(Hub::Upgrade(token)),
        _ => Err(400),
    }
}

fn negotiate(state: &mut State, request: &Request) -> Reply {
    state.streams.made += 1;
    let made = state.streams.made;
    let id = URL_SAFE_NO_PAD.encode(format!("connection {made}"));
    let newer = request.parameter("negotiateVersion").as_deref() == Some("1");
    let token = if newer {
        URL_SAFE_NO_PAD.encode(format!("token {made}"))
    } else {
        id.clone()
    };
    state.streams.negotiated.insert(token.clone());
    let transports = json!([
        {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
        {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
        {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
    ]);
    Reply::ok(&if newer {
        json!({"negotiateVersion": 1, "connectionId": id, "connectionToken": token, "availableTransports": transports})
    } else {
        json!({"connectionId": id, "availableTransports": transports})
    })
}

fn record(value: &Value) -> Message {
    Message::text(format!("{value}{END}"))
}

fn with<T>(shared: &Arc<Mutex<State>>, job: impl FnOnce(&mut State) -> T) -> T {
    job(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// A stream from its handshake to its end.
pub(super) async fn serve(upgraded: Upgraded, token: String, shared: Arc<Mutex<State>>) {
    let mut stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let good = handshake(&mut stream).await;
    let (sender, mut told) = mpsc::unbounded_channel();
    let (ping, patience) = with(&shared, |state| {
        if good {
            state.streams.open.push(sender);
            state.streams.accepted += 1;
        }
        (state.manners.ping, state.manners.client_timeout)
    });
    // Whoever hears the answer is on the list already.
    if !agreed(&mut stream, good).await {
        return;
    }
    let mut pings = tokio::time::interval_at(Instant::now() + ping, ping);
    let mut looks = tokio::time::interval(LOOK);
    let mut heard = Instant::now();
    loop {
        let sent = tokio::select! {
            told = told.recv() => match told {
                Some(Told::Event(text)) => {
                    let message = json!({"type": 1, "target": "ReceiveMessage", "arguments": [text]});
                    stream.send(record(&message)).await
                }
                Some(Told::Close(words)) => {
                    let _ = stream.send(record(&json!({"type": 7, "error": words}))).await; // it ends anyway
                    let _ = stream.close(None).await;
                    return;
                }
                Some(Told::Drop) | None => return,
            },
            _ = pings.tick() => stream.send(record(&json!({"type": 6}))).await,
            _ = looks.tick() => {
                let (good, away) = with(&shared, |state| {
                    (state.token_is_good(&token), state.faults.away || state.faults.stream_away)
                });
                if away || heard.elapsed() > patience {
                    return;
                }
                if !good {
                    let _ = stream.send(record(&json!({"type": 7}))).await; // it ends anyway
                    let _ = stream.close(None).await;
                    return;
                }
                Ok(())
            }
            message = stream.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {
                    heard = Instant::now();
                    Ok(())
                }
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Whether it begins as it must: `{"protocol":"json","version":1}`.
async fn handshake(stream: &mut Stream) -> bool {
    let Some(Ok(Message::Text(text))) = stream.next().await else {
        return false;
    };
    let asked: Value = serde_json::from_str(text.trim_end_matches(END)).unwrap_or_default();
    text.ends_with(END) && asked == json!({"protocol": "json", "version": 1})
}

/// The answer to it: `{}`, or why not.
async fn agreed(stream: &mut Stream, good: bool) -> bool {
    let answer = match good {
        true => json!({}),
        false => json!({"error": "Requested protocol is not available."}),
    };
    stream.send(record(&answer)).await.is_ok() && good
}

/// The address of a hub's stream, for who follows it by hand.
#[must_use]
pub fn stream_query(site: &str, connection: &str, token: &str) -> String {
    format!(
        "{PATH}?site_id={site}&id={}&access_token={}",
        encoded(connection),
        encoded(token)
    )
}
