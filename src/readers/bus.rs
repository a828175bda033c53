//! An OSDP line: loss and return of the adapter, what is asked of the line, what it tells. Who may speak when is
//! in `exchange`.

mod exchange;

use super::{
    LineEvent, card,
    device::Device,
    feedback,
    frame::Framer,
    port::{Framing, Port},
    shared::{Common, Inbox, LineCommand, LineState, ReaderState},
    watch::{Watch, warn_of_install_mode},
};
use crate::{
    config::model::{LineConfig, OsdpReader, OutputRef},
    domain::{Credential, Presentation},
};
use exchange::Exchange;
use libosdp::OsdpEvent;
use std::{io, time::Duration};

/// Silence within a frame after which it is given up (IEC 60839-11-5: 20 ms between characters; USB adapters
/// hold bytes back for up to 16 ms).
const SILENCE: Duration = Duration::from_millis(36);
/// How often a missing port is looked for.
const REOPEN_EVERY: Duration = Duration::from_millis(250);
/// The longest wait with a port and nothing to do: libosdp's own timers are looked at then.
const IDLE_WAIT: Duration = Duration::from_millis(10);
/// How often counters are shown and noise is told.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// So many whole frames a second that nobody asked for ...
const CROSSED: u64 = 5;
/// ... for so many seconds: two readers have one address, or somebody else asks. One replay or echo is neither.
const CROSSED_FOR: u32 = 5;

struct Bus<'a> {
    line: &'a LineConfig,
    common: &'a Common,
    devices: Vec<Device>,
    watches: Vec<Watch>,
    port: Option<Port>,
    framer: Framer,
    exchange: Option<Exchange>,
    next: usize,
    last_rx: Duration,
    /// Nothing is sent before: two characters of silence between frames.
    quiet_until: Duration,
    reopen_at: Duration,
    report_at: Duration,
    lost_told: bool,
    opened: u64,
    strays: u64,
    /// Those of the seconds before, and for how many seconds there were too many.
    strays_before: u64,
    crossed: u32,
    noise_told: u64,
    changed: bool,
}

/// The line's thread.
pub(super) fn run(line: &LineConfig, readers: &[OsdpReader], common: &Common, inbox: &Inbox) {
    let mut devices = Vec::new();
    for reader in readers {
        match Device::new(reader, line.baud) {
            Ok(device) => devices.push(device),
            Err(error) => common.raise(
                &format!("reader_offline:{}", reader.id),
                format!(
                    "reader {} on line {} cannot be used: {error}; check its address ({}), the line's baud rate ({}) \
                     and that it has a key",
                    reader.id, line.id, reader.address, line.baud
                ),
            ),
        }
        warn_of_install_mode(reader, common);
    }
    let mut bus = Bus::new(line, common, devices);
    loop {
        let now = common.clock.monotonic();
        if !inbox.turn(now) {
            break;
        }
        bus.commands(inbox, now);
        bus.turn(now);
        Port::wait(bus.port.as_ref(), inbox.wake_fd(), bus.rest());
        inbox.rest();
    }
}

impl<'a> Bus<'a> {
    fn new(line: &'a LineConfig, common: &'a Common, devices: Vec<Device>) -> Self {
        let now = common.clock.monotonic();
        let watches = devices.iter().map(|_| Watch::since(now)).collect();
        Self {
            line,
            common,
            devices,
            watches,
            port: None,
            framer: Framer::default(),
            exchange: None,
            next: 0,
            last_rx: Duration::ZERO,
            quiet_until: Duration::ZERO,
            reopen_at: Duration::ZERO,
            report_at: Duration::ZERO,
            lost_told: false,
            opened: 0,
            strays: 0,
            strays_before: 0,
            crossed: 0,
            noise_told: 0,
            changed: true,
        }
    }

    fn now(&self) -> Duration {
        self.common.clock.monotonic()
    }

    fn commands(&mut self, inbox: &Inbox, now: Duration) {
        while let Ok(LineCommand::Output { target, hold }) = inbox.commands.try_recv() {
            self.pulse(&target, hold, now);
        }
    }

