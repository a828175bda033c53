//! A wall clock for one process that a scenario sets: ahead, behind, synchronised or not. What the process asks of
//! the C library (`clock_gettime`, `adjtimex`) is answered by a small library loaded before it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

const SOURCE: &str = include_str!("false_clock.c");

/// The clock. Give [`Self::environment`] to the process.
#[derive(Debug)]
pub struct FalseClock {
    folder: PathBuf,
}

impl FalseClock {
    /// Builds the library in `folder` with the machine's C compiler. The clock is right and synchronised at first.
    ///
    /// # Errors
    /// If there is no compiler, or the folder cannot be written.
    pub fn build(folder: &Path) -> io::Result<Self> {
        let clock = Self {
            folder: folder.to_owned(),
        };
        let source = folder.join("false_clock.c");
        fs::write(&source, SOURCE)?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&clock.library(), &source])
            .output()?;
        if !built.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&built.stderr).into_owned(),
            ));
        }
        clock.set(0, true)?;
        Ok(clock)
    }

    /// Sets it so many seconds ahead (or behind), with or without the kernel's word that it is synchronised.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set(&self, seconds: i64, synchronised: bool) -> io::Result<()> {
        let draft = self.folder.join("false_clock.new");
        fs::write(&draft, format!("{seconds} {}", i32::from(synchronised)))?;
        fs::rename(draft, self.folder.join("false_clock"))
    }

    /// Names and values for the process.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", self.library()),
            ("FALSE_CLOCK", self.folder.join("false_clock")),
        ]
    }

    fn library(&self) -> PathBuf {
        self.folder.join("false_clock.so")
    }
}
