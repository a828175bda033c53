//! PN532 modules on serial ports (HSU). The configuration names a port, or ports are asked.
//!
//! | file | what |
//! | --- | --- |
//! | `frame` | frames: noise and half frames are skipped |
//! | `link` | a command and its answer: acknowledgement, sending again, asking again |
//! | `session` | wake-up, set-up, and which cards lie there |
//! | `port` | the serial port |
//! | `find` | which ports may be asked |
//!
//! A port of a door's line is never opened, whatever else is wrong: see `find`.

mod find;
mod frame;
mod link;
mod port;
mod session;

pub(super) use find::find;
pub(crate) use session::fuzz;

use super::{Kind, hub::Hub, start::Around};
use crate::domain::{ReaderId, say::readers as say};
use port::Port;
use session::{Session, Told};
use std::{io, path::Path, time::Duration};

/// How often a port that is gone is looked for.
const REOPEN_EVERY: Duration = Duration::from_millis(500);
/// A session's own pauses are shorter.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// How a session with a port ended.
enum End {
    /// The port could not be opened.
    Closed(io::Error),
    /// It was pulled.
    Pulled(io::Error),
    /// Nothing answers there as a PN532 does.
    Lost(&'static str),
    /// The desk ends.
    Stopped,
}

/// A reader's name and id.
struct Reader<'a> {
    path: &'a Path,
    id: ReaderId,
    name: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn at(path: &'a Path, name: Option<&'a str>) -> Self {
        Self {
            path,
            id: format!("pn532:{}", path.display()).into(),
            name,
        }
    }
    /// "PN532 1.6 on ttyUSB0", unless it was given a name.
    fn shown(&self, (version, revision): (u8, u8)) -> String {
        let port = self.path.file_name().unwrap_or(self.path.as_os_str());
        let own = || format!("PN532 {version}.{revision} on {}", port.to_string_lossy());
        self.name.map_or_else(own, str::to_owned)
    }
}

/// The thread of a port that the configuration names.
pub(super) fn run(around: &Around, path: &Path, name: Option<&str>) {
    let reader = Reader::at(path, name);
    let key = format!("desk_pn532:{}", path.display());
    while !around.stopped() {
        let called = name.map_or_else(|| "the PN532".to_owned(), |name| format!("the reader {name}"));
        let words = match session(around, &reader, &key) {
            End::Stopped => break,
            End::Closed(error) if error.kind() == io::ErrorKind::PermissionDenied => format!(
                "{called} cannot be used: {} may not be opened; the gateway's user must be in the group dialout",
                path.display()
            ),
            End::Closed(error) | End::Pulled(error) => format!(
                "{called} is not there: {}: {error}; plug it in, and see that nothing else uses the port",
                path.display()
            ),
            End::Lost(why) => format!(
                "{called} on {}: {why}; see that the module's switches say HSU (both off), and that RX and TX are not swapped",
                path.display()
            ),
        };
        around.hub.gone(&reader.id);
        if !around.stopped() {
            around.hub.trouble(&key, None, &words);
            around.rest(REOPEN_EVERY);
        }
    }
    around.hub.gone(&reader.id);
}

/// One session, from opening to loss.
fn session(around: &Around, reader: &Reader<'_>, key: &str) -> End {
    let port = match Port::open(reader.path) {
        Ok(port) => port,
        Err(error) => return End::Closed(error),
    };
    let mut session = Session::new(around.now());
    let mut buffer = [0; 512];
    let mut count = 0;
    // Whether the card that lies there was told of.
    let mut shown = false;
    loop {
        if around.stopped() {
            return End::Stopped;
        }
        for told in session.turn(buffer.get(..count).unwrap_or_default(), around.now()) {
            match told {
                Told::Ready { version } => {
                    around.hub.well(key);
                    around
                        .hub
                        .appeared(&reader.id, &reader.shown(version), Kind::Pn532);
                }
                Told::Lost(why) => {
                    let (noise, broken) = session.noise();
                    tracing::debug!(reader = %reader.id, noise, broken, why, "a PN532 is lost");
                    return End::Lost(why);
                }
                Told::Card(credential) => shown = around.hub.presented(&reader.id, credential),
                Told::Removed if !std::mem::take(&mut shown) => {}
                other => tell(&around.hub, &reader.id, other),
            }
        }
        let wait = session
            .due()
            .map_or(LONGEST_WAIT, |due| due.saturating_sub(around.now()));
        let sent = port.write(&session.take());
        match sent.and_then(|()| port.read(&mut buffer, wait.min(LONGEST_WAIT))) {
            Ok(read) => count = read,
            Err(error) => return End::Pulled(error),
        }
    }
}

fn tell(hub: &Hub, id: &ReaderId, told: Told) {
    match told {
        Told::Removed => hub.removed(id),
        Told::TwoCards => hub.remark(id, say::reader_two_cards()),
        Told::Strange => hub.remark(id, say::reader_length()),
        Told::Card(_) | Told::Ready { .. } | Told::Lost(_) => {}
    }
}

#[cfg(test)]
pub(super) use session::listed;
