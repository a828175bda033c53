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
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
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
    let filter = EnvFilter::builder()
        .parse(filter.unwrap_or(default))
        .map_err(|error| {
            Failure::new(
                status::USAGE,
                format!("--log: {error}"),
                "write a level (error, warn, info, debug, trace) or MODULE=LEVEL,…",
            )
        })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let set = match style {
        Style::Json => builder.json().try_init(),
        Style::Text { .. } if environment.under_journal => {
            builder.with_ansi(false).event_format(ForTheJournal).try_init()
        }
        Style::Text { colour } => builder.with_ansi(colour).with_target(false).try_init(),
    };
    set.map_err(|error| Failure::new(status::FAILED, format!("the log cannot be set up: {error}"), ""))
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
