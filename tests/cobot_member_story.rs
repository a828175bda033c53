//! A member of a space at Cobot, from joining to leaving, with the real gateway: joins, books, taps, is checked in on
//! a pass, moves the booking, is cancelled, taps again.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, wait_for};
use doorward_peers::{cobot::Cobot, office::Office, wradapt::Wradapt};
use serde_json::Value;

const CARD: &str = "04A2B3C4D5E681";
const MINUTE: i64 = 60_000;

struct Story {
    gateway: Gateway,
    cobot: Cobot,
    front: Wradapt,
    room: Wradapt,
}

/// Unix milliseconds.
fn now() -> i64 {
    doorward::clock::Clock::system(true, 0).now().at
}

/// A day of the space, so many days from today.
fn day(days: i64) -> String {
    let today = jiff::Timestamp::from_millisecond(now()).unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    let there = today.to_zoned(zone).date();
    there.saturating_add(jiff::Span::new().days(days)).to_string()
}

impl Story {
    /// The space with twelve ordinary members, so that one who leaves is no landslide.
    fn begin() -> Self {
        let cobot = Cobot::start().unwrap();
        for number in 0..12 {
            let member = cobot.join(
                &format!("Colleague {number}"),
                &format!("c{number}@example.com"),
                "Hot desk",
                "2026-01-01",
            );
            cobot.give_card(&member, &format!("04A2B3C4{:06X}", 0x10_0001 + number));
        }
        let (front, room) = (Wradapt::start().unwrap(), Wradapt::start().unwrap());
        let mut gateway = Gateway::new("");
        let config = format!(
            r#"
[site]
id = "here"
name = "Here"
zone = "Europe/Madrid"
[paths]
state = "{{dir}}/state"
runtime = "{{dir}}/run"
[clock]
rtc = true
{cloud}
[sync]
poll_seconds = 3600
[checkins]
doors = ["front"]
[rules]
room_before_minutes = 5
room_after_minutes = 5
restrict_on_exhaustion = true
[map.plans]
"Hot desk" = ["members"]
"Day passes" = ["members"]
[map.resources]
"Meeting room" = ["meeting"]
[[group]]
id = "members"
doors = ["front"]
[[group]]
id = "meeting"
doors = ["room"]
[[line]]
id = "one"
path = "{front}"
kind = "wradapt"
[[line.reader]]
id = "front-reader"
door = "front"
[[line]]
id = "two"
path = "{room}"
kind = "wradapt"
[[line.reader]]
id = "room-reader"
door = "room"
[[door]]
id = "front"
[[door]]
id = "room"
"#,
            cloud = cobot.cloud_section(gateway.path()),
            front = front.path().display(),
            room = room.path().display(),
        );
        gateway.configure(&config);
        gateway.start();
        let story = Self {
            gateway,
            cobot,
            front,
            room,
        };
        wait_for("lines and facts", || {
            let report = story.gateway.json_of_any_status(&["report"]);
            let lines = &report["sections"]["lines"];
            let open = lines["one"]["open"] == true && lines["two"]["open"] == true;
            if open && report["sections"]["sync"]["version"].is_u64() {
                Ok(())
            } else {
                Err(report)
            }
        });
        story
    }

    /// Everything new at Cobot is in force.
    #[track_caller]
    fn sync(&self) {
        let (status, out, error) = self.gateway.command(&["sync", "now"]);
        assert_eq!(status, 0, "{out}{error}");
    }

    fn entries(&self) -> Vec<Value> {
        let (status, out, error) = self.gateway.command(&["events", "--json", "--limit", "1000"]);
        assert_eq!(status, 0, "{error}");
        let events = out.lines().map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(|event: &Value| event["kind"] == "granted" || event["kind"] == "refused")
            .collect()
    }

    /// Presents the card, and gives the reason of the answer.
    #[track_caller]
    fn tap(&self, reader: &Wradapt) -> String {
        let before = self.entries().len();
        reader.frame(CARD);
        wait_for("the entry", || {
            let entries = self.entries();
            match entries.get(before) {
                Some(entry) => Ok(entry["reason"].as_str().unwrap().to_owned()),
                None => Err(entries.len()),
            }
        })
    }

    /// Check-ins that the gateway has delivered, one for each entry that was granted at the front.
    #[track_caller]
    fn delivered(&self, count: u64) {
        wait_for("check-ins", || {
            let report = self.gateway.json_of_any_status(&["report"]);
            let done = report["sections"]["check_ins"]["delivered"].as_u64();
            if done == Some(count) {
                Ok(())
            } else {
                Err(report["sections"]["check_ins"].clone())
            }
        });
    }
}

#[test]
fn a_member_joins_books_enters_moves_the_booking_and_leaves() {
    let mut story = Story::begin();
    assert_eq!(story.tap(&story.front), "unknown_credential", "before she joins");

    // Joins on a plan that needs passes, with one pass, and books the room for in three minutes.
    let ana = story
        .cobot
        .join("Ana Ruiz", "ana@example.com", "Day passes", &day(-1));
    story.cobot.give_card(&ana, CARD);
    story.cobot.give_passes(&ana, "Day pass", 1).unwrap();
    let soon = now() + 3 * MINUTE;
    let booking = story.cobot.book(&ana, "Meeting room", soon, soon + 60 * MINUTE);
    story.sync();
    assert_eq!(
        story.tap(&story.front),
        "granted_plan",
        "R1, with a pass left (R22)"
    );
    story.delivered(1);
    let attendance = story.cobot.attendance();
    assert_eq!(
        (attendance.len(), attendance[0].member.as_str()),
        (1, ana.as_str())
    );
    assert_eq!(
        story.tap(&story.room),
        "granted_booking",
        "R13: from five minutes before"
    );

    // The only pass is in use now: she may come and go on it (R23), and is not checked in again (R28).
    let later = now() + 4 * 60 * MINUTE;
    story.cobot.move_booking(&booking, later, later + 60 * MINUTE);
    story.sync();
    assert_eq!(story.tap(&story.front), "granted_plan", "R23");
    story.delivered(2);
    assert_eq!(story.cobot.attendance().len(), 1, "R28");
    assert_eq!(story.tap(&story.room), "not_yet", "R16: the booking has moved");

    // Cancelled to yesterday; Cobot is away when she comes back.
    story.cobot.cancel(&ana, &day(-1));
    story.sync();
    story.cobot.set_away(true);
    assert_eq!(story.tap(&story.front), "ended", "R3");
    assert_ne!(
        story.tap(&story.room),
        "granted_booking",
        "S3:81: her booking has ended with the membership"
    );
    assert_eq!(story.cobot.attendance().len(), 1);
    let log = story.cobot.log();
    assert!(log.iter().all(|it| it.status < 400), "{log:?}");
    assert!(log.len() <= 60, "within a minute's budget: {}", log.len());
    story.gateway.stop();
}
