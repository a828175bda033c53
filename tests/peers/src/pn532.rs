//! A PN532 on a USB serial adapter, over a pty: as NXP's UM0701-02 describes it, and with the faults that cables, adapters
//! and clones have. Strict where the chip is: it sleeps until it is woken, a released card does not answer a listing until
//! the field was off, and without a limit of retries a listing waits for a card.

use crate::pty::{Pty, fresh_path};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

const ACK: [u8; 6] = [0, 0, 0xFF, 0, 0xFF, 0];
const ERROR: [u8; 8] = [0, 0, 0xFF, 1, 0xFF, 0x7F, 0x81, 0];
/// Activating one card, or finding that there is none: some milliseconds on the chip.
const AIR: Duration = Duration::from_millis(5);

/// What goes wrong. Each happens to that many of the next commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Noise before each acknowledgement and answer, for ever.
    pub noise: bool,
    /// The acknowledgement comes after 60 ms, where 15 are allowed.
    pub late_acks: u32,
    /// It does not come at all, the answer does.
    pub lost_acks: u32,
    /// The answer breaks off in its middle.
    pub half_frames: u32,
    /// The answer has a wrong checksum.
    pub broken: u32,
    /// The chip says that it does not know the command.
    pub errors: u32,
    /// Nothing is answered.
    pub deaf: u32,
    /// The adapter is pulled in the middle of the next answer that has a card.
    pub pull_in_the_middle: bool,
}

#[derive(Debug, Default)]
struct State {
    cards: Vec<Card>,
    faults: Faults,
    awake: bool,
    configured: bool,
    limited: bool,
    commands: Vec<u8>,
    bytes: u64,
    plugged: bool,
}

#[derive(Clone, Debug)]
struct Card {
    uid: Vec<u8>,
    halted: bool,
}

/// The module.
#[derive(Debug)]
pub struct Pn532 {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pn532 {
    /// Plugs a module in, at a path of its own.
    ///
    /// # Errors
    /// What the system said.
    pub fn start() -> io::Result<Self> {
        Self::start_at(&fresh_path("pn532"))
    }

