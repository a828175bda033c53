//! Readers that type the number like a keyboard: SALTO's NCoder as a desktop reader is one. Only a device that the
//! configuration names is opened; it is taken for the desk alone, so that no number lands in whatever has the focus.
//!
//! | file | what |
//! | --- | --- |
//! | `find` | which device is meant, without opening any |
//! | `source` | keys from the kernel |
//! | `keys` | keys to text |
//! | `number` | text to a credential |

mod find;
mod keys;
mod number;
mod source;

pub use find::{Keyboard, keyboards};

use super::{
    Kind,
    hub::{Hub, unusable},
    start::Around,
};
use crate::{
    config::model::{WedgeDevice, WedgeNumber},
    domain::{CredentialError, ReaderId, say::readers as say},
};
use find::Found;
use keys::{Key, Line, Typed};
use source::{Grabbed, Keys};
use std::{io, path::Path, time::Duration};

/// How often a reader that is gone is looked for, and how long at most one waits for keys before the desk can end.
const EVERY: Duration = Duration::from_millis(500);

/// The thread of a configured reader.
pub(super) fn run(around: &Around, device: &WedgeDevice, number: WedgeNumber, name: Option<&str>) {
    let shown = shown(device);
    let key = format!("desk_wedge:{shown}");
    while !around.stopped() {
        let taken = |path: &Path| around.hub.list().iter().any(|reader| reader.id == id_of(path));
        match find::find(device, &around.places, taken) {
            None => {
                let words = format!(
                    "the reader {shown} is not there; plug it in, or see by `doorward desk readers --keyboards` what it is \
                     called"
                );
                around.hub.trouble(&key, None, &words);
            }
            Some(found) => match Grabbed::open(&found.path) {
                Err(error) => around.hub.trouble(&key, None, &not_ours(&found, &error)),
                Ok(mut keys) => {
                    around.hub.well(&key);
                    let reader = id_of(&found.path);
                    around
                        .hub
                        .appeared(&reader, name.unwrap_or(&found.name), Kind::Wedge);
                    let ended = listen(around, &reader, number, &mut keys);
                    tracing::debug!(%reader, ?ended, "a wedge ended");
                    around.hub.gone(&reader);
                }
            },
        }
        around.rest(EVERY);
    }
}

fn id_of(path: &Path) -> ReaderId {
    let event = path.file_name().unwrap_or(path.as_os_str());
    format!("wedge:{}", event.to_string_lossy()).into()
}

fn shown(device: &WedgeDevice) -> String {
    match device {
        WedgeDevice::Path(path) => path.display().to_string(),
        WedgeDevice::Usb { vendor, product } => format!("{vendor:04x}:{product:04x}"),
        WedgeDevice::Name(name) => format!("\"{name}\""),
    }
}

/// Why a reader that is there is not used, and what to do.
fn not_ours(found: &Found, error: &io::Error) -> String {
    let (name, path) = (&found.name, found.path.display());
    if error.kind() == io::ErrorKind::ResourceBusy {
        return format!("the reader {name} ({path}) is taken by another program; end it");
    }
    if error.kind() != io::ErrorKind::PermissionDenied {
        return format!("the reader {name} ({path}) cannot be used: {error}; plug it in anew");
    }
    let (vendor, product) = found
        .device
        .as_deref()
        .and_then(|device| device.split_once(':'))
        .unwrap_or(("vendor", "product"));
    format!(
        "the reader {name} ({path}) may not be opened. Give it to the gateway: put the line SUBSYSTEM==\"input\", \
         ATTRS{{idVendor}}==\"{vendor}\", ATTRS{{idProduct}}==\"{product}\", GROUP=\"doorward\", MODE=\"0660\" into \
         /etc/udev/rules.d/71-doorward-desk.rules, then run `udevadm control --reload` and plug the reader in anew"
    )
}

