//! `doorward ks apply`: has the running gateway carry its plan out, and watches.

use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    daemon::ks::BegunDoc,
    salto::{apply::Applied, reconcile::Progress},
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Of the bar, in characters.
const WIDTH: usize = 40;

pub(super) fn run(context: &Context<'_>, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let applied = context.runtime()?.block_on(watched(&client, !out.is_json()))?;
    show(out, &applied)
}

async fn watched(client: &Client, may_draw: bool) -> Result<Applied, Failure> {
    let begun: BegunDoc = client.tell("/v1/ks/apply", &serde_json::json!({})).await?;
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
