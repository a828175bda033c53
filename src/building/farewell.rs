//! The end of a run in good order: what is on its way may still arrive, and the health topic says "stopped".

use super::{
    delivery::{Input, Output},
    driver::{Done, Driver, next_heard},
    health::{Offline, offline_json},
    session::{Heard, Session},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long each half of the farewell may take: the broker's, then the cursor's.
const FAREWELL: Duration = Duration::from_secs(2);

impl Driver {
    /// Waits a little for what is on its way, then leaves "stopped" on the health topic and disconnects, so that
    /// the broker does not publish the will.
    pub(super) async fn farewell(&mut self) {
        if self.section.connected {
            let _ = timeout(FAREWELL, self.say_goodbye()).await;
        }
        self.session = None;
        // The cursor's last write: the events are delivered, so the next run need not repeat them.
        let _ = timeout(FAREWELL, async {
            while let Some(done) = self.jobs.join_next().await {
                if let Ok(done @ Done::Acknowledged(..)) = done {
                    self.take_done(done);
                }
            }
        })
        .await;
    }

    async fn say_goodbye(&mut self) {
        let payload = offline_json(Offline::Stopped);
        let Some(session) = self.session.as_mut() else {
            return;
        };
        if !session.publish(&self.topics.health(), true, payload) {
            return;
        }
        // The farewell is the last thing handed over, so its identifier is the last that is reported as sent once
        // everything before it was.
        let mut ahead = self.delivery.unwritten();
        let mut farewell = None;
        while let Some(heard) = next_heard(self.session.as_mut()).await {
            match heard {
                Heard::Sent(pkid) if ahead == 0 => farewell = Some(pkid),
                Heard::Sent(pkid) => {
                    ahead -= 1;
                    self.last_words(Input::Sent(pkid));
                }
                Heard::Acked(pkid) if farewell == Some(pkid) => break,
                Heard::Acked(pkid) => self.last_words(Input::Acked(pkid)),
                Heard::Connected => {}
                Heard::Over(_) => return,
            }
        }
        if self.session.as_ref().is_some_and(Session::disconnect) {
            while let Some(heard) = next_heard(self.session.as_mut()).await {
                if matches!(heard, Heard::Over(_)) {
                    return;
                }
            }
        }
    }

    /// While leaving, acknowledgements still count; nothing new is begun.
    fn last_words(&mut self, input: Input) {
        for output in self.delivery.handle(input, self.now()) {
            if let Output::Acknowledge(seq) = output {
                self.to_acknowledge = Some(seq);
                self.acknowledge();
            }
        }
    }
}
