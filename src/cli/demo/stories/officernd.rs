//! OfficeRnD: when a booking approaches its invitees get in as well, and when it ends nobody does (S4:105, S4:107); day
//! passes open until they are used up (S4:113).

use super::{ANA, Act, BEN, CHIARA, Step, Story, door, tap};
use crate::domain::Reason;

/// Whoever has only passes is on no plan that opens anything: S4:113 maps the passes themselves.
const MAP_HERE: &str = r#"
[map.plans]
"Full time" = ["members"]
"Hot desk" = ["members"]
[map.resources]
"Meeting room" = ["meeting"]
"Office 2" = ["team"]
[map.passes]
"Day pass" = ["members"]
"#;

/// The story.
pub(super) const STORY: Story = Story {
    platform: "officernd",
    name: "OfficeRnD",
    config: "",
    map: MAP_HERE,
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
        Step::Does(Act::Invite { who: ANA, guest: BEN }),
        tap(BEN, door::MEETING, &[Reason::GrantedBooking], 14).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: -60,
            until: -1,
        }),
        tap(ANA, door::MEETING, &[Reason::Ended], 13).by(&[12]),
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
        tap(CHIARA, door::FRONT, &[Reason::NoPassLeft], 20),
        Step::Does(Act::Sell {
            who: CHIARA,
            kind: "Day pass",
            count: 1,
        }),
        tap(CHIARA, door::FRONT, &[Reason::GrantedPass], 20),
        Step::Attends {
            who: CHIARA,
            times: 1,
            rule: 27,
        },
        tap(CHIARA, door::FRONT, &[Reason::GrantedPass], 23).by(&[20]),
        Step::Cloud { away: true },
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 1),
        Step::Does(Act::Cancel { who: ANA, last: -1 }),
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 41).by(&[1]),
        Step::Cloud { away: false },
        tap(ANA, door::FRONT, &[Reason::Ended], 3).by(&[1]),
    ],
};
