//! The main job, end to end on real bytes: a fob at an OSDP reader, the light, the strike, the journal, the cloud.
//! Then the cloud and the gateway go away in turn, and the doors go on.

use crate::{
    harness::{
        Gateway,
        site::{FRONT_DOOR, Layout},
        wait_for,
    },
    osdp_site::answered,
};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    osdp::{Bus, Color, PdSpec, Seen},
};
use std::sync::mpsc::Receiver;

const KEY: [u8; 16] = [0x42; 16];
const FOB: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];

struct Site {
    gateway: Gateway,
    bus: Bus,
    seen: Receiver<Seen>,
    cloud: Cloud,
}

fn site() -> Site {
    let mut world = World::default();
    world.member("ana", "Ana Ruiz", "uid:04A2B3C4D5E680", "Hot desk");
    let cloud = Cloud::start(Options {
        world,
        ..Options::default()
    })
    .unwrap();
    let bus = Bus::start(vec![PdSpec {
        address: 3,
        key: Some(KEY),
    }])
    .unwrap();
    let layout = Layout::new("rtc = true")
        .cloud(&cloud, None, "")
        .table("[checkins]", "")
        .map("plans", "Hot desk", &["members"])
        .group("members", &["front"])
        .osdp(&bus, "key = { file = \"{dir}/key\" }")
        .door("front", FRONT_DOOR);
    let mut gateway = Gateway::new(layout.text());
    gateway.secret("token", cloud.token());
    gateway.secret("key", &"42".repeat(16));
    gateway.start();
    let seen = bus.observed();
    Site {
        gateway,
        bus,
        seen,
        cloud,
    }
}

impl Site {
    /// Waits until the reader answers and there are facts, fetched now or before.
    fn settle(&self) {
        self.gateway.settle();
        while self.seen.try_recv().is_ok() {}
    }

    /// Presents the fob and gives what the reader was told: its light, and whether output 1 was released.
    fn tap(&self) -> (Color, bool) {
        self.bus.tap(3, 56, &FOB);
        answered(&self.seen)
    }
}

#[test]
fn a_fob_opens_the_door_whatever_happens_to_cloud_and_gateway() {
    let mut site = site();
    site.settle();
    assert_eq!(site.tap(), (Color::Green, true));
    wait_for("the check-in", || {
        if site.cloud.check_ins().len() == 1 {
            Ok(())
        } else {
            Err(site.cloud.check_ins())
        }
    });
    assert_eq!(site.cloud.check_ins()[0].body.person, "ana");

    // The cloud is gone, then the gateway is killed as well: it comes back and decides from its own memory.
    site.cloud.set_down(true);
    assert_eq!(site.tap(), (Color::Green, true));
    site.gateway.kill();
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(), (Color::Green, true));
    site.cloud.set_down(false);
    wait_for("three check-ins", || match site.cloud.check_ins() {
        all if all.len() == 3 => Ok(()),
        all => Err(all),
    });
    let events = site.gateway.command(&["events", "--json"]).1;
    assert_eq!(
        events
            .lines()
            .filter(|line| line.contains("\"granted_plan\""))
            .count(),
        3,
        "{events}"
    );
    site.gateway.stop();
}
