//! What goes wrong.

use std::time::Duration;

/// Faults to inject. Collections are named as in addresses: "members".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// No answer to anything: connections are cut.
    pub away: bool,
    /// Every answer is held back for so long.
    pub slow: Option<Duration>,
    /// Requests whose path contains this are answered 500.
    pub error_500: Option<&'static str>,
    /// Lists of this collection break off in the middle of the connection.
    pub half_page: Option<&'static str>,
    /// Lists of this collection end in the middle of the JSON, under a correct length.
    pub cut_json: Option<&'static str>,
    /// A page of this collection lacks its last row, which its range counts.
    pub short_page: Option<&'static str>,
    /// The second page of this collection comes again and again, each time with a new cursor.
    pub repeated_page: Option<&'static str>,
    /// The cursor of this collection leads back to the page that it stands on.
    pub cursor_in_a_circle: Option<&'static str>,
    /// Lists of this collection are empty.
    pub empty: Option<&'static str>,
    /// Everything but tokens is answered 429 with these seconds in `Retry-After`.
    pub throttle: Option<u64>,
    /// The reads that are left in this minute, as headers tell: 0 is the last that is answered.
    pub reads_left: Option<u64>,
    /// The server's own clock is wrong by so many seconds, in its `Date` and its `modifiedAt`.
    pub skew_seconds: i64,
    /// Check-ins are taken and the answer never leaves.
    pub lose_check_in_answers: bool,
    /// `GET /assignments` is refused unless it names a resource or a membership, as some organizations see it.
    pub assignments_by_resource: bool,
    /// `modifiedAt[$gte]` is refused.
    pub no_modified_at: bool,
}
