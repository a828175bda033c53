//! The one user of serialport: a raw serial port that never blocks.
//!
//! Opened exclusively (TIOCEXCL and flock), 8N1 or as configured, non-blocking. Writes go into a buffer of the
//! port's own first, because libosdp's channel must not see a partial write.

use crate::config::model::Parity;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    termios::{QueueSelector, tcflush},
};
use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::Path,
    time::Duration,
};

/// More than this waiting to be sent means that the other end takes nothing: the line is as good as gone.
const OUT_LIMIT: usize = 64 * 1024;

/// How characters look on the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framing {
    pub(super) baud: u32,
    pub(super) data_bits: u8,
    pub(super) parity: Parity,
}

impl Framing {
    /// OSDP: 8 data bits, no parity, 1 stop bit (IEC 60839-11-5, 5.4).
    pub(super) const fn osdp(baud: u32) -> Self {
        Self {
            baud,
            data_bits: 8,
            parity: Parity::None,
        }
    }
}

/// An open serial port.
#[derive(Debug)]
pub(super) struct Port {
    tty: serialport::TTYPort,
    out: VecDeque<u8>,
}

impl Port {
    /// Opens `path` exclusively.
    ///
    /// # Errors
    /// What the system said: no such path, busy, no permission, not a terminal.
    pub(super) fn open(path: &Path, framing: Framing) -> io::Result<Self> {
        let data_bits = match framing.data_bits {
            7 => serialport::DataBits::Seven,
            _ => serialport::DataBits::Eight,
        };
        let parity = match framing.parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        };
        let tty = serialport::new(path.to_string_lossy(), framing.baud)
            .data_bits(data_bits)
            .parity(parity)
            .stop_bits(serialport::StopBits::One)
            .flow_control(serialport::FlowControl::None)
            .timeout(Duration::ZERO)
            .open_native()
            .map_err(io::Error::from)?;
        let port = Self {
            tty,
            out: VecDeque::new(),
        };
        // serialport clears the flag when it has opened the port.
        let flags = fcntl_getfl(&port)?;
        fcntl_setfl(&port, flags | OFlags::NONBLOCK)?;
        Ok(port)
    }

    /// Reads what is there into `buffer`; 0 when there is nothing.
    ///
    /// # Errors
    /// The adapter is gone: a hang-up or an error of the system.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&*self, buffer) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes all of `bytes` and sends as much as the system takes now; [`Self::flush`] sends the rest.
    ///
    /// # Errors
    /// The adapter is gone, or has taken nothing for 64 KiB.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.extend(bytes);
        self.flush()
    }

    /// Sends what waits, as far as the system takes it.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            let (head, _) = self.out.as_slices();
            match rustix::io::write(self.tty_fd(), head) {
                Ok(count) => drop(self.out.drain(..count.min(self.out.len()))),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.out.len() > OUT_LIMIT {
            return Err(io::Error::from(io::ErrorKind::WriteZero));
        }
        Ok(())
    }

    #[expect(unsafe_code, reason = "serialport 4.10 has AsRawFd and no AsFd")]
    fn tty_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: `tty` owns the descriptor and keeps it open for as long as `self` is borrowed.
        unsafe { BorrowedFd::borrow_raw(self.tty.as_raw_fd()) }
    }

    /// Waits until there is something to read, room to send what waits, or a wake-up; at most `timeout`.
    pub(super) fn wait(port: Option<&Self>, wake: BorrowedFd<'_>, timeout: Duration) {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        let wake = PollFd::from_borrowed_fd(wake, PollFlags::IN);
        // The outcome does not matter: the line looks at everything after each wait.
        let _ = match port {
            None => poll(&mut [wake], Some(&timeout)),
            Some(port) => {
                let mut wanted = PollFlags::IN;
                if !port.out.is_empty() {
                    wanted |= PollFlags::OUT;
                }
                poll(&mut [wake, PollFd::new(port, wanted)], Some(&timeout))
            }
        };
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Otherwise closing waits, for up to 30 s, until a stuck adapter has taken what was written.
        let _ = tcflush(&*self, QueueSelector::OFlush);
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tty_fd()
    }
}
