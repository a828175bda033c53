//! For [`crate::fuzzing`]: any row of Spacebring's, and any web hook, down to facts.

use super::{
    facts::{Draft, Site},
    hooks,
    model::{Balance, Booking, Location},
};
use crate::{
    config::model::CardText,
    domain::Moment,
    platform::{Hook, polled},
};
use serde_json::Value;

/// The body is a row, or a list of rows; the first byte chooses of which list.
pub(crate) fn answer(data: &[u8]) {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let list = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(list)) => list,
        Ok(row) => vec![row],
        Err(_) => return hook(body),
    };
    let site = Site {
        location: "loc-1".into(),
        card_key: "cardNumber".into(),
        cards: CardText::Auto,
    };
    let mut draft = Draft::new(&site, 0);
    for (index, row) in list.into_iter().enumerate() {
        one(&mut draft, which % 8, index, row);
    }
    let (facts, problems, ..) = draft.finish();
    let _ = polled::settle(facts, problems, None, "Spacebring");
    hook(body);
}

fn one(draft: &mut Draft<'_>, which: u8, index: usize, row: Value) {
    match which {
        0 => drop(draft.row("plans", index, row).map(|row| draft.plan(row))),
        1 => drop(draft.row("teams", index, row).map(|row| draft.company(row))),
        2 => drop(
            draft
                .row("people", index, row)
                .map(|row| draft.member(index, row)),
        ),
        3 => drop(
            draft
                .row("resources", index, row)
                .map(|row| draft.resource(index, row)),
        ),
        4 => drop(
            draft
                .row("memberships", index, row)
                .map(|row| draft.subscription(row)),
        ),
        5 => drop(
            draft
                .row("bookings", index, row)
                .map(|row: Booking| draft.booking(row, false)),
        ),
        6 => drop(
            draft
                .row("passes", index, row)
                .map(|row: Balance| draft.passes("m-1", false, &[row])),
        ),
        _ => drop(
            draft
                .row("locations", index, row)
                .map(|row: Location| draft.location(&row, "Europe/Madrid")),
        ),
    }
}

fn hook(body: &[u8]) {
    let hook = Hook {
        headers: &[],
        body,
        now: Moment::trusted(0),
    };
    let _ = hooks::heard(&hook, None, "loc-1");
}
