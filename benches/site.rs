//! A whole site for a part: folders, configuration, what is stored, and the real daemon as a process.
//!
//! The state directory is below `target/`, on the disk; the runtime directory is in memory where there is
//! `/dev/shm`, as on the appliance. The daemon's log goes there too, so that it does not count as written.

mod gateway;

pub(crate) use gateway::Gateway;

use crate::report::{Failure, now};
use doorward::domain::{
    Credential, PersonId,
    facts::{Facts, Membership, Person},
};
use doorward_peers::{
    cloud,
    osdp::{Bus, PdSpec},
    pn532::Pn532,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The key of every simulated OSDP reader.
pub(crate) const KEY: [u8; 16] = [0x42; 16];
/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const TOKEN: &str = "reference-token";
const PLAN: &str = "Hot desk";
/// The version of seeded facts, and of clouds that have nothing newer.
pub(crate) const VERSION: u64 = 7;

/// Whether it only matters what runs, not how long or how large: scripts/hot has it watched, thirty times as slow as it is.
#[expect(
    clippy::disallowed_methods,
    reason = "a setting of scripts/hot, not of the gateway"
)]
pub(crate) fn brief() -> bool {
    std::env::var_os("DOORWARD_BENCH_BRIEF").is_some()
}

/// The bytes of a card, as a reader hears them: a seven-byte UID.
pub(crate) fn card(number: u32) -> [u8; 7] {
    let [a, b, c, d] = number.to_be_bytes();
    [4, a, b, c, d, d.wrapping_mul(151) ^ c, 0x80]
}

/// The same as the 14 digits that a WRADAPT sends.
pub(crate) fn digits(number: u32) -> String {
    card(number).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A door's reader and the desk's: what stands there, and the lines of the configuration for it and a page.
pub(crate) fn desk_and_door() -> Result<(Bus, Pn532, String), Failure> {
    let door = PdSpec {
        address: 0,
        key: Some(KEY),
    };
    let (bus, chip) = (Bus::start(vec![door])?, Pn532::start()?);
    let lines = format!(
        "{}[page]\nlisten = \"127.0.0.1:0\"\n[desk]\npcsc = false\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\n\
         name = \"Reception\"\npath = \"{}\"\n",
        osdp(bus.path(), 0..1),
        chip.path().display()
    );
    Ok((bus, chip, lines))
}

/// The id of the person who holds a card.
pub(crate) fn person(number: u32) -> String {
    format!("m{number:07}")
}

/// Everybody has one card and one membership that opens every door around the clock.
pub(crate) fn world(size: u32) -> cloud::World {
    let mut world = cloud::World::default();
    for n in 0..size {
        let card = format!("uid:{}", digits(n));
        world.member(&person(n), &format!("Member No {n:06}"), &card, PLAN);
    }
    world
}

/// The same as the store keeps it.
fn facts(size: u32) -> Result<Facts, Failure> {
    let mut facts = Facts {
        version: VERSION,
        ..Facts::default()
    };
    for n in 0..size {
        let id = PersonId::from(person(n));
        facts.people.push(Person {
            credentials: vec![Credential::uid(&card(n))?],
            ..Person::new(id.clone(), format!("Member No {n:06}"))
        });
        facts.memberships.push(Membership {
            person: Some(id.clone()),
            ..Membership::new(format!("m-{id}"), PLAN)
        });
    }
    Ok(facts)
}

/// A site's configuration: where its cloud is, how many doors it has, and its lines.
pub(crate) fn config(cloud: Option<&str>, doors: u8, lines: &str) -> String {
    let doors: Vec<String> = (0..doors).map(|n| format!("\"door{n}\"")).collect();
    let cloud = cloud.map_or_else(String::new, |url| {
        format!(
            "[cloud]\nkind = \"contract\"\nurl = \"{url}\"\ntoken = {{ file = \"{{dir}}/token\" }}\n\
             [sync]\npoll_seconds = 5\n[checkins]\n"
        )
    });
    format!(
        "[site]\nid = \"bench\"\nzone = \"Europe/Madrid\"\n[paths]\nstate = \"{{dir}}/state\"\nruntime = \"{{run}}\"\n\
         [clock]\nrtc = true\n{cloud}[map.plans]\n\"{PLAN}\" = [\"members\"]\n[[group]]\nid = \"members\"\n\
         doors = [{}]\n{lines}",
        doors.join(", ")
    )
}

/// The building network that is not there.
pub(crate) const DEAD_BROKER: &str = "[mqtt]\nurl = \"mqtt://127.0.0.1:9\"\n";
/// The cloud that is not there: nobody listens on the discard port.
pub(crate) const DEAD_CLOUD: &str = "http://127.0.0.1:9";

/// The readers and doors of these numbers, on one OSDP bus. A reader's address is its number.
pub(crate) fn osdp(path: &Path, numbers: std::ops::Range<u8>) -> String {
    let path = path.display();
    let readers = numbers.clone().map(|n| {
        format!(
            "[[line.reader]]\nid = \"reader{n}\"\ndoor = \"door{n}\"\naddress = {n}\nkey = {{ file = \"{{dir}}/key\" }}\n"
        )
    });
    let doors = numbers
        .clone()
        .map(|n| format!("[[door]]\nid = \"door{n}\"\nrelease = {{ reader = \"reader{n}\", output = 0 }}\n"));
    let all: String = readers.chain(doors).collect();
    format!(
        "[[line]]\nid = \"bus{}\"\npath = \"{path}\"\nbaud = 115200\n{all}",
        numbers.start
    )
}

/// Door 0 with a WRADAPT.
pub(crate) fn wradapt(path: &Path) -> String {
    format!(
        "[[line]]\nid = \"wall\"\npath = \"{}\"\nkind = \"wradapt\"\nbaud = 115200\n[[line.reader]]\nid = \"reader0\"\n\
         door = \"door0\"\n[[door]]\nid = \"door0\"\n",
        path.display()
    )
}

/// A number out of `/proc/PID/file`.
pub(crate) fn proc(pid: u32, file: &str, key: &str) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let word = line.and_then(|line| line.split_whitespace().next());
    Ok(word.ok_or("the kernel does not say")?.parse()?)
}

/// A folder on the disk that is measured.
pub(crate) fn disk() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    fs::create_dir_all(&root)?;
    Ok(root.canonicalize()?)
}

/// Waits for a condition.
pub(crate) fn wait(what: &str, mut look: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let before = now();
    while !look()? {
        if before.elapsed() > PATIENCE {
            return Err(format!("waited {PATIENCE:?} for {what}").into());
        }
        pause(Duration::from_millis(5));
    }
    Ok(())
}

/// Lets time pass.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Progress, for people.
#[expect(clippy::print_stderr, reason = "progress goes to standard error")]
pub(crate) fn say(text: &str) {
    eprintln!("# {text}");
}
