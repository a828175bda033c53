//! Time as plain numbers. Nothing here asks a clock (invariant 5): instants come in as arguments.

use serde::{Deserialize, Serialize};

/// Unix time in milliseconds, UTC. Signed, so that a wrong clock before 1970 is a value and not a panic.
pub type Millis = i64;

/// Milliseconds in a day of 24 hours. Local days may be shorter or longer: never add this to get "tomorrow".
pub const DAY_MS: Millis = 86_400_000;

/// An instant as the gateway knows it: the best guess, and whether it may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Unix milliseconds, UTC.
    pub at: Millis,
    /// Whether the kernel says that it is synchronised, or an RTC is configured.
    pub trusted: bool,
}

impl Moment {
    /// A trusted instant.
    #[must_use]
    pub const fn trusted(at: Millis) -> Self {
        Self { at, trusted: true }
    }
    /// An instant that may be wrong.
    #[must_use]
    pub const fn untrusted(at: Millis) -> Self {
        Self { at, trusted: false }
    }
    /// What an event that happens now says about its time.
    #[must_use]
    pub const fn quality(self) -> super::ClockQuality {
        if self.trusted {
            super::ClockQuality::Trusted
        } else {
            super::ClockQuality::Untrusted
        }
    }
}

/// A half-open span of time: `from` belongs to it, `until` does not, so back-to-back bookings have no gap
/// and no overlap. An absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// First instant, Unix milliseconds; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// First instant after the end, Unix milliseconds; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

impl Window {
    /// Always open.
    pub const ALWAYS: Self = Self {
        from: None,
        until: None,
    };

    /// From `from` up to, not including, `until`.
    #[must_use]
    pub const fn between(from: Millis, until: Millis) -> Self {
        Self {
            from: Some(from),
            until: Some(until),
        }
    }
    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Millis) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
    /// Whether either end is set. A window without ends needs no clock.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }
    /// Whether no instant lies inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if until <= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let window = Window::between(10, 20);
        assert!(!window.contains(9) && window.contains(10) && window.contains(19) && !window.contains(20));
        assert!(Window::ALWAYS.contains(i64::MIN) && Window::ALWAYS.contains(i64::MAX));
        assert!(
            Window::between(20, 20).is_empty() && Window::between(21, 20).is_empty() && !window.is_empty()
        );
    }
}
