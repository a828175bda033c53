//! Spacebring: thirty minutes before and after a booking of a room (S2:93), for its invitees as well. It takes no
//! check-ins: attendance stays in the journal.

use super::{ANA, Act, BEN, MAP, Step, Story, door, tap};
use crate::domain::Reason;

/// The story.
pub(super) const STORY: Story = Story {
    platform: "spacebring",
    name: "Spacebring",
    config: "",
    map: MAP,
    granted: 1,
    steps: &[
        Step::Does(Act::Join {
            who: ANA,
            plan: "Full time",
            first: -30,
        }),
        Step::Does(Act::Join {
            who: BEN,
            plan: "Hot desk",
            first: 2,
        }),
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 1),
        tap(BEN, door::FRONT, &[Reason::NotYet], 2).by(&[1]),
        tap(ANA, door::MEETING, &[Reason::NoGrantForDoor], 12),
        Step::AttendanceStaysHere,
        Step::Does(Act::Book {
            who: ANA,
            resource: "Meeting room",
            from: 40,
            until: 100,
        }),
        tap(ANA, door::MEETING, &[Reason::NotYet], 13).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: 20,
            until: 80,
        }),
        tap(ANA, door::MEETING, &[Reason::GrantedBooking], 13).by(&[12]),
        Step::Does(Act::Invite { who: ANA, guest: BEN }),
        tap(BEN, door::MEETING, &[Reason::GrantedBooking], 14).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: -60,
            until: -20,
        }),
        tap(ANA, door::MEETING, &[Reason::GrantedBooking], 13).by(&[12]),
        Step::Does(Act::Delete { who: ANA }),
        tap(ANA, door::MEETING, &[Reason::NoGrantForDoor], 16),
        // S2:109: a desk is booked by the day, and this one has hours from 9:00 to 19:00.
        Step::Does(Act::Book {
            who: ANA,
            resource: "Desk 7",
            from: 0,
            until: 1,
        }),
        Step::ByTheHour {
            who: ANA,
            door: door::STUDIO,
            opens: (8 * 60 + 30, 19 * 60 + 30),
            rule: 17,
        },
        Step::Cloud { away: true },
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 1),
        Step::Does(Act::Cancel { who: ANA, last: -1 }),
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 41).by(&[1]),
        Step::Cloud { away: false },
        tap(ANA, door::FRONT, &[Reason::NoGrantForDoor], 3).by(&[1]),
    ],
};
