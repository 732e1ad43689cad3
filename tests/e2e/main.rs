//! The promise itself: real Flagger rolls out behind real Traefik on a real API server, users log in all the
//! time, and the guard keeps the cookie.
//!
//! The rollouts run side by side, begun by the first test that looks at one; each test looks at what became of
//! some of them. All need servers that the tests start, so that `tests/run` leaves them out with
//! `USE_EXISTING_CLUSTER=true`.
#![expect(clippy::too_many_lines, reason = "a test holds what is shown, in full")]
#![expect(clippy::print_stdout, reason = "the figures are printed beside the results of the tests")]

mod application;
mod balancer;
mod browser;
mod claims;
mod cluster;
mod entry;
mod figures;
mod gate;
mod guards;
mod history;
mod isolate;
mod kubelet;
mod later;
mod logins;
mod orders;
mod people;
mod play;
mod rollouts;
mod routes;
mod screens;
mod shop;
mod simulated;
mod traefik;
mod verify;
mod verify_through;
mod web;
mod webhook;
mod webhook_claims;

use play::bad;
use routes::{cookies, odd, providers, redirects, rules};
use std::{process::ExitCode, time::Instant};

use libtest_mimic::{Arguments, Trial};

macro_rules! tests {
    ($prefix:literal, $claims:ident: $($claim:ident)*) => {
        vec![$(trial(concat!($prefix, stringify!($claim)), $claims::$claim)),*]
    };
}

