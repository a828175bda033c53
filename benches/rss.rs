//! Memory of the daemon: two OSDP readers, a cloud that is asked every 5 s and has nothing new.
//!
//! `rss/N` is resident memory in steady state after a start with N people stored; `rss/N/peak` is the most that it
//! ever was. `rss_after_pull/N` is steady state after the facts came over the network instead, and
//! `rss_sync/N/above_idle` how much more than that is in use at most while changed facts replace them.

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
    let sizes = SIZES.iter().take(if site::brief() { 1 } else { SIZES.len() });
    for size in sizes {
        // It answers "not modified" for the stored version, whatever it knows itself.
        measure(&format!("rss/{size}"), World::default(), Some(*size), report)?;
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
    let idle = gateway.megabytes("VmRSS")?;
    report.figure(name, idle, "MB");
    report.figure(&format!("{name}/peak"), gateway.megabytes("VmHWM")?, "MB");
    if stored.is_none() {
        changed(&cloud, &gateway, idle, report)?;
    }
    gateway.stop()
}

/// One person is renamed at the cloud: the whole set comes again, is judged beside the one in force and replaces it.
fn changed(cloud: &Cloud, gateway: &Gateway, idle: f64, report: &mut Report) -> Result<(), Failure> {
    let version = |gateway: &Gateway| gateway.status("/sections/sync/version");
    let before = version(gateway)?;
    // proc_pid_clear_refs(5): 5 begins the count of VmHWM anew.
    std::fs::write(format!("/proc/{}/clear_refs", gateway.pid()), "5")?;
    cloud.edit(|world| {
        if let Some(person) = world.people.first_mut() {
            person.name.push('.');
        }
    });
    site::wait("the changed facts", || Ok(version(gateway)? != before))?;
    pause(Duration::from_secs(4));
    let above = gateway.megabytes("VmHWM")? - idle;
    report.figure(&format!("rss_sync/{PULLED}/above_idle"), above, "MB");
    let after = gateway.megabytes("VmRSS")? - idle;
    report.figure(&format!("rss_sync/{PULLED}/kept"), after, "MB");
    Ok(())
}
