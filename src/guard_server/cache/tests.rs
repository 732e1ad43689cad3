//! Tests of the cache.

use serde_json::json;

use super::*;

fn target(name: &str) -> NamespacedName {
    NamespacedName { namespace: Some("web".into()), name: name.into() }
}

fn canary(name: &str, service: &str, declared: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "web", "labels": {"a": "b"}, "annotations": {ANNOTATION: declared}},
        "spec": {"targetRef": {"name": service}}, "status": {"phase": "Progressing"}})
}

fn found(cache: &Cache, service: &str, owner: Option<&str>) -> Option<String> {
    let belongs = ServiceIdentity { service: target(service), owner: owner.map(target) };
    cache.find(&belongs).map(|canary| canary.target.name)
}

#[test]
fn a_canary_is_found_by_the_name_it_computes_and_moves_with_it() {
    let cache = Cache::default();
    assert_eq!(cache.take(Event::Apply(canary("a", "shop", "x"))).declared, Some(target("shop")));
    assert_eq!(found(&cache, "shop", None), Some("a".into()));
    assert_eq!(cache.take(Event::Apply(canary("a", "other", "x"))).declared, Some(target("other")));
    assert_eq!((found(&cache, "shop", None), found(&cache, "other", None)), (None, Some("a".into())));
    cache.take(Event::Delete(canary("a", "other", "x")));
    assert_eq!((found(&cache, "other", None), cache.len()), (None, 0));
}

#[test]
fn only_another_declaration_is_news() {
    let cache = Cache::default();
    cache.take(Event::Apply(canary("a", "shop", "x")));
    let mut again = canary("a", "shop", "x");
    again["status"]["phase"] = json!("Succeeded");
    assert_eq!(cache.take(Event::Apply(again)).declared, None);
    assert_eq!(cache.take(Event::Apply(canary("a", "shop", "y"))).declared, Some(target("shop")));
}

#[test]
fn an_entry_is_news_when_it_or_what_belongs_to_it_changes() {
    let cache = Cache::default();
    let entered = |declared: &str, entry: Option<&str>| {
        let mut object = canary("a", "shop", declared);
        object["metadata"]["annotations"]["kubectl-canary-traefik/entry"] = json!(entry);
        cache.take(Event::Apply(object)).entry.is_some()
    };
    let news =
        [("x", None), ("y", None), ("y", Some("/a")), ("y", Some("/a")), ("x", Some("/a")), ("x", None), ("y", None)];
    let news = news.map(|(declared, entry)| entered(declared, entry));
    assert_eq!(news, [false, false, true, false, true, true, false]);
}

#[test]
fn of_several_canaries_the_controlling_one_counts() {
    let cache = Cache::default();
    cache.take(Event::Apply(canary("a", "shop", "x")));
    cache.take(Event::Apply(canary("b", "shop", "y")));
    assert_eq!(found(&cache, "shop", None), Some("a".into()));
    assert_eq!(found(&cache, "shop", Some("b")), Some("b".into()));
    assert_eq!(found(&cache, "shop", Some("c")), Some("a".into()));
}

#[test]
fn a_list_replaces_what_was_known_without_a_moment_of_knowing_nothing() {
    let cache = Cache::default();
    assert!(!cache.is_synced());
    for event in [
        Event::Init,
        Event::InitApply(canary("a", "shop", "x")),
        Event::InitApply(canary("b", "web", "x")),
        Event::InitDone,
    ] {
        cache.take(event);
    }
    assert!(cache.is_synced());
    cache.take(Event::Init);
    assert_eq!(cache.len(), 2);
    cache.take(Event::InitApply(canary("b", "web", "x")));
    cache.take(Event::InitDone);
    assert_eq!((cache.len(), found(&cache, "shop", None)), (1, None));
}

#[test]
fn what_is_known_decides_as_the_whole_canary_does() {
    use crate::guard::{decide, decide::Request};
    let service = |sticky: &Value| {
        json!({"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService", "metadata": {"name": "shop",
            "namespace": "web", "ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "name": "a", "controller": true}]}, "spec": {"weighted": {"services": [], "sticky": sticky}}})
    };
    let (old, bare) = (service(&json!({"cookie": {"name": "old"}})), service(&Value::Null));
    let native = json!({"traefik": {"sticky": {"cookie": {"name": "n"}}}});
    let mut seen = Vec::new();
    for declared in [json!("x; Max-Age=5"), json!("x; Max-Age=y"), json!(""), Value::Null] {
        for (provider, of_service) in
            [("", json!({})), ("traefik", json!({"name": "shop"})), ("istio", json!({})), ("", native.clone())]
        {
            let mut object = canary("a", "shop", "");
            object["metadata"]["annotations"][ANNOTATION] = declared.clone();
            object["spec"]["provider"] = json!(provider);
            object["spec"]["service"] = of_service;
            let cache = Cache::default();
            cache.take(Event::InitApply(object.clone()));
            let known = cache.find(&ServiceIdentity { service: target("shop"), owner: Some(target("a")) });
            let whole = Canary::from_object(&object);
            for (old, new, names_manager) in [(&old, &bare, false), (&old, &bare, true), (&bare, &old, false)] {
                let [known, whole] = [&known, &whole]
                    .map(|canary| decide(&Request { canary: canary.as_ref(), old: Some(old), new, names_manager }));
                assert_eq!(known, whole, "{object}");
                seen.push(format!("{whole:?}"));
            }
        }
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn a_namespace_that_fills_the_room_loses_its_own_canaries_and_nobody_elses() {
    let cache = Cache::default();
    let other = json!({"metadata": {"name": "a", "namespace": "quiet", "annotations": {ANNOTATION: "x"}},
        "spec": {"targetRef": {"name": "shop"}}});
    let long = format!("x; Path=/{}", "a".repeat(1000));
    let mut refused = 0;
    for number in 0..BUDGET / 1536 {
        let name = format!("c{number:0>250}");
        refused += usize::from(cache.take(Event::Apply(canary(&name, &name, &long))).refused.is_some());
    }
    assert!(refused > 0 && cache.len() < BUDGET / 1536 && cache.read().bytes <= BUDGET);
    let taken = cache.take(Event::Apply(other));
    assert_eq!((taken.declared.map(|target| target.to_string()), taken.refused), (Some("quiet/shop".into()), None));
    assert!(cache.read().bytes <= BUDGET);
    // All memory is accounted for.
    cache.take(Event::Init);
    cache.take(Event::InitDone);
    let canaries = cache.read();
    assert_eq!((canaries.bytes, canaries.bytes_of.len(), canaries.service_of.len()), (0, 0, 0));
}
