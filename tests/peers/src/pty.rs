//! A serial adapter that is not there: a pty whose other end is found at a path that stays the same.

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use std::{
    io,
    os::{fd::OwnedFd, unix::fs::symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
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
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
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

/// A path for a link that no other simulator uses.
#[must_use]
pub fn fresh_path(kind: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("doorward-{kind}-{}-{number}", std::process::id()))
}
