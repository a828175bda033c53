//! The chain of the audit trail: pure. Each record's sum is over the sum before it and over the record itself, so that a
//! row that was altered or taken out shows at the next one. The end is held by the head, which stands in another file.
//!
//! Sums have no key: whoever may write as root can also write a new chain. Against that stands the head as others heard it:
//! the health document carries it to the building network.

use crate::domain::Millis;
use ring::digest;
use serde::{Deserialize, Serialize};

/// A SHA-256 sum.
pub(super) type Sum = [u8; 32];
/// Before the first record.
pub(super) const NONE: Sum = [0; 32];
/// What the canonical form begins with. Another one, and the form is another.
const FORM: &[u8] = b"doorward-audit-1";
/// The longest text of a record, in bytes.
const LONGEST: usize = 256;

/// Who did what, before it has its place in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    /// When, Unix milliseconds.
    pub at: Millis,
    /// The account, `token:NAME`, `root` for the control socket, or `gateway`.
    pub actor: String,
    /// The role then; empty where there is none.
    pub role: String,
    /// What was done, as a stable name: `staff.added`.
    pub action: String,
    /// To whom or what. Never a card number or a secret.
    pub subject: String,
    /// `done`, or why it was not.
    pub outcome: String,
    /// The network address that it came from; empty on this machine itself.
    pub address: String,
}

/// A record of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRecord {
    /// Its place: 1, 2, 3 and so on.
    pub seq: u64,
    /// What was done.
    #[serde(flatten)]
    pub what: AuditDraft,
    #[serde(skip)]
    pub(super) before: Sum,
    /// SHA-256, hexadecimal in JSON.
    #[serde(serialize_with = "as_hex")]
    pub(super) sum: Sum,
}

fn as_hex<S: serde::Serializer>(sum: &Sum, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(sum))
}

pub(super) fn hex(sum: &Sum) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn from_hex(text: &str) -> Option<Sum> {
    let mut sum = NONE;
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != sum.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in sum.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(sum)
}

/// One line, not longer than a record may hold, without what a terminal would obey.
fn tame(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(c);
    }
    out
}

impl AuditRecord {
    /// The next record after this sum.
    pub(super) fn next(seq: u64, before: Sum, draft: &AuditDraft) -> Self {
        let what = AuditDraft {
            at: draft.at,
            actor: tame(&draft.actor),
            role: tame(&draft.role),
            action: tame(&draft.action),
            subject: tame(&draft.subject),
            outcome: tame(&draft.outcome),
            address: tame(&draft.address),
        };
        let sum = sum(seq, &before, &what);
        Self {
            seq,
            what,
            before,
            sum,
        }
    }

    fn holds(&self) -> bool {
        sum(self.seq, &self.before, &self.what) == self.sum
    }
}

/// Numbers little-endian, each text with its length in four bytes: no two records have the same form.
fn sum(seq: u64, before: &Sum, what: &AuditDraft) -> Sum {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(FORM);
    context.update(before);
    context.update(&seq.to_le_bytes());
    context.update(&what.at.to_le_bytes());
    for text in [
        &what.actor,
        &what.role,
        &what.action,
        &what.subject,
        &what.outcome,
        &what.address,
    ] {
        context.update(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        context.update(text.as_bytes());
    }
    let mut out = NONE;
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Where the trail ends, kept in another file than the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Head {
    /// Older records were let go, since the trail has a bound.
    pub(super) first: u64,
    /// The last record that is certainly there; 0 before the first.
    pub(super) seq: u64,
    /// Its sum.
    pub(super) sum: String,
    /// One that was being written when this was: it may be there or not.
    pub(super) coming: Option<(u64, String)>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            first: 1,
            seq: 0,
            sum: hex(&NONE),
            coming: None,
        }
    }
}

/// Something that is wrong with the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFlaw {
    /// At which record; the first of several.
    pub seq: u64,
    /// What it is.
    pub text: String,
}

/// What a look at the whole trail found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditVerdict {
    /// Records that are there.
    pub records: u64,
    /// The first of them; 0 when there is none.
    pub first: u64,
    /// The last of them; 0 when there is none.
    pub last: u64,
    /// The sum of the last one, to compare with one that was noted elsewhere.
    pub head: String,
    /// What is wrong.
    pub flaws: Vec<AuditFlaw>,
}

/// The look, record by record.
pub(super) struct Look<'a> {
    head: Option<&'a Head>,
    last: Option<(u64, Sum)>,
    verdict: AuditVerdict,
}

impl<'a> Look<'a> {
    pub(super) fn new(head: Option<&'a Head>) -> Self {
        Self {
            head,
            last: None,
            verdict: AuditVerdict::default(),
        }
    }

    fn flaw(&mut self, seq: u64, text: String) {
        self.verdict.flaws.push(AuditFlaw { seq, text });
    }

