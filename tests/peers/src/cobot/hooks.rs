//! Web hooks: unsigned, a pointer to what changed, several tries.

use super::state::Inner;
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

/// Tries of one delivery. The vendor's ten take twenty hours.
const TRIES: usize = 3;

/// A delivery that is to be made.
struct Delivery {
    to: String,
    body: String,
}

/// What was sent, and what the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where to.
    pub to: String,
    /// The body.
    pub body: String,
    /// HTTP status; 0 without an answer.
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct Hooks {
    orders: Sender<Delivery>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to)
    }
}

impl Hooks {
    pub(super) fn start() -> Self {
        let (orders, taken) = channel();
        let sent = Arc::default();
        let log = Arc::clone(&sent);
        // Ends when the simulator does: nobody can order any more then.
        std::thread::spawn(move || run(&taken, &log));
        Self { orders, sent }
    }

    /// Sends to everybody who subscribed to the event.
    pub(super) fn tell(&self, inner: &Inner, event: &str, body: &Value) {
        let wants = |it: &&super::world::Subscription| it.active && it.event == event;
        for subscription in inner.world.subscriptions.iter().filter(wants) {
            let delivery = Delivery {
                to: subscription.callback.clone(),
                body: body.to_string(),
            };
            let _ = self.orders.send(delivery); // the thread lives as long as this
        }
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn run(orders: &Receiver<Delivery>, log: &Mutex<Vec<Sent>>) {
    while let Ok(Delivery { to, body }) = orders.recv() {
        for _ in 0..TRIES {
            let status = post(&to, &body).unwrap_or(0);
            let sent = Sent {
                to: to.clone(),
                body: body.clone(),
                status,
            };
            log.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
            if (200..300).contains(&status) || status == 410 {
                break;
            }
        }
    }
}

/// A POST over plain HTTP; the status of the answer.
fn post(to: &str, body: &str) -> Option<u16> {
    let rest = to.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut some = [0; 512];
    while !answer.contains(&b'\n') {
        let count = stream.read(&mut some).ok()?;
        if count == 0 {
            break;
        }
        answer.extend_from_slice(some.get(..count)?);
    }
    let line = String::from_utf8_lossy(&answer);
    line.split_whitespace().nth(1)?.parse().ok()
}
