//! What may help with a card that nobody holds, or that two people do. Hints only: none of them opens anything.

use crate::{
    access::{Cousin, Index, Likeness},
    cli::people::Cards,
    domain::{Credential, Scheme},
    rules::Outcome,
};

/// More cards than this that look alike help nobody.
const MOST: usize = 3;

/// Hints about a card that is not known, the likeliest first.
pub(super) fn about(index: &Index, unknown: &Credential) -> Vec<String> {
    let mut hints: Vec<String> = index
        .cousins(unknown, MOST)
        .iter()
        .map(|cousin| alike(index, cousin))
        .collect();
    if unknown.is_random_uid() {
        hints.push(
            "a UID of 4 bytes that begins with 08 or 80 is a random one: a phone, or a card that makes a new number at \
             every presentation and cannot be enrolled by it"
                .to_owned(),
        );
    }
    if unknown.scheme() == Scheme::KsTag {
        hints.push(
            "a reader never sends the number that SALTO KS shows for a tag: look the card up by its uid:"
                .to_owned(),
        );
    }
    hints
}

/// Who has a card that two people have (R34).
pub(super) fn holders(outcome: &Outcome, card: &Credential) -> String {
    let all = Cards::of(outcome).holders(card).join(" and ");
    format!("it belongs to {all}: take it from all but one, at the platform or with `doorward cards`")
}

fn alike(index: &Index, cousin: &Cousin) -> String {
    let holder = cousin.person.and_then(|person| index.person(person));
    let holder = holder.map_or("nobody alone".to_owned(), |holder| {
        if holder.name.is_empty() {
            holder.id.to_owned()
        } else {
            format!("{} ({})", holder.name, holder.id)
        }
    });
    let known = format!("{}, held by {holder}", cousin.credential);
    match cousin.likeness {
        Likeness::Reversed => format!(
            "the same number, last byte first, is known: {known}. If the reader sends it backwards, set \
             card_format = \"uid-reversed\" at the reader (or \"uid\" if it is set already)"
        ),
        Likeness::OtherScheme => format!(
            "the same number is known as another kind of card: {known}. Look at card_format of the reader, or how the \
             platform writes the number"
        ),
        Likeness::Part => format!(
            "one number is a part of the other: {known}. The reader may send only a part of the card's number; set it \
             to send the whole UID"
        ),
    }
}
