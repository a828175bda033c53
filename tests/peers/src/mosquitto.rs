//! A real mosquitto on a free port: plain or TLS, with users or client certificates; killed and restarted at will.

use std::{
    fmt::Write as _,
    fs,
    io::{self, BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// Files for a TLS listener, PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The authority that issued client certificates.
    pub ca: PathBuf,
    /// The broker's certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whether clients must bring a certificate; its common name is then their user.
    pub require_client_cert: bool,
}

/// How the broker is to be set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// TLS on the main listener; plain otherwise. A second, plain, anonymous listener is always there for watching.
    pub tls: Option<Tls>,
    /// The one user and password that the main listener knows; everybody otherwise.
    pub user: Option<(String, String)>,
}

/// A running (or killed) broker. Killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    /// Port of the main listener; stays the same over restarts.
    pub port: u16,
    /// Port of the plain, anonymous listener on loopback.
    pub plain_port: u16,
    config: PathBuf,
    child: Option<Child>,
    log: Lines,
}

/// Lines that a process wrote, and a way to wait for one.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a pipe to its end on a thread of its own.
    pub fn follow(&self, pipe: impl io::Read + Send + 'static) {
        let lines = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                lines.lock().push(line);
                lines.0.1.notify_all();
            }
        });
    }

    /// Everything so far.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// Waits until `enough` holds for the lines so far, and returns them.
    ///
    /// # Errors
    /// `TimedOut` with the lines that came, if it does not hold within `limit`.
    pub fn wait(&self, limit: Duration, enough: impl Fn(&[String]) -> bool) -> io::Result<Vec<String>> {
        let (lines, over) = self
            .0
            .1
            .wait_timeout_while(self.lock(), limit, |lines| !enough(lines))
            .unwrap_or_else(PoisonError::into_inner);
        if over.timed_out() {
            let tail: Vec<_> = lines.iter().rev().take(20).rev().cloned().collect();
            return Err(io::Error::new(io::ErrorKind::TimedOut, tail.join("\n")));
        }
        Ok(lines.clone())
    }
}

const LIMIT: Duration = Duration::from_secs(20);

