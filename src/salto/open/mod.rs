//! A lock is opened from afar. Most IQs want a one-time password, made of a secret that KS shows once for each user and IQ,
//! and of a PIN that it mails (developer pages: adding-and-activating-an-iq). Both are kept sealed. Whether a door may be
//! opened at all is not decided here.

mod otp;

pub use otp::{Tries, otp};

use super::{
    KsError, KsKind, Session,
    client::V1_2,
    error::codes,
    model::{Iq, Lock},
};
use crate::{
    domain::{Millis, secret::Secret},
    platform::vault::Kept,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Clocks that differ by more than this make passwords that are not good for each other, milliseconds: half of the three
/// minutes for which one is.
const SKEW: Millis = 90_000;

/// Opens locks of one account. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Opener {
    session: Session,
    tries: Arc<Mutex<BTreeMap<String, Tries>>>,
}

/// What an IQ needs before its locks can be opened from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IqState {
    /// No password.
    NotNeeded,
    /// Nothing more: its secret and PIN are kept.
    Ready,
    /// The PIN that KS has mailed to the gateway's user.
    PinMailed,
    /// Its secret was shown to somebody before: it has to be reset at KS.
    ShownBefore,
}

/// An IQ with what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IqDoc {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it needs.
    pub state: IqState,
}

/// What is kept of an IQ. The PIN comes with the activation.
#[derive(Serialize, Deserialize)]
struct Key {
    secret: String,
    #[serde(default)]
    pin: Option<String>,
}

