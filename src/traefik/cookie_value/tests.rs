//! Tests of cookie values.

use serde_json::json;

use super::*;
use crate::model::declaration;

/// Each was read from the `Set-Cookie` of a running Traefik 3.7.15 (the first two of 3.3.4 to 3.7.15), except the
/// last, which has a leading zero and was computed with `sha256sum`.
#[test]
fn values_are_those_that_traefik_sends() {
    for (child, expected) in [
        ("test-podinfo-primary-9898", "6756f515e268a8fa"),
        ("test-podinfo-canary-9898", "e45fd03ad59c87c7"),
        ("test-podinfo-canary-http", "9a7077f09ba5a96b"),
        ("test-pod-info", "c79331019a2c821e"),
        ("test_podinfo_wrr_1_test_podinfo-canary_9898", "819eb11109aa4df7"),
        ("test-app6-canary-80", "043a723bea7ae08c"),
    ] {
        assert_eq!(Child(child.to_owned()).value(Generation::Sha256), expected, "{child}");
    }
}

/// The first two were read from a running Traefik 3.0.4 and 3.3.3; the last has a leading zero, which is not written.
#[test]
fn values_of_older_versions_are_those_that_they_send() {
    for (child, expected) in [
        ("test-podinfo-primary-9898", "6b54ee94ec40bd9b"),
        ("test-podinfo-canary-9898", "907cfe19bc19d83d"),
        ("test-app21-canary-80", "e3d93f6c30269fa"),
    ] {
        let child = Child(child.to_owned());
        assert_eq!(child.value(Generation::Fnv), expected, "{child:?}");
        for generation in Generation::ALL {
            assert_eq!(child.generation(&child.value(generation)), Some(generation));
        }
        assert_eq!(child.generation("0123456789abcdef"), None);
    }
}

/// Read from the `Set-Cookie` of a running Traefik 3.0.4 to 3.7.15.
#[test]
fn derived_names_are_those_that_traefik_sends() {
    let name = |cookie: &Cookie, service| cookie_name(cookie, Some("test"), service, false);
    let unnamed = Cookie::default();
    assert_eq!(name(&unnamed, "podinfo").as_deref(), Some("_8d2a5"));
    assert_eq!(name(&unnamed, "pod.info").as_deref(), Some("_cd018"));
    assert_eq!(cookie_name(&unnamed, None, "podinfo", false), None);
    assert_eq!(cookie_name(&unnamed, Some("test"), "podinfo", true).as_deref(), Some("_02102"));
    let login = declaration::parse("login").unwrap();
    assert_eq!(cookie_name(&login, None, "podinfo", false).as_deref(), Some("login"));
}

fn shown(services: Option<Value>) -> Vec<String> {
    let service = services.map(|services| json!({"spec": {"weighted": {"services": services}}}));
    let of_flagger = ["primary", "canary"].map(|word| (word, Some(format!("podinfo-{word}"))));
    let text = |track: Track| {
        let [child, safe] = [track.child, track.safe_child].map(|child| child.unwrap().0);
        format!("{} {} {:?} {child} {safe}", track.name, track.service, track.weight)
    };
    tracks(service.as_ref(), of_flagger, Some(9898), Some("test"), "podinfo").into_iter().map(text).collect()
}

#[test]
fn both_tracks_are_known_before_there_is_a_traefik_service_and_while_the_canary_is_not_listed() {
    let both = |primary| {
        [
            format!(
                "primary podinfo-primary:9898 {primary} test-podinfo-primary-9898 \
                 test_podinfo_wrr_0_test_podinfo-primary_9898"
            ),
            "canary podinfo-canary:9898 None test-podinfo-canary-9898 test_podinfo_wrr_1_test_podinfo-canary_9898"
                .to_owned(),
        ]
    };
    assert_eq!(shown(None), both("None"));
    let primary = json!([{"name": "podinfo-primary", "namespace": "test", "port": 9898, "weight": 100}]);
    assert_eq!(shown(Some(primary)), both("Some(Number(100))"));
}

#[test]
fn children_are_named_as_they_are_written() {
    let services = json!([
        {"name": "podinfo-primary", "port": "http"},
        {"name": "podinfo-canary", "namespace": "other", "port": 80, "weight": 0},
        {"name": "pod.info", "kind": "TraefikService", "port": 1, "weight": 5},
        {"port": 3},
    ]);
    assert_eq!(
        shown(Some(services)),
        [
            "primary podinfo-primary:http Some(Absent) test-podinfo-primary-http \
             test_podinfo_wrr_0_test_podinfo-primary_http",
            "canary podinfo-canary:80 Some(Number(0)) other-podinfo-canary-80 \
             test_podinfo_wrr_1_other_podinfo-canary_80",
            "pod.info pod.info Some(Number(5)) test-pod-info test_pod.info",
        ]
    );
}
