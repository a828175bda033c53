//! `doorward ks plan`: every change that would be made, with its rule and its source.

use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    salto::{
        plan::{StepDoc, Waiting},
        reconcile::PlanDoc,
        wanted::Why,
    },
};

pub(super) fn run(context: &Context<'_>, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let doc: PlanDoc = context.runtime()?.block_on(client.ask("/v1/ks/plan"))?;
    if out.is_json() {
        out.json(&doc)?;
        return Ok(status::OK);
    }
    show(out, &doc)?;
    let next = match (&doc.held, doc.accepted, doc.steps.is_empty()) {
        (_, true, true) => return Ok(status::OK),
        (_, false, true) => format!(
            "Nobody has accepted a plan yet: after `doorward ks apply {}` the gateway keeps it so by itself.",
            doc.id
        ),
        (Some(held), ..) => format!("It waits: {held}. To make it so: `doorward ks apply {}`", doc.id),
        (None, false, _) => format!(
            "Nothing is changed until somebody accepts it: `doorward ks apply {}`. From then on the gateway does it by \
             itself.",
            doc.id
        ),
        (None, true, _) => "The gateway makes these changes by itself within moments.".to_owned(),
    };
    let next = out.paint(Tone::Watch, &plain(&next));
    out.line(&next)?;
    Ok(status::OK)
}

/// The plan as a table, with its name.
pub(super) fn show(out: &mut Out, doc: &PlanDoc) -> Result<(), Failure> {
    if doc.steps.is_empty() {
        let text = out.paint(Tone::Good, "nothing to change: SALTO KS stands as it should");
        out.line(&text)?;
    } else {
        out.table(
            &["CHANGE", "WHO", "GROUP", "WHAT", "WHY"],
            doc.steps.iter().map(row).collect(),
        )?;
        out.line("")?;
        out.line(&format!("plan {}, {}", plain(&doc.id), summary(&doc.steps)))?;
    }
    waiting(out, &doc.waits)?;
    for note in &doc.notes {
        let text = out.paint(Tone::Watch, &plain(note));
        out.line(&text)?;
    }
    Ok(())
}

fn row(step: &StepDoc) -> Vec<Cell> {
    let tone = match step.act.as_str() {
        act if act.starts_with("remove") || act.starts_with("delete") => Tone::Bad,
        "block" | "suspend" | "take-tag" => Tone::Bad,
        "adopt" | "rename" => Tone::Plain,
        _ => Tone::Good,
    };
    let cell = |text: &str| Cell(plain(text).into_owned(), Tone::Plain);
    vec![
        Cell(step.act.replace('-', " "), tone),
        cell(&step.who),
        cell(&step.group),
        cell(&step.what),
        cell(&why(&step.why)),
    ]
}

/// "plan Hot desk (R1, membership-17)".
pub(super) fn why(why: &Why) -> String {
    let rule = why.rule.map(|rule| format!("R{rule}"));
    let source = why.source.as_ref().map(|source| source.id.to_string());
    let known: Vec<String> = rule.into_iter().chain(source).collect();
    match known.is_empty() {
        true => why.text.clone(),
        false => format!("{} ({})", why.text, known.join(", ")),
    }
}

/// "12 changes: 3 create-user, …".
pub(super) fn summary(steps: &[StepDoc]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for step in steps {
        match counts.last_mut() {
            Some((act, count)) if *act == step.act => *count += 1,
            _ => match counts.iter_mut().find(|(act, _)| *act == step.act) {
                Some((_, count)) => *count += 1,
                None => counts.push((&step.act, 1)),
            },
        }
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(act, count)| format!("{count} {}", act.replace('-', " ")))
        .collect();
    let changes = if steps.len() == 1 { "change" } else { "changes" };
    format!("{} {changes}: {}", steps.len(), parts.join(", "))
}

/// What is wanted and not planned.
pub(super) fn waiting(out: &mut Out, waits: &[Waiting]) -> Result<(), Failure> {
    if waits.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let rows = waits.iter().map(|waiting| {
        vec![
            Cell(waiting.kind.replace('-', " "), Tone::Watch),
            Cell(plain(&waiting.text).into_owned(), Tone::Plain),
        ]
    });
    out.table(&["WAITS", "WHY"], rows.collect())
}
