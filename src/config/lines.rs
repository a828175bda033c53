//! `[[line]]` and its readers: what hangs on which wire.

use super::{
    model::{
        CardFormat, LineConfig, LineKind, OsdpReader, Parity, WradaptFrame, WradaptNumber, WradaptReader,
    },
    reading::{At, Named},
    secrets::Keeper,
    section::Section,
};
use crate::domain::secret::ChannelKey;
use std::path::{Path, PathBuf};

/// OSDP's multidrop addresses; 127 is the broadcast (IEC 60839-11-5, 5.7).
const LAST_ADDRESS: u8 = 126;
/// The well-known default key SCBK-D (OSDP 2.2, D.1.3): no secret.
const DEFAULT_KEY: [u8; 16] = *b"0123456789:;<=>?";
const SPEEDS: [u64; 6] = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400];
/// What only one kind of line knows.
const OSDP_ONLY: [&str; 4] = ["address", "key", "install_mode", "card_format"];
const WRADAPT_ONLY: [&str; 4] = ["frame", "number", "data_bits", "parity"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Osdp,
    Wradapt,
}

/// A line with the places that the checks over several lines need.
pub(super) struct Line {
    pub(super) config: LineConfig,
    pub(super) path: At<PathBuf>,
    pub(super) keys: Vec<At<ChannelKey>>,
    pub(super) addresses: Vec<At<u8>>,
}

/// Every `[[line]]`.
pub(super) fn lines(top: &Section<'_>, keeper: &Keeper<'_>) -> Vec<Line> {
    top.tables("line", "line")
        .iter()
        .map(|section| line(section, keeper))
        .collect()
}

fn line(section: &Section<'_>, keeper: &Keeper<'_>) -> Line {
    let id = section.text("id");
    section.reading.define(Named::Line, &id);
    let kind = section.word("kind", &[("osdp", Kind::Osdp), ("wradapt", Kind::Wradapt)]);
    let kind = kind.map_or(Kind::Osdp, |kind| kind.value);
    let path = device(section);
    let readers = section.tables("reader", "line.reader");
    if readers.is_empty() && !section.has("reader") {
        let what = format!("line `{}` has no reader", id.value);
        section.reading.error(
            &section.span,
            "line.reader",
            what,
            "begin its readers with [[line.reader]] below it",
        );
    }
    let (mut keys, mut addresses) = (Vec::new(), Vec::new());
    let kind = match kind {
        Kind::Osdp => LineKind::Osdp(
            readers
                .iter()
                .map(|reader| osdp(reader, keeper, &mut keys, &mut addresses))
                .collect(),
        ),
        Kind::Wradapt => {
            for extra in readers.iter().skip(1) {
                let what = "a WRADAPT has one wall reader, this is another";
                extra.reading.error(
                    &extra.span,
                    "line.reader",
                    what,
                    "give each adaptor a [[line]] of its own",
                );
            }
            let mut readers = readers.iter().map(wradapt);
            LineKind::Wradapt(
                readers
                    .next()
                    .unwrap_or_else(|| wradapt(&Section::empty(section, "line.reader"))),
            )
        }
    };
    let config = LineConfig {
        id: id.value.into(),
        path: path.value.clone(),
        baud: baud(section),
        kind,
    };
    Line {
        config,
        path,
        keys,
        addresses,
    }
}

fn device(section: &Section<'_>) -> At<PathBuf> {
    let path = section.path("path", Path::new(""));
    if path.is_none() && !section.has("path") {
        section.missing("path", "the serial port, best /dev/serial/by-id/…: it stays the same when adapters are plugged elsewhere");
    }
    let path = path.unwrap_or_default();
    if path.value.is_relative() && !path.span.is_empty() {
        section.reading.wrong(
            &path,
            format!("{} is no device", path.value.display()),
            "write the whole path, /dev/serial/by-id/… say",
        );
    }
    path
}

fn baud(section: &Section<'_>) -> u32 {
    let baud = section.number("baud", 300, 4_000_000);
    if !SPEEDS.contains(&baud.value) && !baud.span.is_empty() {
        let list = SPEEDS.map(|speed| speed.to_string()).join(", ");
        section.reading.wrong(
            &baud,
            format!("no reader speaks at {} baud", baud.value),
            format!("it is one of {list}"),
        );
    }
    u32::try_from(baud.value).unwrap_or_default()
}

