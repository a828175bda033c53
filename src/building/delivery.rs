//! The core of delivery: which events are on their way, which packet identifier means which, when the cursor
//! moves and when a silent connection is given up. No IO and no clock: time is an argument, monotonic, from any
//! fixed start.

use crate::domain::EntryEvent;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Events on their way at once. Enough to fill a slow line, few enough to repeat after a loss.
pub const WINDOW: usize = 32;

/// How long to wait before a journal that could not be read is asked again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The broker accepted a new connection, with a clean session.
    Connected,
    /// The connection is gone.
    Lost,
    /// Everything up to this sequence is in the journal.
    Committed(u64),
    /// The answer to [`Output::Read`] with the same `after`.
    Read {
        /// The sequence that was asked from.
        after: u64,
        /// What there is, in journal order.
        events: Vec<EntryEvent>,
    },
    /// The journal could not be read.
    ReadFailed,
    /// The health document is to be published.
    Health,
    /// The client wrote the next publish under this packet identifier. They come in the order of the outputs.
    Sent(u16),
    /// The broker acknowledged this packet identifier.
    Acked(u16),
    /// Time passed.
    Tick,
}

/// What is to be done outside, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Read the journal.
    Read {
        /// Events above this sequence.
        after: u64,
        /// At most so many.
        limit: usize,
    },
    /// Publish this event.
    Publish(EntryEvent),
    /// Publish the health document as it is now.
    PublishHealth,
    /// Everything up to this sequence is delivered.
    Acknowledge(u64),
    /// The broker acknowledged nothing for too long: throw the client away and connect anew.
    Rebuild,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticket {
    Event(u64),
    Health,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    seq: u64,
    acked: bool,
}

/// Delivery to one broker.
#[derive(Debug)]
pub struct Delivery {
    ack_timeout: Duration,
    connected: bool,
    /// Everything up to here is delivered.
    cursor: u64,
    /// Everything up to here is in the journal.
    committed: u64,
    /// A read found nothing although this much was committed: wait for more.
    dry_at: u64,
    reading: Option<u64>,
    read_again_at: Option<Duration>,
    /// Events on their way, in journal order; the first is never acknowledged.
    slots: VecDeque<Slot>,
    /// Handed to the client, not yet written.
    unsent: VecDeque<Ticket>,
    /// Written, not yet acknowledged.
    sent: HashMap<u16, Ticket>,
    /// Since when a health document is on its way.
    health_since: Option<Duration>,
    health_wanted: bool,
    /// Since when events are on their way without one of them being acknowledged. Apart from health, or documents
    /// that are acknowledged every few seconds would hide an event that never is.
    events_since: Option<Duration>,
}

impl Delivery {
    /// Delivery that goes on behind `cursor`.
    #[must_use]
    pub fn new(cursor: u64, ack_timeout: Duration) -> Self {
        Self {
            ack_timeout,
            connected: false,
            cursor,
            committed: cursor,
            dry_at: 0,
            reading: None,
            read_again_at: None,
            slots: VecDeque::new(),
            unsent: VecDeque::new(),
            sent: HashMap::new(),
            health_since: None,
            health_wanted: false,
            events_since: None,
        }
    }

