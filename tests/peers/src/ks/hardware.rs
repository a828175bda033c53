//! Locks and IQs: what they say of themselves, registration of tags, remote opening with its one-time password.

use super::{
    entries, lists,
    reply::{Answer, Fields, Refusal, Reply, Request},
    sites::uuid,
    state::{Entry, Iq, Lock, State},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How long a one-time password is good, milliseconds, and how far the clock of who made it may be ahead.
const OTP_LASTS: i64 = 180_000;
const OTP_AHEAD: i64 = 30_000;
/// How long a command stays blocked after too many wrong ones, milliseconds.
const OTP_BLOCK: i64 = 300_000;
/// What the parameters of a lock's state may be.
const STATES: &[&str] = &["none", "locked", "office_mode", "uncertain", "unlocked"];

pub(super) fn route(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    match (request.method.as_str(), parts) {
        ("GET", ["locks"]) => {
            let rows = state.locks.iter().map(|lock| lock_row(state, lock)).collect();
            let shape = state.manners.lists;
            lists::list(state, request, &["id", "customer_reference"], shape, rows)
        }
        ("GET", ["locks", id]) => {
            let lock = state.locks.get(find(state, id)?);
            Ok(Reply::ok(
                &lock.map(|lock| lock_row(state, lock)).unwrap_or_default(),
            ))
        }
        ("PATCH", ["locks", id, "locking"]) => open(state, request, id),
        ("PATCH", ["locks", id, "tag_registration"]) => register(state, request, id),
        ("GET", ["iqs"]) => {
            let rows = state.iqs.iter().map(iq_row).collect();
            let shape = state.manners.lists;
            lists::list(state, request, &["id", "customer_reference"], shape, rows)
        }
        ("GET", ["iqs", id]) => Ok(Reply::ok(&iq_row(iq(state, id)?))),
        ("GET", ["iqs", id, "secret"]) => match iq(state, id)? {
            iq if iq.activated => Err(Refusal::forbidden()),
            iq => Ok(Reply::ok(&json!({"secret": iq.secret}))),
        },
        ("GET", ["iqs", id, "pin"]) => {
            iq(state, id)?.mailed = request.parameter("send_email").as_deref() == Some("true");
            Ok(Reply::empty(204))
        }
        ("PUT", ["iqs", id, "pin"]) => activate(state, request, id),
        (_, ["locks" | "iqs"] | ["locks" | "iqs", _] | ["locks", _, "locking" | "tag_registration"])
        | (_, ["iqs", _, "secret" | "pin"]) => Ok(Reply::empty(405)),
        _ => Ok(Reply::empty(404)),
    }
}

/// A lock as lists show it. There is no id of the site in it.
pub(super) fn lock_row(state: &State, lock: &Lock) -> Value {
    let iq = state.iqs.iter().find(|iq| iq.id == lock.iq);
    let registering = lock.registering.is_some_and(|until| state.now() < until);
    json!({
        "id": lock.id, "mac": mac(&lock.id), "customer_reference": lock.name, "floor": null,
        "locked_state": lock.locked_state, "lock_type": "escutcheon_pin", "online": lock.online,
        "iq_link_state": "attached",
        "tag_registration_state": if registering { "started" } else { "not_started" },
        "battery_level": lock.battery, "left_open_alarm": false, "intrusion_alarm": false, "privacy_mode": false,
        "easy_office_mode_schedule": null,
        "iq": iq.map(|iq| json!({
            "id": iq.id, "mac_address": mac(&iq.id), "is_online": iq.online, "revision": "2.0",
            "otp_enabled": iq.otp_enabled,
        })),
        "repeater": null, "communication_type": "blue_net", "vendor": {"reference": "sallis"},
        "offline_access_keys_limit": lock.offline_limit, "offline_access_keys_count": lock.offline_keys,
    })
}

/// The last digits of an id, as an address.
pub(super) fn mac(id: &str) -> String {
    let tail: Vec<char> = id.chars().rev().take(6).collect();
    let pairs: Vec<String> = tail.chunks(2).map(|pair| pair.iter().rev().collect()).collect();
    pairs.join(".").to_uppercase()
}

fn iq_row(iq: &Iq) -> Value {
    json!({
        "id": iq.id, "customer_reference": iq.name, "time_zone": "Europe/Madrid", "mac": mac(&iq.id), "operator": null,
        "state": "active", "restore_required": false, "reset_date": null, "online": iq.online, "led_enabled": true,
        "data_sync_state": "not_synced", "signal_strength": 0, "revision": "2.0", "otp_enabled": iq.otp_enabled,
    })
}

fn find(state: &State, id: &str) -> Result<usize, Refusal> {
    let id = uuid(id)?;
    let found = state.locks.iter().position(|lock| lock.id == id);
    found.ok_or_else(|| Refusal::not_found("Lock"))
}

fn iq<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Iq, Refusal> {
    let id = uuid(id)?;
    let found = state.iqs.iter_mut().find(|iq| iq.id == id);
    found.ok_or_else(|| Refusal::not_found("IQ"))
}

/// The one-time password of an instant: the first five digits of the MD5 of time, secret and PIN.
#[must_use]
pub fn otp(at: i64, secret: &str, pin: &str) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let text = format!("{}{secret}{pin}", at.strftime("%Y%m%d%H%M%S"));
    let mut digits = format!("{:x}", md5::compute(text));
    digits.truncate(5);
    digits
}

