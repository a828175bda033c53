//! One OSDP reader: its libosdp control panel, its queue, what it is known to be able to do.
//!
//! Each reader has a control panel of its own with a letter box for a channel. So the keeper of the bus
//! (`bus`) decides whose turn it is, and an absent reader does not hold the bus for libosdp's 200 ms.

use super::feedback;
use crate::config::model::OsdpReader;
use libosdp::{
    Channel, ChannelError, ControlPanel, ControlPanelBuilder, OsdpCommand, OsdpError, OsdpEvent, OsdpFlag,
    PdCapEntity, PdCapability, PdInfoBuilder,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A release that the device has not confirmed by then is given up (invariant 8: it must not come late).
const RELEASE_WITHIN: Duration = Duration::from_millis(1_000);
/// Lights and sounds older than this mean nothing any more.
const FEEDBACK_WITHIN: Duration = Duration::from_millis(3_000);
/// libosdp polls a reader when more than OSDP_PD_POLL_TIMEOUT_MS (.cargo/config.toml: 10) whole milliseconds
/// have passed since its last reply.
const POLL_AFTER: Duration = Duration::from_millis(11);
/// The command that begins the secure channel's handshake, osdp_CHLNG.
const CHALLENGE: u8 = 0x76;
/// The reply code of osdp_BUSY: the reader asks for the command again, later.
pub(super) const BUSY: u8 = 0x79;
/// The reply code of osdp_NAK. A reader that lost its power says so out of sequence; libosdp then starts afresh.
pub(super) const NAK: u8 = 0x41;
/// The reply codes that bring a card: osdp_RAW, and osdp_FMT, which the standard no longer has.
const RAW: u8 = 0x50;
const FMT: u8 = 0x51;
/// The most commands that wait for a device.
const QUEUE: usize = 32;

/// What libosdp wants to send and what it is given to read.
#[derive(Debug, Default)]
struct Mailbox {
    rx: Vec<u8>,
    tx: Vec<u8>,
}

/// State that libosdp-rs holds a pointer to for ever: it never frees channel and callback. Both are only an
/// `Arc` to this, and a rebuilt panel uses the same one, so that a rebuild leaks two pointers and their boxes.
#[derive(Clone, Debug, Default)]
struct Shared {
    mail: Arc<Mutex<Mailbox>>,
    events: Arc<Mutex<VecDeque<OsdpEvent>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock; and nothing may panic below libosdp's C frames.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct MailChannel(Arc<Mutex<Mailbox>>);

impl Channel for MailChannel {
    fn get_id(&self) -> i32 {
        1 // one reader in each control panel, so the number need not differ
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

/// A command that waits for its turn.
#[derive(Debug)]
struct Queued {
    command: OsdpCommand,
    code: u8,
    /// Given up when it has not been sent by then.
    until: Duration,
}

/// A release that has been sent and not been confirmed.
#[derive(Clone, Copy, Debug)]
struct Pending {
    output: u8,
    until: Duration,
}

/// What a device reports to be able to do; what it cannot do is not asked of it, since its refusal would take
/// it offline (osdp_cp.c: a NAK is always an error).
#[derive(Clone, Copy, Debug, Default)]
struct Abilities {
    light: bool,
    sound: bool,
    outputs: u8,
    inputs: u8,
}

/// What became of a device since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Online,
    Offline,
    Secure(bool),
}

/// A reader on the bus.
pub(super) struct Device {
    pub(super) config: OsdpReader,
    panel: ControlPanel,
    baud: u32,
    shared: Shared,
    queue: VecDeque<Queued>,
    releasing: Option<Pending>,
    failed_releases: Vec<u8>,
    abilities: Abilities,
    pub(super) online: bool,
    pub(super) secure: bool,
    /// Commands in a row that got no answer.
    pub(super) missed: u32,
    pub(super) unanswered: u64,
    pub(super) presentations: u64,
    /// When libosdp will want to poll it; absent while it is not online.
    pub(super) poll_due: Option<Duration>,
    /// libosdp is in the middle of a command: sent, and not answered.
    busy: bool,
    /// The code of the last command.
    pub(super) last_code: u8,
    /// The secure channel's handshake was begun since the reader was last online.
    pub(super) shaken: bool,
    /// The command that its last reply refused, and would refuse again.
    refused: Option<u8>,
    /// Lights and sounds that it reports to have, and refused.
    no_light: bool,
    no_sound: bool,
    /// How many cards had been read when its last reply brought one more, or seemed to.
    card_owed: Option<u64>,
}

impl Device {
    /// # Errors
    /// libosdp refuses the address, the baud rate or the combination of key and install mode.
    pub(super) fn new(config: &OsdpReader, baud: u32) -> Result<Self, OsdpError> {
        let shared = Shared::default();
        Ok(Self {
            panel: panel(config, baud, &shared)?,
            config: config.clone(),
            baud,
            shared,
            queue: VecDeque::new(),
            releasing: None,
            failed_releases: Vec::new(),
            abilities: Abilities::default(),
            online: false,
            secure: false,
            missed: 0,
            unanswered: 0,
            presentations: 0,
            poll_due: None,
            busy: false,
            last_code: 0,
            shaken: false,
            refused: None,
            no_light: false,
            no_sound: false,
            card_owed: None,
        })
    }

    /// Forgets everything about the connection and starts afresh. What was queued is lost, on purpose.
    pub(super) fn rebuild(&mut self) {
        match panel(&self.config, self.baud, &self.shared) {
            Ok(panel) => self.panel = panel,
            // It was built from the same words before; then the old one goes on.
            Err(error) => tracing::warn!(reader = %self.config.id, %error, "no new control panel"),
        }
        *lock(&self.shared.mail) = Mailbox::default();
        lock(&self.shared.events).clear();
        self.drop_queue();
        self.missed = 0;
        self.busy = false;
    }

    /// Queues the light between answers.
    pub(super) fn show_idle(&mut self, now: Duration) {
        if self.abilities.light {
            self.enqueue(feedback::LED, feedback::idle_light(), now + FEEDBACK_WITHIN);
        }
    }

    /// Queues light and sound for an answer.
    pub(super) fn show(&mut self, shown: crate::domain::Feedback, now: Duration) {
        // A second person must not wait for the first one's lights.
        self.queue
            .retain(|queued| !matches!(queued.code, feedback::LED | feedback::BUZ));
        if self.abilities.light {
            self.enqueue(feedback::LED, feedback::light(shown), now + FEEDBACK_WITHIN);
        }
        if self.abilities.sound {
            self.enqueue(feedback::BUZ, feedback::sound(shown), now + FEEDBACK_WITHIN);
        }
    }

    /// Queues a pulse before everything else. False when the device cannot do it now.
    pub(super) fn release(&mut self, output: u8, hold: Duration, now: Duration) -> bool {
        if !self.online || output >= self.abilities.outputs {
            return false;
        }
        self.queue.push_front(Queued {
            command: feedback::pulse(output, hold),
            code: feedback::OUT,
            until: now + RELEASE_WITHIN,
        });
        true
    }

    /// Asks for the state of inputs, or of tamper and power. False when the device has no inputs.
    pub(super) fn ask(&mut self, what: libosdp::OsdpStatusReportType, now: Duration) -> bool {
        let code = match what {
            libosdp::OsdpStatusReportType::Input if self.abilities.inputs > 0 => feedback::ISTAT,
            libosdp::OsdpStatusReportType::Local => feedback::LSTAT,
            _ => return false,
        };
        if !self.queue.iter().any(|queued| queued.code == code) {
            self.enqueue(code, feedback::ask(what), now + FEEDBACK_WITHIN);
        }
        true
    }

    fn enqueue(&mut self, code: u8, command: OsdpCommand, until: Duration) {
        if self.queue.len() < QUEUE {
            self.queue.push_back(Queued { command, code, until });
        }
    }

    /// Whether it has something to be sent that should not wait for its turn.
    pub(super) fn is_urgent(&self) -> bool {
        self.online && !self.busy && !self.queue.is_empty()
    }

    /// Lets libosdp take a step, and gives the frame that it wants to send, if any. Only while the bus is free.
    pub(super) fn step(&mut self, now: Duration) -> Option<Vec<u8>> {
        let handed = self.hand_over(now);
        // Idle, kicked, sent: libosdp takes up to three steps from a queued command to a frame.
        for _ in 0..3 {
            self.panel.refresh();
            let frame = std::mem::take(&mut lock(&self.shared.mail).tx);
            if let Some(head) = super::frame::head(&frame) {
                self.last_code = head.code;
                self.shaken |= head.code == CHALLENGE;
                self.busy = true;
                if handed.is_some_and(|code| code != head.code) {
                    // libosdp had something else in mind: what it was handed would come at a time of its own.
                    self.give_up_release();
                    self.rebuild();
                    return None;
                }
                return Some(frame);
            }
        }
        if handed == Some(feedback::OUT) {
            self.give_up_release();
            self.rebuild();
        }
        None
    }

    /// Hands libosdp one command, only when it will send it at once: what waits in its own queue would come
    /// out after the reader's return, whenever that is.
    fn hand_over(&mut self, now: Duration) -> Option<u8> {
        if self.busy || !self.online {
            return None;
        }
        loop {
            let next = self.queue.pop_front()?;
            if next.until < now {
                self.note_failed(&next);
                continue;
            }
            let output = output_of(&next.command);
            if self.panel.send_command(0, next.command).is_err() {
                self.failed_releases.extend(output);
                continue;
            }
            if let Some(output) = output {
                self.releasing = Some(Pending {
                    output,
                    until: next.until,
                });
            }
            return Some(next.code);
        }
    }

    /// Takes a whole, checked reply to the last command.
    pub(super) fn answer(&mut self, frame: &[u8], code: u8, now: Duration) {
        // libosdp takes a reader that sends osdp_FMT offline, unless it is told to ignore what it does not expect. It must
        // not be told so for good: it would repeat a poll whose reply it does not know, and get the same reply for ever.
        self.panel.set_flag(0, OsdpFlag::IgnoreUnsolicited, code == FMT);
        lock(&self.shared.mail).rx.extend_from_slice(frame);
        self.panel.refresh();
        self.missed = 0;
        self.poll_due = Some(now + POLL_AFTER);
        self.card_owed = matches!(code, RAW | FMT).then_some(self.presentations);
        self.refused = (code == NAK && super::frame::refuses_the_command(frame)).then_some(self.last_code);
        if code != BUSY {
            self.busy = false;
            if code == NAK {
                self.give_up_release();
            }
            self.releasing = None;
        }
    }

    /// Whether its last reply had a card of which libosdp made nothing: in osdp_FMT, or in a format of osdp_RAW that it does
    /// not know. Asked when the next reply is there: libosdp tells of a card a step later than it takes the reply.
    pub(super) fn card_was_dropped(&mut self) -> bool {
        self.card_owed.take() == Some(self.presentations) && self.online
    }

    /// The command that took it offline because it does not do such a thing, if that is why.
    pub(super) fn take_refused(&mut self) -> Option<u8> {
        let refused = self.refused.take();
        self.no_light |= refused == Some(feedback::LED);
        self.no_sound |= refused == Some(feedback::BUZ);
        refused
    }

    /// The last command got no reply in time; libosdp will repeat it.
    pub(super) fn no_answer(&mut self) {
        self.poll_due = None;
        self.missed = self.missed.saturating_add(1);
        self.unanswered += 1;
    }

    /// Gives up a release that was not confirmed in time: libosdp would repeat it for seconds.
    pub(super) fn check_release(&mut self, now: Duration) {
        if self.releasing.is_some_and(|pending| pending.until < now) {
            self.give_up_release();
            self.rebuild();
        }
    }

    fn give_up_release(&mut self) {
        self.failed_releases
            .extend(self.releasing.take().map(|pending| pending.output));
    }

    fn note_failed(&mut self, queued: &Queued) {
        self.failed_releases.extend(output_of(&queued.command));
    }

    fn drop_queue(&mut self) {
        self.give_up_release();
        for queued in std::mem::take(&mut self.queue) {
            self.note_failed(&queued);
        }
    }

    /// What libosdp heard since the last time.
    pub(super) fn next_event(&mut self) -> Option<OsdpEvent> {
        lock(&self.shared.events).pop_front()
    }

    /// Outputs whose release failed since the last time.
    pub(super) fn take_failed_releases(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.failed_releases)
    }

    /// What changed since the last time, in the order in which it should be told.
    pub(super) fn changes(&mut self) -> [Option<Change>; 2] {
        let (online, secure) = (self.panel.is_online(0), self.panel.is_sc_active(0));
        let secured = (secure != self.secure).then_some(Change::Secure(secure));
        let changed = match (self.online, online) {
            (false, true) => Some(Change::Online),
            (true, false) => Some(Change::Offline),
            _ => None,
        };
        (self.online, self.secure) = (online, secure);
        match changed {
            Some(Change::Online) => {
                self.busy = false;
                self.shaken = false;
                self.abilities = abilities(&self.panel);
                self.abilities.light &= !self.no_light;
                self.abilities.sound &= !self.no_sound;
            }
            Some(_) => {
                self.busy = false;
                self.card_owed = None;
                self.drop_queue();
            }
            None => {}
        }
        [secured, changed]
    }
}

fn output_of(command: &OsdpCommand) -> Option<u8> {
    match command {
        OsdpCommand::Output(output) => Some(output.output_no),
        _ => None,
    }
}

fn panel(config: &OsdpReader, baud: u32, shared: &Shared) -> Result<ControlPanel, OsdpError> {
    let mut info = PdInfoBuilder::new()
        .address(i32::from(config.address))?
        .baud_rate(i32::try_from(baud).unwrap_or(0))?;
    if let Some(key) = &config.key {
        info = info.secure_channel_key(key.reveal());
    }
    if !config.install_mode {
        // Without a key libosdp refuses this flag, so a reader is never in the clear by accident.
        info = info.flag(OsdpFlag::EnforceSecure);
    }
    let channel = Box::new(MailChannel(Arc::clone(&shared.mail)));
    let mut panel = ControlPanelBuilder::new()
        .add_channel(channel, vec![info])
        .build()?;
    let events = Arc::clone(&shared.events);
    panel.set_event_callback(move |_, event| {
        lock(&events).push_back(event);
        0
    });
    Ok(panel)
}

fn abilities(panel: &ControlPanel) -> Abilities {
    let items = |kind: fn(PdCapEntity) -> PdCapability| {
        let found = panel.get_capability(0, kind(PdCapEntity::default())).ok()?;
        // The entity's fields are private: find the count by comparison.
        (0..=u8::MAX)
            .find(|count| (0..=u8::MAX).any(|compliance| found == kind(PdCapEntity::new(compliance, *count))))
    };
    let has = |kind: fn(PdCapEntity) -> PdCapability| {
        let none = kind(PdCapEntity::default());
        panel
            .get_capability(0, none.clone())
            .is_ok_and(|found| found != none)
    };
    Abilities {
        light: has(PdCapability::LedControl),
        sound: has(PdCapability::AudibleOutput),
        outputs: items(PdCapability::OutputControl).unwrap_or(0),
        inputs: items(PdCapability::ContactStatusMonitoring).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::ChannelKey;

    fn resident_kb() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn reader(key: Option<ChannelKey>) -> OsdpReader {
        OsdpReader {
            id: "front".into(),
            address: 3,
            key,
            install_mode: false,
            door: "front".into(),
            card: crate::config::model::CardFormat::Auto,
        }
    }

    #[test]
    fn a_rebuilt_panel_leaks_a_few_bytes_and_no_more() {
        let mut device = Device::new(&reader(Some(ChannelKey::new([7; 16]))), 9600).unwrap();
        for _ in 0..100 {
            device.rebuild();
        }
        let before = resident_kb();
        for _ in 0..10_000 {
            device.rebuild();
        }
        let each = (resident_kb() - before) * 1024 / 10_000;
        println!("{each} bytes leaked a rebuild");
        assert!(each < 400, "{each} bytes a rebuild");
    }

    #[test]
    fn a_reader_without_a_key_is_refused_outside_install_mode() {
        assert!(Device::new(&reader(None), 9600).is_err());
        assert!(
            Device::new(&reader(Some(ChannelKey::new([7; 16]))), 12_345).is_err(),
            "baud rate"
        );
    }
}
