//! The stream of entries: one connection at a time, opened again for ever, each time with a token that is good then.
//!
//! | file | what |
//! | --- | --- |
//! | `protocol` | records in frames, and what they say |
//! | `link` | negotiation, TLS, WebSocket |

mod link;
pub mod protocol;

use super::input::Input;
use crate::{
    clock::Clock,
    salto::{KsError, KsKind, Session},
};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{HELLO, Heard, PING, Protocol};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at, sleep, sleep_until},
};
use tokio_tungstenite::tungstenite::Message;

/// For the protocol's own handshake; SignalR's own limit.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// The hub ends a connection on which it heard nothing for 30 s by default.
const PING_EVERY: Duration = Duration::from_secs(10);
/// The hub pings every 15 s by default: after three times that it is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Pauses before the next connection, the last one for ever after.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// A connection that lasted this long was a good one: the pauses begin again.
const LASTED: Duration = Duration::from_secs(60);
/// Where the subscription has no stream, it is asked for again this often.
const NO_STREAM: Duration = Duration::from_secs(900);

/// Why a connection ended.
struct End {
    why: String,
    /// The hub asked not to be called again, so not soon.
    not_again: bool,
    /// The token was not accepted.
    unauthorised: bool,
}

impl End {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            not_again: false,
            unauthorised: false,
        }
    }
}

impl From<KsError> for End {
    fn from(error: KsError) -> Self {
        Self {
            unauthorised: error.kind == KsKind::Unauthorised,
            ..Self::new(error.text)
        }
    }
}

/// Keeps a connection until nobody listens to `inputs` any more.
pub(super) async fn keep(session: Session, clock: Clock, inputs: mpsc::Sender<Input>) {
    let (mut tries, mut refused) = (0, None);
    loop {
        match session.site().await {
            Ok(site) if !site.events_streaming() => {
                if inputs.send(Input::NoStream).await.is_err() {
                    return;
                }
                sleep(NO_STREAM).await;
                continue;
            }
            _ => {}
        }
        let begun = clock.monotonic();
        let Err(end) = once(&session, &mut refused, &inputs).await;
        let lasted = clock.monotonic().saturating_sub(begun) >= LASTED;
        if inputs.send(Input::Down(end.why)).await.is_err() {
            return;
        }
        // A token that has just run out is renewed at once; one that is refused again is not.
        tries = if lasted || (end.unauthorised && tries == 0) {
            0
        } else {
            tries + 1
        };
        let last = PAUSES.len() - 1;
        let step = if end.not_again { last } else { tries.min(last) };
        let pause = PAUSES.get(step).copied().unwrap_or(LASTED);
        // Gateways that lost the same hub do not come back at the same instant.
        let jitter = f64::from(clock.monotonic().subsec_nanos() % 1_000) / 4_000.0;
        sleep(pause.mul_f64(1.0 + jitter)).await;
        if end.unauthorised && tries == 0 {
            tries = 1;
        }
    }
}

/// One connection, from its opening to its end.
async fn once(
    session: &Session,
    refused: &mut Option<crate::domain::secret::Secret>,
    inputs: &mpsc::Sender<Input>,
) -> Result<std::convert::Infallible, End> {
    let site = session.site().await?;
    let token = session.connect().token(refused.take().as_ref()).await?;
    let mut socket = match link::open(session.config(), &site.id, &token).await {
        Ok(socket) => socket,
        Err(error) => {
            if error.kind == KsKind::Unauthorised {
                *refused = Some(token);
            }
            return Err(error.into());
        }
    };
    drop(token);
    let broken =
        |error: tokio_tungstenite::tungstenite::Error| End::new(format!("the stream broke: {error}"));
    socket.send(Message::text(HELLO)).await.map_err(broken)?;
    let mut protocol = Protocol::default();
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut silent_at = Instant::now() + HANDSHAKE;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            _ = pings.tick() => {
                socket.send(Message::text(PING)).await.map_err(broken)?;
                continue;
            }
            () = sleep_until(silent_at) => return Err(End::new("the stream fell silent")),
        };
        let bytes = match message {
            Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
            Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
            Some(Ok(Message::Close(_))) | None => return Err(End::new("the hub ended the stream")),
            Some(Ok(_)) => Vec::new(), // WebSocket's own pings
            Some(Err(error)) => return Err(broken(error)),
        };
        let heard = protocol
            .hear(&bytes)
            .map_err(|error| End::new(error.to_string()))?;
        if protocol.is_welcome() {
            silent_at = Instant::now() + SILENCE;
        }
        for heard in heard {
            let input = match heard {
                Heard::Welcome => Input::Up,
                Heard::Entry(value) => Input::Streamed(Some(value)),
                Heard::Unreadable => Input::Streamed(None),
                Heard::Close { again, why } => {
                    let _ = socket.close(None).await; // it is the hub's wish
                    return Err(End {
                        not_again: !again && why.is_some(),
                        ..End::new(why.map_or_else(
                            || "the hub ended the stream".into(),
                            |why| format!("the hub ended the stream: {why}"),
                        ))
                    });
                }
            };
            if inputs.send(input).await.is_err() {
                return Err(End::new("the gateway ends"));
            }
        }
    }
}
