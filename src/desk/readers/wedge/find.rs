//! Which input device is the configured reader: by what the kernel tells of each, so that no keyboard is opened to look.

use crate::{config::model::WedgeDevice, desk::readers::start::Places};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Keys that every reader types: 1 and Enter (linux/input-event-codes.h). Power buttons and volume knobs have neither.
const NEEDED: [u32; 2] = [2, 28];

/// An input device that could type a number: a card reader, or somebody's keyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keyboard {
    /// `event5`.
    pub event: String,
    /// What it calls itself.
    pub name: String,
    /// `vendor:product` as the configuration wants it.
    pub device: String,
}

impl Keyboard {
    fn path(&self, places: &Places) -> PathBuf {
        places.dev.join("input").join(&self.event)
    }
}

/// Every device that has digits and Enter, in the order of their numbers.
#[must_use]
pub fn keyboards(places: &Places) -> Vec<Keyboard> {
    let Ok(entries) = fs::read_dir(places.sys.join("class/input")) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, Keyboard)> = entries
        .flatten()
        .filter_map(|entry| {
            let event = entry.file_name().to_string_lossy().into_owned();
            let number = event.strip_prefix("event")?.parse().ok()?;
            keyboard(event, &entry.path().join("device")).map(|keyboard| (number, keyboard))
        })
        .collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, keyboard)| keyboard).collect()
}

fn keyboard(event: String, about: &Path) -> Option<Keyboard> {
    let read = |name: &str| {
        fs::read_to_string(about.join(name))
            .map(|text| text.trim().to_owned())
            .ok()
    };
    // Words of 64 bits (32 on small machines), the last one holds the lowest codes.
    let keys = read("capabilities/key")?;
    let lowest = u64::from_str_radix(keys.split_whitespace().last()?, 16).ok()?;
    let types = NEEDED.iter().all(|code| lowest >> code & 1 == 1);
    types.then_some(Keyboard {
        event,
        name: read("name").unwrap_or_default(),
        device: format!("{}:{}", read("id/vendor")?, read("id/product")?),
    })
}

/// What was found of the configured reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) name: String,
    /// `vendor:product`, if the kernel told it.
    pub(super) device: Option<String>,
}

/// The configured device, if it is there; the first that `taken` does not say is another entry's.
pub(super) fn find(wanted: &WedgeDevice, places: &Places, taken: impl Fn(&Path) -> bool) -> Option<Found> {
    let all = keyboards(places);
    let found = |keyboard: &Keyboard| Found {
        path: keyboard.path(places),
        name: keyboard.name.clone(),
        device: Some(keyboard.device.clone()),
    };
    let matching = |matches: &dyn Fn(&Keyboard) -> bool| {
        let mut free = all.iter().filter(|keyboard| !taken(&keyboard.path(places)));
        free.find(|keyboard| matches(keyboard)).map(found)
    };
    match wanted {
        WedgeDevice::Usb { vendor, product } => {
            let device = format!("{vendor:04x}:{product:04x}");
            matching(&|keyboard| keyboard.device.eq_ignore_ascii_case(&device))
        }
        WedgeDevice::Name(name) => matching(&|keyboard| keyboard.name == name.trim()),
        WedgeDevice::Path(path) => {
            let device = path.canonicalize().ok()?;
            let known = all
                .iter()
                .find(|keyboard| keyboard.path(places) == device)
                .map(found);
            Some(known.unwrap_or(Found {
                path: device,
                name: "keyboard wedge".into(),
                device: None,
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel with a keyboard, a power button and two readers of a kind.
    fn machine() -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().unwrap();
        for (event, name, vendor, product, keys) in [
            ("event0", "Power Button", "0000", "0001", "10000000000000 0"),
            (
                "event3",
                "Dell KB216",
                "413c",
                "2113",
                "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe",
            ),
            (
                "event10",
                "Sycreader RFID",
                "ffff",
                "0035",
                "e080ffdf01cfffff fffffffffffffffe",
            ),
            (
                "event4",
                "Sycreader RFID",
                "ffff",
                "0035",
                "e080ffdf01cfffff fffffffffffffffe",
            ),
        ] {
            let about = dir.path().join("class/input").join(event).join("device");
            fs::create_dir_all(about.join("capabilities")).unwrap();
            fs::create_dir_all(about.join("id")).unwrap();
            fs::write(about.join("name"), format!("{name}\n")).unwrap();
            fs::write(about.join("id/vendor"), format!("{vendor}\n")).unwrap();
            fs::write(about.join("id/product"), format!("{product}\n")).unwrap();
            fs::write(about.join("capabilities/key"), format!("{keys}\n")).unwrap();
        }
        let places = Places {
            dev: "/dev".into(),
            sys: dir.path().into(),
        };
        (dir, places)
    }

    #[test]
    fn a_reader_is_found_by_what_it_is_and_each_is_taken_once() {
        let (_dir, places) = machine();
        let events: Vec<_> = keyboards(&places)
            .into_iter()
            .map(|keyboard| keyboard.event)
            .collect();
        assert_eq!(events, ["event3", "event4", "event10"]);
        let usb = WedgeDevice::Usb {
            vendor: 0xFFFF,
            product: 0x35,
        };
        let path = |wanted: &WedgeDevice, taken: &str| {
            find(wanted, &places, |path| path.ends_with(taken)).map(|found| found.path)
        };
        assert_eq!(path(&usb, "none"), Some("/dev/input/event4".into()));
        assert_eq!(path(&usb, "event4"), Some("/dev/input/event10".into()));
        assert_eq!(
            path(&WedgeDevice::Name("Sycreader".into()), "none"),
            None,
            "the whole name only"
        );
        let named = WedgeDevice::Name("Sycreader RFID".into());
        assert_eq!(path(&named, "none"), Some("/dev/input/event4".into()));
    }
}
