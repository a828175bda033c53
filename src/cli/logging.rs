//! The log: standard error, one line each. Under systemd without times, for the journal has its own, and with the
//! priority in front as `sd-daemon(3)` has it, so that `journalctl -p warning` works.

use super::{
    Context,
    failure::{Failure, status},
};
use crate::config::Environment;
use std::{fmt, io::IsTerminal};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For people, or for the journal.
    Text {
        /// With colours.
        colour: bool,
    },
    /// A JSON document each.
    Json,
}

/// Sets up the log of this process, once. `filter`: as of `--log`; `default` without it.
///
/// # Errors
/// When the filter is none, or a log was set up already.
pub fn start(
    filter: Option<&str>,
    default: &str,
    style: Style,
    environment: &Environment,
) -> Result<(), Failure> {
    let filter = targets(filter.unwrap_or(default)).map_err(|error| {
        Failure::new(
            status::USAGE,
            format!("--log: {error}"),
            "write a level (error, warn, info, debug, trace) or MODULE=LEVEL,…",
        )
    })?;
    let log = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let set = match style {
        Style::Json => log.with(lines.json()).try_init(),
        Style::Text { .. } if environment.under_journal => log
            .with(lines.with_ansi(false).event_format(ForTheJournal))
            .try_init(),
        Style::Text { colour } => log.with(lines.with_ansi(colour).with_target(false)).try_init(),
    };
    set.map_err(|error| Failure::new(status::FAILED, format!("the log cannot be set up: {error}"), ""))
}

/// Levels by module and nothing finer: filters by the fields of a span would bring regular expressions into the program.
fn targets(text: &str) -> Result<Targets, String> {
    let complete = |directive: &str| directive.split('=').all(|part| !part.trim().is_empty());
    // The parser takes an empty module for any and an empty level for one.
    match text.split(',').find(|directive| !complete(directive)) {
        Some(directive) => Err(format!("invalid filter directive {directive:?}")),
        None => text
            .parse()
            .map_err(|error: tracing_subscriber::filter::ParseError| error.to_string()),
    }
}

/// The log of a command, by its global arguments.
///
/// # Errors
/// As for [`start`].
pub fn of(context: &Context<'_>, default: &str) -> Result<(), Failure> {
    let (args, environment) = (context.args, context.environment);
    let colour = args.color.colours(std::io::stderr().is_terminal(), environment);
    let style = if args.json {
        Style::Json
    } else {
        Style::Text { colour }
    };
    start(args.log.as_deref(), default, style, environment)
}

/// `<6>text field=value`.
struct ForTheJournal;

impl<S, N> FormatEvent<S, N> for ForTheJournal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// syslog(3)'s priority.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_filter_is_levels_by_module_and_whole() {
        for fine in ["warn", "INFO,doorward::osdp=debug", "doorward=off"] {
            assert!(targets(fine).is_ok(), "{fine}");
        }
        for bad in ["", "=,=", "info,", "doorward=", "=debug", "doorward=loud"] {
            assert!(targets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_journal_gets_a_priority_and_no_time() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(ForTheJournal)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(reader = "front", "the reader is gone");
            tracing::info!("back");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "<4>the reader is gone reader=\"front\"\n<6>back\n");
    }
}
