//! What the installer reads: permissions, what there is to be mapped, and what to do next.

use super::{
    draft::Written,
    suggest::{Ground, Line, Side},
};
use crate::{
    cli::{
        failure::Failure,
        out::{Cell, Out, Tone, plain},
    },
    config::Config,
    domain::facts::ResourceKind,
    platform::{Survey, SurveyCheck},
};

/// Everything about one connection.
pub(super) struct Report<'a> {
    pub(super) place: String,
    pub(super) seen: &'a Survey,
    pub(super) plan: &'a [Side],
    pub(super) site: Option<&'a Config>,
}

impl Report<'_> {
    /// What was found, for people; `--json` has it all at the end.
    pub(super) fn show(&self, out: &mut Out) -> Result<(), Failure> {
        if out.is_json() {
            return Ok(());
        }
        heading(out, &format!("Permissions at {}", plain(&self.place)))?;
        let rows = self.seen.checks.iter().map(permission).collect();
        out.table(&["reads", "for", "result"], rows)?;
        for remark in self.remarks() {
            let line = out.paint(Tone::Watch, &plain(&remark));
            out.line(&line)?;
        }
        out.line("")?;
        heading(out, "What there is, and which groups of doors it would open")?;
        let lines = self
            .plan
            .iter()
            .flat_map(|side| side.lines.iter().map(move |line| (side, line)));
        let rows: Vec<Vec<Cell>> = lines.map(|(side, line)| mapped(side, line)).collect();
        if rows.is_empty() {
            out.line("nothing: no plan, no room, no pass")?;
        } else {
            out.table(&["what", "name", "id", "opens", "because"], rows)?;
        }
        out.line("")
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.seen.remarks.clone();
        let Some(site) = self.site else {
            remarks.push("there is no configuration yet, so no groups of doors to suggest".into());
            let zone = self.seen.zone.as_ref();
            remarks.extend(
                zone.map(|zone| format!("the platform has this place in {zone}: write that as [site] zone")),
            );
            return remarks;
        };
        if let Some(zone) = self.seen.zone.as_ref().filter(|zone| **zone != site.site.zone) {
            remarks.push(format!(
                "the platform has this place in {zone}, [site] zone is {}: days would begin and end at another hour; correct the one that is wrong",
                site.site.zone
            ));
        }
        remarks
    }

    fn unmapped(&self) -> usize {
        let lines = self.plan.iter().flat_map(|side| &side.lines);
        lines
            .filter(|line| matches!(line.ground, Ground::Nothing | Ground::Door(_)) && line.groups.is_empty())
            .count()
    }

    /// What to do next.
    pub(super) fn end(&self, out: &mut Out, written: &Written, good: bool) -> Result<(), Failure> {
        if out.is_json() {
            return self.document(out, written, good);
        }
        match self.unmapped() {
            0 => {}
            count => {
                let line = match count {
                    1 => "1 of them is like no group or door here and opens nothing until it is mapped (R8)"
                        .into(),
                    _ => format!(
                        "{count} of them are like no group or door here and open nothing until they are mapped (R8)"
                    ),
                };
                let line = out.paint(Tone::Watch, &line);
                out.line(&line)?;
            }
        }
        for secret in &written.secrets {
            out.line(&format!("secret kept in {}", secret.display()))?;
        }
        match &written.file {
            Some(file) => out.line(&format!("to paste: {}", file.display()))?,
            None => {
                out.line("")?;
                out.line(written.text.trim_end())?;
                out.line("")?;
            }
        }
        let failed = self
            .seen
            .checks
            .iter()
            .filter(|check| check.outcome.is_err())
            .count();
        let verdict = if good {
            out.paint(Tone::Good, "every permission is there")
        } else {
            let line = format!(
                "{failed} of {} permissions {} missing: grant {} and run this again",
                self.seen.checks.len(),
                if failed == 1 { "is" } else { "are" },
                if failed == 1 { "it" } else { "them" }
            );
            out.paint(Tone::Bad, &line)
        };
        out.line(&verdict)
    }

    fn document(&self, out: &mut Out, written: &Written, good: bool) -> Result<(), Failure> {
        let check = |check: &SurveyCheck| match &check.outcome {
            Ok(count) => {
                serde_json::json!({ "reads": check.what, "for": check.why, "ok": true, "count": count })
            }
            Err(error) => {
                serde_json::json!({ "reads": check.what, "for": check.why, "ok": false, "error": error.to_string() })
            }
        };
        let checks: Vec<_> = self.seen.checks.iter().map(check).collect();
        out.json(&serde_json::json!({
            "place": self.place, "ok": good, "checks": checks, "zone": self.seen.zone, "remarks": self.remarks(),
            "map": self.plan, "toml": written.text, "file": written.file,
        }))
    }
}

fn heading(out: &mut Out, text: &str) -> Result<(), Failure> {
    let line = out.paint(Tone::Strong, text);
    out.line(&line)
}

fn permission(check: &SurveyCheck) -> Vec<Cell> {
    let result = match &check.outcome {
        Ok(count) => Cell(format!("ok, {count}"), Tone::Good),
        Err(error) => Cell(plain(&error.to_string()).into_owned(), Tone::Bad),
    };
    vec![plain(&check.what).into_owned().into(), check.why.into(), result]
}

fn mapped(side: &Side, line: &Line) -> Vec<Cell> {
    let what = match line.kind {
        Some(ResourceKind::Room) => "room",
        Some(ResourceKind::Desk) => "desk",
        Some(ResourceKind::Office) => "office",
        Some(ResourceKind::Other) | None => side.what,
    };
    let groups: Vec<&str> = line.groups.iter().map(|group| group.as_str()).collect();
    let opens = match groups.as_slice() {
        [] => Cell("nothing".into(), Tone::Watch),
        groups => Cell(groups.join(", "), Tone::Good),
    };
    let because = match &line.ground {
        Ground::AsBefore => "the configuration says so".to_owned(),
        Ground::NotSeen => "the configuration says so; it is not seen there".to_owned(),
        Ground::Group => "the group is called like it".to_owned(),
        Ground::Door(door) if groups.is_empty() => {
            format!(
                "door \"{}\" is called like it and has no group of its own",
                plain(door)
            )
        }
        Ground::Door(door) => format!("door \"{}\" is called like it", plain(door)),
        Ground::Nothing => "nothing here is called like it (R8)".to_owned(),
    };
    let id = if line.id == line.name {
        String::new()
    } else {
        plain(&line.id).into_owned()
    };
    vec![
        what.into(),
        plain(&line.name).into_owned().into(),
        id.into(),
        opens,
        because.into(),
    ]
}
