//! Remote opening of KS doors. The gateway's own policy comes first: only a door of the configuration that names a lock,
//! and none that is locked down. Every opening is in the journal with who asked for it.

use super::{
    boot::SiteRuntime,
    control::{Asker, Done},
    ks_connect::{No, now},
    ks_session::KsWatch,
    trail::Trail,
};
use crate::{
    clock::Clock,
    config::{Config, model::DoorConfig},
    domain::{
        DoorId, EventKind,
        event::Draft,
        say::{Said, journal as say},
        secret::Secret,
    },
    doors::world::World,
    salto::{KsKind, open::IqDoc},
    store::Store,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    routing::post,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which door.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenDoc {
    /// `[[door]] id`, or its name.
    pub door: String,
}

/// What `prepare` is told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PrepareDoc {
    /// Also IQs that are ready.
    #[serde(default)]
    pub again: bool,
}

/// A PIN out of the mail. It does not print.
#[derive(Clone, Serialize, Deserialize)]
pub struct PinDoc {
    /// The IQ's id or name.
    pub iq: String,
    /// The PIN.
    pub pin: String,
}

/// Opens doors for whoever may reach the control socket, or is signed in at the page.
#[derive(Clone, Debug)]
pub(super) struct Doorman {
    ks: KsWatch,
    world: Arc<World>,
    store: Store,
    clock: Clock,
    trail: Trail,
}

impl Doorman {
    pub(super) fn new(site: &SiteRuntime, ks: KsWatch) -> Self {
        Self {
            ks,
            world: Arc::clone(&site.world),
            store: site.store.clone(),
            clock: site.clock.clone(),
            trail: Trail::new(site),
        }
    }

    /// Opens a door once. `who`: for the journal, as in "user ada of this machine".
    pub(super) async fn open(&self, door: &str, who: &str) -> Result<Done, No> {
        let ks = now(&self.ks)?;
        let (door, lock) = allowed(&ks.config, door, |door| self.world.is_locked_down(door))
            .inspect_err(|_| tracing::warn!(door, who, "a remote opening was refused"))?;
        let opening = ks.own.begin(&door.id, self.clock.now().at);
        let outcome = ks.opener.open(lock).await;
        match &outcome {
            Ok(()) => self.note(&door.id, say::asked_by_ks_opened(who)),
            // It was sent, and the answer is lost: the journal must not be silent about a door that may be open.
            Err(error) if matches!(error.kind, KsKind::Unreachable | KsKind::Malformed) => {
                self.note(&door.id, say::asked_by_ks_silent(who));
            }
            Err(error) => {
                ks.own.never(opening);
                tracing::warn!(door = %door.id, who, %error, "a remote opening failed");
            }
        }
        outcome?;
        Ok(Done {
            message: format!("{} is open for a moment", door.id),
        })
    }

    fn note(&self, door: &DoorId, said: Said) {
        let now = self.clock.now();
        self.store.record(&Draft {
            door: Some(door.clone()),
            detail: Some(said.into()),
            ..Draft::new(EventKind::RemoteRelease, now.at, now.quality())
        });
    }
}

/// The door with its lock, if the gateway's policy lets it be opened from afar.
fn allowed<'a>(
    config: &'a Config,
    door: &str,
    locked_down: impl Fn(&DoorId) -> bool,
) -> Result<(&'a DoorConfig, &'a str), No> {
    let named = |one: &&DoorConfig| {
        let known = config.site.doors.iter().find(|known| known.id == one.id);
        one.id.as_str() == door || known.is_some_and(|known| known.name == door)
    };
    let found = config.doors.iter().find(named).ok_or_else(|| {
        let doors: Vec<&str> = config.doors.iter().map(|door| door.id.as_str()).collect();
        No::new(
            format!("there is no door \"{}\"", door.escape_debug()),
            format!("the doors are {}", doors.join(", ")),
        )
    })?;
    let lock = found.ks_lock.as_deref().ok_or_else(|| {
        No::new(
            format!("door {} is not decided by SALTO KS", found.id),
            "only a door with ks_lock can be opened so",
        )
    })?;
    if locked_down(&found.id) {
        return Err(No::new(
            format!("door {} is locked down, so it is not opened from afar", found.id),
            "end the lockdown first",
        ));
    }
    Ok((found, lock))
}

/// `/v1/ks/open` and `/v1/ks/otp/…`.
pub(super) fn routes(site: &SiteRuntime, ks: KsWatch) -> Router {
    Router::new()
        .route("/v1/ks/open", post(open))
        .route("/v1/ks/otp/prepare", post(prepare))
        .route("/v1/ks/otp/activate", post(activate))
        .with_state(Doorman::new(site, ks))
}

async fn open(
    State(doorman): State<Doorman>,
    ConnectInfo(asker): ConnectInfo<Asker>,
    Json(asked): Json<OpenDoc>,
) -> Result<Json<Done>, No> {
    let who = asker.to_string();
    let done = doorman.open(&asked.door, &who).await;
    let outcome = done.as_ref().map_or_else(|no| no.text(), |_| "done");
    doorman
        .trail
        .note(&who, "door.opened", &asked.door, outcome)
        .await;
    done.map(Json)
}

async fn prepare(
    State(doorman): State<Doorman>,
    Json(asked): Json<PrepareDoc>,
) -> Result<Json<Vec<IqDoc>>, No> {
    Ok(Json(now(&doorman.ks)?.opener.prepare(asked.again).await?))
}

async fn activate(State(doorman): State<Doorman>, Json(asked): Json<PinDoc>) -> Result<Json<Done>, No> {
    let opener = now(&doorman.ks)?.opener;
    opener.activate(&asked.iq, &Secret::new(asked.pin)).await?;
    Ok(Json(Done {
        message: format!("locks of IQ {} can be opened from here", asked.iq),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment, Purpose};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_a_door_with_a_lock_and_without_a_lockdown_opens_from_afar() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "s3cret").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!(
            "[site]\nid = \"here\"\nzone = \"Europe/Madrid\"\n[ks]\nclient_id = \"c\"\nclient_secret = {{ file = \"{}\" }}\n\
             [[door]]\nid = \"front\"\nname = \"Main\"\nks_lock = \"Front\"\n[[door]]\nid = \"back\"\n",
            secret.display()
        );
        let file = folder.path().join("doorward.toml");
        let (config, findings) = config::parse(&file, text, Purpose::Run, &Environment::default());
        let config = config.unwrap_or_else(|| panic!("{findings}"));
        let lock = |door: &str, locked: &str| {
            let allowed = allowed(&config, door, |door| door.as_str() == locked);
            allowed.ok().map(|(_, lock)| lock.to_owned())
        };
        assert_eq!(lock("front", "").as_deref(), Some("Front"));
        assert_eq!(lock("Main", "back").as_deref(), Some("Front"));
        assert_eq!(lock("front", "front"), None);
        assert_eq!(lock("back", ""), None);
        assert_eq!(lock("Front", ""), None, "the name at KS is no door here");
    }
}
