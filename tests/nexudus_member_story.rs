//! A member's life at a space on Nexudus, with the real gateway: joins, books, taps, is checked in, moves the booking, is
//! cancelled, taps again. The cloud is asked once an hour, so what happens sooner came by a web hook.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward_peers::{
    nexudus::{ACS_TOKEN, Delivery, Nexudus, request},
    office::Office,
    wradapt::Wradapt,
};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
const SECRET: &str = "0123456789abcdef-secret";
const FRONT: &str = "front";
const MEETING: &str = "meeting";

/// Seven bytes, the last of them not zero: a WRADAPT fills shorter numbers up with zeros.
fn card(number: usize) -> String {
    format!("04A2B3C4{:06X}", number * 16 + 1)
}

struct Story {
    gateway: Gateway,
    office: Nexudus,
    front: Wradapt,
    meeting: Wradapt,
}

fn layout(cloud: &str, front: &Wradapt, meeting: &Wradapt) -> String {
    let reader = |line: &str, path: &std::path::Path, door: &str| {
        format!(
            "[[line]]\nid = \"{line}\"\npath = \"{}\"\nkind = \"wradapt\"\n[[line.reader]]\nid = \"{door}-reader\"\ndoor = \"{door}\"\n",
            path.display()
        )
    };
    let layout = Layout::new("rtc = true")
        .table("[sync]", "poll_seconds = 3600")
        .table("[checkins]", "doors = [\"front\"]")
        .table(
            "[hooks]",
            "listen = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }",
        )
        .table(
            "[map.plans]",
            "\"Full time\" = [\"members\"]\n\"Hot desk\" = [\"members\"]\n\"Day passes\" = [\"members\"]",
        )
        .map("resources", "Meeting room", &["rooms"])
        .map("passes", "Day pass", &["members"])
        .map("groups", "rooms", &["rooms"])
        .group("members", &[FRONT])
        .group("rooms", &[MEETING])
        .door(FRONT, "")
        .door(MEETING, "");
    format!(
        "{}{}{}{cloud}",
        layout.text(),
        reader("side", front.path(), FRONT),
        reader("back", meeting.path(), MEETING)
    )
}

impl Story {
    fn begin() -> Self {
        let office = Nexudus::start().unwrap();
        let (front, meeting) = (Wradapt::start().unwrap(), Wradapt::start().unwrap());
        let mut gateway = Gateway::new("");
        gateway.configure(&layout(&office.cloud_section(gateway.path()), &front, &meeting));
        gateway.secret("hooks-path", SECRET);
        gateway.start();
        let story = Self {
            gateway,
            office,
            front,
            meeting,
        };
        let address = wait_for("lines, facts and the receiver", || {
            let report = story.gateway.report();
            let lines = &report["sections"]["lines"];
            let open = lines["side"]["open"] == true && lines["back"]["open"] == true;
            let facts = report["sections"]["sync"]["version"].is_u64();
            match report["sections"]["hooks"]["listening"].as_str() {
                Some(listening) if open && facts => Ok(format!("http://{listening}/hooks/{SECRET}")),
                _ => Err(report),
            }
        });
        story.office.send_hooks_to(&address).unwrap();
        story
    }

    fn address(&self) -> String {
        let listening = self.gateway.report()["sections"]["hooks"]["listening"].clone();
        format!("http://{}/hooks/{SECRET}", listening.as_str().unwrap())
    }

    /// Waits until a card would get this reason at a door.
    #[track_caller]
    fn expect(&self, number: usize, door: &str, reason: &str) {
        let credential = format!("uid:{}", card(number));
        wait_for(reason, || {
            let arguments = ["explain", "--credential", &credential, "--door", door];
            let explained = self.gateway.json_of_any_status(&arguments);
            if explained["reason"] == reason {
                Ok(())
            } else {
                Err(explained)
            }
        });
    }

    /// Presents a card; the reason that the reader's answer had.
    #[track_caller]
    fn tap(&self, number: usize, door: &str) -> String {
        let decisions = || -> Vec<Value> {
            let events = self.gateway.events().into_iter();
            events
                .filter(|event| event["kind"] == "granted" || event["kind"] == "refused")
                .collect()
        };
        let before = decisions().len();
        let reader = if door == FRONT { &self.front } else { &self.meeting };
        reader.frame(&card(number));
        wait_for("the entry", || match decisions().get(before) {
            Some(entry) => Ok(entry["reason"].as_str().unwrap().to_owned()),
            None => Err(before),
        })
    }

    /// Waits until a card would get this reason, and taps until it does: `explain` knows what is stored, and the doors
    /// learn it a moment later.
    #[track_caller]
    fn enters(&self, number: usize, door: &str, reason: &str) {
        self.expect(number, door, reason);
        wait_for(reason, || match self.tap(number, door) {
            found if found == reason => Ok(()),
            found => Err(found),
        });
    }

    /// Waits until Nexudus counts so many entries of a member.
    #[track_caller]
    fn attended(&self, member: &str, times: usize) {
        wait_for("attendance", || {
            let attendance = self.office.attendance();
            let own = attendance.iter().filter(|it| it.member == member).count();
            if own == times { Ok(()) } else { Err(attendance) }
        });
    }
}

