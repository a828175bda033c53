//! `[desk]`: the readers of the enrolment desk.

use super::section::Section;
use std::path::PathBuf;

/// `[desk]`: the readers of the enrolment desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskConfig {
    /// `pcsc = true`: every contactless reader that pcscd has.
    pub pcsc: bool,
    /// `pn532 = true`: USB serial ports that belong to no door line are asked whether a PN532 is there.
    pub find_pn532: bool,
    /// `[[desk.reader]]`: readers that do not show themselves.
    pub readers: Vec<DeskReaderConfig>,
}

/// `[[desk.reader]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskReaderConfig {
    /// `name`: what people call it. Absent: what it calls itself.
    pub name: Option<String>,
    /// What it is and where.
    pub place: DeskPlace,
}

/// What a configured reader of the desk is and where it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskPlace {
    /// `kind = "pn532"`: a PN532 on a serial port at 115,200 baud (HSU).
    Pn532 {
        /// `path`: the port.
        path: PathBuf,
    },
    /// `kind = "wedge"`: a reader that types like a keyboard. It is taken for the desk alone.
    Wedge {
        /// `path` or `device`.
        device: WedgeDevice,
        /// `number`: what it types.
        number: WedgeNumber,
    },
}

/// Which keyboard is a card reader. Never guessed: the wrong one would be somebody's keyboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WedgeDevice {
    /// `path`: best one below `/dev/input/by-id/`.
    Path(PathBuf),
    /// `device = "vendor:product"`, hexadecimal, as lsusb shows.
    Usb {
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
    },
    /// `device = "…"`: the name that it gives itself, whole.
    Name(String),
}

/// How a keyboard wedge writes the number of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WedgeNumber {
    /// `hex`: the UID, first byte on air first.
    Hex,
    /// `hex-reversed`: the UID, last byte first.
    HexReversed,
    /// `decimal`: ten digits: four bytes as one number, first byte on air most significant.
    Decimal,
    /// `decimal-reversed`: the same, last byte most significant.
    DecimalReversed,
    /// `3+5`: facility and number in decimal, 3 and 5 digits.
    ThreeFive,
    /// `wiegand26`: facility and number in hexadecimal: six digits, or the telegram with its parity in seven or eight.
    Wiegand26,
    /// `rom14`: SALTO's ROM code, 14 hexadecimal digits.
    Rom14,
    /// `ks`: the tag number of SALTO KS.
    KsTag,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pn532,
    Wedge,
}

/// What only a wedge knows.
const WEDGE_ONLY: [&str; 2] = ["device", "number"];

/// `[desk]`, if the file has it.
pub(super) fn desk(top: &Section<'_>) -> Option<DeskConfig> {
    let section = top.table("desk", "desk")?;
    let readers = section.tables("reader", "desk.reader");
    Some(DeskConfig {
        pcsc: section.flag("pcsc").value,
        find_pn532: section.flag("pn532").value,
        readers: readers.iter().filter_map(reader).collect(),
    })
}

fn reader(section: &Section<'_>) -> Option<DeskReaderConfig> {
    let kind = section.word("kind", &[("pn532", Kind::Pn532), ("wedge", Kind::Wedge)]);
    let name = section.optional_text("name").map(|name| name.value);
    let path = absolute(section);
    let place = match kind?.value {
        Kind::Pn532 => {
            for key in WEDGE_ONLY.into_iter().filter(|key| section.has(key)) {
                let what = format!("a reader of kind \"pn532\" has no `{key}`");
                let hint = "leave it out, or write kind = \"wedge\"";
                section
                    .reading
                    .error(&section.span_of(key), &format!("desk.reader.{key}"), what, hint);
            }
            if !section.has("path") {
                section.missing(
                    "path",
                    "name its serial port, best one below /dev/serial/by-id/; `pn532 = true` in [desk] finds it by itself",
                );
            }
            DeskPlace::Pn532 { path: path? }
        }
        Kind::Wedge => DeskPlace::Wedge {
            number: number(section)?,
            device: device(section, path)?,
        },
    };
    Some(DeskReaderConfig { name, place })
}

/// A device is found from anywhere, so by a whole path.
fn absolute(section: &Section<'_>) -> Option<PathBuf> {
    let path = section.optional_text("path")?;
    if !path.value.starts_with('/') {
        section
            .reading
            .wrong(&path, "`path` must be a whole path", "begin it with /dev/");
        return None;
    }
    Some(path.value.into())
}

