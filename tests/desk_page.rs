//! The desk at the page: a card at a reader is on the screen of whoever sits there, and two answers later it opens the door.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::{PATIENCE, site::Layout, wait_for},
    page_site::{Answer, PageSite, Signed},
};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    pn532::Pn532,
    wradapt::Wradapt,
};
use reqwest::Method;
use serde_json::{Value, json};

/// A fob that nobody has.
const FRESH: [u8; 7] = [0x04, 0x99, 0xA1, 0xB2, 0x00, 0x00, 0x13];
const DIGITS: &str = "0499A1B2000013";
/// Ana's.
const ANAS: &str = "uid:04A2B3C4D5E680";

/// A page, a reader at the desk, and a reader at the front door.
struct Desk {
    site: PageSite,
    chip: Pn532,
    door: Wradapt,
}

fn desk() -> Desk {
    let (chip, door) = (Pn532::start().unwrap(), Wradapt::start().unwrap());
    let lines = format!(
        "pcsc = false\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\nname = \"Reception\"\npath = \"{}\"",
        chip.path().display()
    );
    let layout = Layout::new("rtc = true")
        .facts_file()
        .map("plans", "Flex", &["members"])
        .group("members", &["front"])
        .wradapt(&door)
        .door("front", "name = \"Front door\"")
        .table("[page]", "listen = \"127.0.0.1:0\"")
        .table("[desk]", &lines);
    let mut site = PageSite::of(&layout);
    let facts = site.gateway.path().join("facts.toml");
    let mut text = std::fs::read_to_string(&facts).unwrap();
    text += "[[memberships]]\nid = \"m2\"\nperson = \"ben\"\nplan = \"Flex\"\n";
    std::fs::write(facts, text).unwrap();
    site.gateway.start();
    let desk = Desk { site, chip, door };
    wait_for("line, facts and reader", || {
        let report = desk.site.gateway.report();
        let sections = &report["sections"];
        let readers = sections["desk_readers"]["readers"].as_array();
        let ready = sections["lines"]["side"]["open"] == true && sections["sync"]["version"].is_u64();
        if ready && readers.is_some_and(|all| all.len() == 1) {
            Ok(())
        } else {
            Err(report)
        }
    });
    desk
}

impl Desk {
    /// Presents the fresh fob at the door: the reason.
    fn tap(&self) -> String {
        let reasons = || -> Vec<Value> {
            let events = self.site.gateway.events().into_iter();
            let decided = events.filter(|event| event["kind"] == "granted" || event["kind"] == "refused");
            decided.map(|event| event["reason"].clone()).collect()
        };
        let before = reasons().len();
        self.door.frame(DIGITS);
        wait_for("the presentation", || {
            let reasons = reasons();
            let reason = reasons.get(before).and_then(Value::as_str);
            reason.map(str::to_owned).ok_or(reasons)
        })
    }
}

/// What a stream said so far.
struct Live<'s> {
    site: &'s PageSite,
    stream: reqwest::Response,
    text: String,
    read: usize,
}

impl<'s> Live<'s> {
    fn open(signed: &Signed<'s>) -> Self {
        let site = signed.site;
        let request = signed.request(Method::GET, "/api/v1/live");
        let stream = site.block_on(request.send()).unwrap();
        assert_eq!(stream.status(), 200);
        Self {
            site,
            stream,
            text: String::new(),
            read: 0,
        }
    }

    /// The data of the next message of this name.
    #[track_caller]
    fn next(&mut self, name: &str) -> Value {
        loop {
            while let Some(end) = self.text[self.read..].find("\n\n") {
                let message = self.text[self.read..self.read + end].to_owned();
                self.read += end + 2;
                if message.contains(&format!("event: {name}\n")) {
                    assert!(name == "entry" || !message.contains("id: "), "{message}");
                    return serde_json::from_str(message.split("data: ").nth(1).unwrap()).unwrap();
                }
            }
            let more = self
                .site
                .block_on(async { tokio::time::timeout(PATIENCE, self.stream.chunk()).await });
            let more = more.unwrap_or_else(|_| panic!("no {name} in {}", self.text));
            let more = more.unwrap().expect("it goes on");
            self.text += std::str::from_utf8(&more).unwrap();
        }
    }
}

