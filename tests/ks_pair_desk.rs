//! One fob for both kinds of doors: laid on the desk's reader and held at the KS lock beside it, given to somebody at the desk,
//! and it opens a door of the gateway's own and a lock of SALTO KS. Nothing is looked at again by the hour here: what happens at
//! KS has the desk as its cause.

use crate::{
    cloud_site::members,
    harness::{Gateway, site::Layout, wait_for},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    ks::Ks,
    pn532::Pn532,
    wradapt::Wradapt,
};
use serde_json::Value;
use tempfile::TempDir;

const FOB: [u8; 7] = [0x04, 0x5C, 0x1D, 0xE2, 0x70, 0x33, 0x91];
const DIGITS: &str = "045C1DE2703391";
const CARD: &str = "uid:045C1DE2703391";
/// The same fob, as SALTO counts its tags.
const TAG: &str = "02719284";

struct Site {
    gateway: Gateway,
    ks: Ks,
    chip: Pn532,
    side: Wradapt,
    _cloud: Cloud,
    _secrets: TempDir,
}

impl Site {
    /// Two members without a card. `front` is a lock of KS, `side` hangs on the gateway. The first plan is accepted.
    fn start() -> Self {
        let mut world = members(2);
        for person in &mut world.people {
            person.credentials.clear();
        }
        let cloud = Cloud::start(Options {
            world,
            ..Options::default()
        })
        .unwrap();
        let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
        ks.add_tag(TAG);
        let (chip, side) = (Pn532::start().unwrap(), Wradapt::start().unwrap());
        let desk = format!(
            "pcsc = false\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\nname = \"Reception\"\npath = \"{}\"",
            chip.path().display()
        );
        let section = ks.ks_section(secrets.path()).unwrap();
        let layout = Layout::new("rtc = true")
            .cloud(&cloud, None, "timeout_seconds = 2")
            .table("[sync]", "poll_seconds = 3600")
            .table(
                "",
                &format!("{section}tag_reader = \"Desk reader\"\nreconcile_seconds = 86400\n"),
            )
            .map("plans", "Hot desk", &["members"])
            .group("members", &["front", "side"])
            .wradapt(&side)
            .door("front", "ks_lock = \"Front door\"")
            .door("side", "")
            .table("[desk]", &desk);
        // The line's reader is that of the side door here.
        let text = layout.text().replacen("door = \"front\"", "door = \"side\"", 1);
        let mut gateway = Gateway::new(&text);
        gateway.secret("token", cloud.token());
        gateway.start();
        let site = Self {
            gateway,
            ks,
            chip,
            side,
            _cloud: cloud,
            _secrets: secrets,
        };
        site.section("facts, stream and reader", |sections| {
            sections["ks_entries"]["connected"] == true
                && sections["sync"]["version"].is_u64()
                && sections["desk_readers"]["readers"][0].is_object()
        });
        site.done(&["ks", "apply", "--yes"]);
        site.section("the first plan", |sections| sections["ks"]["accepted"] == true);
        site
    }

    #[track_caller]
    fn section(&self, what: &str, is: impl Fn(&Value) -> bool) {
        wait_for(what, || {
            let report = self.gateway.report();
            if is(&report["sections"]) {
                Ok(())
            } else {
                Err(report)
            }
        });
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let (status, out, error) = self.gateway.command(arguments);
        assert_eq!(status, 0, "{arguments:?}: {out}{error}");
        out
    }

    /// The fob at the KS lock beside the desk: the lock knows nobody with it, and says so.
    fn at_the_lock(&self) {
        let did = self.ks.open_lock_with_tag("Desk reader", TAG, self.ks.now());
        assert!(!did.opened(), "{did:?}");
    }

