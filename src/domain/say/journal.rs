//! Details of events. They stand in the journal as English text, for ever, so some of these sentences are put together
//! elsewhere and only found again here: tests beside those places see to it that they are.

sentences! {
    /// What stands beside an event.
    JOURNAL {
        asked_by(asker) = "asked for by {asker}";
        asked_by_ks_opened(asker) = "asked for by {asker}; SALTO KS opened it";
        asked_by_ks_silent(asker) = "asked for by {asker}; SALTO KS did not answer, it may have opened";
        output_failed(output, reader) = "output {output} of {reader} did not switch; the door stayed secured";
        time_trusted() = "trusted";
        time_untrusted() = "untrusted";
        gateway_version(version) = "version {version}";
        facts_version(version, people, cards, rights) = "version {version}: {people} people, {cards} cards, {rights} grants";
        fault_began(fault) = "began: {fault}";
        fault_ended(fault) = "ended: {fault}";
        held_version(from, to) = "the cloud's facts went back from version {from} to {to}; the snapshot in force stays. If the cloud was restored on purpose, run `doorward sync accept`";
        held_grants(gone, all) = "{gone} of {all} grants would go at once; the snapshot in force stays. If that is meant, run `doorward sync accept`";
        held_cards(gone, all) = "{gone} of {all} cards would stop working at once; the snapshot in force stays. If that is meant, run `doorward sync accept`";
        // Who did what at the desk.
        desk_assigned(who, role) = "assigned by {who} ({role})";
        desk_moved(who, role, name) = "moved by {who} ({role}): from {name}";
        desk_returned(who, role) = "returned by {who} ({role})";
        desk_undone(who, role) = "undone by {who} ({role})";
        desk_guest(who, role) = "guest card by {who} ({role})";
        desk_blocked(who, role) = "blocked by {who} ({role})";
        desk_blocked_why(who, role, why) = "blocked by {who} ({role}): {why}";
        desk_unblocked(who, role) = "unblocked by {who} ({role})";
        desk_refused(who, role) = "refused by the platform, given out by {who} ({role})";
        desk_resolved_retry(who, role) = "conflict resolved by {who} ({role}): the platform is told again";
        desk_resolved_here(who, role) = "conflict resolved by {who} ({role}): it stays as it is at these doors";
        desk_resolved_undo(who, role) = "conflict resolved by {who} ({role}): what the platform says counts";
        // The right that came nearest to opening.
        miss_starts(right, time) = "{right} starts {time}";
        miss_opens(right, time) = "{right} opens {time}";
        miss_never(right) = "{right} does not open again before it ends";
        miss_ended(right, time) = "{right} ended {time}";
        miss_held(right, time) = "{right} held until {time}";
        miss_clock(right) = "{right} needs the time";
        miss_used_up(right) = "{right} is used up";
        miss_off(right) = "{right} opens nothing: not switched on for doors";
        miss_unconfirmed(right) = "{right} is not confirmed";
        // What a lock of SALTO KS tells.
        ks_own() = "opened from afar by this gateway";
        ks_opened() = "opened";
        ks_opened_how(how) = "opened {how}";
        ks_refused_plainly() = "refused";
        ks_refused_how(how) = "refused {how}";
        ks_nobody_here(why) = "{why}; nobody here";
        ks_time_ahead(why) = "{why}; its time lies ahead of ours";
        ks_time_wrong(why) = "{why}; its time cannot be right";
        ks_iq_silent(iq) = "its IQ {iq} does not answer";
        battery_low() = "low";
        battery_critical() = "critical";
    }
}

sentences! {
    /// What kind of right came near, with what it is called.
    RIGHTS {
        right_assignment(name) = "assignment {name}";
        right_booking(name) = "booking {name}";
        right_direct(name) = "right by hand {name}";
        right_pass(name) = "pass {name}";
        right_plan(name) = "plan {name}";
    }
}

sentences! {
    /// Who asked, and where.
    ASKERS {
        asker_page(who) = "{who} at the page";
        asker_user(who) = "user {who} of this machine";
    }
}

sentences! {
    /// With what a lock of SALTO KS was opened, or not.
    WAYS {
        way_tag() = "with a tag";
        way_tag_unnumbered() = "with a tag without a number";
        way_pin() = "with a PIN";
        way_handle() = "by the handle inside";
        way_afar() = "from afar";
        way_detail(how, technical) = "{how} ({technical})";
    }
}
