//! What a story expected and what came of it: the table at the end, and whether all agrees.

use super::{cast::Spot, stories::Story};
use crate::{
    cli::{
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
        rule_words,
    },
    domain::Reason,
};
use serde::Serialize;
use std::time::Duration;

/// What a tap got.
pub(super) enum Got {
    /// An answer.
    Decision {
        reason: Option<Reason>,
        rule: Option<u8>,
        words: String,
        /// Light and release said the same.
        shown_right: bool,
    },
    /// No whole answer, and why not.
    Nothing(String),
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    step: String,
    expected: String,
    got: String,
    /// The rule that it shows, if it shows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<u8>,
    agrees: bool,
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

impl Line {
    fn new(
        step: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        agrees: bool,
    ) -> Self {
        Self {
            step: step.into(),
            expected: expected.into(),
            got: got.into(),
            rule: None,
            agrees,
        }
    }

    fn shows(self, rule: u8) -> Self {
        Self {
            rule: Some(rule),
            ..self
        }
    }

    /// What was looked at, in the story's own words.
    pub(super) fn seen(step: &str, expected: &str, got: String, agrees: bool, rule: Option<u8>) -> Self {
        Self {
            rule,
            ..Self::new(step, expected, got, agrees)
        }
    }

    pub(super) fn connected(name: &str, took: Duration) -> Self {
        let got = format!("in force after {}", seconds(took));
        Self::new(format!("first connection to {name}"), "facts in force", got, true)
    }

    /// A platform that sends no web hooks is asked every so often: that is no disagreement.
    pub(super) fn hooked(told: Result<(), String>) -> Self {
        let got = told.map_or_else(|why| why, |()| "it sends them".into());
        Self::new("web hooks as hints", "where the platform has them", got, true)
    }

    pub(super) fn act(words: String, can: bool, done: Result<(), String>) -> Self {
        let expected = if can { "done" } else { "not possible there" };
        let agrees = can == done.is_ok();
        Self::new(
            words,
            expected,
            done.map_or_else(|why| why, |()| "done".into()),
            agrees,
        )
    }

    /// The tables were exported as files, and warned of this person or not.
    pub(super) fn exported(who: &str, warnings: Result<Vec<String>, String>, rule: u8) -> Self {
        let agrees = warnings
            .as_ref()
            .is_ok_and(|warnings| warnings.iter().any(|warning| warning.contains(who)));
        let got = match warnings {
            Err(why) => why,
            // The export warns of other things as well; the line is about this person.
            Ok(warnings) => match warnings.iter().find(|warning| warning.contains(who)) {
                Some(warning) => warning.clone(),
                None => format!("{} other warnings", warnings.len()),
            },
        };
        let step = "staff export their tables; `rules preview --facts` reads the files";
        Self::new(step, format!("warns that {who} may still enter"), got, agrees).shows(rule)
    }

    pub(super) fn reached(took: Duration, how: &str) -> Self {
        let got = format!("after {}, {how}", seconds(took));
        Self::new("the gateway learns of it", "in force", got, true)
    }

    pub(super) fn never_reached(why: &str) -> Self {
        Self::new(
            "the gateway learns of it",
            "in force",
            format!("it did not: {why}"),
            false,
        )
    }

    pub(super) fn tap(
        who: &str,
        spot: Spot,
        expected: &[Reason],
        rule: u8,
        or_rules: &[u8],
        got: Got,
    ) -> Self {
        let step = format!("{who} taps: {}", spot.name);
        let wanted = expected
            .iter()
            .map(|reason| outcome(*reason))
            .collect::<Vec<_>>()
            .join(" or ");
        let line = match got {
            Got::Nothing(why) => Self::new(step, wanted, why, false),
            Got::Decision {
                reason,
                rule: cited,
                words,
                shown_right,
            } => {
                let by_rule = cited.is_none_or(|cited| cited == rule || or_rules.contains(&cited));
                let agrees =
                    reason.is_some_and(|reason| expected.contains(&reason)) && by_rule && shown_right;
                let mut got = reason.map_or_else(|| "no reason".to_owned(), outcome);
                if let Some(cited) = cited.filter(|cited| *cited != rule) {
                    got.push_str(&format!(" by R{cited}"));
                }
                if reason.is_some_and(|reason| !reason.grants()) && !words.is_empty() {
                    got.push_str(&format!(": {words}"));
                }
                if !shown_right {
                    got.push_str("; the reader showed something else");
                }
                Self::new(step, wanted, got, agrees)
            }
        };
        line.shows(rule)
    }

