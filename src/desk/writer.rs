//! The task that tells the platform what was done at the desk: one thing at a time, tried for ever, until the platform has
//! it or says no.

use super::{
    service::{Desk, DeskError, lock},
    writes::{self, Next, Outcome},
};
use crate::{
    domain::Millis,
    platform::{ErrorKind, PlatformError},
    store::{CardKind, CardWrite, WriteState},
};
use serde::Serialize;
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

/// How often it is looked whether the facts say the same by now, and whether something can be forgotten.
const LOOK: Duration = Duration::from_secs(20);
/// So long an ended guest is remembered, so that a refusal says what ended.
const REMEMBERED: Millis = 7 * 86_400_000;
/// The fault of cards that the platform does not take.
const FAULT: &str = "desk_conflict";
/// The fault of blocks that the disk does not take.
const UNKEPT: &str = "desk_block_unkept";

/// How the desk is, for the report.
#[derive(Debug, Serialize)]
struct Section {
    /// Cards of which the gateway says something beside the platform.
    cards: usize,
    guests: usize,
    blocks: usize,
    /// What the platform is still to be told.
    waiting: usize,
    /// Since when the oldest of it waits, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_since: Option<Millis>,
    /// What the platform said to the first of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    said: String,
    conflicts: usize,
    /// Whether the platform takes cards at all.
    platform_takes_cards: bool,
}

