//! Tables that staff export from a platform without an API (Coworks): `members.csv`, and `bookings.csv` and `passes.csv`
//! where there are any. docs/platforms/coworks.md describes them.
//!
//! A table that cannot be understood is refused whole. A single row that makes no sense is left out and named, as with
//! any platform: staff correct it there, and export again.

use super::{
    FileError, Source,
    columns::Item,
    dates::{self, Order, Read},
    headings::{Headings, Status, plain},
    tables::{self, Tables},
};
use crate::platform::{FactsProblem, cards};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// The tables that there can be, and what must be among their columns.
pub(super) const TABLES: [&str; 3] = ["members", "bookings", "passes"];
/// A site's own names.
pub(super) const COLUMNS: &str = "columns.toml";

/// What an export says, in the words of the facts file.
pub(super) struct Export {
    pub(super) tables: Tables,
    pub(super) problems: Vec<FactsProblem>,
}

/// A row with its cells by our names.
struct Row {
    line: usize,
    cells: HashMap<String, String>,
}

impl Row {
    fn cell(&self, name: &str) -> &str {
        self.cells.get(name).map_or("", |cell| cell.trim())
    }
}

/// Reads the tables of an export.
pub(super) fn read(sources: &[Source], errors: &mut Vec<FileError>) -> Export {
    let of = |name: &str| sources.iter().find(|source| source.collection == Some(name));
    let mut headings = of(COLUMNS).map_or_else(Headings::default, |source| {
        Headings::read(&source.path, &source.text, errors)
    });
    let mut rows: HashMap<&'static str, Vec<Row>> = HashMap::new();
    for table in TABLES {
        if let Some(source) = of(table) {
            rows.insert(table, self::rows(table, source, &headings, errors));
        }
    }
    if headings.order.is_none() {
        headings.order = order(sources, &rows, errors);
    }
    let mut reading = Reading {
        headings: &headings,
        tables: Tables::new(),
        problems: Vec::new(),
        table: "members",
        people: BTreeMap::new(),
        known: HashMap::new(),
    };
    for row in rows.remove("members").unwrap_or_default() {
        reading.member(&row);
    }
    reading.settle_people();
    reading.table = "bookings";
    for row in rows.remove("bookings").unwrap_or_default() {
        reading.booking(&row);
    }
    reading.table = "passes";
    for row in rows.remove("passes").unwrap_or_default() {
        reading.pass(&row);
    }
    Export {
        tables: reading.tables,
        problems: reading.problems,
    }
}

/// The file that an item of a collection came from.
pub(super) fn table_of(collection: &str) -> &'static str {
    match collection {
        "bookings" | "resources" => "bookings",
        "passes" => "passes",
        _ => "members",
    }
}

fn rows(table: &'static str, source: &Source, headings: &Headings, errors: &mut Vec<FileError>) -> Vec<Row> {
    let items = tables::csv(&source.path, &source.text, errors);
    let mut best: HashMap<&str, (usize, &str)> = HashMap::new();
    let first = items.first();
    for (heading, ..) in first.into_iter().flat_map(|item| &item.fields) {
        if let Some(ours) = headings.ours(table, heading) {
            let rank = headings.rank(table, heading);
            let slot = best.entry(ours).or_insert((rank, heading));
            if rank < slot.0 {
                *slot = (rank, heading);
            }
        }
    }
    if first.is_some() {
        for (any, words) in required(table) {
            if !any.iter().any(|name| best.contains_key(name)) {
                let text = format!(
                    "no column says {words}; name it in {COLUMNS} beside this file: [{table}] \"Its heading\" = \"{}\"",
                    any.first().unwrap_or(&"")
                );
                errors.push(FileError::new(&source.path, 1, text));
            }
        }
    }
    let one = |item: &Item| Row {
        line: item.line,
        cells: best
            .iter()
            .filter_map(|(ours, (_, heading))| {
                let (_, _, value) = item.fields.iter().find(|(name, ..)| name == heading)?;
                Some(((*ours).to_owned(), value.as_str()?.to_owned()))
            })
            .collect(),
    };
    items.iter().map(one).collect()
}

