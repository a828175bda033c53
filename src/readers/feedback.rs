//! What an answer looks and sounds like at an OSDP reader, and how an output is pulsed. Pure.

use crate::domain::Feedback;
use libosdp::{
    OsdpCommand, OsdpCommandBuzzer, OsdpCommandLed, OsdpCommandOutput, OsdpLedColor, OsdpLedParams,
    OsdpStatusReport, OsdpStatusReportType,
};
use std::time::Duration;

/// Command codes (OSDP 2.2, annex A) of what this module makes.
pub(super) const OUT: u8 = 0x68;
/// As [`OUT`].
pub(super) const LED: u8 = 0x69;
/// As [`OUT`].
pub(super) const BUZ: u8 = 0x6A;
/// As [`OUT`].
pub(super) const LSTAT: u8 = 0x64;
/// As [`OUT`].
pub(super) const ISTAT: u8 = 0x65;

/// Three seconds, in OSDP's units of 100 ms: then the light goes back to its idle colour by itself.
const SHOWN_FOR: u16 = 30;

/// The light for an answer: green and steady, red and flashing, amber and flashing.
pub(super) fn light(feedback: Feedback) -> OsdpCommand {
    let (color, off_count) = match feedback {
        Feedback::Granted => (OsdpLedColor::Green, 0),
        Feedback::Refused => (OsdpLedColor::Red, 2),
        Feedback::NotNow => (OsdpLedColor::Amber, 2),
    };
    OsdpCommand::Led(OsdpCommandLed {
        temporary: OsdpLedParams {
            control_code: 2, // set and start the timer
            on_count: 2,
            off_count,
            on_color: color,
            off_color: OsdpLedColor::None,
            timer_count: SHOWN_FOR,
        },
        ..OsdpCommandLed::default()
    })
}

/// The light between answers: steady red, as the door is secured.
pub(super) fn idle_light() -> OsdpCommand {
    OsdpCommand::Led(OsdpCommandLed {
        permanent: OsdpLedParams {
            control_code: 1, // set
            on_count: 1,
            off_count: 0,
            on_color: OsdpLedColor::Red,
            off_color: OsdpLedColor::Red,
            timer_count: 0,
        },
        ..OsdpCommandLed::default()
    })
}

/// One beep, three short ones, or two.
pub(super) fn sound(feedback: Feedback) -> OsdpCommand {
    let (on_count, off_count, rep_count) = match feedback {
        Feedback::Granted => (2, 0, 1),
        Feedback::Refused => (1, 1, 3),
        Feedback::NotNow => (2, 2, 2),
    };
    OsdpCommand::Buzzer(OsdpCommandBuzzer {
        reader: 0,
        control_code: 2, // default tone
        on_count,
        off_count,
        rep_count,
    })
}

/// Switches an output on for `hold` and lets the device switch it off again by itself (invariant 8).
/// In units of 100 ms, rounded up; at least one, since 0 would mean for ever.
pub(super) fn pulse(output: u8, hold: Duration) -> OsdpCommand {
    let units = hold.as_millis().div_ceil(100).clamp(1, u128::from(u16::MAX));
    OsdpCommand::Output(OsdpCommandOutput {
        output_no: output,
        control_code: 5, // temporary on, then back to the permanent state
        timer_count: u16::try_from(units).unwrap_or(u16::MAX),
    })
}

/// Asks for inputs or for tamper and power.
pub(super) fn ask(what: OsdpStatusReportType) -> OsdpCommand {
    OsdpCommand::Status(OsdpStatusReport {
        type_: what,
        nr_entries: 0,
        report: [0; 64],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_always_timed() {
        let timed = |hold| match pulse(1, hold) {
            OsdpCommand::Output(output) => (output.output_no, output.control_code, output.timer_count),
            other => panic!("{other:?}"),
        };
        assert_eq!(timed(Duration::from_millis(5_000)), (1, 5, 50));
        assert_eq!(timed(Duration::from_millis(4_901)), (1, 5, 50));
        assert_eq!(timed(Duration::ZERO), (1, 5, 1));
        assert_eq!(timed(Duration::from_secs(100_000)), (1, 5, u16::MAX));
    }

    #[test]
    fn every_answer_looks_different_and_ends_by_itself() {
        let shown: Vec<_> = [Feedback::Granted, Feedback::Refused, Feedback::NotNow]
            .into_iter()
            .map(|feedback| match light(feedback) {
                OsdpCommand::Led(led) => {
                    assert_eq!((led.temporary.timer_count, led.permanent.control_code), (30, 0));
                    led.temporary.on_color
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [OsdpLedColor::Green, OsdpLedColor::Red, OsdpLedColor::Amber]
        );
    }
}
