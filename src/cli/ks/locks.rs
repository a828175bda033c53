//! `doorward ks locks`: locks and IQs as the gateway saw them last, and who stands outside when one is cut off.

use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    salto::watch::{LockDoc, LocksDoc},
};

/// Arguments of `ks locks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks locks
  doorward ks locks --cut-off \"Front door\"         who would stand outside if that lock lost its IQ

KS hears that a lock or IQ is away up to half an hour late.
Exit status: 0; 1 if it is not known; 69 if the gateway does not run; 78 if the configuration has mistakes.")]
pub struct LocksArgs {
    /// Names who has no key with offline access at this lock, by its name or its door.
    #[arg(long, value_name = "LOCK")]
    pub cut_off: Option<String>,
}

pub(super) fn run(context: &Context<'_>, args: &LocksArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let doc: LocksDoc = context.runtime()?.block_on(client.ask("/v1/ks/locks"))?;
    match &args.cut_off {
        Some(name) => cut_off(out, &doc, name),
        None => all(out, &doc),
    }
}

fn all(out: &mut Out, doc: &LocksDoc) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(doc)?;
    } else {
        tables(out, doc)?;
    }
    Ok(status::OK)
}

/// Locks and IQs.
pub(super) fn tables(out: &mut Out, doc: &LocksDoc) -> Result<(), Failure> {
    let rows = doc.locks.iter().map(|lock| {
        let battery = lock.battery.as_deref().unwrap_or("?");
        let tone = match battery {
            "critical" => Tone::Bad,
            "low" => Tone::Watch,
            _ => Tone::Plain,
        };
        let (online, online_tone) = match lock.online {
            Some(true) => ("yes", Tone::Good),
            Some(false) => ("no", Tone::Bad),
            None => ("?", Tone::Plain),
        };
        let outside = lock.cut_off.as_ref().map_or_else(
            || "not counted yet".to_owned(),
            |cut| match cut.unknown {
                0 => format!("{} of {}", cut.lose.len(), cut.people),
                unknown => format!("{} of {}, {unknown} unknown", cut.lose.len(), cut.people),
            },
        );
        vec![
            plain(&lock.name).into_owned().into(),
            lock.door.as_deref().unwrap_or("-").into(),
            Cell(plain(battery).into_owned(), tone),
            Cell(online.into(), online_tone),
            offline_keys(lock).into(),
            outside.into(),
        ]
    });
    out.table(
        &[
            "lock",
            "door",
            "battery",
            "online",
            "offline keys left",
            "outside if cut off",
        ],
        rows.collect(),
    )?;
    let rows = doc.iqs.iter().map(|iq| {
        let (online, tone) = match iq.online {
            Some(true) => ("yes", Tone::Good),
            Some(false) => ("no", Tone::Bad),
            None => ("?", Tone::Plain),
        };
        vec![
            plain(&iq.name).into_owned().into(),
            Cell(online.into(), tone),
            plain(iq.sync.as_deref().unwrap_or("?")).into_owned().into(),
        ]
    });
    out.line("")?;
    out.table(&["IQ", "online", "changes"], rows.collect())
}

/// "348 of 360".
fn offline_keys(lock: &LockDoc) -> String {
    let known = |number: Option<u32>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let left = match (lock.offline_keys_limit, lock.offline_keys) {
        (Some(limit), Some(taken)) => Some(limit.saturating_sub(taken)),
        _ => None,
    };
    format!("{} of {}", known(left), known(lock.offline_keys_limit))
}

fn cut_off(out: &mut Out, doc: &LocksDoc, name: &str) -> Result<u8, Failure> {
    let named = |lock: &&LockDoc| lock.name == name || lock.door.as_deref() == Some(name);
    let lock = doc.locks.iter().find(named).ok_or_else(|| {
        let names: Vec<&str> = doc.locks.iter().map(|lock| lock.name.as_str()).collect();
        let message = format!("there is no lock \"{}\"", name.escape_debug());
        Failure::new(
            status::FAILED,
            message,
            format!("the locks are {}", names.join(", ")),
        )
    })?;
    let cut = lock.cut_off.as_ref().ok_or_else(|| {
        Failure::new(
            status::FAILED,
            "keys with offline access have not been counted at this lock",
            "they are counted some minutes after the start, once a day, for locks that a [[door]] names",
        )
    })?;
    if out.is_json() {
        out.json(cut)?;
        return Ok(status::OK);
    }
    out.line(&format!(
        "{} of {} people keep their way in at {} without its IQ; of {} nobody may read it",
        cut.keep,
        cut.people,
        plain(&lock.name),
        cut.unknown
    ))?;
    for name in &cut.lose {
        out.line(&format!("  {}", plain(name)))?;
    }
    Ok(status::OK)
}
