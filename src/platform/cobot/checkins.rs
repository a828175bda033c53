//! Check-ins and cards. A check-in at Cobot is as of now, has no key, and may take a pass: so it is looked for before
//! it is made, one at a time, and never made late (invariant 6).

use super::{
    CobotCloud,
    api::{What, json_api},
    fetch::TOKENS,
    model::{CheckInAttributes, Document, Page, Unread},
    rows::{Rows, TokenRow},
};
use crate::{
    domain::{Credential, EventId, Millis, PersonId, secret::Secret},
    platform::{CheckIn, CheckInOutcome, ErrorKind, PlatformError, cards, packed::Packed},
};
use jiff::Timestamp;
use reqwest::{Method, Response, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A check-in that still runs began within this time.
const LOOK_BACK: Millis = 36 * 3_600_000;
/// Sent check-ins of which the answer is not known, at most.
const MOST_UNSURE: usize = 256;
/// What a platform says is repeated up to here.
const MOST_WORDS: usize = 200;

const LOOK: What = What {
    name: "the check-ins of a member",
    scope: "read_check_ins",
    facts: false,
};

/// What check-ins need to know, beside a fetch that may be under way.
#[derive(Debug, Default)]
pub(super) struct Desk {
    known: Mutex<Known>,
    /// One check-in at a time: two of one person at once would both find nothing, and take two passes.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// A token of each membership. Nothing before the first fetch.
    tokens: Option<Packed<Vec<TokenRow>>>,
    /// How long the running check-in of a membership lasts.
    running: HashMap<Box<str>, Millis>,
    /// Sent, and no answer came.
    unsure: Vec<EventId>,
    /// Checked in here since the last fetch: for these a hint names passes alone.
    fresh: Vec<Box<str>>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a fetch brought is truer than what was remembered.
    pub(super) fn learn(&self, rows: &Rows) {
        let mut known = self.lock();
        known.tokens = Packed::of(&rows.tokens).ok(); // else they are asked for
        known.running = HashMap::new();
        for row in &rows.sessions {
            let until = known.running.entry(row.membership.clone()).or_insert(row.until);
            *until = (*until).max(row.until);
        }
        known.fresh.clear();
    }

    /// Whether a hint to this person follows from a check-in that was made here.
    pub(super) fn is_fresh(&self, person: &str) -> bool {
        self.lock().fresh.iter().any(|it| &**it == person)
    }

    fn running(&self, person: &str, at: Millis) -> Option<Millis> {
        self.lock()
            .running
            .get(person)
            .copied()
            .filter(|until| at < *until)
    }

    fn runs(&self, key: &EventId, person: &str, until: Millis) {
        let mut known = self.lock();
        known.unsure.retain(|it| it != key);
        known.running.insert(person.into(), until);
        known.fresh.push(person.into());
    }

    fn is_unsure(&self, key: &EventId) -> bool {
        self.lock().unsure.contains(key)
    }
    fn unsure(&self, key: &EventId) {
        let mut known = self.lock();
        if !known.unsure.contains(key) {
            known.unsure.push(key.clone());
        }
        let over = known.unsure.len().saturating_sub(MOST_UNSURE);
        known.unsure.drain(..over);
    }
    fn sure(&self, key: &EventId) {
        self.lock().unsure.retain(|it| it != key);
    }
}

/// One token of a membership, always the same: the smallest.
fn token_in(tokens: &[TokenRow], person: &str) -> Option<Secret> {
    let own = tokens.iter().filter(|token| &*token.membership == person);
    own.min_by_key(|token| token.text.reveal())
        .map(|token| token.text.clone())
}

fn refused(reason: impl Into<String>) -> CheckInOutcome {
    CheckInOutcome::Refused {
        reason: reason.into(),
    }
}
const fn accepted(running_until: Millis) -> CheckInOutcome {
    CheckInOutcome::Accepted {
        running_until: Some(running_until),
    }
}

impl CobotCloud {
    pub(super) async fn deliver(&self, check_in: &CheckIn) -> Result<CheckInOutcome, PlatformError> {
        let person = check_in.person.as_str();
        if person.contains(':') {
            return Ok(refused(
                "Cobot checks members in only; this is a visitor of an external booking or a drop-in pass",
            ));
        }
        let _turn = self.desk.turn.lock().await;
        if let Some(until) = self.desk.running(person, check_in.at) {
            return Ok(accepted(until)); // R28: one check-in for all entries while it runs
        }
        if check_in.late && !self.desk.is_unsure(&check_in.key) {
            return Ok(refused(
                "too late: Cobot takes check-ins as of now only, and this one would spend a pass of today for an earlier entry",
            ));
        }
        if let Some(until) = self.look(person).await? {
            self.desk.runs(&check_in.key, person, until);
            return Ok(accepted(until));
        }
        if check_in.late {
            self.desk.sure(&check_in.key);
            return Ok(refused(
                "too late, and Cobot has not heard of it before the line broke",
            ));
        }
        self.desk.unsure(&check_in.key);
        let answer = self.post(person).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {
                let until = self.until(answer).await?;
                self.desk.runs(&check_in.key, person, until);
                Ok(accepted(until))
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                self.desk.sure(&check_in.key);
                let said: Said = self
                    .api
                    .new
                    .json(answer, "the refusal of a check-in")
                    .await
                    .unwrap_or_default();
                Ok(refused(said.words()))
            }
            _ => Err(self
                .api
                .new
                .refusal(answer, "check a member in (scopes write_check_ins, checkin)")
                .await),
        }
    }

    /// Until when the running check-in of a membership lasts, if there is one. Asked by membership and not by token,
    /// so that no card number stands in an address.
    async fn look(&self, person: &str) -> Result<Option<Millis>, PlatformError> {
        let now = self.around.clock.now().at;
        let iso = |at: Millis| {
            Timestamp::from_second(at.div_euclid(1_000))
                .unwrap_or_default()
                .to_string()
        };
        let query = [
            ("filter[from]", iso(now - LOOK_BACK)),
            // Its clock may be ahead of this one.
            ("filter[to]", iso(now + 300_000)),
            ("page[size]", "200".to_owned()),
        ];
        let path = ["memberships", person, "check_ins"];
        let page: Option<Page<CheckInAttributes, Unread>> = self.api.object(LOOK, &path, &query).await?;
        let Some(page) = page else {
            let text =
                format!("Cobot has no membership {person} any more; its entry stays in the journal alone");
            return Err(PlatformError::new(ErrorKind::Rejected { status: 404 }, text));
        };
        let until = page.data.iter().map(|it| it.attributes.valid_until).max();
        Ok(until.filter(|until| now < *until))
    }

    /// By the member's token through API 2; of a member without one by the membership through API 1.
    async fn post(&self, person: &str) -> Result<Response, PlatformError> {
        let words = "check a member in";
        let Some(token) = self.token_of(person).await? else {
            let path = ["api", "memberships", person, "work_sessions"];
            let request = self.api.request1(Method::POST, &path, &[])?;
            return self.api.order(&self.api.old, request, words).await;
        };
        let space = self.space().await?.id;
        let body = json!({ "data": {
            "type": "checkIns",
            "attributes": { "checkInToken": token.reveal() },
            "relationships": { "space": { "data": { "id": space, "type": "spaces" } } },
        }});
        let request = self.api.request2(Method::POST, &["check_ins"], &[])?;
        self.api
            .order(&self.api.new, json_api(request, &body), words)
            .await
    }

    async fn token_of(&self, person: &str) -> Result<Option<Secret>, PlatformError> {
        if let Some(tokens) = &self.desk.lock().tokens {
            return Ok(token_in(&tokens.open()?, person));
        }
        let read = self.tokens().await?;
        self.desk.lock().tokens = Packed::of(&read).ok();
        Ok(token_in(&read, person))
    }

    /// The end of a check-in, as either interface says it.
    async fn until(&self, answer: Response) -> Result<Millis, PlatformError> {
        let body: Value = self.api.new.json(answer, "the answer to a check-in").await?;
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(ToOwned::to_owned);
        let new: Option<Document<CheckInAttributes, Unread>> = serde_json::from_value(body.clone()).ok();
        let old = || {
            let at = Timestamp::strptime("%Y/%m/%d %H:%M:%S %z", text("/valid_until")?).ok()?;
            Some(at.as_millisecond())
        };
        let until = new.map(|it| it.data.attributes.valid_until).or_else(old);
        until.ok_or_else(|| {
            PlatformError::malformed(format_args!(
                "{} checked a member in and did not say until when; it is looked for again",
                self.api.new.place()
            ))
        })
    }

    pub(super) async fn give_card(
        &self,
        person: &PersonId,
        credential: &Credential,
    ) -> Result<(), PlatformError> {
        let format = self.config.cards;
        let tokens = self.tokens().await?;
        let same = |token: &&TokenRow| cards::read(token.text.reveal(), format).as_ref() == Ok(credential);
        if let Some(held) = tokens.iter().find(same) {
            if &*held.membership == person.as_str() {
                return Ok(());
            }
            let text = format!("person {} holds this card at Cobot", held.membership);
            return Err(PlatformError::new(ErrorKind::Rejected { status: 409 }, text));
        }
        let text = cards::write(credential, format).unwrap_or_else(|| credential.reveal_in_full());
        let body = json!({ "membership_id": person.as_str(), "token": text });
        let path = ["api", "check_in_tokens"];
        let request = self.api.request1(Method::POST, &path, &[])?.json(&body);
        let words = "give a member a card (scope checkin_tokens)";
        let answer = self.api.order(&self.api.old, request, words).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {
                self.desk.lock().tokens = None; // asked for when somebody enters
                Ok(())
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                let said: Said = self
                    .api
                    .old
                    .json(answer, "the refusal of a card")
                    .await
                    .unwrap_or_default();
                let text = format!("Cobot does not take this card: {}", said.words());
                Err(PlatformError::new(ErrorKind::Rejected { status: 409 }, text))
            }
            _ => Err(self.api.old.refusal(answer, words).await),
        }
    }

    /// No document of the vendor's says how a token is taken away, and guessing at an address that deletes is no way.
    pub(super) async fn take_card(
        &self,
        person: &PersonId,
        credential: &Credential,
    ) -> Result<(), PlatformError> {
        let format = self.config.cards;
        let held = self.tokens().await?.into_iter().any(|token| {
            &*token.membership == person.as_str()
                && cards::read(token.text.reveal(), format).as_ref() == Ok(credential)
        });
        if !held {
            return Ok(());
        }
        let text = format!(
            "Cobot has no documented way to take a check-in token away; remove it there under \"Manage check-in tokens\", and block the card here until then ({})",
            TOKENS.name
        );
        Err(PlatformError::new(ErrorKind::Unsupported, text))
    }
}

/// Why something is refused: a list of errors (API 2), or errors by field (API 1).
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "errors")]
    errors: Vec<String>,
}

impl Said {
    fn words(&self) -> String {
        let words: String = self
            .errors
            .join("; ")
            .chars()
            .filter(|c| !c.is_control())
            .take(MOST_WORDS)
            .collect();
        if words.is_empty() {
            "a condition is not met; Cobot does not say which".to_owned()
        } else {
            words
        }
    }
}

fn errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Errors {
        New(Vec<New>),
        Old(BTreeMap<String, Vec<String>>),
        Other(serde::de::IgnoredAny),
    }
    #[derive(Deserialize)]
    struct New {
        detail: Option<String>,
        title: Option<String>,
    }
    Ok(match Errors::deserialize(deserializer)? {
        Errors::New(all) => all.into_iter().filter_map(|it| it.detail.or(it.title)).collect(),
        Errors::Old(all) => all
            .into_iter()
            .flat_map(|(field, texts)| {
                texts.into_iter().map(move |text| {
                    if field == "base" {
                        text
                    } else {
                        format!("{field} {text}")
                    }
                })
            })
            .collect(),
        Errors::Other(_) => Vec::new(),
    })
}
