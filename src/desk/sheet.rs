//! CSV of cards and of people, row by row: every row is read or named with what is wrong with it. Pure.

use crate::{
    config::model::CardText,
    domain::{
        Credential,
        say::{Said, desk as say},
    },
    platform::cards,
};

/// The longest file that is looked at.
pub const MOST_BYTES: usize = 4 << 20;

/// A row: the line of the file, from 1; whom it names; which card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line, from 1.
    pub line: u64,
    /// Whom, best first: id, e-mail, name. Never empty.
    pub who: Vec<String>,
    /// Which card; absent where the sheet has no such column. Else why it cannot be read.
    pub card: Option<Result<Credential, String>>,
}

/// A row, or its line and why it cannot be read.
pub type ReadRow = Result<Row, (u64, String)>;

const CARD: &[&str] = &[
    "card",
    "credential",
    "fob",
    "tag",
    "uid",
    "card number",
    "access card",
    "accesscardid",
    "token",
    "karte",
    "kartennummer",
    "tarjeta",
];
const ID: &[&str] = &["id", "person", "person id", "member id", "platform id"];
const EMAIL: &[&str] = &[
    "email",
    "e-mail",
    "mail",
    "e-mail-adresse",
    "correo",
    "correo electrónico",
];
const NAME: &[&str] = &[
    "name",
    "full name",
    "member",
    "person name",
    "mitglied",
    "nombre",
    "nombre completo",
];

/// What Windows has at 0x80 to 0x9F; the rest is as in Latin-1 (WHATWG Encoding, index windows-1252).
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The text of a file. Spreadsheets write UTF-8, UTF-16 with its mark, or, where nobody asked them for another thing, what
/// Windows has for western Europe: that is taken for whatever is no UTF-8.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| Some(of(pair.try_into().ok()?)))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| western(*byte)).collect(),
        },
    }
}

fn western(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|at| WINDOWS.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

/// The rows of a sheet with a heading. Commas, semicolons or tabs between the fields, whichever the heading has most of.
/// A row that names nobody is an error that names its line; so is a sheet without a column that names people.
///
/// # Errors
/// When the sheet as a whole cannot be read, in words.
pub fn rows(text: &str, format: CardText) -> Result<Vec<ReadRow>, Said> {
    if text.len() > MOST_BYTES {
        return Err(say::sheet_too_long(MOST_BYTES >> 20));
    }
    let text = text.trim_start_matches('\u{FEFF}');
    let heading = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|each| heading.bytes().filter(|byte| byte == each).count())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headings = reader.headers().map_err(say::sheet_heading)?;
    let column = |names: &[&str]| {
        headings
            .iter()
            .position(|heading| names.contains(&heading.to_lowercase().replace('_', " ").as_str()))
    };
    let (card, who) = (column(CARD), [column(ID), column(EMAIL), column(NAME)]);
    if who.iter().all(Option::is_none) {
        return Err(say::sheet_without_people());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rows.push(Err((line, say::row_unreadable(error).into())));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: Option<usize>| {
            let text = column.and_then(|column| record.get(column)).unwrap_or_default();
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let who: Vec<String> = who.iter().filter_map(|column| field(*column)).collect();
        if who.is_empty() {
            if record.iter().any(|field| !field.is_empty()) {
                rows.push(Err((line, say::row_names_nobody().into())));
            }
            continue;
        }
        let card = card.map(|column| match field(Some(column)) {
            None => Err(say::row_without_card().into()),
            Some(text) => cards::read(&text, format).map_err(|error| error.to_string()),
        });
        rows.push(Ok(Row { line, who, card }));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sheets_of_several_makers_are_read_and_every_bad_row_has_its_line() {
        let text = "\u{FEFF}E-Mail;Name;Access card\nana@example.com;Ana Ruiz;04A2B3C4D5E680\n;;04A2B3C4\n\
                    ben@example.com;;nonsense\n;;\ncleo@example.com;Cleo;08A10203\n;Dan;\n";
        let rows = rows(text, CardText::Auto).unwrap();
        let ana = rows[0].as_ref().unwrap();
        assert_eq!(
            (ana.line, ana.who.as_slice()),
            (2, &["ana@example.com".to_owned(), "Ana Ruiz".to_owned()][..])
        );
        assert_eq!(ana.card, Some(Ok("uid:04A2B3C4D5E680".parse().unwrap())));
        assert_eq!(rows[1].as_ref().unwrap_err().0, 3);
        let wrong = |at: usize| {
            let row = rows[at].as_ref().unwrap();
            (row.line, row.card.clone().unwrap().unwrap_err())
        };
        assert_eq!(wrong(2).0, 4);
        assert!(wrong(3).1.contains("random"), "{:?}", wrong(3));
        assert_eq!(wrong(4), (7, "the row has no card".into()));
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn a_file_of_any_spreadsheet_has_its_umlauts() {
        let text = "Nombre;Tarjeta\r\nJürgen Groß, 5 €;04A2B3C4D5E680\r\n";
        let utf16 = |of: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let marked = format!("\u{FEFF}{text}");
            marked.encode_utf16().flat_map(of).collect()
        };
        let windows: Vec<u8> = text
            .chars()
            .map(|c| {
                if c == '€' {
                    0x80
                } else {
                    u8::try_from(u32::from(c)).unwrap()
                }
            })
            .collect();
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{FEFF}{text}").into_bytes(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            windows,
        ] {
            let rows = rows(&decode(&bytes), CardText::Auto).unwrap();
            let row = rows[0].as_ref().unwrap();
            assert_eq!(row.who, ["Jürgen Groß, 5 €"]);
            assert_eq!(row.card, Some(Ok("uid:04A2B3C4D5E680".parse().unwrap())));
        }
    }

    #[test]
    fn a_sheet_of_people_alone_is_a_queue_and_one_of_nobody_is_refused() {
        let people = rows("name\nAna\nBen\n", CardText::Auto).unwrap();
        assert!(people.iter().all(|row| row.as_ref().unwrap().card.is_none()));
        assert!(rows("colour\nred\n", CardText::Auto).is_err());
        assert!(rows("", CardText::Auto).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(name,card\n)?[a-z0-9,;\"\n\r\t ]{0,60}") {
            let _ = rows(&text, CardText::Auto);
        }
    }
}
