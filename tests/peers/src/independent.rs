//! An OSDP reader on crate `osdp`, which shares no code with libosdp: framing, CRC and secure channel are its
//! own. The crate's peripheral driver has no secure channel, so the conversation is held here.

use crate::pty::{Pty, fresh_path};
use osdp::{
    Address, Sqn,
    packet::{ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType},
    reply::CCrypt,
    secure::{
        Cryptogrammed, Direction, Secure, Session,
        crypto::{SessionKeys, client_cryptogram},
        seal, unseal,
    },
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

const SOM: u8 = 0x53;
/// Commands and replies by their codes (OSDP 2.2, annex A).
const POLL: u8 = 0x60;
const ID: u8 = 0x61;
const CAP: u8 = 0x62;
const LSTAT: u8 = 0x64;
const CHLNG: u8 = 0x76;
const SCRYPT: u8 = 0x77;
const ACK: u8 = 0x40;
const NAK: u8 = 0x41;
const PDID: u8 = 0x45;
const PDCAP: u8 = 0x46;
const LSTATR: u8 = 0x48;
const RAW: u8 = 0x50;
const CCRYPT: u8 = 0x76;
const RMAC_I: u8 = 0x78;

/// A card: bits, left-aligned, and their count.
type Card = (u16, Vec<u8>);

/// The reader.
pub struct Independent {
    path: PathBuf,
    cards: Sender<Card>,
    /// Commands that came over the secure channel, with their data: `(code, data)`.
    pub commands: Receiver<(u8, Vec<u8>)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Independent {
    /// Starts the reader on a new pty.
    ///
    /// # Errors
    /// What the system said.
    pub fn start(address: u8, key: [u8; 16]) -> io::Result<Self> {
        let path = fresh_path("independent");
        let pty = Pty::open(&path)?;
        let (cards, inbox) = channel();
        let (told, commands) = channel();
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let mut reader = Reader {
            address,
            key,
            cards: inbox,
            told,
            shaking: None,
            session: None,
            last: None,
        };
        let thread = std::thread::Builder::new()
            .name("independent".into())
            .spawn(move || reader.run(&pty, &stopped))?;
        Ok(Self {
            path,
            cards,
            commands,
            stop,
            thread: Some(thread),
        })
    }

    /// What the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Presents a card.
    pub fn tap(&self, bits: u16, data: &[u8]) {
        let _ = self.cards.send((bits, data.to_vec()));
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    address: u8,
    key: [u8; 16],
    cards: Receiver<Card>,
    told: Sender<(u8, Vec<u8>)>,
    shaking: Option<Session<Cryptogrammed>>,
    session: Option<Session<Secure>>,
    /// The last command's sequence number and what was replied, for a repeat.
    last: Option<(u8, Vec<u8>)>,
}

impl Reader {
    fn run(&mut self, pty: &Pty, stop: &AtomicBool) {
        let (mut buffer, mut chunk) = (Vec::new(), [0; 512]);
        while !stop.load(Ordering::Relaxed) {
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: 5_000_000,
            };
            let _ = poll(&mut [PollFd::new(pty.near(), PollFlags::IN)], Some(&timeout));
            let count = pty.read(&mut chunk);
            buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
            while let Some(start) = buffer.iter().position(|byte| *byte == SOM) {
                buffer.drain(..start);
                let Ok((packet, used)) = ParsedPacket::parse(&buffer) else {
                    break;
                };
                let raw: Vec<u8> = buffer.get(..used).unwrap_or_default().to_vec();
                if packet.addr.pd_addr() == self.address
                    && let Some(reply) = self.reply(&packet, &raw)
                {
                    pty.write(&reply);
                }
                buffer.drain(..used);
            }
        }
    }

    fn reply(&mut self, packet: &ParsedPacket<'_>, raw: &[u8]) -> Option<Vec<u8>> {
        let sequence = packet.ctrl.sqn.value();
        if let Some((last, reply)) = &self.last
            && sequence != 0
            && *last == sequence
        {
            return Some(reply.clone());
        }
        let address = Address::reply(self.address).ok()?;
        let number = Sqn::new(sequence).ok()?;
        let secured = packet.scb.is_some_and(|scb| scb.ty.has_mac());
        let reply = if secured {
            let mut session = self.session.take()?;
            // A wrong code ends the session, as the standard has it: no answer until a new one.
            let data = unseal(&mut session, packet, raw).ok()?;
            let (code, data) = self.obey(packet.code, &data);
            let sealed = seal(
                &mut session,
                address,
                number,
                Direction::PdToAcu,
                !data.is_empty(),
                code,
                &data,
            );
            self.session = Some(session);
            sealed.ok()?
        } else {
            let (scb, code, data) = self.plain(packet)?;
            let flags = match scb {
                Some(_) => CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB,
                None => CtrlFlags::USE_CRC,
            };
            let builder = PacketBuilder {
                addr: address,
                ctrl: ControlByte::new(number, flags),
                scb,
                code,
                data,
            };
            builder.encode().ok()?
        };
        self.last = Some((sequence, reply.clone()));
        Some(reply)
    }

    fn plain(&mut self, packet: &ParsedPacket<'_>) -> Option<(Option<Scb>, u8, Vec<u8>)> {
        match packet.code {
            CHLNG => {
                let challenge: [u8; 8] = packet.data.try_into().ok()?;
                let keys = SessionKeys::derive(&self.key, &challenge);
                let rnd_b = *b"not-rand";
                let mine = CCrypt {
                    cuid: *b"doorward",
                    rnd_b,
                    client_cryptogram: client_cryptogram(&keys.s_enc, &challenge, &rnd_b),
                };
                let session = Session::new(self.key).challenge(challenge);
                self.session = None;
                self.shaking = Some(session.receive_ccrypt(&mine).ok()?);
                Some((Some(Scb::new(ScsType::Scs12, [1])), CCRYPT, mine.encode().ok()?))
            }
            SCRYPT => {
                let session = self.shaking.take()?;
                if session.server_cryptogram().as_slice() != packet.data {
                    return Some((None, NAK, vec![6]));
                }
                let rmac = session.initial_rmac();
                self.session = Some(session.confirm_rmac_i(&rmac).ok()?);
                Some((Some(Scb::new(ScsType::Scs14, [1])), RMAC_I, rmac.to_vec()))
            }
            ID => {
                let id = [0x0D, 0x00, 0x12, 1, 1, 0, 0, 0, 7, 1, 0, 0];
                Some((None, PDID, id.to_vec()))
            }
            CAP => {
                // Outputs, card format, lights, buzzer, CRC, AES-128: code, compliance, count.
                let abilities = [2, 3, 2, 3, 1, 0, 4, 3, 1, 5, 2, 1, 8, 1, 0, 9, 1, 1];
                Some((None, PDCAP, abilities.to_vec()))
            }
            _ => Some((None, NAK, vec![6])), // refused without the secure channel
        }
    }

    fn obey(&mut self, code: u8, data: &[u8]) -> (u8, Vec<u8>) {
        match code {
            POLL => match self.cards.try_recv() {
                Ok((bits, card)) => {
                    let mut raw = vec![0, 1];
                    raw.extend(bits.to_le_bytes());
                    raw.extend(card);
                    (RAW, raw)
                }
                Err(_) => (ACK, Vec::new()),
            },
            LSTAT => (LSTATR, vec![0, 0]),
            _ => {
                let _ = self.told.send((code, data.to_vec()));
                (ACK, Vec::new())
            }
        }
    }
}
