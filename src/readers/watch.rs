//! What the bus remembers of a reader beside what its control panel knows, what it asks of it now and then, and
//! what it tells about it: events to the gate, faults to health.

use super::{
    Gate, LineEvent,
    device::{Change, Device},
    feedback,
    shared::Common,
};
use crate::{
    config::model::{LineConfig, OsdpReader},
    domain::ReaderId,
};
use libosdp::{OsdpStatusReport, OsdpStatusReportType};
use std::{collections::HashMap, time::Duration};

/// How often inputs that a door watches are asked for, from readers that do not report by themselves.
const INPUTS_EVERY: Duration = Duration::from_millis(500);
/// How often tamper and power are asked for.
const LOCAL_EVERY: Duration = Duration::from_secs(5);
/// A reader that has not come online by then is a fault.
const PATIENCE: Duration = Duration::from_secs(3);

/// A reader that went away so often ...
const UNSTEADY: usize = 6;
/// ... within this time is unsteady. One that refuses something goes and comes once a second: three events each time would
/// push everything else out of a journal of 250,000 within a day.
const UNSTEADY_WITHIN: Duration = Duration::from_secs(60);
/// An unsteady reader is believed when it has been there for so long.
const STEADY_AFTER: Duration = Duration::from_secs(30);

/// What an input last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    active: bool,
    /// Said since the reader came online, and not before.
    fresh: bool,
}

/// Whether an input became what it is just now. What was asked for after an outage may have been so for hours;
/// what is told unasked is a change, unless it is what was known before the outage.
fn is_change(before: Option<Level>, active: bool, asked: bool) -> bool {
    match before {
        Some(before) => before.active != active && (before.fresh || !asked),
        None => !asked,
    }
}

/// What is remembered of one reader.
#[derive(Default)]
pub(super) struct Watch {
    inputs: HashMap<u8, Level>,
    tamper: Option<bool>,
    power: Option<bool>,
    inputs_due: Duration,
    local_due: Duration,
    /// Questions that this reader refused, which took it offline.
    no_local: bool,
    no_inputs: bool,
    offline_since: Duration,
    offline_told: bool,
    /// When it went away, in the last [`UNSTEADY_WITHIN`].
    went: Vec<Duration>,
    /// It comes and goes, and that has been told.
    unsteady: bool,
    /// Since when an unsteady reader has been there without a break.
    back_since: Option<Duration>,
}

fn tell_online(device: &Device, common: &Common) {
    let reader = device.config.id.clone();
    common.gate.line_event(LineEvent::Online {
        reader: reader.clone(),
    });
    if device.config.install_mode {
        common.gate.line_event(LineEvent::Insecure { reader });
    }
}

/// Warns for as long as install mode stands in the configuration.
pub(super) fn warn_of_install_mode(reader: &OsdpReader, common: &Common) {
    if reader.install_mode {
        common.raise(
            &format!("install_mode:{}", reader.id),
            format!(
                "reader {} is in install mode: whoever taps its wires can read and replay cards; give it its key and \
                 take install_mode out of the configuration",
                reader.id
            ),
        );
    }
}

impl Watch {
    /// A reader that has not been heard of.
    pub(super) fn since(now: Duration) -> Self {
        Self {
            offline_since: now,
            ..Self::default()
        }
    }

    /// The reader reported its inputs, or tamper and power. Only what differs is told.
    /// `asked`: it was told upon a question, and not by itself, which readers do when something changes
    /// (OSDP 2.2, 7.6: a poll is answered with a status report only after a change).
    pub(super) fn status(
        &mut self,
        reader: &ReaderId,
        report: &OsdpStatusReport,
        asked: bool,
        common: &Common,
    ) {
        let mut entries = report
            .report
            .iter()
            .take(report.nr_entries)
            .map(|byte| *byte != 0);
        match report.type_ {
            OsdpStatusReportType::Input => {
                for (input, active) in (0_u8..).zip(entries) {
                    let level = Level { active, fresh: true };
                    let before = self.inputs.insert(input, level);
                    if before != Some(level) {
                        common.gate.line_event(LineEvent::Input {
                            reader: reader.clone(),
                            input,
                            active,
                            changed: is_change(before, active, asked),
                        });
                    }
                }
            }
            OsdpStatusReportType::Local => {
                let (tamper, power) = (entries.next(), entries.next());
                self.tamper(reader, tamper, common);
                self.power(reader, power, &*common.gate);
            }
            OsdpStatusReportType::Output | OsdpStatusReportType::Remote => {}
        }
    }

    fn tamper(&mut self, reader: &ReaderId, tamper: Option<bool>, common: &Common) {
        let Some(active) = tamper.filter(|_| self.tamper != tamper) else {
            return;
        };
        // A switch that is closed at the first look is not news.
        if active || self.tamper.is_some() {
            common.gate.line_event(LineEvent::Tamper {
                reader: reader.clone(),
                active,
            });
        }
        self.tamper = tamper;
        let key = format!("reader_tamper:{reader}");
        if active {
            let text = format!(
                "reader {reader} reports that it was opened or taken off its wall; go and look at it"
            );
            common.raise(&key, text);
        } else {
            common.health.clear(&key);
        }
    }

