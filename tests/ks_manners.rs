//! The manners of SALTO KS as they were measured, all of them at once, before the real gateway: what was made is refused for most
//! of a minute and is in no list, schedules are read back as 18:00:59, error codes are texts or numbers, lists come as they
//! like, and half of the API has another version.

use crate::ks_house::{House, KsSite, Plan, book, local, members, tag};
use doorward_peers::ks::{Codes, Shape};
use std::time::Duration;

fn site(codes: Codes) -> KsSite {
    let at = local("2027-02-03T09:00");
    let mut world = members(5);
    book(&mut world, 1, "Meeting room", at + 7_200_000, at + 10_800_000);
    let mut site = KsSite::new(Plan {
        world,
        house: House::small(),
        at: Some(at),
        ks: "hold_share = 1.0\ntimeout_seconds = 300".into(),
        ..Plan::default()
    });
    let config = std::fs::read_to_string(site.gateway.config_path()).unwrap();
    let hours = config.replace("id = \"members\"\n", "id = \"members\"\nhours = \"office\"\n");
    assert_ne!(hours, config);
    let office = "[[schedule]]\nid = \"office\"\nweekdays = [\"08:00-18:01\"]\n";
    site.gateway.configure(&format!("{hours}{office}"));
    site.ks.manners(|manners| {
        manners.spread = Duration::from_secs(55);
        manners.spread_lists = true;
        manners.members_as_site_users = true;
        manners.users = Shape::Alternating;
        manners.lists = Shape::Alternating;
        manners.codes = codes;
        manners.most = 2;
    });
    site.gateway.start();
    site.settle();
    site
}

fn ends_well(codes: Codes) {
    let site = site(codes);
    let (status, said) = site.in_time(|| site.apply());
    assert_eq!(status, 0, "{said}");
    let asked = site.ks.asked();
    let too_soon = asked
        .iter()
        .filter(|asked| asked.changes() && matches!(asked.status, 403 | 404))
        .count();
    assert!(too_soon > 0, "nothing was refused because it was too new");
    assert!(
        asked.iter().all(|asked| asked.status != 405),
        "a version is wrong"
    );
    site.in_time(|| site.wait_for_empty_plan());
    // Sent as 18:00, read back as 18:00:59, and understood as the same.
    let hours = site.ks.schedules("Doorward members");
    let [hours] = &hours[..] else { panic!("{hours:?}") };
    assert_eq!(hours.end.to_string(), "18:00:00");
    let changes = site.ks.changes();
    for _ in 0..5 {
        site.pass(15);
        assert_eq!(site.plan()["steps"], serde_json::json!([]));
    }
    assert_eq!(site.ks.changes(), changes);
    let opens = |when: &str| site.ks.would("Front door", &tag(0), local(when)).opened();
    assert_eq!(
        [
            "2027-02-04T07:59",
            "2027-02-04T08:00",
            "2027-02-04T18:00",
            "2027-02-04T18:01"
        ]
        .map(opens),
        [false, true, true, false]
    );
    // With the gateway's own user, the cleaner, and the cleaners' group; a booking beside the three groups of the house.
    assert_eq!(
        (site.ks.users().len(), site.ks.groups().len()),
        (5 + 2, 1 + 3 + 1)
    );
}

#[test]
fn all_its_manners_at_once_change_nothing_with_codes_as_texts() {
    ends_well(Codes::Texts);
}

#[test]
fn all_its_manners_at_once_change_nothing_with_codes_as_numbers() {
    ends_well(Codes::Numbers);
}
