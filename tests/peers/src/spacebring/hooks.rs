//! Web hooks, signed as Svix does it: key the base64 after `whsec_`, text `id.timestamp.body`, HMAC-SHA256 in base64.

use super::state::HOOK_SECRET;
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError, mpsc},
    time::Duration,
};

/// A delivery ready to be sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `svix-id`.
    pub id: String,
    /// `svix-timestamp`, Unix seconds.
    pub timestamp: String,
    /// `svix-signature`.
    pub signature: String,
    /// The body.
    pub body: String,
}

/// Signs a delivery.
#[must_use]
pub fn sign(id: &str, at: i64, body: &str, secret: &str) -> Delivery {
    let timestamp = at.div_euclid(1_000).to_string();
    let key = STANDARD
        .decode(secret.trim_start_matches("whsec_"))
        .unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Delivery {
        id: id.into(),
        timestamp,
        // A key that was rotated signs as well, first.
        signature: format!(
            "v1,{} v1,{}",
            STANDARD.encode([7; 32]),
            STANDARD.encode(tag.as_ref())
        ),
        body: body.into(),
    }
}

#[derive(Debug, Default)]
struct Queue {
    to: Option<(String, mpsc::Sender<Delivery>)>,
    sent: u64,
}

/// Sends what happens to an address.
#[derive(Debug, Default)]
pub(super) struct Hooks(Mutex<Queue>);

impl Hooks {
    /// From now on to this address: `http://host:port/path`.
    pub(super) fn to(&self, address: &str) -> Result<(), String> {
        let rest = address
            .strip_prefix("http://")
            .ok_or_else(|| "this simulator sends web hooks to http:// addresses only".to_owned())?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, path) = (host.to_owned(), format!("/{path}"));
        let (sender, queue) = mpsc::channel::<Delivery>();
        std::thread::Builder::new()
            .name("spacebring-hooks".into())
            .spawn(move || {
                for delivery in queue {
                    // Svix tries again after seconds, minutes, hours; a few tries are enough here.
                    for pause in [0, 50, 250, 1_000] {
                        std::thread::park_timeout(Duration::from_millis(pause));
                        if post(&host, &path, &delivery).is_ok_and(|status| (200..300).contains(&status)) {
                            break;
                        }
                    }
                }
            })
            .map_err(|error| error.to_string())?;
        self.lock().to = Some((address.to_owned(), sender));
        Ok(())
    }

    pub(super) fn send(&self, event: Value, at: i64) {
        let mut queue = self.lock();
        queue.sent += 1;
        let id = format!("msg_{:08}", queue.sent);
        if let Some((_, sender)) = &queue.to {
            let delivery = sign(&id, at, &event.to_string(), HOOK_SECRET);
            let _ = sender.send(delivery); // the thread ends with the simulator
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Posts one delivery. The status of the answer.
fn post(host: &str, path: &str, delivery: &Delivery) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let Delivery {
        id,
        timestamp,
        signature,
        body,
    } = delivery;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nsvix-id: {id}\r\nsvix-timestamp: {timestamp}\r\nsvix-signature: {signature}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.take(4_096).read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no status"))
}