/// The code of a problem.
#[track_caller]
fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    answer.json()["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_card_at_the_reader_is_on_the_screen_is_given_and_opens_the_door() {
    let desk = desk();
    let dan = desk.site.account("dan", "desk");
    let mut screen = Live::open(&dan);
    let readers = screen.next("readers");
    let reader = &readers["readers"][0];
    assert_eq!(
        (&reader["name"], &reader["kind"], &readers["may_lend"][0]["name"]),
        (&json!("Reception"), &json!("pn532"), &json!("Front door"))
    );
    assert_eq!(screen.next("conflicts"), json!({ "count": 0 }));
    assert_eq!(desk.tap(), "unknown_credential");

    desk.chip.lay(&FRESH);
    let presented = screen.next("presented");
    assert_eq!(presented["reader"]["name"], "Reception", "{presented}");
    assert_eq!(presented["look"]["holders"], json!([]), "{presented}");
    assert_eq!(presented["look"]["refused"]["door"], "front", "{presented}");
    let card = presented["card"].as_str().unwrap();
    let give = json!({ "card": card, "person": "ben", "seen": presented["look"]["seen"] });
    let change = dan.post("/api/v1/cards/assign", &give);
    assert_eq!(change.status, 200, "{change:?}");
    let change = change.json();
    assert_eq!(
        (&change["name"], &change["in_force"]),
        (&json!("Ben Okoro"), &json!(true))
    );
    assert_eq!(desk.tap(), "granted_plan");
    desk.chip.clear();
    assert!(screen.next("removed")["reader"].is_string());

    let found = dan.get("/api/v1/cards/presented").json();
    let last = &found["presentations"][0];
    assert_eq!(
        (&last["card"], &last["look"]["holders"][0]["person"]),
        (&json!(card), &json!("ben"))
    );
    let after = dan.get(&format!("/api/v1/cards/presented?after={}", last["n"]));
    assert_eq!(after.json()["presentations"], json!([]));
    let ben = dan.get("/api/v1/people/ben").json();
    let theirs = &ben["cards"][0];
    assert_eq!(
        (&theirs["kind"], &theirs["shown"]),
        (&json!("desk"), &json!("uid:…13"))
    );
    assert!(theirs["since"].is_i64(), "{ben}");
    let back = dan.post("/api/v1/cards/return", &json!({ "card": theirs["ref"] }));
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(desk.tap(), "unknown_credential");
    let again = json!({ "card": "refused@front", "person": "ben" });
    assert_eq!(dan.post("/api/v1/cards/assign", &again).status, 200);

    let trail = desk.site.trail();
    let given = |it: &[String; 4]| it[0] == "dan" && it[1] == "card.assigned" && it[2].contains("Ben Okoro");
    assert!(trail.iter().any(given), "{trail:?}");
    let said = format!("{}{found}{ben}{}", screen.text, desk.site.gateway.log());
    assert!(!said.contains(DIGITS), "no number leaves the gateway");
}

