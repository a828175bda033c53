//! Who did what over the control socket, in the same trail as what is done at the page.

use super::boot::SiteRuntime;
use crate::{
    clock::Clock,
    store::{AuditDraft, Store},
};

/// Of what was meant, as somebody wrote it.
const LONGEST: usize = 100;

/// The trail. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    store: Store,
    clock: Clock,
}

impl Trail {
    pub(super) fn new(site: &SiteRuntime) -> Self {
        Self {
            store: site.store.clone(),
            clock: site.clock.clone(),
        }
    }

    /// Writes it down. A trail that cannot be written is a fault that people see, and stops nobody.
    pub(super) async fn note(&self, who: &str, action: &str, subject: &str, outcome: &str) {
        let subject = subject.chars().filter(|c| !c.is_control()).take(LONGEST);
        let draft = AuditDraft {
            at: self.clock.now().at,
            actor: who.to_owned(),
            role: "command line".to_owned(),
            action: action.to_owned(),
            subject: subject.collect(),
            outcome: outcome.to_owned(),
            address: String::new(),
        };
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || store.audit(&draft)).await;
        if let Ok(Err(error)) = done {
            tracing::error!(%error, "the audit trail cannot be written");
        }
    }
}
