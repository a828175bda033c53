//! What the lines' threads call. Presentations are answered on the spot; everything else is journalled and shown.

use crate::{
    access::feedback,
    clock::Clock,
    domain::{Answer, EventKind, Presentation, ReaderId, Reason, event::Draft, say::journal as say},
    doors::{
        answer::{Answerer, Recorder},
        keeper::Signal,
    },
    health::Health,
    readers::{Gate, LineEvent},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Sender},
};

/// The gate of the running gateway.
pub(super) struct SiteGate {
    pub(super) answerer: Answerer,
    pub(super) recorder: Arc<dyn Recorder>,
    pub(super) keeper: Sender<Signal>,
    pub(super) clock: Clock,
    pub(super) health: Health,
}

impl Gate for SiteGate {
    /// A defect that panics refuses this one presentation. It must not end the line's thread, which answers every
    /// other card and reader there (invariant 2).
    fn present(&self, presentation: &Presentation) -> Answer {
        catch_unwind(AssertUnwindSafe(|| self.answerer.answer(presentation)))
            .unwrap_or_else(|_| self.could_not_decide(presentation))
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
            LineEvent::Away { reader } => self.signal(Signal::Away(reader)),
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
                let text = String::from(say::output_failed(output, &reader));
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
    /// Refused, journalled, shown. What panicked is in the log; the card is not.
    fn could_not_decide(&self, presentation: &Presentation) -> Answer {
        let (now, reason) = (self.clock.now(), Reason::InternalError);
        let reader = &presentation.reader;
        let text = format!(
            "a card at {reader} could not be decided because of a defect in the gateway, and was refused; send the log \
             to the makers: journalctl -u doorward"
        );
        tracing::error!("{text}");
        self.health
            .raise(&format!("internal_error:{reader}"), text, now.at);
        let draft = Draft {
            reader: Some(reader.clone()),
            credential: presentation.credential,
            reason: Some(reason),
            ..Draft::new(EventKind::Refused, now.at, now.quality())
        };
        Answer {
            reason,
            feedback: feedback(reason),
            release: None,
            // The journal may be what panicked.
            seq: catch_unwind(AssertUnwindSafe(|| self.recorder.record(&draft))).unwrap_or(0),
        }
    }

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
        self.recorder.record(&Draft {
            reader: Some(reader),
            detail,
            ..Draft::new(kind, now.at, now.quality())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{event::ClockQuality, time::Moment},
        doors::world::World,
    };
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    /// Panics at the first event.
    #[derive(Default)]
    struct Poisoned {
        over: AtomicBool,
        events: Mutex<Vec<Draft>>,
    }

    impl Recorder for Poisoned {
        fn record(&self, draft: &Draft) -> u64 {
            assert!(self.over.swap(true, Ordering::SeqCst), "a defect");
            self.events.lock().unwrap().push(draft.clone());
            7
        }
    }

    #[test]
    fn a_presentation_that_panics_is_refused_and_the_next_is_answered() {
        let text = "[site]\nid = \"s\"\nname = \"S\"\nzone = \"UTC\"\n[paths]\nstate = \"/x\"\nruntime = \"/x\"\n\
                    [cloud]\nkind = \"none\"\n";
        let (config, findings) = crate::config::parse(
            std::path::Path::new("/x"),
            text.into(),
            crate::config::Purpose::Inspect,
            &crate::config::Environment::default(),
        );
        let config = config.unwrap_or_else(|| panic!("{findings}"));
        let (recorder, clock) = (Arc::new(Poisoned::default()), Clock::manual(Moment::untrusted(5)));
        let (keeper, _signals) = mpsc::channel();
        let world = Arc::new(World::new(&config, crate::access::Limits::default()));
        let shared: Arc<dyn Recorder> = Arc::<Poisoned>::clone(&recorder);
        let gate = SiteGate {
            answerer: Answerer::new(world, Arc::clone(&shared), clock.clone(), keeper.clone()),
            recorder: shared,
            keeper,
            clock,
            health: Health::default(),
        };
        let presentation = Presentation {
            reader: "front".into(),
            credential: "uid:04DEADBEEFCAFE".parse().ok(),
        };
        let answer = gate.present(&presentation);
        assert_eq!((answer.reason, answer.release), (Reason::InternalError, None));
        let faults = gate.health.doc().faults;
        assert!(
            faults[0].key == "internal_error:front" && !faults[0].text.contains("DEAD"),
            "{faults:?}"
        );
        assert_eq!(gate.present(&presentation).reason, Reason::UnknownDoor);
        let events = recorder.events.lock().unwrap();
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.kind, event.reason, event.clock))
            .collect();
        let untrusted = ClockQuality::Untrusted;
        assert_eq!(
            told,
            [
                (EventKind::Refused, Some(Reason::InternalError), untrusted),
                (EventKind::Refused, Some(Reason::UnknownDoor), untrusted)
            ]
        );
    }
}
