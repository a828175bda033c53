//! `doorward report`: how the gateway is.

mod cloud;
mod flat;
mod parts;

use super::{
    Context,
    client::{Client, ClientError},
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone, plain},
    stored,
};
use crate::{
    access::Limits,
    clock::Clock,
    config::Config,
    daemon::control::{FaultDoc, StatusDoc},
    domain::{GrantKind, Moment, time::Millis},
    store,
    sync::stale,
    web::signin::FirstDoc,
};
use hyper::Method;
use serde::Serialize;
use serde_json::Value;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward report
  doorward report --json | jq .faults

Exit status: 0 if the gateway runs without faults, 1 with faults, 69 if it does not run, 78 if the configuration has
mistakes.")]
pub struct ReportArgs {}

pub(super) fn run(context: &Context<'_>, _args: &ReportArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    let doc = runtime.block_on(client.status())?;
    first_code(out, &config, || {
        runtime.block_on(client.json(Method::GET, "/v1/staff/first", None))
    })?;
    show(out, &with_warnings(doc, &config), &View::now(&config))
}

/// How the first account at the page is made, while nobody has one. Not in JSON: that is passed on, and this is not to be.
fn first_code(
    out: &mut Out,
    config: &Config,
    ask: impl FnOnce() -> Result<FirstDoc, ClientError>,
) -> Result<(), Failure> {
    if config.page.is_none() || out.is_json() {
        return Ok(());
    }
    // A gateway of before the page does not know it.
    if let Ok(FirstDoc { code: Some(code) }) = ask() {
        let text = format!("nobody has an account at the page yet; the code for the first one is {code}");
        let text = out.paint(Tone::Watch, &text);
        out.line(&text)?;
    }
    Ok(())
}

/// How many warnings are shown; the rest is counted.
const MOST_WARNINGS: usize = 50;

/// A gateway that took its facts from the disk at its start has not looked at their warnings: they are worked out
/// here, from the same facts, if this user may read them; what was left out of those facts stands beside them.
pub(super) fn with_warnings(mut doc: StatusDoc, config: &Config) -> StatusDoc {
    let Some(section) = doc.sections.get_mut("sync").and_then(Value::as_object_mut) else {
        return doc;
    };
    let none = section
        .get("warnings")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    let in_force = section.get("version").is_some_and(Value::is_u64);
    if !none || !in_force {
        return doc;
    }
    let now = View::now(config).now;
    let store = stored::open(&config.state_dir).ok().flatten();
    let rebuilt = store
        .as_ref()
        .and_then(|store| crate::sync::build::rebuild(store, config).ok().flatten());
    let (rules, still_in) =
        rebuilt.map_or_else(Default::default, |(_, built)| (built.warnings, built.still_in));
    let left_out = store.and_then(|store| crate::sync::problems::in_force(&store).ok());
    let mut warnings = left_out.unwrap_or_default();
    warnings.extend(rules);
    let still_in: Vec<_> = still_in.into_iter().filter(|it| it.holds(now)).collect();
    if section.get("still_in").is_none_or(Value::is_null) {
        section.insert("still_in".into(), serde_json::json!(still_in));
    }
    let more = warnings.len().saturating_sub(MOST_WARNINGS);
    if more > 0 {
        warnings.truncate(MOST_WARNINGS);
        warnings.push(format!("and {more} more"));
    }
    section.insert("warnings".into(), warnings.into());
    doc
}

/// How a status is looked at: by which configuration, and when.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The configuration file as it is now.
    pub config: &'a Config,
    /// Unix milliseconds.
    pub now: Millis,
}

impl<'a> View<'a> {
    /// At this moment.
    pub(super) fn now(config: &'a Config) -> Self {
        let floor = store::time_floor(&config.state_dir).unwrap_or(0);
        let now = Clock::system(config.clock.rtc, floor).now().at;
        Self { config, now }
    }

    /// The instants from which on each kind of right is stale.
    fn limits(&self, last_contact: Option<Millis>) -> Limits {
        let known = stale::Known {
            now: Moment::trusted(self.now),
            certain: None,
        };
        stale::limits(self.config, last_contact, known)
    }

    /// An instant by the clock on the building's wall, and its age.
    fn when(&self, at: Millis) -> String {
        moment::local_and_age(at, &self.config.site.zone, self.now)
    }
}

/// The document of `--json`: the gateway's own, and what its configuration file says.
#[derive(Debug, Serialize)]
struct ReportDoc<'a> {
    #[serde(flatten)]
    status: &'a StatusDoc,
    command_version: &'static str,
    configuration: ConfigurationDoc<'a>,
    staleness: Vec<StalenessDoc>,
}

#[derive(Debug, Serialize)]
struct ConfigurationDoc<'a> {
    warnings: &'a [String],
}

