//! Card numbers in a member's custom property: read, changed, and written back whole. That the property can be written so
//! is inferred (facts: platforms.md 1.2, 4.3): `PUT /members/{id}` takes `properties`, and whether it replaces them all is not
//! documented, so all that were there are sent along.

use super::{auth::Purpose, client::Client, facts, rows};
use crate::{
    domain::{Credential, PersonId},
    platform::{ErrorKind, PlatformError, cards},
};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Gives or takes a card.
pub(super) async fn change(
    client: &Client,
    person: &PersonId,
    credential: &Credential,
    give: bool,
) -> Result<(), PlatformError> {
    let config = client.config();
    let Some(row) = client.object("members", person.as_str()).await? else {
        let text = format!(
            "{} knows no member {person}; the card is not changed there",
            client.place()
        );
        return Err(PlatformError::new(ErrorKind::Rejected { status: 404 }, text));
    };
    let before = rows::card_text(&row, &config.card_property).unwrap_or_default();
    let ours = |part: &&str| cards::read(part, config.cards).is_ok_and(|read| read == *credential);
    let held = facts::parts(&before, config.cards).any(|part| ours(&part));
    if held == give {
        return Ok(());
    }
    let mut numbers: Vec<String> = facts::parts(&before, config.cards)
        .filter(|part| !ours(part))
        .map(str::to_owned)
        .collect();
    if give {
        let text = cards::write(credential, config.cards).unwrap_or_else(|| credential.reveal_in_full());
        numbers.push(text);
    }
    let mut properties: Map<String, Value> = row
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let between = if config.cards == crate::config::model::CardText::Wiegand26 {
        "; "
    } else {
        ", "
    };
    properties.insert(config.card_property.clone(), json!(numbers.join(between)));
    let what = "write a card number (PUT /members/…)";
    let path = ["members", person.as_str()];
    let body = json!({"properties": properties});
    client
        .write(Purpose::Cards, Method::PUT, &path, &body, what)
        .await?;
    Ok(())
}

/// Refuses a card that another member holds, as far as was read.
pub(super) fn free(
    rows: &rows::Rows,
    client: &Client,
    person: &PersonId,
    credential: &Credential,
) -> Result<(), PlatformError> {
    let format = client.config().cards;
    let holds = |row: &rows::Member| {
        let (found, _) = facts::credentials(row.cards.as_deref().unwrap_or_default(), format);
        found.contains(credential)
    };
    let other = rows
        .members
        .iter()
        .find(|(id, row)| id.as_str() != person.as_str() && holds(row));
    let Some((id, row)) = other else {
        return Ok(());
    };
    let text = format!(
        "{} ({id}) holds this card at {}; take it from them there first",
        row.name,
        client.place()
    );
    Err(PlatformError::new(ErrorKind::Rejected { status: 409 }, text))
}
