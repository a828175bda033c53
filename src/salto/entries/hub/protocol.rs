//! The hub's protocol (ASP.NET Core SignalR, `docs/specs/HubProtocol.md` there): JSON records, each ended by 0x1E, in
//! frames that may hold several of them or a part of one. Pure.

use serde::Deserialize;
use serde_json::Value;

/// What ends a record.
const END: u8 = 0x1e;
/// The longest record. An entry has about a kilobyte.
pub const LONGEST: usize = 1 << 20;
/// What the client says first.
pub const HELLO: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
/// That it is there.
pub const PING: &str = "{\"type\":6}\u{1e}";
/// The method by which the hub brings an entry.
const METHOD: &str = "ReceiveMessage";

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The hub accepts the protocol.
    Welcome,
    /// Something that may be an entry.
    Entry(Value),
    /// A message of the hub's that cannot be read as an entry: what it was has to be asked for.
    Unreadable,
    /// The server ends the connection.
    Close {
        /// Whether another may be opened.
        again: bool,
        /// What it says.
        why: Option<String>,
    },
}

/// Why the connection is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// A record that does not end.
    #[error("the hub sends more than {} KB without an end", LONGEST >> 10)]
    TooLong,
    /// Something else speaks there.
    #[error("this is no hub that speaks JSON")]
    NoHub,
    /// It does not accept the protocol.
    #[error("the hub does not accept the protocol ({0})")]
    NotWelcome(String),
}

#[derive(Deserialize)]
struct Hello {
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type", default)]
    kind: u8,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    arguments: Vec<Value>,
    #[serde(default)]
    error: Option<String>,
    #[serde(rename = "allowReconnect", default)]
    allow_reconnect: bool,
}

/// The client's side of one connection.
#[derive(Debug, Default)]
pub struct Protocol {
    buffer: Vec<u8>,
    welcome: bool,
}

impl Protocol {
    /// Hears the next bytes, wherever they were cut. What is neither an entry nor an end of the connection says nothing.
    ///
    /// # Errors
    /// When the connection is of no use any more.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Vec<Heard>, HubError> {
        let mut heard = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == END) {
            if self.buffer.len() + piece.len() > LONGEST {
                return Err(HubError::TooLong);
            }
            self.buffer.extend_from_slice(piece);
            if self.buffer.last() == Some(&END) {
                self.buffer.pop();
                let record = std::mem::take(&mut self.buffer);
                self.record(&record, &mut heard)?;
            }
        }
        Ok(heard)
    }

    /// Whether the hub accepted the protocol.
    #[must_use]
    pub const fn is_welcome(&self) -> bool {
        self.welcome
    }

    fn record(&mut self, record: &[u8], heard: &mut Vec<Heard>) -> Result<(), HubError> {
        if !self.welcome {
            let hello: Hello = serde_json::from_slice(record).map_err(|_| HubError::NoHub)?;
            if let Some(error) = hello.error {
                return Err(HubError::NotWelcome(plain(&error)));
            }
            self.welcome = true;
            heard.push(Heard::Welcome);
            return Ok(());
        }
        let Ok(message) = serde_json::from_slice::<Message>(record) else {
            heard.push(Heard::Unreadable);
            return Ok(());
        };
        match message.kind {
            1 if message
                .target
                .is_some_and(|target| target.eq_ignore_ascii_case(METHOD)) =>
            {
                if message.arguments.is_empty() {
                    heard.push(Heard::Unreadable);
                }
                for argument in message.arguments {
                    entries(argument, heard);
                }
            }
            7 => heard.push(Heard::Close {
                again: message.allow_reconnect,
                why: message.error.as_deref().map(plain),
            }),
            _ => {} // pings, and what the hub says to others
        }
        Ok(())
    }
}

/// An argument: an entry, a list of them, or the text of either.
fn entries(argument: Value, heard: &mut Vec<Heard>) {
    let value = match argument {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    };
    match value {
        Value::Array(all) => heard.extend(all.into_iter().map(Heard::Entry)),
        Value::Object(_) => heard.push(Heard::Entry(value)),
        _ => heard.push(Heard::Unreadable),
    }
}

