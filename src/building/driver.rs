//! The thin part: sockets, timers and blocking threads around [`Delivery`].

use super::{
    WINDOW,
    backoff::Backoff,
    connect,
    delivery::{Delivery, Input, Output},
    failure::{self, CONNECTION_FAULTS, Failure, STALLED},
    health::{Content, Pace, Section},
    outbox::{Outbox, OutboxError},
    payload::{Reader, event_json, rfc3339},
    session::{Heard, Session},
    topic::Topics,
};
use crate::{clock::Clock, config::model::MqttConfig, domain::EntryEvent, health::Health};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// How often the section and the health document are looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// Room in the client for the window, the health document and the farewell.
const CLIENT_ROOM: usize = WINDOW + 8;

/// Delivers events and health to the broker until `stop` becomes true (or its sender is gone), then says goodbye
/// within four seconds. Connects again by itself, whatever happens. To apply a new configuration, stop it and start
/// another: nothing is lost, since the cursor is the outbox'.
///
/// Wall time comes from `clock` and is used for `late`, for texts and for nothing else; timers are tokio's.
pub async fn run(
    config: MqttConfig,
    outbox: Arc<dyn Outbox>,
    health: Health,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    let topics = match Topics::new(&config.topic) {
        Ok(topics) => topics,
        Err(error) => {
            let text =
                format!("[mqtt] topic cannot be used: {error}. No events go to MQTT until it is put right.");
            health.section("mqtt", &Section::default());
            health.raise(failure::CONFIG, text, clock.now().at);
            stopped(&mut stop).await;
            health.clear(failure::CONFIG);
            return;
        }
    };
    let mut driver = Driver::new(config, topics, outbox, health, clock).await;
    driver.run(&mut stop).await;
    driver.leave();
}

/// Waits until the daemon wants us to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: nobody could stop us any more, so that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a blocking thread brought back.
pub(super) enum Done {
    Cursor(u64),
    Read(u64, Result<Vec<EntryEvent>, OutboxError>),
    Acknowledged(u64, Result<(), OutboxError>),
    /// It panicked: a defect of the outbox.
    Died,
}

pub(super) struct Driver {
    config: Arc<MqttConfig>,
    pub(super) topics: Topics,
    pub(super) outbox: Arc<dyn Outbox>,
    committed: watch::Receiver<u64>,
    pub(super) health: Health,
    clock: Clock,
    started: Instant,
    reader: Reader,
    pub(super) delivery: Delivery,
    pub(super) session: Option<Session>,
    backoff: Backoff,
    connect_at: Option<Instant>,
    pub(super) jobs: JoinSet<Done>,
    pub(super) to_acknowledge: Option<u64>,
    acknowledging: bool,
    pace: Pace,
    pub(super) section: Section,
}

/// What woke the driver.
enum Woke {
    Heard(Option<Heard>),
    Done(Done),
    Committed(u64),
    Connect,
    Tick,
    Housekeeping,
    Stop,
}

impl Driver {
    async fn new(
        config: MqttConfig,
        topics: Topics,
        outbox: Arc<dyn Outbox>,
        health: Health,
        clock: Clock,
    ) -> Self {
        let committed = outbox.wake();
        let recorded_before = *committed.borrow();
        let mut jobs = JoinSet::new();
        let source = Arc::clone(&outbox);
        jobs.spawn_blocking(move || Done::Cursor(source.cursor()));
        let cursor = match jobs.join_next().await {
            Some(Ok(Done::Cursor(cursor))) => cursor,
            _ => 0, // from the beginning: twice is better than never
        };
        let reader = Reader {
            person: config.person,
            late_after: config.late_after,
            recorded_before,
        };
        let mut section = Section::default();
        section.turn(false, clock.now().at);
        health.section("mqtt", &section);
        Self {
            backoff: Backoff::new(&config.client_id),
            delivery: Delivery::new(cursor, config.ack_timeout),
            config: Arc::new(config),
            topics,
            outbox,
            committed,
            health,
            clock,
            started: Instant::now(),
            reader,
            session: None,
            connect_at: Some(Instant::now()),
            jobs,
            to_acknowledge: None,
            acknowledging: false,
            pace: Pace::default(),
            section,
        }
    }

