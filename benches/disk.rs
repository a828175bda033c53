//! Bytes written to the disk for each event: `write_bytes` of `/proc/PID/io` of the daemon, cards at a WRADAPT at 1
//! and at 50 a second, nothing else going on. `disk/event_bytes/alone` is the store by itself, a commit for each of
//! 2,000 events and with the checkpoints that come with so many.

use crate::{
    report::{Failure, Report, now},
    site::{self, Gateway, pause, proc, wait},
};
use doorward::{
    clock::Clock,
    domain::{ClockQuality, DoorId, EventKind, PersonId, Reason, event::Draft},
};
use doorward_peers::wradapt::Wradapt;
use std::time::Duration;

const RATES: [(u32, u32); 2] = [(1, 45), (50, 30)];
const ALONE: u32 = 2_000;
const PEOPLE: u32 = 10_000;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let wall = Wradapt::start()?;
    let mut gateway = Gateway::new(&site::config(None, 1, &site::wradapt(wall.path())))?;
    gateway.seed(PEOPLE)?;
    report.figure("disk/event_bytes/alone", alone(&gateway)?, "bytes");
    gateway.start()?;
    wait("the line", || {
        let online = gateway.status("/sections/lines/wall/readers/reader0/online")?;
        Ok(online == Some(true.into()))
    })?;
    pause(Duration::from_secs(2));
    let mut card = 0;
    for (rate, seconds) in RATES {
        site::say(&format!("disk: {rate} events a second for {seconds} s"));
        let (written, events) = (gateway.proc("io", "write_bytes")?, journalled(&gateway)?);
        let start = now();
        for n in 0..rate * seconds {
            wall.frame(&site::digits(card % PEOPLE));
            card += 1;
            let due = Duration::from_secs(1) * (n + 1) / rate;
            pause(due.saturating_sub(start.elapsed()));
        }
        pause(Duration::from_millis(500));
        let written = gateway.proc("io", "write_bytes")? - written;
        let events = journalled(&gateway)? - events;
        if events < f64::from(rate * seconds) {
            return Err(format!("{events} events for {} cards", rate * seconds).into());
        }
        report.figure(&format!("disk/event_bytes/{rate}"), written / events, "bytes");
    }
    gateway.stop()
}

/// How many events the journal holds.
fn journalled(gateway: &Gateway) -> Result<f64, Failure> {
    // The section is a second old at most.
    pause(Duration::from_millis(1_500));
    let events = gateway.status("/sections/store/events")?;
    let events = events.as_ref().and_then(serde_json::Value::as_f64);
    events.ok_or_else(|| "the report does not count events".into())
}

fn alone(gateway: &Gateway) -> Result<f64, Failure> {
    let clock = Clock::system(true, 0);
    let store = gateway.store(&clock)?;
    let committed = store.committed();
    let before = proc(std::process::id(), "io", "write_bytes")?;
    for n in 0..ALONE {
        let mut draft = Draft::new(EventKind::Granted, clock.now().at, ClockQuality::Trusted);
        draft.door = Some(DoorId::from("door0"));
        draft.person = Some(PersonId::from(site::person(n)));
        draft.person_name = Some(format!("Member No {n:06}"));
        draft.source = Some(format!("m-{}", site::person(n)));
        draft.reason = Some(Reason::GrantedPlan);
        let seq = store.record(&draft);
        let start = now();
        while seq > *committed.borrow() {
            if start.elapsed() > site::PATIENCE {
                return Err("the journal does not commit".into());
            }
            pause(Duration::from_micros(200));
        }
    }
    let written = proc(std::process::id(), "io", "write_bytes")? - before;
    store.close();
    Ok(written / f64::from(ALONE))
}
