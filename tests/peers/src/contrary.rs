//! An OSDP reader that speaks in the clear and does as it likes: it refuses commands that it claims to know, and answers a
//! poll with whatever it is told to say. Written from the standard (OSDP 2.2), without libosdp, which would not do such
//! things.

use crate::pty::{Pty, fresh_path};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    collections::{HashMap, VecDeque},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

const SOM: u8 = 0x53;
const POLL: u8 = 0x60;
const ACK: u8 = 0x40;
const NAK: u8 = 0x41;

#[derive(Debug, Default)]
struct State {
    refused: HashMap<u8, u8>,
    to_say: VecDeque<(u8, Vec<u8>)>,
    heard: HashMap<u8, usize>,
    twice: bool,
}

/// The reader: a thread on a pty of its own.
#[derive(Debug)]
pub struct Contrary {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Contrary {
    /// Starts a reader at an address, 0 to 126. It says that it has two outputs, two inputs, a light and a buzzer.
    ///
    /// # Errors
    /// No pty.
    pub fn start(address: u8) -> io::Result<Self> {
        let path = fresh_path("contrary");
        let pty = Pty::open(&path)?;
        let (state, stop) = (Arc::<Mutex<State>>::default(), Arc::<AtomicBool>::default());
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("contrary".into())
            .spawn(move || {
                let mut heard = Vec::new();
                while !stopped.load(Ordering::Relaxed) {
                    turn(&pty, address, &mut heard, &shared);
                }
            })?;
        Ok(Self {
            path,
            state,
            stop,
            thread: Some(thread),
        })
    }

    /// What the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a command from now on: osdp_NAK with this reason (OSDP 2.2, table 47: 3 is an unknown command).
    pub fn refuse(&self, command: u8, reason: u8) {
        lock(&self.state).refused.insert(command, reason);
    }

    /// Does it again.
    pub fn obey(&self, command: u8) {
        lock(&self.state).refused.remove(&command);
    }

    /// Answers the next poll with this reply code and data.
    pub fn say(&self, reply: u8, data: &[u8]) {
        lock(&self.state).to_say.push_back((reply, data.to_vec()));
    }

    /// Sends each reply twice, or once again: as two readers that have one address.
    pub fn twice(&self, twice: bool) {
        lock(&self.state).twice = twice;
    }

    /// How often a command came.
    #[must_use]
    pub fn heard(&self, command: u8) -> usize {
        lock(&self.state).heard.get(&command).copied().unwrap_or(0)
    }
}

impl Drop for Contrary {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn turn(pty: &Pty, address: u8, heard: &mut Vec<u8>, state: &Mutex<State>) {
    let mut buffer = [0; 1024];
    let count = pty.read(&mut buffer);
    heard.extend_from_slice(buffer.get(..count).unwrap_or_default());
    while let Some(frame) = next(heard) {
        let mut state = lock(state);
        if let Some(reply) = answer(&frame, address, &mut state) {
            let times = if state.twice { 2 } else { 1 };
            pty.write(&reply.repeat(times));
        }
    }
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    let mut fds = [PollFd::new(pty.near(), PollFlags::IN)];
    let _ = poll(&mut fds, Some(&timeout));
    if fds.iter().any(|fd| fd.revents().contains(PollFlags::HUP)) {
        // Nobody has the other end open: the poll would return at once, over and over.
        let _ = poll(&mut [], Some(&timeout));
    }
}

/// The next whole command; what stands before its start is no frame.
fn next(heard: &mut Vec<u8>) -> Option<Vec<u8>> {
    let start = heard.iter().position(|byte| *byte == SOM).unwrap_or(heard.len());
    heard.drain(..start);
    let [_, _, low, high, ..] = *heard.as_slice() else {
        return None;
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    (heard.len() >= length).then(|| heard.drain(..length).collect())
}

fn answer(frame: &[u8], address: u8, state: &mut State) -> Option<Vec<u8>> {
    let [_, to, _, _, control, command, ..] = *frame else {
        return None;
    };
    if to != address {
        return None;
    }
    *state.heard.entry(command).or_default() += 1;
    let (code, data) = match (command, state.refused.get(&command)) {
        (_, Some(reason)) => (NAK, vec![*reason]),
        (POLL, None) => state.to_say.pop_front().unwrap_or((ACK, Vec::new())),
        // Who made it, model, version, serial number, firmware.
        (0x61, None) => (0x45, vec![1, 2, 3, 1, 1, 1, 2, 3, 4, 1, 0, 0]),
        // Function, compliance, count: inputs, outputs, cards, light, buzzer, CRC, no secure channel.
        (0x62, None) => {
            let has = [
                [1, 1, 2],
                [2, 1, 2],
                [3, 1, 1],
                [4, 1, 1],
                [5, 1, 1],
                [8, 1, 0],
                [9, 0, 0],
            ];
            (0x46, has.concat())
        }
        (0x64, None) => (0x48, vec![0, 0]),
        (0x65, None) => (0x49, vec![0, 0]),
        (_, None) => (ACK, Vec::new()),
    };
    Some(reply(address, control & 0x03, code, &data))
}

fn reply(address: u8, sequence: u8, code: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 8).unwrap_or(u16::MAX).to_le_bytes();
    let mut frame = vec![SOM, address | 0x80];
    frame.extend(length);
    frame.extend([sequence | 0x04, code]);
    frame.extend(data);
    let check = crc(&frame).to_le_bytes();
    frame.extend(check);
    frame
}

/// CRC-16 of OSDP: polynomial 0x1021, beginning with 0x1D0F (OSDP 2.2, annex C).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0x1D0F, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}