    async fn run(&mut self, stop: &mut watch::Receiver<bool>) {
        let mut housekeeping = interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let committed = *self.committed.borrow_and_update();
        self.handle(Input::Committed(committed));
        loop {
            let woke = tokio::select! {
                biased;
                () = stopped(stop) => Woke::Stop,
                heard = next_heard(self.session.as_mut()) => Woke::Heard(heard),
                Some(done) = self.jobs.join_next() => Woke::Done(done.unwrap_or(Done::Died)),
                Ok(()) = self.committed.changed() => Woke::Committed(*self.committed.borrow_and_update()),
                () = at(self.connect_at) => Woke::Connect,
                () = at(self.delivery.wake_at().map(|at| self.started + at)) => Woke::Tick,
                _ = housekeeping.tick() => Woke::Housekeeping,
            };
            match woke {
                Woke::Stop => break,
                Woke::Heard(heard) => self.take_heard(heard),
                Woke::Done(done) => self.take_done(done),
                Woke::Committed(seq) => self.handle(Input::Committed(seq)),
                Woke::Connect => self.connect().await,
                Woke::Tick => self.handle(Input::Tick),
                Woke::Housekeeping => self.keep_house(),
            }
        }
        self.farewell().await;
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Feeds the core and does what it says.
    fn handle(&mut self, input: Input) {
        for output in self.delivery.handle(input, self.now()) {
            match output {
                Output::Read { after, limit } => {
                    let outbox = Arc::clone(&self.outbox);
                    self.jobs
                        .spawn_blocking(move || Done::Read(after, outbox.after(after, limit)));
                }
                Output::Publish(event) => {
                    let payload = event_json(&event, self.reader, self.clock.now());
                    self.publish(&self.topics.event(&event), false, payload);
                }
                Output::PublishHealth => {
                    let content = Content::of(self.health.doc());
                    self.publish(&self.topics.health(), true, content.json(self.clock.now()));
                    self.pace.published(content, self.now());
                }
                Output::Acknowledge(seq) => {
                    self.to_acknowledge = Some(seq);
                    self.acknowledge();
                }
                Output::Rebuild => self.rebuild(),
            }
        }
    }

    /// A publish that finds no room stays unacknowledged, so the watchdog rebuilds and it is sent again.
    pub(super) fn publish(&self, topic: &str, retain: bool, payload: Vec<u8>) {
        let taken = self
            .session
            .as_ref()
            .is_some_and(|session| session.publish(topic, retain, payload));
        if !taken {
            tracing::warn!(topic, "the MQTT client took no publish; it will be sent again");
        }
    }

    /// Writes the cursor, one write at a time and the newest only.
    pub(super) fn acknowledge(&mut self) {
        if self.acknowledging {
            return;
        }
        if let Some(seq) = self.to_acknowledge.take() {
            self.acknowledging = true;
            let outbox = Arc::clone(&self.outbox);
            self.jobs
                .spawn_blocking(move || Done::Acknowledged(seq, outbox.acknowledge(seq)));
        }
    }

    pub(super) fn take_done(&mut self, done: Done) {
        match done {
            Done::Cursor(_) => {}
            Done::Died => {
                tracing::error!("a call of the journal for MQTT died; trying again");
                self.acknowledging = false;
                self.to_acknowledge = self.to_acknowledge.or(Some(self.delivery.cursor()));
                self.handle(Input::ReadFailed);
            }
            Done::Read(after, Ok(events)) => self.handle(Input::Read { after, events }),
            Done::Read(after, Err(error)) => {
                tracing::warn!(after, %error, "the journal cannot be read for MQTT; trying again");
                self.handle(Input::ReadFailed);
            }
            Done::Acknowledged(seq, result) => {
                self.acknowledging = false;
                if let Err(error) = result {
                    // The next acknowledgement writes a higher cursor; until then a restart repeats some events.
                    tracing::warn!(seq, %error, "the MQTT cursor cannot be written");
                }
                self.acknowledge();
            }
        }
    }

    fn take_heard(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Connected) => self.take_connected(),
            Some(Heard::Sent(pkid)) => self.handle(Input::Sent(pkid)),
            Some(Heard::Acked(pkid)) => {
                self.backoff.reset();
                self.section.last_ack = Some(rfc3339(self.clock.now().at));
                self.health.clear(STALLED);
                self.handle(Input::Acked(pkid));
            }
            Some(Heard::Over(failure)) => self.lose(failure),
            None => {
                let text = format!(
                    "The MQTT client for {} ended by itself and is made anew.",
                    failure::place(&self.config)
                );
                self.lose(Failure {
                    key: failure::UNREACHABLE,
                    text,
                });
            }
        }
    }

    fn take_connected(&mut self) {
        tracing::info!(broker = %self.config.host, port = self.config.port, "connected to the MQTT broker");
        for key in CONNECTION_FAULTS {
            self.health.clear(key);
        }
        self.turn(true);
        self.pace.restart();
        self.handle(Input::Connected);
        self.handle(Input::Health);
    }

    /// Options are read at each attempt: a renewed certificate file is used without a restart.
    async fn connect(&mut self) {
        self.connect_at = None;
        let (config, topics) = (Arc::clone(&self.config), self.topics.clone());
        let options = tokio::task::spawn_blocking(move || connect::options(&config, &topics)).await;
        match options {
            Ok(Ok(options)) => {
                self.session = Some(Session::start(options, Arc::clone(&self.config), CLIENT_ROOM));
            }
            Ok(Err(failure)) => self.lose(failure),
            Err(_) => self.connect_at = Some(Instant::now() + self.backoff.next()),
        }
    }

    fn lose(&mut self, failure: Failure) {
        self.session = None;
        self.turn(false);
        self.handle(Input::Lost);
        self.raise(failure);
        self.connect_at = Some(Instant::now() + self.backoff.next());
    }

    fn rebuild(&mut self) {
        self.session = None;
        self.section.rebuilt += 1;
        self.turn(false);
        self.raise(failure::stalled(&self.config));
        self.connect_at = Some(Instant::now() + self.backoff.next());
    }

    /// Of the faults about the connection one stands at a time: the newest.
    fn raise(&self, failure: Failure) {
        if CONNECTION_FAULTS.contains(&failure.key) {
            for key in CONNECTION_FAULTS.into_iter().filter(|key| *key != failure.key) {
                self.health.clear(key);
            }
        }
        if self
            .health
            .raise(failure.key, failure.text.as_str(), self.clock.now().at)
        {
            tracing::warn!(fault = failure.key, "{}", failure.text);
        }
    }

    fn turn(&mut self, connected: bool) {
        self.section.turn(connected, self.clock.now().at);
        self.tell_section();
    }

    fn tell_section(&mut self) {
        self.section.pending = self.delivery.pending();
        self.health.section("mqtt", &self.section);
    }

    fn keep_house(&mut self) {
        self.tell_section();
        if self.section.connected && self.pace.due(&Content::of(self.health.doc()), self.now()) {
            self.handle(Input::Health);
        }
    }

    /// Leaves no fault behind of a part that no longer runs.
    fn leave(&mut self) {
        for key in CONNECTION_FAULTS.into_iter().chain([STALLED]) {
            self.health.clear(key);
        }
        self.turn(false);
    }
}

/// The session's next report; never, if there is no session.
pub(super) async fn next_heard(session: Option<&mut Session>) -> Option<Heard> {
    match session {
        Some(session) => session.next().await,
        None => std::future::pending().await,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
