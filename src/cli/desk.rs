//! What `enrol` and `cards` share: the desk of the running gateway.

use super::{
    Context,
    client::{Client, ClientError},
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone, plain},
};
use crate::{
    config::Config,
    daemon::desk_routes::{Ask, CardRef, Target},
    desk::{
        Change, Held, Hit, Look,
        answers::{AtPlatform, RefusedAt},
    },
    domain::PersonId,
};
use serde::de::DeserializeOwned;
use std::fmt;

/// A card number as typed. It is read by the command and not by the parser of the command line, which would repeat
/// the whole of a mistyped one.
#[derive(Clone)]
pub struct CardArg(pub(super) String);

impl From<&str> for CardArg {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
impl fmt::Debug for CardArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardArg(…)")
    }
}

impl CardArg {
    pub(super) fn reference(&self) -> CardRef {
        CardRef(self.0.clone())
    }

    pub(super) fn target(&self) -> Target {
        Target::Card(self.reference())
    }
}

/// The desk of the running gateway.
pub(super) struct Remote {
    client: Client,
    runtime: tokio::runtime::Runtime,
    pub(super) config: Config,
    /// Who acts.
    pub(super) by: String,
}

impl Remote {
    /// Of the site of the configuration. `by`: who acts, if it is not the user of the system.
    pub(super) fn new(context: &Context<'_>, by: Option<&str>) -> Result<Self, Failure> {
        let config = context.config_as_far_as_it_goes()?;
        Ok(Self {
            client: Client::new(&config.runtime_dir),
            runtime: context.runtime()?,
            by: by.map_or_else(user, str::to_owned),
            config,
        })
    }

    /// Asks.
    pub(super) fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, ClientError> {
        let document = serde_json::to_value(ask).map_err(|error| ClientError::Strange(error.to_string()))?;
        let action = document.get("action").and_then(|action| action.as_str());
        let path = format!("/v1/cards/{}", action.unwrap_or_default());
        self.runtime.block_on(self.client.tell(&path, &document))
    }

    /// Exactly one person: by id, e-mail or full name, or the only one that is found by it.
    pub(super) fn person(&self, text: &str) -> Result<Hit, Failure> {
        let exactly = self.ask(&Ask::Person {
            text: text.to_owned(),
        });
        let refused = match exactly {
            Ok(hit) => return Ok(hit),
            Err(ClientError::Refused(refused)) => refused,
            Err(other) => return Err(other.into()),
        };
        let mut found: Vec<Hit> = self.ask(&Ask::Search {
            query: text.to_owned(),
            most: 10,
        })?;
        if found.len() == 1
            && let Some(only) = found.pop()
        {
            return Ok(only);
        }
        let names: Vec<String> = found
            .iter()
            .map(|hit| format!("  {}", plain(&described(hit))))
            .collect();
        let failure = if found.is_empty() {
            Failure::new(status::FAILED, refused.message, refused.hint)
        } else {
            let message = format!("{} people are found by `{}`", found.len(), text.escape_debug());
            Failure::new(status::FAILED, message, "name one by id or e-mail").with_details(names.join("\n"))
        };
        Err(failure)
    }
}

/// Who runs this, as the system knows them.
fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {uid}"))
}

/// A person in one line.
pub(super) fn described(hit: &Hit) -> String {
    let mut text = hit.name.clone();
    for more in [&hit.email, &hit.company] {
        if !more.is_empty() {
            text = format!("{text}, {more}");
        }
    }
    let cards = match hit.cards {
        0 => "no card".to_owned(),
        1 => "1 card".to_owned(),
        n => format!("{n} cards"),
    };
    format!("{text} ({cards}; id {})", hit.id)
}

pub(super) const fn at_platform(state: AtPlatform) -> &'static str {
    match state {
        AtPlatform::Agrees => "",
        AtPlatform::Waiting => "the platform will be told",
        AtPlatform::Told => "the platform was told",
        AtPlatform::Unseen => "the platform was told and does not show it",
        AtPlatform::Refused => "the platform refused: see `doorward cards conflicts`",
        AtPlatform::KeptHere => "kept at this gateway",
    }
}