impl Mosquitto {
    /// Starts a broker; its files go to `dir`. Returns when it listens.
    ///
    /// # Errors
    /// If mosquitto is not installed or does not start.
    pub fn start(dir: &Path, setup: &Setup) -> io::Result<Self> {
        // A free port may be taken by somebody else before mosquitto has it: then take another.
        let mut last = io::Error::other("not tried");
        for _ in 0..5 {
            let mut broker = Self {
                port: free_port()?,
                plain_port: free_port()?,
                config: dir.join("mosquitto.conf"),
                child: None,
                log: Lines::default(),
            };
            broker.write_config(dir, setup)?;
            match broker.restart() {
                Ok(()) => return Ok(broker),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn write_config(&self, dir: &Path, setup: &Setup) -> io::Result<()> {
        // Standard error, since mosquitto buffers its standard output when that is a pipe.
        let mut text = String::from(
            "user root\nper_listener_settings true\npersistence false\nlog_dest stderr\nlog_type all\n\
             set_tcp_nodelay true\n",
        );
        let mut line = |args: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{args}"); // a String takes everything
        };
        line(format_args!("listener {} 127.0.0.1", self.plain_port));
        line(format_args!("allow_anonymous true"));
        line(format_args!("listener {} 127.0.0.1", self.port));
        if let Some(tls) = &setup.tls {
            line(format_args!("cafile {}", tls.ca.display()));
            line(format_args!("certfile {}", tls.cert.display()));
            line(format_args!("keyfile {}", tls.key.display()));
            if tls.require_client_cert {
                line(format_args!(
                    "require_certificate true\nuse_identity_as_username true"
                ));
            }
        }
        match &setup.user {
            None => line(format_args!("allow_anonymous true")),
            Some((user, password)) => {
                let file = dir.join("passwords");
                let status = Command::new("mosquitto_passwd")
                    .args(["-b", "-c"])
                    .args([file.as_os_str(), user.as_ref(), password.as_ref()])
                    .stderr(Stdio::null())
                    .status()?;
                if !status.success() {
                    return Err(io::Error::other("mosquitto_passwd failed"));
                }
                line(format_args!(
                    "allow_anonymous false\npassword_file {}",
                    file.display()
                ));
            }
        }
        fs::write(&self.config, text)
    }

    /// Starts the broker again after [`Self::kill`], on the same ports. Returns when it listens.
    ///
    /// # Errors
    /// If it does not start; the error holds the end of its log.
    pub fn restart(&mut self) -> io::Result<()> {
        self.log = Lines::default();
        let mut child = Command::new("/usr/sbin/mosquitto")
            .arg("-c")
            .arg(&self.config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0) // a Ctrl-C in the terminal is not for it
            .spawn()?;
        if let Some(pipe) = child.stdout.take() {
            self.log.follow(pipe);
        }
        if let Some(pipe) = child.stderr.take() {
            self.log.follow(pipe);
        }
        self.child = Some(child);
        let running = |lines: &[String]| {
            lines
                .iter()
                .any(|line| line.ends_with(" running") || line.contains("Error:"))
        };
        let lines = self.log.wait(LIMIT, running)?;
        if lines.iter().any(|line| line.ends_with(" running")) {
            return Ok(());
        }
        self.kill();
        Err(io::Error::other(lines.join("\n")))
    }

    /// Kills it with SIGKILL: it keeps nothing.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Errors mean that it is gone already, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops its process in place (SIGSTOP): connections stay, nothing is acknowledged.
    ///
    /// # Errors
    /// If there is no process, or the signal cannot be sent.
    pub fn freeze(&self) -> io::Result<()> {
        let child = self.child.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let status = Command::new("kill")
            .args(["-STOP", &child.id().to_string()])
            .status()?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| io::Error::other("kill -STOP failed"))
    }

    /// The log since the last start. Names clients, topics and sizes, never payloads.
    #[must_use]
    pub const fn log(&self) -> &Lines {
        &self.log
    }

    /// Subscribes with `mosquitto_sub`, an implementation that is not ours, on the plain listener. Returns when the
    /// broker has granted it.
    ///
    /// # Errors
    /// If mosquitto_sub is not installed or the broker does not answer.
    pub fn subscribe(&self, filter: &str) -> io::Result<Subscriber> {
        // Never used twice: an older subscriber comes back by itself after a restart and would be thrown off.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("watch-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &self.plain_port.to_string(), "-i", &name])
            // QoS 0: the broker writes to the socket at once and never queues, so what it acknowledged to a publisher
            // is out of its hands even when it is killed the next moment.
            .args(["-q", "0", "-t", filter, "-F", "%r %t %p"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = Lines::default();
        if let Some(pipe) = child.stdout.take() {
            lines.follow(pipe);
        }
        let subscriber = Subscriber { child, lines };
        let granted = format!("Sending SUBACK to {name}");
        self.log
            .wait(LIMIT, |lines| lines.iter().any(|line| line.ends_with(&granted)))?;
        Ok(subscriber)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A message as a subscriber got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether the broker had it retained.
    pub retained: bool,
    /// Topic.
    pub topic: String,
    /// Payload, as text.
    pub payload: String,
}

/// A running `mosquitto_sub`. Killed when dropped.
#[derive(Debug)]
pub struct Subscriber {
    child: Child,
    lines: Lines,
}

impl Subscriber {
    /// Everything so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        messages(&self.lines.all())
    }

    /// Waits until `enough` holds for the messages so far, and returns them.
    ///
    /// # Errors
    /// `TimedOut` if it does not hold within 20 s.
    pub fn wait(&self, enough: impl Fn(&[Message]) -> bool) -> io::Result<Vec<Message>> {
        self.lines
            .wait(LIMIT, |lines| enough(&messages(lines)))
            .map(|lines| messages(&lines))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill(); // gone already is as good
        let _ = self.child.wait();
    }
}

fn messages(lines: &[String]) -> Vec<Message> {
    let parsed = lines.iter().filter_map(|line| {
        let mut parts = line.splitn(3, ' ');
        Some(Message {
            retained: parts.next()? == "1",
            topic: parts.next()?.to_owned(),
            payload: parts.next().unwrap_or_default().to_owned(),
        })
    });
    parsed.collect()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
