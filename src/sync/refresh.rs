//! Fetching what hints name, and nothing else.

use super::{
    consider::{Extent, blocking},
    pull::Puller,
};
use crate::{
    domain::facts::Facts,
    platform::{ErrorKind, Hint, PlatformError, Retry},
    store::StoreError,
};
use std::{sync::Arc, time::Duration};

impl Puller {
    /// Fetches what the gathered hints name. How long until the next pull, if this one brought everything; `None`
    /// leaves the timer as it is, which reconciles whatever hints missed.
    pub(super) async fn refresh(&mut self) -> Option<Duration> {
        self.status.refreshes += 1;
        self.status.last_refresh = Some(self.clock.now().at);
        let platform = Arc::clone(&self.platform);
        let (Some(known), true) = (self.known(), platform.refreshes_parts()) else {
            return Some(self.pull().await.1);
        };
        let hints = self.burst.take();
        let last = if platform.wants_last() {
            self.last_facts().await
        } else {
            Ok(Facts::default())
        };
        let fetched = match last {
            Ok(last) => platform.refresh(&known, last, &hints).await,
            Err(text) => Err(PlatformError::malformed(text)),
        };
        self.burst.rest(self.clock.monotonic());
        let outcome = match fetched {
            Ok(fetched) => self.taken(fetched, Extent::Part).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(Ok(words)) => {
                tracing::debug!(%words, hints = hints.len(), "refreshed");
                self.show();
                None
            }
            Ok(Err(text)) => {
                if self.status.held.is_none() {
                    self.not_used(&text);
                }
                self.show();
                None
            }
            // It asked for fewer requests: everything would be more of them.
            Err(error) if matches!(error.kind, ErrorKind::Throttled { .. }) => {
                self.keep_pushed(hints);
                Some(self.failed(&error).1)
            }
            Err(error) => {
                tracing::debug!(%error, "what the hints name could not be fetched alone: everything is");
                if error.retry() == Retry::Backoff {
                    self.keep_pushed(hints);
                }
                Some(self.pull().await.1)
            }
        }
    }

    /// What a platform pushes comes once: a fetch does not bring it, so it waits until it was taken.
    fn keep_pushed(&mut self, hints: Vec<Hint>) {
        let pushed = hints.into_iter().filter(|hint| matches!(hint, Hint::Pushed(_)));
        self.burst.add(pushed, self.clock.monotonic());
    }

    /// The facts of the last complete fetch: held back, or in force.
    async fn last_facts(&self) -> Result<Facts, String> {
        let (store, held) = (self.store.clone(), self.status.held.is_some());
        blocking(move || {
            let text = |error: StoreError| error.to_string();
            let stored = if held { store.held() } else { store.active() };
            let stored = stored.map_err(text)?.ok_or("no facts are stored")?;
            store.facts(&stored).map_err(text)
        })
        .await
    }
}
