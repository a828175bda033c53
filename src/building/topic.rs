//! The topics: `<prefix>/door/<door>/event`, `<prefix>/system/event`, `<prefix>/health`.
//!
//! One topic a door and not one a kind: MQTT keeps order within a topic (3.1.1, 4.6), and "opened, held, secured"
//! means something only in order.

use crate::domain::{DoorId, EntryEvent};

/// Longest prefix, in bytes. A whole topic may have 65,535 (MQTT 3.1.1, 4.7.3); some brokers allow far less.
const MAX_PREFIX: usize = 200;

/// Why a text cannot stand before every topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Empty, too long, or an empty level.
    #[error("the topic needs 1 to 200 bytes and no empty level: no slash at either end, no two in a row")]
    Shape,
    /// `+`, `#` or a control character (MQTT 3.1.1, 4.7.1 and 1.5.3).
    #[error("the topic contains '+', '#' or a control character, which MQTT keeps for itself")]
    Reserved,
    /// Begins with `$` (MQTT 3.1.1, 4.7.2).
    #[error("the topic begins with '$', which belongs to the broker")]
    Broker,
}

/// Checks `[mqtt] topic`.
///
/// # Errors
/// As [`TopicError`] says.
pub fn check_topic(prefix: &str) -> Result<(), TopicError> {
    if prefix.len() > MAX_PREFIX || prefix.split('/').any(str::is_empty) {
        return Err(TopicError::Shape);
    }
    if prefix.starts_with('$') {
        return Err(TopicError::Broker);
    }
    if prefix.chars().any(reserved) {
        return Err(TopicError::Reserved);
    }
    Ok(())
}

fn reserved(c: char) -> bool {
    matches!(c, '+' | '#') || c.is_control()
}

/// The topics of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics(String);

impl Topics {
    /// Topics behind a prefix.
    ///
    /// # Errors
    /// If the prefix does not pass [`check_topic`].
    pub fn new(prefix: &str) -> Result<Self, TopicError> {
        check_topic(prefix)?;
        Ok(Self(prefix.to_owned()))
    }

    /// Where the health document is retained.
    #[must_use]
    pub fn health(&self) -> String {
        format!("{}/health", self.0)
    }

    /// Where an event goes: to its door, or to the system if it belongs to none.
    #[must_use]
    pub fn event(&self, event: &EntryEvent) -> String {
        match &event.body.door {
            Some(door) => format!("{}/door/{}/event", self.0, level(door)),
            None => format!("{}/system/event", self.0),
        }
    }
}

/// A door as one level of a topic. The configuration refuses ids that do not fit; should one come all the same
/// (from an old journal, say), it must neither escape into another topic nor stop the events behind it.
fn level(door: &DoorId) -> String {
    let safe: String = door
        .as_str()
        .chars()
        .take(64)
        .map(|c| if c == '/' || reserved(c) { '_' } else { c })
        .collect();
    if safe.is_empty() { "_".to_owned() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        EventKind,
        event::{ClockQuality, Draft},
    };

    fn topic(door: Option<&str>) -> String {
        let mut body = Draft::new(EventKind::DoorHeld, 0, ClockQuality::Trusted);
        body.door = door.map(DoorId::from);
        let event = EntryEvent {
            id: "a-1".into(),
            seq: 1,
            body,
        };
        Topics::new("doorward/north").unwrap().event(&event)
    }

    #[test]
    fn an_event_goes_to_its_door_or_to_the_system() {
        assert_eq!(topic(Some("front")), "doorward/north/door/front/event");
        assert_eq!(topic(None), "doorward/north/system/event");
        assert_eq!(Topics::new("x").unwrap().health(), "x/health");
    }

    #[test]
    fn a_door_never_leaves_its_level() {
        assert_eq!(
            topic(Some("a/../+/#\u{0}")),
            "doorward/north/door/a_.._____/event"
        );
        assert_eq!(topic(Some("")), "doorward/north/door/_/event");
    }

    #[test]
    fn a_prefix_that_mqtt_forbids_is_refused() {
        assert_eq!(check_topic("doorward/north"), Ok(()));
        for shape in ["", "/a", "a/", "a//b", &"a".repeat(201)] {
            assert_eq!(check_topic(shape), Err(TopicError::Shape), "{shape}");
        }
        for reserved in ["a/+/b", "a/#", "a\nb", "a\u{0}"] {
            assert_eq!(check_topic(reserved), Err(TopicError::Reserved), "{reserved}");
        }
        assert_eq!(check_topic("$SYS/a"), Err(TopicError::Broker));
    }
}
