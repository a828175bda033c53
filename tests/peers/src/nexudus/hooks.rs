//! What Nexudus sends: web hooks, one action each, signed; and Custom ACS, which asks for groups and pushes them.

use super::tables::Row;
use ring::hmac;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where hooks go, and how they are signed.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    to: Mutex<Option<(String, String)>>,
}

impl Outbox {
    pub(super) fn send_to(&self, address: &str, secret: &str) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        *to = Some((address.to_owned(), secret.to_owned()));
    }

    /// Sends a hook if somebody wants it. It goes its own way: the change does not wait for it.
    pub(super) fn tell(&self, row: &Row) {
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((address, secret)) = to else {
            return;
        };
        let hook = Delivery::signed(&secret, &Value::Object(row.clone()));
        let _ = std::thread::Builder::new()
            .name("nexudus-hook".into())
            .spawn(move || hook.send(&address));
    }
}

/// A delivery, ready to be sent: also twice, or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Delivery {
    /// A web hook, signed with the secret. Which action it was for does not stand in it.
    #[must_use]
    pub fn signed(secret: &str, dto: &Value) -> Self {
        let body = json!([dto]).to_string().into_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut hex = String::new();
        for byte in hmac::sign(&key, &body).as_ref() {
            let _ = write!(hex, "{byte:02X}"); // writing to a String cannot fail
        }
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-nexudus-hook-signature".to_owned(), hex),
        ];
        Self { headers, body }
    }

    /// A push of Custom ACS: the finished groups of one customer.
    #[must_use]
    pub fn pushed(token: &str, body: &Value) -> Self {
        Self {
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), format!("Bearer {token}")),
                (
                    "x-nexudus-business-uniqueid".to_owned(),
                    "5d9c0000-0000-4000-8000-000000001414".to_owned(),
                ),
            ],
            body: body.to_string().into_bytes(),
        }
    }

    /// Posts it to `http://host:port/path`. The status of the answer.
    ///
    /// # Errors
    /// When the address is no plain one, or nobody answers there.
    pub fn send(&self, address: &str) -> io::Result<u16> {
        request("POST", address, &self.headers, &self.body).map(|(status, _)| status)
    }
}

/// One request in plain HTTP: status and body of the answer.
///
/// # Errors
/// When the address is no plain one, or nobody answers there.
pub fn request(
    method: &str,
    address: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<(u16, String)> {
    let odd = |what: &str| io::Error::other(format!("{address}: {what}"));
    let rest = address
        .strip_prefix("http://")
        .ok_or_else(|| odd("no plain address"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n"); // writing to a String cannot fail
    }
    let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status.ok_or_else(|| odd("no answer in HTTP"))?, body.to_owned()))
}