/// What a table is no use without: one of these columns, in words.
fn required(table: &str) -> &'static [(&'static [&'static str], &'static str)] {
    match table {
        "members" => &[
            (
                &["id", "email"],
                "who it is (a member id, or at least an e-mail address)",
            ),
            (&["name", "first", "last"], "the name"),
            (&["plan"], "the plan"),
            // Without it a deactivated member would look like any other.
            (
                &["status"],
                "whether a member is active, cancelled or deactivated",
            ),
        ],
        "bookings" => &[
            (&["resource"], "what is booked"),
            (&["person"], "who booked"),
            (&["from", "date"], "when it begins"),
        ],
        _ => &[(&["kind"], "the kind of pass"), (&["person"], "whose it is")],
    }
}

/// What `03/04/2026` means in this export, if any date in it can only be read in one way.
fn order(
    sources: &[Source],
    rows: &HashMap<&'static str, Vec<Row>>,
    errors: &mut Vec<FileError>,
) -> Option<Order> {
    const DATES: [&str; 5] = ["starts", "ends", "date", "from", "until"];
    let mut found: Option<Order> = None;
    let mut doubtful: Option<(&'static str, usize, String)> = None;
    for table in TABLES {
        for row in rows.get(table).into_iter().flatten() {
            for cell in DATES.map(|name| row.cell(name)) {
                match dates::proves(cell) {
                    Some(order) if found.is_some_and(|found| found != order) => {
                        doubtful = Some((
                            table,
                            row.line,
                            format!("{cell} and others cannot have one order of day and month"),
                        ));
                    }
                    Some(order) => found = Some(order),
                    None if dates::date(cell, None) == Read::Ambiguous
                        && found.is_none()
                        && doubtful.is_none() =>
                    {
                        doubtful = Some((table, row.line, format!("{cell} may be two different days")));
                    }
                    None => {}
                }
            }
        }
    }
    let contradicts = doubtful
        .as_ref()
        .is_some_and(|(.., text)| text.contains("cannot"));
    if let Some((table, line, text)) = doubtful.filter(|_| found.is_none() || contradicts) {
        let path = sources.iter().find(|source| source.collection == Some(table));
        let path = path.map_or(Path::new(""), |source| &source.path);
        let hint =
            format!("{text}; write dates = \"day-first\" or \"month-first\" into {COLUMNS} beside this file");
        errors.push(FileError::new(path, line, hint));
    }
    found
}

/// A member as all rows say.
#[derive(Default)]
struct Member {
    line: usize,
    name: String,
    email: String,
    team: String,
    deactivated: bool,
    cards: Vec<Value>,
    groups: Vec<Value>,
}

struct Reading<'a> {
    headings: &'a Headings,
    tables: Tables,
    problems: Vec<FactsProblem>,
    table: &'static str,
    people: BTreeMap<String, Member>,
    /// Ids by id, e-mail address and name; a name of two people names nobody.
    known: HashMap<String, Option<String>>,
}

