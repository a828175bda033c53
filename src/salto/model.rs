//! What KS says, as read from its answers. Every field that is not needed may be absent, and unknown ones are passed over:
//! the reference is not public and its parts contradict each other.

use serde::{Deserialize, Serialize};

/// A site (`GET /v1.2/sites`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// UUID: what addresses name. The readable `site_uid` is refused there.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub customer_reference: Option<String>,
    /// IANA zone.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How many seats the subscription has.
    #[serde(default)]
    pub subscribed_user_amount: Option<u32>,
    /// How many of them are taken.
    #[serde(default)]
    pub active_user_amount: Option<u32>,
    /// Whether the subscription runs.
    #[serde(default)]
    pub subscription_valid: Option<bool>,
}

/// What the subscription has (`GET …/subscription`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Kind.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Seats.
    #[serde(default)]
    pub user_amount: Option<u32>,
    /// `events_streaming`, `smart_tag_assignment` and others.
    #[serde(default)]
    pub features: Vec<String>,
}

/// The gateway's own user (`GET /me`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// The id of the person at KS, as entries and members of access groups name it.
    pub id: String,
}

/// A role (`GET …/roles`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// UUID.
    pub id: String,
    /// `site_user`, `site_admin` and others.
    #[serde(default)]
    pub code: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub customer_reference: Option<String>,
}

/// A person at this site. Two ids: `id` is the one of the person at the site, `user.id` the one of the person at KS; members
/// of access groups and entries name the second, everything else the first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SiteUser {
    /// The site user's id.
    pub id: String,
    /// The person at KS.
    pub user: PlatformUser,
    /// What the site calls the person.
    #[serde(default)]
    pub alias: Option<String>,
    /// Roles at the site.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Whether the person is blocked.
    #[serde(default)]
    pub blocked: bool,
    /// `subscribed`, or `suspended`: above the number of seats, or put to rest.
    #[serde(default)]
    pub subscription_state: Option<String>,
    /// Whether the tag is this site's.
    #[serde(default)]
    pub tag_owned_by_this_site: Option<bool>,
}

impl SiteUser {
    /// Whether the person holds no seat, so that nothing opens.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.subscription_state.as_deref() == Some("suspended")
    }
}

/// A person at KS, whatever the site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlatformUser {
    /// The platform user's id.
    pub id: String,
    /// E-mail, if the person has a login.
    #[serde(default)]
    pub email: Option<String>,
    /// First name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// The tag's number, eight decimal digits; SALTO's own, not made from the UID.
    #[serde(default)]
    pub tag_number: Option<String>,
}

/// An access group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessGroup {
    /// UUID.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub customer_reference: Option<String>,
}

/// When an access group opens: on these weekdays, within a daily window, between two dates. A group without any opens
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSchedule {
    /// UUID; absent in what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Monday.
    #[serde(default)]
    pub monday: bool,
    /// Tuesday.
    #[serde(default)]
    pub tuesday: bool,
    /// Wednesday.
    #[serde(default)]
    pub wednesday: bool,
    /// Thursday.
    #[serde(default)]
    pub thursday: bool,
    /// Friday.
    #[serde(default)]
    pub friday: bool,
    /// Saturday.
    #[serde(default)]
    pub saturday: bool,
    /// Sunday.
    #[serde(default)]
    pub sunday: bool,
    /// `HH:MM` or `HH:MM:SS`, the site's zone.
    #[serde(default)]
    pub start_time: String,
    /// The last minute: what was sent as 18:00 is read back as 18:00:59.
    #[serde(default)]
    pub end_time: String,
    /// The first day, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
}

/// A lock or wall reader.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lock {
    /// UUID.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub customer_reference: Option<String>,
    /// `escutcheon_pin`, `wall_reader_pin` and others.
    #[serde(default)]
    pub lock_type: Option<String>,
    /// Stale by up to half an hour: not for liveness.
    #[serde(default)]
    pub online: Option<bool>,
    /// `attached` or `detached…`.
    #[serde(default)]
    pub iq_link_state: Option<String>,
    /// `critical`, `low`, `good`, `fresh`, `none`, `unknown`.
    #[serde(default)]
    pub battery_level: Option<String>,
    /// `not_started` and others.
    #[serde(default)]
    pub tag_registration_state: Option<String>,
    /// `locked`, `unlocked`, `office_mode` and others.
    #[serde(default)]
    pub locked_state: Option<String>,
    /// How many keys the lock can hold for the time without its IQ: 39 by older documents, 360 measured.
    #[serde(default)]
    pub offline_access_keys_limit: Option<u32>,
    /// How many it holds.
    #[serde(default)]
    pub offline_access_keys_count: Option<u32>,
    /// Its IQ.
    #[serde(default)]
    pub iq: Option<LockIq>,
}

/// The IQ that a lock talks to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LockIq {
    /// UUID.
    pub id: String,
    /// Stale, as a lock's.
    #[serde(default)]
    pub is_online: Option<bool>,
    /// Whether remote opening needs a one-time password.
    #[serde(default)]
    pub otp_enabled: Option<bool>,
}

/// An IQ (`GET …/iqs`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Iq {
    /// UUID.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub customer_reference: Option<String>,
    /// Stale by up to half an hour.
    #[serde(default)]
    pub online: Option<bool>,
    /// `active` and others.
    #[serde(default)]
    pub state: Option<String>,
    /// `synced`, `pending`, `not_synced`, `failed`.
    #[serde(default)]
    pub data_sync_state: Option<String>,
    /// Whether remote opening needs a one-time password.
    #[serde(default)]
    pub otp_enabled: Option<bool>,
}
