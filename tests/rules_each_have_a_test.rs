//! Every rule of docs/rules.md has a test of its own, R1 to R44: in the rules' room where the engine keeps it, elsewhere where
//! another room does.

use std::{fs, path::Path};

const PEOPLE: &str = "src/rules/tests/people_and_plans.rs";
const LIFE: &str = "src/rules/tests/lifecycle.rs";
const TEAMS: &str = "src/rules/tests/teams.rs";
const BOOKINGS: &str = "src/rules/tests/bookings.rs";
const DAYS: &str = "src/rules/tests/days.rs";
const DESKS: &str = "src/rules/tests/desks.rs";
const PASSES: &str = "src/rules/tests/passes_and_cards.rs";
const PASS_HOURS: &str = "src/rules/tests/pass_hours.rs";
const EFFECTIVE: &str = "src/rules/tests/effective.rs";

/// Rule, file, test.
const TESTS: &[(u8, &str, &str)] = &[
    (1, PEOPLE, "r1_s4_63_a_plan_gives_all_its_groups"),
    (2, LIFE, "r2_s4_69_nothing_before_it_begins"),
    (
        3,
        LIFE,
        "r3_s3_81_s4_67_s2_87_a_cancelled_membership_ends_but_with_coworks_s1_45",
    ),
    (
        4,
        LIFE,
        "r4_s2_87_there_is_no_fact_of_an_invoice_that_could_matter",
    ),
    (
        5,
        PEOPLE,
        "r5_s1_44_deactivation_revokes_everything_and_keeps_the_person_known",
    ),
    (6, TEAMS, "r6_s0_34_the_paying_members_contract_reaches_the_team"),
    (
        7,
        PEOPLE,
        "r7_s3_77_a_plan_change_leaves_no_moment_without_either",
    ),
    (
        8,
        PEOPLE,
        "r8_s3_78_an_unmapped_plan_opens_nothing_and_is_reported",
    ),
    (
        9,
        PEOPLE,
        "r9_r10_s4_75_s4_85_an_assigned_desk_opens_itself_its_floor_and_its_location",
    ),
    (
        10,
        PEOPLE,
        "r10_s4_77_joes_desk_on_any_floor_in_london_opens_what_london_is_mapped_to",
    ),
    (
        11,
        PEOPLE,
        "r11_s3_46_directly_given_groups_need_no_plan_and_no_pass",
    ),
    (
        12,
        BOOKINGS,
        "r12_s4_103_an_unmapped_room_opens_nothing_and_warns_nobody",
    ),
    (
        13,
        BOOKINGS,
        "r13_s2_93_to_s2_105_thirty_minutes_before_and_after",
    ),
    (
        14,
        BOOKINGS,
        "r14_c3_s2_93_s4_107_s3_33_who_is_invited_gets_in_by_profile",
    ),
    (
        15,
        DAYS,
        "r15_s3_33_only_on_the_date_and_at_the_time_of_the_booking",
    ),
    (
        16,
        DAYS,
        "r16_s3_37_a_deleted_booking_is_gone_and_a_moved_one_moves",
    ),
    (
        17,
        DESKS,
        "r17_s2_131_network_members_and_nonmembers_follow_the_public_schedule",
    ),
    (
        18,
        DAYS,
        "r18_bookings_that_touch_or_overlap_leave_no_gap_at_the_seam",
    ),
    (19, BOOKINGS, "r19_no_platform_opens_for_what_is_not_confirmed"),
    (20, PASSES, "r20_s4_113_a_pass_opens_until_used_up_or_over"),
    (
        21,
        PASS_HOURS,
        "r21_s0_13_a_morning_pass_opens_in_the_morning_and_in_its_validity",
    ),
    (
        22,
        PASSES,
        "r22_s3_46_out_of_passes_the_plan_stops_and_bookings_and_direct_groups_do_not",
    ),
    (23, PASSES, "r23_s3_73_the_last_pass_opens_until_it_has_run_out"),
    (
        24,
        PASS_HOURS,
        "r24_s3_72_which_pass_goes_first_changes_nothing_here",
    ),
    (
        25,
        PASS_HOURS,
        "r25_s3_72_a_pass_that_comes_back_after_an_upgrade_opens_again",
    ),
    (
        26,
        PASS_HOURS,
        "r26_s3_73_while_one_pass_runs_the_person_is_in_as_often_as_they_like",
    ),
    (
        27,
        "tests/check_ins_arrive_once.rs",
        "under_kills_outages_lost_answers_and_throttling_none_is_missing_and_none_twice",
    ),
    (
        28,
        "tests/web_hooks_are_hints.rs",
        "a_pass_that_an_entry_began_is_known_at_once",
    ),
    (
        29,
        "tests/rules_each_have_a_test.rs",
        "r29_s3_69_nobody_here_says_that_somebody_left",
    ),
    (
        30,
        "tests/contract_adapter.rs",
        "a_refused_check_in_is_an_answer_and_no_failure",
    ),
    (
        31,
        LIFE,
        "r31_s3_52_new_members_only_and_s1_30_the_members_own_switch",
    ),
    (
        32,
        EFFECTIVE,
        "r32_s3_48_who_has_no_plan_no_booking_and_nothing_else_is_inactive",
    ),
    (
        33,
        LIFE,
        "r33_s4_125_who_has_no_rights_left_stays_known_with_card_and_name",
    ),
    (
        34,
        PASSES,
        "r34_a_card_of_two_people_is_kept_for_both_and_reported_without_its_number",
    ),
    (35, LIFE, "r35_s4_14_another_name_and_address_are_the_same_person"),
    (
        36,
        "src/rules/tests/mapping.rs",
        "r36_s4_26_only_what_is_at_a_listed_location_counts_and_blank_means_all",
    ),
    (
        37,
        LIFE,
        "r37_s4_121_whoever_the_platform_does_not_say_is_in_no_mapped_group",
    ),
    (
        38,
        LIFE,
        "r38_s4_131_a_group_that_no_mapping_names_is_never_touched",
    ),
    (39, LIFE, "r39_s3_79_the_rules_read_facts_and_write_none"),
    (
        40,
        "src/rules/tests/hours.rs",
        "r40_s3_10_a_plan_of_weekdays_and_one_around_the_clock",
    ),
    (41, PASSES, "r41_losing_one_source_leaves_the_rest"),
    (
        42,
        "tests/change_reaches_the_door_at_once.rs",
        "a_hint_opens_the_door_and_unchanged_facts_cost_one_small_request",
    ),
    (
        43,
        EFFECTIVE,
        "r43_s4_15_who_is_in_which_group_at_an_instant_and_how_it_stands",
    ),
    (
        44,
        "tests/journal_killed.rs",
        "no_answered_event_is_lost_to_kill_9",
    ),
];

