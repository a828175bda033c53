//! Memory of the daemon while facts come from each platform's simulator: 10,000 members with a card and a plan each,
//! 2,000 bookings in each of the next four weeks, 5,000 passes (250 plans with passes at Spacebring).
//!
//! Idle is what is resident when the daemon has started with all of it stored and the platform does not answer: nothing
//! has been read yet. `rss_sync/PLATFORM/first` is the most above that while everything is read and one person is
//! new, `…/later` the same at the next fetch, when rows of the last one may be kept, and `…/kept` what stays
//! after it. `…/new` is the most above it at the very first fetch of a gateway that knows nothing.

use crate::{
    report::{Failure, Report, now},
    site::{self, Gateway, pause},
};
use doorward_peers::{
    cobot::Cobot,
    nexudus::Nexudus,
    office::Office,
    officernd::OfficeRnd,
    osdp::{Bus, PdSpec},
    spacebring::Spacebring,
};
use std::time::Duration;

const MEMBERS: u32 = 10_000;
/// Members where only what runs is of interest ([`site::brief`]).
const FEW: u32 = 300;
const BOOKINGS: i64 = 8_000;
const HOUR: i64 = 3_600_000;
/// The platforms would want minutes for what a simulator gives in seconds; memory is the same.
const ALLOWANCE: usize = 100;
/// A whole fetch in so many requests.
const PATIENCE: Duration = Duration::from_secs(300);

/// Opens a simulator with everybody in it.
type Opens = fn() -> Result<Box<dyn Office>, Failure>;

const PLATFORMS: [(&str, Opens); 4] = [
    ("cobot", || {
        let cobot = Cobot::start()?;
        cobot.set_allowance(ALLOWANCE);
        crowd(&cobot, Sells::Passes);
        Ok(Box::new(cobot))
    }),
    ("nexudus", || {
        let nexudus = Nexudus::start()?;
        crowd(&nexudus, Sells::Passes);
        Ok(Box::new(nexudus))
    }),
    ("officernd", || {
        let officernd = OfficeRnd::start()?;
        // All of it has been there for a while: else every fetch would find everything changed.
        officernd.set_clock(wall() - 2 * HOUR);
        crowd(&officernd, Sells::Passes);
        officernd.set_clock(wall());
        Ok(Box::new(officernd))
    }),
    ("spacebring", || {
        let spacebring = Spacebring::start()?;
        crowd(&spacebring, Sells::FewPlans);
        Ok(Box::new(spacebring))
    }),
];

fn people() -> u32 {
    if site::brief() { FEW } else { MEMBERS }
}

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    for (name, open) in PLATFORMS {
        site::say(&format!("{name}: {} members", people()));
        let office = open()?;
        measure(name, office.as_ref(), report)?;
    }
    Ok(())
}

fn measure(name: &str, office: &dyn Office, report: &mut Report) -> Result<(), Failure> {
    let specs = (0..2).map(|address| PdSpec {
        address,
        key: Some(site::KEY),
    });
    let bus = Bus::start(specs.collect())?;
    let secrets = tempfile::tempdir()?;
    let lines = site::osdp(bus.path(), 0..2);
    let mut gateway = Gateway::new(&config(office, secrets.path(), &lines))?;

    gateway.start()?;
    fetched(&gateway, None)?;
    gateway.settle(2)?;
    let new = gateway.megabytes("VmHWM")?;
    gateway.stop()?;

    office.set_away(true);
    gateway.start()?;
    gateway.settle(2)?;
    for number in 0..20 {
        bus.tap(0, 56, &site::card(number));
        pause(Duration::from_millis(100));
    }
    pause(Duration::from_secs(6));
    let idle = gateway.megabytes("VmRSS")?;
    parts_of(&gateway, "idle")?;
    report.figure(&format!("rss_sync/{name}/idle"), idle, "MB");
    report.figure(&format!("rss_sync/{name}/new"), new - idle, "MB");
    office.set_away(false);
    let first = changed(office, &gateway, 1)?;
    report.figure(&format!("rss_sync/{name}/first"), first - idle, "MB");
    let later = changed(office, &gateway, 2)?;
    report.figure(&format!("rss_sync/{name}/later"), later - idle, "MB");
    let kept = gateway.megabytes("VmRSS")? - idle;
    report.figure(&format!("rss_sync/{name}/kept"), kept, "MB");
    parts_of(&gateway, "kept")?;
    gateway.stop()
}