    fn pulse(&mut self, target: &OutputRef, hold: Duration, now: Duration) {
        let device = self
            .devices
            .iter_mut()
            .find(|device| device.config.id == target.reader);
        if !device.is_some_and(|device| device.release(target.output, hold, now)) {
            self.release_failed(target);
        }
    }

    fn release_failed(&self, target: &OutputRef) {
        tracing::warn!(line = %self.line.id, reader = %target.reader, output = target.output,
            "a release was not carried out");
        self.common.gate.line_event(LineEvent::ReleaseFailed {
            reader: target.reader.clone(),
            output: target.output,
        });
    }

    fn turn(&mut self, now: Duration) {
        if self.port.is_none() && now >= self.reopen_at {
            self.open(now);
        }
        if self.port.is_some() {
            let worked = self.receive().and_then(|()| self.transmit());
            if let Err(error) = worked {
                self.lost(&error, now);
            }
        }
        self.housekeeping(now);
    }

    /// How long the line may rest before it must look again.
    fn rest(&self) -> Duration {
        let now = self.now();
        match (&self.port, self.exchange) {
            (None, _) => self.reopen_at.saturating_sub(now).min(REOPEN_EVERY),
            (_, _) if self.framer.is_partial() => (self.last_rx + SILENCE).saturating_sub(now),
            (_, Some(exchange)) => exchange.until.saturating_sub(now),
            (_, None) if self.quiet_until > now => self.quiet_until - now,
            (_, None) => {
                let due = self.devices.iter().filter_map(|device| device.poll_due).min();
                due.map_or(IDLE_WAIT, |due| due.saturating_sub(now).min(IDLE_WAIT))
            }
        }
        .clamp(Duration::from_micros(100), REOPEN_EVERY)
    }

    fn open(&mut self, now: Duration) {
        match Port::open(&self.line.path, Framing::osdp(self.line.baud)) {
            Ok(port) => {
                self.port = Some(port);
                self.opened += 1;
                self.changed = true;
                if self.lost_told {
                    self.lost_told = false;
                    self.common.health.clear(&format!("line_lost:{}", self.line.id));
                    self.common.gate.line_event(LineEvent::LineBack {
                        line: self.line.id.clone(),
                    });
                }
            }
            Err(error) => {
                self.reopen_at = now + REOPEN_EVERY;
                self.tell_lost(&error);
            }
        }
    }

    fn tell_lost(&mut self, error: &io::Error) {
        if self.lost_told {
            return;
        }
        self.lost_told = true;
        self.changed = true;
        let text = format!(
            "line {}: cannot use {}: {error}; check that the serial adapter is plugged in and that nothing else uses it",
            self.line.id,
            self.line.path.display()
        );
        tracing::warn!("{text}");
        self.common.raise(&format!("line_lost:{}", self.line.id), text);
        self.common.gate.line_event(LineEvent::LineLost {
            line: self.line.id.clone(),
            error: error.to_string(),
        });
    }

    /// The adapter is gone. Every reader starts afresh when it is back: what they remember of the secure
    /// channel, and whether they had power meanwhile, nobody knows.
    fn lost(&mut self, error: &io::Error, now: Duration) {
        self.port = None;
        self.exchange = None;
        self.framer.gave_up();
        self.reopen_at = now + REOPEN_EVERY;
        self.tell_lost(error);
        for index in 0..self.devices.len() {
            if let Some(device) = self.devices.get_mut(index) {
                device.rebuild();
            }
            self.look_after(index, now);
        }
    }

