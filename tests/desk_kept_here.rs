//! Where the platform takes no cards, or there is none, they are kept at the gateway, and the answer says so.

use crate::{
    desk_site::{ask, fob, uid},
    harness::{Gateway, site::Layout, wait_for},
};
use doorward_peers::wradapt::Wradapt;
use serde_json::{Value, json};
use std::fs;

const FACTS: &str = r#"
[[people]]
id = "ana"
name = "Ana Ruiz"
credentials = ["uid:04A2B3C4D5E680"]
[[people]]
id = "ben"
name = "Ben Okafor"
[[memberships]]
id = "m1"
plan = "Flex"
person = "ana"
[[memberships]]
id = "m2"
plan = "Flex"
person = "ben"
"#;

struct Site {
    gateway: Gateway,
    reader: Wradapt,
}

impl Site {
    fn new(cloud: &str) -> Self {
        let reader = Wradapt::start().unwrap();
        let layout = Layout::new("rtc = true")
            .table("[cloud]", cloud)
            .map("plans", "Flex", &["members"])
            .group("members", &["front"])
            .wradapt(&reader)
            .door("front", "");
        let gateway = Gateway::new(layout.text());
        fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
        let mut site = Self { gateway, reader };
        site.start();
        site
    }

    fn start(&mut self) {
        self.gateway.start();
        wait_for("the line", || {
            let report = self.gateway.report();
            let facts =
                report["sections"]["sync"].is_null() || report["sections"]["sync"]["version"].is_u64();
            let open = report["sections"]["lines"]["side"]["open"] == true;
            if open && facts { Ok(()) } else { Err(report) }
        });
    }

    #[track_caller]
    fn done(&self, action: &str, body: &Value) -> Value {
        let (status, answer) = ask(&self.gateway, action, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn present(&self, digits: &str) -> String {
        let last = || {
            let events = self.gateway.events();
            let decided = events
                .iter()
                .filter(|event| event["kind"] == "granted" || event["kind"] == "refused");
            let all: Vec<Value> = decided.map(|event| event["reason"].clone()).collect();
            (all.len(), all.last().cloned().unwrap_or_default())
        };
        let (before, _) = last();
        self.reader.frame(digits);
        wait_for("the presentation", || match last() {
            (count, reason) if count > before => Ok(reason.as_str().unwrap().to_owned()),
            (count, _) => Err(count),
        })
    }
}

#[test]
fn facts_in_a_file_are_overruled_here_and_over_a_restart() {
    let mut site = Site::new("kind = \"file\"\npath = \"{dir}/facts.toml\"");
    let given = json!({ "card": uid(1), "person": "ben", "by": "Maria" });
    let change = site.done("assign", &given);
    assert_eq!(change["platform"], "kept_here", "{change}");
    assert!(
        change["warnings"][0].as_str().unwrap().contains("not told"),
        "{change}"
    );
    assert_eq!(site.present(&fob(1)), "granted_plan");
    let moved = json!({ "card": "uid:04A2B3C4D5E680", "person": "ben", "from": "ana", "by": "Maria" });
    site.done("assign", &moved);
    site.gateway.kill();
    site.start();
    assert_eq!(site.present(&fob(1)), "granted_plan");
    let look = site.done("look", &json!({ "card": "uid:04A2B3C4D5E680" }));
    assert_eq!(
        (
            &look["holders"][0]["person"],
            look["holders"].as_array().unwrap().len()
        ),
        (&json!("ben"), 1),
        "the file still says ana: {look}"
    );
    // The next card at a door is the one to be enrolled.
    let asked = json!({ "at": "front" });
    let next = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| site.done("next", &asked));
        wait_for("the card at the door", || {
            site.present(&fob(9));
            if waiting.is_finished() { Ok(()) } else { Err(()) }
        });
        waiting.join().unwrap()
    });
    assert_eq!(next["card"], uid(9), "{next}");
}

#[test]
fn without_any_cloud_a_guest_is_let_in() {
    let site = Site::new("kind = \"none\"");
    assert_eq!(site.present(&fob(1)), "no_snapshot");
    let guest = json!({ "card": uid(1), "name": "Plumber", "groups": ["members"], "by": "Maria" });
    let change = site.done("guest", &guest);
    assert_eq!(change["in_force"], true, "{change}");
    assert_eq!(site.present(&fob(1)), "granted_direct");
}
