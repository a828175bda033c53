//! The serial port of a PN532: 115,200 baud, 8N1 (UM0701-02, 6.2.4), opened exclusively, never blocking.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    termios::{QueueSelector, tcflush},
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::Path,
    time::Duration,
};

/// The chip's rate after a reset.
const BAUD: u32 = 115_200;

/// An open port.
#[derive(Debug)]
pub(super) struct Port(serialport::TTYPort);

impl Port {
    /// Opens `path` for nobody else.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let tty = serialport::new(path.to_string_lossy(), BAUD)
            .timeout(Duration::ZERO)
            .open_native()
            .map_err(io::Error::from)?;
        let port = Self(tty);
        let flags = fcntl_getfl(&port)?;
        fcntl_setfl(&port, flags | OFlags::NONBLOCK)?;
        Ok(port)
    }

    /// Waits for bytes until `timeout` and reads them; 0 when none came.
    ///
    /// # Errors
    /// The adapter is gone.
    pub(super) fn read(&self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        let mut wait = [PollFd::new(self, PollFlags::IN)];
        match poll(&mut wait, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(0),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match rustix::io::read(self, buffer) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends all of `bytes`: some dozen, which every system's buffer takes at once.
    ///
    /// # Errors
    /// The adapter is gone or takes nothing.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            match rustix::io::write(self, left) {
                Ok(count) => left = left.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Port {
    #[expect(unsafe_code, reason = "serialport 4.10 has AsRawFd and no AsFd")]
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: `self.0` owns the descriptor and keeps it open for as long as `self` is borrowed.
        unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Otherwise closing waits, for up to 30 s, until a stuck adapter has taken what was written.
        let _ = tcflush(&*self, QueueSelector::OFlush);
    }
}