    pub(super) fn attends(who: &str, times: usize, seen: usize, rule: u8, took: Duration) -> Self {
        let got = match seen {
            0 => "no attendance there".to_owned(),
            _ => format!("{seen} there, after {}", seconds(took)),
        };
        let step = format!("{who} is checked in at the platform");
        Self::new(step, format!("{times} or more"), got, seen >= times).shows(rule)
    }

    pub(super) fn stays_here(seen: usize) -> Self {
        let expected = "none there: the platform takes none";
        let got = match seen {
            0 => "none there; the journal has them".to_owned(),
            _ => format!("{seen} there"),
        };
        Self::new("check-ins at the platform", expected, got, seen == 0).shows(44)
    }

    pub(super) fn cloud(away: bool) -> Self {
        let step = if away {
            "the cloud goes away"
        } else {
            "the cloud comes back"
        };
        Self::new(step, "done", "done", true)
    }

    pub(super) fn surprise(text: String) -> Self {
        Self::new("what nobody did", "nothing", text, false)
    }

    pub(super) fn ended_early(left: usize) -> Self {
        Self::new(
            "the end",
            "all steps",
            format!("ended with {left} steps left"),
            false,
        )
    }

    /// As a line of a log.
    pub(super) fn print(&self, out: &mut Out) -> Result<(), Failure> {
        let sign = match self.agrees {
            true => out.paint(Tone::Good, "as expected"),
            false => out.paint(Tone::Bad, "NOT AS EXPECTED"),
        };
        out.line(&format!("{} -- {} ({sign})", self.step, plain(&self.got)))?;
        out.finish()
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = if self.agrees { Tone::Good } else { Tone::Bad };
        let sign = if self.agrees { "ok" } else { "NO" };
        let rule = self.rule.map(|rule| format!("R{rule}")).unwrap_or_default();
        vec![
            self.step.clone().into(),
            self.expected.clone().into(),
            plain(&self.got).into_owned().into(),
            rule.into(),
            Cell(sign.to_owned(), tone),
        ]
    }
}

fn outcome(reason: Reason) -> String {
    let word = if reason.grants() { "opens" } else { "stays shut" };
    format!("{word}, {reason}")
}

/// Prints the table and what the rules in it say. Status 0 only if all agrees.
pub(super) fn show(story: &Story, lines: &[Line], requests: u64, out: &mut Out) -> Result<u8, Failure> {
    let wrong = lines.iter().filter(|line| !line.agrees).count();
    let status = if wrong == 0 { status::OK } else { status::FAILED };
    if out.is_json() {
        out.json(&serde_json::json!({
            "platform": story.platform, "steps": lines, "disagreements": wrong, "requests": requests,
        }))?;
        return Ok(status);
    }
    out.line("")?;
    let rows = lines.iter().map(Line::cells).collect();
    out.table(&["step", "expected", "got", "rule", ""], rows)?;
    out.line("")?;
    let mut rules: Vec<u8> = lines.iter().filter_map(|line| line.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        let line = out.paint(Tone::Faint, &rule_words::cited(rule));
        out.line(&line)?;
    }
    let verdict = match wrong {
        0 => out.paint(
            Tone::Good,
            &format!(
                "{} lines, all as {} says; {requests} requests to the platform",
                lines.len(),
                story.name
            ),
        ),
        _ => out.paint(
            Tone::Bad,
            &format!("{wrong} of {} lines are not as expected", lines.len()),
        ),
    };
    out.line("")?;
    out.line(&verdict)?;
    Ok(status)
}