/// What was done.
pub(super) fn show_change(out: &mut Out, change: &Change) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(change)?;
        return Ok(status::OK);
    }
    let message = out.paint(Tone::Good, &plain(&change.message));
    let state = at_platform(change.platform);
    let state = if state.is_empty() {
        String::new()
    } else {
        format!("; {state}")
    };
    out.line(&format!("{}: {message}{state}", change.card))?;
    for warning in &change.warnings {
        let text = out.paint(Tone::Watch, &plain(warning));
        out.line(&text)?;
    }
    Ok(status::OK)
}

/// A card that somebody holds in their hand.
pub(super) fn show_look(out: &mut Out, look: &Look, config: &Config, now: i64) -> Result<(), Failure> {
    let when = |at: i64| moment::local_and_age(at, &config.site.zone, now);
    let mut rows: Vec<(String, String, Tone)> = Vec::new();
    match look.holders.as_slice() {
        [] => rows.push(("holder".into(), "nobody: a new card".into(), Tone::Watch)),
        all => rows.extend(
            all.iter()
                .map(|held| ("holder".into(), holder(held, &when), Tone::Good)),
        ),
    }
    if look.holders.len() > 1 {
        rows.push((
            "".into(),
            "of several people, so it opens for none".into(),
            Tone::Bad,
        ));
    }
    if let Some(blocked) = &look.blocked {
        let since = if blocked.since > 0 {
            when(blocked.since)
        } else {
            "some time ago".into()
        };
        let who = if blocked.by.is_empty() {
            String::new()
        } else {
            format!(" by {}", blocked.by)
        };
        let what = if blocked.person {
            "the person is"
        } else {
            "the card is"
        };
        rows.push((
            "blocked".into(),
            format!("{what} blocked since {since}{who}: {}", blocked.note),
            Tone::Bad,
        ));
    }
    if let Some(unfit) = &look.unfit {
        rows.push(("unfit".into(), unfit.clone(), Tone::Bad));
    }
    if let Some(RefusedAt { at, door, words, .. }) = &look.refused {
        rows.push((
            "refused".into(),
            format!("{} at {door}: {words}", when(*at)),
            Tone::Plain,
        ));
    }
    if let Some(state) = look.platform {
        rows.push(("platform".into(), at_platform(state).into(), Tone::Plain));
    }
    for alike in &look.alike {
        let doubt = if alike.lossy { ", or another card" } else { "" };
        rows.push((
            "alike".into(),
            format!("{} of {} ({}{doubt})", alike.card, alike.name, alike.format),
            Tone::Watch,
        ));
    }
    let rows = rows
        .into_iter()
        .map(|(key, value, tone)| vec![Cell(key, Tone::Faint), Cell(plain(&value).into_owned(), tone)]);
    out.line(&look.card)?;
    out.table(&[], rows.collect())
}

fn holder(held: &Held, when: &impl Fn(i64) -> String) -> String {
    let mut text = held.name.clone();
    if !held.company.is_empty() {
        text = format!("{text}, {}", held.company);
    }
    if let Some(since) = held.since {
        text = format!("{text}, since {}", when(since));
    }
    if !held.by.is_empty() {
        text = format!("{text} (by {})", held.by);
    }
    if let Some(until) = held.until {
        text = format!("{text}, until {}", when(until));
    }
    text
}

/// Whom a card is to be taken from, if it is somebody's: shown, and confirmed by `yes` or at the terminal.
pub(super) fn confirmed_holder(
    look: &Look,
    to: &Hit,
    yes: bool,
    out: &mut Out,
    ask: impl FnOnce(&mut Out) -> Result<bool, Failure>,
) -> Result<Option<PersonId>, Failure> {
    let Some(first) = look.holders.iter().find(|held| held.person != to.id) else {
        return Ok(None);
    };
    if yes || ask(out)? {
        return Ok(Some(first.person.as_str().into()));
    }
    let names: Vec<&str> = look.holders.iter().map(|held| held.name.as_str()).collect();
    let message = format!("the card is {}'s", names.join(" and "));
    let hint = format!("`doorward cards move` with --yes gives it to {}", to.name);
    Err(Failure::new(status::FAILED, message, hint))
}
