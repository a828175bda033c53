//! A member at Spacebring, with the gateway's real process: joins, gets a card, taps, books, comes early, moves the
//! booking, sits at a desk, is cancelled, taps again. What happens arrives by Svix-signed web hooks; the poll is an hour away.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, site::Layout, wait_for};
use crate::spacebring_site::hour;
use doorward_peers::{
    office::Office,
    spacebring::{Customer, Spacebring},
    wradapt::Wradapt,
};
use jiff::{Timestamp, Unit, Zoned, civil, tz::TimeZone};
use serde_json::Value;

const SECRET: &str = "0123456789abcdef-secret";
const CARD: &str = "04A2B3C4D5E681";
const GUEST: &str = "04112233445566";
const MINUTE: i64 = 60_000;

struct Story {
    gateway: Gateway,
    cloud: Spacebring,
    reader: Wradapt,
}

impl Story {
    fn start() -> Self {
        let (cloud, reader) = (Spacebring::start().unwrap(), Wradapt::start().unwrap());
        let mut gateway = Gateway::new("");
        let hooks = "listen = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }";
        let layout = Layout::new("rtc = true")
            .table("", &cloud.cloud_section(gateway.path()))
            .table("[sync]", "poll_seconds = 3600\nhold_share = 1")
            .table("[hooks]", hooks)
            .table("[checkins]", "")
            .table(
                "[map.plans]",
                "\"Hot desk\" = [\"members\"]\n\"Full time\" = [\"members\"]",
            )
            .table(
                "[map.resources]",
                "\"Meeting room\" = [\"meetings\"]\n\"Desk 7\" = [\"desks\"]",
            )
            .group("members", &["front"])
            .group("meetings", &["room"])
            .group("desks", &["hall"])
            .wradapt(&reader)
            .door("front", "")
            .door("room", "")
            .door("hall", "");
        gateway.configure(layout.text());
        gateway.secret("hooks-path", SECRET);
        gateway.start();
        let story = Self {
            gateway,
            cloud,
            reader,
        };
        let address = wait_for("line, facts and receiver", || {
            let report = story.gateway.report();
            let listening = report["sections"]["hooks"]["listening"].as_str();
            let ready = report["sections"]["lines"]["side"]["open"] == true
                && report["sections"]["sync"]["version"].is_u64();
            listening
                .filter(|_| ready)
                .map(str::to_owned)
                .ok_or(report.clone())
        });
        story
            .cloud
            .send_hooks_to(&format!("http://{address}/hooks/{SECRET}"))
            .unwrap();
        story
    }

    fn explain(&self, card: &str, door: &str, at: Option<&str>) -> Value {
        let card = format!("uid:{card}");
        let mut arguments = vec!["explain", "--credential", &card, "--door", door];
        arguments.extend(at.iter().flat_map(|at| ["--at", at]));
        self.gateway.json_of_any_status(&arguments)
    }

    /// Waits until this card at this door gets this reason, and gives the explanation.
    #[track_caller]
    fn until(&self, card: &str, door: &str, reason: &str) -> Value {
        wait_for(reason, || match self.explain(card, door, None) {
            found if found["reason"] == reason => Ok(found),
            found => Err(found),
        })
    }

    /// The reason at a local time of a day.
    fn at(&self, card: &str, door: &str, day: civil::Date, time: &str) -> String {
        let explained = self.explain(card, door, Some(&format!("{day} {time}")));
        explained["reason"].as_str().unwrap().to_owned()
    }

    /// Taps at the front door. The reason of the entry.
    #[track_caller]
    fn tap(&self) -> Value {
        let entries = || -> Vec<Value> {
            let events = self.gateway.events().into_iter();
            events
                .filter(|event| event["kind"] == "granted" || event["kind"] == "refused")
                .collect()
        };
        let before = entries().len();
        self.reader.frame(CARD);
        wait_for("the entry", || entries().get(before).cloned().ok_or(before))["reason"].clone()
    }
}

fn instant(explained: &Value, field: &str) -> i64 {
    let text = explained["grant"][field]
        .as_str()
        .unwrap_or_else(|| panic!("{explained}"));
    let at: jiff::Timestamp = text.parse().unwrap();
    at.as_millisecond()
}

fn today() -> Zoned {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    Timestamp::from_millisecond(hour(0)).unwrap().to_zoned(zone)
}

