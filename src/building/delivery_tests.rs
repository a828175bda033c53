//! The core of delivery, alone and against a careless broker.

use super::*;
use crate::domain::event::{ClockQuality, Draft, EventKind};
use proptest::prelude::*;

const TIMEOUT: Duration = Duration::from_secs(30);
const T0: Duration = Duration::ZERO;

fn event(seq: u64) -> EntryEvent {
    EntryEvent {
        id: format!("t-{seq}").into(),
        seq,
        body: Draft::new(EventKind::Granted, 0, ClockQuality::Trusted),
    }
}

fn events(seqs: std::ops::RangeInclusive<u64>) -> Vec<EntryEvent> {
    seqs.map(event).collect()
}

fn seqs(outputs: &[Output]) -> Vec<u64> {
    let published = outputs.iter().filter_map(|output| match output {
        Output::Publish(event) => Some(event.seq),
        _ => None,
    });
    published.collect()
}

/// A connected delivery with events 1 to `count` written under the packet identifiers 1 to `count`.
fn on_their_way(count: u16) -> Delivery {
    let mut delivery = Delivery::new(0, TIMEOUT);
    delivery.handle(Input::Committed(u64::from(count)), T0);
    assert_eq!(
        delivery.handle(Input::Connected, T0),
        [Output::Read {
            after: 0,
            limit: WINDOW
        }]
    );
    let read = Input::Read {
        after: 0,
        events: events(1..=u64::from(count)),
    };
    delivery.handle(read, T0);
    for pkid in 1..=count {
        delivery.handle(Input::Sent(pkid), T0);
    }
    delivery
}

#[test]
fn nothing_is_read_without_a_connection() {
    let mut delivery = Delivery::new(7, TIMEOUT);
    assert_eq!(delivery.handle(Input::Committed(9), T0), []);
    assert_eq!((delivery.pending(), delivery.wake_at()), (2, None));
}

#[test]
fn the_cursor_moves_only_over_an_unbroken_row_of_acknowledgements() {
    let mut delivery = on_their_way(3);
    assert_eq!(delivery.handle(Input::Acked(2), T0), []);
    assert_eq!(delivery.handle(Input::Acked(3), T0), []);
    assert_eq!(delivery.handle(Input::Acked(1), T0), [Output::Acknowledge(3)]);
    assert_eq!((delivery.pending(), delivery.in_flight()), (0, 0));
    assert_eq!(
        delivery.handle(Input::Acked(1), T0),
        [],
        "an acknowledgement of nothing"
    );
}

#[test]
fn the_window_bounds_what_is_on_its_way() {
    let mut delivery = Delivery::new(0, TIMEOUT);
    delivery.handle(Input::Committed(1_000), T0);
    delivery.handle(Input::Connected, T0);
    let greedy = Input::Read {
        after: 0,
        events: events(1..=100),
    };
    let published = delivery.handle(greedy, T0);
    assert_eq!(seqs(&published), (1..=32).collect::<Vec<_>>());
    assert!(
        !published
            .iter()
            .any(|output| matches!(output, Output::Read { .. }))
    );
    delivery.handle(Input::Sent(1), T0);
    assert_eq!(
        delivery.handle(Input::Acked(1), T0),
        [Output::Acknowledge(1), Output::Read { after: 32, limit: 1 }]
    );
}

#[test]
fn after_a_loss_everything_behind_the_cursor_comes_again() {
    let mut delivery = on_their_way(4);
    delivery.handle(Input::Acked(1), T0);
    delivery.handle(Input::Acked(3), T0);
    assert_eq!(delivery.handle(Input::Lost, T0), []);
    assert_eq!(
        delivery.handle(Input::Connected, T0),
        [Output::Read {
            after: 1,
            limit: WINDOW
        }]
    );
    let stale = Input::Read {
        after: 4,
        events: events(5..=6),
    };
    assert_eq!(
        delivery.handle(stale, T0),
        [],
        "an answer to a question of the last connection"
    );
    let read = Input::Read {
        after: 1,
        events: events(2..=4),
    };
    assert_eq!(seqs(&delivery.handle(read, T0)), [2, 3, 4]);
}