    pub(super) fn at(&mut self, record: &AuditRecord) {
        let seq = record.seq;
        match self.last {
            None => {
                let expected = self.head.map_or(1, |head| head.first);
                if seq > expected {
                    self.flaw(expected, missing(expected, seq - 1, "at the beginning"));
                }
                if seq == 1 && record.before != NONE {
                    self.flaw(1, "record 1 says that another one was before it".into());
                }
            }
            Some((last, sum)) if seq == last + 1 => {
                if record.before != sum {
                    let text = format!(
                        "record {seq} does not follow record {last}: one of the two was replaced, or records between \
                         them were taken out and the rest numbered anew"
                    );
                    self.flaw(seq, text);
                }
            }
            Some((last, _)) => self.flaw(last + 1, missing(last + 1, seq - 1, "in the middle")),
        }
        if !record.holds() {
            self.flaw(
                seq,
                format!("record {seq} was altered: its sum is of another text"),
            );
        }
        self.verdict.records += 1;
        if self.verdict.first == 0 {
            self.verdict.first = seq;
        }
        self.last = Some((seq, record.sum));
    }

    /// The end of the trail.
    pub(super) fn done(mut self) -> AuditVerdict {
        let (last, sum) = self.last.unwrap_or((0, NONE));
        self.verdict.last = last;
        self.verdict.head = hex(&sum);
        match self.head {
            None if last == 0 => {}
            None => self.flaw(
                last,
                "where the trail ends is not known: state.db has no note of it, so an end that was cut off would not show"
                    .into(),
            ),
            Some(head) => self.end(&head.clone(), last, &hex(&sum)),
        }
        self.verdict
    }

    fn end(&mut self, head: &Head, last: u64, sum: &str) {
        let noted = head.seq == last && head.sum == sum;
        let coming = head.coming.as_ref() == Some(&(last, sum.to_owned()));
        if noted || coming {
            return;
        }
        if last < head.seq {
            self.flaw(last + 1, missing(last + 1, head.seq, "at the end"));
        } else if last == head.seq {
            self.flaw(
                last,
                format!("record {last} is not the one that was noted as the last"),
            );
        } else {
            let text = format!(
                "records {} to {last} were appended by another hand than the gateway's",
                head.seq + 1
            );
            self.flaw(head.seq + 1, text);
        }
    }
}

fn missing(from: u64, through: u64, place: &str) -> String {
    if from == through {
        format!("record {from} is missing {place}")
    } else {
        format!("records {from} to {through} are missing {place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(count: u64) -> (Vec<AuditRecord>, Head) {
        let mut head = Head::default();
        let mut records = Vec::new();
        for seq in 1..=count {
            let draft = AuditDraft {
                at: 5,
                actor: format!("a{seq}"),
                action: "x".into(),
                ..AuditDraft::default()
            };
            let record = AuditRecord::next(seq, from_hex(&head.sum).unwrap(), &draft);
            (head.seq, head.sum) = (seq, hex(&record.sum));
            records.push(record);
        }
        (records, head)
    }

    fn flaws(records: &[AuditRecord], head: Option<&Head>) -> Vec<u64> {
        let mut look = Look::new(head);
        records.iter().for_each(|record| look.at(record));
        look.done().flaws.iter().map(|flaw| flaw.seq).collect()
    }

    #[test]
    fn whatever_is_done_to_a_trail_shows() {
        let (records, head) = trail(5);
        assert_eq!(flaws(&records, Some(&head)), [0; 0]);
        let mut removed = records.clone();
        removed.remove(2);
        assert_eq!(flaws(&removed, Some(&head)), [3]);
        assert_eq!(flaws(&records[1..], Some(&head)), [1], "the beginning");
        assert_eq!(flaws(&records[..4], Some(&head)), [5], "the end");
        assert_eq!(flaws(&[], Some(&head)), [1], "all of it");
        let mut altered = records.clone();
        altered[1].what.outcome = "done".into();
        assert_eq!(flaws(&altered, Some(&head)), [2]);
        // Altered with a new sum: the next one no longer follows. At the very end, the head no longer fits.
        for at in [1, 4] {
            let mut mended = records.clone();
            mended[at] = AuditRecord::next(at as u64 + 1, records[at].before, &AuditDraft::default());
            assert_eq!(flaws(&mended, Some(&head)), [(at as u64 + 2).min(5)]);
        }
        // Taken out and numbered anew.
        let mut closed = records.clone();
        closed.remove(2);
        closed[2].seq = 3;
        assert!(!flaws(&closed, Some(&head)).is_empty());
        let (longer, _) = trail(6);
        assert_eq!(flaws(&longer, Some(&head)), [6], "appended");
        assert_eq!(flaws(&records, None), [5], "no note of the end");
    }

    #[test]
    fn a_death_between_note_and_record_is_no_flaw() {
        let (records, mut head) = trail(5);
        head.coming = Some((6, "of a record that was never written".into()));
        assert_eq!(flaws(&records, Some(&head)), [0; 0]);
        let (longer, after) = trail(6);
        head.coming = Some((6, after.sum.clone()));
        assert_eq!(flaws(&longer, Some(&head)), [0; 0], "written and not yet noted");
        assert_eq!(flaws(&records[..4], Some(&head)), [5]);
    }

    #[test]
    fn texts_are_one_line_and_bounded() {
        let draft = AuditDraft {
            actor: "a\n\u{1b}[2Jb".into(),
            subject: "é".repeat(300),
            ..AuditDraft::default()
        };
        let record = AuditRecord::next(1, NONE, &draft);
        assert_eq!(record.what.actor, "a  [2Jb");
        assert_eq!(record.what.subject.len(), LONGEST);
        assert!(record.holds());
        assert_eq!(from_hex(&hex(&record.sum)), Some(record.sum));
        assert_eq!(from_hex("zz"), None);
    }
}
