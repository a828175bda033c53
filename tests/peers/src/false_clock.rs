//! Clocks for one process that a scenario sets: the one on the wall ahead, behind, synchronised or not, and the time since the
//! boot ahead, so that an hour of timers goes by at once. What the process asks of the C library (`clock_gettime`,
//! `adjtimex`) is answered by a small library loaded before it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicI64, Ordering},
};

const SOURCE: &str = include_str!("false_clock.c");

/// The clock. Give [`Self::environment`] to the process.
#[derive(Debug)]
pub struct FalseClock {
    folder: PathBuf,
    /// As it was set last, seconds: wall and since the boot.
    wall: AtomicI64,
    since_boot: AtomicI64,
}

impl FalseClock {
    /// Builds the library in `folder` with the machine's C compiler. The clock is right and synchronised at first.
    ///
    /// # Errors
    /// If there is no compiler, or the folder cannot be written.
    pub fn build(folder: &Path) -> io::Result<Self> {
        let clock = Self {
            folder: folder.to_owned(),
            wall: AtomicI64::new(0),
            since_boot: AtomicI64::new(0),
        };
        let source = folder.join("false_clock.c");
        fs::write(&source, SOURCE)?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&clock.library(), &source])
            .arg("-ldl")
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
        self.wall.store(seconds, Ordering::Relaxed);
        self.write(synchronised)
    }

    /// So many seconds go by at once: on the wall, synchronised, and for every timer of the process.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn pass(&self, seconds: i64) -> io::Result<()> {
        self.wall.fetch_add(seconds, Ordering::Relaxed);
        self.since_boot.fetch_add(seconds, Ordering::Relaxed);
        self.write(true)
    }

    fn write(&self, synchronised: bool) -> io::Result<()> {
        let (wall, since_boot) = (
            self.wall.load(Ordering::Relaxed),
            self.since_boot.load(Ordering::Relaxed),
        );
        let draft = self.folder.join("false_clock.new");
        fs::write(&draft, format!("{wall} {} {since_boot}", i32::from(synchronised)))?;
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