impl Desk {
    /// Runs until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut swaps = self.inner().swaps.clone();
        let mut platform = self.inner().platform.clone();
        let mut rest = Duration::ZERO;
        loop {
            // Whatever happens while this waits: a bell that rang before it listens is kept by the bell.
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(rest) => {}
                () = self.inner().bell.notified() => {}
                Ok(()) = swaps.changed() => {}
                Ok(()) = platform.changed() => {}
            }
            if *stop.borrow() {
                return;
            }
            rest = tokio::select! {
                _ = stop.changed() => return,
                rest = self.turn() => rest,
            };
        }
    }

    /// Everything that is due. How long until the next look.
    async fn turn(&self) -> Duration {
        let rest = self.tell().await;
        let desk = self.clone();
        let looked = tokio::task::spawn_blocking(move || desk.look_after()).await;
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the desk's store cannot be looked after"),
            Err(error) => tracing::error!(%error, "looking after the desk broke off"),
        }
        rest.min(LOOK)
    }

    /// Tells the platform what is due. How long until more is.
    async fn tell(&self) -> Duration {
        loop {
            let desk = self.clone();
            let begun = tokio::task::spawn_blocking(move || desk.begin()).await;
            let Ok(Ok(begun)) = begun else { return LOOK };
            let write = match begun {
                Begun::Rest(rest) => return rest,
                Begun::Gone => continue,
                Begun::Send(write) => *write,
            };
            let platform = self.inner().platform.borrow().clone();
            let answer = match platform {
                None => return LOOK,
                Some(platform) if write.give => {
                    bounded(platform.assign_credential(&write.person, &write.credential)).await
                }
                Some(platform) => bounded(platform.remove_credential(&write.person, &write.credential)).await,
            };
            let desk = self.clone();
            let ended = tokio::task::spawn_blocking(move || desk.end(&write, &answer)).await;
            match ended {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(rest))) => return rest,
                Ok(Err(_)) | Err(_) => return LOOK,
            }
        }
    }

    /// Takes the next write, and notes that it is sent: from then on it may be there.
    fn begin(&self) -> Result<Begun, DeskError> {
        if !self.platform_takes_cards() {
            return Ok(Begun::Rest(LOOK));
        }
        let (store, now) = (&self.inner().store, self.now());
        let queue = store.read().card_writes()?;
        Ok(match writes::next(&queue, now) {
            Next::Nothing => Begun::Rest(LOOK),
            Next::At(at) => Begun::Rest(between(now, at)),
            Next::Send(write) => {
                let write = CardWrite {
                    tries: write.tries.saturating_add(1),
                    ..write.clone()
                };
                if store.note_card_write(&write)? {
                    Begun::Send(Box::new(write))
                } else {
                    Begun::Gone
                }
            }
        })
    }

    /// Notes what came of it. Some: nothing else need be tried for so long.
    fn end(
        &self,
        write: &CardWrite,
        answer: &Result<(), PlatformError>,
    ) -> Result<Option<Duration>, DeskError> {
        let (store, now) = (&self.inner().store, self.now());
        match writes::outcome(write, answer, now) {
            Outcome::Done => {
                store.finish_card_write(write, now)?;
                Ok(None)
            }
            Outcome::Again(later, all) => {
                store.note_card_write(&later)?;
                Ok(all.then(|| between(now, later.next_at)))
            }
            Outcome::Refused(refused) => {
                // Only if it is still what the desk wants: else nobody needs to know.
                if store.note_card_write(&refused)? {
                    tracing::warn!(said = %refused.said, "the platform does not take a card");
                    self.platform_refused(&refused);
                }
                Ok(None)
            }
        }
    }

    /// Drops what the platform says by itself, forgets guests, tries blocks again, and shows how it is.
    fn look_after(&self) -> Result<(), DeskError> {
        self.keep_blocks()?;
        self.settle()?;
        let now = self.inner().clock.now();
        if now.trusted {
            self.inner().store.sweep_guests(now.at - REMEMBERED)?;
        }
        self.tidy();
        self.show()
    }

    fn keep_blocks(&self) -> Result<(), DeskError> {
        let waiting = lock(&self.inner().unkept).clone();
        if waiting.is_empty() {
            self.inner().health.clear(UNKEPT);
            return Ok(());
        }
        for kept in waiting {
            if self.inner().store.keep_block(&kept).is_ok() {
                lock(&self.inner().unkept).retain(|it| *it != kept);
            }
        }
        // A fetch may have come between, and does not know of blocks that are in memory alone.
        self.rework()?;
        if !lock(&self.inner().unkept).is_empty() {
            let text = "a block set at the desk holds and is not on disk: it is lost if the gateway ends now. Look at the disk";
            self.inner().health.raise(UNKEPT, text, self.now());
        }
        Ok(())
    }

    /// Rows that the facts say by themselves are dropped, so that what the platform does later counts.
    fn settle(&self) -> Result<(), DeskError> {
        let store = &self.inner().store;
        let rows = store.read().local_cards()?;
        let writes = store.read().card_writes()?;
        let heard = {
            // The doors get new facts before the store has them.
            let _turn = store.in_turn();
            self.heard()?
        };
        let waits = |row: &crate::store::LocalCard| {
            writes
                .iter()
                .any(|write| write.credential == row.credential && write.state == WriteState::Waiting)
        };
        // What the facts say from before the platform was told proves nothing.
        let later = |row: &crate::store::LocalCard| {
            row.written_at
                .is_none_or(|at| heard.is_some_and(|heard| at <= heard))
        };
        let candidates: Vec<_> = rows
            .iter()
            .filter(|row| row.kind != CardKind::Guest && !waits(row) && later(row))
            .collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let Some(meta) = store.read().active_meta()? else {
            return Ok(());
        };
        let revisions = candidates.iter().map(|row| row.revision).collect();
        let now_compared = Some(((meta.version, meta.taken_at), revisions));
        if *lock(&self.inner().compared) == now_compared {
            return Ok(());
        }
        let mut settled = Vec::new();
        for row in candidates {
            if self.of_card(&row.credential)?.situation().is_settled() {
                settled.push((row.credential, row.revision));
            }
        }
        if !settled.is_empty() {
            // The same cards are in force before and after: no other index is needed.
            store.settle_cards(&settled)?;
        }
        *lock(&self.inner().compared) = now_compared;
        Ok(())
    }

    fn show(&self) -> Result<(), DeskError> {
        let inner = self.inner();
        let writes = inner.store.read().card_writes()?;
        let mut waiting = writes.iter().filter(|write| write.state == WriteState::Waiting);
        let conflicts = self.conflicts()?;
        let first = waiting.clone().next();
        let section = Section {
            cards: inner.store.read().local_cards()?.len(),
            guests: inner.store.read().guests()?.len(),
            blocks: self.blocks()?.len(),
            waiting_since: waiting.clone().map(|write| write.at).min(),
            said: first.map(|write| write.said.clone()).unwrap_or_default(),
            waiting: waiting.by_ref().count(),
            conflicts: conflicts.len(),
            platform_takes_cards: self.platform_takes_cards(),
        };
        inner.health.section("desk", &section);
        if let Some(first) = conflicts.first() {
            let others = match conflicts.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            let text = format!(
                "the platform does not take a card that {} gave out at the desk ({}){others}: {}. `doorward cards \
                 conflicts` lists them and says how to go on",
                first.by, first.name, first.said
            );
            inner.health.raise(FAULT, text, self.now());
        } else {
            inner.health.clear(FAULT);
        }
        Ok(())
    }
}

enum Begun {
    Send(Box<CardWrite>),
    /// It was changed at this moment: look again.
    Gone,
    Rest(Duration),
}

/// However long a platform takes, the desk goes on: what may have been taken there is told again, which changes nothing.
async fn bounded(answer: crate::platform::Reply<'_, ()>) -> Result<(), PlatformError> {
    match timeout(Duration::from_secs(120), answer).await {
        Ok(answer) => answer,
        Err(_) => Err(PlatformError {
            kind: ErrorKind::Unreachable,
            text: "the platform did not answer within two minutes".into(),
        }),
    }
}

fn between(now: Millis, at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or(0)).max(Duration::from_millis(10))
}
