//! Coworks, over a bridge that speaks the open contract. Cancelling a membership takes no access away (S1:45, C1); only
//! deactivating the person does (S1:44).

use super::{ANA, Act, BEN, CHIARA, Step, Story, door, tap};
use crate::domain::Reason;

/// What the bridge's house has.
const MAP_HERE: &str = r#"
[map.plans]
"Full time" = ["members"]
"Hot desk" = ["members"]
[map.resources]
"Blue room" = ["meeting"]
[map.passes]
"Day pass" = ["members"]
"#;

/// The story.
pub(super) const STORY: Story = Story {
    platform: "coworks",
    name: "Coworks",
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
            resource: "Blue room",
            from: 2880,
            until: 2940,
        }),
        tap(ANA, door::MEETING, &[Reason::NotYet], 15).by(&[12]),
        Step::Does(Act::Move {
            who: ANA,
            from: -2,
            until: 64,
        }),
        tap(ANA, door::MEETING, &[Reason::GrantedBooking], 13).by(&[12]),
        Step::Does(Act::Delete { who: ANA }),
        tap(ANA, door::MEETING, &[Reason::NoGrantForDoor], 16),
        Step::Does(Act::Join {
            who: CHIARA,
            plan: "Visitor",
            first: -1,
        }),
        tap(CHIARA, door::FRONT, &[Reason::NoGrant], 8),
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
        Step::Cloud { away: false },
        tap(ANA, door::FRONT, &[Reason::GrantedPlan], 3).by(&[1]),
        // S1:45: whom to deactivate, the list says; by the bridge and by exported files alike.
        Step::Exports {
            warns_of: ANA,
            rule: 3,
        },
        Step::Does(Act::Deactivate { who: ANA }),
        tap(ANA, door::FRONT, &[Reason::PersonBlocked], 5),
    ],
};
