//! From a change at the cloud to the decision at the door: by a web hook, and by the poll alone. The real daemon, the
//! reference cloud with 2,000 members, TLS left out; what is timed ends when the gateway says that the cloud's version
//! is in force, which it asks of its own socket every 5 ms.

use crate::{
    report::{Failure, Report, Samples, now},
    site::{self, Gateway, pause, wait},
};
use doorward_peers::{
    cloud::{Cloud, Faults, Options},
    wradapt::Wradapt,
};
use serde_json::Value;
use std::time::Duration;

const PEOPLE: u32 = 2_000;
const ROUNDS: u32 = 100;
const POLLED: u32 = 10;
/// Seconds between polls in the second half.
const POLL: u32 = 5;
const SECRET: &str = "bench-0123456789abcdef";

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let (hints, polls) = if site::brief() { (3, 1) } else { (ROUNDS, POLLED) };
    let hinted = Samples::from(rounds(3_600, hints, true)?);
    report.figure("hint/contract/p50", hinted.millis_at(0.5), "ms");
    report.figure("hint/contract/p99", hinted.millis_at(0.99), "ms");
    let polled = Samples::from(rounds(POLL, polls, false)?);
    report.figure(&format!("poll/contract/{POLL}s/max"), polled.millis_at(1.0), "ms");
    Ok(())
}

/// The time of each round.
fn rounds(poll: u32, rounds: u32, hooks: bool) -> Result<Vec<Duration>, Failure> {
    let cloud = Cloud::start(Options {
        version: site::VERSION,
        world: site::world(PEOPLE),
        ..Options::default()
    })?;
    cloud.faults(Faults {
        no_changes: true,
        ..Faults::default()
    });
    let wall = Wradapt::start()?;
    let config = site::config(Some(&cloud.url()), 1, &site::wradapt(wall.path()))
        .replace("poll_seconds = 5", &format!("poll_seconds = {poll}"));
    let receiver = "[hooks]\nlisten = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }\n";
    let mut gateway = Gateway::new(&format!("{config}{receiver}"))?;
    gateway.secret("hooks-path", SECRET)?;
    gateway.seed(PEOPLE)?;
    gateway.start()?;
    let address = |said: Option<Value>| said?.as_str().map(str::to_owned);
    let listening =
        || -> Result<Option<String>, Failure> { Ok(address(gateway.told("/sections/hooks/listening")?)) };
    wait("the receiver", || listening().map(|said| said.is_some()))?;
    if let Some(address) = listening()?.filter(|_| hooks) {
        cloud.send_hooks_to(&format!("http://{address}/hooks/{SECRET}"));
    }
    let mut taken = Vec::new();
    for round in 0..rounds {
        // Longer than the rest after a refresh, and not in step with the poll.
        pause(Duration::from_millis(700 + u64::from(round) * 137 % 400));
        let before = now();
        let number = PEOPLE + round;
        cloud.edit(|world| {
            let card = format!("uid:{}", site::digits(number));
            world.member(&site::person(number), "New", &card, "Hot desk");
        });
        let version = cloud.version();
        wait("the change", || {
            Ok(gateway.told("/sections/sync/version")? == Some(version.into()))
        })?;
        taken.push(before.elapsed());
    }
    gateway.stop()?;
    Ok(taken)
}
