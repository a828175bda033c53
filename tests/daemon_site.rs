//! A small site around the real daemon that several scenarios share: one OSDP bus with one reader, facts in a file.

use crate::harness::{
    Gateway,
    site::{FRONT_DOOR, Layout},
    wait_for,
};
use doorward_peers::osdp::{Bus, Color, PdSpec, Seen, What};
use serde_json::Value;
use std::{fs, sync::mpsc::Receiver};

pub(crate) const KEY: [u8; 16] = [0x42; 16];
/// Ana's: her plan opens the front door around the clock.
pub(crate) const ANA: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];
/// Bob's: his booking opens it from 2020 to 2090.
pub(crate) const BOB: [u8; 7] = [0x04, 0x1B, 0x2C, 0x3D, 0x4E, 0x5F, 0x81];
/// Nobody's.
pub(crate) const STRANGER: [u8; 7] = [0x04, 0x99, 0x88, 0x77, 0x66, 0x55, 0x82];

const FACTS: &str = r#"
[[people]]
id = "ana"
name = "Ana Ruiz"
credentials = ["uid:04A2B3C4D5E680"]
[[people]]
id = "bob"
name = "Bob Bartley"
credentials = ["uid:041B2C3D4E5F81"]
[[memberships]]
id = "m1"
plan = "Flex"
person = "ana"
[[resources]]
id = "blue"
name = "Blue room"
kind = "room"
[[bookings]]
id = "b1"
resource = "blue"
person = "bob"
from = 2020-01-01T00:00:00
until = 2090-01-01T00:00:00
"#;

/// The running site.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) bus: Bus,
    seen: Receiver<Seen>,
}

/// What a site is made of; every part may be replaced before it is written.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) clock: &'static str,
    pub(crate) cloud: String,
    /// Groups that the plan "Flex" opens.
    pub(crate) flex: &'static [&'static str],
    /// More tables.
    pub(crate) more: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            clock: "rtc = true",
            cloud: "kind = \"file\"\npath = \"{dir}/facts.toml\"".into(),
            flex: &["members"],
            more: String::new(),
        }
    }
}

impl Plan {
    pub(crate) fn text(&self, bus: &Bus) -> String {
        let layout = Layout::new(self.clock)
            .table("[cloud]", &self.cloud)
            .map("plans", "Flex", self.flex)
            .map("resources", "Blue room", &["members"])
            .group("members", &["front"])
            .group("nothing", &["cellar"])
            .osdp(bus, "key = { file = \"{dir}/key\" }")
            .door("front", FRONT_DOOR)
            .door("cellar", "name = \"Cellar\"");
        format!("{}{}\n", layout.text(), self.more)
    }
}

impl Site {
    /// Everything but the daemon.
    pub(crate) fn prepare(plan: &Plan) -> Self {
        let bus = Bus::start(vec![PdSpec {
            address: 3,
            key: Some(KEY),
        }])
        .unwrap();
        let gateway = Gateway::new(&plan.text(&bus));
        gateway.secret("key", &"42".repeat(16));
        fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
        let seen = bus.observed();
        Self { gateway, bus, seen }
    }

    /// With the daemon, its reader online and its facts in force.
    pub(crate) fn start(plan: &Plan) -> Self {
        let mut site = Self::prepare(plan);
        site.gateway.start();
        site.settle();
        site
    }

    /// Waits until the reader answers and there are facts.
    pub(crate) fn settle(&self) {
        self.gateway.settle();
        while self.seen.try_recv().is_ok() {}
    }

    pub(crate) fn report(&self) -> Value {
        self.gateway.report()
    }

    /// Waits for a fault, and gives its text.
    #[track_caller]
    pub(crate) fn fault(&self, key: &str) -> String {
        wait_for(key, || {
            let report = self.report();
            let found = faults(&report).into_iter().find(|(found, _)| found == key);
            found.map(|(_, text)| text).ok_or(report)
        })
    }

    /// Waits until a fault is over.
    #[track_caller]
    pub(crate) fn no_fault(&self, key: &str) {
        wait_for(key, || {
            let report = self.report();
            if faults(&report).iter().all(|(found, _)| found != key) {
                Ok(())
            } else {
                Err(report)
            }
        });
    }

    /// Presents a fob and gives the light that answers.
    #[track_caller]
    pub(crate) fn tap(&self, fob: [u8; 7]) -> Color {
        while self.seen.try_recv().is_ok() {}
        self.bus.tap(3, 56, &fob);
        wait_for("an answer", || {
            let light = self.seen.try_iter().find_map(|seen| match seen.what {
                What::Light { color, .. } => Some(color),
                _ => None,
            });
            light.ok_or(())
        })
    }

    /// The journal as `doorward events --json` tells it.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.gateway.events()
    }

    /// Waits until the journal holds something for which `look` holds, and gives it.
    #[track_caller]
    pub(crate) fn event(&self, look: impl Fn(&Value) -> bool) -> Value {
        wait_for("an event", || {
            let events = self.events();
            events.iter().find(|event| look(event)).cloned().ok_or(events)
        })
    }

    /// Waits until the journal holds so many presentations, and gives them.
    #[track_caller]
    pub(crate) fn presentations(&self, count: usize) -> Vec<Value> {
        wait_for("presentations in the journal", || {
            let mut events = self.events();
            events.retain(|event| event["decision"].is_string());
            if events.len() == count {
                Ok(events)
            } else {
                Err(events)
            }
        })
    }
}

/// Key and text of each fault of a report.
pub(crate) fn faults(report: &Value) -> Vec<(String, String)> {
    let word = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let faults = report["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| (word(fault, "key"), word(fault, "text")))
        .collect()
}
