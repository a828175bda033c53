//! Where keys come from: an input device of the kernel, taken for the desk alone.

use super::keys::Key;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};
use std::{io, path::Path, time::Duration};

/// A stream of keys.
pub(super) trait Keys {
    /// Waits for keys until `timeout`, and adds them to `keys`.
    ///
    /// # Errors
    /// The device is gone.
    fn read(&mut self, keys: &mut Vec<Key>, timeout: Duration) -> io::Result<()>;
}

/// A device below `/dev/input`, by crate evdev.
pub(super) struct Grabbed(evdev::raw_stream::RawDevice);

impl Grabbed {
    /// Opens a device and takes it: from now on what it types goes nowhere else (EVIOCGRAB), until it is dropped.
    ///
    /// # Errors
    /// No permission, no such device, or somebody else has taken it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut device = evdev::raw_stream::RawDevice::open(path)?;
        device.grab()?;
        let flags = fcntl_getfl(&device)?;
        fcntl_setfl(&device, flags | OFlags::NONBLOCK)?;
        Ok(Self(device))
    }
}

impl Keys for Grabbed {
    fn read(&mut self, keys: &mut Vec<Key>, timeout: Duration) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match self.0.fetch_events() {
            Ok(events) => {
                keys.extend(events.map(|event| Key {
                    kind: event.event_type().0,
                    code: event.code(),
                    value: event.value(),
                }));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}
