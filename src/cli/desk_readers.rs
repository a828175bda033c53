//! `doorward desk`: the readers of the enrolment desk, by name, and what is presented there, for installers. Through the
//! running gateway, or by itself while none runs.

use super::{
    Context,
    client::{Client, ClientError},
    failure::{Failure, status},
    out::{Out, Tone},
};
use crate::{
    clock::Clock,
    config::Config,
    daemon::desk_readers::{DeskDoc, DeskEventDoc, DeskEventsDoc},
    desk::readers::{Places, Readers, keyboards},
    domain::time::Millis,
    health::Health,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

/// How long readers may take to be found when nobody has looked for them yet: a serial port is asked after two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// Arguments of `desk`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward desk readers                 what is plugged in, and what is wrong with it
  doorward desk readers --watch         shows each card that is presented, without its number
  doorward desk readers --keyboards     what a keyboard wedge is called, for [[desk.reader]]
  doorward desk lend front-reader       cards at that door go to the desk for a minute, and open nothing
  doorward desk return front-reader

Exit status: 0; 1 if it was not done; 69 if the gateway does not run (lend, return); 78 if the configuration has mistakes.")]
pub struct DeskArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: DeskAction,
}

/// Actions of `desk`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum DeskAction {
    /// Lists the readers, or shows what is presented at them.
    Readers {
        /// Goes on and shows what happens, until Ctrl-C.
        #[arg(long)]
        watch: bool,
        /// Lists everything that types digits instead: card readers and keyboards, none of which is opened.
        #[arg(long, conflicts_with = "watch")]
        keyboards: bool,
    },
    /// Lends a door's reader to the desk. It shows amber and opens nothing until it comes back.
    Lend {
        /// The reader's id in the configuration.
        reader: String,
        /// For how long at most.
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=60))]
        seconds: u64,
    },
    /// Gives it back to its door before the time is over.
    Return {
        /// The reader's id in the configuration.
        reader: String,
    },
}

pub(super) fn run(context: &Context<'_>, args: &DeskArgs, out: &mut Out) -> Result<u8, Failure> {
    if let DeskAction::Readers { keyboards: true, .. } = args.action {
        return typing(out);
    }
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    match &args.action {
        DeskAction::Readers { watch, .. } => runtime.block_on(readers(&config, &client, *watch, out)),
        DeskAction::Lend { reader, seconds } => {
            let doc = runtime.block_on(client.lend(reader, *seconds))?;
            let left = doc.doors.iter().find(|door| door.reader == *reader);
            let left = left.and_then(|door| door.lent_seconds).unwrap_or(*seconds);
            said(
                out,
                &doc,
                &format!("{reader} is the desk's for {left} s: cards open nothing there"),
            )
        }
        DeskAction::Return { reader } => {
            let doc = runtime.block_on(client.give_back(reader))?;
            said(out, &doc, &format!("{reader} is its door's again"))
        }
    }
}

fn said(out: &mut Out, doc: &DeskDoc, words: &str) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(doc)?;
    } else {
        let words = out.paint(Tone::Good, words);
        out.line(&words)?;
    }
    Ok(status::OK)
}

fn typing(out: &mut Out) -> Result<u8, Failure> {
    let found = keyboards(&Places::default());
    if out.is_json() {
        out.json(&found)?;
    } else if found.is_empty() {
        out.line("nothing on this machine types digits")?;
    } else {
        let rows = found.into_iter().map(|keyboard| {
            let path = format!("/dev/input/{}", keyboard.event);
            vec![keyboard.device.into(), keyboard.name.into(), path.into()]
        });
        out.table(&["device", "name", "path"], rows.collect())?;
    }
    Ok(status::OK)
}

/// Where readers are asked: in the gateway, or here.
enum Source<'a> {
    Gateway(&'a Client),
    Here(Readers),
}

impl Source<'_> {
    async fn state(&self) -> Result<DeskDoc, ClientError> {
        match self {
            Self::Gateway(client) => client.desk_readers().await,
            Self::Here(readers) => Ok(DeskDoc {
                readers: readers.list(),
                troubles: readers.troubles(),
                doors: Vec::new(),
                last: readers.since(u64::MAX).last,
            }),
        }
    }

    async fn events(&self, after: u64) -> Result<DeskEventsDoc, ClientError> {
        match self {
            Self::Gateway(client) => client.desk_events(after).await,
            Self::Here(readers) => {
                let mut told = readers.told();
                let _ = timeout(SETTLED, told.wait_for(|last| *last > after)).await;
                Ok(DeskEventsDoc::since(readers, after))
            }
        }
    }
}

