//! Signed web hooks: `officernd-signature: t=<unix>,signature=<hex>`, over the body, a point and the time.

use super::state::State;
use ring::hmac;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// One delivery.
pub(super) struct Message {
    url: String,
    signature: String,
    body: String,
}

/// The header's value.
pub(super) fn signature(secret: &str, body: &str, seconds: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{body}.{seconds}").as_bytes());
    let mut hex = String::new();
    for byte in tag.as_ref() {
        let _ = write!(hex, "{byte:02x}"); // a String takes everything
    }
    format!("t={seconds},signature={hex}")
}

/// What goes out about an object, to each address.
pub(super) fn messages(state: &mut State, collection: &str, what: &str, id: &str) -> Vec<Message> {
    let kind = match collection {
        "members" => "member",
        "companies" => "company",
        "memberships" => "membership",
        "bookings" => "booking",
        "passes" if what != "removed" => "pass",
        "assignments" if what != "updated" => "occupancyslot",
        _ => return Vec::new(),
    };
    let object = state
        .get(collection, id)
        .cloned()
        .unwrap_or_else(|| json!({"_id": id}));
    let at = state.server_now();
    let body = json!({
        "event": what,
        "eventType": format!("{kind}.{what}"),
        "data": {"object": object, "previousAttributes": {}},
        "createdAt": super::state::instant(at),
    })
    .to_string();
    let mut messages = Vec::new();
    for hook in state.list("webhooks") {
        let text = |field: &str| {
            hook.get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        messages.push(Message {
            url: text("url"),
            signature: signature(&text("secret"), &body, at / 1_000),
            body: body.clone(),
        });
    }
    let sent = messages
        .iter()
        .map(|message| (message.signature.clone(), message.body.clone()));
    let sent: Vec<(String, String)> = sent.collect();
    state.sent.extend(sent);
    messages
}

/// Delivers in order, on a thread of its own: staff do not wait for it.
pub(super) fn send(messages: Vec<Message>) {
    if messages.is_empty() {
        return;
    }
    std::thread::spawn(move || {
        for message in messages {
            let _ = deliver(&message); // a receiver that is not there misses it
        }
    });
}

fn deliver(message: &Message) -> std::io::Result<()> {
    let rest = message.url.strip_prefix("http://").unwrap_or(&message.url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let length = message.body.len();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nofficernd-signature: {}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{}",
        message.signature, message.body
    )?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
