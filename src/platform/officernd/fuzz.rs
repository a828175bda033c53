//! For [`crate::fuzzing`]: any answer of OfficeRnD's, and any web hook, down to facts.

use super::{
    facts::{Site, Span, facts},
    hooks,
    rows::{self, Rows},
};
use crate::{
    config::model::CardText,
    domain::{Moment, secret::Secret},
    platform::{Hook, polled},
};
use jiff::tz::TimeZone;
use serde_json::Value;

/// The body is a row, or a list of rows; the first byte chooses of which collection.
pub(crate) fn answer(data: &[u8]) {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let list = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(list)) => list,
        Ok(row) => vec![row],
        Err(_) => return hook(body),
    };
    let mut all = Rows::default();
    for row in &list {
        let id = rows::id(row).unwrap_or_default();
        macro_rules! put {
            ($($number:literal $field:ident $read:expr),*) => { match which % 11 {
                $($number => if let Ok(made) = $read { all.$field.insert(id, made); },)*
                _ => if let Ok((from, made)) = rows::booking(row) { all.bookings.insert((id, from), made); },
            } };
        }
        put!(
            0 members rows::member(row, "CardNumber"),
            1 companies rows::named(row),
            2 memberships rows::membership(row),
            3 plans rows::named(row),
            4 resources rows::resource(row),
            5 floors rows::floor(row),
            6 locations rows::location(row),
            7 assignments rows::assignment(row),
            8 passes rows::pass(row),
            9 check_ins rows::check_in(row)
        );
    }
    let site = Site {
        location: None,
        cards: CardText::Auto,
        zone: TimeZone::UTC,
    };
    let (facts, problems) = facts(all, &site, Span::around(0, 14), 0);
    let _ = polled::settle(facts, problems, None, "OfficeRnD");
    hook(body);
}

fn hook(body: &[u8]) {
    let hook = Hook {
        headers: &[],
        body,
        now: Moment::trusted(0),
    };
    let _ = hooks::hear(&hook, Some(&Secret::new("secret".into())));
}
