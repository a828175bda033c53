//! Standard output: tables and colours on a terminal, plain text elsewhere, JSON when asked for.

use super::failure::Failure;
use crate::config::{Environment, Palette};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::{
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a terminal, or elsewhere.
    #[must_use]
    pub fn colours(self, terminal: bool, environment: &Environment) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !environment.no_color && !environment.dumb_terminal,
        }
    }
}

/// What a cell or word says, so that colours mean the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Granted, running, in order.
    Good,
    /// Refused, broken.
    Bad,
    /// To be looked at.
    Watch,
    /// Headings.
    Strong,
    /// Less important.
    Faint,
}

impl Tone {
    const fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Good => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))),
            Self::Bad => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))),
            Self::Watch => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow))),
            Self::Strong => style.bold(),
            Self::Faint => style.dimmed(),
        }
    }
}

/// A table's cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell(pub String, pub Tone);

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(text.to_owned(), Tone::Plain)
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(text, Tone::Plain)
    }
}

/// Where a command writes its result.
pub struct Out {
    writer: Box<dyn Write>,
    json: bool,
    colour: bool,
    width: Option<u16>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (json, colour, width) = (self.json, self.colour, self.width);
        write!(f, "Out {{ json: {json}, colour: {colour}, width: {width:?} }}")
    }
}

impl Out {
    /// Standard output.
    #[must_use]
    pub fn standard(json: bool, color: ColorChoice, environment: &Environment) -> Self {
        let terminal = stdout().is_terminal();
        let width = if terminal { Table::new().width() } else { None };
        let writer = Box::new(std::io::BufWriter::new(stdout()));
        Self {
            writer,
            json,
            colour: color.colours(terminal, environment),
            width,
        }
    }

    /// Anything else that can be written to. `width`: of the terminal, if it is one.
    #[must_use]
    pub fn new(writer: Box<dyn Write>, json: bool, colour: bool, width: Option<u16>) -> Self {
        Self {
            writer,
            json,
            colour,
            width,
        }
    }

    /// Whether JSON was asked for.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Text in a tone, with the codes for it if there are colours.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour || tone == Tone::Plain {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// A line of text.
    ///
    /// # Errors
    /// When it cannot be written; the same holds below.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.writer, "{text}")?)
    }

    /// A JSON document on one line.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(document).map_err(std::io::Error::from)?;
        self.line(&text)
    }

    /// A table without borders: it reads well and greps well.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub fn table(&mut self, heading: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), Failure> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if let Some(width) = self.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        if !heading.is_empty() {
            table.set_header(
                heading
                    .iter()
                    .map(|text| self.cell(&Cell((*text).to_owned(), Tone::Strong))),
            );
        }
        for row in &rows {
            table.add_row(row.iter().map(|cell| self.cell(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    fn cell(&self, cell: &Cell) -> comfy_table::Cell {
        use comfy_table::{Attribute, Color};
        let plain = comfy_table::Cell::new(&cell.0);
        match cell.1 {
            _ if !self.colour => plain,
            Tone::Plain => plain,
            Tone::Good => plain.fg(Color::Green),
            Tone::Bad => plain.fg(Color::Red),
            Tone::Watch => plain.fg(Color::Yellow),
            Tone::Strong => plain.add_attribute(Attribute::Bold),
            Tone::Faint => plain.add_attribute(Attribute::Dim),
        }
    }

    /// Colours for the findings of a configuration.
    #[must_use]
    pub fn palette(&self) -> Palette {
        palette(self.colour)
    }

    /// Waits for so long; false as soon as nobody reads standard output any more (`| head`).
    #[must_use]
    pub fn is_read_for(&self, wait: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = stdout();
        // Errors and hang-ups are told whatever is asked for, and nothing else is.
        let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        // A signal that is no end, a changed window size say, only cuts the wait short.
        !matches!(poll(&mut fds, Some(&wait)), Ok(found) if found > 0)
    }

    /// Writes out what is still held back: after each event that is followed, and at the end.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.writer.flush()?)
    }
}

/// Text from elsewhere, a name say, without what could steer a terminal.
#[must_use]
pub fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.collect::<String>().into()
}

fn palette(colour: bool) -> Palette {
    if !colour {
        return Palette::default();
    }
    Palette {
        error: Tone::Bad.style().bold(),
        warning: Tone::Watch.style().bold(),
        hint: Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan))),
        faint: Tone::Faint.style(),
    }
}

/// Says on standard error what went wrong; as JSON if that was asked for.
pub fn complain(failure: &Failure, json: bool, color: ColorChoice, environment: &Environment) {
    let mut stderr = stderr().lock();
    let palette = palette(color.colours(stderr.is_terminal(), environment));
    // Nothing is left to do when even this cannot be written.
    let _ = if json {
        let mut document = serde_json::json!({ "error": failure.message, "hint": failure.hint });
        if let Some(map) = document.as_object_mut().filter(|_| !failure.details.is_empty()) {
            map.insert("details".into(), failure.details.clone().into());
        }
        writeln!(stderr, "{document}")
    } else {
        writeln!(stderr, "{}", complaint(failure, &palette))
    };
}

/// The complaint as text.
#[must_use]
pub fn complaint(failure: &Failure, palette: &Palette) -> String {
    let (error, hint) = (palette.error, palette.hint);
    let mut text = String::new();
    if !failure.details.is_empty() {
        text.push_str(&failure.details);
        text.push_str("\n\n");
    }
    text.push_str(&format!("{error}error{error:#}: {}", failure.message));
    if !failure.hint.is_empty() {
        text.push_str(&format!("\n{hint}hint{hint:#}: {}", failure.hint));
    }
    text
}
