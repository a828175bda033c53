//! A bus of simulated OSDP readers on a pty, each one libosdp's own peripheral device.

use crate::pty::{Pty, fresh_path};
use libosdp::{
    Channel, ChannelError, OsdpCardFormats, OsdpCommand, OsdpEvent, OsdpEventCardRead, OsdpFlag,
    OsdpLedColor, OsdpStatusReport, OsdpStatusReportType, PdCapEntity, PdCapability, PdId, PdInfoBuilder,
    PeripheralDevice,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Instant,
};

/// A reader to simulate.
#[derive(Clone, Copy, Debug)]
pub struct PdSpec {
    /// 0 to 126.
    pub address: u8,
    /// Secure channel base key. Without one it is in install mode.
    pub key: Option<[u8; 16]>,
}

/// What a reader was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// Which reader.
    pub address: u8,
    /// What.
    pub what: What,
}

/// A command that reached a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A light for a while.
    Light {
        /// Its colour.
        color: Color,
        /// In units of 100 ms.
        timer: u16,
    },
    /// A light until further notice.
    Idle {
        /// Its colour.
        color: Color,
    },
    /// The buzzer.
    Sound {
        /// How often.
        beeps: u8,
    },
    /// An output.
    Output {
        /// Its number.
        output: u8,
        /// OSDP's control code; 5 is on for a while.
        control: u8,
        /// In units of 100 ms.
        timer: u16,
    },
}

/// Colours of a reader's light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Off.
    Off,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Amber.
    Amber,
    /// Some other.
    Other,
}

enum Order {
    Tap { address: u8, bits: usize, data: Vec<u8> },
    Inputs { address: u8, active: [bool; 2] },
    Tamper { address: u8, active: bool },
    Silence { address: u8, silent: bool },
    Restart { address: u8 },
    Garbage(Vec<u8>),
    ReplayLast,
    Corrupt(u32),
    Unplug,
    Plug,
    Stop,
}

#[derive(Default)]
struct Mailbox {
    rx: Vec<u8>,
    tx: Vec<u8>,
}

struct Mail(Arc<Mutex<Mailbox>>);

