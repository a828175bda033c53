//! What scenarios of the desk have in common: the control socket asked directly, and presentations at the reader of the front
//! door.

use crate::{
    cloud_site::{CloudSite, Plan, members},
    harness::{Gateway, wait_for},
};
use doorward_peers::cloud::Options;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

/// A fob that nobody has yet, as its reader writes it.
pub(crate) fn fob(number: usize) -> String {
    format!("0499A1B2{:06X}", number * 16 + 3)
}

/// The same as the gateway names it.
pub(crate) fn uid(number: usize) -> String {
    format!("uid:{}", fob(number))
}

/// Members `p0`, `p1` …, each with a card and rights at the front door.
pub(crate) fn site(count: usize) -> CloudSite {
    CloudSite::start(Plan {
        options: Options {
            world: members(count),
            ..Options::default()
        },
        ..Plan::default()
    })
}

/// Asks the desk of a gateway: status and document.
pub(crate) fn ask(gateway: &Gateway, action: &str, body: &Value) -> (u16, Value) {
    let mut stream = UnixStream::connect(gateway.path().join("run/control.sock")).unwrap();
    let body = body.to_string();
    let head = format!(
        "POST /v1/cards/{action} HTTP/1.1\r\nhost: doorward\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (
        status,
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")),
    )
}

impl CloudSite {
    /// Asks the desk: status and document.
    pub(crate) fn desk(&self, action: &str, body: &Value) -> (u16, Value) {
        ask(&self.gateway, action, body)
    }

    /// The same, which must be done.
    #[track_caller]
    pub(crate) fn done(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.desk(action, &body);
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// The same, which must be refused: its code.
    #[track_caller]
    pub(crate) fn refused(&self, action: &str, body: Value) -> (String, String) {
        let (status, answer) = self.desk(action, &body);
        assert_eq!(status, 409, "{action}: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    }

    /// Gives a card to a member.
    #[track_caller]
    pub(crate) fn assign(&self, card: &str, person: &str) -> Value {
        self.done("assign", json!({ "card": card, "person": person, "by": "Maria" }))
    }

    /// Presents a card at the front door, by the digits that the reader sends: the reason and the person of the event.
    #[track_caller]
    pub(crate) fn present(&self, digits: &str) -> (String, String) {
        let presented = |events: &[Value]| {
            events
                .iter()
                .filter(|event| event["kind"] == "granted" || event["kind"] == "refused")
                .cloned()
                .collect::<Vec<_>>()
        };
        let before = presented(&self.gateway.events()).len();
        self.reader.frame(digits);
        let event = wait_for("the presentation", || {
            let events = presented(&self.gateway.events());
            events.get(before).cloned().ok_or(events.len())
        });
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["reason"]), text(&event["person"]["id"]))
    }

    /// What a member has at the cloud.
    pub(crate) fn at_cloud(&self, person: &str) -> Vec<String> {
        self.cloud.edit(|world| {
            let found = world.people.iter().find(|it| it.id == person);
            found.map(|it| it.credentials.clone()).unwrap_or_default()
        })
    }

    /// Waits until a member has this card at the cloud, or has it no more.
    #[track_caller]
    pub(crate) fn wait_at_cloud(&self, person: &str, card: &str, has: bool) {
        wait_for("the card at the cloud", || {
            let cards = self.at_cloud(person);
            if cards.iter().any(|it| it == card) == has {
                Ok(())
            } else {
                Err(cards)
            }
        });
    }

    /// Waits until nothing of the desk is beside the platform any more.
    #[track_caller]
    pub(crate) fn wait_settled(&self) {
        wait_for("the platform to say the same", || {
            let desk = self.report()["sections"]["desk"].clone();
            if desk["cards"] == 0 && desk["waiting"] == 0 {
                Ok(())
            } else {
                Err(desk)
            }
        });
    }
}
