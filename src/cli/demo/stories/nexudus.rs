//! Nexudus: fifteen minutes before and after a booking, passes are looked at at the door (S0:13), a contract that is
//! cancelled ends.

use super::{ANA, Act, BEN, CHIARA, MAP, Step, Story, door, tap};
use crate::domain::Reason;

/// The story.
pub(super) const STORY: Story = Story {
    platform: "nexudus",
    name: "Nexudus",
    config: "",
    map: MAP,
    granted: 10,
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
        Step::Attends {
            who: ANA,
            times: 1,
            rule: 27,
        },
        tap(BEN, door::FRONT, &[Reason::NotYet], 2).by(&[1]),
        tap(ANA, door::MEETING, &[Reason::NoGrantForDoor], 12),
        Step::Does(Act::Book {
            who: ANA,
            resource: "Meeting room",
            from: 20,
            until: 80,
        }),
        tap(ANA, door::MEETING, &[Reason::NotYet], 13).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: 12,
            until: 72,
        }),
        tap(ANA, door::MEETING, &[Reason::GrantedBooking], 13).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: -60,
            until: -10,
        }),
        tap(ANA, door::MEETING, &[Reason::GrantedBooking], 13).by(&[12]),
        Step::Does(Act::Delete { who: ANA }),
        tap(ANA, door::MEETING, &[Reason::NoGrantForDoor], 16),
        Step::Does(Act::Assign {
            who: ANA,
            resource: "Office 2",
        }),
        tap(ANA, door::STUDIO, &[Reason::GrantedAssignment], 9),
        tap(ANA, door::SIDE, &[Reason::GrantedAssignment], 9),
        Step::Does(Act::Join {
            who: CHIARA,
            plan: "Day passes",
            first: -1,
        }),
        tap(CHIARA, door::FRONT, &[Reason::NoPassLeft], 22),
        Step::Does(Act::Sell {
            who: CHIARA,
            kind: "Day pass",
            count: 1,
        }),
        tap(CHIARA, door::FRONT, &[Reason::GrantedPlan], 22),
        Step::Attends {
            who: CHIARA,
            times: 1,
            rule: 27,
        },
        tap(CHIARA, door::FRONT, &[Reason::GrantedPlan], 23).by(&[22]),
        Step::Cloud { away: true },
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 1),
        Step::Does(Act::Cancel { who: ANA, last: -1 }),
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 41).by(&[1]),
        Step::Cloud { away: false },
        tap(ANA, door::FRONT, &[Reason::Ended], 3).by(&[1]),
    ],
};