/// Whether it was one within the last three minutes.
fn otp_fits(now: i64, secret: &str, pin: &str, said: &str) -> bool {
    let seconds = (now - OTP_LASTS) / 1_000..=(now + OTP_AHEAD) / 1_000;
    seconds
        .into_iter()
        .any(|second| otp(second * 1_000, secret, pin).eq_ignore_ascii_case(said))
}

fn activate(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["otp", "delta"], &["otp", "delta"])?;
    let said = fields.text("otp")?.unwrap_or_default();
    let now = state.now();
    let iq = iq(state, id)?;
    if !iq.mailed || !otp_fits(now, &iq.secret, &iq.pin, &said) {
        return Err(Refusal::otp(false));
    }
    iq.activated = true;
    Ok(Reply::empty(204))
}

fn open(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["locked_state", "otp"], &["locked_state"])?;
    let (index, now) = (find(state, id)?, state.now());
    let wanted = fields.text("locked_state")?.unwrap_or_default();
    if !STATES.contains(&wanted.as_str()) {
        return Err(Refusal::validation("locked_state is not valid"));
    }
    let said = fields.text("otp")?;
    let tries = state.manners.otp_tries;
    let Some(lock) = state.locks.get_mut(index) else {
        return Err(Refusal::not_found("Lock"));
    };
    let key = state
        .iqs
        .iter()
        .find(|iq| iq.id == lock.iq && iq.otp_enabled)
        .map(|iq| (iq.secret.clone(), iq.pin.clone(), iq.activated));
    if let Some((secret, pin, activated)) = key {
        if lock.otp_blocked.is_some_and(|until| now < until) {
            return Err(Refusal::otp(true));
        }
        let said = said.filter(|_| activated).ok_or_else(Refusal::no_otp)?;
        if !otp_fits(now, &secret, &pin, &said) {
            lock.wrong_otps += 1;
            let blocked = lock.wrong_otps >= tries;
            if blocked {
                lock.otp_blocked = Some(now + OTP_BLOCK);
                lock.wrong_otps = 0;
            }
            return Err(Refusal::otp(blocked));
        }
        lock.wrong_otps = 0;
    }
    if wanted == "office_mode" || wanted == "locked" {
        lock.locked_state = wanted;
    }
    let lock = lock.clone();
    let entry = Entry {
        lock: lock.id.clone(),
        by: Some("remote".into()),
        user: Some(state.me.clone()),
        ..entries::blank(now)
    };
    entries::add(state, entry);
    Ok(Reply::ok(&lock_row(state, &lock)))
}

fn register(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["duration_in_seconds"], &["duration_in_seconds"])?;
    let seconds = fields.number("duration_in_seconds")?.unwrap_or_default();
    if !(1..=600).contains(&seconds) {
        return Err(Refusal::validation("duration_in_seconds is not valid"));
    }
    if !state
        .features
        .iter()
        .any(|feature| feature == "smart_tag_assignment")
    {
        return Err(Refusal::forbidden());
    }
    let (index, now) = (find(state, id)?, state.now());
    if let Some(lock) = state.locks.get_mut(index) {
        lock.registering = Some(now + seconds * 1_000);
    }
    Ok(Reply::empty(200))
}
