//! What pins a client to a track: the name and the value of the cookie, as Traefik computes them.
//!
//! Names are those of Traefik without `providers.kubernetescrd.safeNaming` (off by default; exists since 3.7.11).

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::Value;

use crate::{
    model::{Cookie, view},
    traefik::Weight,
};

/// One of the children between which Traefik chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// `primary`, `canary`, or the name of a child that is neither.
    pub name: String,
    /// The child's Service, with its port: `podinfo-primary:9898`.
    pub service: String,
    /// Its weight, as written; `None` if it is not listed.
    pub weight: Option<Weight>,
    /// The child's name in Traefik; `None` if its namespace is not known. As a cookie's value it pins on every version
    /// of Traefik: 3.3.4 and later answer it with the hashed value.
    pub child: Option<String>,
    /// The value that Traefik 3.3.4 and later give the cookie, the same in every rollout.
    pub value: Option<String>,
}

/// Returns the tracks: the children of the TraefikService, and those that Flagger would list (word, name) but does not
/// yet. `port` is the port of the latter.
pub fn tracks(
    service: Option<&Value>,
    of_flagger: [(&str, Option<String>); 2],
    port: Option<i64>,
    namespace: Option<&str>,
) -> Vec<Track> {
    let listed = service.and_then(|service| view::at(service, &["spec", "weighted", "services"])?.as_array());
    let mut tracks: Vec<Track> =
        listed.into_iter().flatten().filter_map(|child| listed_track(child, namespace)).collect();
    for (at, (word, name)) in of_flagger.into_iter().enumerate() {
        let Some(name) = name else { continue };
        if let Some(track) = tracks.iter_mut().find(|track| track.name == name) {
            word.clone_into(&mut track.name);
        } else {
            let port = port.map_or_else(String::new, |port| port.to_string());
            tracks.insert(at.min(tracks.len()), track(word, namespace, &name, &port, None));
        }
    }
    tracks
}

fn listed_track(child: &Value, namespace: Option<&str>) -> Option<Track> {
    let name = view::text(child, &["name"])?;
    let namespace = view::text(child, &["namespace"]).or(namespace);
    // A port may be a number or a name; Traefik uses it as written, and ignores the port of a TraefikService.
    let port = match child.get("port") {
        _ if view::text(child, &["kind"]) == Some("TraefikService") => String::new(),
        Some(Value::String(port)) => port.clone(),
        Some(port) => port.to_string(),
        None => String::new(),
    };
    let weight = child.get("weight").and_then(Value::as_i64).map_or(Weight::Absent, Weight::Number);
    Some(track(name, namespace, name, &port, Some(weight)))
}

fn track(word: &str, namespace: Option<&str>, name: &str, port: &str, weight: Option<Weight>) -> Track {
    let port = |joint: char| if port.is_empty() { String::new() } else { format!("{joint}{port}") };
    let child = namespace.map(|namespace| normalized(&format!("{namespace}-{name}{}", port('-'))));
    Track {
        name: word.to_owned(),
        service: format!("{name}{}", port(':')),
        weight,
        value: child.as_deref().map(value),
        child,
    }
}

/// Returns the value that Traefik gives the cookie of a child: the first 16 hexadecimal digits of the SHA-256 of its
/// name (traefik/traefik `pkg/server/service/loadbalancer/sticky.go:sha256Hash`, since 3.3.4).
/// (traefik/traefik `pkg/server/service/loadbalancer/sticky.go:sha256Hash`, since 3.3.4).
pub fn value(child: &str) -> String {
    hex(digest(&SHA256, child.as_bytes()).as_ref())[..16].to_owned()
}

/// Returns the name of the cookie that Traefik sends (`pkg/server/cookie/cookie.go:GetName`): the given one with
/// invalid characters replaced, else `_` and five hexadecimal digits of a hash of the TraefikService's name, which
/// needs its namespace.
pub fn cookie_name(cookie: &Cookie, namespace: Option<&str>, service: &str) -> Option<String> {
    if let Some(name) = cookie.name() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
        return Some(name.chars().map(|c| if allowed(c) { c } else { '_' }).collect());
    }
    let qualified = format!("{}@kubernetescrd", normalized(&format!("{}-{service}", namespace?)));
    let hashed = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("_TRAEFIK_BACKEND_{qualified}").as_bytes());
    Some(format!("_{}", &hex(hashed.as_ref())[..5]))
}

/// Normalizes a name as Traefik does (`pkg/provider/configuration.go:Normalize`): letters and digits, joined by dashes.
fn normalized(name: &str) -> String {
    let parts: Vec<_> = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
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
            ("test-app6-canary-80", "043a723bea7ae08c"),
        ] {
            assert_eq!(value(child), expected, "{child}");
        }
    }

    /// Read from the `Set-Cookie` of a running Traefik 3.0.4 to 3.7.15.
    #[test]
    fn derived_names_are_those_that_traefik_sends() {
        let name = |cookie: &Cookie, service| cookie_name(cookie, Some("test"), service);
        let unnamed = Cookie::default();
        assert_eq!(name(&unnamed, "podinfo").as_deref(), Some("_8d2a5"));
        assert_eq!(name(&unnamed, "pod.info").as_deref(), Some("_cd018"));
        assert_eq!(cookie_name(&unnamed, None, "podinfo"), None);
        let login = declaration::parse("login").unwrap();
        assert_eq!(cookie_name(&login, None, "podinfo").as_deref(), Some("login"));
    }

    fn shown(services: Option<Value>) -> Vec<String> {
        let service = services.map(|services| json!({"spec": {"weighted": {"services": services}}}));
        let of_flagger = ["primary", "canary"].map(|word| (word, Some(format!("podinfo-{word}"))));
        let text =
            |track: Track| format!("{} {} {:?} {}", track.name, track.service, track.weight, track.child.unwrap());
        tracks(service.as_ref(), of_flagger, Some(9898), Some("test")).into_iter().map(text).collect()
    }

    #[test]
    fn both_tracks_are_known_before_there_is_a_traefik_service_and_while_the_canary_is_not_listed() {
        let both = |primary| {
            [
                format!("primary podinfo-primary:9898 {primary} test-podinfo-primary-9898"),
                "canary podinfo-canary:9898 None test-podinfo-canary-9898".to_owned(),
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
                "primary podinfo-primary:http Some(Absent) test-podinfo-primary-http",
                "canary podinfo-canary:80 Some(Number(0)) other-podinfo-canary-80",
                "pod.info pod.info Some(Number(5)) test-pod-info",
            ]
        );
    }
}
