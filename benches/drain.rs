//! 50,000 granted entries wait in the journal; the daemon starts and the reference cloud takes them over loopback.
//! The time is from exec to the last one at the cloud.

use crate::{
    report::{Failure, Report},
    site::{self, Gateway, pause, wait},
};
use doorward::{
    clock::Clock,
    domain::{ClockQuality, DoorId, EventKind, PersonId, Reason, event::Draft},
    store::Begin,
    sync::checkins::SUBSCRIBER,
};
use doorward_peers::{
    cloud::{Cloud, Options},
    wradapt::Wradapt,
};
use std::time::Duration;

const ENTRIES: u32 = 50_000;
const PEOPLE: u32 = 100;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let cloud = Cloud::start(Options {
        version: site::VERSION,
        world: site::world(PEOPLE),
        ..Options::default()
    })?;
    let wall = Wradapt::start()?;
    let mut gateway = Gateway::new(&site::config(Some(&cloud.url()), 1, &site::wradapt(wall.path())))?;
    gateway.seed(PEOPLE)?;
    write(&gateway)?;
    site::say(&format!("drain: {ENTRIES} entries wait"));
    let start = gateway.start()?;
    // Counting what the cloud has takes time itself: look at the number of requests first.
    wait("the entries at the cloud", || {
        Ok(cloud.requests() >= u64::from(ENTRIES))
    })?;
    let all = usize::try_from(ENTRIES)?;
    wait("the last entries", || Ok(cloud.check_ins().len() >= all))?;
    let taken = start.elapsed().as_secs_f64();
    report.figure(&format!("drain/{ENTRIES}"), taken, "s");
    report.figure(
        &format!("drain/{ENTRIES}/rate"),
        f64::from(ENTRIES) / taken,
        "1/s",
    );
    let again: u32 = cloud.check_ins().iter().map(|it| it.deliveries - 1).sum();
    report.figure(&format!("drain/{ENTRIES}/repeated"), f64::from(again), "requests");
    gateway.stop()
}

/// Journals the entries through the store, as the daemon does.
fn write(gateway: &Gateway) -> Result<(), Failure> {
    let clock = Clock::system(true, 0);
    let store = gateway.store(&clock)?;
    store.register(SUBSCRIBER, Begin::Oldest)?;
    let committed = store.committed();
    for n in 0..ENTRIES {
        let mut draft = Draft::new(EventKind::Granted, clock.now().at, ClockQuality::Trusted);
        draft.door = Some(DoorId::from("door0"));
        draft.person = Some(PersonId::from(site::person(n % PEOPLE)));
        draft.reason = Some(Reason::GrantedPlan);
        let seq = store.record(&draft);
        if seq == 0 {
            return Err("the ring is full".into());
        }
        while seq > *committed.borrow() + 8_000 {
            pause(Duration::from_millis(1));
        }
    }
    store.close();
    Ok(())
}
