//! A lock at SALTO KS is opened from afar: with the one-time password of its IQ, only where the gateway's own policy lets it,
//! and never so often that KS blocks the lock. The journal says who asked.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward_peers::ks::Ks;
use serde_json::Value;
use tempfile::TempDir;

struct Site {
    ks: Ks,
    gateway: Gateway,
    _secrets: TempDir,
}

fn site() -> Site {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let doors = "[[door]]\nid = \"front\"\nname = \"Main entrance\"\nks_lock = \"Front door\"\n[[door]]\nid = \"cellar\"\n";
    let config = Layout::new("rtc = true")
        .table(&ks.ks_section(secrets.path()).unwrap(), "")
        .table(doors, "");
    let mut gateway = Gateway::new(config.text());
    gateway.start();
    Site {
        ks,
        gateway,
        _secrets: secrets,
    }
}

impl Site {
    fn open(&self, door: &str) -> (i32, String) {
        let (status, _, error) = self.gateway.command(&["ks", "open", "--door", door]);
        (status, error)
    }

    /// How often KS was asked to open.
    fn asked(&self) -> usize {
        let asked = self.ks.asked();
        asked
            .iter()
            .filter(|asked| asked.path.ends_with("/locking"))
            .count()
    }

    fn set_up(&self, more: &[&str]) {
        let arguments = [&["ks", "open", "--setup", "--yes"], more].concat();
        let iqs = self.gateway.json(&arguments);
        assert_eq!(iqs[0]["state"], "pin_mailed", "{iqs}");
        let pin = self.ks.mailed_pin("IQ ground floor").unwrap();
        let file = self.gateway.secret("pin", &pin);
        let pin = format!("IQ ground floor={}", file.display());
        let (status, out, error) = self.gateway.command(&["ks", "open", "--pin", &pin]);
        assert_eq!(status, 0, "{out}{error}");
    }

    fn releases(&self) -> Vec<Value> {
        let mut events = self.gateway.events();
        events.retain(|event| event["kind"] == "remote_release");
        events
    }
}

#[test]
fn a_lock_opens_with_its_one_time_password_and_the_journal_says_who_asked() {
    let mut site = site();
    let (status, error) = site.open("front");
    assert_eq!(status, 1);
    assert!(error.contains("doorward ks open --setup"), "{error}");
    assert_eq!(site.asked(), 0, "nothing is sent without a password");

    site.set_up(&[]);
    let (status, error) = site.open("Main entrance");
    assert_eq!(status, 0, "{error}");
    let by_remote = |site: &Site| {
        let entries = site.ks.entries();
        entries
            .iter()
            .filter(|entry| entry.by.as_deref() == Some("remote"))
            .count()
    };
    assert_eq!(by_remote(&site), 1);
    let release = wait_for("the event", || site.releases().pop().ok_or(()));
    assert_eq!(release["door"], "front");
    let detail = release["detail"].as_str().unwrap();
    assert!(
        detail.contains("user ") && detail.contains("of this machine"),
        "{detail}"
    );

    // What was set up outlives the gateway, sealed.
    site.gateway.kill();
    site.gateway.start();
    assert_eq!(site.open("front").0, 0);
    assert_eq!(
        site.gateway.json(&["ks", "open", "--setup", "--yes"])[0]["state"],
        "ready"
    );
    let (secret, pin) = site
        .ks
        .with(|state| (state.iqs[0].secret.clone(), state.iqs[0].pin.clone()));
    let kept = std::fs::read(site.gateway.path().join("state/tokens.sealed")).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(&secret));
    assert!(!site.gateway.log().contains(&secret));
    assert!(!site.gateway.log().contains(&format!("\"{pin}\"")));
}

#[test]
fn a_replaced_secret_is_said_and_does_not_block_the_lock() {
    let site = site();
    site.set_up(&[]);
    assert_eq!(site.open("front").0, 0);
    // Activating the same user in the app gives the IQ another secret.
    site.ks
        .with(|state| state.iqs[0].secret = "another-secret-00".into());
    let before = site.asked();
    let (status, error) = site.open("front");
    assert_eq!(status, 1);
    assert!(error.contains("--setup --again"), "{error}");
    site.open("front");
    let (status, error) = site.open("front");
    assert_eq!(status, 1);
    assert!(error.contains("min"), "{error}");
    assert_eq!(site.asked() - before, 2, "a third would lead to a block");
    let lock = |site: &Site| {
        site.ks
            .locks()
            .into_iter()
            .find(|lock| lock.name == "Front door")
            .unwrap()
    };
    assert_eq!(lock(&site).otp_blocked, None);
}

#[test]
fn only_configured_doors_open_and_an_iq_without_passwords_needs_none() {
    let site = site();
    let (status, error) = site.open("cellar");
    assert_eq!(status, 1);
    assert!(error.contains("not decided by SALTO KS"), "{error}");
    let (status, error) = site.open("Studio");
    assert_eq!(status, 1, "a lock that no door names");
    assert!(error.contains("front, cellar"), "{error}");
    assert_eq!(site.asked(), 0);
    site.ks.with(|state| state.iqs[0].otp_enabled = false);
    assert_eq!(site.open("front").0, 0);
    assert_eq!(
        site.gateway.json(&["ks", "open", "--setup", "--yes"])[0]["state"],
        "not_needed"
    );
}

#[test]
fn a_secret_that_was_shown_before_cannot_be_set_up() {
    let site = site();
    site.ks.with(|state| state.iqs[0].activated = true);
    let iqs = site.gateway.json(&["ks", "open", "--setup", "--yes"]);
    assert_eq!(iqs[0]["state"], "shown_before");
}
