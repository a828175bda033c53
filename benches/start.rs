//! From exec of the daemon to its first decision, with 250,000 people stored, cloud and broker gone.
//!
//! A WRADAPT presents a card every 2 ms from before exec on. The figure is the time of the first granted event in
//! the journal, which the daemon takes when it decides, less the time just before exec: to 2 ms, never too small.
//! `start/N/ready` is when systemd is told, which is later.

use crate::{
    report::{Failure, Report, Samples},
    site::{self, Gateway, pause},
};
use doorward_peers::wradapt::Wradapt;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const PEOPLE: u32 = 250_000;
const RUNS: u32 = 15;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let wall = Wradapt::start()?;
    let lines = site::wradapt(wall.path());
    let config = site::config(
        Some(site::DEAD_CLOUD),
        1,
        &(site::DEAD_BROKER.to_owned() + &lines),
    );
    let mut gateway = Gateway::new(&config)?;
    gateway.seed(PEOPLE)?;
    let (mut decided, mut ready) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let done = AtomicBool::new(false);
        let (before, taken) = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    wall.frame(&site::digits(run));
                    pause(Duration::from_millis(2));
                }
            });
            pause(Duration::from_millis(4));
            let before = wall_clock();
            let started = gateway.start();
            let taken = started.map(|start| start.elapsed());
            // A decision may come after the message to systemd, never long after.
            pause(Duration::from_millis(300));
            done.store(true, Ordering::Relaxed);
            (before, taken)
        });
        ready.push(taken?);
        gateway.stop()?;
        let first = gateway
            .granted()?
            .into_iter()
            .find(|event| event.body.at >= before);
        let first = first.ok_or("no card was granted")?;
        decided.push(Duration::from_millis(u64::try_from(first.body.at - before)?));
    }
    let (decided, ready) = (Samples::from(decided), Samples::from(ready));
    report.figure(&format!("start/{PEOPLE}"), decided.millis_at(0.5), "ms");
    report.figure(&format!("start/{PEOPLE}/max"), decided.millis_at(1.0), "ms");
    report.figure(&format!("start/{PEOPLE}/ready"), ready.millis_at(0.5), "ms");
    Ok(())
}

/// Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "compared with the times of events")]
fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}
