//! A member of a space on OfficeRnD, with the gateway as it runs: joins, comes in, books, moves the booking, is cancelled.
//! Every change arrives by a signed web hook; the timer is an hour away.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::{Gateway, site::Layout, wait_for},
    officernd_site::card,
};
use doorward_peers::{office::Office, officernd::OfficeRnd, wradapt::Wradapt};
use jiff::Timestamp;
use serde_json::Value;

const PATH: &str = "0123456789abcdef-officernd";
const MINUTE: i64 = 60_000;

struct Story {
    office: OfficeRnd,
    gateway: Gateway,
    reader: Wradapt,
}

impl Story {
    fn begin() -> Self {
        let office = OfficeRnd::start().unwrap();
        // A few more, so that what ends for two at once is no fifth of all rights, which somebody would have to confirm.
        for number in 0..12 {
            let name = format!("Member {number}");
            let member = office.join(&name, "m@example.org", "Hot desk", "2026-01-01");
            office.give_card(&member, &card(50 + number));
        }
        let reader = Wradapt::start().unwrap();
        let draft = tempfile::tempdir().unwrap();
        let cloud = office.cloud_section(draft.path());
        let cloud = cloud.replace(&draft.path().display().to_string(), "{dir}");
        let layout = Layout::new("rtc = true")
            .table("", &cloud)
            .table("[sync]", "poll_seconds = 3600")
            .table("[checkins]", "")
            .table(
                "[hooks]",
                "listen = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }",
            )
            .map("plans", "Hot desk", &["members"])
            .table(
                "[map.resources]",
                "\"Meeting room\" = [\"members\"]\n\"Desk 7\" = [\"members\"]",
            )
            .map("passes", "Day pass", &["members"])
            .group("members", &["front"])
            .wradapt(&reader)
            .door("front", "");
        let mut gateway = Gateway::new(layout.text());
        for name in ["officernd-secret", "officernd-hooks"] {
            gateway.secret(name, &std::fs::read_to_string(draft.path().join(name)).unwrap());
        }
        gateway.secret("hooks-path", PATH);
        gateway.start();
        let story = Self {
            office,
            gateway,
            reader,
        };
        story.listen();
        story
    }

    /// Waits for facts and for the receiver, and tells the platform its address, as staff would.
    fn listen(&self) {
        let listening = wait_for("facts and the receiver", || {
            let report = self.gateway.report();
            let facts = report["sections"]["sync"]["version"].is_u64();
            let open = report["sections"]["lines"]["side"]["open"] == true;
            let address = report["sections"]["hooks"]["listening"]
                .as_str()
                .map(str::to_owned);
            address.filter(|_| facts && open).ok_or(report)
        });
        self.office.with(|state| state.rows.remove("webhooks"));
        self.office
            .send_hooks_to(&format!("http://{listening}/hooks/{PATH}"))
            .unwrap();
    }

    /// Why the door answers a card as it does now.
    fn explained(&self, number: usize) -> Value {
        self.gateway.json_of_any_status(&[
            "explain",
            "--door",
            "front",
            "--credential",
            &format!("uid:{}", card(number)),
        ])
    }

    /// Waits until the gateway has learned enough for this answer, and the door gives it.
    #[track_caller]
    fn comes_to(&self, number: usize, reason: &str) {
        wait_for(reason, || {
            let explained = self.explained(number);
            if explained["reason"] == reason {
                Ok(())
            } else {
                Err(explained)
            }
        });
        // What is explained is on disk a moment before it is in force.
        wait_for(reason, || {
            let taken = self.taps(number);
            if taken == reason { Ok(()) } else { Err(taken) }
        });
    }

    /// Presents the card; the reason of the decision.
    #[track_caller]
    fn taps(&self, number: usize) -> String {
        let decisions = || {
            let mut events = self.gateway.events();
            events.retain(|event| event["kind"] == "granted" || event["kind"] == "refused");
            events
        };
        let before = decisions().len();
        self.reader.frame(&card(number));
        wait_for("the decision", || {
            let events = decisions();
            let found = events.get(before).and_then(|event| event["reason"].as_str());
            found.map(str::to_owned).ok_or(events.len())
        })
    }

    #[track_caller]
    fn attended(&self, times: usize) {
        wait_for("attendance", || {
            let attendance = self.office.attendance();
            if attendance.len() == times {
                Ok(())
            } else {
                Err(attendance)
            }
        });
    }

    fn now(&self) -> i64 {
        self.office.with(|state| state.server_now())
    }
}

fn day(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap();
    at.in_tz("Europe/Madrid").unwrap().date().to_string()
}

