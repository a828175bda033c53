//! One state machine a door, and the answer to a presentation.
