//! Situations that the guard cannot fix and only reports: namespaces in which it is slow, and TraefikServices for which
//! several Canaries disagree about the cookie.

use std::collections::BTreeMap;

use crate::{
    flagger::Declared,
    model::NamespacedName,
    observed::{Guarded, Observed},
};

/// Number of Canaries in a namespace above which the policies slow down each write to a TraefikService there by about
/// 10 ms.
pub const CROWD: usize = 100;

/// Returns the namespaces with more than [`CROWD`] Canaries for the policies to evaluate at each write, and their
/// number.
pub fn crowded(all: &[Observed]) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for observed in all.iter().filter(|observed| observed.guarded != Guarded::No) {
        *counts.entry(observed.canary.target.namespace.as_deref().unwrap_or_default()).or_default() += 1;
    }
    let crowds = counts.into_iter().filter(|(_, count)| *count > CROWD);
    crowds.map(|(namespace, count)| (namespace.to_owned(), count)).collect()
}

/// Returns the TraefikServices without a controller for which several Canaries disagree about the cookie, with the
/// names of these Canaries. Which one wins varies from write to write.
pub fn contested(all: &[Observed]) -> Vec<(NamespacedName, Vec<String>)> {
    let mut named = BTreeMap::<String, Vec<&Observed>>::new();
    for observed in all.iter().filter(|observed| observed.guarded != Guarded::No && observed.on_traefik()) {
        let has_say = matches!(observed.canary.declared, Declared::Annotation(_) | Declared::Nothing);
        let is_nobodys = observed.service().is_some_and(|service| service.controller.is_none());
        if let Some(target) = observed.canary.service_target().filter(|_| has_say && is_nobodys) {
            named.entry(target.to_string()).or_default().push(observed);
        }
    }
    let differ = |several: &Vec<&Observed>| {
        several.iter().any(|observed| observed.canary.declared.cookie() != several[0].canary.declared.cookie())
    };
    let contested = named.into_values().filter(differ);
    let names = |several: Vec<&Observed>| {
        let target = several[0].canary.service_target()?;
        let mut names: Vec<_> = several.iter().map(|observed| observed.canary.target.name.clone()).collect();
        names.sort();
        Some((target, names))
    };
    contested.filter_map(names).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        flagger::Canary,
        model::{declaration::ANNOTATION, name::Group},
        traefik::TraefikService,
    };

    fn observed(name: &str, declared: Option<&str>, controller: Option<&str>) -> Observed {
        let canary = json!({"metadata": {"namespace": "web", "name": name, "annotations": {ANNOTATION: declared}},
            "spec": {"targetRef": {"name": name}, "service": {"name": "shop"}}});
        let owners = controller.map_or(
            json!([]),
            |name| json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": name, "controller": true}]),
        );
        let service = json!({"metadata": {"namespace": "web", "name": "shop", "ownerReferences": owners},
            "spec": {"weighted": {"services": Value::Array(Vec::new())}}});
        let service = TraefikService::from_object(&service, Group::TraefikIo);
        Observed::pair(Canary::from_object(&canary).unwrap(), service)
    }

    #[test]
    fn a_traefik_service_is_contested_when_nobody_controls_it_and_canaries_disagree() {
        let names = |all: &[Observed]| {
            contested(all).into_iter().map(|(target, names)| (target.to_string(), names)).collect::<Vec<_>>()
        };
        let both = [observed("b", Some("y"), None), observed("a", Some("x"), None)];
        assert_eq!(names(&both), [("web/shop".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
        assert_eq!(names(&[observed("a", Some("x"), None), observed("b", None, None)]).len(), 1);
        let agree = [observed("a", Some("x"), None), observed("b", Some("x"), None)];
        let controlled = [observed("a", Some("x"), Some("a")), observed("b", Some("y"), Some("a"))];
        let malformed = [observed("a", Some("x"), None), observed("b", Some("x;"), None)];
        for fine in [&both[..1], &agree, &controlled, &malformed] {
            assert_eq!(names(fine), []);
        }
    }

    #[test]
    fn a_namespace_is_crowded_by_the_canaries_that_are_covered() {
        let mut all: Vec<_> = (0..=CROWD).map(|number| observed(&number.to_string(), None, None)).collect();
        assert_eq!(crowded(&all), [("web".to_owned(), CROWD + 1)]);
        all[0].guarded = Guarded::No;
        assert_eq!(crowded(&all), []);
    }
}