#[test]
fn what_the_desk_does_not_do_is_a_problem_with_its_reason() {
    let desk = desk();
    let dan = desk.site.account("dan", "desk");
    let post = |path: &str, body: Value| dan.post(&format!("/api/v1/cards/{path}"), &body);
    let give = |card: &str| post("assign", json!({ "card": card, "person": "ben" }));
    let theirs = give(ANAS);
    assert_eq!(problem(&theirs, 409), "somebody_elses");
    let told = theirs.json();
    assert_eq!(told["look"]["holders"][0]["name"], "Ana Ruiz", "{told}");
    assert!(told["hint"].as_str().unwrap().contains("move it"), "{told}");
    assert_eq!(problem(&give("uid:08A1B2C3"), 409), "random_number");
    assert_eq!(problem(&give("uid:08A1"), 422), "bad_input");
    for gone in ["known@0123", "presented@1", "presented@x"] {
        assert_eq!(problem(&give(gone), 409), "no_such_card", "{gone}");
    }
    assert_eq!(problem(&give("refused"), 409), "nothing_refused");
    let nobody = post("block", json!({ "person": "nobody" }));
    assert_eq!(problem(&nobody, 409), "no_such_person");
    assert_eq!(post("block", json!({ "note": "whom?" })).status, 400);
    assert_eq!(
        problem(&post("read", json!({ "number": "12" })), 422),
        "bad_input"
    );
    let random = post("read", json!({ "number": "08A1B2C3", "format": "uid" }));
    assert_eq!(problem(&random, 409), "random_number");
    let attic = json!({ "card": "uid:0499A1B2", "name": "Eve", "doors": ["attic"] });
    assert_eq!(problem(&post("guest", attic), 409), "no_such_group");
    assert_eq!(problem(&dan.get("/api/v1/queues/none"), 409), "no_queue");

    // Moved once it is confirmed, and noticed if it changed hands since.
    let look = post("look", json!({ "card": ANAS })).json();
    let moved = json!({ "card": look["ref"], "person": "ben", "from": "ana", "seen": look["seen"] });
    assert_eq!(post("assign", moved.clone()).status, 200);
    assert_eq!(problem(&post("assign", moved), 409), "already_theirs");
    let stale = json!({ "card": ANAS, "seen": look["seen"] });
    assert_eq!(problem(&post("return", stale), 409), "meanwhile");
    let people = dan.get("/api/v1/people").json();
    let all = people["people"].as_array().unwrap().iter();
    let cards: Vec<_> = all.map(|it| it["cards"].clone()).collect();
    assert_eq!(cards, [json!(0), json!(1)], "as it counts at the doors: {people}");
}

#[test]
fn of_two_at_two_screens_with_the_same_fob_one_has_it_and_the_other_learns_who() {
    let desk = desk();
    let staff = [
        desk.site.account("dan", "desk"),
        desk.site.account("mia", "manager"),
    ];
    for round in 0..5 {
        let card = format!("uid:0499A1B20000{round:02}");
        let give = |signed: &Signed<'_>, person: &str| {
            let request = signed.request(Method::POST, "/api/v1/cards/assign");
            let body = json!({ "card": card, "person": person, "seen": 0 });
            request
                .header("content-type", "application/json")
                .body(body.to_string())
                .send()
        };
        let (one, other) = desk.site.block_on(async {
            let (one, other) = tokio::join!(give(&staff[0], "ana"), give(&staff[1], "ben"));
            let read = async |answer: reqwest::Response| {
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap();
                (status, serde_json::from_str::<Value>(&text).unwrap())
            };
            (read(one.unwrap()).await, read(other.unwrap()).await)
        });
        let (done, refused) = if one.0 == 200 { (one, other) } else { (other, one) };
        assert_eq!((done.0, refused.0), (200, 409), "{done:?} {refused:?}");
        let holder = &refused.1["look"]["holders"][0]["name"];
        assert_eq!(*holder, done.1["name"], "{refused:?}");
        let detail = refused.1["detail"].as_str().unwrap();
        assert!(detail.contains(done.1["name"].as_str().unwrap()), "{detail}");
    }
}

