//! Readers behind pcscd: ACR122U, ACR1252U and their like. One thread waits for pcscd, which may come later, be restarted
//! or never be there.
//!
//! | file | what |
//! | --- | --- |
//! | `library` | pcscd's library, loaded at run time: the calls |
//! | `slot` | what a change of state means |
//! | `uid` | asking for the number, and every status word |
//! | `kernel` | the kernel's own driver that takes readers away |

mod kernel;
mod library;
mod slot;
mod uid;

use super::{Kind, start::Around};
use crate::domain::{
    Credential, ReaderId,
    say::{Said, readers as say},
};
use library::{Code, Context, Library, Watched};
use slot::{Do, Slot};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    time::Duration,
};
use uid::{Asking, GET_UID, Next, Refusal};

/// pcscd's name for "a reader came or went".
const PLUGGED: &CStr = c"\\\\?PnP?\\Notification";
/// How long at most one waits for a change before the desk can end.
const TURN: Duration = Duration::from_millis(1_000);
/// How often an absent library or daemon is looked for.
const EVERY: Duration = Duration::from_secs(1);
/// pcscd may list a reader for a moment after it is gone.
const SETTLE: Duration = Duration::from_millis(250);
/// The standing troubles.
const TROUBLE: &str = "desk_pcsc";
const KERNEL: &str = "desk_pcsc_kernel";

/// The thread.
pub(super) fn run(around: Around) {
    while !around.stopped() {
        match Library::load() {
            Ok(library) => {
                while !around.stopped() {
                    serve(&around, &library);
                    around.rest(EVERY);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no PC/SC");
                around.hub.trouble(
                    TROUBLE,
                    None,
                    "no PC/SC on this machine, so USB readers such as the ACR122U are not seen: install the packages pcscd \
                     and libccid, or write pcsc = false in [desk]",
                );
                around.rest(EVERY);
            }
        }
    }
}

/// From a connection to pcscd to its end.
fn serve(around: &Around, library: &Library) {
    let context = match Context::establish(library) {
        Ok(context) => context,
        Err(code) => {
            around.hub.trouble(TROUBLE, None, &no_service(code));
            return;
        }
    };
    let mut desk = Desk {
        around,
        context,
        slots: BTreeMap::new(),
        plugged: 0,
    };
    around.hub.well(TROUBLE);
    while !around.stopped() {
        if let Err(code) = desk.turn() {
            tracing::info!(?code, "pcscd is gone");
            around.hub.trouble(TROUBLE, None, &no_service(code));
            break;
        }
    }
    desk.end();
}

/// Why pcscd does not serve us, and what to do.
fn no_service(code: Code) -> String {
    match code {
        Code::SECURITY => "pcscd does not let the gateway use its readers: its polkit rules must allow the user doorward (the \
                           package brings /usr/share/polkit-1/rules.d/doorward-desk.rules)"
            .into(),
        Code::NO_SERVICE | Code::SERVICE_STOPPED => "pcscd does not run, so USB readers such as the ACR122U are not seen: install the \
                                                     package pcscd and run `systemctl enable --now pcscd.socket`"
            .into(),
        other => format!(
            "pcscd does not answer as it should ({other:?}): `systemctl restart pcscd`, and see `journalctl -u pcscd`"
        ),
    }
}

/// A reader behind pcscd.
struct Reader {
    id: ReaderId,
    slot: Slot,
    /// The state that pcscd was told we know.
    known: u32,
    /// Whether the card that lies there was told of.
    told: bool,
}

struct Desk<'a> {
    around: &'a Around,
    context: Context<'a>,
    slots: BTreeMap<CString, Reader>,
    plugged: u32,
}

