//! `doorward report`: how the gateway is.

use super::{
    Context,
    client::Client,
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone},
};
use crate::daemon::control::{FaultDoc, StatusDoc};
use serde_json::Value;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward report
  doorward report --json | jq .faults

Exit status: 0 if the gateway runs without faults, 1 with faults, 69 if it does not run.")]
pub struct ReportArgs {}

pub(super) fn run(context: &Context<'_>, _args: &ReportArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let doc = context.runtime()?.block_on(client.status())?;
    show(out, &doc, &config.site.zone)
}

/// Prints a status: faults first, then each part; times by the clock of `zone`. The exit status.
///
/// # Errors
/// When it cannot be written.
pub fn show(out: &mut Out, doc: &StatusDoc, zone: &str) -> Result<u8, Failure> {
    let status = if doc.faults.is_empty() {
        status::OK
    } else {
        status::FAILED
    };
    if out.is_json() {
        out.json(doc)?;
        return Ok(status);
    }
    let (version, uptime) = (&doc.version, moment::length(doc.uptime_seconds));
    out.line(&format!(
        "doorward {version} at {}, running for {uptime}",
        doc.site
    ))?;
    out.line("")?;
    faults(out, &doc.faults.iter().collect::<Vec<_>>(), zone)?;
    for (name, value) in &doc.sections {
        section(out, name, value)?;
    }
    Ok(status)
}

/// The faults, or that there are none.
pub(super) fn faults(out: &mut Out, faults: &[&FaultDoc], zone: &str) -> Result<(), Failure> {
    if faults.is_empty() {
        let none = out.paint(Tone::Good, "no faults");
        out.line(&none)?;
        return out.line("");
    }
    let row = |fault: &&FaultDoc| {
        vec![
            Cell(fault.key.clone(), Tone::Bad),
            moment::local(fault.since, zone).into(),
            fault.text.clone().into(),
        ]
    };
    out.table(
        &["fault", "since", "what to do"],
        faults.iter().map(row).collect(),
    )?;
    out.line("")
}

/// One part: a line for each value, lists of objects as tables of their own.
pub(super) fn section(out: &mut Out, name: &str, value: &Value) -> Result<(), Failure> {
    let heading = out.paint(Tone::Strong, name);
    out.line(&heading)?;
    let mut rows = Vec::new();
    flatten(&mut rows, "", value);
    if rows.is_empty() {
        rows.push(vec!["  -".into(), "".into()]);
    }
    out.table(&[], rows)?;
    out.line("")
}

fn flatten(rows: &mut Vec<Vec<Cell>>, path: &str, value: &Value) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| flatten(rows, &below(name), value)),
        Value::Array(list) if list.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in list.iter().enumerate() {
                // An item that has a name is called by it.
                let mut item = item.clone();
                let named = |item: &mut Value, key: &str| item.as_object_mut()?.remove(key);
                let name = named(&mut item, "id").or_else(|| named(&mut item, "name"));
                let name = name.map_or_else(|| (index + 1).to_string(), |name| plain(&name));
                flatten(rows, &below(&name), &item);
            }
        }
        leaf => rows.push(vec![
            format!("  {}", path.replace('_', " ")).into(),
            plain(leaf).into(),
        ]),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
