//! From the bytes of a card, as the OSDP stack hands them over, to the answer handed back: with a real store on the
//! disk, its ring in memory, a real keeper of the doors, and 250,000 people. One card every 2 ms, so that the
//! journal commits in between as it does at a door. Then the same while another process saturates the disk.

use crate::{
    report::{Failure, Report, Samples, timed},
    site::{self, Gateway, pause},
};
use doorward::{
    clock::Clock,
    config::model::OutputRef,
    domain::{Answer, Credential, Presentation, ReaderId},
    doors::{
        answer::{Answerer, Recorder},
        keeper::{Keeper, Signal, Strikes},
        world::World,
    },
    health::Health,
    readers::{Gate, LineEvent},
    store::Store,
    sync::{build, stale},
};
use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    process::{Child, Command},
    sync::{Arc, mpsc},
    time::Duration,
};

const PEOPLE: u32 = 250_000;
const CARDS: u32 = 5_000;
const EVERY: Duration = Duration::from_millis(2);
/// Threads of the process that saturates the disk, and what each writes before it waits for the disk.
const WRITERS: u8 = 4;
const BLOCK: usize = 1 << 20;
const FILE: u64 = 64 << 20;

/// What the line's thread calls, as in the daemon.
struct Door(Answerer);

impl Gate for Door {
    fn present(&self, presentation: &Presentation) -> Answer {
        self.0.answer(presentation)
    }
    fn line_event(&self, _: LineEvent) {}
}

/// The device that drives the strike is on the line; the answer does not wait for it.
struct NoStrikes;

impl Strikes for NoStrikes {
    fn release(&self, _: &OutputRef, _: Duration) {}
}

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let bus = Path::new("/dev/null");
    let gateway = Gateway::new(&site::config(None, 1, &site::osdp(bus, 0..1)))?;
    gateway.seed(PEOPLE)?;
    let (config, clock, health) = (gateway.config()?, Clock::system(true, 0), Health::default());
    let store = gateway.store(&clock)?;
    let known = stale::Known::new(clock.now(), None, clock.monotonic());
    let limits = stale::limits(&config, store.last_contact(), known);
    let world = Arc::new(World::new(&config, limits));
    let index = build::stored_index(store.read(), &config)?
        .ok_or("nothing is stored")?
        .index;
    world.swap_index(Arc::new(index));
    let recorder: Arc<dyn Recorder> = Arc::new(store.clone());
    let (signals, inbox) = mpsc::channel();
    let keeper = Keeper::new(
        &config,
        Arc::clone(&world),
        Arc::clone(&recorder),
        Box::new(NoStrikes),
        clock.clone(),
        health,
    );
    let doors = std::thread::spawn(move || keeper.run(&inbox));
    let gate: Arc<dyn Gate> = Arc::new(Door(Answerer::new(world, recorder, clock, signals.clone())));

    measure("answer", gate.as_ref(), &store, report)?;
    let disk = site::disk()?;
    report.figure("disk/fsync/p50", fsync(&disk)?.millis_at(0.5), "ms");
    let saturator = Saturator::start(&disk)?;
    pause(Duration::from_secs(2));
    report.figure("disk_saturated/fsync/p50", fsync(&disk)?.millis_at(0.5), "ms");
    measure("answer_disk_saturated", gate.as_ref(), &store, report)?;
    drop(saturator);

    let _ = signals.send(Signal::Stop);
    doors.join().map_err(|_| "the keeper panicked")?;
    store.close();
    Ok(())
}

fn measure(name: &str, gate: &dyn Gate, store: &Store, report: &mut Report) -> Result<(), Failure> {
    site::say(&format!(
        "{name}: {CARDS} cards, one every {} ms",
        EVERY.as_millis()
    ));
    let reader = ReaderId::from("reader0");
    let mut unknown = 0;
    let cards = (0..CARDS).map(|n| {
        pause(EVERY);
        let spread = u64::from(n) * 2_654_435_761 % u64::from(PEOPLE);
        site::card(u32::try_from(spread).unwrap_or(0))
    });
    let samples = Samples::of(cards, |bytes| {
        let answer = gate.present(&Presentation {
            reader: reader.clone(),
            credential: Credential::uid(&bytes).ok(),
        });
        unknown += u32::from(!answer.reason.grants() || answer.seq == 0);
        answer
    });
    if unknown > 0 || store.health().lost > 0 {
        return Err(format!("{unknown} cards were refused or their events lost").into());
    }
    for (label, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        report.figure(&format!("{name}/{label}"), samples.micros_at(share), "us");
    }
    Ok(())
}

/// How long the disk takes for one block with full sync: says how saturated it is.
fn fsync(disk: &Path) -> Result<Samples, Failure> {
    let mut file = tempfile::tempfile_in(disk)?;
    let mut times = Vec::new();
    for _ in 0..30 {
        file.write_all(&[7; 4_096])?;
        let (taken, synced) = timed(|| file.sync_all());
        synced?;
        times.push(taken);
    }
    Ok(Samples::from(times))
}

/// The process that saturates the disk; gone when dropped.
struct Saturator(Child);

impl Saturator {
    fn start(disk: &Path) -> Result<Self, Failure> {
        let child = Command::new(std::env::current_exe()?)
            .arg(SATURATE)
            .arg(disk)
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Saturator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The argument by which this program becomes the process that saturates the disk.
pub(crate) const SATURATE: &str = "--saturate-disk";

/// Writes and syncs until it is killed.
pub(crate) fn saturate(disk: &Path) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| tempfile::tempfile_in(disk).and_then(|file| fill(&file)));
        }
    });
    Err("the disk does not take any more".into())
}

fn fill(mut file: &File) -> std::io::Result<()> {
    let block = vec![0xA5; BLOCK];
    loop {
        if file.stream_position()? >= FILE {
            file.rewind()?;
        }
        file.write_all(&block)?;
        file.sync_all()?;
    }
}