#[test]
fn silence_rebuilds_the_client_and_a_sign_of_life_does_not() {
    let mut delivery = on_their_way(2);
    let almost = TIMEOUT - Duration::from_millis(1);
    assert_eq!(delivery.wake_at(), Some(TIMEOUT));
    assert_eq!(delivery.handle(Input::Tick, almost), []);
    delivery.handle(Input::Acked(1), almost);
    assert_eq!(delivery.handle(Input::Tick, TIMEOUT), []);
    assert_eq!(delivery.handle(Input::Tick, almost + TIMEOUT), [Output::Rebuild]);
    assert_eq!((delivery.wake_at(), delivery.cursor()), (None, 1));
    let again = delivery.handle(Input::Connected, almost + TIMEOUT);
    assert!(
        again.contains(&Output::Read {
            after: 1,
            limit: WINDOW
        }),
        "{again:?}"
    );
}

#[test]
fn health_that_is_acknowledged_does_not_hide_an_event_that_never_is() {
    let mut delivery = on_their_way(1);
    let almost = TIMEOUT - Duration::from_millis(1);
    delivery.handle(Input::Health, almost);
    delivery.handle(Input::Sent(2), almost);
    assert_eq!(delivery.handle(Input::Acked(2), almost), []);
    assert_eq!(delivery.handle(Input::Tick, TIMEOUT), [Output::Rebuild]);
}

#[test]
fn an_idle_connection_is_not_silence() {
    let mut delivery = on_their_way(1);
    delivery.handle(Input::Acked(1), T0);
    assert_eq!(delivery.wake_at(), None);
    assert_eq!(delivery.handle(Input::Tick, TIMEOUT * 100), []);
    // An event after a long idle time has its whole time to be acknowledged.
    delivery.handle(Input::Committed(2), TIMEOUT * 100);
    let read = Input::Read {
        after: 1,
        events: events(2..=2),
    };
    assert_eq!(seqs(&delivery.handle(read, TIMEOUT * 100)), [2]);
    assert_eq!(delivery.wake_at(), Some(TIMEOUT * 101));
}

#[test]
fn health_is_published_one_at_a_time_and_watched_too() {
    let mut delivery = Delivery::new(0, TIMEOUT);
    assert_eq!(delivery.handle(Input::Health, T0), [], "not connected");
    assert_eq!(delivery.handle(Input::Connected, T0), [Output::PublishHealth]);
    assert_eq!(delivery.handle(Input::Health, T0), [], "one is on its way");
    delivery.handle(Input::Sent(1), T0);
    assert_eq!(delivery.handle(Input::Acked(1), T0), [Output::PublishHealth]);
    assert_eq!(delivery.handle(Input::Tick, TIMEOUT), [Output::Rebuild]);
}

#[test]
fn a_journal_that_cannot_be_read_is_asked_again_a_second_later() {
    let mut delivery = Delivery::new(0, TIMEOUT);
    delivery.handle(Input::Committed(1), T0);
    delivery.handle(Input::Connected, T0);
    assert_eq!(delivery.handle(Input::ReadFailed, T0), []);
    assert_eq!(delivery.wake_at(), Some(READ_AGAIN));
    assert_eq!(
        delivery.handle(Input::Tick, READ_AGAIN),
        [Output::Read {
            after: 0,
            limit: WINDOW
        }]
    );
}

#[test]
fn a_read_that_finds_nothing_waits_for_the_next_commit() {
    let mut delivery = Delivery::new(0, TIMEOUT);
    delivery.handle(Input::Committed(5), T0);
    delivery.handle(Input::Connected, T0);
    let nothing = Input::Read {
        after: 0,
        events: vec![],
    };
    assert_eq!(delivery.handle(nothing, T0), []);
    assert_eq!(
        delivery.handle(Input::Committed(6), T0),
        [Output::Read {
            after: 0,
            limit: WINDOW
        }]
    );
}

