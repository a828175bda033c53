//! The site that a browser looks at: the real daemon with its page, some hundred people at the reference cloud, an OSDP reader
//! at the front door, a PN532 at the desk, the space's own login. A script in a browser moves all of it by orders, a JSON
//! object each ([`Stage::obey`]).
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::{
        Gateway,
        site::{FRONT_DOOR, Layout},
        wait_for,
    },
    page_oidc::{self, Provider},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    crowd::{self, CARDS},
    osdp::{Bus, Color, PdSpec, Seen, What},
    pn532::{Faults, Pn532},
    relay::Relay,
};
use serde_json::{Value, json};
use std::{net::TcpListener, sync::mpsc::Receiver};

const KEY: [u8; 16] = [0x42; 16];
/// The site.
pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    /// Between browser and gateway: the building's network.
    relay: Relay,
    bus: Bus,
    seen: Receiver<Seen>,
    chip: Pn532,
    cloud: Cloud,
    provider: Provider,
}

/// A port that was free a moment ago: a gateway that starts again must be where the browser knows it.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Stage {
    /// The site with so many people, started and with its facts. `None` without node, which was said.
    pub(crate) fn start(people: usize) -> Option<Self> {
        let port = free_port();
        let relay = Relay::start(port).unwrap();
        let address = format!("https://localhost:{}", relay.port);
        let provider = page_oidc::provider(&format!("{address}/signin/oidc/callback"))?;
        let cloud = Cloud::start(Options {
            world: crowd::house(people),
            ..Options::default()
        })
        .unwrap();
        let bus = Bus::start(vec![PdSpec {
            address: 3,
            key: Some(KEY),
        }])
        .unwrap();
        let chip = Pn532::start().unwrap();
        let page = format!(
            "listen = \"127.0.0.1:{port}\"\npublic_url = \"{address}\"\n{}",
            page_oidc::table(&provider.issuer)
        );
        let desk = format!(
            "pcsc = false\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\nname = \"Reception\"\npath = \"{}\"",
            chip.path().display()
        );
        let layout = Layout::new("rtc = true")
            .cloud(&cloud, None, "timeout_seconds = 2")
            .table("[sync]", "poll_seconds = 3600")
            .table("[checkins]", "")
            .map("plans", "Hot desk", &["members"])
            .group("members", &["front"])
            .group("staff", &["front", "store"])
            .osdp(&bus, "key = { file = \"{dir}/key\" }")
            .door("front", FRONT_DOOR)
            .door("store", "name = \"Store room\"")
            .table("[page]", &page)
            .table("[desk]", &desk);
        let mut gateway = Gateway::new(layout.text());
        gateway.log_level("info");
        gateway.secret("token", cloud.token());
        gateway.secret("key", &"42".repeat(16));
        gateway.secret("oidc-secret", page_oidc::SECRET);
        gateway.start();
        gateway.settle();
        let seen = bus.observed();
        Some(Self {
            gateway,
            relay,
            bus,
            seen,
            chip,
            cloud,
            provider,
        })
    }

    /// What the script needs to know at its start.
    pub(crate) fn told(&self) -> Value {
        json!({
            "address": format!("https://localhost:{}", self.relay.port),
            "issuer": self.provider.issuer,
            "code": self.first_code(),
            "people": self.cloud.edit(|world| world.people.len()),
            "cards": CARDS,
        })
    }

    fn first_code(&self) -> String {
        let (_, out, error) = self.gateway.command(&["report"]);
        let line = out.lines().find(|line| line.contains("code for the first one"));
        let line = line.unwrap_or_else(|| panic!("{out}{error}"));
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// Carries one order out, and gives what it brought.
    pub(crate) fn obey(&mut self, order: &Value) -> Value {
        let text = |name: &str| order[name].as_str().unwrap_or_default();
        match text("do") {
            "lay" => self.chip.lay(&bytes(text("card"))),
            "swap" => {
                let at = now();
                self.chip.swap(&bytes(text("card")));
                return json!(at);
            }
            "clear" => self.chip.clear(),
            "tap" => return self.tap(&bytes(text("card"))),
            "pull in the middle" => self.chip.faults(Faults {
                pull_in_the_middle: true,
                ..Faults::default()
            }),
            "unplug" => self.chip.unplug(),
            "plug" => self.chip.plug().unwrap(),
            "cloud" => self.cloud.set_down(order["down"] == true),
            "give" => self.at_cloud(text("person"), |cards| cards.push(text("card").to_owned())),
            "take" => self.at_cloud(text("person"), |cards| cards.retain(|it| it != text("card"))),
            "cards" => {
                let mut found = Vec::new();
                self.at_cloud(text("person"), |cards| found.clone_from(cards));
                return json!(found);
            }
            "line" if order["cut"] == true => self.relay.cut(),
            "line" => self.relay.open(),
            "kill" => self.gateway.kill(),
            "start" => {
                self.gateway.start();
                self.gateway.settle();
            }
            "run" => {
                let arguments: Vec<&str> = order["arguments"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let (status, out, error) = self.gateway.command(&arguments);
                return json!({ "status": status, "out": out, "error": error });
            }
            other => panic!("no such order: {other}"),
        }
        Value::Null
    }

    fn at_cloud(&self, id: &str, change: impl FnOnce(&mut Vec<String>)) {
        self.cloud.edit(|world| {
            let person = world.people.iter_mut().find(|person| person.id == id);
            change(&mut person.unwrap_or_else(|| panic!("no {id}")).credentials);
        });
    }

    /// Presents a card at the front door: its light, and whether the strike was released.
    fn tap(&self, card: &[u8]) -> Value {
        while self.seen.try_recv().is_ok() {}
        let present = || self.bus.tap(3, card.len() * 8, card);
        present();
        let mut presented = now();
        let (mut light, mut released) = (None, false);
        let light = wait_for("an answer", || {
            // A reader that lost its line that very moment lost the card too: whoever stands there presents it again.
            if light.is_none() && now() - presented > 8_000 {
                present();
                presented = now();
            }
            for seen in self.seen.try_iter() {
                match seen.what {
                    What::Light { color, .. } => light = Some(color),
                    What::Output {
                        output: 1,
                        control: 5,
                        ..
                    } => released = true,
                    _ => {}
                }
            }
            match light {
                Some(Color::Green) if !released => Err((light, released)),
                Some(color) => Ok(color),
                None => Err((light, released)),
            }
        });
        json!({ "light": format!("{light:?}").to_lowercase(), "released": released, "at": now() })
    }
}

/// Unix milliseconds, as the browser counts them.
fn now() -> i64 {
    doorward::clock::Clock::system(true, 0).now().at
}

fn bytes(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}
