//! A card of the desk at each platform: it is told, shows the card by itself, and the gateway keeps nothing beside it. It is taken
//! back there too, or a person hears why not.

use crate::{
    desk_site::{ask, uid},
    harness::{Gateway, site::Layout, wait_for},
};
use doorward_peers::{
    cobot::Cobot, nexudus::Nexudus, office::Office, officernd::OfficeRnd, spacebring::Spacebring,
};
use serde_json::{Value, json};

#[track_caller]
fn told_and_shown(office: &dyn Office, takes_back: bool) {
    let platform = office.platform();
    office.join("Ana Ruiz", "ana@example.com", "Hot desk", "2026-01-01");
    let mut gateway = Gateway::new("");
    let layout = Layout::new("rtc = true")
        .table("[sync]", "poll_seconds = 3600")
        .map("plans", "Hot desk", &["members"])
        .group("members", &["front"])
        .door("front", "");
    let cloud = office.cloud_section(gateway.path());
    gateway.configure(&format!("{}{cloud}", layout.text()));
    gateway.start();
    let desk = |what: &str| {
        wait_for(what, || {
            // Asks the platform again, as long as something is beside it.
            gateway.command(&["sync", "now"]);
            let report = gateway.report();
            let facts = report["sections"]["sync"]["version"].is_u64();
            let desk = &report["sections"]["desk"];
            if facts && desk["cards"] == 0 && desk["waiting"] == 0 {
                Ok(())
            } else {
                Err(report)
            }
        });
    };
    let done = |action: &str, body: &Value| {
        let (status, answer) = ask(&gateway, action, body);
        assert_eq!(status, 200, "{platform} {action}: {answer}");
        answer
    };
    desk("facts");
    let person = done("person", &json!({ "text": "ana@example.com" }))["id"].clone();
    let change = done(
        "assign",
        &json!({ "card": uid(1), "person": person, "by": "Maria" }),
    );
    assert_eq!(change["platform"], "waiting", "{platform}: {change}");
    desk("the platform to show the card");
    let look = done("look", &json!({ "card": uid(1) }));
    assert_eq!(look["holders"][0]["place"], "platform", "{platform}: {look}");
    done("return", &json!({ "card": uid(1), "by": "Maria" }));
    if takes_back {
        desk("the platform to show it no more");
        assert_eq!(done("conflicts", &json!({})), json!([]), "{platform}");
    } else {
        let conflict = wait_for("the platform's no", || {
            let all = done("conflicts", &json!({}));
            all.get(0).cloned().ok_or(all)
        });
        assert_eq!(
            (&conflict["by"], &conflict["give"], &conflict["name"]),
            (&json!("Maria"), &json!(false), &json!("Ana Ruiz")),
            "{platform}"
        );
        let keep = json!({ "id": conflict["id"], "resolution": "keep_here", "by": "Maria" });
        done("resolve", &keep);
        gateway.command(&["sync", "now"]);
        assert_eq!(done("conflicts", &json!({})), json!([]), "{platform}");
    }
    let look = done("look", &json!({ "card": uid(1) }));
    assert_eq!(look["holders"], json!([]), "nobody's here: {platform}: {look}");
}

#[test]
fn nexudus() {
    told_and_shown(&Nexudus::start().unwrap(), true);
}

/// Cobot documents no way to take a check-in token away: it comes back to who did it, and the card opens nothing here.
#[test]
fn cobot() {
    told_and_shown(&Cobot::start().unwrap(), false);
}

#[test]
fn officernd() {
    told_and_shown(&OfficeRnd::start().unwrap(), true);
}

#[test]
fn spacebring() {
    told_and_shown(&Spacebring::start().unwrap(), true);
}
