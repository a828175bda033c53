//! Somebody else at the stream: a plain client that hears each entry, to compare with.

use super::{Ks, LASTS, stream_query};
use serde_json::{Value, json};
use std::{
    io,
    net::TcpStream,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use tokio_tungstenite::tungstenite::{Message, client};

/// The client, on a thread of its own. It ends with the stream.
#[derive(Debug)]
pub struct Ear(Receiver<String>);

impl Ks {
    /// Begins to listen, with a token of its own. Plain connections only.
    ///
    /// # Errors
    /// When the hub does not let it.
    pub fn ear(&self) -> io::Result<Ear> {
        let token = self.with(|state| {
            let token = format!("ear-{}", state.identity.tokens.len());
            let until = state.now() / 1_000 + LASTS;
            state.identity.tokens.insert(token.clone(), until);
            token
        });
        let host = self.stream_url().replace("http://", "");
        let negotiated = "by-hand".to_owned();
        self.with(|state| state.streams.expect(&negotiated));
        let address = format!("ws://{host}{}", stream_query(&self.site(), &negotiated, &token));
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        let (mut socket, _) = client(address, stream).map_err(|error| io::Error::other(error.to_string()))?;
        let say = |value: Value| Message::text(format!("{value}\u{1e}"));
        let (sender, heard) = channel();
        socket
            .send(say(json!({"protocol": "json", "version": 1})))
            .map_err(io::Error::other)?;
        socket.read().map_err(io::Error::other)?;
        std::thread::Builder::new().name("ks-ear".into()).spawn(move || {
            while let Ok(message) = socket.read() {
                let Some(id) = message.to_text().ok().and_then(entry) else {
                    let _ = socket.send(say(json!({"type": 6}))); // the end is read next
                    continue;
                };
                if sender.send(id).is_err() {
                    return;
                }
            }
        })?;
        Ok(Ear(heard))
    }
}

/// The id of the entry in a record; `None` for any other record.
fn entry(text: &str) -> Option<String> {
    let record: Value = serde_json::from_str(text.trim_end_matches('\u{1e}')).ok()?;
    let entry: Value = serde_json::from_str(record.pointer("/arguments/0")?.as_str()?).ok()?;
    Some(entry.get("id")?.as_str()?.to_owned())
}

impl Ear {
    /// The id of the next entry.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<String> {
        self.0.recv_timeout(patience).ok()
    }
}