#[test]
fn the_platforms_no_is_on_the_screen_of_whoever_gave_the_card() {
    let mut world = World::default();
    for (id, name) in [("p0", "Ana Ruiz"), ("p1", "Ben Okoro")] {
        world.member(id, name, &format!("uid:0411223344550{}", &id[1..]), "Flex");
    }
    let cloud = Cloud::start(Options {
        world,
        ..Options::default()
    })
    .unwrap();
    let layout = Layout::new("rtc = true")
        .cloud(&cloud, None, "timeout_seconds = 2")
        .table("[sync]", "poll_seconds = 3600")
        .map("plans", "Flex", &["members"])
        .group("members", &["front"])
        .door("front", "")
        .table("[page]", "listen = \"127.0.0.1:0\"");
    let mut site = PageSite::of(&layout);
    site.gateway.secret("token", cloud.token());
    site.gateway.start();
    let dan = site.account("dan", "desk");
    wait_for("facts", || {
        let found = dan.get("/api/v1/people").json();
        if found["total"] == 2 { Ok(()) } else { Err(found) }
    });
    let mut screen = Live::open(&dan);
    assert_eq!(screen.next("conflicts"), json!({ "count": 0 }));
    // While the cloud is away dan gives a fob to Ana, and somebody gives it to Ben there.
    cloud.set_down(true);
    let card = format!("uid:{DIGITS}");
    let given = dan.post("/api/v1/cards/assign", &json!({ "card": card, "person": "p0" }));
    assert_eq!(given.json()["platform"], "waiting", "{given:?}");
    cloud.edit(|world| world.people[1].credentials.push(card));
    cloud.set_down(false);
    while screen.next("conflicts") != json!({ "count": 1 }) {}
    let conflicts = dan.get("/api/v1/conflicts").json();
    let conflict = &conflicts["conflicts"][0];
    assert_eq!(
        (&conflict["by"], &conflict["name"], &conflict["give"]),
        (&json!("dan"), &json!("Ana Ruiz"), &json!(true)),
        "{conflicts}"
    );
    let path = format!("/api/v1/conflicts/{}", conflict["id"].as_str().unwrap());
    assert_eq!(dan.post(&path, &json!({ "resolution": "undo" })).status, 200);
    while screen.next("conflicts") != json!({ "count": 0 }) {}
    assert!(!screen.text.contains(DIGITS) && !conflicts.to_string().contains(DIGITS));
}

#[test]
fn a_number_that_is_typed_is_on_every_screen_and_a_lost_card_is_blocked_by_its_name() {
    let desk = desk();
    let dan = desk.site.account("dan", "desk");
    let mia = desk.site.account("mia", "manager");
    let mut screen = Live::open(&mia);
    screen.next("readers");
    let number = json!({ "number": "04:99:a1:b2:00:00:13", "format": "uid" });
    let read = dan.post("/api/v1/cards/read", &number);
    assert_eq!(read.status, 200, "{read:?}");
    let presented = screen.next("presented");
    assert_eq!(
        (&presented["card"], &presented["reader"]["kind"]),
        (&read.json()["card"], &json!("page"))
    );

    let guest = json!({ "card": presented["card"], "name": "Plumber", "doors": ["front"] });
    assert_eq!(mia.post("/api/v1/cards/guest", &guest).status, 200);
    assert_eq!(desk.tap(), "granted_direct");
    let all = dan.get("/api/v1/cards?q=plumb").json();
    let card = &all["cards"][0];
    assert_eq!(
        (&all["total"], &card["place"]),
        (&json!(1), &json!("guest")),
        "{all}"
    );
    let block = json!({ "card": card["ref"], "note": "lost" });
    assert_eq!(dan.post("/api/v1/cards/block", &block).status, 200);
    assert_eq!(desk.tap(), "credential_blocked");
    let unblock = json!({ "card": card["ref"] });
    assert_eq!(dan.post("/api/v1/cards/unblock", &unblock).status, 200);
    let again = dan.post("/api/v1/cards/unblock", &unblock);
    assert_eq!(problem(&again, 422), "bad_input");
    let ana = json!({ "person": "ana" });
    assert_eq!(dan.post("/api/v1/cards/block", &ana).status, 200);
    let found = dan.get("/api/v1/people?q=ANA").json();
    assert_eq!(found["people"][0]["blocked"], true, "{found}");
    assert_eq!(dan.get("/api/v1/people/ana").json()["blocked_here"], true);
}

