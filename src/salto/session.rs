//! One account at SALTO KS: its login, the requests to it, and what the site has.

use super::{
    Connect, KsError, KsKind,
    auth::Tokens,
    client::V1_2,
    model::{Me, Role, Site, Subscription},
    sites::{self, SiteFacts},
};
use crate::{
    clock::Clock,
    config::model::KsConfig,
    health::Health,
    platform::vault::Vault,
    store::{Store, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, Notify, OnceCell};

/// What the site has is read again after this: seats are taken and subscriptions end.
const REREAD: Duration = Duration::from_secs(15 * 60);
/// The room of documents about KS, and the key of the chosen site.
pub const ROOM: &str = "ks";
const SITE: &str = "site";

/// The account. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: KsConfig,
    connect: Connect,
    tokens: Tokens,
    vault: Vault,
    store: Store,
    clock: Clock,
    facts: Mutex<Option<Known>>,
    me: OnceCell<String>,
    pairs: Arc<Notify>,
}

#[derive(Debug)]
struct Known {
    facts: Arc<SiteFacts>,
    /// Time since the start when they were read; absent when they are to be read again.
    read: Option<Duration>,
}

impl Session {
    /// Prepares it; nothing is sent yet. A login that has ended is raised as the fault `ks_login`.
    ///
    /// # Errors
    /// `Tls` when the certificates cannot be read.
    pub fn open(
        config: &KsConfig,
        vault: Vault,
        store: Store,
        clock: Clock,
        health: Health,
    ) -> Result<Self, KsError> {
        let tokens = Tokens::new(config, vault.clone(), clock.clone(), health)?;
        Ok(Self(Arc::new(Inner {
            connect: Connect::new(config, Arc::new(tokens.clone()))?,
            config: config.clone(),
            tokens,
            vault,
            store,
            clock,
            facts: Mutex::new(None),
            me: OnceCell::new(),
            pairs: Arc::default(),
        })))
    }

    /// Requests.
    #[must_use]
    pub fn connect(&self) -> &Connect {
        &self.0.connect
    }

    /// The login.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// `[ks]`.
    #[must_use]
    pub fn config(&self) -> &KsConfig {
        &self.0.config
    }

    /// Rings when a tag became a card's, or is no more: whoever keeps KS in step compares then.
    #[must_use]
    pub fn pairs(&self) -> Arc<Notify> {
        Arc::clone(&self.0.pairs)
    }

    /// Where secrets of this account are kept.
    pub(super) fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The time.
    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The site and what it has; from memory for a quarter of an hour. While KS does not answer, what it said last.
    ///
    /// # Errors
    /// As KS refuses, or when nobody chose one of several sites.
    pub async fn site(&self) -> Result<Arc<SiteFacts>, KsError> {
        let mut facts = self.0.facts.lock().await;
        let now = self.0.clock.monotonic();
        if let Some(known) = facts.as_ref()
            && known.read.is_some_and(|read| now.saturating_sub(read) < REREAD)
        {
            return Ok(Arc::clone(&known.facts));
        }
        match self.read().await {
            Ok(new) => {
                let new = Arc::new(new);
                *facts = Some(Known {
                    facts: Arc::clone(&new),
                    read: Some(now),
                });
                Ok(new)
            }
            Err(error) => match (facts.as_ref(), error.kind) {
                (Some(known), KsKind::Unreachable | KsKind::Throttled { .. }) => Ok(Arc::clone(&known.facts)),
                _ => Err(error),
            },
        }
    }

    /// Has the site read again at the next question: after a seat was taken, say.
    pub async fn look_again(&self) {
        if let Some(known) = self.0.facts.lock().await.as_mut() {
            known.read = None;
        }
    }

    /// All sites that the login sees.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn sites(&self) -> Result<Vec<Site>, KsError> {
        self.0.connect.list(V1_2, &["sites"], &[], "list the sites").await
    }

    /// Chooses a site for good.
    ///
    /// # Errors
    /// As KS refuses; `NotFound` when the login does not see it; `Rejected` when the configuration names another, or the
    /// choice cannot be kept.
    pub async fn choose(&self, id: &str) -> Result<Arc<SiteFacts>, KsError> {
        if let Some(configured) = self.0.config.site.as_deref()
            && !configured.eq_ignore_ascii_case(id)
        {
            return Err(KsError::new(
                KsKind::Rejected,
                format!("[ks] site names {configured}; write the other one there, or leave it out"),
            ));
        }
        let sites = self.sites().await?;
        let site = sites::choose(&sites, Some(id), None)?;
        let body = serde_json::json!({ "id": site.id, "name": sites::name(site) }).to_string();
        let store = self.0.store.clone();
        blocking(move || store.put_documents(ROOM, &[(SITE, Some(&body))])).await?;
        *self.0.facts.lock().await = None;
        self.site().await
    }

    /// The gateway's own user at KS, as entries name it. `None` while KS does not say; it is asked again then.
    pub async fn me(&self) -> Option<String> {
        let connect = &self.0.connect;
        let asked = async || {
            let me = connect.get::<Me>(V1_2, &["me"], &[], "read the gateway's own user");
            me.await.map(|me| me.id)
        };
        match self.0.me.get_or_try_init(asked).await {
            Ok(me) => Some(me.clone()),
            Err(error) => {
                tracing::debug!(%error, "who the gateway is at SALTO KS is not known");
                None
            }
        }
    }

    async fn read(&self) -> Result<SiteFacts, KsError> {
        let sites = self.sites().await?;
        let chosen = self.chosen().await?;
        let site = sites::choose(&sites, self.0.config.site.as_deref(), chosen.as_deref())?;
        let connect = &self.0.connect;
        let subscription = connect
            .get::<Subscription>(
                V1_2,
                &["sites", &site.id, "subscription"],
                &[],
                "read the subscription",
            )
            .await;
        let subscription = match subscription {
            Ok(subscription) => Some(subscription),
            // What it has is then unknown, and the rest of the site works without knowing.
            Err(error) if matches!(error.kind, KsKind::Forbidden | KsKind::NotFound) => None,
            Err(error) => return Err(error),
        };
        let roles = connect
            .list::<Role>(V1_2, &["sites", &site.id, "roles"], &[], "list the roles")
            .await?;
        Ok(SiteFacts::new(site, subscription, roles, &self.0.config.role))
    }

    /// The id of the chosen site.
    async fn chosen(&self) -> Result<Option<String>, KsError> {
        let store = self.0.store.clone();
        let body = blocking(move || store.read().document(ROOM, SITE)).await?;
        let body = body.and_then(|body| serde_json::from_str::<serde_json::Value>(&body).ok());
        let id = body.as_ref().and_then(|body| body.get("id")?.as_str());
        Ok(id.map(str::to_owned))
    }
}

/// The store blocks for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, KsError> {
    let failed = |text: String| KsError::new(KsKind::Rejected, text);
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))
}