fn lock(mail: &Mutex<Mailbox>) -> MutexGuard<'_, Mailbox> {
    mail.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel for Mail {
    fn get_id(&self) -> i32 {
        1
    }
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ChannelError> {
        let mut mail = lock(&self.0);
        let count = mail.rx.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(mail.rx.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
    fn write(&mut self, buf: &[u8]) -> Result<usize, ChannelError> {
        lock(&self.0).tx.extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> Result<(), ChannelError> {
        lock(&self.0).rx.clear();
        Ok(())
    }
    fn close(&mut self) -> Result<(), ChannelError> {
        Ok(())
    }
}

struct Reader {
    spec: PdSpec,
    device: PeripheralDevice,
    mail: Arc<Mutex<Mailbox>>,
    silent: bool,
}

/// The bus: a thread that plays all its readers.
pub struct Bus {
    path: PathBuf,
    orders: Sender<Order>,
    wake: io::PipeWriter,
    seen: Mutex<Option<Receiver<Seen>>>,
    thread: Option<JoinHandle<()>>,
}

impl Bus {
    /// Starts the readers on a new pty; the gateway opens [`Self::path`].
    ///
    /// # Errors
    /// No pty, or a reader that libosdp does not accept.
    pub fn start(specs: Vec<PdSpec>) -> io::Result<Self> {
        let path = fresh_path("bus");
        let pty = Pty::open(&path)?;
        let (orders, inbox) = channel();
        let (sender, seen) = channel();
        let (woken, wake) = io::pipe()?;
        let readers = specs
            .into_iter()
            .map(|spec| Reader::new(spec, sender.clone()))
            .collect::<io::Result<Vec<_>>>()?;
        let mut site = Site {
            link: path.clone(),
            pty: Some(pty),
            readers,
            sender,
            last_reply: Vec::new(),
            corrupt: 0,
        };
        let thread = std::thread::Builder::new()
            .name("osdp-readers".into())
            .spawn(move || site.run(&inbox, &woken))?;
        Ok(Self {
            path,
            orders,
            wake,
            seen: Mutex::new(Some(seen)),
            thread: Some(thread),
        })
    }

    /// What the gateway opens. Stays the same over [`Self::unplug`] and [`Self::plug`].
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the readers were told to do, as it comes. Can be taken once; later calls get an empty one.
    #[must_use]
    pub fn observed(&self) -> Receiver<Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take().unwrap_or_else(|| channel().1)
    }

    /// Presents a card: `bits` bits, left-aligned in `data`.
    pub fn tap(&self, address: u8, bits: usize, data: &[u8]) {
        let data = data.to_vec();
        self.order(Order::Tap { address, bits, data });
    }
    /// Sets the reader's two inputs, and reports them at the next poll.
    pub fn inputs(&self, address: u8, active: [bool; 2]) {
        self.order(Order::Inputs { address, active });
    }
    /// Opens or closes the reader's tamper switch.
    pub fn tamper(&self, address: u8, active: bool) {
        self.order(Order::Tamper { address, active });
    }
    /// Takes one reader off the bus, or puts it back without a loss of power.
    pub fn silence(&self, address: u8, silent: bool) {
        self.order(Order::Silence { address, silent });
    }
    /// Interrupts a reader's power: it forgets its secure channel.
    pub fn restart(&self, address: u8) {
        self.order(Order::Restart { address });
    }
    /// Puts bytes on the line that belong to nothing.
    pub fn garbage(&self, bytes: &[u8]) {
        self.order(Order::Garbage(bytes.to_vec()));
    }
    /// Sends the last reply that any reader sent once more.
    pub fn replay_last(&self) {
        self.order(Order::ReplayLast);
    }
    /// Flips a bit in each of the next `count` replies.
    pub fn corrupt(&self, count: u32) {
        self.order(Order::Corrupt(count));
    }
    /// Pulls the serial adapter: the path is gone, whoever has it open gets an error.
    pub fn unplug(&self) {
        self.order(Order::Unplug);
    }
    /// Puts the adapter back, as another device behind the same path.
    pub fn plug(&self) {
        self.order(Order::Plug);
    }

    fn order(&self, order: Order) {
        let _ = self.orders.send(order);
        let _ = io::Write::write(&mut &self.wake, &[0]);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Reader {
    fn new(spec: PdSpec, seen: Sender<Seen>) -> io::Result<Self> {
        let mail = Arc::<Mutex<Mailbox>>::default();
        let device = device(spec, Arc::clone(&mail), seen).map_err(io::Error::other)?;
        Ok(Self {
            spec,
            device,
            mail,
            silent: false,
        })
    }
}

fn device(
    spec: PdSpec,
    mail: Arc<Mutex<Mailbox>>,
    seen: Sender<Seen>,
) -> Result<PeripheralDevice, libosdp::OsdpError> {
    let mut info = PdInfoBuilder::new()
        .name(&format!("pd-{}", spec.address))?
        .address(i32::from(spec.address))?
        .baud_rate(115_200)?
        .id(&PdId::from_number(spec.address))
        .capabilities(&[
            PdCapability::ContactStatusMonitoring(PdCapEntity::new(1, 2)),
            PdCapability::OutputControl(PdCapEntity::new(3, 2)),
            PdCapability::CardDataFormat(PdCapEntity::new(1, 0)),
            PdCapability::LedControl(PdCapEntity::new(3, 1)),
            PdCapability::AudibleOutput(PdCapEntity::new(2, 1)),
            PdCapability::CheckCharacterSupport(PdCapEntity::new(1, 0)),
            PdCapability::CommunicationSecurity(PdCapEntity::new(1, 1)),
            PdCapability::Readers(PdCapEntity::new(0, 1)),
        ]);
    info = match spec.key {
        Some(key) => info.secure_channel_key(key).flag(OsdpFlag::EnforceSecure),
        None => info.flag(OsdpFlag::InstallMode),
    };
    let mut device = PeripheralDevice::new(info, Box::new(Mail(mail)))?;
    device.set_command_callback(move |command| {
        if let Some(what) = what(command) {
            let _ = seen.send(Seen {
                at: now(),
                address: spec.address,
                what,
            });
        }
        0
    });
    Ok(device)
}

/// The peers' own clock, the one of [`Seen::at`].
#[expect(clippy::disallowed_methods, reason = "a peer has its own clock")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

fn color(color: OsdpLedColor) -> Color {
    match color {
        OsdpLedColor::None => Color::Off,
        OsdpLedColor::Red => Color::Red,
        OsdpLedColor::Green => Color::Green,
        OsdpLedColor::Amber => Color::Amber,
        _ => Color::Other,
    }
}

fn what(command: &OsdpCommand) -> Option<What> {
    match command {
        OsdpCommand::Led(led) if led.temporary.control_code == 2 => Some(What::Light {
            color: color(led.temporary.on_color),
            timer: led.temporary.timer_count,
        }),
        OsdpCommand::Led(led) if led.permanent.control_code == 1 => Some(What::Idle {
            color: color(led.permanent.on_color),
        }),
        OsdpCommand::Buzzer(buzzer) => Some(What::Sound {
            beeps: buzzer.rep_count,
        }),
        OsdpCommand::Output(output) => Some(What::Output {
            output: output.output_no,
            control: output.control_code,
            timer: output.timer_count,
        }),
        _ => None,
    }
}

struct Site {
    link: PathBuf,
    pty: Option<Pty>,
    readers: Vec<Reader>,
    sender: Sender<Seen>,
    last_reply: Vec<u8>,
    corrupt: u32,
}

impl Site {
    fn run(&mut self, inbox: &Receiver<Order>, woken: &io::PipeReader) {
        let mut buffer = [0; 4096];
        loop {
            while let Ok(order) = inbox.try_recv() {
                if matches!(order, Order::Stop) {
                    return;
                }
                self.carry_out(order);
            }
            self.play();
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: 20_000_000,
            };
            let wake = PollFd::new(woken, PollFlags::IN);
            let pty = self
                .pty
                .as_ref()
                .map(|pty| PollFd::new(pty.near(), PollFlags::IN));
            let mut fds: Vec<PollFd<'_>> = std::iter::once(wake).chain(pty).collect();
            let _ = poll(&mut fds, Some(&timeout));
            let hung_up = fds.get(1).is_some_and(|fd| fd.revents().contains(PollFlags::HUP));
            if fds.first().is_some_and(|fd| fd.revents().contains(PollFlags::IN)) {
                let _ = io::Read::read(&mut &*woken, &mut buffer);
            } else if hung_up {
                // Nobody has the other end open: the poll would return at once, over and over.
                let mut wake = [PollFd::new(woken, PollFlags::IN)];
                let timeout = Timespec {
                    tv_sec: 0,
                    tv_nsec: 5_000_000,
                };
                let _ = poll(&mut wake, Some(&timeout));
            }
        }
    }

    fn play(&mut self) {
        let Some(pty) = &self.pty else { return };
        let mut buffer = [0; 1024];
        let count = pty.read(&mut buffer);
        let heard = buffer.get(..count).unwrap_or_default();
        for reader in self.readers.iter_mut().filter(|reader| !reader.silent) {
            lock(&reader.mail).rx.extend_from_slice(heard);
            reader.device.refresh();
            let mut reply = std::mem::take(&mut lock(&reader.mail).tx);
            if reply.is_empty() {
                continue;
            }
            self.last_reply.clone_from(&reply);
            if self.corrupt > 0 {
                self.corrupt -= 1;
                if let Some(byte) = reply.last_mut() {
                    *byte ^= 0x10;
                }
            }
            pty.write(&reply);
        }
    }

    fn reader(&mut self, address: u8) -> Option<&mut Reader> {
        self.readers
            .iter_mut()
            .find(|reader| reader.spec.address == address)
    }

    fn notify(&mut self, address: u8, event: OsdpEvent) {
        if let Some(reader) = self.reader(address) {
            let _ = reader.device.notify_event(event);
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Tap { address, bits, data } => {
                let read = OsdpEventCardRead {
                    reader_no: 0,
                    format: OsdpCardFormats::Unspecified,
                    direction: false,
                    nr_bits: bits,
                    data,
                };
                self.notify(address, OsdpEvent::CardRead(read));
            }
            Order::Inputs { address, active } => {
                self.report(address, OsdpStatusReportType::Input, active);
            }
            Order::Tamper { address, active } => {
                self.report(address, OsdpStatusReportType::Local, [active, false]);
            }
            Order::Silence { address, silent } => {
                if let Some(reader) = self.reader(address) {
                    reader.silent = silent;
                }
            }
            Order::Restart { address } => {
                let sender = self.sender.clone();
                if let Some(reader) = self.reader(address)
                    && let Ok(fresh) = Reader::new(reader.spec, sender)
                {
                    *reader = fresh;
                }
            }
            Order::Garbage(bytes) => {
                if let Some(pty) = &self.pty {
                    pty.write(&bytes);
                }
            }
            Order::ReplayLast => {
                if let Some(pty) = &self.pty {
                    pty.write(&self.last_reply);
                }
            }
            Order::Corrupt(count) => self.corrupt = count,
            Order::Unplug => self.pty = None,
            Order::Plug => self.pty = Pty::open(&self.link).ok(),
            Order::Stop => {}
        }
    }

    fn report(&mut self, address: u8, type_: OsdpStatusReportType, active: [bool; 2]) {
        let mut report = [0; 64];
        for (to, from) in report.iter_mut().zip(active) {
            *to = u8::from(from);
        }
        self.notify(
            address,
            OsdpEvent::Status(OsdpStatusReport {
                type_,
                nr_entries: 2,
                report,
            }),
        );
    }
}
