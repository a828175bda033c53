//! How hints reach the puller from whoever hears them: never lost, never waited for.

use super::{burst::gather, pull::Command};
use crate::platform::Hint;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Hands hints to the puller. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Hinter {
    puller: mpsc::Sender<Command>,
    /// `Some` while a task waits to hand these over.
    waiting: Arc<Mutex<Option<Vec<Hint>>>>,
}

impl Hinter {
    /// For this puller.
    #[must_use]
    pub fn new(puller: mpsc::Sender<Command>) -> Self {
        Self {
            puller,
            waiting: Arc::default(),
        }
    }

    /// Returns at once, whatever the puller does meanwhile. Needs a runtime.
    pub fn hint(&self, hints: Vec<Hint>) {
        if hints.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting.as_mut() {
            gather(waiting, hints);
            return;
        }
        *waiting = Some(hints);
        let this = self.clone();
        tokio::spawn(async move {
            let Ok(place) = this.puller.reserve().await else {
                return; // the puller has ended: the next one begins with a whole pull
            };
            let hints = this.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            place.send(Command::Hint(hints.unwrap_or_default()));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hints_to_a_busy_puller_wait_together() {
        let (sender, mut commands) = mpsc::channel(1);
        let hinter = Hinter::new(sender.clone());
        sender.send(Command::Hint(Vec::new())).await.unwrap();
        for _ in 0..100 {
            hinter.hint(vec![Hint::Anything]);
            hinter.hint(vec![Hint::Collection("passes")]);
            tokio::task::yield_now().await;
        }
        let mut heard = Vec::new();
        for _ in 0..2 {
            if let Some(Command::Hint(hints)) = commands.recv().await {
                heard.push(hints);
            }
        }
        assert_eq!(heard, [vec![], vec![Hint::Anything, Hint::Collection("passes")]]);
        assert!(commands.try_recv().is_err());
    }
}