/// Further tests of a rule, where a platform keeps it in its own way.
const ALSO: &[(u8, &str, &str)] = &[
    (
        25,
        "tests/cobot_upgrade.rs",
        "the_pass_that_comes_back_opens_again_and_the_dear_one_runs",
    ),
    (
        28,
        "tests/cobot_check_ins.rs",
        "one_check_in_stands_for_all_entries_while_it_runs",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn all_44_have_one_and_it_is_where_it_should_be() {
    let numbers: Vec<u8> = TESTS.iter().map(|(rule, ..)| *rule).collect();
    assert_eq!(numbers, (1..=44).collect::<Vec<_>>());
    for (rule, file, test) in TESTS.iter().chain(ALSO) {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(
            text.contains(&format!("fn {test}(")),
            "R{rule}: {file} has no test {test}"
        );
        // In the rules' own room the name says the rule.
        let named = test.starts_with(&format!("r{rule}_")) || test.contains(&format!("_r{rule}_"));
        assert!(named || !file.starts_with("src/rules"), "R{rule}: {test}");
    }
}

/// A golden test says which rule it is and which line of which guide has the case, in its name or in the comment above it;
/// where no guide says anything, that.
#[test]
fn each_names_its_rule_and_the_line_that_it_comes_from() {
    for (rule, file, test) in TESTS.iter().chain(ALSO) {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let (before, _) = text.split_once(&format!("fn {test}(")).unwrap();
        let above = before.rsplit("\n\n").next().unwrap_or_default();
        let named = test.split('_').any(|part| part == format!("r{rule}"));
        assert!(
            named || above.contains(&format!("R{rule}")),
            "{file}: {test} does not say that it is about R{rule}"
        );
        let parts: Vec<&str> = test.split('_').collect();
        let is_line = |pair: &[&str]| matches!(pair, [guide, line] if guide.starts_with('s') && guide.len() == 2 && line.parse::<u16>().is_ok());
        let cited = parts.windows(2).any(is_line)
            || (0..5).any(|guide| above.contains(&format!("S{guide}:")))
            || above.contains("the guides are silent");
        assert!(cited, "{file}: {test} names no line of a guide");
    }
}

#[test]
fn the_document_explains_all_44() {
    let text = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    for rule in 1..=44 {
        let found = text.lines().filter(|line| line.starts_with("| R"));
        let has = |line: &str| {
            let first = line
                .trim_start_matches("| ")
                .split(" |")
                .next()
                .unwrap_or_default();
            first.split(", ").any(|name| name == format!("R{rule}"))
        };
        assert_eq!(
            found.filter(|line| has(line)).count(),
            1,
            "docs/rules.md, R{rule}"
        );
    }
}

/// No lock knows who leaves, so no room may make a check-out up: not the rules, not what is sent to a platform.
#[test]
fn r29_s3_69_nobody_here_says_that_somebody_left() {
    let mut folders = vec![
        root().join("src/rules"),
        root().join("src/sync"),
        root().join("src/domain"),
    ];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            for word in ["checkout", "check_out", "checked_out", "\"toggle\""] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 20);
}
