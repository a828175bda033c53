//! The cards of a customer: several numbers in one text field, as staff entered them one by one (S0: "hit enter"), and
//! one more in `KeyFobNumber` (R34).

use super::model::Coworker;
use crate::{
    config::model::CardText,
    domain::{Credential, CredentialError},
    platform::cards,
};

/// What stands between two numbers.
const SEPARATORS: [char; 6] = [',', ';', ' ', '\n', '\r', '\t'];

/// The numbers of a field, as they stand there.
pub(super) fn numbers(field: Option<&str>) -> impl Iterator<Item = &str> {
    field
        .unwrap_or_default()
        .split(SEPARATORS)
        .map(str::trim)
        .filter(|number| !number.is_empty())
}

/// Every card that can be read, sorted, and why others cannot. A key fob number may be that of a metal key: one that is
/// no card is not worth a word.
pub(super) fn cards(row: &Coworker, format: CardText) -> (Vec<Credential>, Vec<CredentialError>) {
    let (mut cards, mut unreadable) = (Vec::new(), Vec::new());
    for number in numbers(row.access_card_id.as_deref()) {
        match cards::read(number, format) {
            Ok(card) => cards.push(card),
            Err(error) => unreadable.push(error),
        }
    }
    cards
        .extend(numbers(row.key_fob_number.as_deref()).filter_map(|number| cards::read(number, format).ok()));
    cards.sort_unstable();
    cards.dedup();
    (cards, unreadable)
}

/// The field with one number more. What stands there stays as it is.
pub(super) fn with(field: Option<&str>, card: &Credential, format: CardText) -> String {
    let number = cards::write(card, format).unwrap_or_else(|| card.reveal_in_full());
    match field.map(str::trim) {
        None | Some("") => number,
        Some(held) => format!("{held},{number}"),
    }
}

/// The field without a card. Every other number stays, also one that cannot be read. `None` when the card is not there.
pub(super) fn without(field: Option<&str>, card: &Credential, format: CardText) -> Option<String> {
    let is_it = |number: &&str| cards::read(number, format).is_ok_and(|read| read == *card);
    if !numbers(field).any(|number| is_it(&number)) {
        return None;
    }
    // Cut out with what stands behind it, so that the rest keeps its own separators.
    let mut rest = field.unwrap_or_default();
    let mut kept = String::new();
    while !rest.is_empty() {
        let end = rest.find(SEPARATORS).unwrap_or(rest.len());
        let (number, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let next = behind.find(|c| !SEPARATORS.contains(&c)).unwrap_or(behind.len());
        let (between, tail) = behind.split_at_checked(next).unwrap_or((behind, ""));
        if number.is_empty() || !is_it(&number) {
            kept.push_str(number);
            kept.push_str(between);
        }
        rest = tail;
    }
    Some(kept.trim_matches(SEPARATORS).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cards: &str, fob: &str) -> Coworker {
        Coworker {
            access_card_id: Some(cards.into()),
            key_fob_number: Some(fob.into()),
            ..Coworker::default()
        }
    }

    #[test]
    fn several_numbers_are_several_cards_however_they_are_separated() {
        for text in [
            "04A2B3C4,04A2B3C5",
            "04A2B3C4\n04A2B3C5",
            "04A2B3C4 ; 04A2B3C5",
            "04A2B3C5\r\n04A2B3C4",
        ] {
            let (cards, unreadable) = cards(&row(text, "brass 7"), CardText::Auto);
            let full: Vec<String> = cards.iter().map(Credential::reveal_in_full).collect();
            assert_eq!(full, ["uid:04A2B3C4", "uid:04A2B3C5"], "{text:?}");
            assert!(unreadable.is_empty());
        }
        let (cards, unreadable) = cards(&row("04A2B3C4, 1234", "04A2B3C4"), CardText::Auto);
        assert_eq!((cards.len(), unreadable.len()), (1, 1));
    }

    #[test]
    fn a_number_is_added_and_taken_away_and_no_other_is_lost() {
        let card: Credential = "uid:04A2B3C4".parse().unwrap();
        let format = CardText::Auto;
        assert_eq!(with(None, &card, format), "04A2B3C4");
        assert_eq!(with(Some("old 17"), &card, format), "old 17,04A2B3C4");
        let field = Some("old 17, 04:A2:B3:C4\n04A2B3C5");
        assert_eq!(without(field, &card, format).as_deref(), Some("old 17, 04A2B3C5"));
        assert_eq!(without(Some("04A2B3C5"), &card, format), None);
        let other: Credential = "ks:02309289".parse().unwrap();
        assert_eq!(with(Some("x"), &other, format), "x,ks:02309289");
    }
}
