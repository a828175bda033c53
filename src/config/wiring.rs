//! `[[door]]`: how doors are released and watched, and the checks over the whole wiring.

use super::{
    lines::Line,
    model::{DoorConfig, InputRef, LineKind, OutputRef},
    reading::{At, Named},
    section::Section,
};
use std::collections::BTreeMap;

/// libosdp and the field's devices number at most this many outputs or inputs.
const LAST_PIN: u8 = 31;

/// A door with the places that the checks need.
pub(super) struct Wired {
    pub(super) config: DoorConfig,
    id: At<String>,
    release: Option<At<(String, u8)>>,
    inputs: Vec<At<(String, u8)>>,
}

/// How one door hangs on its readers.
pub(super) fn door(section: &Section<'_>) -> Wired {
    let id = section.text("id"); // defined, and complained about, with the site
    let release = section.table("release", "door.release").map(|release| {
        let (reader, output) = (reader(&release), release.byte("output", LAST_PIN));
        At {
            value: (reader, output.value),
            span: release.span.clone(),
            key: "door.release".into(),
        }
    });
    let mut inputs = Vec::new();
    let mut input = |name: &str, path: &'static str| {
        let input = section.table(name, path)?;
        let pin = At {
            value: (reader(&input), input.byte("input", LAST_PIN).value),
            span: input.span.clone(),
            key: path.into(),
        };
        let (reader, number) = pin.value.clone();
        inputs.push(pin);
        Some(InputRef {
            reader: reader.into(),
            input: number,
            active_low: input.flag("active_low").value,
        })
    };
    let contact = input("contact", "door.contact");
    let request_to_exit = input("request_to_exit", "door.request_to_exit");
    let config = DoorConfig {
        id: id.value.clone().into(),
        release: release.as_ref().map(|at| OutputRef {
            reader: at.value.0.clone().into(),
            output: at.value.1,
        }),
        release_for: section.duration("release_seconds", 1, 600),
        contact,
        request_to_exit,
        held_after: section.duration("held_after_seconds", 1, 86_400),
        ks_lock: section.optional_text("ks_lock").map(|lock| lock.value),
    };
    Wired {
        config,
        id,
        release,
        inputs,
    }
}

fn reader(section: &Section<'_>) -> String {
    let reader = section.text("reader");
    section.reading.refer(Named::Reader, &reader);
    reader.value
}

/// What one section cannot know: two of a kind on one wire, a pin that the device does not have.
pub(super) fn check(top: &Section<'_>, lines: &[Line], doors: &[Wired]) {
    paths(top, lines);
    keys(top, lines);
    for line in lines {
        addresses(top, line);
    }
    pins(top, lines, doors);
    for door in doors.iter().filter(|door| !door.id.span.is_empty()) {
        let has_reader = lines
            .iter()
            .any(|line| reader_doors(line).any(|id| id == door.id.value));
        if !has_reader {
            let what = format!("no reader belongs to door `{}`", door.id.value);
            top.reading.warn(
                &door.id.span,
                "door.id",
                what,
                format!("write door = \"{}\" at a reader", door.id.value),
            );
        }
    }
}

fn reader_doors(line: &Line) -> Box<dyn Iterator<Item = &str> + '_> {
    match &line.config.kind {
        LineKind::Osdp(readers) => Box::new(readers.iter().map(|reader| reader.door.as_str())),
        LineKind::Wradapt(reader) => Box::new(std::iter::once(reader.door.as_str())),
    }
}

fn paths(top: &Section<'_>, lines: &[Line]) {
    let mut seen: BTreeMap<_, &Line> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.path.span.is_empty()) {
        // Two names may lead to one port, as far as it is plugged in here.
        let port = std::fs::canonicalize(&line.path.value).unwrap_or_else(|_| line.path.value.clone());
        let Some(other) = seen.insert(port, line) else {
            continue;
        };
        let what = format!(
            "lines `{}` and `{}` are on one port",
            other.config.id, line.config.id
        );
        top.reading
            .wrong(&line.path, what, "readers of one port belong to one [[line]]");
    }
}

fn keys(top: &Section<'_>, lines: &[Line]) {
    let mut seen = Vec::new();
    for key in lines.iter().flat_map(|line| &line.keys) {
        if seen.contains(&key.value.reveal()) {
            top.reading.warn(
                &key.span,
                &key.key,
                "another reader has the same key",
                "whoever takes one reader off the wall has the other's key as well: give each its own",
            );
        }
        seen.push(key.value.reveal());
    }
}

fn addresses(top: &Section<'_>, line: &Line) {
    for (index, address) in line.addresses.iter().enumerate() {
        if line
            .addresses
            .iter()
            .take(index)
            .any(|earlier| earlier.value == address.value)
        {
            let what = format!(
                "two readers on line `{}` have the address {}",
                line.config.id, address.value
            );
            top.reading.wrong(
                address,
                what,
                "give each reader of a line its own, in the reader and here",
            );
        }
    }
}

fn pins(top: &Section<'_>, lines: &[Line], doors: &[Wired]) {
    let wall_readers: Vec<&str> = lines
        .iter()
        .filter_map(|line| match &line.config.kind {
            LineKind::Wradapt(reader) => Some(reader.id.as_str()),
            LineKind::Osdp(_) => None,
        })
        .collect();
    let releases: Vec<_> = doors.iter().filter_map(|door| door.release.as_ref()).collect();
    let inputs: Vec<_> = doors.iter().flat_map(|door| &door.inputs).collect();
    for (word, pins) in [("output", releases), ("input", inputs)] {
        for (index, pin) in pins.iter().enumerate() {
            let (reader, number) = &pin.value;
            if wall_readers.contains(&reader.as_str()) {
                let what = format!("reader `{reader}` is behind a WRADAPT, which has no {word}s");
                top.reading.wrong(
                    pin,
                    what,
                    format!(
                        "name an OSDP reader that has the {word}, or leave `{}` out",
                        pin.key
                    ),
                );
            }
            if pins.iter().take(index).any(|earlier| earlier.value == pin.value) && !reader.is_empty() {
                let what = format!("{word} {number} of reader `{reader}` is used twice");
                top.reading.wrong(
                    pin,
                    what,
                    format!("each {word} has one purpose: check the numbers at the terminals"),
                );
            }
        }
    }
}
