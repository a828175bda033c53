//! A serial adapter that is not there: a pty whose other end is found at a path that stays the same.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use std::{
    io,
    os::{fd::OwnedFd, unix::fs::symlink},
    path::{Path, PathBuf},
    sync::{
        Arc, Once,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

/// A pty with a symbolic link to its far end.
#[derive(Debug)]
pub struct Pty {
    near: OwnedFd,
    link: PathBuf,
}

impl Pty {
    /// Opens a pty and points `link` at its far end. Whatever was at `link` is replaced.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(link: &Path) -> io::Result<Self> {
        // Not for children: a daemon that inherited this end would never see the adapter being pulled.
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&near)?;
        unlockpt(&near)?;
        let mut raw = tcgetattr(&near)?;
        raw.make_raw();
        tcsetattr(&near, OptionalActions::Now, &raw)?;
        let flags = rustix::fs::fcntl_getfl(&near)?;
        rustix::fs::fcntl_setfl(&near, flags | OFlags::NONBLOCK)?;
        let far = ptsname(&near, Vec::new())?;
        let _ = std::fs::remove_file(link);
        symlink(far.to_string_lossy().as_ref(), link)?;
        Ok(Self {
            near,
            link: link.to_owned(),
        })
    }

    /// This side, non-blocking.
    #[must_use]
    pub fn near(&self) -> &OwnedFd {
        &self.near
    }

    /// The path to open on the other side.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Reads what is there; 0 when nothing is, also while nobody has the other side open.
    #[must_use]
    pub fn read(&self, buffer: &mut [u8]) -> usize {
        rustix::io::read(&self.near, buffer).unwrap_or(0)
    }

    /// Writes all of `bytes`, waiting for room.
    pub fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match rustix::io::write(&self.near, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => std::thread::yield_now(),
                Err(_) => return,
            }
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.link);
    }
}

/// Two ptys joined by a cable: what goes in at one end comes out at the other. For peers that open a path.
#[derive(Debug)]
pub struct Cable {
    ends: [PathBuf; 2],
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Cable {
    /// Lays a cable.
    ///
    /// # Errors
    /// What the system said.
    pub fn lay() -> io::Result<Self> {
        let ends = [fresh_path("cable"), fresh_path("cable")];
        let [near, far] = &ends;
        let (near, far) = (Pty::open(near)?, Pty::open(far)?);
        // An end that nobody has open reports a hang-up at every poll: hold both open.
        let held = [
            std::fs::File::open(near.path())?,
            std::fs::File::open(far.path())?,
        ];
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("cable".into()).spawn(move || {
            let mut buffer = [0; 1024];
            while !stopped.load(Ordering::Relaxed) {
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let count = from.read(&mut buffer);
                    to.write(buffer.get(..count).unwrap_or_default());
                }
                let timeout = Timespec {
                    tv_sec: 0,
                    tv_nsec: 20_000_000,
                };
                let mut fds = [&near, &far].map(|pty| PollFd::new(pty.near(), PollFlags::IN));
                let _ = poll(&mut fds, Some(&timeout));
            }
            drop(held);
        })?;
        Ok(Self {
            ends,
            stop,
            thread: Some(thread),
        })
    }

    /// The paths of both ends.
    #[must_use]
    pub fn ends(&self) -> [&Path; 2] {
        let [near, far] = &self.ends;
        [near, far]
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A path for a link that no other simulator uses.
#[must_use]
pub fn fresh_path(kind: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static SWEPT: Once = Once::new();
    SWEPT.call_once(sweep);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("doorward-{kind}-{}-{number}", std::process::id()))
}

/// Removes the links of processes that were killed and could not do it themselves.
fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let owner = name
            .strip_prefix("doorward-")
            .and_then(|rest| rest.rsplit('-').nth(1));
        let owner = owner.and_then(|owner| owner.parse::<u32>().ok());
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if is_link && owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
