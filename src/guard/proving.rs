//! Choice of the Canaries on which dry-run writes test the guard. A Canary whose TraefikService is too large, or whose
//! owner fights the guard, proves nothing about the others.

use crate::{flagger::Declared, observed::Observed};

/// Number of answers that decide.
pub const ANSWERS: usize = 3;
/// Maximum number of writes to try, since some may be forbidden.
pub const TRIES: usize = 10;
/// Number of services above which a TraefikService may be too large for the webhook to answer.
const MAX_SERVICES: usize = 1000;

/// Returns whether a dry-run write to this Canary's TraefikService can show that the guard works: there is a declared
/// cookie and a TraefikService.
pub fn can_prove(observed: &Observed) -> bool {
    observed.service().is_some() && matches!(observed.canary.declared, Declared::Annotation(_))
}

/// Returns whether either form of the guard should protect this TraefikService. If a larger one is not protected, that
/// proves nothing.
pub fn is_ordinary(observed: &Observed) -> bool {
    size(observed) <= MAX_SERVICES
}

/// Returns the Canaries to test, in order: smallest first, from different namespaces as far as possible.
pub fn candidates<'a>(all: impl IntoIterator<Item = &'a Observed>) -> Vec<&'a Observed> {
    let mut all: Vec<_> = all.into_iter().filter(|observed| can_prove(observed)).collect();
    all.sort_by_key(|observed| size(observed));
    let mut seen = std::collections::BTreeSet::new();
    let (mut first, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|observed| seen.insert(observed.canary.target.namespace.as_deref()));
    first.extend(rest);
    first.truncate(TRIES);
    first
}

fn size(observed: &Observed) -> usize {
    observed.service().and_then(|service| service.children.as_ref()).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{flagger::Canary, model::declaration::ANNOTATION, traefik::TraefikService};

    fn observed(namespace: &str, name: &str, services: usize) -> Observed {
        let canary = json!({"metadata": {"namespace": namespace, "name": name, "annotations": {ANNOTATION: "a"}},
            "spec": {"targetRef": {"name": name}}});
        let service = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"weighted": {"services": vec![json!({"name": "s"}); services]}}});
        Observed::pair(
            Canary::from_object(&canary).unwrap(),
            TraefikService::from_object(&service, crate::model::name::Group::TraefikIo),
        )
    }

    #[test]
    fn small_ones_of_different_namespaces_are_tried_first_and_only_some() {
        let mut all = vec![observed("a", "giant", 27_000), observed("b", "one", 2), observed("b", "two", 2)];
        all.extend((0..20).map(|number| observed("c", &number.to_string(), 3)));
        let tried = candidates(&all);
        let names: Vec<_> = tried.iter().take(4).map(|observed| observed.canary.target.to_string()).collect();
        assert_eq!((names, tried.len()), (["b/one", "c/0", "a/giant", "b/two"].map(str::to_owned).to_vec(), TRIES));
        assert!(is_ordinary(tried[0]) && !is_ordinary(tried[2]));

        all[1].canary.declared = Declared::Nothing;
        all[2].service = crate::observed::TraefikServiceState::NotGenerated;
        assert!(candidates(&all).iter().all(|observed| observed.canary.target.namespace.as_deref() != Some("b")));
    }
}
