//! The audit trail: who did what, as a chain of records in the journal's file. `docs/page.md` says what it shows and
//! what it cannot.
//!
//! Three writes with full sync for each record, in this order: the head says in `state.db` which record comes, the journal
//! takes it, the head says that it is there. A death at any place between them leaves a trail that verifies, and an end that
//! was cut off or added by another hand does not.

mod chain;
mod rows;

pub use chain::{AuditDraft, AuditFlaw, AuditRecord, AuditVerdict};
pub(super) use rows::{append, carry};

use super::{ReadStore, Store, StoreError, shared::lock, writer::Command};
pub(super) use chain::Head;
use chain::{Look, from_hex, hex};
use std::sync::{atomic::Ordering, mpsc};

/// Records that are kept. At a hundred a day that is more than half a year, and some five megabytes.
const MOST: u64 = 20_000;
/// Records beyond that are let go together.
const TOGETHER: u64 = 256;
/// Where the head stands among the documents.
const ROOM: &str = "audit";
const HEAD: &str = "head";

/// A record on its way to the journal's thread.
pub(super) struct Append {
    pub(super) row: AuditRecord,
    /// Older ones go.
    pub(super) first: u64,
    pub(super) reply: mpsc::SyncSender<Result<(), StoreError>>,
}

impl Store {
    /// Adds a record; by the return it is on the disk. Blocks: not for async tasks. What cannot be written is a fault that
    /// people see.
    ///
    /// # Errors
    /// `Disk` or `Closed`: it is not in the trail.
    pub fn audit(&self, draft: &AuditDraft) -> Result<u64, StoreError> {
        // One at a time: each needs the sum of the one before.
        let mut slot = lock(&self.0.audit);
        if self.0.shared.audit_doubtful.swap(false, Ordering::AcqRel) {
            *slot = None;
        }
        let done = self.audited(slot.take(), draft);
        let health = &self.0.shared.health;
        match done {
            Ok(head) => {
                health.clear("audit_failed");
                let seq = head.seq;
                health.section("audit", &serde_json::json!({ "records": seq, "head": head.sum }));
                *slot = Some(head);
                Ok(seq)
            }
            Err(error) => {
                let text = format!("who did what cannot be written down: {error}");
                health.raise("audit_failed", text, self.0.shared.now());
                Err(error)
            }
        }
    }

    fn audited(&self, known: Option<Head>, draft: &AuditDraft) -> Result<Head, StoreError> {
        let head = match known {
            Some(head) => head,
            None => self.audit_head(draft)?,
        };
        self.audit_after(head, draft)
    }

    fn audit_after(&self, mut head: Head, draft: &AuditDraft) -> Result<Head, StoreError> {
        let before = from_hex(&head.sum).unwrap_or_default();
        let row = AuditRecord::next(head.seq + 1, before, draft);
        if row.seq.saturating_sub(head.first) >= MOST + TOGETHER {
            head.first = row.seq + 1 - MOST;
        }
        let then = (row.seq, hex(&row.sum));
        head.coming = Some(then.clone());
        self.note_head(&head)?;
        let (reply, answer) = mpsc::sync_channel(1);
        let order = Command::Audit(Box::new(Append {
            row,
            first: head.first,
            reply,
        }));
        let sent = lock(&self.0.commands)
            .as_ref()
            .map(|commands| commands.send(order));
        if !matches!(sent, Some(Ok(()))) {
            return Err(StoreError::Closed);
        }
        self.0.shared.wake();
        answer.recv().map_err(|_| StoreError::Closed)??;
        (head.seq, head.sum) = then;
        head.coming = None;
        self.note_head(&head)?;
        Ok(head)
    }

    fn note_head(&self, head: &Head) -> Result<(), StoreError> {
        let text = serde_json::to_string(head).unwrap_or_default();
        self.put_documents(ROOM, &[(HEAD, Some(&text))])
    }

    /// Where the trail goes on. If it does not end where the head says, what is wrong becomes a record of its own, and
    /// the chain goes on behind the gap: it stays visible, with a word about when it was noticed.
    fn audit_head(&self, draft: &AuditDraft) -> Result<Head, StoreError> {
        let noted = self.read().head()?;
        let last = self.read().audit_last()?;
        let Some((seq, sum)) = last.map(|(seq, sum)| (seq, hex(&sum))) else {
            return match noted {
                Some(head) if head.seq > 0 => self.gap(head, draft, "every record is missing"),
                Some(head) => Ok(head),
                None => Ok(Head::default()),
            };
        };
        let from_the_rows = |first| Head {
            first,
            seq,
            sum: sum.clone(),
            coming: None,
        };
        match noted {
            None => {
                let first = self.read().audit_first()?;
                self.gap(
                    from_the_rows(first),
                    draft,
                    "state.db had no note of where the trail ends",
                )
            }
            Some(head) if (head.seq, &head.sum) == (seq, &sum) => Ok(Head { coming: None, ..head }),
            Some(head) if head.coming == Some((seq, sum.clone())) => Ok(from_the_rows(head.first)),
            Some(head) if seq < head.seq => {
                let text = format!("records {} to {} are missing", seq + 1, head.seq);
                self.gap(head, draft, &text)
            }
            Some(head) => {
                let text = format!(
                    "record {seq} is not the one that was noted as the last, {}",
                    head.seq
                );
                self.gap(from_the_rows(head.first), draft, &text)
            }
        }
    }