    /// `doorward enrol` at the desk, and the fob laid there until it is done.
    #[track_caller]
    fn enrol(&self, person: &str) -> String {
        std::thread::scope(|scope| {
            let enrol = ["enrol", "--at", "desk", "--to", person, "--by", "Maria"];
            let command = scope.spawn(move || self.gateway.command(&enrol));
            wait_for("the card to be given", || {
                self.chip.swap(&FOB);
                std::thread::park_timeout(std::time::Duration::from_millis(200));
                self.chip.clear();
                std::thread::park_timeout(std::time::Duration::from_millis(100));
                if command.is_finished() { Ok(()) } else { Err(()) }
            });
            let (status, out, error) = command.join().unwrap();
            assert_eq!(status, 0, "{out}{error}");
            out
        })
    }

    #[track_caller]
    fn is_a_pair(&self) {
        wait_for("the pair", || {
            let (_, listed, _) = self.gateway.command(&["ks", "pair"]);
            if listed.trim() == "tag ks:…84 is card uid:…91" {
                Ok(())
            } else {
                Err(listed)
            }
        });
    }

    /// Waits until the lock of KS does so, by KS's own state.
    #[track_caller]
    fn lock_opens(&self, opens: bool) {
        wait_for("the lock at SALTO KS", || {
            match self.ks.would("Front door", TAG, self.ks.now()) {
                did if did.opened() == opens => Ok(()),
                did => Err((did, self.gateway.report()["sections"]["ks"].clone())),
            }
        });
    }

    /// Presents the fob at the gateway's own door: the reason of the answer.
    #[track_caller]
    fn side_door(&self) -> String {
        let entries = || {
            let mut events = self.gateway.events();
            events.retain(|event| event["door"] == "side" && event["reason"].is_string());
            events
        };
        let before = entries().len();
        self.side.frame(DIGITS);
        wait_for("the answer", || {
            let entries = entries();
            let entry = entries.get(before).ok_or_else(|| entries.clone())?;
            Ok::<_, Vec<Value>>(entry["reason"].as_str().unwrap().to_owned())
        })
    }
}

#[test]
fn a_fob_that_is_paired_and_given_at_the_desk_opens_doors_here_and_locks_there() {
    let site = Site::start();
    assert_eq!(site.side_door(), "unknown_credential");
    site.at_the_lock();
    site.lock_opens(false);
    let said = site.enrol("p0");
    assert!(said.contains("Member 0"), "{said}");
    site.is_a_pair();
    site.lock_opens(true);
    assert_eq!(site.side_door(), "granted_plan");
    let user = site.ks.user("Member 0").unwrap();
    assert!(user.tag.is_some(), "{user:?}");

    // Lost: at both, and no check of the hour is waited for.
    site.done(&["cards", "block", CARD, "--note", "lost"]);
    assert_eq!(site.side_door(), "credential_blocked");
    site.lock_opens(false);
    // Found, and moved to somebody else.
    site.done(&["cards", "unblock", CARD]);
    site.lock_opens(true);
    site.done(&["cards", "move", CARD, "--to", "p1", "--yes"]);
    wait_for("the tag with the other one", || {
        match site.ks.user("Member 1").and_then(|user| user.tag) {
            Some(_) => Ok(()),
            None => Err(site.ks.users()),
        }
    });
    assert_eq!(site.ks.user("Member 0").unwrap().tag, None);
    site.lock_opens(true);
    let log = site.gateway.log();
    assert!(!log.contains(TAG) && !log.contains(DIGITS), "a number in the log");
}

#[test]
fn a_card_that_somebody_has_opens_the_lock_as_soon_as_its_tag_is_known_and_no_longer() {
    let site = Site::start();
    site.done(&["cards", "assign", CARD, "--to", "p0"]);
    assert_eq!(site.side_door(), "granted_plan");
    site.lock_opens(false);
    site.chip.lay(&FOB);
    site.at_the_lock();
    site.is_a_pair();
    site.lock_opens(true);
    site.done(&["ks", "pair", "--forget", CARD]);
    site.lock_opens(false);
    assert_eq!(
        site.side_door(),
        "granted_plan",
        "the card is theirs all the same"
    );
}
