//! The real pcscd with vsmartcard's virtual readers, and virtual cards that speak vpicc to them. pcscd has a mount namespace
//! of its own, so it meets neither the machine's pcscd nor another test's: its folder `/run/pcscd` is a temporary one, and
//! clients find its socket by `PCSCLITE_CSOCK_NAME`.

use crate::pty::fresh_path;
use std::{
    collections::VecDeque,
    fs, io,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The driver of Debian's package vsmartcard-vpcd.
const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const DAEMON: &str = "/usr/sbin/pcscd";
/// How long the daemon may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is missing for all this, in words, or nothing.
#[must_use]
pub fn missing() -> Option<String> {
    let absent: Vec<&str> = [(DAEMON, "pcscd"), (DRIVER, "vsmartcard-vpcd")]
        .into_iter()
        .filter(|(file, _)| !Path::new(file).exists())
        .map(|(_, package)| package)
        .collect();
    (!absent.is_empty()).then(|| format!("the package {} is not installed", absent.join(" and ")))
}

/// pcscd with two virtual readers, `Virtual PCD 00 00` and `Virtual PCD 00 01`.
#[derive(Debug)]
pub struct Pcscd {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Pcscd {
    /// A daemon that is not started yet.
    ///
    /// # Errors
    /// What the system said.
    pub fn new() -> io::Result<Self> {
        let folder = fresh_path("pcscd");
        fs::create_dir_all(folder.join("run"))?;
        fs::create_dir_all(folder.join("conf"))?;
        Ok(Self {
            folder,
            port: 0,
            child: None,
        })
    }

    /// For `PCSCLITE_CSOCK_NAME`.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("run/pcscd.comm")
    }

    /// Starts it, and waits until it listens for clients and for cards.
    ///
    /// # Errors
    /// What the system said, or that it did not begin to listen.
    pub fn start(&mut self) -> io::Result<()> {
        for _ in 0..5 {
            self.port = free_pair()?;
            if self.try_start()? {
                return Ok(());
            }
            self.stop();
        }
        Err(io::Error::other("pcscd did not listen; see its output"))
    }

    fn try_start(&mut self) -> io::Result<bool> {
        let conf = self.folder.join("conf");
        let reader = format!(
            "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{0}\nLIBPATH {DRIVER}\nCHANNELID {0}\n",
            self.port
        );
        fs::write(conf.join("vpcd"), reader)?;
        let run = self.folder.join("run");
        let script = "mkdir -p /run/pcscd && mount --bind \"$1\" /run/pcscd && exec \"$2\" --foreground --auto-exit --config \"$3\"";
        let mut unshare = Command::new("unshare");
        if !Command::new("unshare")
            .args(["-m", "true"])
            .stderr(Stdio::null())
            .status()?
            .success()
        {
            unshare.arg("-r");
        }
        let child = unshare
            .args(["-m", "sh", "-c", script, "pcscd"])
            .arg(&run)
            .arg(DAEMON)
            .arg(&conf)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        self.child = Some(child);
        let began = now();
        while began.elapsed() < PATIENCE {
            if UnixStream::connect(self.socket()).is_ok() {
                return Ok(self.listens());
            }
            let ended = self.child.as_mut().map_or(Ok(None), Child::try_wait)?;
            if ended.is_some() {
                return Ok(false);
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(false)
    }

    /// Whether both readers wait for their cards. Looked up and not tried: a connection would be a card.
    fn listens(&self) -> bool {
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        (self.port..self.port + 2).all(|port| table.contains(&format!(":{port:04X} 00000000:0000 0A")))
    }

    /// kill -9.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_file(self.folder.join("run/pcscd.pid"));
    }

    /// Lays a card on one of the two readers, 0 or 1. It is taken away when it is dropped.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn lay(&self, slot: u16, card: Card) -> io::Result<Laid> {
        let stream = TcpStream::connect(("127.0.0.1", self.port + slot))?;
        stream.set_nodelay(true)?;
        let told = Arc::<Told>::default();
        let (ours, theirs) = (stream.try_clone()?, Arc::clone(&told));
        let thread = std::thread::Builder::new().name("card".into());
        let thread = thread.spawn(move || {
            // The end of the connection is the end of the card.
            let _ = serve(ours, card, &theirs);
            theirs.set(|seen| seen.gone = true);
        })?;
        Ok(Laid {
            stream,
            told,
            thread: Some(thread),
        })
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Two ports one behind the other that nobody has: the driver's second reader takes the next one.
fn free_pair() -> io::Result<u16> {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0")?;
        let port = first.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no two free ports"))
}

/// A contactless card, as a reader shows it to pcscd.
#[derive(Clone, Debug)]
pub struct Card {
    answers: VecDeque<Vec<u8>>,
    vanishes: bool,
}

impl Card {
    /// A card whose UID is read at once.
    #[must_use]
    pub fn new(uid: &[u8]) -> Self {
        Self::answering(&[&[uid, &[0x90, 0x00]].concat()])
    }

    /// A card whose reader gives these answers to the question for the UID, the last one for ever.
    #[must_use]
    pub fn answering(answers: &[&[u8]]) -> Self {
        Self {
            answers: answers.iter().map(|answer| answer.to_vec()).collect(),
            vanishes: false,
        }
    }

    /// A card that is taken away when it is asked.
    #[must_use]
    pub fn vanishing() -> Self {
        Self {
            answers: VecDeque::new(),
            vanishes: true,
        }
    }
}

/// What a card saw.
#[derive(Debug, Default)]
struct Told {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    powered: Option<Instant>,
    asked: Option<Instant>,
    questions: Vec<Vec<u8>>,
    gone: bool,
}

impl Told {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn set(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// A card on a virtual reader.
#[derive(Debug)]
pub struct Laid {
    stream: TcpStream,
    told: Arc<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Laid {
    /// When pcscd first switched the card on: it had noticed it.
    #[must_use]
    pub fn powered(&self) -> Option<Instant> {
        self.told.lock().powered
    }
    /// When its UID was first asked for.
    #[must_use]
    pub fn asked(&self) -> Option<Instant> {
        self.told.lock().asked
    }
    /// The APDUs so far.
    #[must_use]
    pub fn questions(&self) -> Vec<Vec<u8>> {
        self.told.lock().questions.clone()
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// vpicc: messages with a length of 16 bits before them. One byte is a control: 0 off, 1 on, 2 reset, 4 asks for the ATR.
fn serve(mut stream: TcpStream, mut card: Card, told: &Told) -> io::Result<()> {
    // A contactless memory card at a PC/SC 2.01 reader (part 3, 3.1.3.2.3).
    const ATR: [u8; 20] = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0x00, 0x00,
        0x00, 0x00, 0x6A,
    ];
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        match message.as_slice() {
            [4] => say(&mut stream, &ATR)?,
            [1 | 2] => told.set(|seen| seen.powered = seen.powered.or_else(|| Some(now()))),
            [_] | [] => {}
            [0xFF, 0xCA, 0x00, 0x00, ..] => {
                told.set(|seen| {
                    seen.asked = seen.asked.or_else(|| Some(now()));
                    seen.questions.push(message.clone());
                });
                if card.vanishes {
                    return stream.shutdown(std::net::Shutdown::Both);
                }
                let answer = match card.answers.len() {
                    0 | 1 => card.answers.front().cloned(),
                    _ => card.answers.pop_front(),
                };
                say(&mut stream, &answer.unwrap_or_else(|| vec![0x6A, 0x81]))?;
            }
            _ => say(&mut stream, &[0x6D, 0x00])?,
        }
    }
}

fn say(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let mut framed = u16::try_from(message.len()).unwrap_or(0).to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    stream.write_all(&framed)
}

#[expect(clippy::disallowed_methods, reason = "the peer measures real time")]
fn now() -> Instant {
    Instant::now()
}
