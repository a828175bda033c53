//! How a change at the platform reaches the gateway.

use super::{HINTED, Halt, Theatre, moments::card};
use crate::{
    cli::{
        client::Client,
        demo::{cast::Spot, verdict::Line},
    },
    daemon::control::StatusDoc,
    domain::{Reason, time::Millis},
};
use std::{sync::mpsc, time::Duration};

/// A change at the platform may take this long to the doors: a poll interval, and a platform that asks for patience.
const REACHES: Duration = Duration::from_secs(90);

impl Theatre {
    /// What was done at the platform reaches the gateway: by a hint of the platform's, or else as `doorward sync now`
    /// does it.
    pub(super) fn gateway_learns(&mut self, who: &str, spot: Spot, expected: &[Reason]) -> Result<(), Halt> {
        let Some((at, since)) = self.news.filter(|_| self.scene.cloud_up) else {
            return self.catches_up(who, spot, expected);
        };
        let took = |theatre: &Self| theatre.clock.monotonic().saturating_sub(since);
        while took(self) < HINTED {
            let there = self.stage.would_give(spot.name, &card(who), self.clock.now());
            let there = there.is_some_and(|reason| expected.contains(&reason));
            if there && self.last_contact() >= Some(at) {
                self.news = None;
                self.lines.push(Line::reached(took(self), "by a hint"));
                return Ok(());
            }
            self.frame()?;
        }
        let mut last = String::new();
        while took(self) < REACHES {
            let answer = ask_now(self.stage.runtime_dir());
            let outcome = loop {
                match answer.try_recv() {
                    Ok(outcome) => break outcome,
                    Err(mpsc::TryRecvError::Disconnected) => break Err("no answer".into()),
                    Err(mpsc::TryRecvError::Empty) => self.frame()?,
                }
            };
            match outcome {
                Ok(()) => {
                    self.news = None;
                    self.lines.push(Line::reached(took(self), "when asked"));
                    return Ok(());
                }
                Err(why) => last = why,
            }
            self.wait(Duration::from_secs(1))?;
        }
        self.lines.push(Line::never_reached(&last));
        Ok(())
    }

    /// Of several things done at once the gateway may have learnt the first, and the rest is on its way.
    fn catches_up(&mut self, who: &str, spot: Spot, expected: &[Reason]) -> Result<(), Halt> {
        let begun = self.clock.monotonic();
        while self.scene.cloud_up && self.clock.monotonic().saturating_sub(begun) < HINTED {
            let there = self.stage.would_give(spot.name, &card(who), self.clock.now());
            if there.is_some_and(|reason| expected.contains(&reason)) {
                break;
            }
            self.frame()?;
        }
        Ok(())
    }

    /// When the gateway last fetched something, all of it or what a hint named. Unix milliseconds.
    fn last_contact(&self) -> Option<Millis> {
        let status = self.status()?;
        let sync = status.sections.get("sync")?;
        let at = |name: &str| sync.get(name).and_then(serde_json::Value::as_i64);
        at("last_contact").max(at("last_refresh"))
    }

    pub(super) fn status(&self) -> Option<StatusDoc> {
        let client = Client::new(&self.stage.runtime_dir());
        self.runtime.block_on(client.status()).ok()
    }
}

/// Has the gateway fetch now; the picture goes on meanwhile.
fn ask_now(runtime_dir: std::path::PathBuf) -> mpsc::Receiver<Result<(), String>> {
    let (answer, answers) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
            let client = Client::new(&runtime_dir);
            let done = runtime.block_on(client.sync_now());
            done.map(|_| ()).map_err(|error| error.to_string())
        });
        let _ = answer.send(outcome); // whoever asked may have left
    });
    answers
}