impl Desk<'_> {
    /// Waits for a change, and does what it asks for.
    fn turn(&mut self) -> Result<(), Code> {
        self.list()?;
        let mut watched: Vec<Watched> = vec![Watched {
            reader: PLUGGED.into(),
            known: self.plugged,
            state: 0,
        }];
        watched.extend(self.slots.iter().map(|(name, reader)| Watched {
            reader: name.clone(),
            known: reader.known,
            state: 0,
        }));
        match self.context.wait(&mut watched, TURN) {
            Ok(()) => {}
            Err(Code::TIMEOUT) => return Ok(()),
            // A reader that went meanwhile: the next list tells.
            Err(Code::UNKNOWN_READER | Code::READER_UNAVAILABLE) => {
                self.around.rest(SETTLE);
                return Ok(());
            }
            Err(code) => return Err(code),
        }
        for one in watched {
            if one.state & slot::CHANGED == 0 {
                continue;
            }
            let known = one.state & !slot::CHANGED;
            match self.slots.get_mut(&one.reader) {
                Some(reader) => {
                    reader.known = known;
                    let todo = reader.slot.change(one.state);
                    for what in todo {
                        self.act(&one.reader, what);
                    }
                }
                None => self.plugged = known,
            }
        }
        Ok(())
    }

    /// Brings the readers up to date.
    fn list(&mut self) -> Result<(), Code> {
        let names = self.context.readers()?;
        let gone: Vec<CString> = self
            .slots
            .keys()
            .filter(|name| !names.contains(name))
            .cloned()
            .collect();
        for name in gone {
            self.act(&name, Do::Gone);
        }
        for name in names
            .into_iter()
            .filter(|name| is_contactless(&name.to_string_lossy()))
        {
            if self.slots.contains_key(&name) {
                continue;
            }
            let text = name.to_string_lossy().into_owned();
            let id = ReaderId::from(format!("pcsc:{text}"));
            self.around.hub.appeared(&id, shown(&text), Kind::Pcsc);
            let reader = Reader {
                id,
                slot: Slot::default(),
                known: 0,
                told: false,
            };
            self.slots.insert(name, reader);
        }
        match kernel::pn533_holds(&self.around.places.sys) {
            0 => self.around.hub.well(KERNEL),
            _ => self.around.hub.trouble(KERNEL, None, kernel::WORDS),
        }
        Ok(())
    }

    fn act(&mut self, name: &CStr, what: Do) {
        let hub = &self.around.hub;
        let Some(reader) = self.slots.get_mut(name) else {
            return;
        };
        match what {
            Do::Read => match read(&self.context, name) {
                Ok(credential) => reader.told = hub.presented(&reader.id, credential),
                Err(words) => hub.remark(&reader.id, words),
            },
            Do::Removed => {
                if std::mem::take(&mut reader.told) {
                    hub.removed(&reader.id);
                }
            }
            Do::Mute => hub.remark(&reader.id, say::reader_mute()),
            Do::Gone => {
                hub.gone(&reader.id);
                self.slots.remove(name);
                self.around.rest(SETTLE);
            }
        }
    }

    /// pcscd or the desk ends.
    fn end(&mut self) {
        for reader in std::mem::take(&mut self.slots).into_values() {
            self.around.hub.gone(&reader.id);
        }
    }
}

/// The slot of a SAM is a reader to pcscd, and no card is ever laid there.
fn is_contactless(name: &str) -> bool {
    !name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word == "SAM")
}

/// Without the two numbers that pcscd puts behind each name.
fn shown(name: &str) -> &str {
    let number = |word: &str| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.rsplitn(3, ' ').collect::<Vec<_>>()[..] {
        [slot, reader, rest] if number(slot) && number(reader) && !rest.is_empty() => rest,
        _ => name,
    }
}

/// Asks for the number of the card on a reader. Once more if another program reset the card in between.
fn read(context: &Context<'_>, reader: &CStr) -> Result<Credential, Said> {
    match ask(context, reader) {
        Err(Code::RESET_CARD) => ask(context, reader),
        other => other,
    }
    .unwrap_or_else(|code| Err(words(code)))
}

fn ask(context: &Context<'_>, reader: &CStr) -> Result<Result<Credential, Said>, Code> {
    let card = context.connect(reader)?;
    let mut asking = Asking::default();
    let mut apdu = GET_UID;
    loop {
        match asking.answered(&card.transmit(&apdu)?) {
            Next::Send(next) => apdu = next,
            Next::Done(done) => return Ok(done.map_err(Refusal::said)),
        }
    }
}

fn words(code: Code) -> Said {
    match code {
        Code::NO_SMARTCARD | Code::REMOVED_CARD => say::reader_taken_away(),
        Code::SHARING_VIOLATION => say::reader_busy(),
        Code::UNRESPONSIVE => say::reader_unresponsive(),
        other => say::reader_trouble(format!("{other:?}")),
    }
}

/// The card of a reader's answer, for the property over all kinds of readers.
#[cfg(test)]
pub(super) fn read_of(answer: &[u8]) -> Option<Credential> {
    match Asking::default().answered(answer) {
        Next::Done(done) => done.ok(),
        Next::Send(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_numbers_and_a_sam_is_no_reader() {
        assert_eq!(
            shown("ACS ACR122U PICC Interface 00 00"),
            "ACS ACR122U PICC Interface"
        );
        assert_eq!(shown("Virtual PCD 00 01"), "Virtual PCD");
        assert_eq!(shown("Reader 7"), "Reader 7");
        assert!(is_contactless(
            "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 00 00"
        ));
        assert!(!is_contactless(
            "ACS ACR1252 1S CL Reader [ACR1252 Reader SAM] 01 00"
        ));
        assert!(is_contactless("SAMSUNG reader 00 00"));
    }
}
