//! PN532 modules at the desk, on ptys: found, pulled, disturbed, and never confused with a door's line.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{desk_watch::now, harness::wait_for};
use doorward::{
    clock::Clock,
    config::model::{DeskConfig, DeskPlace, DeskReaderConfig},
    desk::readers::{DeskEvent, Kind, Places, Readers},
    domain::Credential,
    health::Health,
};
use doorward_peers::pn532::{Faults, Pn532};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

const SHORT: [u8; 4] = [0x71, 0x86, 0xA6, 0x1E];
const LONG: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];
const LONGEST: [u8; 10] = [0x04, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A desk with its own folder of devices.
struct Desk {
    readers: Readers,
    events: Receiver<DeskEvent>,
    health: Health,
    dev: TempDir,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.readers.stop();
    }
}

impl Desk {
    fn start(ports: &[&Path], find: bool, lines: &[PathBuf]) -> Self {
        let dev = tempfile::tempdir().unwrap();
        let named = ports.iter().map(|path| DeskReaderConfig {
            name: Some("Reception".into()),
            place: DeskPlace::Pn532 {
                path: path.to_path_buf(),
            },
        });
        let config = DeskConfig {
            pcsc: false,
            find_pn532: find,
            readers: named.collect(),
        };
        let places = Places {
            dev: dev.path().into(),
            sys: dev.path().into(),
        };
        let health = Health::default();
        let lines: Vec<_> = lines.iter().map(|line| dev.path().join(line)).collect();
        let clock = Clock::system(true, 0);
        let (readers, events) = Readers::start(Some(&config), &lines, places, clock, health.clone());
        Self {
            readers,
            events,
            health,
            dev,
        }
    }

    /// The next event, when it was heard.
    fn next(&mut self) -> (DeskEvent, Instant) {
        wait_for("an event at the desk", || match self.events.try_recv() {
            Ok(event) => Ok((event, now())),
            Err(TryRecvError::Empty) => Err(self.readers.troubles()),
            Err(error) => panic!("{error}"),
        })
    }

