//! Who may speak when on an OSDP line.
//!
//! Only one frame is on the wire at a time. A reader that answers has the 200 ms of the standard; one that
//! missed the last command is probed with a short window, so that its neighbours hardly notice that it is gone
//! (docs/decisions/0003-libosdp-timings.md has the figures).

use super::{
    super::{
        device::{BUSY, Device, NAK},
        frame::{Head, head},
    },
    Bus, SILENCE,
};
use std::{io, time::Duration};

/// A reader must have begun its reply by then (IEC 60839-11-5: REPLY_DELAY 200 ms). A little above libosdp's
/// own 200 ms, so that libosdp has given up when the bus moves on.
const REPLY_WITHIN: Duration = Duration::from_millis(205);
/// The same for a reader that missed its last command: readers answer within some 3 ms.
const PROBE_WITHIN: Duration = Duration::from_millis(30);
/// Every eighth probe has a longer window and every 64th the full one, for a reader that is slow and not absent.
const PROBE_LONGER: (u32, Duration) = (8, Duration::from_millis(60));
const PROBE_FULL: u32 = 64;
/// A command that waits for its reply.
#[derive(Clone, Copy)]
pub(super) struct Exchange {
    device: usize,
    asked: Head,
    pub(super) until: Duration,
}

impl Bus<'_> {
    pub(super) fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 512];
        loop {
            let Some(port) = &mut self.port else { return Ok(()) };
            let count = port.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let now = self.now();
            self.last_rx = now;
            self.quiet_until = now + self.characters(2);
            self.framer.push(buffer.get(..count).unwrap_or_default());
            while let Some((head, frame)) = self.framer.next_frame() {
                self.frame(head, &frame, now);
            }
        }
        let now = self.now();
        if self.framer.is_partial() && now >= self.last_rx + SILENCE {
            while let Some((head, frame)) = self.framer.gave_up() {
                self.frame(head, &frame, now);
            }
        }
        let overdue = self
            .exchange
            .filter(|exchange| now >= exchange.until && !self.framer.is_partial());
        if let Some(exchange) = overdue {
            self.exchange = None;
            self.no_answer(exchange.device, now);
        }
        Ok(())
    }

    /// A whole frame with a right check. Only the reply that is waited for goes on.
    fn frame(&mut self, got: Head, frame: &[u8], now: Duration) {
        let expected = self.exchange.filter(|exchange| {
            let asked = exchange.asked;
            let in_turn =
                got.sequence == asked.sequence || got.code == NAK || (got.code == BUSY && got.sequence == 0);
            got.reply && got.address == asked.address && in_turn
        });
        let Some(exchange) = expected else {
            self.strays += 1;
            return;
        };
        self.exchange = None;
        let Some(device) = self.devices.get_mut(exchange.device) else {
            return;
        };
        let dropped = device.card_was_dropped();
        device.answer(frame, got.code, now);
        if dropped {
            self.presented(exchange.device, None, now);
        }
        self.look_after(exchange.device, now);
    }

    fn no_answer(&mut self, index: usize, now: Duration) {
        if let Some(device) = self.devices.get_mut(index) {
            device.no_answer();
        }
        self.look_after(index, now);
    }

    /// Gives the bus to whoever needs it most, then to whose turn it is.
    pub(super) fn transmit(&mut self) -> io::Result<()> {
        if let Some(port) = &mut self.port {
            port.flush()?;
        }
        let count = self.devices.len();
        let now = self.now();
        if self.exchange.is_some() || now < self.quiet_until || count == 0 {
            return Ok(());
        }
        let urgent = (0..count)
            .map(|step| (self.next + step) % count)
            .find(|index| self.devices.get(*index).is_some_and(Device::is_urgent));
        let turns = (0..count).map(|step| (self.next + step) % count);
        let order: Vec<usize> = urgent.into_iter().chain(turns).collect();
        for index in order {
            let frame = self.devices.get_mut(index).and_then(|device| device.step(now));
            self.look_after(index, now);
            let Some(frame) = frame else { continue };
            if urgent != Some(index) {
                self.next = (index + 1) % count;
            }
            return self.send(index, &frame);
        }
        Ok(())
    }

    fn send(&mut self, index: usize, frame: &[u8]) -> io::Result<()> {
        let (Some(port), Some(device), Some(asked)) = (&mut self.port, self.devices.get(index), head(frame))
        else {
            return Ok(());
        };
        port.write(frame)?;
        let window = match device.missed {
            missed if missed.is_multiple_of(PROBE_FULL) => REPLY_WITHIN, // 0 too: it answered the last time
            missed if missed.is_multiple_of(PROBE_LONGER.0) => PROBE_LONGER.1,
            _ => PROBE_WITHIN,
        };
        let sent = self.now() + self.characters(frame.len());
        self.exchange = Some(Exchange {
            device: index,
            asked,
            until: sent + window,
        });
        Ok(())
    }

    /// The time that so many characters take on the wire: 10 bits each.
    fn characters(&self, count: usize) -> Duration {
        Duration::from_micros(count as u64 * 10_000_000 / u64::from(self.line.baud.max(1)))
    }
}