/// A claim as a test, whose time is written down.
pub(crate) fn trial(name: &'static str, claim: fn()) -> Trial {
    Trial::test(name, move || {
        let began = Instant::now();
        claim();
        testbed::times::took(name, began.elapsed());
        Ok(())
    })
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("play") {
        return play::run();
    }
    let arguments = Arguments::from_args();
    if !arguments.list && !testbed::bed::use_existing_cluster() {
        isolate::isolate();
    }
    let mut tests = tests! { "policies::", claims:
        a_rollout_without_guard_has_no_cookie
        a_cookie_patched_once_is_lost_at_the_first_step
        every_generation_of_a_guarded_rollout_has_the_declared_cookie_from_create_on
        a_guarded_rollout_has_the_weights_of_an_unguarded_one_generation_for_generation
        a_guarded_rollout_has_no_warning_that_an_unguarded_one_has_not
        a_canary_created_with_its_declaration_has_the_cookie_in_every_generation
        a_declaration_changed_in_mid_rollout_is_what_the_next_generation_has
        an_undeclared_cookie_goes_with_the_next_write_in_whatever_order_the_policies_run
        a_rollback_keeps_the_cookie
        an_a_b_test_keeps_the_cookie
        a_paused_rollout_stands_still_and_keeps_the_cookie_when_it_goes_on
        a_restart_of_the_api_server_in_mid_rollout_loses_no_cookie
        no_login_fails
        without_a_cookie_logins_change_version_by_routing
        with_the_guard_no_login_changes_version_by_routing
        with_the_guard_traefik_is_never_without_the_cookie
        without_a_cookie_people_who_come_back_see_the_canary_as_its_weight_says
        a_max_age_longer_than_the_rollout_keeps_people_who_come_back_off_the_canary_until_it_has_succeeded
    };
    tests.extend(tests! { "policies::", simulated:
        without_a_cookie_people_see_what_is_simulated_at_every_step
        with_a_max_age_longer_than_the_rollout_people_see_what_is_simulated_at_every_step
        with_a_max_age_as_long_as_a_step_people_see_what_is_simulated_at_every_step
    });
    tests.extend(tests! { "policies::", screens:
        who_watches_a_rollout_sees_each_step
    });
    tests.extend(play::claims::tests());
    tests.extend(tests! { "", webhook_claims:
        every_generation_of_a_rollout_guarded_by_processes_has_the_declared_cookie
        with_processes_that_guard_no_login_changes_version_by_routing
        certificates_that_hold_for_20_s_are_renewed_throughout_rollouts_without_a_failed_call
        with_repairs_alone_each_write_of_flaggers_is_stored_without_the_cookie_and_has_exactly_one_repair
        flagger_waits_at_the_gate_until_the_cookies_of_the_primary_have_run_out
        when_the_cookies_of_the_primary_run_out_first_at_most_one_login_in_500_changes_version_promotion_included
        flagger_promotes_a_canary_whose_cookie_sticks_and_rolls_back_one_whose_cookie_does_not_and_says_why
        of_two_processes_a_kill_costs_each_writer_at_most_the_answer_in_flight_and_what_was_lost_is_repaired
        while_no_process_answers_writes_pass_in_two_seconds_and_each_loss_is_repaired_within_one_of_the_return
    });
    tests.extend(tests! { "", entry:
        with_an_entry_at_most_one_login_in_500_changes_version_promotion_included
        with_an_entry_people_who_come_back_see_the_canary_as_its_weight_says_at_every_step
        at_the_entry_the_application_sees_no_cookie_and_everywhere_else_all_of_them
        traefik_has_the_entrys_route_enabled_and_just_above_the_one_it_is_made_after
    });
    tests.extend(tests! { "", simulated:
        with_a_max_age_of_half_a_step_people_see_what_is_simulated_at_every_step
        with_an_entry_people_who_log_in_see_what_is_simulated_at_every_step
    });
    tests.extend(tests! { "routes::", routes:
        of_an_http_route_each_login_begins_anew_at_the_entry_and_only_there_the_cookies_are_taken_off
        of_a_route_in_the_older_syntax_each_login_begins_anew_at_the_entry_and_only_there
        where_the_older_syntax_is_traefiks_default_each_login_begins_anew_at_the_entry_and_only_there
        after_a_change_of_its_route_diff_says_so_and_apply_has_logins_begin_anew_on_the_new_host_over_tls
    });
    tests.extend(tests! { "routes::", providers:
        of_a_route_that_names_its_provider_each_login_begins_anew_at_the_entry_and_only_there
        a_path_that_traefiks_file_provider_serves_is_refused_once_traefik_is_asked
    });
    tests.extend(tests! { "routes::", odd:
        whatever_the_routes_are_like_traefik_has_those_of_the_entry_enabled_and_with_the_priorities_computed
    });
    tests.extend(tests! { "routes::", redirects:
        lint_finds_http_exactly_on_the_routes_that_traefik_serves_over_it
    });
    tests.extend(tests! { "routes::", rules:
        traefik_refuses_the_rules_that_are_said_to_be_refused_and_no_others
    });
    tests.extend(tests! { "routes::", cookies:
        each_cookie_that_is_shown_pins_to_its_track_with_and_without_safe_naming
    });
    tests.extend(tests! { "verify::", verify:
        what_does_not_stick_is_found_with_the_reason
        what_is_proposed_sticks
        over_tls_behind_a_redirect_and_beside_another_server_it_sticks
        every_command_of_the_page_on_verify_shows_what_the_page_says
    });
    tests.extend(tests! { "verify::", verify_through:
        without_an_address_it_goes_through_the_api_server_to_a_pod_of_traefik
        the_rights_that_rbac_prints_are_enough_to_go_through_the_api_server_and_all_of_them_are_needed
    });
    tests.extend(tests! { "play::", bad:
        a_secure_cookie_over_http_shows_as_bad_for_it_pins_nobody
        a_cookie_for_the_path_of_the_login_alone_shows_as_bad_for_the_redirects_leave_it
        a_max_age_longer_than_the_rollout_shows_as_bad_for_returning_users_do_not_see_the_canary
        what_the_playground_prints_names_everything_that_is_bad
    });
    let conclusion = libtest_mimic::run(&arguments, tests);
    println!("{}", figures::all());
    conclusion.exit_code()
}