/// Somebody else's words: short, one line.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Whatever the bytes and however they are cut: the same is heard, and no more is held than a record may have.
pub fn fuzz(data: &[u8]) {
    let (at, data) = data.split_first().unwrap_or((&0, data));
    let at = usize::from(*at).min(data.len());
    let mut whole = Protocol::default();
    let once = whole.hear(data);
    let mut cut = Protocol::default();
    let (first, second) = data.split_at_checked(at).unwrap_or((data, &[]));
    let twice = cut.hear(first).and_then(|mut heard| {
        heard.extend(cut.hear(second)?);
        Ok(heard)
    });
    assert_eq!(once, twice, "a cut changes nothing");
    assert!(whole.buffer.len() <= LONGEST);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn record(value: &Value) -> String {
        format!("{value}\u{1e}")
    }

    fn message(argument: &Value) -> String {
        record(&json!({ "type": 1, "target": "ReceiveMessage", "arguments": [argument] }))
    }

    fn hear(texts: &[String]) -> Result<Vec<Heard>, HubError> {
        Protocol::default().hear(texts.concat().as_bytes())
    }

    #[test]
    fn an_entry_comes_as_text_as_an_object_and_as_a_list() {
        let entry = json!({ "id": "e1" });
        let heard = hear(&[
            record(&json!({})),
            record(&json!({ "type": 6 })),
            message(&json!(entry.to_string())),
            message(&entry),
            message(&json!([entry, entry])),
        ]);
        let expected: Vec<_> = std::iter::once(Heard::Welcome)
            .chain(std::iter::repeat_n(Heard::Entry(entry), 4))
            .collect();
        assert_eq!(heard.unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_what_is_for_others_is_passed_over() {
        let heard = hear(&[
            record(&json!({})),
            "not json\u{1e}".into(),
            message(&json!("not json")),
            message(&json!(7)),
            record(&json!({ "type": 1, "target": "Other", "arguments": [{}] })),
            record(&json!({ "type": 3, "invocationId": "1" })),
        ]);
        assert_eq!(
            heard.unwrap(),
            [
                Heard::Welcome,
                Heard::Unreadable,
                Heard::Unreadable,
                Heard::Unreadable
            ]
        );
    }

    #[test]
    fn the_end_of_a_connection_says_whether_there_may_be_another() {
        let heard = hear(&[
            record(&json!({})),
            record(&json!({ "type": 7, "error": "bye\n", "allowReconnect": true })),
            record(&json!({ "type": 7 })),
        ]);
        let close = |again, why: Option<&str>| Heard::Close {
            again,
            why: why.map(str::to_owned),
        };
        assert_eq!(
            heard.unwrap(),
            [Heard::Welcome, close(true, Some("bye")), close(false, None)]
        );
    }

    #[test]
    fn a_hub_that_is_none_and_a_record_without_an_end_are_no_connection() {
        assert_eq!(hear(&["<html>\u{1e}".into()]), Err(HubError::NoHub));
        let refused = hear(&[record(&json!({ "error": "protocol" }))]);
        assert_eq!(refused, Err(HubError::NotWelcome("protocol".into())));
        assert_eq!(hear(&["x".repeat(LONGEST + 1)]), Err(HubError::TooLong));
    }

    proptest! {
        #[test]
        fn where_frames_are_cut_makes_no_difference(at: u8, noise in prop::collection::vec(any::<u8>(), 0..40)) {
            let right = [record(&json!({})), message(&json!({ "id": "é" })), record(&json!({ "type": 7 }))].concat();
            let mut data = vec![at];
            data.extend_from_slice(right.as_bytes());
            data.extend_from_slice(&noise);
            fuzz(&data);
            let mut noise_first = vec![at];
            noise_first.extend_from_slice(&noise);
            fuzz(&noise_first);
        }
    }
}