    /// The same at this path.
    ///
    /// # Errors
    /// What the system said.
    pub fn start_at(path: &Path) -> io::Result<Self> {
        let mut module = Self {
            path: path.to_owned(),
            state: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        module.plug()?;
        Ok(module)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// What the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lays a card on the reader.
    pub fn lay(&self, uid: &[u8]) {
        self.state().cards.push(Card {
            uid: uid.to_vec(),
            halted: false,
        });
    }

    /// Takes all cards away.
    pub fn clear(&self) {
        self.state().cards.clear();
    }

    /// Takes one card for another, too quickly for anybody to see.
    pub fn swap(&self, uid: &[u8]) {
        self.state().cards = vec![Card {
            uid: uid.to_vec(),
            halted: false,
        }];
    }

    /// What goes wrong from now on.
    pub fn faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Codes of the commands so far.
    #[must_use]
    pub fn commands(&self) -> Vec<u8> {
        self.state().commands.clone()
    }

    /// Bytes that arrived so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// Whether it is plugged in: a fault may have pulled it.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.state().plugged
    }

    /// Pulls the adapter.
    pub fn unplug(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Puts it back: the chip begins anew, the cards still lie there.
    ///
    /// # Errors
    /// What the system said.
    pub fn plug(&mut self) -> io::Result<()> {
        self.unplug();
        let pty = Pty::open(&self.path)?;
        let mut state = self.state();
        (state.awake, state.configured, state.limited) = (false, false, false);
        state.plugged = true;
        drop(state);
        self.stop = Arc::default();
        let (state, stop) = (Arc::clone(&self.state), Arc::clone(&self.stop));
        let thread = std::thread::Builder::new().name("pn532".into());
        self.thread = Some(thread.spawn(move || run(&pty, &state, &stop))?);
        Ok(())
    }
}

impl Drop for Pn532 {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The chip, until its adapter is pulled.
fn run(pty: &Pty, state: &Mutex<State>, stop: &AtomicBool) {
    let mut received = Vec::new();
    let mut last = Vec::new();
    let mut buffer = [0; 256];
    while !stop.load(Ordering::Relaxed) {
        let count = pty.read(&mut buffer);
        if count == 0 {
            std::thread::park_timeout(Duration::from_millis(1));
            continue;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        locked(state).bytes += bytes.len() as u64;
        received.extend_from_slice(bytes);
        if received.windows(2).any(|pair| pair == [0x55, 0x55]) {
            locked(state).awake = true;
        }
        while let Some(frame) = next_frame(&mut received) {
            let goes_on = match frame {
                Frame::Command(command) => obey(pty, state, stop, &command, &mut last),
                Frame::Nack => {
                    pty.write(&last);
                    true
                }
            };
            if !goes_on {
                locked(state).plugged = false;
                return;
            }
        }
    }
    locked(state).plugged = false;
}

enum Frame {
    Command(Vec<u8>),
    Nack,
}

/// Takes the first whole frame out of what was received. Only normal frames: the host has no use for others.
fn next_frame(received: &mut Vec<u8>) -> Option<Frame> {
    loop {
        let start = received.windows(2).position(|pair| pair == [0x00, 0xFF])?;
        received.drain(..start);
        let (length, check) = (*received.get(2)?, *received.get(3)?);
        if (length, check) == (0xFF, 0x00) {
            received.drain(..4);
            return Some(Frame::Nack);
        }
        if length == 0 || length.wrapping_add(check) != 0 {
            received.drain(..2);
            continue;
        }
        let whole = usize::from(length) + 5;
        if received.len() < whole {
            return None;
        }
        let data: Vec<u8> = received.drain(..whole).skip(4).collect();
        let right = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == 0;
        if let (true, [0xD4, command @ .., _]) = (right, data.as_slice()) {
            return Some(Frame::Command(command.to_vec()));
        }
    }
}

/// False when the adapter was pulled meanwhile.
fn obey(pty: &Pty, state: &Mutex<State>, stop: &AtomicBool, command: &[u8], last: &mut Vec<u8>) -> bool {
    let [code, parameters @ ..] = command else {
        return true;
    };
    let mut faults = {
        let mut now = locked(state);
        if !now.awake {
            return true;
        }
        now.commands.push(*code);
        now.faults
    };
    if once(&mut faults.deaf, state, |faults| &mut faults.deaf) {
        return true;
    }
    if faults.noise {
        pty.write(&[0x00, 0x00, 0xFF, 0x1F, 0x00, 0xA5, 0xFF, 0x00]);
    }
    if once(&mut faults.late_acks, state, |faults| &mut faults.late_acks) {
        std::thread::park_timeout(Duration::from_millis(60));
    }
    if !once(&mut faults.lost_acks, state, |faults| &mut faults.lost_acks) {
        pty.write(&ACK);
    }
    if once(&mut faults.errors, state, |faults| &mut faults.errors) {
        last.clear();
        last.extend(ERROR);
        pty.write(&ERROR);
        return true;
    }
    let Some(answer) = answer(state, stop, *code, parameters) else {
        last.clear();
        last.extend(ERROR);
        pty.write(&ERROR);
        return true;
    };
    *last = wrap(*code + 1, &answer);
    let half = last.get(..last.len() / 2).unwrap_or_default();
    if faults.noise {
        pty.write(&[0x00, 0xFF, 0x03, 0xFD, 0xD5]);
    }
    if faults.pull_in_the_middle && *code == 0x4A && answer.first() != Some(&0) {
        pty.write(half);
        locked(state).faults.pull_in_the_middle = false;
        return false;
    }
    if once(&mut faults.half_frames, state, |faults| &mut faults.half_frames) {
        pty.write(half);
        return true;
    }
    if once(&mut faults.broken, state, |faults| &mut faults.broken) {
        let mut broken = last.clone();
        if let Some(byte) = broken.get_mut(7) {
            *byte ^= 0x40;
        }
        pty.write(&broken);
        return true;
    }
    pty.write(last);
    true
}

/// Whether a fault happens now, and one less from then on.
fn once(left: &mut u32, state: &Mutex<State>, fault: fn(&mut Faults) -> &mut u32) -> bool {
    if *left == 0 {
        return false;
    }
    let mut state = locked(state);
    let left = fault(&mut state.faults);
    *left = left.saturating_sub(1);
    true
}

/// What the chip says to a command; `None` where it says that it does not know it.
fn answer(state: &Mutex<State>, stop: &AtomicBool, code: u8, parameters: &[u8]) -> Option<Vec<u8>> {
    match (code, parameters) {
        (0x14, _) => {
            locked(state).configured = true;
            Some(vec![])
        }
        (0x02, _) => Some(vec![0x32, 0x01, 0x06, 0x07]),
        _ if !locked(state).configured => None,
        (0x12, _) => Some(vec![]),
        // RFConfiguration: the field, and how often activation is tried.
        (0x32, [0x01, field, ..]) => {
            if field & 1 == 0 {
                locked(state)
                    .cards
                    .iter_mut()
                    .for_each(|card| card.halted = false);
            }
            Some(vec![])
        }
        (0x32, [0x05, _, _, tries, ..]) => {
            locked(state).limited = *tries != 0xFF;
            Some(vec![])
        }
        (0x52, _) => {
            locked(state).cards.iter_mut().for_each(|card| card.halted = true);
            Some(vec![0x00])
        }
        (0x4A, [most, 0x00, ..]) => {
            let mut listed = list(&locked(state), *most);
            while listed == [0] && !locked(state).limited && !stop.load(Ordering::Relaxed) {
                std::thread::park_timeout(AIR);
                listed = list(&locked(state), *most);
            }
            std::thread::park_timeout(AIR);
            Some(listed)
        }
        _ => None,
    }
}

/// NbTg, then Tg, SENS_RES, SEL_RES, length and NFCID1 of each card that answers.
fn list(state: &State, most: u8) -> Vec<u8> {
    let cards: Vec<_> = state
        .cards
        .iter()
        .filter(|card| !card.halted)
        .take(usize::from(most))
        .collect();
    let mut answer = vec![u8::try_from(cards.len()).unwrap_or(0)];
    for (number, card) in (1..).zip(cards) {
        let (sens, sel): (u8, u8) = match card.uid.len() {
            4 => (0x04, 0x08),
            7 => (0x44, 0x00),
            _ => (0x84, 0x00),
        };
        answer.extend([number, 0x00, sens, sel]);
        answer.push(u8::try_from(card.uid.len()).unwrap_or(0));
        answer.extend_from_slice(&card.uid);
    }
    answer
}

fn wrap(code: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
    let mut frame = vec![0, 0, 0xFF, length, length.wrapping_neg(), 0xD5, code];
    frame.extend_from_slice(data);
    let sum = data
        .iter()
        .fold(0xD5_u8.wrapping_add(code), |sum, byte| sum.wrapping_add(*byte));
    frame.extend([sum.wrapping_neg(), 0]);
    frame
}
