//! A site for scenarios about the cloud: the real daemon, the reference cloud, and a reader that only speaks.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    wradapt::Wradapt,
};
use serde_json::Value;

/// The card of member `number`.
pub(crate) fn card(number: usize) -> String {
    // Seven bytes, the last of them not zero: a WRADAPT fills shorter numbers up with zeros.
    format!("04A2B3C4{:06X}", number * 16 + 1)
}

/// An instant so many minutes from now, RFC 3339.
pub(crate) fn in_minutes(minutes: i64) -> String {
    let now = doorward::clock::Clock::system(true, 0).now().at;
    let at = jiff::Timestamp::from_millisecond(now + minutes * 60_000).unwrap();
    at.to_string()
}

/// `count` members on a mapped plan: `p0`, `p1` …
pub(crate) fn members(count: usize) -> World {
    let mut world = World::default();
    for number in 0..count {
        let (id, card) = (format!("p{number}"), format!("uid:{}", card(number)));
        world.member(&id, &format!("Member {number}"), &card, "Hot desk");
    }
    world
}

/// What differs between scenarios.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) options: Options,
    /// More lines of `[sync]`. Without any the cloud is asked once an hour, so that what happens sooner has
    /// another cause.
    pub(crate) sync: String,
    /// More lines of `[cloud]`.
    pub(crate) cloud: String,
    /// More lines of `[checkins]`.
    pub(crate) checkins: String,
    /// More tables.
    pub(crate) tables: String,
    /// Another address than the cloud's own: that of a relay, say.
    pub(crate) url: Option<String>,
}

/// The site.
pub(crate) struct CloudSite {
    pub(crate) gateway: Gateway,
    pub(crate) cloud: Cloud,
    pub(crate) reader: Wradapt,
}

impl CloudSite {
    /// A site that is not started yet.
    pub(crate) fn new(plan: Plan) -> Self {
        let cloud = Cloud::start(plan.options).unwrap();
        let reader = Wradapt::start().unwrap();
        let layout = Layout::new("rtc = true")
            .cloud(
                &cloud,
                plan.url.as_deref(),
                &format!("timeout_seconds = 2\n{}", plan.cloud),
            )
            .table("[sync]", &format!("poll_seconds = 3600\n{}", plan.sync))
            .table("[checkins]", &plan.checkins)
            .table("", &plan.tables)
            .map("plans", "Hot desk", &["members"])
            .map("resources", "Meeting room", &["members"])
            .group("members", &["front"])
            .wradapt(&reader)
            .door("front", "");
        let gateway = Gateway::new(layout.text());
        gateway.secret("token", cloud.token());
        Self {
            gateway,
            cloud,
            reader,
        }
    }

    /// The same, started, with facts.
    pub(crate) fn start(plan: Plan) -> Self {
        let mut site = Self::new(plan);
        site.gateway.start();
        site.settle();
        site
    }

    /// Waits until the reader's line is open and the cloud's version is in force.
    #[track_caller]
    pub(crate) fn settle(&self) {
        wait_for("line and facts", || {
            let report = self.report();
            let version = report["sections"]["sync"]["version"].as_u64();
            let open = report["sections"]["lines"]["side"]["open"] == true;
            if open && version == Some(self.cloud.version()) {
                Ok(())
            } else {
                Err(report)
            }
        });
    }

    /// `doorward report`.
    pub(crate) fn report(&self) -> Value {
        self.gateway.report()
    }

    /// The `sync` section of `doorward sync status`.
    #[track_caller]
    pub(crate) fn sync_status(&self) -> Value {
        self.gateway.json(&["sync", "status"])["sync"].clone()
    }

    /// The text of a fault in `doorward sync status` for people, if there is one.
    #[track_caller]
    pub(crate) fn fault(&self, key: &str) -> Option<String> {
        let status = self.gateway.json(&["sync", "status"]);
        let faults = status["faults"].as_array().unwrap();
        let found = faults.iter().find(|fault| fault["key"] == key)?;
        Some(found["text"].as_str().unwrap().to_owned())
    }

    /// Waits for a fault and gives its text.
    #[track_caller]
    pub(crate) fn wait_for_fault(&self, key: &str) -> String {
        wait_for(key, || self.fault(key).ok_or_else(|| self.report()))
    }

    /// Why the card of member `number` gets in, or does not: the name of the reason.
    #[track_caller]
    pub(crate) fn reason(&self, number: usize) -> String {
        let credential = format!("uid:{}", card(number));
        let explained =
            self.gateway
                .json_of_any_status(&["explain", "--credential", &credential, "--door", "front"]);
        explained["reason"].as_str().unwrap().to_owned()
    }

    /// Waits until the card of member `number` gets this reason.
    #[track_caller]
    pub(crate) fn wait_for_reason(&self, number: usize, reason: &str) {
        wait_for(reason, || match self.reason(number) {
            found if found == reason => Ok(()),
            found => Err(found),
        });
    }

    /// Presents the card of member `number`.
    pub(crate) fn tap(&self, number: usize) {
        self.reader.frame(&card(number));
    }

    /// Presents it, and gives the reason that the reader's answer had.
    #[track_caller]
    pub(crate) fn tapped(&self, number: usize) -> String {
        let before = self.entries().len();
        self.tap(number);
        wait_for("the entry", || {
            let entries = self.entries();
            match entries.get(before) {
                Some(entry) => Ok(entry["reason"].as_str().unwrap().to_owned()),
                None => Err(entries.len()),
            }
        })
    }

    /// Every decision in the journal.
    #[track_caller]
    pub(crate) fn entries(&self) -> Vec<Value> {
        let mut events = self.gateway.events();
        events.retain(|event| event["kind"] == "granted" || event["kind"] == "refused");
        events
    }

    /// `doorward sync now`: status and words.
    pub(crate) fn sync_now(&self) -> (i32, String) {
        let (status, out, error) = self.gateway.command(&["sync", "now"]);
        (status, out + &error)
    }
}
