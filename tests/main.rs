//! Scenarios, one file each, named by what happens.

#[cfg(test)]
mod audit_trail;
#[cfg(test)]
mod booking_deleted_while_offline;
#[cfg(test)]
mod change_reaches_the_door_at_once;
#[cfg(test)]
mod check_ins_arrive_once;
#[cfg(test)]
mod check_ins_wait_their_turn;
#[cfg(test)]
mod cli_commands;
#[cfg(test)]
mod cli_connect;
#[cfg(test)]
mod cli_help_pages;
#[cfg(test)]
mod cli_output;
#[cfg(test)]
mod cli_people;
#[cfg(test)]
mod cli_talks_to_the_gateway;
#[cfg(test)]
mod clock_is_not_known;
#[cfg(test)]
mod cloud_not_to_be_trusted;
#[cfg(test)]
mod cloud_site;
#[cfg(test)]
mod cobot_adapter;
#[cfg(test)]
mod cobot_budget;
#[cfg(test)]
mod cobot_check_ins;
#[cfg(test)]
mod cobot_hooks;
#[cfg(test)]
mod cobot_member_story;
#[cfg(test)]
mod cobot_site;
#[cfg(test)]
mod cobot_upgrade;
#[cfg(test)]
mod config_changes_while_running;
#[cfg(test)]
mod config_example_is_true;
#[cfg(test)]
mod config_reloaded_in_the_running_gateway;
#[cfg(test)]
mod config_secrets;
#[cfg(test)]
mod config_with_mistakes;
#[cfg(test)]
mod contract_adapter;
#[cfg(test)]
mod contract_odd_answers;
#[cfg(test)]
mod coworks_export;
#[cfg(test)]
mod daemon_site;
#[cfg(test)]
mod demo_platforms;
#[cfg(test)]
mod demo_plays;
#[cfg(test)]
mod desk_bulk_day;
#[cfg(test)]
mod desk_conflict;
#[cfg(test)]
mod desk_guest;
#[cfg(test)]
mod desk_kept_here;
#[cfg(test)]
mod desk_lost_fob;
#[cfg(test)]
mod desk_moved_card;
#[cfg(test)]
mod desk_new_fob;
#[cfg(test)]
mod desk_page;
#[cfg(test)]
mod desk_platforms;
#[cfg(test)]
mod desk_readers_daemon;
#[cfg(test)]
mod desk_readers_pcsc;
#[cfg(test)]
mod desk_readers_pn532;
#[cfg(test)]
mod desk_search;
#[cfg(test)]
mod desk_sheets;
#[cfg(test)]
mod desk_site;
#[cfg(test)]
mod desk_watch;
#[cfg(test)]
mod facts_file;
#[cfg(test)]
mod facts_that_contradict;
#[cfg(test)]
mod fob_opens_the_door;
#[cfg(test)]
mod gateway_cannot_start;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journal_bounds;
#[cfg(test)]
mod journal_disk_faults;
#[cfg(test)]
mod journal_figures;
#[cfg(test)]
mod journal_killed;
#[cfg(test)]
mod journal_outbox;
#[cfg(test)]
mod journal_power_cut;
#[cfg(test)]
mod journal_read_only;
#[cfg(test)]
mod journal_support;
#[cfg(test)]
mod journal_upgraded;
#[cfg(test)]
mod journal_vanished;
#[cfg(test)]
mod ks_apply_named;
#[cfg(test)]
mod ks_clock_changes;
#[cfg(test)]
mod ks_connect;
#[cfg(test)]
mod ks_entries;
#[cfg(test)]
mod ks_health;
#[cfg(test)]
mod ks_house;
#[cfg(test)]
mod ks_in_step;
#[cfg(test)]
mod ks_interrupted;
#[cfg(test)]
mod ks_killed;
#[cfg(test)]
mod ks_login;
#[cfg(test)]
mod ks_manners;
#[cfg(test)]
mod ks_model;
#[cfg(test)]
mod ks_model_site;
#[cfg(test)]
mod ks_open;
#[cfg(test)]
mod ks_open_everywhere;
#[cfg(test)]
mod ks_outage;
#[cfg(test)]
mod ks_pair_desk;
#[cfg(test)]
mod ks_plan;
#[cfg(test)]
mod ks_seats;
#[cfg(test)]
mod ks_site;
#[cfg(test)]
mod ks_tags;
#[cfg(test)]
mod ks_tls;
#[cfg(test)]
mod mqtt_broker_killed;
#[cfg(test)]
mod mqtt_contract;
#[cfg(test)]
mod mqtt_daemon;
#[cfg(test)]
mod mqtt_events_and_health;
#[cfg(test)]
mod mqtt_refused_and_unreachable;
#[cfg(test)]
mod mqtt_site;
#[cfg(test)]
mod mqtt_wedged;
#[cfg(test)]
mod nexudus_adapter;
#[cfg(test)]
mod nexudus_check_ins;
#[cfg(test)]
mod nexudus_figures;
#[cfg(test)]
mod nexudus_member_story;
#[cfg(test)]
mod nexudus_refresh;
#[cfg(test)]
mod nexudus_site;
#[cfg(test)]
mod no_card_number_or_secret_is_ever_printed;
#[cfg(test)]
mod officernd_adapter;
#[cfg(test)]
mod officernd_changes;
#[cfg(test)]
mod officernd_figures;
#[cfg(test)]
mod officernd_member_story;
#[cfg(test)]
mod officernd_site;
#[cfg(test)]
mod officernd_writes;
#[cfg(test)]
mod osdp_bus_trouble;
#[cfg(test)]
mod osdp_contrary_reader;
#[cfg(test)]
mod osdp_figures;
#[cfg(test)]
mod osdp_independent_reader;
#[cfg(test)]
mod osdp_pypi_reader;
#[cfg(test)]
mod osdp_reader_answers;
#[cfg(test)]
mod osdp_shared_bus;
#[cfg(test)]
mod osdp_site;
#[cfg(test)]
mod package_contents;
#[cfg(test)]
mod page_api;
#[cfg(test)]
mod page_browser;
#[cfg(test)]
mod page_hostile;
#[cfg(test)]
mod page_oidc;
#[cfg(test)]
mod page_oidc_hostile;
#[cfg(test)]
mod page_served;
#[cfg(test)]
mod page_sign_in;
#[cfg(test)]
mod page_site;
#[cfg(test)]
mod page_stage;
#[cfg(test)]
mod partial_sync_never_revokes;
#[cfg(test)]
mod readers_in_the_running_gateway;
#[cfg(test)]
mod rules_each_have_a_test;
#[cfg(test)]
mod rules_incremental;
#[cfg(test)]
mod rules_model;
#[cfg(test)]
mod rules_profile;
#[cfg(test)]
mod rules_world;
#[cfg(test)]
mod snapshot_held_back;
#[cfg(test)]
mod spacebring_adapter;
#[cfg(test)]
mod spacebring_cards_hooks_survey;
#[cfg(test)]
mod spacebring_member_story;
#[cfg(test)]
mod spacebring_refresh;
#[cfg(test)]
mod spacebring_site;
#[cfg(test)]
mod spacebring_slow_and_skewed;
#[cfg(test)]
mod staff_ask_why;
#[cfg(test)]
mod stale_without_contact;
#[cfg(test)]
mod sync_converges;
#[cfg(test)]
mod systemd_is_told_the_truth;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod vendor_documents;
#[cfg(test)]
mod vendor_judge;
#[cfg(test)]
mod web_hooks_are_hints;
#[cfg(test)]
mod wradapt_line;
