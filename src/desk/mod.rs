//! The enrolment desk: a card in a hand to a member who can enter. Nothing here is an entry event.

pub mod readers;