    fn gap(&self, head: Head, draft: &AuditDraft, what: &str) -> Result<Head, StoreError> {
        let found = AuditDraft {
            at: draft.at,
            actor: "gateway".into(),
            action: "audit.gap".into(),
            subject: what.into(),
            outcome: "found".into(),
            ..AuditDraft::default()
        };
        self.audit_after(Head { coming: None, ..head }, &found)
    }
}

impl ReadStore {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        let text = self.document(ROOM, HEAD)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn audit_last(&self) -> Result<Option<(u64, chain::Sum)>, StoreError> {
        self.audit_rows(rows::last)
    }

    fn audit_first(&self) -> Result<u64, StoreError> {
        let first = self.audit_rows(|db| rows::from(db, 0, 1))?;
        Ok(first.first().map_or(1, |record| record.seq))
    }

    /// Records below `seq`, the newest first, at most `limit`. Begin with `u64::MAX`.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn audit_before(&self, seq: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.audit_rows(|db| rows::before(db, seq, limit))
    }

    /// Looks at the whole trail.
    ///
    /// # Errors
    /// `Disk` when a file cannot be read.
    pub fn audit_verify(&self) -> Result<AuditVerdict, StoreError> {
        // A running gateway may add a record meanwhile: then the look is taken again.
        let mut left = 5;
        loop {
            let head = self.head()?;
            let mut look = Look::new(head.as_ref());
            let mut next = 0;
            loop {
                let rows = self.audit_rows(|db| rows::from(db, next, rows::BITE))?;
                let Some(last) = rows.last() else { break };
                next = last.seq + 1;
                rows.iter().for_each(|record| look.at(record));
            }
            left -= 1;
            if left == 0 || self.head()? == head {
                return Ok(look.done());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, health::Health, store::StoreOptions};
    use rusqlite::Connection;

    fn draft(number: u64) -> AuditDraft {
        AuditDraft {
            at: 7,
            actor: format!("ana{number}"),
            action: "door.opened".into(),
            ..AuditDraft::default()
        }
    }

    fn open(dir: &std::path::Path) -> (Store, Health) {
        let options = StoreOptions::new(dir.join("state"), dir.join("run"));
        let health = Health::default();
        let store = Store::open(&options, &Clock::system(true, 0), &health).unwrap().0;
        (store, health)
    }

    #[test]
    fn the_trail_goes_on_over_a_restart_and_names_its_head() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = open(dir.path());
        for number in 1..=3 {
            assert_eq!(store.audit(&draft(number)).unwrap(), number);
        }
        drop(store);
        let (store, health) = open(dir.path());
        assert_eq!(store.audit(&draft(4)).unwrap(), 4);
        let verdict = store.read().audit_verify().unwrap();
        assert_eq!((verdict.records, verdict.first, verdict.last), (4, 1, 4));
        assert_eq!(verdict.flaws, []);
        assert_eq!(health.doc().sections["audit"]["head"], verdict.head);
        let newest = store.read().audit_before(u64::MAX, 2).unwrap();
        assert_eq!(newest.iter().map(|record| record.seq).collect::<Vec<_>>(), [4, 3]);
    }

    #[test]
    fn a_cut_end_stays_visible_and_is_explained() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = open(dir.path());
        for number in 1..=5 {
            store.audit(&draft(number)).unwrap();
        }
        drop(store);
        let cut = |sql: &str| {
            let db = Connection::open(dir.path().join("state/journal.db")).unwrap();
            db.execute(sql, []).unwrap();
        };
        cut("DELETE FROM audit WHERE seq > 3");
        let (store, _) = open(dir.path());
        let flaws = store.read().audit_verify().unwrap().flaws;
        assert_eq!(flaws.len(), 1);
        assert!(flaws[0].text.contains("records 4 to 5 are missing at the end"));
        assert_eq!(
            store.audit(&draft(6)).unwrap(),
            7,
            "after the record about the gap"
        );
        let flaws = store.read().audit_verify().unwrap().flaws;
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        assert!(flaws[0].text.contains("records 4 to 5 are missing in the middle"));
        let about = &store.read().audit_before(7, 1).unwrap()[0].what;
        assert_eq!(
            (about.actor.as_str(), about.action.as_str()),
            ("gateway", "audit.gap")
        );
        assert!(about.subject.contains("records 4 to 5"), "{about:?}");
    }

    #[test]
    fn the_trail_is_bounded_and_what_is_let_go_is_no_flaw() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = open(dir.path());
        store.audit(&draft(1)).unwrap();
        // As if so many had been written.
        let far = Head {
            seq: MOST + TOGETHER,
            ..store.read().head().unwrap().unwrap()
        };
        let head = store.audit_after(far, &draft(2)).unwrap();
        assert_eq!(head.first, TOGETHER + 2);
        let verdict = store.read().audit_verify().unwrap();
        assert_eq!(verdict.records, 1, "the first went");
    }
}
