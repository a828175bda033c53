//! The whole path with the real daemon: a card is put on a simulated OSDP reader, its bytes go over the pty with
//! secure channel, and the reader is told to drive the strike and to show its light. A pty carries bytes in no
//! time, so the wire of a real bus is beside it as a computed figure, and so is the time between two polls.

use crate::{
    report::{Failure, Report, Samples, now},
    site::{self, Gateway, PATIENCE, pause},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    osdp::{Bus, Color, PdSpec, Seen, What},
};
use std::{
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

const TAPS: u32 = 400;
const PEOPLE: u32 = 10_000;
/// A reader is polled this long after its last command (src/readers/device.rs).
const POLL_MS: f64 = 11.0;
/// A byte with start and stop bit at 115,200 baud.
const BYTE_MS: f64 = 10.0 / 115.2;
/// Bytes on the wire, with mark byte, secure channel and CRC (OSDP 2.2, 5.9 and annex D): a poll or an
/// acknowledgement; a card of 56 bits, an output or a light command, each one block of 16 bytes encrypted.
const SHORT: f64 = 15.0;
const LONG: f64 = 31.0;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    for readers in [1, 8] {
        at(readers, report)?;
    }
    Ok(())
}

fn at(readers: u8, report: &mut Report) -> Result<(), Failure> {
    let cloud = Cloud::start(Options {
        version: site::VERSION,
        world: site::world(PEOPLE),
        ..Options::default()
    })?;
    let specs = (0..readers).map(|address| PdSpec {
        address,
        key: Some(site::KEY),
    });
    let bus = Bus::start(specs.collect())?;
    let lines = site::osdp(bus.path(), 0..readers);
    let mut gateway = Gateway::new(&site::config(Some(&cloud.url()), readers, &lines))?;
    gateway.seed(PEOPLE)?;
    gateway.start()?;
    gateway.settle(usize::from(readers))?;
    let seen = bus.observed();
    site::say(&format!("tap: {TAPS} cards at {readers} readers"));
    let (mut strikes, mut lights) = (Vec::new(), Vec::new());
    for tap in 0..TAPS {
        // A card comes at any time between two polls.
        pause(Duration::from_micros(7_001 * u64::from(tap % 13) + 20_000));
        while seen.try_recv().is_ok() {}
        let address = u8::try_from(tap % u32::from(readers))?;
        let start = now();
        bus.tap(address, 56, &site::card(tap));
        let answer = answer(&seen, address)?;
        strikes.push(answer.strike - start);
        lights.push(answer.light - start);
    }
    for (name, times) in [("tap", strikes), ("tap_light", lights)] {
        let samples = Samples::from(times);
        report.figure(&format!("{name}/{readers}/p50"), samples.millis_at(0.5), "ms");
        report.figure(&format!("{name}/{readers}/p99"), samples.millis_at(0.99), "ms");
    }
    // A round asks every reader once; with many of them the wire, not the pause, sets its length.
    let round = f64::from(readers) * 2.0 * SHORT * BYTE_MS;
    report.figure(&format!("tap/{readers}/poll_interval"), POLL_MS.max(round), "ms");
    // Poll, card, command of the strike.
    report.figure(
        &format!("tap/{readers}/wire"),
        (SHORT + 2.0 * LONG) * BYTE_MS,
        "ms",
    );
    gateway.stop()
}

struct Answered {
    strike: Instant,
    light: Instant,
}

/// What the reader is told, up to the sound, which comes last.
fn answer(seen: &Receiver<Seen>, address: u8) -> Result<Answered, Failure> {
    let (mut strike, mut light, mut sound) = (None, None, false);
    while strike.is_none() || light.is_none() || !sound {
        let told = seen.recv_timeout(PATIENCE)?;
        match told.what {
            _ if told.address != address => {}
            What::Output { output: 0, .. } => strike = Some(told.at),
            What::Light {
                color: Color::Green, ..
            } => light = Some(told.at),
            What::Light { color, .. } => return Err(format!("the light is {color:?}").into()),
            What::Sound { .. } => sound = true,
            _ => {}
        }
    }
    let missing = "the reader was not told all";
    Ok(Answered {
        strike: strike.ok_or(missing)?,
        light: light.ok_or(missing)?,
    })
}