#[test]
fn a_member_joins_books_comes_in_moves_the_booking_and_is_cancelled() {
    let mut story = Story::begin();
    assert_eq!(story.taps(1), "unknown_credential");

    let ana = story
        .office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    story.office.give_card(&ana, &card(1));
    story.comes_to(1, "granted_plan");
    assert_eq!(story.taps(1), "granted_plan");
    story.attended(1);
    assert_eq!(story.taps(1), "granted_plan");
    assert_eq!(story.taps(1), "granted_plan");

    // Ben's plan opens nothing here; his booking does, from a quarter of an hour before it to its end.
    let ben = story
        .office
        .join("Ben Birch", "ben@example.org", "Full time", "2026-01-01");
    story.office.give_card(&ben, &card(2));
    story.comes_to(2, "no_grant");
    let now = story.now();
    let booking = story
        .office
        .book(&ben, "Meeting room", now + 60 * MINUTE, now + 120 * MINUTE);
    story.comes_to(2, "not_yet");
    assert_eq!(story.taps(2), "not_yet");
    story
        .office
        .move_booking(&booking, now + 16 * MINUTE, now + 76 * MINUTE);
    wait_for("a window from a minute from now to the booking's end", || {
        let grant = story.explained(2)["grant"].clone();
        let second = |field: &str| Some(grant[field].as_str()?.parse::<Timestamp>().ok()?.as_second());
        let expected = (Some((now + MINUTE) / 1_000), Some((now + 76 * MINUTE) / 1_000));
        if (second("from"), second("until")) == expected {
            Ok(())
        } else {
            Err(grant)
        }
    });
    story
        .office
        .move_booking(&booking, now + 14 * MINUTE, now + 74 * MINUTE);
    story.comes_to(2, "granted_booking");
    assert_eq!(story.taps(2), "granted_booking");
    story.attended(2);

    // A guest of the booking comes in as well (S4:107), and not when it is over.
    let cleo = story
        .office
        .join("Cleo Cedar", "cleo@example.org", "Full time", "2026-01-01");
    story.office.give_card(&cleo, &card(3));
    story.office.invite(&booking, &cleo).unwrap();
    story.comes_to(3, "granted_booking");
    story
        .office
        .move_booking(&booking, now - 61 * MINUTE, now - MINUTE);
    story.comes_to(3, "ended");
    assert_eq!((story.taps(2), story.taps(3)), ("ended".into(), "ended".into()));
    story.office.delete_booking(&booking);
    story.comes_to(2, "no_grant");

    // A membership without a member is the whole company's (S4:71).
    let olga = story.office.id_of("members", "Olga Oar");
    story.office.give_card(&olga, &card(4));
    story.comes_to(4, "no_grant");
    let company = story.office.id_of("companies", "Two Oars");
    story.office.join_company(&company, "Hot desk", "2026-01-01");
    story.comes_to(4, "granted_plan");

    // Without the cloud everything goes on, and what was cancelled meanwhile ends with its return.
    story.office.set_away(true);
    story.office.cancel(&ana, &day(story.now() - 24 * 60 * MINUTE));
    assert_eq!(story.taps(1), "granted_plan");
    let tokens = story.office.asked_for("POST", "/oauth/token");
    story.gateway.kill();
    story.gateway.start();
    assert_eq!(story.taps(1), "granted_plan");
    story.office.set_away(false);
    story.listen();
    let (status, out, error) = story.gateway.command(&["sync", "now"]);
    assert_eq!(status, 0, "{out}{error}");
    story.comes_to(1, "ended");
    assert_eq!(story.taps(1), "ended");
    assert_eq!(
        story.office.asked_for("POST", "/oauth/token"),
        tokens,
        "the token outlived the restart"
    );

    story.office.deactivate(&ben).unwrap();
    story.comes_to(2, "person_blocked");
    assert_eq!(story.taps(2), "person_blocked");
    let stays = || {
        let attendance = story.office.attendance().into_iter();
        let mut stays: Vec<_> = attendance.map(|entry| (entry.member, day(entry.from))).collect();
        stays.sort();
        stays
    };
    wait_for("everybody's attendance", || {
        let stays = stays();
        let there = |member: &String| stays.iter().any(|(who, _)| who == member);
        if [&ana, &ben, &cleo, &olga].into_iter().all(there) {
            Ok(())
        } else {
            Err(stays.clone())
        }
    });
    let mut once = stays();
    once.dedup();
    assert_eq!(stays(), once, "one stay a day, however often they came in");
    let status = story.gateway.json(&["sync", "status"]);
    assert!(status.to_string().contains("\"reads\""), "{status}");
}
