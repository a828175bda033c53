//! What goes wrong at Nexudus, on request.

use std::time::Duration;

/// Faults to inject. A list names itself by its path, `spaces/bookings` say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Nobody answers.
    pub away: bool,
    /// Every answer is held back for so long.
    pub slow: Option<Duration>,
    /// This list is answered 500, from this page on.
    pub error_500: Option<(&'static str, usize)>,
    /// This list's answers break off in the middle of their JSON.
    pub half_page: Option<&'static str>,
    /// Every page of this list is its first one.
    pub repeats: Option<&'static str>,
    /// This list tells one item more than it gives.
    pub wrong_total: Option<&'static str>,
    /// This list is empty.
    pub empty: Option<&'static str>,
    /// Every so many requests one is answered 409 with `Retry-After` of so many seconds.
    pub throttle: Option<(u64, u64)>,
    /// Roles that the user has lost: `Booking-List` say.
    pub revoked: Vec<&'static str>,
    /// The next so many check-ins are taken, and their answers never leave.
    pub lose_check_in_answers: u32,
    /// How far the server's clock is ahead of the world's, milliseconds. It stands in the header `Date`.
    pub skew: i64,
}
