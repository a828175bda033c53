//! `doorward ks status`: what is wanted against what stands at SALTO KS, from the running gateway's last look.

use super::{locks, plan};
use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        moment,
        out::{Cell, Out, Tone, plain},
        people::instant,
        report,
    },
    salto::{reconcile::KsDoc, watch::LocksDoc},
};

pub(super) fn run(context: &Context<'_>, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    let doc = runtime.block_on(client.status())?;
    // Not read yet, or no [ks]: the rest is worth showing all the same.
    let locks: Option<LocksDoc> = runtime.block_on(client.ask("/v1/ks/locks")).ok();
    let faults: Vec<_> = doc
        .faults
        .iter()
        .filter(|fault| fault.key.starts_with("ks_"))
        .collect();
    let section = doc.sections.get("ks");
    if out.is_json() {
        out.json(&serde_json::json!({ "faults": faults, "ks": section, "locks": locks }))?;
        return Ok(status::OK);
    }
    report::faults(out, &faults, &report::View::now(&config))?;
    let known: Option<KsDoc> = section.and_then(|section| serde_json::from_value(section.clone()).ok());
    let Some(ks) = known else {
        out.line("SALTO KS was not looked at yet, or is not configured: see [ks] in the configuration")?;
        return Ok(status::OK);
    };
    let row = |what: &str, wanted: usize, there: usize| {
        let tone = if wanted == there { Tone::Plain } else { Tone::Watch };
        let cell = |count: usize| Cell(count.to_string(), tone);
        vec![Cell(what.into(), Tone::Plain), cell(wanted), cell(there)]
    };
    let rows = vec![
        row("managed groups", ks.wanted.groups, ks.there.groups),
        row("memberships of them", ks.wanted.members, ks.there.members),
        // Users of staff's own are there as well, so these two need not be the same.
        vec![
            Cell("people with a seat".into(), Tone::Plain),
            Cell(ks.wanted.people.to_string(), Tone::Plain),
            Cell(ks.there.people.to_string(), Tone::Plain),
        ],
    ];
    out.table(&["", "WANTED", "AT SALTO KS"], rows)?;
    if let Some((all, taken)) = ks.seats {
        out.line(&format!("seats: {taken} of {all} taken"))?;
    }
    let now = instant(None, &config)?;
    if let Some(at) = ks.compared {
        let when = moment::local_and_age(at, &config.site.zone, now);
        out.line(&format!("compared {when}, {} requests", ks.requests))?;
    }
    let drift: Vec<String> = ks
        .drift
        .iter()
        .map(|(act, count)| format!("{count} {}", act.replace('-', " ")))
        .collect();
    let (text, tone) = match (drift.is_empty(), ks.accepted) {
        (true, _) => ("in step".to_owned(), Tone::Good),
        (false, true) => (format!("drift: {}", drift.join(", ")), Tone::Watch),
        (false, false) => (
            format!(
                "not kept in step yet, would change: {}; look at `doorward ks plan`",
                drift.join(", ")
            ),
            Tone::Watch,
        ),
    };
    let text = out.paint(tone, &text);
    out.line(&text)?;
    plan::waiting(out, &ks.waits)?;
    for note in &ks.notes {
        let text = out.paint(Tone::Watch, &plain(note));
        out.line(&text)?;
    }
    match locks {
        Some(locks) => {
            out.line("")?;
            locks::tables(out, &locks)?;
        }
        None => out.line("the locks there were not read yet")?,
    }
    Ok(status::OK)
}
