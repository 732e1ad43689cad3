//! The form of the guard that these tests are about: policies that the API server runs by itself.

use testbed::server::Server;

/// Flags of the API server.
pub(super) fn flags() -> Vec<&'static str> {
    Vec::new()
}

/// Whether the parts of the guard have an order, which is drawn anew now and then.
pub(super) const HAS_ORDER: bool = true;

/// The guard, which is there as long as its server.
pub(super) struct Guard;

impl Guard {
    pub(super) fn begin(server: &Server) -> Self {
        super::cluster::install(server, |_| true);
        Self
    }
}

/// What the API server says when it refuses a write to this Canary.
pub(super) fn refusal(canary: &str, complaint: &str) -> String {
    const CHECK: &str = "kubectl-canary-traefik-check";
    format!(
        "canaries.flagger.app \"{canary}\" is forbidden: ValidatingAdmissionPolicy '{CHECK}' with binding '{CHECK}' \
         denied request: {complaint}"
    )
}