    /// Tells what happened at a device since the last look.
    fn look_after(&mut self, index: usize, now: Duration) {
        while let Some(event) = self.devices.get_mut(index).and_then(Device::next_event) {
            match event {
                OsdpEvent::CardRead(read) => {
                    let format = self.devices.get(index).map(|device| device.config.card);
                    let credential =
                        format.and_then(|format| card::credential(format, read.nr_bits, &read.data));
                    self.presented(index, credential, now);
                }
                OsdpEvent::Status(report) => {
                    if let (Some(device), Some(watch)) =
                        (self.devices.get(index), self.watches.get_mut(index))
                    {
                        let asked = device.last_code == feedback::ISTAT;
                        watch.status(&device.config.id, &report, asked, self.common);
                    }
                }
                OsdpEvent::KeyPress(_) | OsdpEvent::MfgReply(_) => {}
            }
        }
        let Some(device) = self.devices.get_mut(index) else {
            return;
        };
        device.check_release(now);
        let (changes, failed) = (device.changes(), device.take_failed_releases());
        let reader = device.config.id.clone();
        for change in changes.into_iter().flatten() {
            self.changed = true;
            if let Some(watch) = self.watches.get_mut(index) {
                watch.changed(device, change, now, self.common);
            }
        }
        for output in failed {
            self.release_failed(&OutputRef {
                reader: reader.clone(),
                output,
            });
        }
    }

    /// A card at a reader; `None` if it could not be made out.
    fn presented(&mut self, index: usize, credential: Option<Credential>, now: Duration) {
        let Some(device) = self.devices.get_mut(index) else {
            return;
        };
        device.presentations += 1;
        let presentation = Presentation {
            reader: device.config.id.clone(),
            credential,
        };
        let answer = self.common.gate.present(&presentation);
        device.show(answer.feedback, now);
        self.changed = true;
        let Some(release) = answer.release else { return };
        let Some(target) = self.common.output_of(&release) else {
            return;
        };
        if self
            .devices
            .iter()
            .any(|device| device.config.id == target.reader)
        {
            self.pulse(&target, release.hold, now);
        } else if !self.common.pulse(target.clone(), release.hold) {
            self.release_failed(&target);
        }
    }

    fn housekeeping(&mut self, now: Duration) {
        for (device, watch) in self.devices.iter_mut().zip(&mut self.watches) {
            watch.ask(device, now, self.common);
            // While the adapter is gone, the line's own fault says it all.
            if self.port.is_some() {
                watch.check(device, self.line, now, self.common);
            }
        }
        if now >= self.report_at {
            self.report_at = now + REPORT_EVERY;
            self.tell_noise();
            self.tell_crossed();
            self.post();
        } else if std::mem::take(&mut self.changed) {
            self.post();
        }
    }

    fn tell_noise(&mut self) {
        let total = self.framer.noise + self.framer.bad_checks + self.strays;
        let count = total - self.noise_told;
        if count > 0 {
            self.noise_told = total;
            self.common.gate.line_event(LineEvent::Noise {
                line: self.line.id.clone(),
                count,
            });
        }
    }

    /// Once a second: whether somebody talks who was not asked.
    fn tell_crossed(&mut self) {
        let fresh = self.strays - std::mem::replace(&mut self.strays_before, self.strays);
        let key = || format!("line_crossed:{}", self.line.id);
        if fresh < CROSSED {
            if std::mem::take(&mut self.crossed) >= CROSSED_FOR {
                self.common.health.clear(&key());
            }
            return;
        }
        self.crossed = self.crossed.saturating_add(1);
        if self.crossed == CROSSED_FOR {
            let text = format!(
                "on line {} somebody answers who was not asked, several times a second: two readers have one address, or \
                 another controller is on these wires; cards may get lost. Give each reader an address of its own",
                self.line.id
            );
            tracing::warn!("{text}");
            self.common.raise(&key(), text);
        }
    }

    fn post(&self) {
        let readers = self.devices.iter().map(|device| {
            let state = ReaderState {
                online: device.online,
                secure: device.secure,
                install_mode: device.config.install_mode,
                presentations: device.presentations,
                unanswered: device.unanswered,
            };
            (device.config.id.clone(), state)
        });
        let state = LineState {
            path: self.line.path.clone(),
            open: self.port.is_some(),
            noise: self.framer.noise,
            bad_checks: self.framer.bad_checks,
            strays: self.strays,
            opened: self.opened,
            readers: readers.collect(),
        };
        self.common.board.post(&self.line.id, state, &self.common.health);
    }
}
