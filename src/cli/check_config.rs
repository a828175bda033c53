//! `doorward check-config`.

use super::{
    Context,
    failure::{Failure, status},
    out::{Out, Tone},
};
use crate::config::{
    Config, Findings, Purpose,
    model::{CloudConfig, LineKind, RulesConfig},
    read,
};
use std::path::PathBuf;

/// Arguments of `check-config`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward check-config
  doorward check-config ./doorward.toml
  doorward check-config ./doorward.toml --json

Exit status: 0 if it can be used, warnings or not; 1 if it has mistakes.")]
pub struct CheckConfigArgs {
    /// The file. Without it: the one of --config.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, args: &CheckConfigArgs, out: &mut Out) -> Result<u8, Failure> {
    let path = args.path.as_ref().unwrap_or(&context.args.config);
    let (config, findings) = read(path, Purpose::Inspect, context.environment);
    show(out, config.as_ref(), &findings)
}

/// Prints what was found, and what the file describes if it can be used. The exit status.
///
/// # Errors
/// When it cannot be written.
pub fn show(out: &mut Out, config: Option<&Config>, findings: &Findings) -> Result<u8, Failure> {
    let good = config.is_some();
    let status = if good { status::OK } else { status::FAILED };
    if out.is_json() {
        let file = findings.file.to_string_lossy();
        let (errors, warnings) = (&findings.errors, &findings.warnings);
        let rules = config.map(|config| {
            let rules = &config.rules;
            serde_json::json!({ "profile": rules.profile.name(), "parameters": rules.parameters() })
        });
        out.json(&serde_json::json!({
            "file": file, "ok": good, "errors": errors, "warnings": warnings, "rules": rules
        }))?;
        return Ok(status);
    }
    let rendered = findings.render(&out.palette());
    if !rendered.is_empty() {
        out.line(rendered.trim_end())?;
        out.line("")?;
    }
    let warnings = match findings.warnings.len() {
        0 => String::new(),
        count => format!(", {}", counted(count, "warning")),
    };
    let file = findings.file.display();
    if let Some(config) = config {
        let verdict = out.paint(Tone::Good, "can be used");
        out.line(&format!("{file} {verdict}{warnings}: {}", summary(config)))?;
        rules(out, &config.rules)?;
    } else {
        let verdict = out.paint(Tone::Bad, "cannot be used");
        out.line(&format!(
            "{file} {verdict}: {}{warnings}",
            counted(findings.errors.len(), "error")
        ))?;
    }
    Ok(status)
}

/// The rules in force: the profile's, and what the site sets itself.
fn rules(out: &mut Out, rules: &RulesConfig) -> Result<(), Failure> {
    out.line("")?;
    out.line(&format!("rules, by the profile \"{}\":", rules.profile.name()))?;
    for parameter in rules.parameters() {
        let origin = if parameter.set_here { "  (set here)" } else { "" };
        out.line(&format!("  {} = {}{origin}", parameter.key, parameter.value))?;
    }
    Ok(())
}

fn summary(config: &Config) -> String {
    let readers = config.lines.iter().map(|line| match &line.kind {
        LineKind::Osdp(readers) => readers.len(),
        LineKind::Wradapt(_) => 1,
    });
    let cloud = match &config.cloud {
        CloudConfig::None => "no cloud".to_owned(),
        CloudConfig::Contract(http) => format!("cloud at {}", http.url.host_str().unwrap_or_default()),
        CloudConfig::File { path } => format!("facts from {}", path.display()),
        CloudConfig::Cobot(cobot) => format!("Cobot space {}", cobot.subdomain),
        CloudConfig::Nexudus(nexudus) => format!("Nexudus location {}", nexudus.business),
        CloudConfig::OfficeRnd(office) => format!("OfficeRnD organization {}", office.organization),
        CloudConfig::Spacebring(space) => format!("Spacebring location {}", space.location),
    };
    let mqtt = config.mqtt.as_ref().map_or("no MQTT".to_owned(), |mqtt| {
        format!("MQTT to {}:{}", mqtt.host, mqtt.port)
    });
    let parts = [
        counted(config.doors.len(), "door"),
        format!(
            "{} on {}",
            counted(readers.sum(), "reader"),
            counted(config.lines.len(), "line")
        ),
        counted(config.site.groups.len(), "group"),
        counted(config.site.schedules.len(), "schedule"),
        cloud,
        mqtt,
    ];
    parts.join(", ")
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
