//! CT046: of Flagger's routers, those for Istio and the Gateway API know `sessionAffinity`; the one for Traefik does not
//! (`pkg/router/istio.go:SetRoutes`, `gateway_api.go:SetRoutes`, `traefik.go:SetRoutes`).

use crate::{
    lint::{Rule, Severity},
    observed::Observed,
    text::quoted,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT046", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let canary = &observed.canary;
    let affinity = canary.rollout.session_affinity.as_ref()?;
    let message = "on Traefik, Flagger ignores spec.analysis.sessionAffinity";
    if canary.declared.cookie().is_some() {
        return Some((message.into(), "remove it: the declared cookie takes its place".into()));
    }
    let name = affinity.cookie_name.as_ref().map_or_else(String::new, |name| format!(" --name {}", quoted(name)));
    let fix = format!(
        "remove it and set a sticky cookie that lasts just over the length of one login: \
         kubectl canary-traefik sticky set {}{name} --max-age 2m",
        quoted(&canary.target.name)
    );
    Some((message.into(), fix))
}