/// Reads numbers until the device is gone or the desk ends.
fn listen(around: &Around, reader: &ReaderId, number: WedgeNumber, keys: &mut impl Keys) -> io::Result<()> {
    let mut typed = Typed::default();
    let mut pressed = Vec::new();
    while !around.stopped() {
        keys.read(&mut pressed, EVERY)?;
        let now = around.now();
        for key in pressed.drain(..) {
            take(&around.hub, reader, number, &mut typed, key, now);
        }
    }
    Ok(())
}

fn take(hub: &Hub, reader: &ReaderId, number: WedgeNumber, typed: &mut Typed, key: Key, now: Duration) {
    let credential = match typed.key(key, now) {
        None => return,
        Some(Line::Text(text)) => number::credential(&text, number),
        Some(Line::Spoilt) => Err(CredentialError::NotHex),
    };
    match credential {
        Ok(credential) => {
            hub.presented(reader, credential);
        }
        Err(CredentialError::RandomUid) => hub.remark(reader, unusable(CredentialError::RandomUid)),
        Err(why) => hub.remark(reader, say::reader_typed(why)),
    }
}

#[cfg(test)]
pub(super) use number::credential;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, desk::readers::DeskEvent, domain::Moment, health::Health};

    /// One card of ten digits and Enter, as hid-input hands it on: `struct input_event` of a 64-bit kernel, with the scan
    /// codes, releases and reports between the keys.
    const RECORDED: &[u8] = include_bytes!("recorded/0012345678.bin");

    /// Events out of a record, some at a time, then the end of the device.
    struct Record<'a>(&'a [u8]);

    impl Keys for Record<'_> {
        fn read(&mut self, keys: &mut Vec<Key>, _: Duration) -> io::Result<()> {
            if self.0.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotConnected));
            }
            let (now, later) = self.0.split_at(self.0.len().min(24 * 5));
            self.0 = later;
            for event in now.as_chunks::<24>().0 {
                keys.push(Key {
                    kind: u16::from_le_bytes([event[16], event[17]]),
                    code: u16::from_le_bytes([event[18], event[19]]),
                    value: i32::from_le_bytes([event[20], event[21], event[22], event[23]]),
                });
            }
            Ok(())
        }
    }

    fn heard(number: WedgeNumber, record: &[u8]) -> Vec<DeskEvent> {
        let hub = Hub::new(Clock::manual(Moment::trusted(7)), Health::default());
        let around = Around::of(hub.clone());
        let ended = listen(&around, &"wedge:event5".into(), number, &mut Record(record));
        assert!(ended.is_err(), "unplugged at the end");
        hub.since(0).events.into_iter().map(|(_, event)| event).collect()
    }

    #[test]
    fn a_recorded_card_is_read_and_unplugged_in_the_middle_it_is_not() {
        let expected = DeskEvent::Presented {
            reader: "wedge:event5".into(),
            credential: "uid:00BC614E".parse().unwrap(),
            at: Moment::trusted(7),
        };
        assert_eq!(
            heard(WedgeNumber::Decimal, RECORDED),
            std::slice::from_ref(&expected)
        );
        assert_eq!(heard(WedgeNumber::Decimal, &RECORDED[..RECORDED.len() / 2]), []);
        let twice = [RECORDED, RECORDED].concat();
        assert_eq!(heard(WedgeNumber::Decimal, &twice), [expected.clone(), expected]);
    }

    #[test]
    fn a_number_of_another_format_says_so_without_the_number() {
        let [DeskEvent::Trouble { words, .. }] = &heard(WedgeNumber::KsTag, RECORDED)[..] else {
            panic!("ten digits are no tag number");
        };
        assert!(words.contains("`number`") && !words.contains("1234"), "{words}");
    }

    #[test]
    fn without_permission_it_says_which_rule_to_write() {
        let found = Found {
            path: "/dev/input/event5".into(),
            name: "Sycreader".into(),
            device: Some("ffff:0035".into()),
        };
        let words = not_ours(&found, &io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(
            words.contains("ATTRS{idVendor}==\"ffff\", ATTRS{idProduct}==\"0035\""),
            "{words}"
        );
    }
}