fn refuse_foreign(section: &Section<'_>, foreign: &[&str], other: &str) {
    for name in foreign.iter().filter(|name| section.has(name)) {
        let what = format!("`{name}` means nothing here: it is for lines of kind \"{other}\"");
        section.reading.error(
            &section.span_of(name),
            &section.key(name),
            what,
            format!("leave it out, or set kind = \"{other}\" at the line"),
        );
    }
}

fn common(section: &Section<'_>) -> (At<String>, At<String>) {
    let (id, door) = (section.text("id"), section.text("door"));
    section.reading.define(Named::Reader, &id);
    section.reading.refer(Named::Door, &door);
    (id, door)
}

fn osdp(
    section: &Section<'_>,
    keeper: &Keeper<'_>,
    keys: &mut Vec<At<ChannelKey>>,
    addresses: &mut Vec<At<u8>>,
) -> OsdpReader {
    refuse_foreign(section, &WRADAPT_ONLY, "wradapt");
    let (id, door) = common(section);
    let address = section.byte("address", LAST_ADDRESS);
    if section.has("address") {
        addresses.push(address.clone());
    } else {
        section.missing(
            "address",
            "an OSDP reader has an address, 0 as delivered; every reader of a line another one",
        );
    }
    let install_mode = section.flag("install_mode");
    let key = channel_key(section, keeper);
    keys.extend(key.clone());
    if install_mode.value {
        let what = format!(
            "reader `{}` is in install mode: it accepts a key that everybody knows",
            id.value
        );
        section.reading.warn(
            &install_mode.span,
            &install_mode.key,
            what,
            "take install_mode out when the reader has its own key",
        );
    } else if !section.has("key") {
        let what = format!("reader `{}` has no key", id.value);
        section.reading.error(
            &section.span,
            "line.reader.key",
            what,
            "write key = { file = \"…\" } (32 hexadecimal digits), or install_mode = true for the first contact",
        );
    }
    let formats = [
        ("auto", CardFormat::Auto),
        ("uid", CardFormat::Uid),
        ("uid-reversed", CardFormat::UidReversed),
        ("wiegand", CardFormat::Wiegand),
    ];
    OsdpReader {
        id: id.value.into(),
        address: address.value,
        key: key.map(|key| key.value),
        install_mode: install_mode.value,
        door: door.value.into(),
        card: section
            .word("card_format", &formats)
            .map(|format| format.value)
            .unwrap_or_default(),
    }
}

fn channel_key(section: &Section<'_>, keeper: &Keeper<'_>) -> Option<At<ChannelKey>> {
    let text = keeper.secret(section, "key")?;
    if text.value.reveal().is_empty() {
        return None; // only looking, and it could not be read
    }
    let Some(key) = ChannelKey::from_hex(text.value.reveal()) else {
        let what = "the file or credential does not hold an OSDP key";
        section.reading.wrong(
            &text,
            what,
            "a key is 32 hexadecimal digits: openssl rand -hex 16",
        );
        return None;
    };
    if key.reveal() == DEFAULT_KEY {
        let what = "this is OSDP's default key, which everybody knows";
        section.reading.wrong(
            &text,
            what,
            "make one: openssl rand -hex 16; install_mode = true is for the first contact only",
        );
        return None;
    }
    Some(text.map(|_| key))
}

fn wradapt(section: &Section<'_>) -> WradaptReader {
    refuse_foreign(section, &OSDP_ONLY, "osdp");
    let (id, door) = common(section);
    let frames = [("stx", WradaptFrame::Stx), ("text", WradaptFrame::Text)];
    let numbers = [
        ("rom14", WradaptNumber::Rom14),
        ("wiegand26", WradaptNumber::Wiegand26),
    ];
    let parities = [
        ("none", Parity::None),
        ("even", Parity::Even),
        ("odd", Parity::Odd),
    ];
    WradaptReader {
        id: id.value.into(),
        door: door.value.into(),
        frame: section
            .word("frame", &frames)
            .map_or(WradaptFrame::Stx, |at| at.value),
        number: section
            .word("number", &numbers)
            .map_or(WradaptNumber::Rom14, |at| at.value),
        data_bits: u8::try_from(section.number("data_bits", 7, 8).value).unwrap_or(8),
        parity: section
            .word("parity", &parities)
            .map_or(Parity::None, |at| at.value),
    }
}
