//! The rules, one file each.

pub(super) mod ab_testing;
pub(super) mod entry_without_cookie;
pub(super) mod entry_without_effect;
pub(super) mod foreign_traefik_service;
pub(super) mod last_step_below_all;
pub(super) mod malformed_declaration;
pub(super) mod malformed_entry;
pub(super) mod mirror;
pub(super) mod negative_max_age;
pub(super) mod same_site_none_without_secure;
pub(super) mod session_affinity;
pub(super) mod session_cookie;
pub(super) mod starved_canary;
pub(super) mod sticky_without_cookie;
pub(super) mod weights_beside_iterations;

use crate::{model::Cookie, observed::Observed};

/// Returns the cookie to check: the declared one, else the live one.
fn cookie(observed: &Observed) -> Option<&Cookie> {
    observed.canary.declared.cookie().or_else(|| observed.live_cookie())
}