/// How long a kind of right holds without contact. Absent: for ever, or nothing was fetched yet.
#[derive(Debug, Serialize)]
struct StalenessDoc {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_days: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_at: Option<Millis>,
}

fn staleness(view: &View<'_>, doc: &StatusDoc) -> Vec<StalenessDoc> {
    let limits = view.limits(last_contact(doc));
    let one = |kind: &GrantKind| StalenessDoc {
        kind: kind.name(),
        max_age_days: view
            .config
            .sync
            .max_age
            .get(kind)
            .map(|age| age.as_secs() / 86_400),
        stale_at: limits.stale_from(*kind),
    };
    GrantKind::ALL.iter().map(one).collect()
}

fn last_contact(doc: &StatusDoc) -> Option<Millis> {
    doc.sections.get("sync")?.get("last_contact")?.as_i64()
}

/// Prints a status: faults first, then each part. The exit status.
///
/// # Errors
/// When it cannot be written.
pub fn show(out: &mut Out, doc: &StatusDoc, view: &View<'_>) -> Result<u8, Failure> {
    let status = if doc.faults.is_empty() {
        status::OK
    } else {
        status::FAILED
    };
    let command_version = env!("CARGO_PKG_VERSION");
    if out.is_json() {
        let warnings = &view.config.warnings;
        out.json(&ReportDoc {
            status: doc,
            command_version,
            configuration: ConfigurationDoc { warnings },
            staleness: staleness(view, doc),
        })?;
        return Ok(status);
    }
    let (version, uptime) = (&doc.version, moment::length(doc.uptime_seconds));
    out.line(&format!(
        "doorward {version} at {}, running for {uptime}",
        doc.site
    ))?;
    if version != command_version {
        let text = format!("this command is version {command_version}: restart the gateway after an upgrade");
        let text = out.paint(Tone::Watch, &text);
        out.line(&text)?;
    }
    out.line("")?;
    faults(out, &doc.faults.iter().collect::<Vec<_>>(), view)?;
    let known = |name: &str| parts::ORDER.iter().any(|(known, _)| *known == name);
    for (name, heading) in parts::ORDER {
        if let Some(value) = doc.sections.get(name).filter(|value| says_something(value)) {
            section(out, heading, parts::rows(name, value, view))?;
        }
        if name == "sync" && doc.sections.contains_key(name) {
            section(
                out,
                "Without contact to the cloud",
                parts::staleness(view, last_contact(doc)),
            )?;
        }
    }
    let others = doc
        .sections
        .iter()
        .filter(|(name, value)| !known(name) && says_something(value));
    for (name, value) in others {
        section(out, name, flat::rows(value))?;
    }
    section(out, "Configuration", parts::configuration(view))?;
    Ok(status)
}

/// A part that the configuration does not name says nothing.
fn says_something(section: &Value) -> bool {
    match section {
        Value::Null => false,
        Value::Object(parts) => !parts.is_empty(),
        _ => true,
    }
}

/// The faults, or that there are none.
pub(super) fn faults(out: &mut Out, faults: &[&FaultDoc], view: &View<'_>) -> Result<(), Failure> {
    if faults.is_empty() {
        let none = out.paint(Tone::Good, "no faults");
        out.line(&none)?;
        return out.line("");
    }
    let row = |fault: &&FaultDoc| {
        let text: Vec<_> = fault.text.lines().map(|line| plain(line).into_owned()).collect();
        vec![
            Cell(fault.key.clone(), Tone::Bad),
            view.when(fault.since).into(),
            text.join("\n").into(),
        ]
    };
    out.table(
        &["fault", "since", "what it is and what to do"],
        faults.iter().map(row).collect(),
    )?;
    out.line("")
}

/// The facts from the cloud: for `sync status` as well.
pub(super) fn sync_section(
    out: &mut Out,
    value: &Value,
    doc: &StatusDoc,
    view: &View<'_>,
) -> Result<(), Failure> {
    section(out, "Facts from the cloud", parts::rows("sync", value, view))?;
    for (name, heading) in parts::ORDER
        .iter()
        .filter(|(name, _)| ["budgets", "hooks"].contains(name))
    {
        if let Some(value) = doc.sections.get(*name) {
            section(out, heading, parts::rows(name, value, view))?;
        }
    }
    section(
        out,
        "Without contact to the cloud",
        parts::staleness(view, last_contact(doc)),
    )
}

fn section(out: &mut Out, heading: &str, rows: Vec<Vec<Cell>>) -> Result<(), Failure> {
    let heading = out.paint(Tone::Strong, heading);
    out.line(&heading)?;
    let rows = if rows.is_empty() {
        vec![vec!["  none".into(), "".into()]]
    } else {
        rows
    };
    out.table(&[], rows)?;
    out.line("")
}
