//! What each rule says in one line, for people who are told a number. `docs/rules.md` is where the rules stand; a test
//! keeps the two together.

/// The rules that a grant or a refusal may name, and what each says: a clause that goes on after "R1: ".
const WORDS: [(u8, &str); 44] = [
    (1, "a plan gives its holder the groups that it is mapped to"),
    (2, "not before it starts"),
    (
        3,
        "until the end of its last day, or of the day that it was cancelled to",
    ),
    (4, "unpaid invoices do not matter"),
    (5, "a deactivated person is blocked, whatever else is said"),
    (6, "what names no person is the whole team's"),
    (7, "a change of plan leaves no moment with neither"),
    (8, "a plan that is not mapped opens nothing"),
    (9, "an assigned desk or office opens its own groups"),
    (
        10,
        "an assigned desk or office opens the groups of its floor and location as well",
    ),
    (11, "groups given by hand need no plan and no pass"),
    (12, "a booking of a mapped room opens its groups"),
    (13, "a room opens some minutes before its booking and after it"),
    (14, "people invited to a booking get in as well"),
    (15, "a booked resource opens in its window only"),
    (16, "a booking that is deleted or moved takes its right along"),
    (
        17,
        "a desk opens for its booking, or as long as its schedule says",
    ),
    (18, "windows may cross midnight and a change of the clocks"),
    (19, "a booking that is not confirmed opens nothing"),
    (20, "a pass opens the groups of its kind while one is left"),
    (21, "a pass opens in the hours of its kind"),
    (22, "without a pass left, a plan that needs passes opens nothing"),
    (
        23,
        "a pass in use opens until it has run out, also when it was the last",
    ),
    (24, "the platform says which pass is used first"),
    (25, "a pass may be given back when a longer one takes its place"),
    (26, "one pass at a time"),
    (27, "an entry becomes a check-in"),
    (28, "no second check-in while one runs"),
    (29, "nobody is checked out by a door"),
    (30, "a check-in that fails does not undo the opening"),
    (31, "whether doors are meant for this person at all"),
    (
        32,
        "who has no use of doors may be switched off where people cost a licence",
    ),
    (33, "rights are taken away, people are never deleted"),
    (34, "a card of two people opens for neither"),
    (35, "people are known by their id, never by their e-mail address"),
    (36, "only what belongs to this location counts"),
    (37, "groups of the platform are the platform's alone"),
    (38, "groups that are not the platform's are left alone"),
    (39, "what is changed at the doors does not change the platform"),
    (40, "a group opens in its hours only"),
    (41, "any open right opens, losing one leaves the rest"),
    (42, "a change reaches the doors by a hint, or at the next poll"),
    (43, "every right names the object that it comes from"),
    (44, "entries are kept as a record"),
];

/// What a rule says in a few words; empty for a number that no rule has.
#[must_use]
pub fn words(rule: u8) -> &'static str {
    let found = WORDS.iter().find(|(number, _)| *number == rule);
    found.map_or("", |(_, words)| words)
}

/// `R1: a plan gives …`, or the number alone.
#[must_use]
pub fn cited(rule: u8) -> String {
    match words(rule) {
        "" => format!("R{rule}"),
        words => format!("R{rule}: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The numbers in the first column of a table: `| R15, R16 | …`.
    fn documented() -> BTreeSet<u8> {
        let page = include_str!("../../docs/rules.md");
        page.lines()
            .filter_map(|line| line.strip_prefix("| R"))
            .filter_map(|line| line.split('|').next())
            .flat_map(|cell| {
                cell.split(',')
                    .map(|rule| rule.trim().trim_start_matches('R').to_owned())
            })
            .filter_map(|rule| rule.parse().ok())
            .collect()
    }

    #[test]
    fn every_rule_of_the_documents_has_words_and_none_stands_twice() {
        let known: BTreeSet<u8> = WORDS.iter().map(|(rule, _)| *rule).collect();
        assert_eq!(known.len(), WORDS.len());
        let missing: Vec<u8> = documented().difference(&known).copied().collect();
        assert!(
            missing.is_empty(),
            "rules of docs/rules.md without words here: {missing:?}"
        );
        assert!(documented().len() > 20, "the table was not understood");
        for (rule, words) in WORDS {
            assert!(
                !words.ends_with('.') && words.len() < 90,
                "R{rule}: a short clause without a full stop"
            );
        }
        assert_eq!(cited(99), "R99");
    }
}
