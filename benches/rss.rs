//! Memory of the daemon: two OSDP readers, a cloud that is asked every 5 s and has nothing new.
//!
//! `rss/N` is resident memory in steady state after a start with N people stored; `rss/N/peak` is the most that it
//! ever was. `rss_after_pull/N` is steady state after the facts came over the network instead.

use crate::{
    report::{Failure, Report},
    site::{self, Gateway, pause},
};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    osdp::{Bus, PdSpec},
};
use std::time::Duration;

const SIZES: [u32; 3] = [10_000, 250_000, 2_000_000];
const PULLED: u32 = 10_000;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    for size in SIZES {
        // It answers "not modified" for the stored version, whatever it knows itself.
        measure(&format!("rss/{size}"), World::default(), Some(size), report)?;
    }
    measure(
        &format!("rss_after_pull/{PULLED}"),
        site::world(PULLED),
        None,
        report,
    )
}

fn measure(name: &str, world: World, stored: Option<u32>, report: &mut Report) -> Result<(), Failure> {
    let cloud = Cloud::start(Options {
        version: site::VERSION,
        world,
        ..Options::default()
    })?;
    let specs = (0..2).map(|address| PdSpec {
        address,
        key: Some(site::KEY),
    });
    let bus = Bus::start(specs.collect())?;
    let lines = site::osdp(bus.path(), 0..2);
    let mut gateway = Gateway::new(&site::config(Some(&cloud.url()), 2, &lines))?;
    if let Some(size) = stored {
        gateway.seed(size)?;
    }
    gateway.start()?;
    gateway.settle(2)?;
    for number in 0..20 {
        bus.tap(0, 56, &site::card(number));
        pause(Duration::from_millis(100));
    }
    // At least one more question to the cloud.
    pause(Duration::from_secs(6));
    report.figure(name, gateway.proc("status", "VmRSS")? / 1_000.0 * 1.024, "MB");
    let peak = gateway.proc("status", "VmHWM")? / 1_000.0 * 1.024;
    report.figure(&format!("{name}/peak"), peak, "MB");
    gateway.stop()
}