fn number(section: &Section<'_>) -> Option<WedgeNumber> {
    let words = [
        ("hex", WedgeNumber::Hex),
        ("hex-reversed", WedgeNumber::HexReversed),
        ("decimal", WedgeNumber::Decimal),
        ("decimal-reversed", WedgeNumber::DecimalReversed),
        ("3+5", WedgeNumber::ThreeFive),
        ("wiegand26", WedgeNumber::Wiegand26),
        ("rom14", WedgeNumber::Rom14),
        ("ks", WedgeNumber::KsTag),
    ];
    section.word("number", &words).map(|number| number.value)
}

/// By path or by what it says of itself, never both and never neither.
fn device(section: &Section<'_>, path: Option<PathBuf>) -> Option<WedgeDevice> {
    let device = section.optional_text("device");
    match (device, section.has("path")) {
        (Some(device), true) => {
            section.reading.wrong(
                &device,
                "a wedge is named by `path` or by `device`, not by both",
                "leave one of them out",
            );
            None
        }
        (None, true) => path.map(WedgeDevice::Path),
        (None, false) => {
            section.missing(
                "device",
                "say which keyboard is the reader: `doorward desk readers --keyboards` lists them. None is ever taken \
                 by guessing",
            );
            None
        }
        (Some(device), false) => {
            if device.value.trim().is_empty() {
                section.reading.wrong(
                    &device,
                    "`device` is empty",
                    "write vendor:product as lsusb shows it, or the reader's name",
                );
                return None;
            }
            Some(usb(&device.value).unwrap_or(WedgeDevice::Name(device.value)))
        }
    }
}

/// `vendor:product`, four hexadecimal digits each.
fn usb(text: &str) -> Option<WedgeDevice> {
    let (vendor, product) = text.split_once(':')?;
    let number = |part: &str| {
        let hex = part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| u16::from_str_radix(part, 16).ok()).flatten()
    };
    Some(WedgeDevice::Usb {
        vendor: number(vendor)?,
        product: number(product)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment, Findings, Purpose, parse};

    fn read(desk: &str) -> (Option<Config>, Findings) {
        let text = format!(
            "[site]\nid = \"s\"\nname = \"S\"\nzone = \"UTC\"\n[paths]\nstate = \"/x\"\nruntime = \"/x\"\n[cloud]\nkind = \
             \"none\"\n{desk}"
        );
        let file = std::path::Path::new("/x/doorward.toml");
        parse(file, text, Purpose::Inspect, &Environment::default())
    }

    #[test]
    fn a_desk_finds_its_readers_and_takes_only_named_keyboards() {
        let desk = |text: &str| read(text).0.unwrap().desk;
        assert_eq!(desk(""), None, "nothing is looked for without [desk]");
        let found = desk("[desk]\n").unwrap();
        assert!(found.pcsc && found.find_pn532 && found.readers.is_empty());
        let named = desk(
            "[desk]\npcsc = false\n[[desk.reader]]\nkind = \"wedge\"\ndevice = \"08FF:0009\"\nnumber = \"3+5\"\n\
             [[desk.reader]]\nkind = \"wedge\"\nname = \"NCoder\"\ndevice = \"SALTO NCoder\"\n\
             [[desk.reader]]\nkind = \"pn532\"\npath = \"/dev/ttyUSB7\"\n",
        )
        .unwrap();
        let [typed, ncoder, serial] = &named.readers[..] else {
            panic!("{named:?}")
        };
        let usb = WedgeDevice::Usb {
            vendor: 0x08FF,
            product: 9,
        };
        assert_eq!(
            typed.place,
            DeskPlace::Wedge {
                device: usb,
                number: WedgeNumber::ThreeFive
            }
        );
        assert_eq!(
            ncoder.place,
            DeskPlace::Wedge {
                device: WedgeDevice::Name("SALTO NCoder".into()),
                number: WedgeNumber::Hex
            }
        );
        assert_eq!(
            serial.place,
            DeskPlace::Pn532 {
                path: "/dev/ttyUSB7".into()
            }
        );
    }

    #[test]
    fn a_reader_that_could_be_anything_is_refused() {
        for (text, expected) in [
            ("kind = \"wedge\"", "`device` is missing"),
            (
                "kind = \"wedge\"\ndevice = \"a\"\npath = \"/dev/input/event3\"",
                "not by both",
            ),
            ("kind = \"wedge\"\npath = \"event3\"", "whole path"),
            ("kind = \"wedge\"\ndevice = \"\"", "`device` is empty"),
            ("kind = \"pn532\"", "`path` is missing"),
            (
                "kind = \"pn532\"\npath = \"/dev/ttyUSB0\"\nnumber = \"hex\"",
                "has no `number`",
            ),
            ("kind = \"scanner\"", "cannot be \"scanner\""),
        ] {
            let (config, findings) = read(&format!("[desk]\n[[desk.reader]]\n{text}\n"));
            assert!(config.is_none(), "{text}");
            assert!(findings.to_string().contains(expected), "{text}: {findings}");
        }
    }
}
