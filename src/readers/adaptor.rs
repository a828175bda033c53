//! A WRADAPT line: one SALTO wall reader behind its RS232 adaptor. It only speaks: there is no light to set and
//! no output, so a release goes to an OSDP device elsewhere. Silence is normal, so online means that the port
//! is open.

use super::{
    LineEvent,
    port::{Framing, Port},
    shared::{Common, Inbox, LineState, ReaderState},
    wradapt::{Decoder, Heard},
};
use crate::{
    config::model::{LineConfig, WradaptReader},
    domain::Presentation,
};
use std::{io, time::Duration};

/// How often a missing port is looked for, and the longest wait.
const REOPEN_EVERY: Duration = Duration::from_millis(250);

struct Adaptor<'a> {
    line: &'a LineConfig,
    reader: &'a WradaptReader,
    common: &'a Common,
    decoder: Decoder,
    port: Option<Port>,
    reopen_at: Duration,
    lost_told: bool,
    opened: u64,
    presentations: u64,
    noise_told: u64,
    report_at: Duration,
}

/// The line's thread.
pub(super) fn run(line: &LineConfig, reader: &WradaptReader, common: &Common, inbox: &Inbox) {
    let mut adaptor = Adaptor {
        line,
        reader,
        common,
        decoder: Decoder::new(reader),
        port: None,
        reopen_at: Duration::ZERO,
        lost_told: false,
        opened: 0,
        presentations: 0,
        noise_told: 0,
        report_at: Duration::ZERO,
    };
    loop {
        let now = common.clock.monotonic();
        if !inbox.turn(now) {
            break;
        }
        adaptor.turn(now);
        // No outputs here: the table leads nobody to this line.
        while inbox.commands.try_recv().is_ok() {}
        Port::wait(adaptor.port.as_ref(), inbox.wake_fd(), REOPEN_EVERY);
        inbox.rest();
    }
}

impl Adaptor<'_> {
    fn turn(&mut self, now: Duration) {
        if self.port.is_none() && now >= self.reopen_at {
            self.open(now);
        }
        if let Err(error) = self.receive() {
            self.port = None;
            self.decoder.restart();
            self.lost(&error, now);
        }
        if now >= self.report_at {
            self.report_at = now + Duration::from_secs(1);
            self.tell_noise();
            self.post();
        }
    }

    fn open(&mut self, now: Duration) {
        let framing = Framing {
            baud: self.line.baud,
            data_bits: self.reader.data_bits,
            parity: self.reader.parity,
        };
        match Port::open(&self.line.path, framing) {
            Ok(port) => {
                self.port = Some(port);
                self.opened += 1;
                if std::mem::take(&mut self.lost_told) {
                    self.common.health.clear(&format!("line_lost:{}", self.line.id));
                    self.common.gate.line_event(LineEvent::LineBack {
                        line: self.line.id.clone(),
                    });
                }
                self.common.gate.line_event(LineEvent::Online {
                    reader: self.reader.id.clone(),
                });
                self.post();
            }
            Err(error) => self.lost(&error, now),
        }
    }

    fn lost(&mut self, error: &io::Error, now: Duration) {
        self.reopen_at = now + REOPEN_EVERY;
        if std::mem::replace(&mut self.lost_told, true) {
            return;
        }
        let (id, path) = (&self.line.id, self.line.path.display());
        let text = format!(
            "line {id}: cannot use {path}: {error}; check that the serial adapter is plugged in and that nothing else uses it"
        );
        tracing::warn!("{text}");
        self.common.raise(&format!("line_lost:{id}"), text);
        self.common.gate.line_event(LineEvent::LineLost {
            line: id.clone(),
            error: error.to_string(),
        });
        if self.opened > 0 {
            self.common.gate.line_event(LineEvent::Offline {
                reader: self.reader.id.clone(),
            });
        }
        self.post();
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 256];
        loop {
            let Some(port) = &mut self.port else { return Ok(()) };
            let count = port.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            for byte in buffer.iter().take(count) {
                if let Some(heard) = self.decoder.push(*byte) {
                    self.presented(heard);
                }
            }
        }
    }

    fn presented(&mut self, heard: Heard) {
        self.presentations += 1;
        let answer = self.common.gate.present(&Presentation {
            reader: self.reader.id.clone(),
            credential: heard,
        });
        let Some(release) = answer.release else { return };
        let Some(target) = self.common.output_of(&release) else {
            return;
        };
        if !self.common.pulse(target.clone(), release.hold) {
            tracing::warn!(reader = %target.reader, output = target.output, "a release was not carried out");
            self.common.gate.line_event(LineEvent::ReleaseFailed {
                reader: target.reader,
                output: target.output,
            });
        }
    }

    fn tell_noise(&mut self) {
        let total = self.decoder.noise + self.decoder.bad_checks;
        if total > self.noise_told {
            self.common.gate.line_event(LineEvent::Noise {
                line: self.line.id.clone(),
                count: total - self.noise_told,
            });
            self.noise_told = total;
        }
    }

    fn post(&self) {
        let state = ReaderState {
            online: self.port.is_some(),
            presentations: self.presentations,
            ..ReaderState::default()
        };
        let state = LineState {
            path: self.line.path.clone(),
            open: self.port.is_some(),
            noise: self.decoder.noise,
            bad_checks: self.decoder.bad_checks,
            opened: self.opened,
            readers: [(self.reader.id.clone(), state)].into(),
            ..LineState::default()
        };
        self.common.board.post(&self.line.id, state, &self.common.health);
    }
}
