//! libosdp's log lines, and those of other crates that use `log`, on their way to tracing.
//!
//! libosdp 3.2.7 logs names and codes of commands and replies, states and lengths; never what a frame carries,
//! unless its packet trace is compiled in (it is not). So card data cannot come this way. Its lines are
//! debug here: what a person should know is in the faults.

use log::{Level, LevelFilter, Metadata, Record};

struct Bridge;

static BRIDGE: Bridge = Bridge;

/// Sends what `log` gets to tracing. `verbose`: libosdp's own account of every exchange as well. Once a process;
/// later calls change the verbosity only.
pub fn bridge_logs(verbose: bool) {
    // Fails when there is a logger already: then that one is used.
    let _ = log::set_logger(&BRIDGE);
    log::set_max_level(if verbose {
        LevelFilter::Debug
    } else {
        LevelFilter::Warn
    });
}

fn is_osdp(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("libosdp")
}

impl log::Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn || is_osdp(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let (from, text) = (record.target(), record.args());
        if is_osdp(record.metadata()) {
            tracing::debug!(target: "doorward::osdp", "{text}");
        } else if record.level() == Level::Error {
            tracing::error!(from, "{text}");
        } else {
            tracing::warn!(from, "{text}");
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Log;

    #[test]
    fn libosdp_speaks_at_debug_and_others_from_warnings_on() {
        let passes = |target, level| BRIDGE.enabled(&Metadata::builder().target(target).level(level).build());
        assert!(passes("libosdp::cp", Level::Debug) && passes("rumqttc::state", Level::Warn));
        assert!(!passes("rumqttc::state", Level::Info));
    }
}