/// A broker that acknowledges in any order, forgets, and cuts the line; a journal that answers when it likes.
#[derive(Default)]
struct World {
    now: Duration,
    journal: u64,
    acknowledged: u64,
    to_write: VecDeque<u64>,
    written: Vec<(u16, u64)>,
    pkid: u16,
    reads: VecDeque<(u64, usize)>,
    received: Vec<u64>,
    connected: bool,
}

impl World {
    fn apply(&mut self, delivery: &mut Delivery, input: Input) {
        for output in delivery.handle(input, self.now) {
            match output {
                Output::Read { after, limit } => self.reads.push_back((after, limit)),
                Output::Publish(event) => self.to_write.push_back(event.seq),
                Output::PublishHealth => self.to_write.push_back(0),
                Output::Acknowledge(seq) => {
                    assert!(seq > self.acknowledged, "the cursor never goes back");
                    for needed in self.acknowledged + 1..=seq {
                        assert!(self.received.contains(&needed), "{needed} was never received");
                    }
                    self.acknowledged = seq;
                }
                Output::Rebuild => self.cut(),
            }
        }
        assert!(delivery.in_flight() <= WINDOW);
    }

    fn cut(&mut self) {
        self.connected = false;
        self.to_write.clear();
        self.written.clear();
        self.pkid = 0;
    }

    fn step(&mut self, delivery: &mut Delivery, dice: u16) {
        match dice % 8 {
            0 => {
                self.journal += u64::from(dice % 40);
                self.apply(delivery, Input::Committed(self.journal));
            }
            1 if !self.connected => {
                self.connected = true;
                self.apply(delivery, Input::Connected);
            }
            2 if dice.is_multiple_of(5) => {
                self.cut();
                self.apply(delivery, Input::Lost);
            }
            3 => self.apply(delivery, Input::Health),
            4 => self.answer_read(delivery),
            5 => self.write_one(delivery),
            6 if !self.written.is_empty() => {
                let (pkid, _) = self.written.remove(usize::from(dice) % self.written.len());
                self.apply(delivery, Input::Acked(pkid));
            }
            _ => {
                self.now += Duration::from_secs(u64::from(dice % 3));
                self.apply(delivery, Input::Tick);
            }
        }
    }

    fn answer_read(&mut self, delivery: &mut Delivery) {
        if let Some((after, limit)) = self.reads.pop_front() {
            let events = (after + 1..=self.journal).take(limit).map(event).collect();
            self.apply(delivery, Input::Read { after, events });
        }
    }

    fn write_one(&mut self, delivery: &mut Delivery) {
        if let (true, Some(seq)) = (self.connected, self.to_write.pop_front()) {
            self.pkid += 1;
            self.received.push(seq);
            self.written.push((self.pkid, seq));
            self.apply(delivery, Input::Sent(self.pkid));
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_everything_arrives_in_order(dice in proptest::collection::vec(any::<u16>(), 0..400)) {
        let (mut world, mut delivery) = (World::default(), Delivery::new(0, TIMEOUT));
        for throw in dice {
            world.step(&mut delivery, throw);
        }
        // A good broker from here on. What was on its way is given up first, as time passes no more below.
        world.now += TIMEOUT;
        world.apply(&mut delivery, Input::Tick);
        if !world.connected {
            world.connected = true;
            world.apply(&mut delivery, Input::Connected);
        }
        for _ in 0..world.journal * 4 + 100 {
            world.answer_read(&mut delivery);
            world.write_one(&mut delivery);
            if !world.written.is_empty() {
                let (pkid, _) = world.written.remove(0);
                world.apply(&mut delivery, Input::Acked(pkid));
            }
        }
        prop_assert_eq!(delivery.cursor(), world.journal);
        let mut first_seen: Vec<u64> = Vec::new();
        for seq in world.received.iter().filter(|seq| **seq != 0) {
            if !first_seen.contains(seq) {
                first_seen.push(*seq);
            }
        }
        prop_assert_eq!(first_seen, (1..=world.journal).collect::<Vec<_>>());
    }
}
