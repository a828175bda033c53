//! Card numbers in a membership's metadata: read, changed and written whole. The platform has no field for cards and no
//! way to change one key alone, so the rest of the metadata and the role go back as they came.

use super::{
    client::{Client, MEMBERSHIPS},
    facts::{Site, card_texts},
};
use crate::{
    domain::{Credential, PersonId},
    platform::{ErrorKind, PlatformError, cards},
};
use serde_json::{Map, Value, json};

/// Gives a card to a person (`add`), or takes it away. Doing so twice changes nothing.
pub(super) async fn change(
    client: &Client,
    site: &Site,
    person: &PersonId,
    card: &Credential,
    add: bool,
) -> Result<(), PlatformError> {
    let id = person.as_str();
    let row: Option<Map<String, Value>> = client.object(&MEMBERSHIPS, &[id], Some("membership")).await?;
    let Some(row) = row else {
        let text = format!(
            "{} has no membership {id}; it may have been deleted there",
            client.http.place()
        );
        return Err(PlatformError::new(ErrorKind::Rejected { status: 404 }, text));
    };
    let mut metadata = match row.get("metadata") {
        Some(Value::Object(metadata)) => metadata.clone(),
        _ => Map::new(),
    };
    let mut texts = card_texts(metadata.get(&site.card_key));
    let is_it = |text: &String| cards::read(text, site.cards).is_ok_and(|held| held == *card);
    if texts.iter().any(is_it) == add {
        return Ok(());
    }
    if add {
        nobody_else(client, site, id, card).await?;
        texts.push(cards::write(card, site.cards).unwrap_or_else(|| card.reveal_in_full().to_string()));
    } else {
        texts.retain(|text| !is_it(text));
    }
    // An empty text rather than no key: whether a key that is left out is removed, the platform does not say.
    metadata.insert(site.card_key.clone(), Value::String(texts.join(", ")));
    let role = row.get("role").and_then(Value::as_str).unwrap_or("member");
    let body = json!({ "membership": { "metadata": metadata, "role": role } });
    client.replace(&MEMBERSHIPS, id, &body).await
}

/// A card is held by one person at most (R34).
async fn nobody_else(client: &Client, site: &Site, id: &str, card: &Credential) -> Result<(), PlatformError> {
    let mut holder: Option<String> = None;
    let here = [("locationRef", site.location.as_str())];
    client
        .list(&MEMBERSHIPS, &here, |_, row| {
            let metadata = row
                .get("metadata")
                .and_then(|metadata| metadata.get(&site.card_key));
            let held = card_texts(metadata);
            let held = held
                .iter()
                .any(|text| cards::read(text, site.cards).is_ok_and(|held| held == *card));
            let other = row.get("id").and_then(Value::as_str).filter(|other| *other != id);
            if let (true, Some(other)) = (held, other) {
                holder = Some(other.to_owned());
            }
        })
        .await?;
    match holder {
        None => Ok(()),
        Some(other) => {
            let text = format!(
                "membership {other} at {} holds this card already; take it away there first",
                client.http.place()
            );
            Err(PlatformError::new(ErrorKind::Rejected { status: 409 }, text))
        }
    }
}