    fn power(&mut self, reader: &ReaderId, power: Option<bool>, gate: &dyn Gate) {
        let Some(failing) = power.filter(|_| self.power != power) else {
            return;
        };
        if failing || self.power.is_some() {
            gate.line_event(LineEvent::Power {
                reader: reader.clone(),
                failing,
            });
        }
        self.power = power;
    }

    /// The reader came or went.
    pub(super) fn changed(&mut self, device: &mut Device, change: Change, now: Duration, common: &Common) {
        let reader = device.config.id.clone();
        match change {
            Change::Secure(active) => common.gate.line_event(LineEvent::Secure { reader, active }),
            Change::Online => {
                for kind in ["reader_offline", "reader_key"] {
                    common.health.clear(&format!("{kind}:{reader}"));
                }
                // Ask for everything at once; what the inputs were before may be wrong by now.
                self.inputs.values_mut().for_each(|level| level.fresh = false);
                (self.inputs_due, self.local_due) = (now, now);
                device.show_idle(now);
                if self.unsteady {
                    self.back_since = Some(now);
                } else {
                    tell_online(device, common);
                }
            }
            Change::Offline => {
                self.refused(device);
                self.offline_since = now;
                self.offline_told = false;
                self.went(reader, now, common);
            }
        }
    }

    /// A reader that refuses a command is offline for a second: it is not given that one again.
    fn refused(&mut self, device: &mut Device) {
        let what = match device.take_refused() {
            Some(feedback::LSTAT) => {
                self.no_local = true;
                "tells of no tamper and power"
            }
            Some(feedback::ISTAT) => {
                self.no_inputs = true;
                "does not say what its inputs are"
            }
            Some(feedback::LED) => "refuses lights",
            Some(feedback::BUZ) => "refuses sounds",
            _ => return,
        };
        tracing::warn!(reader = %device.config.id, "the reader {what}, and is not asked again until the gateway starts");
    }

    /// It went away. Of a reader that comes and goes all the time the journal is told once, not for ever.
    fn went(&mut self, reader: ReaderId, now: Duration, common: &Common) {
        self.went.retain(|at| now < *at + UNSTEADY_WITHIN);
        self.went.push(now);
        self.back_since = None;
        if self.unsteady {
            common.gate.line_event(LineEvent::Away { reader });
            return;
        }
        let key = format!("reader_unsteady:{reader}");
        let text = format!(
            "reader {reader} came and went {UNSTEADY} times within a minute; check its power and its wires, and that no other \
             reader has its address. Until it stays for {} s its comings and goings are not written down",
            STEADY_AFTER.as_secs()
        );
        common.gate.line_event(LineEvent::Offline { reader });
        if self.went.len() >= UNSTEADY {
            self.unsteady = true;
            common.raise(&key, text);
        }
    }

    /// Believes a reader that came and went, once it has stayed.
    fn settle(&mut self, device: &Device, now: Duration, common: &Common) {
        if self.back_since.is_none_or(|since| now < since + STEADY_AFTER) {
            return;
        }
        (self.back_since, self.unsteady) = (None, false);
        self.went = Vec::new();
        common
            .health
            .clear(&format!("reader_unsteady:{}", device.config.id));
        tell_online(device, common);
    }

    /// Queues the questions that are due.
    pub(super) fn ask(&mut self, device: &mut Device, now: Duration, common: &Common) {
        if !device.online {
            return;
        }
        if !self.no_local && now >= self.local_due {
            self.local_due = now + LOCAL_EVERY;
            device.ask(OsdpStatusReportType::Local, now);
        }
        if !self.no_inputs && now >= self.inputs_due {
            self.inputs_due = now + INPUTS_EVERY;
            if common.table.load().watched.contains(&device.config.id) {
                device.ask(OsdpStatusReportType::Input, now);
            }
        }
    }

    /// Raises the fault of a reader that has been away for too long.
    pub(super) fn check(&mut self, device: &Device, line: &LineConfig, now: Duration, common: &Common) {
        self.settle(device, now, common);
        if device.online || self.offline_told || now < self.offline_since + PATIENCE {
            return;
        }
        self.offline_told = true;
        let (reader, address) = (&device.config.id, device.config.address);
        if device.shaken {
            common.raise(
                &format!("reader_key:{reader}"),
                format!(
                    "reader {reader} at address {address} on line {} answers and refuses the secure channel: its key is \
                     not the configured one; check its key file, or put the reader into install mode and set the key",
                    line.id
                ),
            );
        }
        common.raise(
            &format!("reader_offline:{reader}"),
            format!(
                "reader {reader} at address {address} on line {} is not online; check its power, its wires (A and B \
                 swapped?), its address and its baud rate ({})",
                line.id, line.baud
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_just_now_is_a_change() {
        let level = |active, fresh| Some(Level { active, fresh });
        for (before, active, asked, change) in [
            (None, true, true, false),
            (None, true, false, true),
            (level(false, true), true, true, true),
            (level(false, true), true, false, true),
            (level(false, false), true, true, false),
            (level(false, false), true, false, true),
            (level(true, false), true, true, false),
            (level(true, false), true, false, false),
        ] {
            assert_eq!(
                is_change(before, active, asked),
                change,
                "{before:?} {active} {asked}"
            );
        }
    }
}