#[test]
fn from_joining_to_being_cancelled() {
    let story = Story::start();
    let day = today().date();

    // Joins, and gets a card. The metadata has no web hook of its own: the poll brings it, here by hand.
    let vera = story
        .cloud
        .join("Vera Mora", "vera@example.com", "Hot desk", &day.to_string());
    story.cloud.give_card(&vera, CARD);
    let (status, _, error) = story.gateway.command(&["sync", "now"]);
    assert_eq!(status, 0, "{error}");
    story.until(CARD, "front", "granted_plan");
    assert_eq!(story.tap(), "granted_plan");
    assert_eq!(story.explain(CARD, "room", None)["reason"], "no_grant_for_door");

    // Books, and may come half an hour early (R13).
    let from = Timestamp::from_millisecond(hour(0) + 20 * MINUTE)
        .unwrap()
        .round(Unit::Minute)
        .unwrap();
    let (from, until) = (from.as_millisecond(), from.as_millisecond() + 60 * MINUTE);
    let booking = story.cloud.book(&vera, "Meeting room", from, until);
    let early = story.until(CARD, "room", "granted_booking");
    assert_eq!(
        (instant(&early, "from"), instant(&early, "until")),
        (from - 30 * MINUTE, until + 30 * MINUTE)
    );
    assert_eq!(
        (&early["grant"]["rule"], &early["grant"]["source_id"]),
        (&"R12".into(), &booking.as_str().into())
    );

    // The entry is kept here, because Spacebring takes none.
    let report = story.gateway.report().to_string();
    assert!(
        report.contains("attendance stays in this gateway's journal"),
        "{report}"
    );

    // Moves it to the evening: not yet. Invites a nonmember, who then may come as well (R14).
    story
        .cloud
        .move_booking(&booking, from + 180 * MINUTE, until + 180 * MINUTE);
    let moved = story.until(CARD, "room", "not_yet");
    assert_eq!(instant(&moved, "from"), from + 150 * MINUTE);
    let guest = story
        .cloud
        .edit(|space| space.member("Gala", "Ruiz", "nonmember"));
    story.cloud.give_card(&guest, GUEST);
    story.cloud.tell_member(&guest);
    story.until(GUEST, "room", "no_grant");
    story.cloud.invite(&booking, &guest).unwrap();
    story.until(GUEST, "room", "not_yet");
    story.cloud.delete_booking(&booking);
    story.until(CARD, "room", "no_grant_for_door");
    story.until(GUEST, "room", "no_grant");

    // A desk is booked by the day: the member by the default hours, the nonmember by the public ones (R17).
    let tomorrow = day.tomorrow().unwrap();
    let noon = |hour| {
        tomorrow
            .at(hour, 0, 0, 0)
            .to_zoned(today().time_zone().clone())
            .unwrap()
    };
    let (from, until) = (
        noon(12).timestamp().as_millisecond(),
        noon(13).timestamp().as_millisecond(),
    );
    story.cloud.book(&vera, "Desk 7", from, until);
    story.cloud.book(&guest, "Desk 7", from, until);
    story.until(GUEST, "hall", "not_yet");
    story.until(CARD, "hall", "not_yet");
    for (card, before, first, last, after) in [
        (CARD, "08:29", "08:30", "19:29", "19:30"),
        (GUEST, "09:29", "09:30", "16:29", "16:30"),
    ] {
        let reasons = [before, first, last, after].map(|time| story.at(card, "hall", tomorrow, time));
        assert_eq!(
            reasons,
            ["not_yet", "granted_booking", "granted_booking", "ended"],
            "{card}"
        );
    }

    // Cancelled to today: today still counts. Then to yesterday.
    story.cloud.cancel(&vera, &day.to_string());
    let last = wait_for("the last day", || {
        let explained = story.explain(CARD, "front", None);
        if explained["grant"]["until"].is_string() {
            Ok(explained)
        } else {
            Err(explained)
        }
    });
    let midnight = tomorrow
        .to_zoned(today().time_zone().clone())
        .unwrap()
        .timestamp();
    assert_eq!(instant(&last, "until"), midnight.as_millisecond());
    assert_eq!(story.tap(), "granted_plan");
    story.cloud.cancel(&vera, &day.yesterday().unwrap().to_string());
    story.until(CARD, "front", "no_grant_for_door");
    assert_eq!(story.tap(), "no_grant_for_door");
}

#[test]
fn a_company_s_subscription_is_for_all_its_users_paid_or_not() {
    let story = Story::start();
    let (company, diego) = story
        .cloud
        .edit(|space| (space.companies[0].id.clone(), space.members[1].id.clone()));
    story.cloud.give_card(&diego, CARD);
    story.cloud.tell_member(&diego);
    story.until(CARD, "front", "no_grant");
    let id = story.cloud.edit(|space| {
        let id = space.subscribe(Customer::Company(company), "Full time", hour(-1));
        space.subscriptions[0].incomplete = true;
        id
    });
    story.cloud.tell_subscription(&id);
    // Never paid: it never became active. Paid once and paused: it stays (R4).
    story
        .cloud
        .edit(|space| space.subscriptions[0].incomplete = false);
    story.cloud.tell_subscription(&id);
    let granted = story.until(CARD, "front", "granted_plan");
    assert_eq!(granted["grant"]["rule"], "R6", "{granted}");
    story.cloud.edit(|space| space.subscriptions[0].paused = true);
    story.cloud.tell_subscription(&id);
    assert_eq!(story.tap(), "granted_plan");
    // Leaves the company, which has no web hook.
    story.cloud.edit(|space| space.members[1].company = None);
    let (status, _, error) = story.gateway.command(&["sync", "now"]);
    assert_eq!(status, 0, "{error}");
    story.until(CARD, "front", "no_grant");
}