#[test]
fn a_member_joins_books_comes_in_moves_and_is_cancelled() {
    let mut story = Story::begin();
    let office = &story.office;
    let ana = office.join("Ana Ruiz", "ana@example.com", "Full time", "2026-01-01");
    office.give_card(&ana, &card(1));
    story.enters(1, FRONT, "granted_plan");
    story.attended(&ana, 1);

    // R13: fifteen minutes before, at Nexudus.
    let now = office.now();
    let booking = office.book(&ana, "Meeting room", now + 20 * MINUTE, now + 80 * MINUTE);
    story.expect(1, MEETING, "not_yet");
    office.move_booking(&booking, now + 10 * MINUTE, now + 70 * MINUTE);
    story.enters(1, MEETING, "granted_booking");

    // Without the internet nothing changes at the door.
    office.set_away(true);
    assert_eq!(story.tap(1, MEETING), "granted_booking");
    office.set_away(false);
    office.delete_booking(&booking);
    story.enters(1, MEETING, "no_grant_for_door");

    // The second entry of the day is the same visit (R28), and cancelling ends it (R3).
    assert_eq!(story.tap(1, FRONT), "granted_plan");
    story.attended(&ana, 1);
    office.cancel(&ana, "2026-01-31");
    story.enters(1, FRONT, "ended");
    story.gateway.stop();
}

#[test]
fn a_pass_lets_in_until_it_is_over_and_the_payers_contract_lets_in_the_team() {
    let mut story = Story::begin();
    let office = &story.office;
    let lea = office.join("Lea Costa", "lea@example.com", "Day passes", "2026-01-01");
    office.give_card(&lea, &card(2));
    story.expect(2, FRONT, "no_pass_left");
    office.give_passes(&lea, "Day pass", 1).unwrap();
    wait_for("the pass", || {
        let credential = format!("uid:{}", card(2));
        let explained =
            story
                .gateway
                .json_of_any_status(&["explain", "--credential", &credential, "--door", FRONT]);
        let reason = explained["reason"].as_str().unwrap_or_default().to_owned();
        if reason.starts_with("granted") {
            Ok(())
        } else {
            Err(explained)
        }
    });
    wait_for("the way in", || match story.tap(2, FRONT) {
        reason if reason.starts_with("granted") => Ok(()),
        reason => Err(reason),
    });
    story.attended(&lea, 1);
    // Spent, and running until the end of the day (R23): the next entry costs nothing.
    wait_for("the pass to be used up", || {
        let rows = office.rows("billing/coworkertimepasses");
        if rows[0]["RemainingUses"] == 0 {
            Ok(())
        } else {
            Err(rows)
        }
    });
    assert!(story.tap(2, FRONT).starts_with("granted"));
    story.attended(&lea, 1);

    // C7, R6: Anna pays for the team, Ben is in it.
    let members: Vec<u64> = office
        .rows("spaces/coworkers")
        .iter()
        .filter(|row| {
            row["Email"].as_str().unwrap().contains("anna@")
                || row["Email"].as_str().unwrap().contains("ben@")
        })
        .map(|row| row["Id"].as_u64().unwrap())
        .collect();
    office.give_card(&members[1].to_string(), &card(3));
    story.expect(3, FRONT, "no_grant");
    office.contract(members[0], "Hot desk", "2026-01-01");
    story.expect(3, FRONT, "granted_plan");
    office.team(501, &members[..1]);
    story.expect(3, FRONT, "no_grant");
    story.gateway.stop();
}

#[test]
fn custom_acs_asks_for_the_groups_and_pushes_who_is_in_them() {
    let mut story = Story::begin();
    let office = &story.office;
    let ana = office.join("Ana Ruiz", "ana@example.com", "Full time", "2026-01-01");
    office.give_card(&ana, &card(1));
    story.expect(1, FRONT, "granted_plan");
    let address = story.address();
    let bearer = vec![("authorization".to_owned(), format!("Bearer {ACS_TOKEN}"))];
    let (status, body) = request("GET", &address, &bearer, b"").unwrap();
    let groups: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, groups),
        (200, json!([{ "id": "rooms", "name": "rooms" }]))
    );
    assert_eq!(request("GET", &address, &[], b"").unwrap().0, 401);

    let push = |groups: &[&str]| {
        let time = jiff::Timestamp::from_millisecond(office.now())
            .unwrap()
            .to_string();
        let body = json!({
            "time": time, "business": { "id": 1_414, "name": "Harbour", "uniqueId": "x" },
            "coworker": { "id": ana.parse::<u64>().unwrap(), "email": "ana@example.com", "uniqueId": "y" },
            "groups": groups, "schedule": [{ "group": "rooms", "expires_on": null }],
        });
        Delivery::pushed(ACS_TOKEN, &body)
    };
    assert_eq!(push(&["rooms"]).send(&address).unwrap(), 204);
    story.enters(1, MEETING, "granted_direct");
    // It holds over a restart, when everything is fetched anew.
    story.gateway.kill();
    story.gateway.start();
    story.expect(1, MEETING, "granted_direct");
    let address = wait_for("the receiver", || {
        let hooks = story.gateway.report()["sections"]["hooks"].clone();
        let listening = hooks["listening"].as_str().map(str::to_owned);
        listening
            .map(|at| format!("http://{at}/hooks/{SECRET}"))
            .ok_or(hooks)
    });
    let forged = Delivery::pushed("another token", &json!({ "coworker": { "id": 1 }, "groups": [] }));
    assert_eq!(forged.send(&address).unwrap(), 401);
    assert_eq!(push(&[]).send(&address).unwrap(), 204);
    story.expect(1, MEETING, "no_grant_for_door");
    story.gateway.stop();
}
