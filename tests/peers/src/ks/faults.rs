//! What goes wrong, and which of KS's manners it has today.

use std::time::Duration;

/// Faults to inject. `Faults::default()` ends all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// No answer to anything: connections are cut.
    pub away: bool,
    /// Identity alone does not answer: it says 404, as the test system's did for two hours.
    pub identity_away: bool,
    /// The stream alone is away: negotiations are answered 503 and connections are cut.
    pub stream_away: bool,
    /// Events are not sent to streams that stand, and nobody says so.
    pub lose_events: bool,
    /// Every answer of the API is held back for so long.
    pub answer_delay: Option<Duration>,
    /// Requests whose path contains this are answered 500, without being done.
    pub error_500: Option<&'static str>,
    /// Every so many-th request of the API is answered 500, without being done.
    pub flaky: Option<u64>,
    /// Answers to requests whose path contains this break off in the middle.
    pub half_answer: Option<&'static str>,
    /// Everything at the API is answered 429 with these seconds in `Retry-After`.
    pub throttle: Option<u64>,
    /// So many requests of the API are answered 429, then no more: seconds in `Retry-After`, and how many.
    pub throttle_some: Option<(u64, u64)>,
    /// The user that signs in is no site administrator: 403.
    pub no_admin: bool,
    /// Codes and passwords are refused, and so are refresh tokens: the client was taken out of service.
    pub client_revoked: bool,
    /// The n-th changing request from now on.
    pub trap: Option<Trap>,
    /// What a trap cuts is not cut: it has no answer, for as long as the caller waits.
    pub silent: bool,
    /// Before the n-th changing request from now on every token is revoked, refresh tokens too: somebody took the access
    /// away in the middle of something.
    pub revoke_at: Option<u64>,
}

/// One changing request (anything but GET) at the API that fails in a set way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Which, counted from when the fault was set: 1 is the next.
    pub nth: u64,
    /// Whether it is done before the connection is cut.
    pub done: bool,
    /// Whether everything after it is cut as well, until the faults change: as if the caller died then.
    pub then_away: bool,
}

/// How KS answers where its own answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Lists of users.
    pub users: Shape,
    /// All other lists but sites, which are always a bare array.
    pub lists: Shape,
    /// How error codes are written.
    pub codes: Codes,
    /// Members of a group as site users with a user inside, instead of users by their platform id.
    pub members_as_site_users: bool,
    /// What was just made is refused so many times when it is used.
    pub spread_tries: u32,
    /// And for so long, by the simulator's clock.
    pub spread: Duration,
    /// What is not spread is not in lists either.
    pub spread_lists: bool,
    /// The most items of a page, whatever `$top` says.
    pub most: usize,
    /// The same for entries.
    pub most_entries: usize,
    /// After so many wrong one-time passwords a lock's command is blocked, for five minutes.
    pub otp_tries: u32,
    /// How long until a new member opens a door.
    pub member_rollout: Duration,
    /// How long until a new schedule opens a door.
    pub schedule_rollout: Duration,
    /// Keep-alive of the hub.
    pub ping: Duration,
    /// A stream whose client says nothing for so long is closed.
    pub client_timeout: Duration,
    /// Tags that were never registered show their number when they are refused.
    pub unknown_tags_have_numbers: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            users: Shape::Alternating,
            lists: Shape::Paged,
            codes: Codes::Alternating,
            members_as_site_users: false,
            spread_tries: 0,
            spread: Duration::ZERO,
            spread_lists: false,
            most: 1_000,
            most_entries: 100,
            otp_tries: 5,
            member_rollout: Duration::ZERO,
            schedule_rollout: Duration::ZERO,
            ping: Duration::from_secs(15),
            client_timeout: Duration::from_secs(30),
            unknown_tags_have_numbers: true,
        }
    }
}

/// How a list comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A bare array with everything.
    Bare,
    /// `{items, next_page_link, count}`.
    Paged,
    /// Now so, now otherwise.
    Alternating,
}

/// How error codes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// `"2202"`.
    Texts,
    /// `2202`.
    Numbers,
    /// Now so, now otherwise.
    Alternating,
}
