//! Tells when the configuration should be read again: SIGHUP, or another content of the file. What is done about it
//! is the daemon's decision; a file that cannot be used is reported there, and the one in force stays.

use notify::{RecursiveMode, Watcher};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Component, Path, PathBuf},
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// A file is written in several steps (truncate, write, rename); it is looked at when nothing happened for this long.
const QUIET: Duration = Duration::from_millis(200);
/// An editor that never rests must not hold the reload back for ever.
const AT_MOST: Duration = Duration::from_secs(2);
/// Some changes give no event (network file systems, a folder that comes back). This is the net below.
const NET: Duration = Duration::from_secs(30);

/// Why the configuration should be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// SIGHUP: read it again even if the file is the same, for secrets may have changed.
    Signal,
    /// The file's content is another one, or the file is gone.
    File,
}

/// Why there is no watch.
#[derive(Debug, thiserror::Error)]
#[error("SIGHUP cannot be listened for: {0}")]
pub struct WatchError(#[from] std::io::Error);

/// A watch over one file. It ends when this is dropped.
#[derive(Debug)]
pub struct ConfigWatch {
    triggers: mpsc::Receiver<Trigger>,
    task: JoinHandle<()>,
    degraded: Option<String>,
}

impl ConfigWatch {
    /// Begins to watch. Needs a tokio runtime with signals and time. What the file holds now counts as known, so
    /// start it before the configuration is read for the first time.
    ///
    /// # Errors
    /// When the signal cannot be listened for.
    pub fn start(file: &Path) -> Result<Self, WatchError> {
        let hangup = signal(SignalKind::hangup())?;
        let (send, triggers) = mpsc::channel(8);
        let (notice, notices) = mpsc::channel(1);
        // A full channel means that a look is due anyway.
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = notice.try_send(());
            }
        });
        let mut eye = Eye {
            file: file.to_owned(),
            watcher: None,
            watched: BTreeSet::new(),
        };
        let degraded = match watcher {
            Ok(watcher) => {
                eye.watcher = Some(watcher);
                eye.follow_links()
            }
            Err(error) => Some(error),
        };
        let degraded = degraded.map(|error| {
            let (file, reason) = (file.display(), error.to_string());
            // The system's part of the message; which path it means is behind it.
            let reason = reason.split(" about [").next().unwrap_or_default();
            format!(
                "a change of {file} is noticed only after up to {} s, because its folder cannot be watched ({reason}): \
                 let the gateway's user read the folder, or say `systemctl reload doorward` after a change",
                NET.as_secs()
            )
        });
        let known = content(file);
        let task = tokio::spawn(watch(eye, known, hangup, notices, send));
        Ok(Self {
            triggers,
            task,
            degraded,
        })
    }

    /// Waits until the configuration should be read again. Safe to cancel: nothing is missed.
    pub async fn changed(&mut self) -> Trigger {
        match self.triggers.recv().await {
            Some(trigger) => trigger,
            // The task ends with the runtime only.
            None => std::future::pending().await,
        }
    }

    /// Set when the system gives no notice of changes: then they are found late. For health.
    #[must_use]
    pub fn degraded(&self) -> Option<&str> {
        self.degraded.as_deref()
    }
}

impl Drop for ConfigWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The folders in which a change may mean another content: the file's own, and those that links lead through.
struct Eye {
    file: PathBuf,
    watcher: Option<notify::RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Eye {
    /// Watches folders, not the file: editors and mounts put another file in its place.
    fn follow_links(&mut self) -> Option<notify::Error> {
        let watcher = self.watcher.as_mut()?;
        let folders = on_the_way(&self.file);
        for gone in self.watched.difference(&folders) {
            let _ = watcher.unwatch(gone); // it may be deleted by now
        }
        let mut failure = None;
        let mut watched = BTreeSet::new();
        for folder in folders {
            // Anew each time: a folder of that name may be another one by now.
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => _ = watched.insert(folder),
                Err(error) => failure = Some(error),
            }
        }
        self.watched = watched;
        failure
    }
}

/// The most links that are followed, as the kernel does (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The folders in which a change may lead to another file: the file's own, and that of each link on the way to it, whether the
/// link is the file or one of its folders. All without links, so that another target is another folder.
fn on_the_way(file: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut ahead: Vec<OsString> = names(&whole);
    let (mut at, mut links) = (PathBuf::new(), 0);
    while let Some(name) = ahead.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name); // "/" begins anew
        match std::fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                folders.insert(at.clone());
                ahead.extend(names(&target));
            }
            _ => at = next,
        }
    }
    folders.extend(at.parent().map(Path::to_owned));
    folders
}

/// The parts of a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut names: Vec<OsString> = parts.map(|part| part.as_os_str().to_owned()).collect();
    names.reverse();
    names
}

/// The whole content, some kilobytes: times and sizes are the same for two quick edits.
fn content(file: &Path) -> Option<Vec<u8>> {
    std::fs::read(file).ok()
}

async fn watch(
    mut eye: Eye,
    mut known: Option<Vec<u8>>,
    mut hangup: Signal,
    mut notices: mpsc::Receiver<()>,
    send: mpsc::Sender<Trigger>,
) {
    let mut net = interval(NET);
    net.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => {
                known = content(&eye.file);
                if send.send(Trigger::Signal).await.is_err() {
                    return;
                }
                continue;
            }
            Some(()) = notices.recv() => quiet(&mut notices).await,
            _ = net.tick() => {}
        }
        let _ = eye.follow_links();
        let now = content(&eye.file);
        if now != known {
            known = now;
            if send.send(Trigger::File).await.is_err() {
                return;
            }
        }
    }
}

async fn quiet(notices: &mut mpsc::Receiver<()>) {
    let end = Instant::now() + AT_MOST;
    loop {
        let rest = (Instant::now() + QUIET).min(end);
        tokio::select! {
            Some(()) = notices.recv() => {}
            () = sleep_until(rest) => return,
        }
        if rest == end {
            return;
        }
    }
}
