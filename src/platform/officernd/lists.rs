//! Lists: page after page of 50 by cursor (facts: platforms.md 4.2). A page that comes again, or does not hold as many
//! rows as it says, spoils the whole list (invariant 4).

use super::client::Client;
use crate::{domain::Millis, platform::PlatformError};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::HashSet, fmt};

/// The most that the platform gives at once.
const PAGE: &str = "50";
/// Rows of one collection. A site with ten times the largest that is measured.
const MOST_ROWS: usize = 500_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    range_start: Option<i64>,
    range_end: Option<i64>,
    cursor_next: Option<String>,
    results: Vec<Value>,
}

/// What was asked of a list, and what it came to.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Rows, none twice.
    pub(super) rows: usize,
    pub(super) pages: usize,
    /// The server's time when it began.
    pub(super) began: Option<Millis>,
}

/// Hands every row of a list to `take`.
pub(super) async fn each(
    client: &Client,
    path: &[&str],
    query: &[(&str, String)],
    mut take: impl FnMut(Value),
) -> Result<Listed, PlatformError> {
    let name = path.join("/");
    let what = format!("read {name} (GET /{name})");
    let mut listed = Listed::default();
    let mut cursors = HashSet::new();
    let mut seen = HashSet::new();
    let mut ranges = Ranges::default();
    let mut cursor: Option<String> = None;
    loop {
        let mut asked = vec![("$limit", PAGE.to_owned())];
        asked.extend(query.iter().map(|(key, value)| (*key, value.clone())));
        if let Some(cursor) = cursor.take() {
            asked.push(("$cursorNext", cursor));
        }
        let (page, date): (Page, _) = client.get(path, &asked, &what).await?;
        listed.pages += 1;
        listed.began = listed.began.or(date);
        let number = listed.pages;
        let odd = |text: fmt::Arguments<'_>| {
            PlatformError::malformed(format_args!(
                "page {number} of {name} from {} is not usable: {text}; nothing is taken from it, and the doors go on with the last complete facts",
                client.place()
            ))
        };
        ranges.check(&page).map_err(|text| odd(format_args!("{text}")))?;
        let before = listed.rows;
        let rows = page.results.len();
        for row in page.results {
            // A row may stand at a seam twice when something moved meanwhile.
            if seen.insert(key(&row)) {
                listed.rows += 1;
                take(row);
            }
        }
        if rows > 0 && listed.rows == before {
            return Err(odd(format_args!("every row of it was on an earlier page")));
        }
        if listed.rows > MOST_ROWS {
            return Err(odd(format_args!("there are more than {MOST_ROWS} rows")));
        }
        match page.cursor_next.filter(|cursor| !cursor.is_empty()) {
            None => return Ok(listed),
            Some(next) if rows == 0 => {
                let _ = next;
                return Err(odd(format_args!("it is empty and still leads to a next page")));
            }
            Some(next) if !cursors.insert(next.clone()) => {
                return Err(odd(format_args!("its cursor leads back to an earlier page")));
            }
            Some(next) => cursor = Some(next),
        }
    }
}

/// What makes a row the same one. Occurrences of a booking share its id.
fn key(row: &Value) -> String {
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    format!("{}@{}", text("_id"), text("start"))
}

/// How the ranges of a list go on.
#[derive(Debug, Default)]
struct Ranges {
    /// Whether the first row counts as 0, and a range ends before its last number; or as 1, with the last one in it.
    /// The first page shows it; no documentation says.
    from_nought: Option<bool>,
    end: i64,
}

impl Ranges {
    /// Compares a page's range with its rows, and with the end of the page before.
    fn check(&mut self, page: &Page) -> Result<(), String> {
        let (Some(start), Some(last)) = (page.range_start, page.range_end) else {
            return Ok(());
        };
        let rows = i64::try_from(page.results.len()).unwrap_or(i64::MAX);
        let from_nought = *self.from_nought.get_or_insert(start <= 0);
        let says = last.saturating_sub(start).saturating_add(i64::from(!from_nought));
        let empty = rows == 0 && last <= start;
        if says != rows && !empty {
            return Err(format!(
                "it holds {rows} rows and says that it is {start} to {last}"
            ));
        }
        // What came in before the cursor meanwhile moves the count on; a gap of a whole page is no such thing.
        if start > self.end.saturating_add(1).saturating_add(rows) {
            return Err(format!(
                "it begins at {start}, and the page before ended at {}",
                self.end
            ));
        }
        self.end = last;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(pages: &[(i64, i64, usize)]) -> Result<(), String> {
        let mut ranges = Ranges::default();
        for (start, last, rows) in pages {
            ranges.check(&Page {
                range_start: Some(*start),
                range_end: Some(*last),
                cursor_next: None,
                results: vec![json!({}); *rows],
            })?;
        }
        Ok(())
    }

    #[test]
    fn a_range_that_counts_from_nought_or_one_fits_and_one_that_lacks_a_row_does_not() {
        assert_eq!(check(&[(1, 50, 50), (51, 70, 20)]), Ok(()));
        assert_eq!(check(&[(0, 50, 50), (50, 70, 20)]), Ok(()));
        assert_eq!(check(&[(0, 0, 0)]), Ok(()));
        assert!(check(&[(1, 50, 49)]).is_err());
        assert!(check(&[(0, 50, 49)]).is_err());
        assert!(check(&[(1, 50, 50), (51, 70, 19)]).is_err());
        assert!(
            check(&[(1, 50, 50), (151, 200, 50)]).is_err(),
            "a hundred rows are missing between"
        );
    }
}
