//! The figures of docs/readers.md. Not part of the tests: `cargo test --test scenarios figures -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward_peers::osdp::{Bus, PdSpec, What};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn site(count: u8) -> (Bus, Site) {
    let spec = |address| PdSpec {
        address,
        key: Some(KEY),
    };
    let bus = Bus::start((0..count).map(spec).collect()).unwrap();
    let names: Vec<String> = (0..count).map(|address| format!("r{address}")).collect();
    let readers = (0_u8..).zip(&names);
    let readers = readers
        .map(|(address, name)| reader(name, address, Some(KEY)))
        .collect();
    let doors: Vec<_> = names.iter().map(|name| door(name, Some((name, 0)))).collect();
    let site = Site::start(&[osdp_line("hall", bus.path(), readers)], &doors);
    site.wait_online(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (bus, site)
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{what}: p50 {:?} p99 {:?} max {:?} of {}",
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

fn taps(bus: &Bus, site: &Site, readers: u8, rounds: usize, label: &str) {
    let seen = bus.observed();
    let (mut heard, mut opened) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // A tap falls anywhere within the poll interval.
        std::thread::park_timeout(Duration::from_micros(7_001 * (round as u64 % 13)));
        let address = (round % usize::from(readers)) as u8;
        let start = now();
        bus.tap(address, 56, &MEMBER_BYTES);
        heard.push(site.presented.recv_timeout(SOON).unwrap().1 - start);
        loop {
            let seen = seen.recv_timeout(SOON).unwrap();
            match seen.what {
                What::Output { .. } => opened.push(seen.at - start),
                What::Sound { .. } => break,
                _ => {}
            }
        }
    }
    show(&format!("{label}: tap to decision"), &mut heard);
    show(
        &format!("{label}: tap to output command at the reader"),
        &mut opened,
    );
}

fn cpu_of_line() -> Duration {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if stat.contains("(line-hall)") {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    Duration::from_millis(ticks * 10)
}

#[test]
#[ignore = "figures for docs/readers.md; takes a minute"]
fn figures() {
    for count in [1, 8] {
        let (bus, site) = site(count);
        let before = cpu_of_line();
        std::thread::park_timeout(Duration::from_secs(5));
        let used = cpu_of_line() - before;
        println!(
            "{count} readers: idle line thread {:.1} % of a core",
            used.as_secs_f64() * 20.0
        );
        taps(&bus, &site, count, 200, &format!("{count} readers"));
    }
    let (bus, site) = site(8);
    bus.silence(7, true);
    site.wait_for(&offline("r7"), 1, SOON);
    taps(&bus, &site, 7, 200, "8 readers, one of them absent");

    let (bus, site) = self::site(1);
    let mut back = Vec::new();
    for round in 1..=8_usize {
        bus.silence(0, true);
        let gone = site.wait_for(&offline("r0"), round, SOON);
        std::thread::park_timeout(Duration::from_millis(237 * round as u64));
        bus.restart(0);
        back.push(site.wait_for(&online("r0"), round + 1, SOON));
        println!("gone noticed after {gone:?}");
    }
    show("an absent reader back online after its return", &mut back);
    let mut back = Vec::new();
    for round in 1..=8_usize {
        bus.silence(0, true);
        std::thread::park_timeout(Duration::from_millis(537 * round as u64));
        let before = site.happened(&online("r0"));
        let start = now();
        bus.restart(0);
        if site.happened(&offline("r0")) < before {
            site.wait_for(&offline("r0"), before, SOON);
        }
        site.wait_for(&online("r0"), before + 1, SOON);
        back.push(start.elapsed());
    }
    show("a reader back after a short loss of power", &mut back);
}