/// How much of it is the program's own file: code that ran once counts as well.
fn parts_of(gateway: &Gateway, when: &str) -> Result<(), Failure> {
    let (heap, file) = (gateway.megabytes("RssAnon")?, gateway.megabytes("RssFile")?);
    site::say(&format!("{when}: {heap:.1} MB of memory, {file:.1} MB of files"));
    Ok(())
}

/// Somebody joins, and the gateway hears of it. The most that was resident meanwhile.
fn changed(office: &dyn Office, gateway: &Gateway, number: u32) -> Result<f64, Failure> {
    let before = version(gateway)?;
    // proc_pid_clear_refs(5): 5 begins the count of VmHWM anew.
    std::fs::write(format!("/proc/{}/clear_refs", gateway.pid()), "5")?;
    let last = office.join(
        "Una Mas",
        &format!("una{number}@example.com"),
        "Full time",
        "2026-01-01",
    );
    office.give_card(&last, &site::digits(people() + number));
    gateway.order(&["sync", "now"])?;
    fetched(gateway, before)?;
    pause(Duration::from_secs(4));
    gateway.megabytes("VmHWM")
}

fn version(gateway: &Gateway) -> Result<Option<u64>, Failure> {
    let said = gateway.told("/sections/sync/version")?;
    Ok(said.and_then(|version| version.as_u64()))
}

/// Waits for another version than this one, and for all members.
fn fetched(gateway: &Gateway, before: Option<u64>) -> Result<(), Failure> {
    let begun = now();
    while version(gateway)? == before {
        if begun.elapsed() > PATIENCE {
            let text = format!(
                "no new facts within {PATIENCE:?}; the daemon's log ends:\n{}",
                gateway.log()
            );
            return Err(text.into());
        }
        pause(Duration::from_millis(50));
    }
    Ok(())
}

fn config(office: &dyn Office, secrets: &std::path::Path, lines: &str) -> String {
    let cloud = office.cloud_section(secrets).replacen(
        "[cloud]\n",
        &format!("[cloud]\nallowance = {ALLOWANCE}\n"),
        1,
    );
    let cloud = cloud
        .replace("timeout_seconds = 2\n", "")
        .replace("timeout_seconds = 5\n", "");
    format!(
        "[site]\nid = \"bench\"\nzone = \"Europe/Madrid\"\n[paths]\nstate = \"{{dir}}/state\"\nruntime = \"{{run}}\"\n\
         [clock]\nrtc = true\n{cloud}[sync]\npoll_seconds = 600\nhold_share = 1\n[checkins]\n\
         [map.plans]\n\"Full time\" = [\"members\"]\n\"Hot desk\" = [\"members\"]\n\"Day passes\" = [\"members\"]\n\
         [map.resources]\n\"Meeting room\" = [\"rooms\"]\n[map.passes]\n\"Day pass\" = [\"members\"]\n\
         [[group]]\nid = \"members\"\ndoors = [\"door0\"]\n[[group]]\nid = \"rooms\"\ndoors = [\"door1\"]\n{lines}"
    )
}

/// Who has passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sells {
    /// Every fourth member is on a plan that needs passes, and buys two.
    Passes,
    /// Every fortieth is on a plan that includes ten. Spacebring says of one customer at a time what is left.
    FewPlans,
}

/// Everybody, and what they have booked and bought.
fn crowd(office: &dyn Office, sells: Sells) {
    let mut members = Vec::new();
    let one_in = if sells == Sells::Passes { 4 } else { 40 };
    for number in 0..people() {
        let plan = match number {
            _ if number % one_in == 0 => "Day passes",
            _ if number % 3 == 0 => "Full time",
            _ => "Hot desk",
        };
        let (name, email) = (
            format!("Member No {number:06}"),
            format!("member{number}@example.com"),
        );
        let id = office.join(&name, &email, plan, "2026-01-01");
        office.give_card(&id, &site::digits(number));
        if sells == Sells::Passes && plan == "Day passes" {
            let _ = office.give_passes(&id, "Day pass", 2); // a platform that cannot has fewer
        }
        members.push(id);
    }
    let today = wall().div_euclid(24 * HOUR) * 24 * HOUR;
    for (number, member) in (0..BOOKINGS).zip(members.iter().cycle()) {
        let from = today + number * (28 * 24 * HOUR / BOOKINGS);
        office.book(member, "Meeting room", from, from + HOUR);
    }
}

/// Unix milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark lives in the machine's own time"
)]
fn wall() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(0)
}
