//! `doorward ks apply`: has the running gateway carry out the plan that was shown, and watches.

use super::plan;
use crate::{
    cli::{
        Context,
        cards::question,
        client::Client,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    daemon::ks::BegunDoc,
    salto::{
        apply::Applied,
        reconcile::{Asked, PlanDoc, Progress},
    },
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Of the bar, in characters.
const WIDTH: usize = 40;

/// Arguments of `ks apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks apply                shows the plan and asks
  doorward ks apply 5f0c21d9       the plan that `doorward ks plan` showed under this name, and no other
  doorward ks apply --yes          shows the plan and makes it so, for scripts

If the plan has become another one, nothing is changed and the difference is said.
Exit status: 0 if SALTO KS stands as it should; 1 if not; 64 if nobody is there to ask; 69 if the gateway does not run;
78 if the configuration has mistakes.")]
pub struct ApplyArgs {
    /// The plan's name, as `doorward ks plan` gives it. Without it the plan is shown, and the question is asked.
    #[arg(value_name = "PLAN")]
    pub plan: Option<String>,
    /// Whatever the plan is by now, unseen; a plan that takes much away needs its own name all the same.
    #[arg(long, conflicts_with = "yes")]
    pub fresh: bool,
    /// Shows the plan and asks nobody.
    #[arg(long, conflicts_with = "plan")]
    pub yes: bool,
}

pub(super) fn run(context: &Context<'_>, args: &ApplyArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    let asked = if args.plan.is_some() || args.fresh {
        Asked {
            plan: args.plan.clone(),
            fresh: args.fresh,
        }
    } else {
        let plan: PlanDoc = runtime.block_on(client.ask("/v1/ks/plan"))?;
        if !is_wanted(&plan, args.yes, out)? {
            out.line("nothing was changed")?;
            return Ok(status::FAILED);
        }
        Asked {
            plan: Some(plan.id),
            fresh: false,
        }
    };
    let applied = runtime.block_on(watched(&client, &asked, !out.is_json()))?;
    show(out, &applied)
}

/// Shows the plan, and asks if it is meant.
fn is_wanted(plan: &PlanDoc, yes: bool, out: &mut Out) -> Result<bool, Failure> {
    let asks = !yes && !out.is_json() && io::stdin().is_terminal();
    if !yes && !asks {
        return Err(Failure::new(
            status::USAGE,
            format!(
                "nobody is there to ask whether this plan is meant: {}, {}",
                plan.id,
                plan::summary(&plan.steps)
            ),
            format!(
                "`doorward ks apply {}` makes it so, and --yes whatever it is",
                plan.id
            ),
        ));
    }
    if out.is_json() {
        return Ok(true);
    }
    plan::show(out, plan)?;
    if !asks || (plan.accepted && plan.steps.is_empty()) {
        return Ok(true);
    }
    if let Some(held) = &plan.held {
        let text = out.paint(Tone::Bad, &plain(held));
        out.line(&text)?;
    }
    let next = match plan.accepted {
        true => "Make it so? [y/N] ",
        false => "Make it so, and keep SALTO KS so from now on? [y/N] ",
    };
    question(out, next)
}

async fn watched(client: &Client, asked: &Asked, may_draw: bool) -> Result<Applied, Failure> {
    let begun: BegunDoc = client.tell("/v1/ks/apply", asked).await?;
    let draws = may_draw && io::stderr().is_terminal();
    loop {
        let progress: Progress = client.ask("/v1/ks/progress").await?;
        if draws {
            draw(&progress, begun.of);
        }
        if let (false, Some(applied)) = (progress.running, progress.applied) {
            if draws {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
            return Ok(applied);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn draw(progress: &Progress, of: usize) {
    let full = (WIDTH * progress.done)
        .checked_div(of)
        .unwrap_or(WIDTH)
        .min(WIDTH);
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(WIDTH - full));
    let _ = write!(io::stderr(), "\r[{bar}] {} of {of}", progress.done);
    let _ = io::stderr().flush();
}

fn show(out: &mut Out, applied: &Applied) -> Result<u8, Failure> {
    let good = applied.failed.is_empty() && applied.stopped.is_none() && applied.no_seat.is_empty();
    let ended = if good { status::OK } else { status::FAILED };
    if out.is_json() {
        out.json(applied)?;
        return Ok(ended);
    }
    let tone = if good { Tone::Good } else { Tone::Watch };
    let text = match applied.of {
        0 => "nothing to change: SALTO KS stands as it should".to_owned(),
        of => format!("{} of {of} changes made", applied.done),
    };
    let text = out.paint(tone, &text);
    out.line(&text)?;
    if !applied.failed.is_empty() {
        let rows = applied.failed.iter().map(|failed| {
            vec![
                Cell(failed.step.act.replace('-', " "), Tone::Bad),
                Cell(plain(&failed.step.who).into_owned(), Tone::Plain),
                Cell(failed.step.group.clone(), Tone::Plain),
                Cell(plain(&failed.text).into_owned(), Tone::Plain),
            ]
        });
        out.table(&["REFUSED", "WHO", "GROUP", "WHY"], rows.collect())?;
    }
    for (people, words) in [
        (
            &applied.no_seat,
            "have no seat at SALTO KS, so nothing opens for them",
        ),
        (
            &applied.no_tag,
            "have no tag there: theirs was never registered at a lock of the site",
        ),
    ] {
        if !people.is_empty() {
            let text = out.paint(Tone::Bad, &plain(&format!("{} {words}", people.join(", "))));
            out.line(&text)?;
        }
    }
    if let Some(why) = &applied.stopped {
        let text = out.paint(
            Tone::Bad,
            &plain(&format!("it ended early: {why}; the gateway goes on by itself")),
        );
        out.line(&text)?;
    }
    Ok(ended)
}