    /// Takes what happened and says what is to be done. `now` is monotonic.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Connected => {
                self.forget_connection();
                self.connected = true;
            }
            Input::Lost => self.forget_connection(),
            Input::Committed(seq) => self.committed = self.committed.max(seq),
            Input::Read { after, events } => self.take_events(after, events, &mut out),
            Input::ReadFailed => {
                self.reading = None;
                self.read_again_at = Some(now.saturating_add(READ_AGAIN));
            }
            Input::Health => self.health_wanted = true,
            Input::Sent(pkid) => {
                if let Some(ticket) = self.unsent.pop_front() {
                    self.sent.insert(pkid, ticket);
                }
            }
            Input::Acked(pkid) => self.take_ack(pkid, now, &mut out),
            Input::Tick => {}
        }
        self.publish_health(now, &mut out);
        self.watch_silence(now, &mut out);
        self.read_more(now, &mut out);
        out
    }

    /// When to call [`Self::handle`] with [`Input::Tick`] at the latest, on the same time line.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let silence = self
            .silent_since()
            .map(|since| since.saturating_add(self.ack_timeout));
        let read = self.read_again_at.filter(|_| self.connected);
        silence.into_iter().chain(read).min()
    }

    fn silent_since(&self) -> Option<Duration> {
        self.events_since.into_iter().chain(self.health_since).min()
    }

    /// Events in the journal that the broker has not acknowledged. An upper bound: sequences may have gaps.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.committed.saturating_sub(self.cursor)
    }

    /// Events on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.slots.len()
    }

    /// Publishes that were handed over and not reported as written.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.unsent.len()
    }

    /// Everything up to this sequence is delivered.
    #[must_use]
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    fn forget_connection(&mut self) {
        self.connected = false;
        self.slots.clear();
        self.unsent.clear();
        self.sent.clear();
        self.reading = None;
        self.dry_at = 0;
        self.health_since = None;
        self.events_since = None;
    }

    /// The last event on its way, or the cursor: where reading goes on.
    fn queued_to(&self) -> u64 {
        self.slots.back().map_or(self.cursor, |slot| slot.seq)
    }

    fn take_events(&mut self, after: u64, events: Vec<EntryEvent>, out: &mut Vec<Output>) {
        if self.reading != Some(after) {
            return; // an answer from before the connection was lost
        }
        self.reading = None;
        if events.is_empty() {
            self.dry_at = self.committed;
        }
        for event in events {
            let full = self.slots.len() >= WINDOW;
            if full || event.seq <= self.queued_to() {
                continue;
            }
            self.committed = self.committed.max(event.seq);
            self.slots.push_back(Slot {
                seq: event.seq,
                acked: false,
            });
            self.unsent.push_back(Ticket::Event(event.seq));
            out.push(Output::Publish(event));
        }
    }

    fn take_ack(&mut self, pkid: u16, now: Duration, out: &mut Vec<Output>) {
        let Some(ticket) = self.sent.remove(&pkid) else {
            return;
        };
        match ticket {
            Ticket::Health => self.health_since = None,
            Ticket::Event(seq) => {
                // A sign of life: the wait for the others begins anew.
                self.events_since = Some(now);
                if let Some(slot) = self.slots.iter_mut().find(|slot| slot.seq == seq) {
                    slot.acked = true;
                }
            }
        }
        let before = self.cursor;
        while let Some(slot) = self.slots.pop_front_if(|slot| slot.acked) {
            self.cursor = slot.seq;
        }
        if self.cursor > before {
            out.push(Output::Acknowledge(self.cursor));
        }
    }

    fn publish_health(&mut self, now: Duration, out: &mut Vec<Output>) {
        if self.connected && self.health_wanted && self.health_since.is_none() {
            self.health_wanted = false;
            self.health_since = Some(now);
            self.unsent.push_back(Ticket::Health);
            out.push(Output::PublishHealth);
        }
    }

    fn watch_silence(&mut self, now: Duration, out: &mut Vec<Output>) {
        if self.slots.is_empty() {
            self.events_since = None;
        } else {
            self.events_since.get_or_insert(now);
        }
        if self
            .silent_since()
            .is_some_and(|since| now.saturating_sub(since) >= self.ack_timeout)
        {
            self.forget_connection();
            self.health_wanted = true;
            out.push(Output::Rebuild);
        }
    }

    fn read_more(&mut self, now: Duration, out: &mut Vec<Output>) {
        let after = self.queued_to();
        let more = self.committed > after.max(self.dry_at);
        let room = WINDOW.saturating_sub(self.slots.len());
        let waiting = self.read_again_at.is_some_and(|at| now < at);
        if self.connected && more && room > 0 && self.reading.is_none() && !waiting {
            self.read_again_at = None;
            self.reading = Some(after);
            out.push(Output::Read { after, limit: room });
        }
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
