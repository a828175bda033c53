//! The kinds of faults: what stands before the colon of a fault's key. Its text names the cause and differs with it, so what a
//! page says is said by kind, with the text beside it.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part of the key before the colon.
    pub kind: &'static str,
    /// What the part behind it names, if there is one.
    pub about: Option<&'static str>,
}

const fn fault(kind: &'static str) -> Fault {
    Fault { kind, about: None }
}

const fn about(kind: &'static str, name: &'static str) -> Fault {
    Fault {
        kind,
        about: Some(name),
    }
}

/// Every kind.
pub const FAULTS: &[Fault] = &[
    // The gateway itself.
    fault("clock_untrusted"),
    fault("config_refused"),
    fault("config_watch"),
    fault("control_socket"),
    about("internal_error", "reader"),
    fault("lockdown_unreadable"),
    fault("restart_needed"),
    fault("vault_unreadable"),
    // Its card.
    fault("audit_failed"),
    about("disk_corrupt", "file"),
    about("disk_error", "file"),
    about("disk_full", "file"),
    about("disk_read_only", "file"),
    fault("events_lost"),
    fault("journal_full"),
    fault("journal_lost"),
    fault("journal_nearly_full"),
    fault("ring_foreign"),
    fault("ring_torn"),
    fault("ring_unavailable"),
    fault("state_lost"),
    // Doors and their readers.
    about("door_forced", "door"),
    about("door_held", "door"),
    about("install_mode", "reader"),
    about("line_crossed", "line"),
    about("line_lost", "line"),
    about("reader_key", "reader"),
    about("reader_offline", "reader"),
    about("reader_power", "reader"),
    about("reader_tamper", "reader"),
    about("reader_unsteady", "reader"),
    // The platform and its facts.
    fault("check_in_rejected"),
    fault("check_ins_waiting"),
    fault("cloud_clock_skew"),
    fault("cloud_facts_unusable"),
    fault("cloud_refused"),
    fault("cloud_unreachable"),
    fault("facts_not_used"),
    fault("hook_refused"),
    fault("hooks_not_subscribed"),
    fault("hooks_unreachable"),
    fault("snapshot_held"),
    fault("snapshot_not_stored"),
    fault("snapshot_unreadable"),
    about("stale", "grant"),
    // The desk and the page.
    fault("desk_block_unkept"),
    fault("desk_conflict"),
    fault("desk_pcsc"),
    fault("desk_pcsc_kernel"),
    about("desk_pn532", "reader"),
    fault("desk_thread"),
    about("desk_wedge", "reader"),
    fault("page_unreachable"),
    // The building network.
    fault("mqtt_config"),
    fault("mqtt_refused"),
    fault("mqtt_stalled"),
    fault("mqtt_tls"),
    fault("mqtt_unreachable"),
    // SALTO KS.
    fault("ks_apply"),
    about("ks_battery", "door"),
    fault("ks_by_hand"),
    fault("ks_entries"),
    fault("ks_entries_kept"),
    fault("ks_entries_unreadable"),
    fault("ks_first_plan"),
    about("ks_iq_sync", "iq"),
    about("ks_lock", "door"),
    about("ks_lock_offline", "door"),
    about("ks_lock_unknown", "door"),
    fault("ks_locks_unread"),
    fault("ks_login"),
    about("ks_offline_keys", "door"),
    fault("ks_plan_held"),
    fault("ks_refused"),
    fault("ks_seats"),
    fault("ks_stream"),
    fault("ks_unreachable"),
    fault("ks_waits"),
];
