//! What KS knows of the site, and who asked for what.

use super::{
    faults::{Faults, Manners},
    hub::Sessions,
    identity::Identity,
};
use jiff::{Timestamp, civil::Date, civil::Time, tz::TimeZone};
use serde_json::Value;

/// One request as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// `identity`, `api` or `stream`.
    pub host: &'static str,
    /// GET, POST …
    pub method: String,
    /// With the version.
    pub path: String,
    /// As it came.
    pub query: String,
    /// The JSON body, or null.
    pub body: Value,
    /// What was answered; 0 when nothing was.
    pub status: u16,
    /// When, Unix milliseconds by the simulator's clock.
    pub at: i64,
}

impl Asked {
    /// Whether it would change something at the API.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.host == "api" && self.method != "GET"
    }
}

/// How long something new is refused where it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spreading {
    /// Until when, Unix milliseconds.
    pub until: i64,
    /// And how many more times.
    pub tries: u32,
}

impl Spreading {
    pub(super) const fn passed(&mut self, now: i64) -> bool {
        if self.tries > 0 {
            self.tries -= 1;
            return false;
        }
        now >= self.until
    }
}

/// A person at the site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The site user's id.
    pub id: String,
    /// The platform user's id.
    pub platform: String,
    /// E-mail.
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What the site calls the person.
    pub alias: String,
    /// Ids of roles.
    pub roles: Vec<String>,
    /// Id of the tag.
    pub tag: Option<String>,
    /// Whether blocked.
    pub blocked: bool,
    /// Whether without a seat.
    pub suspended: bool,
    /// Whether a PIN may be used.
    pub use_pin: bool,
    /// The flags that nobody here looks at, as they were sent.
    pub flags: [bool; 3],
    /// Of a guest.
    pub expires_at: Option<String>,
    /// The PIN.
    pub pin: Option<String>,
    /// Not everywhere yet.
    pub spreading: Spreading,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The platform user's id.
    pub user: String,
    /// When it became one, Unix milliseconds.
    pub since: i64,
}

/// When a group opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Id.
    pub id: String,
    /// Monday first.
    pub days: [bool; 7],
    /// From, each day.
    pub start: Time,
    /// To the end of this minute, each day.
    pub end: Time,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// When it was made, Unix milliseconds.
    pub since: i64,
}

/// An access group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Id.
    pub id: String,
    /// `customer_reference`.
    pub name: String,
    /// Members.
    pub members: Vec<Member>,
    /// Ids of locks.
    pub locks: Vec<String>,
    /// Schedules; without any it opens nothing.
    pub schedules: Vec<Schedule>,
    /// Not everywhere yet.
    pub spreading: Spreading,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Id.
    pub id: String,
    /// Eight decimal digits.
    pub number: String,
    /// It belongs to another site.
    pub elsewhere: bool,
}

/// A lock or wall reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Id.
    pub id: String,
    /// `customer_reference`.
    pub name: String,
    /// Id of its IQ.
    pub iq: String,
    /// What the flag says; it is stale.
    pub online: bool,
    /// `critical`, `low`, `good`, `fresh`, `none`, `unknown`.
    pub battery: String,
    /// `locked`, `office_mode` and others.
    pub locked_state: String,
    /// Until when it registers tags, Unix milliseconds.
    pub registering: Option<i64>,
    /// Offline keys it holds.
    pub offline_keys: u32,
    /// Offline keys it can hold.
    pub offline_limit: u32,
    /// Wrong one-time passwords in a row.
    pub wrong_otps: u32,
    /// Until when its command is blocked, Unix milliseconds.
    pub otp_blocked: Option<i64>,
}