async fn readers(config: &Config, client: &Client, watch: bool, out: &mut Out) -> Result<u8, Failure> {
    let source = match client.desk_readers().await {
        Ok(_) => Source::Gateway(client),
        Err(ClientError::NotRunning(_)) => Source::Here(here(config)?),
        Err(error) => return Err(error.into()),
    };
    let ended = if watch {
        follow(config, &source, out).await
    } else {
        // Everything that is plugged in gets the time to be found.
        if let Source::Here(_) = &source {
            tokio::time::sleep(SETTLED).await;
        }
        list(config, &source.state().await?, out)
    };
    if let Source::Here(readers) = source {
        readers.stop();
    }
    ended
}

/// No gateway runs, so its serial ports and readers are free.
fn here(config: &Config) -> Result<Readers, Failure> {
    if config.desk.is_none() {
        return Err(no_desk());
    }
    let lines: Vec<_> = config.lines.iter().map(|line| line.path.clone()).collect();
    let clock = Clock::system(config.clock.rtc, 0);
    let (readers, _) = Readers::start(
        config.desk.as_ref(),
        &lines,
        Places::default(),
        clock,
        Health::default(),
    );
    Ok(readers)
}

fn no_desk() -> Failure {
    Failure::new(
        status::FAILED,
        "no reader is looked for: the configuration has no [desk]",
        "add the line [desk]; the gateway then finds the readers by itself",
    )
}

fn list(config: &Config, doc: &DeskDoc, out: &mut Out) -> Result<u8, Failure> {
    if config.desk.is_none() {
        return Err(no_desk());
    }
    if out.is_json() {
        out.json(doc)?;
        return Ok(status::OK);
    }
    for trouble in &doc.troubles {
        let trouble = out.paint(Tone::Bad, trouble);
        out.line(&trouble)?;
    }
    let mut rows: Vec<_> = doc
        .readers
        .iter()
        .map(|reader| {
            let id = String::from(reader.id.clone());
            vec![reader.name.clone().into(), reader.kind.words().into(), id.into()]
        })
        .collect();
    let free = doc.doors.iter().filter(|door| door.lent_seconds.is_none());
    rows.extend(free.map(|door| {
        let words = format!("at door {}, may be lent", door.door);
        vec![
            door.reader.clone().into(),
            words.into(),
            door.reader.clone().into(),
        ]
    }));
    if rows.is_empty() {
        out.line("no reader is plugged in")?;
    } else {
        out.table(&["reader", "kind", "id"], rows)?;
    }
    Ok(status::OK)
}

/// Shows what happens until somebody ends it.
async fn follow(config: &Config, source: &Source<'_>, out: &mut Out) -> Result<u8, Failure> {
    let zone = TimeZone::get(&config.site.zone).unwrap_or(TimeZone::UTC);
    let clock = Clock::system(config.clock.rtc, 0);
    let mut names = BTreeMap::new();
    let state = source.state().await?;
    // What is there already comes first; readers of our own have not been found yet, and all of it is events.
    let mut last = match source {
        Source::Gateway(_) => {
            for reader in &state.readers {
                let appeared = DeskEventDoc {
                    number: state.last,
                    event: "appeared".into(),
                    reader: Some(reader.id.as_str().into()),
                    name: Some(reader.name.clone()),
                    kind: Some(reader.kind),
                    ..DeskEventDoc::default()
                };
                show(out, &appeared, &mut names, &zone, clock.now().at)?;
            }
            state.last
        }
        Source::Here(_) => 0,
    };
    out.finish()?;
    loop {
        let doc = source.events(last).await?;
        last = doc.last;
        for event in &doc.events {
            show(out, event, &mut names, &zone, clock.now().at)?;
        }
        out.finish()?;
    }
}

fn show(
    out: &mut Out,
    event: &DeskEventDoc,
    names: &mut BTreeMap<String, String>,
    zone: &TimeZone,
    now: Millis,
) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(event);
    }
    if let (Some(reader), Some(name)) = (&event.reader, &event.name) {
        names.insert(reader.clone(), name.clone());
    }
    let reader = event.reader.as_deref().unwrap_or("the desk");
    let reader = names.get(reader).map_or(reader, String::as_str);
    let time = Timestamp::from_millisecond(event.at.unwrap_or(now))
        .map(|at| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string())
        .unwrap_or_default();
    let (tone, what) = match event.event.as_str() {
        "appeared" => (
            Tone::Good,
            format!(
                "is there ({})",
                event.kind.map_or("", crate::desk::readers::Kind::words)
            ),
        ),
        "gone" => (Tone::Watch, "is gone".into()),
        "presented" => (
            Tone::Strong,
            format!("card {}", event.card.as_deref().unwrap_or_default()),
        ),
        "removed" => (Tone::Faint, "card taken away".into()),
        _ => (Tone::Bad, event.words.clone().unwrap_or_default()),
    };
    let what = out.paint(tone, &what);
    out.line(&format!("{time}  {reader}: {what}"))
}