impl Reading<'_> {
    fn problem(&mut self, row: &Row, id: &str, text: &str) {
        self.problems.push(FactsProblem {
            collection: self.table,
            index: row.line.saturating_sub(1),
            field: None,
            id: id.to_owned(),
            text: format!("line {} {text}", row.line),
        });
    }

    fn item(&mut self, collection: &'static str, line: usize, fields: Vec<(&str, Value)>) {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), line, value));
        let item = Item {
            line,
            fields: fields.collect(),
        };
        self.tables.entry(collection).or_default().push(item);
    }

    /// The id that everything of a row goes by. An e-mail address is one only where the export has no other.
    fn id(row: &Row) -> String {
        match row.cell("id") {
            "" => row.cell("email").to_lowercase(),
            id => id.to_owned(),
        }
    }

    fn member(&mut self, row: &Row) {
        let id = Self::id(row);
        if id.is_empty() {
            return self.problem(row, "", "has neither an id nor an e-mail address; left out");
        }
        let full = format!("{} {}", row.cell("first"), row.cell("last"));
        let name = if row.cell("name").is_empty() {
            full.trim()
        } else {
            row.cell("name")
        };
        let status = self.headings.status(row.cell("status"));
        let mut cards = Vec::new();
        for text in row
            .cell("fob")
            .split([';', ','])
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            match cards::read(text, self.headings.cards) {
                Ok(card) => cards.push(Value::from(card.reveal_in_full())),
                // The number is not repeated: it may stand in a log.
                Err(error) => self.problem(
                    row,
                    &id,
                    &format!("has a key fob that cannot be read ({error}); the fob is left out"),
                ),
            }
        }
        let member = self.people.entry(id.clone()).or_default();
        if member.line == 0 {
            member.line = row.line;
            name.clone_into(&mut member.name);
            row.cell("email").clone_into(&mut member.email);
            row.cell("team").clone_into(&mut member.team);
        }
        // Whoever is deactivated in one row is deactivated (R5).
        member.deactivated |= status == Some(Status::Deactivated);
        for (list, more) in [
            (&mut member.cards, cards),
            (
                &mut member.groups,
                parts(row.cell("groups")).map(Value::from).collect(),
            ),
        ] {
            list.extend(
                more.into_iter()
                    .filter(|item| !list.contains(item))
                    .collect::<Vec<_>>(),
            );
        }
        let Some(status) = status else {
            let text = format!(
                "has the status \"{}\", which is not known, and opens nothing; say what it means in {COLUMNS} under [status]",
                row.cell("status")
            );
            return self.problem(row, &id, &text);
        };
        if status != Status::NotYet {
            self.memberships(row, &id, status);
        }
    }

    fn memberships(&mut self, row: &Row, id: &str, status: Status) {
        let Some((starts, ends)) = self.day(row, id, "starts").zip(self.day(row, id, "ends")) else {
            return;
        };
        if status == Status::Ended && ends.is_empty() {
            return; // over, nobody knows since when
        }
        let plans: Vec<String> = parts(row.cell("plan")).map(str::to_owned).collect();
        for plan in plans {
            let fields = vec![
                ("id", format!("{id}/{}/{starts}", plain(&plan)).into()),
                ("plan", plan.into()),
                ("person", id.into()),
                ("starts", starts.clone().into()),
                ("ends", ends.clone().into()),
                ("cancelled", (status == Status::Cancelled).into()),
            ];
            self.item("memberships", row.line, fields);
        }
    }

    /// A day as the facts write it, or nothing; `None` when it cannot be read, and that was said.
    fn day(&mut self, row: &Row, id: &str, name: &str) -> Option<String> {
        let text = row.cell(name);
        if text.is_empty() {
            return Some(String::new());
        }
        match dates::date(text, self.headings.order) {
            Read::Is(day) => Some(day.to_string()),
            Read::Ambiguous | Read::Not => {
                let shown: String = text.chars().take(40).collect();
                self.problem(
                    row,
                    id,
                    &format!("has \"{shown}\" where a date should be; left out"),
                );
                None
            }
        }
    }

    fn settle_people(&mut self) {
        for (id, member) in std::mem::take(&mut self.people) {
            for name in [&id, &member.email, &member.name] {
                let slot = self
                    .known
                    .entry(name.to_lowercase())
                    .or_insert_with(|| Some(id.clone()));
                if slot.as_ref() != Some(&id) {
                    *slot = None;
                }
            }
            let fields = vec![
                ("id", id.into()),
                ("name", member.name.into()),
                ("email", member.email.into()),
                ("team", member.team.into()),
                ("deactivated", member.deactivated.into()),
                ("credentials", member.cards.into()),
                ("groups", member.groups.into()),
            ];
            self.item("people", member.line, fields);
        }
    }

    /// The member that a row names, if exactly one is meant. Somebody from outside opens nothing here.
    fn person(&self, row: &Row) -> String {
        let found = self.known.get(&row.cell("person").to_lowercase());
        found.cloned().flatten().unwrap_or_default()
    }

    fn booking(&mut self, row: &Row) {
        let tentative = match plain(row.cell("status")).as_str() {
            "" | "confirmed" | "approved" | "active" | "booked" | "paid" | "completed" => false,
            "pending" | "tentative" | "requested" => true,
            "cancelled" | "canceled" | "declined" | "rejected" | "noshow" => return,
            _ => return self.problem(row, row.cell("id"), "has a status that is not known; left out"),
        };
        let resource = row.cell("resource");
        if resource.is_empty() {
            return self.problem(row, row.cell("id"), "does not say what is booked; left out");
        }
        let (Some(from), Some(until)) = (self.instant(row, "from"), self.instant(row, "until")) else {
            return self.problem(row, row.cell("id"), "does not say from when until when; left out");
        };
        let kind = match plain(row.cell("kind")).as_str() {
            kind if kind.contains("desk") => "desk",
            kind if kind.contains("office") => "office",
            _ => "room",
        };
        let is_new = !self.tables.get("resources").is_some_and(|items| {
            let id = |item: &Item| item.fields.first().is_some_and(|(_, _, id)| id == resource);
            items.iter().any(id)
        });
        if is_new {
            let fields = vec![
                ("id", resource.into()),
                ("name", resource.into()),
                ("kind", kind.into()),
            ];
            self.item("resources", row.line, fields);
        }
        let id = match row.cell("id") {
            "" => format!("{}/{from}", plain(resource)),
            id => id.to_owned(),
        };
        let fields = vec![
            ("id", id.into()),
            ("resource", resource.into()),
            ("person", self.person(row).into()),
            ("from", from.into()),
            ("until", until.into()),
            ("tentative", tentative.into()),
        ];
        self.item("bookings", row.line, fields);
    }

    /// A time as the facts write it: with an offset as it stands, else local. A column of its own may have the date, and
    /// a booking with a date alone is the whole day (facts of the platform: section 6).
    fn instant(&self, row: &Row, name: &str) -> Option<String> {
        let text = row.cell(name);
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(at.to_string());
        }
        let day = |text: &str| match dates::date(text, self.headings.order) {
            Read::Is(day) => Some(day),
            _ => None,
        };
        if let Some(time) = dates::time(text) {
            return Some(day(row.cell("date"))?.to_datetime(time).to_string());
        }
        if text.is_empty() {
            let day = day(row.cell("date"))?;
            let day = if name == "until" {
                day.tomorrow().ok()?
            } else {
                day
            };
            return Some(day.to_datetime(jiff::civil::Time::midnight()).to_string());
        }
        match dates::date_time(text, self.headings.order) {
            Read::Is(at) => Some(at.to_string()),
            _ => None,
        }
    }

    fn pass(&mut self, row: &Row) {
        let person = self.person(row);
        if person.is_empty() {
            return; // somebody from outside: no card of theirs is known
        }
        let id = row.cell("id").to_owned();
        let (Some(date), Some(starts), Some(ends)) = (
            self.day(row, &id, "date"),
            self.day(row, &id, "starts"),
            self.day(row, &id, "ends"),
        ) else {
            return;
        };
        let or_date = |day: String| if day.is_empty() { date.clone() } else { day };
        let (starts, ends) = (or_date(starts), or_date(ends));
        let left = match row.cell("left") {
            "" => Value::Null,
            text => match text.parse::<i64>() {
                Ok(left) => left.into(),
                Err(_) => return self.problem(row, &id, "does not say how many are left; left out"),
            },
        };
        let kind = row.cell("kind").to_owned();
        let id = if id.is_empty() {
            format!("{person}/{}/{starts}", plain(&kind))
        } else {
            id
        };
        let mut fields = vec![
            ("id", id.into()),
            ("kind", kind.into()),
            ("person", person.into()),
            ("starts", starts.into()),
            ("ends", ends.into()),
        ];
        if !left.is_null() {
            fields.push(("left", left));
        }
        self.item("passes", row.line, fields);
    }
}

/// Several in a cell are parted by `;`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}
