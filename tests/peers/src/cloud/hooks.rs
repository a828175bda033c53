//! Web hooks of the reference cloud, as docs/contract/README.md section 6 has them: a POST for every version, signed.

use ring::hmac;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A web hook, ready to be sent: also twice, late or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The header `Doorward-Signature`.
    pub signature: String,
    /// The body.
    pub body: String,
}

impl Delivery {
    /// Signed with `token` as of `at`, Unix seconds.
    #[must_use]
    pub fn signed(token: &str, at: u64, body: &Value) -> Self {
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
        let mut hex = String::new();
        for byte in tag.as_ref() {
            let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        }
        Self {
            signature: format!("t={at},v1={hex}"),
            body,
        }
    }

    /// Signed now, for a version of the facts.
    #[must_use]
    pub fn of_version(token: &str, version: u64) -> Self {
        Self::signed(token, now(), &json!({ "version": version }))
    }

    /// Sends it. The status that the receiver answered with.
    ///
    /// # Errors
    /// When nobody answers at this address.
    pub fn send(&self, address: &str) -> io::Result<u16> {
        post(
            address,
            &[("Doorward-Signature", &self.signature)],
            self.body.as_bytes(),
        )
    }
}

/// Unix seconds.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a peer is the world outside, which has its own clock"
)]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Posts JSON to `http://host:port/path` as any platform would, and gives the status of the answer.
///
/// # Errors
/// When the address is no plain one, or nobody answers there.
pub fn post(address: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<u16> {
    let odd = |what: &str| io::Error::other(format!("{address}: {what}"));
    let rest = address
        .strip_prefix("http://")
        .ok_or_else(|| odd("no plain address"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A receiver that refuses early may close before the body is through: its answer is what counts.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| odd("no answer"))
}
