//! The tables of docs/benchmarks.md out of target/bench.json.

use crate::report::{self, Failure};
use serde_json::{Map, Value};
use std::{fs, path::Path};

const BEGIN: &str = "<!-- figures: written by `scripts/bench --table` -->";
const END: &str = "<!-- end of figures -->";

/// A table: its heading, what its names begin with, and a sentence.
const TABLES: &[(&str, &[&str])] = &[
    ("Decision", &["decide", "cedar", "sqlite_point", "image", "clock"]),
    (
        "Answer",
        &["answer", "answer_disk_saturated", "disk/fsync", "disk_saturated"],
    ),
    ("Whole path", &["tap", "tap_light"]),
    ("Rules", &["rules"]),
    ("Start", &["start"]),
    (
        "Memory",
        &["rss", "rss_after_pull", "rss_desk", "rss_ks", "rss_sync"],
    ),
    ("Killed", &["kill9"]),
    ("Backlog", &["drain"]),
    ("Change", &["hint", "poll"]),
    (
        "Desk",
        &[
            "desk_search",
            "desk_assign",
            "desk_block",
            "desk_presented",
            "desk_bulk",
        ],
    ),
    ("SALTO KS", &["ks"]),
    ("Disk", &["disk/event_bytes"]),
    ("Page", &["page"]),
];

/// What a figure should be: at most, or at least.
enum Aim {
    Below(f64),
    AtLeast(f64),
}

const AIMS: &[(&str, Aim)] = &[
    ("decide/250000/p50", Aim::Below(1.0)),
    ("decide/250000/p99", Aim::Below(3.0)),
    ("decide/250000/vs_cedar", Aim::AtLeast(5.0)),
    ("decide/250000/vs_sqlite", Aim::AtLeast(1.0)),
    ("answer/p50", Aim::Below(200.0)),
    ("answer/p99", Aim::Below(1_000.0)),
    ("answer_disk_saturated/p99", Aim::Below(1_000.0)),
    ("rules/10000/full", Aim::Below(200.0)),
    ("rules/10000/one_booking", Aim::Below(5.0)),
    ("start/250000", Aim::Below(100.0)),
    ("rss/10000", Aim::Below(15.0)),
    ("rss_after_pull/10000", Aim::Below(15.0)),
    ("rss_sync/10000/above_idle", Aim::Below(20.0)),
    ("rss_sync/cobot/first", Aim::Below(20.0)),
    ("rss_sync/cobot/later", Aim::Below(20.0)),
    ("rss_sync/nexudus/first", Aim::Below(20.0)),
    ("rss_sync/nexudus/later", Aim::Below(20.0)),
    ("rss_sync/officernd/first", Aim::Below(20.0)),
    ("rss_sync/officernd/later", Aim::Below(20.0)),
    ("rss_sync/spacebring/first", Aim::Below(20.0)),
    ("rss_sync/spacebring/later", Aim::Below(20.0)),
    ("kill9/lost", Aim::Below(0.5)),
    ("kill9/doubled", Aim::Below(0.5)),
    ("drain/50000", Aim::Below(60.0)),
    ("hint/contract/p99", Aim::Below(1_000.0)),
    // The enrolment desk.
    ("desk_search/10000/p95", Aim::Below(30.0)),
    ("desk_assign/opens/p95", Aim::Below(200.0)),
    ("desk_block/refused/p95", Aim::Below(1_000.0)),
    ("desk_presented/all/p95", Aim::Below(150.0)),
    ("desk_bulk/60/presentations", Aim::Below(60.5)),
    ("page/presented/p95", Aim::Below(150.0)),
    ("page/assign_to_open/p95", Aim::Below(200.0)),
    ("page/search_10000/first_result/p95", Aim::Below(100.0)),
    ("page/weight", Aim::Below(150.0)),
    ("ks/plan/300", Aim::Below(120.0)),
    ("ks/plan/300/vs_one_by_one", Aim::AtLeast(4.0)),
    ("ks/steady/1000/max", Aim::Below(16.0)),
    ("ks/check_in/max", Aim::Below(1_000.0)),
    ("ks/past/10000", Aim::Below(30.0)),
    ("ks/past/10000/doubled", Aim::Below(0.5)),
    // The poll interval and two seconds.
    ("poll/contract/5s/max", Aim::Below(7_000.0)),
];

/// Writes the tables between the marks of docs/benchmarks.md.
pub(crate) fn write() -> Result<(), Failure> {
    let figures: Map<String, Value> = serde_json::from_slice(&fs::read(report::path())?)?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let text = fs::read_to_string(&page)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("the page has no mark for its figures")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the page has no mark after its figures")?;
    let text = format!("{before}{BEGIN}\n\n{}{END}{after}", tables(&figures));
    Ok(fs::write(page, text)?)
}

fn tables(figures: &Map<String, Value>) -> String {
    let machine = figures.get("machine").and_then(|note| note.get("text"));
    let machine = machine.and_then(Value::as_str).unwrap_or("unknown");
    let mut text = format!("Measured on: {machine}.\n\n");
    for (heading, prefixes) in TABLES {
        text += &format!("### {heading}\n\n| figure | value | unit | aim |\n| --- | ---: | --- | --- |\n");
        for prefix in *prefixes {
            // What is not a number, a note say, is for the file alone.
            let shown_here =
                |(name, figure): &(&String, &Value)| belongs(name, prefix) && figure.get("value").is_some();
            let mut rows: Vec<_> = figures.iter().filter(shown_here).collect();
            rows.sort_by_key(|(name, _)| natural(name));
            for (name, figure) in rows {
                let value = figure.get("value").and_then(Value::as_f64).unwrap_or(f64::NAN);
                let unit = figure.get("unit").and_then(Value::as_str).unwrap_or_default();
                text += &format!(
                    "| `{name}` | {} | {unit} | {} |\n",
                    shown(value),
                    aim(name, value)
                );
            }
        }
        text.push('\n');
    }
    text
}

fn belongs(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Numbers in names sort by value.
fn natural(name: &str) -> Vec<(u64, String)> {
    name.split('/')
        .map(|part| (part.parse().unwrap_or(0), part.to_owned()))
        .collect()
}

/// Three digits that matter.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn aim(name: &str, value: f64) -> String {
    let Some((_, aim)) = AIMS.iter().find(|(aimed, _)| *aimed == name) else {
        return String::new();
    };
    let (words, reached) = match aim {
        Aim::Below(0.5) => ("0".to_owned(), value < 0.5),
        Aim::Below(limit) => (format!("below {limit}"), value < *limit),
        Aim::AtLeast(limit) => (format!("at least {limit}"), value >= *limit),
    };
    if reached {
        words
    } else {
        format!("{words}: **missed**")
    }
}
