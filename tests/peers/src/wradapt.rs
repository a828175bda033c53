//! A SALTO wall reader behind a WRADAPT, on a pty. It only speaks.

use crate::pty::{Pty, fresh_path};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The adaptor.
#[derive(Debug)]
pub struct Wradapt {
    path: PathBuf,
    pty: Option<Pty>,
}

impl Wradapt {
    /// Plugs an adaptor in.
    ///
    /// # Errors
    /// What the system said.
    pub fn start() -> io::Result<Self> {
        let path = fresh_path("wradapt");
        let pty = Some(Pty::open(&path)?);
        Ok(Self { path, pty })
    }

    /// What the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A card, as `STX data ETX` and the XOR of those.
    pub fn frame(&self, data: &str) {
        let mut frame = vec![0x02];
        frame.extend_from_slice(data.as_bytes());
        frame.push(0x03);
        frame.push(frame.iter().fold(0, |xor, byte| xor ^ byte));
        self.bytes(&frame);
    }

    /// A card, as plain text.
    pub fn text(&self, data: &str) {
        self.bytes(format!("{data}\r\n").as_bytes());
    }

    /// Any bytes.
    pub fn bytes(&self, bytes: &[u8]) {
        if let Some(pty) = &self.pty {
            pty.write(bytes);
        }
    }

    /// Pulls the serial adapter.
    pub fn unplug(&mut self) {
        self.pty = None;
    }

    /// Puts it back, as another device behind the same path.
    ///
    /// # Errors
    /// What the system said.
    pub fn plug(&mut self) -> io::Result<()> {
        self.pty = Some(Pty::open(&self.path)?);
        Ok(())
    }
}
