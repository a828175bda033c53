//! The site as it is at first: an IQ and five locks in Madrid, one administrator, and a group that is nobody's business.

use super::state::{Group, Iq, Lock, Member, Schedule, State, Tag, User};
use jiff::civil::time;

/// The group that was there before, with one member.
pub const CLEANERS: &str = "Cleaners";
/// That member's name.
pub const CLEANER: &str = "Cleo Cleaner";
/// That member's tag.
pub const CLEANER_TAG: &str = "00007527";
/// The locks.
pub const LOCKS: [&str; 5] = ["Front door", "Studio", "Meeting room", "Side door", "Desk reader"];

pub(super) fn site(state: &mut State) {
    state.site = state.id(0x51e);
    state.site_name = "Riverside".into();
    state.zone = "Europe/Madrid".into();
    state.seats = 400;
    state.features = [
        "pods",
        "events_streaming",
        "smart_tag_assignment",
        "time_and_attendance_report",
        "nfc",
        "events_storage",
        "activity_log",
    ]
    .map(str::to_owned)
    .to_vec();
    for code in [
        "site_user",
        "site_admin",
        "site_mobile_user",
        "site_pod_member",
        "site_guest",
    ] {
        let id = state.id(0x60);
        state.roles.push((id, code.to_owned()));
    }
    let iq = state.id(0x19);
    state.iqs.push(Iq {
        id: iq,
        name: "IQ ground floor".into(),
        online: true,
        otp_enabled: true,
        secret: "k3Yq8sV1zR5tW2xB".into(),
        pin: "4711".into(),
        mailed: false,
        activated: false,
    });
    for name in LOCKS {
        lock(state, name);
    }
    state.me = user(
        state,
        "Gateway System",
        "site_admin",
        Some(super::identity::USERNAME),
        None,
    );
    let cleaner = user(state, CLEANER, "site_user", None, Some(CLEANER_TAG));
    let locks = state.locks.iter().map(|lock| lock.id.clone()).collect();
    let group = Group {
        id: state.id(0x67),
        name: CLEANERS.into(),
        members: vec![Member {
            user: cleaner,
            since: 0,
        }],
        locks,
        schedules: vec![always(state)],
        ..Group::default()
    };
    state.groups.push(group);
}

/// Every day, all day.
pub(super) fn always(state: &mut State) -> Schedule {
    Schedule {
        id: state.id(0x7c),
        days: [true; 7],
        start: time(0, 0, 0, 0),
        end: time(23, 59, 0, 0),
        from: None,
        until: None,
        since: 0,
    }
}

/// Another lock at the first IQ. Its id.
pub(super) fn lock(state: &mut State, name: &str) -> String {
    let id = state.id(0x10c);
    state.locks.push(Lock {
        id: id.clone(),
        name: name.to_owned(),
        iq: state.iqs.first().map(|iq| iq.id.clone()).unwrap_or_default(),
        online: true,
        battery: "fresh".into(),
        locked_state: "locked".into(),
        registering: None,
        offline_keys: 0,
        offline_limit: 360,
        wrong_otps: 0,
        otp_blocked: None,
    });
    id
}

/// A tag of this site. Its id.
pub(super) fn tag(state: &mut State, number: &str) -> String {
    let id = state.id(0x7a);
    state.tags.push(Tag {
        id: id.clone(),
        number: number.to_owned(),
        elsewhere: false,
    });
    id
}

/// A person with everything spread. The platform's id.
pub(super) fn user(
    state: &mut State,
    name: &str,
    role: &str,
    email: Option<&str>,
    number: Option<&str>,
) -> String {
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, "-"));
    let roles = state
        .roles
        .iter()
        .filter(|(_, code)| code == role)
        .map(|(id, _)| id.clone());
    let user = User {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        alias: name.to_owned(),
        email: email.map(str::to_owned),
        roles: roles.collect(),
        id: state.id(0x51),
        platform: state.id(0x9e),
        tag: number.map(|number| tag(state, number)),
        suspended: state.taken() >= state.seats,
        ..User::default()
    };
    let platform = user.platform.clone();
    state.users.push(user);
    platform
}
