//! Cards given to and taken from a customer at Nexudus. The whole record is read, one field changed, and all of it
//! written back: a change there replaces the record, and other numbers in the field are other people's keys.

use super::{
    api::{self, Api},
    facts::Space,
    model::Coworker,
    people,
};
use crate::{
    domain::{Credential, PersonId},
    platform::{ErrorKind, PlatformError, cards},
};
use reqwest::Method;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// The fields.
const CARDS: &str = "AccessCardId";
const FOB: &str = "KeyFobNumber";

/// One change at a time: two at once would each write back what the other changed.
#[derive(Debug, Default)]
pub(super) struct Turn(Mutex<()>);

type Record = Map<String, Value>;

fn rejected(status: u16, text: String) -> PlatformError {
    PlatformError::new(ErrorKind::Rejected { status }, text)
}

async fn record(api: &Api, person: &PersonId) -> Result<Record, PlatformError> {
    let unknown = || rejected(404, format!("Nexudus has no customer {person}"));
    let id: u64 = person.as_str().parse().map_err(|_| unknown())?;
    api.one::<Record>(api::COWORKERS, id).await?.ok_or_else(unknown)
}

fn field<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.get(name).and_then(Value::as_str)
}

fn row(record: &Record) -> Coworker {
    Coworker {
        access_card_id: field(record, CARDS).map(str::to_owned),
        key_fob_number: field(record, FOB).map(str::to_owned),
        ..Coworker::default()
    }
}

async fn write(api: &Api, record: &Record) -> Result<(), PlatformError> {
    let written = api.write(Method::PUT, api::COWORKERS, record).await?;
    if written.was_successful {
        return Ok(());
    }
    let text = format!(
        "{} refused the change of a customer's cards: {}",
        api.http.place(),
        written.words()
    );
    Err(rejected(422, text))
}

/// Adds a card to a customer's numbers.
pub(super) async fn assign(
    api: &Api,
    space: &Space,
    turn: &Turn,
    person: &PersonId,
    card: &Credential,
) -> Result<(), PlatformError> {
    let _turn = turn.0.lock().await;
    let mut record = record(api, person).await?;
    if people::cards(&row(&record), space.cards).0.contains(card) {
        return Ok(());
    }
    if let Some(holder) = holder(api, space, card).await? {
        return Err(rejected(
            409,
            format!("customer {holder} holds this card at Nexudus; take it from them first"),
        ));
    }
    let text = people::with(field(&record, CARDS), card, space.cards);
    record.insert(CARDS.to_owned(), Value::String(text));
    write(api, &record).await
}

/// Takes a card from a customer's numbers.
pub(super) async fn remove(
    api: &Api,
    space: &Space,
    turn: &Turn,
    person: &PersonId,
    card: &Credential,
) -> Result<(), PlatformError> {
    let _turn = turn.0.lock().await;
    let mut record = record(api, person).await?;
    let mut changed = false;
    for name in [CARDS, FOB] {
        if let Some(text) = people::without(field(&record, name), card, space.cards) {
            record.insert(name.to_owned(), Value::String(text));
            changed = true;
        }
    }
    if changed {
        write(api, &record).await
    } else {
        Ok(())
    }
}

/// Who holds a card, as far as Nexudus' search finds it: by the number as this gateway would write it. What it does not
/// find, the next fetch does, and the card opens for neither (R34).
async fn holder(api: &Api, space: &Space, card: &Credential) -> Result<Option<u64>, PlatformError> {
    let number = cards::write(card, space.cards).unwrap_or_else(|| card.reveal_in_full());
    let query = [("Coworker_AccessCardId", number)];
    let found: Vec<Coworker> = api.all(api::COWORKERS, &query, |row| row).await?;
    let holds = |row: &&Coworker| people::cards(row, space.cards).0.contains(card);
    Ok(found.iter().find(holds).map(|row| row.id))
}