/// An IQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iq {
    /// Id.
    pub id: String,
    /// `customer_reference`.
    pub name: String,
    /// What the flag says; it is stale.
    pub online: bool,
    /// Whether remote opening wants a one-time password.
    pub otp_enabled: bool,
    /// The secret of the user that signs in.
    pub secret: String,
    /// Its PIN.
    pub pin: String,
    /// Whether the PIN was mailed.
    pub mailed: bool,
    /// Whether that user is activated here.
    pub activated: bool,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Id.
    pub id: String,
    /// When it happened, Unix milliseconds, whole seconds.
    pub at: i64,
    /// `lock_opened`, `lock_rejected` and others.
    pub category: String,
    /// `no_access` and others.
    pub detail: Option<String>,
    /// `tag`, `pin_code`, `inside_handle`, `remote`.
    pub by: Option<String>,
    /// The tag's number if it was one.
    pub by_detail: Option<String>,
    /// Id of the lock.
    pub lock: String,
    /// The platform user's id.
    pub user: Option<String>,
    /// Somebody who left.
    pub exit: bool,
}

/// A site besides the one that is simulated: it is in the list, and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSite {
    /// UUID.
    pub id: String,
    /// `customer_reference`.
    pub name: String,
}

/// Everything.
#[derive(Debug, Default)]
pub struct State {
    /// UUID of the site.
    pub site: String,
    /// What people call it.
    pub site_name: String,
    /// IANA zone.
    pub zone: String,
    /// Seats.
    pub seats: u32,
    /// Features of the subscription.
    pub features: Vec<String>,
    /// Other sites of the account.
    pub other_sites: Vec<OtherSite>,
    /// Id and code.
    pub roles: Vec<(String, String)>,
    /// People.
    pub users: Vec<User>,
    /// Access groups.
    pub groups: Vec<Group>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Locks.
    pub locks: Vec<Lock>,
    /// IQs.
    pub iqs: Vec<Iq>,
    /// Entries, in the order in which they arrived.
    pub entries: Vec<Entry>,
    /// Tokens, codes.
    pub identity: Identity,
    /// What goes wrong.
    pub faults: Faults,
    /// How it answers.
    pub manners: Manners,
    /// Every request since the start.
    pub asked: Vec<Asked>,
    /// How far its clock was set, milliseconds.
    pub set_by: i64,
    /// Platform id of the user that signs in.
    pub me: String,
    /// Whether the trap was sprung.
    pub sprung: bool,
    pub(super) changes_since: u64,
    pub(super) answers: u64,
    pub(super) streams: Sessions,
    next_id: u64,
}

/// The machine's time, Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "KS has a clock of its own")]
fn machine() -> i64 {
    Timestamp::now().as_millisecond()
}

/// UTC to the second, as KS writes instants.
pub(super) fn instant(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl State {
    /// The simulator's time, Unix milliseconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        machine() + self.set_by
    }

    /// A new UUID whose first digits say of what kind it is.
    pub fn id(&mut self, kind: u32) -> String {
        self.next_id += 1;
        format!("{kind:08x}-5a17-4000-8000-{:012x}", self.next_id)
    }

    /// What was made now spreads for so long.
    pub(super) fn spreading(&self) -> Spreading {
        let wait = i64::try_from(self.manners.spread.as_millis()).unwrap_or(i64::MAX);
        Spreading {
            until: if wait == 0 {
                0
            } else {
                self.now().saturating_add(wait)
            },
            tries: self.manners.spread_tries,
        }
    }

    /// Whether something that is new is in lists.
    pub(super) fn listed(&self, spreading: Spreading) -> bool {
        !self.manners.spread_lists || (spreading.tries == 0 && self.now() >= spreading.until)
    }

    /// Seats that are taken.
    #[must_use]
    pub fn taken(&self) -> u32 {
        let taken = self.users.iter().filter(|user| !user.suspended).count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    /// The site's zone.
    pub(super) fn tz(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// The person with this platform id.
    #[must_use]
    pub fn person(&self, platform: &str) -> Option<&User> {
        self.users.iter().find(|user| user.platform == platform)
    }
}
