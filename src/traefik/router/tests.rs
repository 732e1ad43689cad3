//! Tests of routers.

use serde_json::json;

use super::*;

#[test]
fn an_ingress_is_read_with_its_annotations_and_wildcard_hosts() {
    let path = |path: &str, kind: &str| json!({"path": path, "pathType": kind});
    let mut ingress = json!({"metadata": {"name": "old", "namespace": "shop", "annotations": {
            INGRESS_ENTRY_POINTS: "web, websecure", INGRESS_MATCHER: "PathRegexp"}},
        "spec": {"rules": [{"host": "*.shop.test", "http": {"paths": [
            path("/a", "Exact"), path("/b", "Prefix"), path("^/c$", "ImplementationSpecific")]}}]}});
    let made = |ingress: &Value| routers(ObjectKind::Ingress, ingress);
    let host = "HostRegexp(`^[a-zA-Z0-9-]+\\.shop\\.test$`)";
    let expected =
        ["Path(\"/a\")", "PathPrefix(\"/b\")", "PathRegexp(\"^/c$\")"].map(|path| format!("{host} && {path}"));
    assert_eq!(
        made(&ingress).iter().map(|router| (router.rule.clone(), router.priority)).collect::<Vec<_>>(),
        expected.map(|rule| (Rule::parse(&rule), length(&rule)))
    );
    assert!(made(&ingress).iter().all(|router| router.entry_points == ["web", "websecure"]));
    assert_eq!(made(&ingress).iter().map(|router| router.index).collect::<Vec<_>>(), [0, 1, 2]);
    ingress["metadata"]["annotations"][INGRESS_PRIORITY] = json!("7");
    assert!(made(&ingress).iter().all(|router| router.priority == 7));
    for (at, path) in ["a", "b", "c"].into_iter().enumerate() {
        ingress["spec"]["rules"][0]["http"]["paths"][at]["backend"] = json!(path);
    }
    let backends = made(&ingress).into_iter().map(|router| ingress_backends(&ingress)[router.index].clone());
    assert_eq!(backends.collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_router_of_another_provider_is_read_as_traefik_has_it() {
    let item = json!({"name": "login@file", "provider": "file", "rule": "PathPrefix(`/login`)", "priority": 300,
        "entryPoints": ["web"], "status": "enabled", "service": "sso", "using": ["web"]});
    let router = of_api(&item).unwrap();
    assert_eq!(
        (router.holder.as_str(), router.priority, router.entry_points, router.rule),
        ("router `login@file`", 300, vec!["web".to_owned()], Rule::parse("PathPrefix(`/login`)"))
    );
    let changed = |key: &str, value: Value| {
        let mut item = item.clone();
        item[key] = value;
        of_api(&item).map(|router| router.priority)
    };
    assert_eq!(changed("priority", Value::Null), Some(20));
    assert_eq!(changed("status", json!("warning")), Some(300));
    for (key, value) in [("status", "disabled"), ("provider", "kubernetescrd"), ("provider", "internal"), ("rule", "")]
    {
        assert_eq!(changed(key, json!(value)), None, "{key}: {value}");
    }
}