impl Opener {
    /// For this account.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self {
            session,
            tries: Arc::default(),
        }
    }

    /// Opens the lock of this name or id once; it locks again by itself.
    ///
    /// # Errors
    /// As KS refuses, in words that say what to do. `Unreachable`: it may have opened all the same.
    pub async fn open(&self, lock: &str) -> Result<(), KsError> {
        let site = self.session.site().await?;
        let connect = self.session.connect();
        let path = ["sites", site.id.as_str(), "locks"];
        let locks = connect.list::<Lock>(V1_2, &path, &[], "list the locks").await?;
        let lock = find(&locks, lock)?;
        let path = ["sites", site.id.as_str(), "locks", lock.id.as_str(), "locking"];
        let send = |otp: Option<Secret>| {
            let mut body = json!({ "locked_state": "unlocked" });
            if let (Some(otp), Some(body)) = (otp, body.as_object_mut()) {
                body.insert("otp".into(), otp.reveal().into());
            }
            async move {
                connect
                    .change(Method::PATCH, V1_2, &path, Some(&body), false, "open the lock")
                    .await
                    .map(drop)
            }
        };
        let Some(iq) = lock.iq.as_ref().filter(|iq| iq.otp_enabled != Some(false)) else {
            return send(None).await;
        };
        let key = self.kept(&iq.id).await;
        let (secret, pin) = match key {
            Some(Key {
                secret,
                pin: Some(pin),
            }) => (Secret::new(secret), Secret::new(pin)),
            // KS did not say that it needs one.
            _ if iq.otp_enabled.is_none() => return send(None).await.map_err(needs_setup),
            _ => return Err(not_set_up()),
        };
        let mut at = self.time()?;
        for last in [false, true] {
            self.may_try(&iq.id)?;
            let otp = otp(at, &secret, &pin);
            let outcome = send(otp).await;
            let now = self.session.clock().monotonic();
            match outcome {
                Ok(()) => {
                    self.tries(&iq.id, |tries| tries.right());
                    return Ok(());
                }
                Err(error) if error.code == Some(codes::OTP) && error.status == Some(403) => {
                    self.tries(&iq.id, |tries| tries.blocked(now));
                    return Err(blocked(error));
                }
                Err(error) if is_wrong(&error) => {
                    self.tries(&iq.id, |tries| tries.wrong(now));
                    // Ours may be the wrong clock: then once more by theirs.
                    match connect.server_time().filter(|theirs| (theirs - at).abs() > SKEW) {
                        Some(theirs) if !last => at = theirs,
                        _ => return Err(wrong(error)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(not_set_up())
    }

    /// Has KS show each IQ's secret and mail its PIN, where that has not been done. `again`: also where it has.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn prepare(&self, again: bool) -> Result<Vec<IqDoc>, KsError> {
        let site = self.session.site().await?;
        let connect = self.session.connect();
        let iqs = connect
            .list::<Iq>(V1_2, &["sites", &site.id, "iqs"], &[], "list the IQs")
            .await?;
        let mut docs = Vec::with_capacity(iqs.len());
        for iq in iqs {
            let state = match iq.otp_enabled {
                Some(false) => IqState::NotNeeded,
                _ => self.prepare_one(&site.id, &iq.id, again).await?,
            };
            docs.push(IqDoc {
                name: iq.customer_reference.unwrap_or_else(|| iq.id.clone()),
                id: iq.id,
                state,
            });
        }
        Ok(docs)
    }

    async fn prepare_one(&self, site: &str, iq: &str, again: bool) -> Result<IqState, KsError> {
        let connect = self.session.connect();
        let kept = self.kept(iq).await;
        if !again && kept.as_ref().is_some_and(|key| key.pin.is_some()) {
            return Ok(IqState::Ready);
        }
        let shown = connect
            .get::<Value>(
                V1_2,
                &["sites", site, "iqs", iq, "secret"],
                &[],
                "read the IQ's secret",
            )
            .await;
        match shown.map(|shown| text_of(&shown, "secret")) {
            // Before anything else: KS may not show it again.
            Ok(Some(secret)) => self.keep(iq, &Key { secret, pin: None }).await?,
            Ok(None) => {
                let words = "KS answered without the IQ's secret, so nothing can be opened from afar";
                return Err(KsError::new(KsKind::Malformed, words));
            }
            // It was activated. With a secret that is kept another PIN will do.
            Err(error) if error.kind == KsKind::Forbidden => {
                if kept.is_none() {
                    return Ok(IqState::ShownBefore);
                }
            }
            Err(error) => return Err(error),
        }
        let path = ["sites", site, "iqs", iq, "pin"];
        let url = connect.url(V1_2, &path, &[("send_email", "true")])?;
        connect
            .send(Method::GET, &url, None, "have the PIN mailed")
            .await?;
        Ok(IqState::PinMailed)
    }

    /// Ends the preparation of an IQ, by name or id, with the PIN out of the mail.
    ///
    /// # Errors
    /// As KS refuses; `Rejected` for a PIN that is not right.
    pub async fn activate(&self, iq: &str, pin: &Secret) -> Result<(), KsError> {
        let site = self.session.site().await?;
        let connect = self.session.connect();
        let iqs = connect
            .list::<Iq>(V1_2, &["sites", &site.id, "iqs"], &[], "list the IQs")
            .await?;
        let named = |one: &&Iq| one.id == iq || one.customer_reference.as_deref() == Some(iq);
        let found = iqs.iter().find(named).map(|found| found.id.clone());
        let found =
            found.ok_or_else(|| KsError::new(KsKind::NotFound, format!("the site has no IQ \"{iq}\"")))?;
        let Some(key) = self.kept(&found).await else {
            return Err(not_set_up());
        };
        self.may_try(&found)?;
        let otp = otp(self.time()?, &Secret::new(key.secret.clone()), pin);
        let body = json!({ "otp": otp.as_ref().map(Secret::reveal), "delta": "0000" });
        let path = ["sites", site.id.as_str(), "iqs", found.as_str(), "pin"];
        let sent = connect
            .change(Method::PUT, V1_2, &path, Some(&body), false, "activate the IQ")
            .await;
        match sent {
            Ok(_) => {
                let pin = Some(pin.reveal().to_owned());
                self.tries(&found, |tries| tries.right());
                self.keep(&found, &Key { pin, ..key }).await
            }
            Err(error) if is_wrong(&error) => {
                let now = self.session.clock().monotonic();
                self.tries(&found, |tries| tries.wrong(now));
                Err(KsError {
                    text: format!(
                        "{}; look at the latest mail for the PIN of exactly this IQ",
                        error.text
                    ),
                    ..error
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The time for a password. Guessing would only lead to wrong ones, and those to a block.
    fn time(&self) -> Result<Millis, KsError> {
        let now = self.session.clock().now();
        if now.trusted {
            return Ok(now.at);
        }
        self.session.connect().server_time().ok_or_else(|| {
            let words = "the gateway does not know the time yet, and a one-time password needs it; wait for the network to set the clock";
            KsError::new(KsKind::Rejected, words)
        })
    }

    fn may_try(&self, iq: &str) -> Result<(), KsError> {
        let now = self.session.clock().monotonic();
        self.tries(iq, |tries| tries.may(now)).map_err(|wait| {
            let minutes = wait.as_secs().div_ceil(60);
            KsError::new(
                KsKind::Rejected,
                format!("the last one-time passwords of this IQ were wrong, so none is sent for {minutes} min: another would only block it for longer"),
            )
        })
    }

    fn tries<T>(&self, iq: &str, job: impl FnOnce(&mut Tries) -> T) -> T {
        let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        job(all.entry(iq.to_owned()).or_default())
    }

    fn name(&self, iq: &str) -> String {
        format!("ks otp {} {iq}", self.session.tokens().mark())
    }

    async fn kept(&self, iq: &str) -> Option<Key> {
        let (vault, name) = (self.session.vault().clone(), self.name(iq));
        let kept = tokio::task::spawn_blocking(move || vault.get(&name))
            .await
            .ok()??;
        serde_json::from_str(kept.secret.reveal()).ok()
    }

    async fn keep(&self, iq: &str, key: &Key) -> Result<(), KsError> {
        let failed = |what: String| {
            let text = format!("the IQ's secret cannot be kept, and KS shows it once: {what}");
            KsError::new(KsKind::Rejected, text)
        };
        let text = serde_json::to_string(key).map_err(|error| failed(error.to_string()))?;
        let kept = Kept {
            secret: Secret::new(text),
            until: None,
        };
        let (vault, name) = (self.session.vault().clone(), self.name(iq));
        let written = tokio::task::spawn_blocking(move || vault.put(&name, &kept)).await;
        written
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))
    }
}

/// The lock of this id, or the only one of this name.
fn find<'a>(locks: &'a [Lock], name: &str) -> Result<&'a Lock, KsError> {
    let by_id = locks.iter().find(|lock| lock.id.eq_ignore_ascii_case(name));
    let mut by_name = locks
        .iter()
        .filter(|lock| lock.customer_reference.as_deref() == Some(name));
    match (by_id, by_name.next(), by_name.next()) {
        (Some(lock), ..) | (None, Some(lock), None) => Ok(lock),
        (None, None, _) => Err(KsError::new(
            KsKind::NotFound,
            format!("the site at SALTO KS has no lock \"{name}\"; `doorward ks connect` lists them"),
        )),
        (None, Some(_), Some(_)) => Err(KsError::new(
            KsKind::Rejected,
            format!("several locks at SALTO KS are called \"{name}\"; write the lock's id as ks_lock"),
        )),
    }
}

/// A bare text, or an object with one: both were seen.
fn text_of(shown: &Value, name: &str) -> Option<String> {
    let text = shown.as_str().or_else(|| shown.get(name)?.as_str())?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_wrong(error: &KsError) -> bool {
    error.code == Some(codes::OTP) && error.status == Some(400)
}

fn not_set_up() -> KsError {
    KsError::new(
        KsKind::Rejected,
        "this lock's IQ wants a one-time password, and none is set up; run `doorward ks open --setup` once",
    )
}

fn needs_setup(error: KsError) -> KsError {
    match (error.status, error.code) {
        (Some(404), Some(codes::NOT_FOUND)) => not_set_up(),
        _ => error,
    }
}

fn wrong(error: KsError) -> KsError {
    KsError {
        text: format!(
            "{}; the IQ's secret has probably been replaced, which activating the same user in SALTO's app does: run `doorward ks open --setup --again`",
            error.text
        ),
        ..error
    }
}

fn blocked(error: KsError) -> KsError {
    KsError {
        text: format!(
            "{}; too many wrong passwords were sent, by whomever: it passes by itself in some minutes",
            error.text
        ),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(id: &str, name: &str) -> Lock {
        serde_json::from_value(json!({ "id": id, "customer_reference": name })).unwrap()
    }

    #[test]
    fn a_lock_is_found_by_id_or_by_a_name_that_only_it_has() {
        let locks = [lock("1", "Front"), lock("2", "Back"), lock("3", "Back")];
        let id = |name| {
            find(&locks, name)
                .map(|lock| lock.id.as_str())
                .map_err(|error| error.kind)
        };
        assert_eq!(id("Front"), Ok("1"));
        assert_eq!(id("3"), Ok("3"));
        assert_eq!(id("Back"), Err(KsKind::Rejected));
        assert_eq!(id("Cellar"), Err(KsKind::NotFound));
    }

    #[test]
    fn a_secret_is_a_text_or_stands_in_an_object() {
        assert_eq!(text_of(&json!("s"), "secret").as_deref(), Some("s"));
        assert_eq!(text_of(&json!({"secret": "s"}), "secret").as_deref(), Some("s"));
        assert_eq!(text_of(&json!({}), "secret"), None);
    }
}
