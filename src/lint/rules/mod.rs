//! The rules, one file each.

mod ab_testing;
mod colliding_names;
mod cookie_header_removed;
mod cookie_of_another_canary;
mod cookie_of_the_application;
mod domain_of_other_hosts;
mod empty_services_before_2_9_6;
mod entry_without_cookie;
mod entry_without_effect;
mod expires_in_mid_flow;
mod field_not_in_definition;
mod field_of_a_later_traefik;
mod foreign_traefik_service;
mod group_of_traefik_2;
mod http_route_without_stickiness;
mod last_step_below_all;
mod malformed_declaration;
mod malformed_entry;
mod metrics_of_the_target;
mod mirror;
mod mistyped_annotation;
mod name_left_to_traefik;
mod negative_max_age;
mod nested_without_cookie;
mod no_route;
mod not_live_in_a_rollout;
mod not_protected;
mod nothing_checks_the_canary;
mod one_service_of_two_canaries;
mod outlives_the_last_step;
mod path_beside_the_routes;
mod pinned_to_a_dead_canary;
mod pod_cookie_of_same_name;
mod pods_pinned_not_tracks;
mod prefix_of_the_name;
mod primary_without_weight;
mod promotion_without_end;
mod readable_by_scripts;
mod refused_rule;
mod route_around_the_traefik_service;
mod route_misses_the_traefik_service;
mod route_of_another_namespace;
mod safe_naming;
mod same_site_in_capitals;
mod same_site_none_without_secure;
mod same_site_on_traefik_2;
mod secure_over_http;
mod service_of_a_track_missing;
mod session_affinity;
mod session_cookie;
mod starved_canary;
mod sticky_in_the_route;
mod sticky_without_cookie;
mod traefik_service_among_manifests;
mod two_api_groups;
mod weight_of_zero;
mod weights_beside_iterations;

use super::{Place, Rule, Severity, subject::Subject};
use crate::model::declaration::Malformed;

/// Every rule, sorted by code.
pub static RULES: &[Rule] = &[
    sticky_without_cookie::RULE,
    pod_cookie_of_same_name::RULE,
    cookie_of_another_canary::RULE,
    same_site_none_without_secure::RULE,
    secure_over_http::RULE,
    negative_max_age::RULE,
    same_site_in_capitals::RULE,
    same_site_on_traefik_2::RULE,
    field_not_in_definition::RULE,
    field_of_a_later_traefik::RULE,
    route_around_the_traefik_service::RULE,
    pods_pinned_not_tracks::RULE,
    nested_without_cookie::RULE,
    sticky_in_the_route::RULE,
    weight_of_zero::RULE,
    primary_without_weight::RULE,
    service_of_a_track_missing::RULE,
    path_beside_the_routes::RULE,
    domain_of_other_hosts::RULE,
    session_cookie::RULE,
    starved_canary::RULE,
    name_left_to_traefik::RULE,
    prefix_of_the_name::RULE,
    readable_by_scripts::RULE,
    safe_naming::RULE,
    colliding_names::RULE,
    group_of_traefik_2::RULE,
    route_of_another_namespace::RULE,
    http_route_without_stickiness::RULE,
    no_route::RULE,
    empty_services_before_2_9_6::RULE,
    malformed_declaration::RULE,
    foreign_traefik_service::RULE,
    malformed_entry::RULE,
    entry_without_effect::RULE,
    entry_without_cookie::RULE,
    last_step_below_all::RULE,
    ab_testing::RULE,
    mirror::RULE,
    session_affinity::RULE,
    weights_beside_iterations::RULE,
    expires_in_mid_flow::RULE,
    outlives_the_last_step::RULE,
    two_api_groups::RULE,
    promotion_without_end::RULE,
    traefik_service_among_manifests::RULE,
    cookie_of_the_application::RULE,
    metrics_of_the_target::RULE,
    nothing_checks_the_canary::RULE,
    pinned_to_a_dead_canary::RULE,
    mistyped_annotation::RULE,
    not_live_in_a_rollout::RULE,
    not_protected::RULE,
    route_misses_the_traefik_service::RULE,
    refused_rule::RULE,
    cookie_header_removed::RULE,
    one_service_of_two_canaries::RULE,
];

/// The share of the logins from which on it is worth a warning, in percent.
const NOTABLE: f64 = 10.0;

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    /// The problem.
    pub(super) message: String,
    /// The fix.
    pub(super) help: String,
    /// What it is about.
    pub(super) place: Place,
    /// The severity, if it is not that of the rule.
    pub(super) severity: Option<Severity>,
}

impl Problem {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), place: Place::default(), severity: None }
    }

    fn with(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Returns the one problem, at this place.
    fn at(self, place: Place) -> Vec<Self> {
        vec![Self { place, ..self }]
    }

    /// Returns the one problem, at this field of the TraefikService.
    fn in_service(self, subject: Subject<'_>, path: &[&str]) -> Vec<Self> {
        self.at(subject.service_place(path))
    }
}

/// Returns the problems of an annotation's parts, each with its offset; or the first one if they do not show it, because
/// what is no text at all has no parts.
fn malformed(
    annotation: &str,
    first: &Malformed,
    mut parts: Vec<(usize, Malformed)>,
    fix: &'static str,
) -> Vec<Problem> {
    if !parts.iter().any(|(_, part)| part == first) {
        parts = vec![(0, first.clone())];
    }
    let problem = |(offset, part): (usize, Malformed)| {
        let place = Place { offset, ..Place::of_canary(&["metadata", "annotations", annotation]) };
        Problem::new(format!("annotation {annotation}, column {}: {part}", offset + 1), fix).at(place)
    };
    parts.into_iter().flat_map(problem).collect()
}

/// Lists at most three of these.
fn listed(all: &[String]) -> String {
    const SHOWN: usize = 3;
    let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
    format!("{}{more}", all[..all.len().min(SHOWN)].join(", "))
}