#[test]
fn a_doors_reader_on_loan_is_at_the_desk_and_a_viewer_hears_of_no_card() {
    let desk = desk();
    let dan = desk.site.account("dan", "desk");
    let mut screen = Live::open(&dan);
    screen.next("readers");
    let lend = |body: Value| dan.post("/api/v1/desk/readers/front-reader/lend", &body);
    assert_eq!(lend(json!({ "seconds": 61 })).status, 400);
    assert_eq!(lend(json!({})).status, 200);
    let lent = loop {
        let readers = screen.next("readers");
        if readers["may_lend"] == json!([]) && readers["readers"].as_array().unwrap().len() == 2 {
            break readers;
        }
    };
    let all = lent["readers"].as_array().unwrap();
    let lent = all.iter().find(|it| it["id"] == "front-reader").unwrap();
    assert!(
        lent["lent_for_seconds"].as_u64().is_some_and(|left| left <= 60),
        "{lent}"
    );
    desk.door.frame("04A2B3C4D5E680");
    let presented = screen.next("presented");
    assert_eq!(presented["look"]["holders"][0]["name"], "Ana Ruiz", "{presented}");
    let back = |reader: &str| dan.post(&format!("/api/v1/desk/readers/{reader}/return"), &json!({}));
    assert_eq!(back("front-reader").status, 200);
    assert_eq!(back("nothing").status, 404);

    let viewer = desk.site.account("screen", "viewer");
    let mut other = Live::open(&viewer);
    other.next("doors");
    dan.post("/api/v1/cards/read", &json!({ "number": "uid:0499A1B2" }));
    screen.next("presented");
    dan.post("/api/v1/cards/block", &json!({ "card": "uid:0499A1B2" }));
    while other.next("entry")["kind"] != "block_changed" {}
    let said = &other.text;
    assert!(
        !said.contains("event: presented") && !said.contains("event: readers"),
        "{said}"
    );
}

#[test]
fn a_queue_gives_each_card_to_the_next_and_takes_the_last_one_back() {
    let desk = desk();
    let dan = desk.site.account("dan", "desk");
    let queue = "/api/v1/queues/monday";
    let step = |action: &str, body: Value| dan.post(&format!("{queue}/{action}"), &body).json();
    let begun = dan.post(
        queue,
        &json!({ "people": ["ben", "nobody"], "without_card": true }),
    );
    assert_eq!(begun.status, 200, "{begun:?}");
    let begun = begun.json();
    assert_eq!(
        (
            &begun["progress"]["people"],
            begun["left_out"].as_array().map(Vec::len)
        ),
        (&json!(1), Some(1))
    );
    let present = step("present", json!({ "card": format!("uid:{DIGITS}") }));
    assert_eq!(present["given"], true, "{present}");
    assert_eq!(desk.tap(), "granted_plan");
    assert_eq!(dan.get(queue).json()["done"], 1);
    let undone = step("undo", json!({}));
    assert_eq!(undone["progress"]["next"]["person"], "ben", "{undone}");
    assert_eq!(desk.tap(), "unknown_credential");
    assert_eq!(step("skip", json!({}))["progress"]["skipped"], 1);
    let end = dan.request(Method::DELETE, queue);
    assert_eq!(desk.site.send(end).status, 200);
    assert_eq!(problem(&dan.get(queue), 409), "no_queue");

    let sheet = format!("card,name\nuid:{DIGITS},Ben Okoro\nuid:12,Ana Ruiz\n");
    let import = |dry_run: bool| {
        let body = json!({ "text": sheet, "dry_run": dry_run });
        dan.post("/api/v1/cards/import", &body).json()
    };
    assert_eq!(
        (&import(true)["assigned"], &import(false)["bad"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(desk.tap(), "granted_plan");
    assert_eq!(dan.get("/api/v1/conflicts").json(), json!({ "conflicts": [] }));
    let none = dan.post("/api/v1/conflicts/w9", &json!({ "resolution": "undo" }));
    assert_eq!(problem(&none, 409), "no_such_conflict");
}