    fn appeared(&mut self) -> String {
        loop {
            match self.next().0 {
                DeskEvent::Appeared { name, kind, .. } => {
                    assert_eq!(kind, Kind::Pn532);
                    return name;
                }
                DeskEvent::Trouble { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next card; a trouble, a removal or a loss before it is a failure.
    fn card(&mut self) -> Credential {
        match self.next().0 {
            DeskEvent::Presented { credential, .. } => credential,
            other => panic!("{other:?}"),
        }
    }

    /// What happens next with a card. A machine that gives neither side its turn for half a second has the module gone, and back
    /// by itself; that may happen, and not often.
    fn whatever_the_machine_does(&mut self, lapses: &mut u8) -> Option<Credential> {
        match self.next().0 {
            DeskEvent::Presented { credential, .. } => Some(credential),
            DeskEvent::Removed { .. } => None,
            DeskEvent::Gone { .. } if *lapses < 3 => {
                *lapses += 1;
                self.appeared();
                None
            }
            other => panic!("{other:?}"),
        }
    }

    fn removed(&mut self) {
        let event = self.next().0;
        assert!(matches!(event, DeskEvent::Removed { .. }), "{event:?}");
    }

    fn trouble(&mut self) -> String {
        match self.next().0 {
            DeskEvent::Trouble { words, .. } => words,
            other => panic!("{other:?}"),
        }
    }
}

fn uid(bytes: &[u8]) -> Credential {
    Credential::uid(bytes).unwrap()
}

#[test]
fn each_length_of_number_is_read_once_and_its_going_is_told() {
    let chip = Pn532::start().unwrap();
    let mut desk = Desk::start(&[chip.path()], false, &[]);
    assert_eq!(desk.appeared(), "Reception");
    for card in [&SHORT[..], &LONG, &LONGEST] {
        chip.lay(card);
        assert_eq!(desk.card(), uid(card));
        chip.clear();
        desk.removed();
    }
    // Another card before anybody looked.
    chip.lay(&SHORT);
    assert_eq!(desk.card(), uid(&SHORT));
    chip.swap(&LONG);
    desk.removed();
    assert_eq!(desk.card(), uid(&LONG));
}

#[test]
fn two_fobs_are_neither_until_one_is_left_and_a_random_number_is_refused() {
    let chip = Pn532::start().unwrap();
    let mut desk = Desk::start(&[chip.path()], false, &[]);
    desk.appeared();
    chip.lay(&SHORT);
    assert_eq!(desk.card(), uid(&SHORT));
    chip.lay(&LONG);
    desk.removed();
    assert!(desk.trouble().contains("two cards"));
    chip.swap(&LONG);
    assert_eq!(desk.card(), uid(&LONG));
    chip.swap(&[0x08, 0x11, 0x22, 0x33]);
    desk.removed();
    let words = desk.trouble();
    assert!(words.contains("random UID") && !words.contains("1122"), "{words}");
    chip.swap(&SHORT);
    assert_eq!(
        desk.card(),
        uid(&SHORT),
        "nothing was removed that was never told"
    );
}

#[test]
fn noise_half_frames_late_and_lost_acknowledgements_lose_no_card() {
    let chip = Pn532::start().unwrap();
    chip.faults(Faults {
        noise: true,
        late_acks: 2,
        ..Faults::default()
    });
    let mut desk = Desk::start(&[chip.path()], false, &[]);
    desk.appeared();
    let mut lapses = 0;
    let each = [
        Faults {
            late_acks: 2,
            ..Faults::default()
        },
        Faults {
            lost_acks: 3,
            ..Faults::default()
        },
        Faults {
            half_frames: 2,
            ..Faults::default()
        },
        Faults {
            broken: 2,
            ..Faults::default()
        },
        Faults {
            errors: 1,
            ..Faults::default()
        },
        Faults {
            deaf: 2,
            ..Faults::default()
        },
    ];
    for faults in each {
        chip.faults(Faults {
            noise: true,
            ..faults
        });
        chip.lay(&LONG);
        let seen = (0..4).find_map(|_| desk.whatever_the_machine_does(&mut lapses));
        assert_eq!(seen, Some(uid(&LONG)), "{faults:?}");
        chip.clear();
        while desk.whatever_the_machine_does(&mut lapses).is_some() {}
    }
}

#[test]
fn pulled_in_the_middle_of_a_card_it_is_gone_and_comes_back() {
    let mut chip = Pn532::start().unwrap();
    let mut desk = Desk::start(&[chip.path()], false, &[]);
    desk.appeared();
    chip.faults(Faults {
        pull_in_the_middle: true,
        ..Faults::default()
    });
    chip.lay(&LONG);
    assert!(matches!(desk.next().0, DeskEvent::Gone { .. }));
    let words = desk.trouble();
    assert!(
        words.contains("Reception") && words.contains("plug it in"),
        "{words}"
    );
    assert_eq!(desk.health.doc().faults.len(), 1);
    assert!(!chip.is_plugged());
    chip.plug().unwrap();
    assert_eq!(desk.appeared(), "Reception");
    assert_eq!(desk.card(), uid(&LONG), "it lies there still");
    assert!(desk.health.doc().faults.is_empty() && desk.readers.troubles().is_empty());
}

#[test]
fn a_module_is_found_by_itself_and_a_doors_line_gets_no_byte() {
    // Two ports that look alike: one is a door's line, by a link of another name.
    let mut desk = Desk::start(&[], true, &["by-id".into()]);
    let dev = desk.dev.path().to_path_buf();
    let line = Pn532::start_at(&dev.join("ttyUSB0")).unwrap();
    let other = Pn532::start_at(&dev.join("ttyUSB1")).unwrap();
    // While the line's port is missing, its adapter may be any of them.
    wait_for("the ports to be old enough", || {
        let old = old_enough(&dev.join("ttyUSB1"));
        if old { Ok(()) } else { Err("new") }
    });
    assert_eq!((line.bytes(), other.bytes()), (0, 0));
    std::os::unix::fs::symlink(dev.join("ttyUSB0"), dev.join("by-id")).unwrap();
    assert_eq!(desk.appeared(), "PN532 1.6 on ttyUSB1");
    other.lay(&SHORT);
    assert_eq!(desk.card(), uid(&SHORT));
    assert_eq!(line.bytes(), 0, "not one byte");
    // What answers as nothing is asked once, and left alone.
    let silent = Pn532::start_at(&dev.join("ttyACM0")).unwrap();
    silent.faults(Faults {
        deaf: 1_000,
        ..Faults::default()
    });
    let asked = wait_for("the silent one to be asked", || match silent.commands().len() {
        10.. => Ok(silent.commands()),
        fewer => Err(fewer),
    });
    assert_eq!(asked, [0x14; 10], "ten times the one command");
    other.clear();
    desk.removed();
    other.lay(&LONG);
    assert_eq!(desk.card(), uid(&LONG));
    assert_eq!((silent.commands().len(), line.bytes()), (10, 0));
}

/// Longer than the desk waits before it asks a port.
fn old_enough(port: &Path) -> bool {
    let made = std::fs::symlink_metadata(port).unwrap().modified().unwrap();
    made.elapsed().is_ok_and(|age| age > Duration::from_millis(3_500))
}

#[test]
fn several_at_once_and_a_new_configuration_changes_them() {
    let (one, two) = (Pn532::start().unwrap(), Pn532::start().unwrap());
    let mut desk = Desk::start(&[one.path(), two.path()], false, &[]);
    let mut names = [desk.appeared(), desk.appeared()];
    names.sort();
    assert_eq!(names, ["Reception", "Reception (2)"], "no two have the same name");
    one.lay(&SHORT);
    assert_eq!(desk.card(), uid(&SHORT));
    two.lay(&SHORT);
    assert_eq!(desk.card(), uid(&SHORT), "the same card at the other one");
    desk.readers.reconfigure(None, &[]);
    assert!(desk.readers.list().is_empty());
}

/// Printed by `scripts/test`: what the desk adds to the chip's own time.
#[test]
fn figure_from_card_to_event() {
    let chip = Pn532::start().unwrap();
    let mut desk = Desk::start(&[chip.path()], false, &[]);
    desk.appeared();
    let mut took: Vec<Duration> = (0..40)
        .map(|_| {
            let laid = now();
            chip.lay(&LONG);
            let (event, heard) = desk.next();
            assert!(matches!(event, DeskEvent::Presented { .. }), "{event:?}");
            chip.clear();
            desk.removed();
            heard - laid
        })
        .collect();
    took.sort();
    let ms = |at: usize| took[at].as_secs_f64() * 1_000.0;
    println!(
        "desk_pn532_card_to_event p50 {:.0} ms, p95 {:.0} ms, of which the chip's own: 5 ms a listing, 40 ms field off",
        ms(20),
        ms(38)
    );
}
