//! Who did what at the desk. The journal keeps it by default; the page's audit trail may stand beside it.

use crate::{
    clock::Clock,
    domain::{Credential, EventKind, PersonId, event::Draft},
    store::{AuditDraft, Store},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Somebody who acts. Whether they may is decided before: by the sign-in of the page, or by the mode of the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What they are called.
    pub name: String,
    /// As what: "manager", "desk", "command line".
    pub role: String,
    /// From where, for the audit trail; empty for the gateway itself.
    #[serde(default)]
    pub address: String,
    /// Who it is to the system, for the audit trail, where the name is only what they say: at the control socket. Else empty.
    #[serde(default)]
    pub user: String,
}

impl Actor {
    /// Somebody.
    #[must_use]
    pub fn new(name: impl Into<String>, role: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role: role.into(),
            address: String::new(),
            user: String::new(),
        }
    }

    /// Who asks from this address.
    #[must_use]
    pub fn from(self, address: impl std::fmt::Display) -> Self {
        Self {
            address: address.to_string(),
            ..self
        }
    }

    /// Whose name is only what they say, and whom the system knows as this user.
    #[must_use]
    pub fn as_user(self, user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            ..self
        }
    }

    /// As the audit trail has them: who it was to the system, with the name that they gave.
    #[must_use]
    pub fn proven(&self) -> String {
        match self.user.as_str() {
            "" => self.name.clone(),
            user if user == self.name => self.name.clone(),
            user => format!("{user}, as {}", self.name),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A card was given to somebody who had none of it.
    Assigned,
    /// A card that was somebody else's was given to another.
    Moved,
    /// A card was taken back.
    Returned,
    /// The last presentation of a queue was taken back.
    Undone,
    /// A card was given to a guest.
    GuestGiven,
    /// A card or a person was blocked.
    Blocked,
    /// A block was lifted.
    Unblocked,
    /// The platform does not take a card.
    PlatformRefused,
    /// A person decided what becomes of a card that the platform does not take.
    ConflictResolved,
}

impl Action {
    /// In words, for the event: what was done.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Moved => "moved",
            Self::Returned => "returned",
            Self::Undone => "undone",
            Self::GuestGiven => "guest card",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
            Self::PlatformRefused => "refused by the platform, given out",
            Self::ConflictResolved => "conflict resolved",
        }
    }

    /// The stable name, as serialised.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Moved => "moved",
            Self::Returned => "returned",
            Self::Undone => "undone",
            Self::GuestGiven => "guest_given",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
            Self::PlatformRefused => "platform_refused",
            Self::ConflictResolved => "conflict_resolved",
        }
    }

    /// The kind of its event.
    #[must_use]
    pub const fn kind(self) -> EventKind {
        match self {
            Self::Blocked | Self::Unblocked => EventKind::BlockChanged,
            _ => EventKind::CardChanged,
        }
    }
}

/// What it was done to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The card.
    pub card: Option<Credential>,
    /// Whose it is now, or was.
    pub person: Option<PersonId>,
    /// What they are called.
    pub person_name: Option<String>,
    /// More in words; never a card number.
    pub note: String,
}

/// Keeps who did what.
pub trait Audit: Send + Sync {
    /// Somebody did something: it is done already, and in force.
    fn note(&self, actor: &Actor, action: Action, subject: &Subject);
}

impl Audit for Vec<Arc<dyn Audit>> {
    fn note(&self, actor: &Actor, action: Action, subject: &Subject) {
        for each in self {
            each.note(actor, action, subject);
        }
    }
}

/// Events of the journal: `card_changed` and `block_changed`.
#[derive(Clone, Debug)]
pub struct JournalAudit {
    store: Store,
    clock: Clock,
}

impl JournalAudit {
    /// Into this journal, at the time of this clock.
    #[must_use]
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

impl Audit for JournalAudit {
    fn note(&self, actor: &Actor, action: Action, subject: &Subject) {
        let now = self.clock.now();
        let mut detail = format!("{} by {actor}", action.words());
        if !subject.note.is_empty() {
            detail = format!("{detail}: {}", subject.note);
        }
        self.store.record(&Draft {
            credential: subject.card,
            person: subject.person.clone(),
            person_name: subject.person_name.clone(),
            detail: Some(detail),
            ..Draft::new(action.kind(), now.at, now.quality())
        });
    }
}

/// The audit trail, whose records hang on each other.
#[derive(Clone, Debug)]
pub struct TrailAudit {
    store: Store,
    clock: Clock,
}

impl TrailAudit {
    /// Into this trail, at the time of this clock.
    #[must_use]
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

impl Audit for TrailAudit {
    /// A trail that cannot be written is a fault that people see, and stops nobody.
    fn note(&self, actor: &Actor, action: Action, subject: &Subject) {
        let name = subject.person_name.as_deref();
        let person = subject.person.as_ref().map(|person| match name {
            Some(name) => format!("{name} ({person})"),
            None => person.to_string(),
        });
        let card = subject.card.map(|card| card.masked());
        let parts: Vec<String> = card.into_iter().chain(person).collect();
        let outcome = if subject.note.is_empty() {
            "done".to_owned()
        } else {
            subject.note.clone()
        };
        let kept = self.store.audit(&AuditDraft {
            at: self.clock.now().at,
            actor: actor.proven(),
            role: actor.role.clone(),
            action: format!("card.{}", action.name()),
            subject: parts.join(", "),
            outcome,
            address: actor.address.clone(),
        });
        if let Err(error) = kept {
            tracing::error!(%error, "what was done at the desk is not in the audit trail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Moment, health::Health, store::StoreOptions};

    #[test]
    fn both_the_journal_and_the_trail_know_who_did_it_and_neither_shows_the_number() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Moment::trusted(1_000));
        let options = StoreOptions::new(dir.path().join("state"), dir.path().join("run"));
        let (store, _) = Store::open(&options, &clock, &Health::default()).unwrap();
        let both: Vec<Arc<dyn Audit>> = vec![
            Arc::new(JournalAudit::new(store.clone(), clock.clone())),
            Arc::new(TrailAudit::new(store.clone(), clock)),
        ];
        let subject = Subject {
            card: "uid:04A2B3C4D5E680".parse().ok(),
            person: Some("ana".into()),
            person_name: Some("Ana Ruiz".into()),
            note: "from Ben".into(),
        };
        both.note(&Actor::new("Maria", "desk"), Action::Moved, &subject);
        store.flush().unwrap();
        let event = store.events_after(0, 10).unwrap().remove(0);
        assert_eq!(event.body.kind, EventKind::CardChanged);
        assert_eq!(
            event.body.detail.as_deref(),
            Some("moved by Maria (desk): from Ben")
        );
        let trail = format!("{:?}", store.read().audit_before(u64::MAX, 10).unwrap());
        for words in ["Maria", "card.moved", "Ana Ruiz (ana)", "uid:…80"] {
            assert!(trail.contains(words), "{words}: {trail}");
        }
        assert!(!trail.contains("04A2B3C4"), "{trail}");
    }
}
