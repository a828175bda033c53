//! For [`crate::fuzzing`]: any answer of Nexudus', and any push of its access control, down to facts.

use super::{
    acs, facts,
    facts::{Setup, Space},
    hooks, hours,
    model::{Bookable, CheckedIn, Contract, Coworker, HeldPass, Item, Page, Reserved, Slot},
};
use crate::{
    config::model::CardText,
    domain::{Moment, facts::Facts, secret::Secret},
    platform::{Hook, polled},
};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// A page of records. The first byte chooses of which entity; the last kind is what Nexudus sends by itself.
pub(crate) fn answer(data: &[u8]) {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let space = Space {
        business: 1_414,
        zone: TimeZone::UTC,
        cards: CardText::Auto,
    };
    let setup = Setup::default();
    let (mut made, mut problems) = (Facts::default(), Vec::new());
    match which % 8 {
        0 => {
            for (index, row) in rows::<Coworker>(body).iter().enumerate() {
                made.people.push(facts::person(row, index, &space, &mut problems));
            }
        }
        1 => {
            for row in rows::<Contract>(body) {
                let spans = facts::spans(&row, &[], &space);
                made.memberships
                    .extend(facts::memberships(&row, &spans, &setup, &space));
            }
        }
        2 => {
            let items = rows::<Item>(body);
            made.resources = facts::resources(&items, &[], &space);
            for item in &items {
                made.assignments.extend(facts::assignments(item, &HashMap::new()));
            }
        }
        3 => made.resources = facts::resources(&[], &rows::<Bookable>(body), &space),
        4 => {
            for (index, row) in rows::<Reserved>(body).iter().enumerate() {
                made.bookings
                    .extend(facts::bookings(row, index, &[], |_| true, &mut problems));
            }
        }
        5 => {
            for row in rows::<HeldPass>(body) {
                made.passes.extend(facts::passes(&row, &[], &setup, &space));
            }
        }
        6 => {
            for row in rows::<CheckedIn>(body) {
                let _ = facts::check_in_end(&row, Some(60), &space.zone);
            }
            let _ = hours::week(301, &rows::<Slot>(body));
        }
        _ => sent(body),
    }
    let _ = polled::settle(made, problems, None, "Nexudus");
}

fn rows<T: DeserializeOwned>(body: &[u8]) -> Vec<T> {
    serde_json::from_slice::<Page<T>>(body)
        .map(|page| page.records)
        .unwrap_or_default()
}

fn sent(body: &[u8]) {
    if let Some(push) = acs::Push::read(body) {
        let _ = (push.made(), push.is_for(1_414));
    }
    let senders = hooks::Senders {
        hook_secret: Some(Secret::new("secret".into())),
        acs_token: Some(Secret::new("token".into())),
        business: 1_414,
    };
    let authorised = [("authorization".to_owned(), "Bearer token".to_owned())];
    for headers in [&authorised[..], &[]] {
        let hook = Hook {
            headers,
            body,
            now: Moment::trusted(0),
        };
        let _ = hooks::hear(&senders, &hook);
    }
}
