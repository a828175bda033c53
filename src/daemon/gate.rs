//! What the lines' threads call. Presentations are answered on the spot; everything else is journalled and shown.

use crate::{
    clock::Clock,
    domain::{Answer, ClockQuality, EventKind, Presentation, ReaderId, event::Draft},
    doors::{
        answer::{Answerer, Recorder},
        keeper::Signal,
    },
    health::Health,
    readers::{Gate, LineEvent},
};
use std::sync::{Arc, mpsc::Sender};

/// The gate of the running gateway.
pub(super) struct SiteGate {
    pub(super) answerer: Answerer,
    pub(super) recorder: Arc<dyn Recorder>,
    pub(super) keeper: Sender<Signal>,
    pub(super) clock: Clock,
    pub(super) health: Health,
}

impl Gate for SiteGate {
    fn present(&self, presentation: &Presentation) -> Answer {
        self.answerer.answer(presentation)
    }

    fn line_event(&self, event: LineEvent) {
        match event {
            LineEvent::Online { reader } => {
                self.health.clear(&format!("reader_offline:{reader}"));
                self.journal(EventKind::ReaderOnline, reader, None);
            }
            LineEvent::Offline { reader } => {
                self.signal(Signal::Away(reader.clone()));
                let text = format!("reader {reader} does not answer; look at its power and its wires");
                self.fault(&format!("reader_offline:{reader}"), text);
                self.journal(EventKind::ReaderOffline, reader, None);
            }
            LineEvent::Insecure { reader } => {
                let text = format!(
                    "reader {reader} runs in install mode: anybody on its wire can read and replay cards. Give it its \
                     own key and take install_mode out"
                );
                self.fault(&format!("install_mode:{reader}"), text);
                self.journal(EventKind::ReaderInsecure, reader, None);
            }
            LineEvent::Tamper { reader, active } => self.tamper(reader, active),
            LineEvent::Input {
                reader,
                input,
                active,
                changed,
            } => self.signal(Signal::Input {
                reader,
                input,
                active,
                changed,
            }),
            LineEvent::Secure { reader, active } => {
                tracing::info!(%reader, active, "secure channel");
                if active {
                    self.health.clear(&format!("install_mode:{reader}"));
                }
            }
            LineEvent::Power { reader, failing } => {
                let key = format!("reader_power:{reader}");
                if failing {
                    self.fault(
                        &key,
                        format!("reader {reader} says that its power is failing; look at its supply"),
                    );
                } else {
                    self.health.clear(&key);
                }
            }
            LineEvent::ReleaseFailed { reader, output } => {
                let text = format!("output {output} of {reader} did not switch; the door stayed secured");
                tracing::warn!("{text}");
                self.journal(EventKind::Fault, reader, Some(text));
            }
            LineEvent::LineLost { line, error } => {
                let text =
                    format!("serial line {line} cannot be used: {error}; look at the adapter and its cable");
                tracing::warn!("{text}");
                self.fault(&format!("line_lost:{line}"), text);
            }
            LineEvent::LineBack { line } => {
                tracing::info!(%line, "the serial line is back");
                self.health.clear(&format!("line_lost:{line}"));
            }
            LineEvent::Noise { line, count } => tracing::debug!(%line, count, "noise on the line, skipped"),
        }
    }
}

impl SiteGate {
    /// A keeper that is gone means that the gateway is going down.
    fn signal(&self, signal: Signal) {
        let _ = self.keeper.send(signal);
    }

    fn fault(&self, key: &str, text: String) {
        self.health.raise(key, text, self.clock.now().at);
    }

    fn tamper(&self, reader: ReaderId, active: bool) {
        let key = format!("reader_tamper:{reader}");
        if active {
            self.fault(
                &key,
                format!("reader {reader} says that its case was opened; go and look"),
            );
            self.journal(EventKind::ReaderTamper, reader, None);
        } else if self.health.clear(&key) {
            self.journal(EventKind::ReaderTamperEnded, reader, None);
        }
    }

    fn journal(&self, kind: EventKind, reader: ReaderId, detail: Option<String>) {
        let now = self.clock.now();
        let clock = if now.trusted {
            ClockQuality::Trusted
        } else {
            ClockQuality::Untrusted
        };
        self.recorder.record(&Draft {
            reader: Some(reader),
            detail,
            ..Draft::new(kind, now.at, clock)
        });
    }
}
