//! What pins a client to a track: the name and the value of the cookie, as Traefik computes them.
//!
//! | Traefik | value it writes | values it accepts |
//! |---|---|---|
//! | 2.1 to 2.10 | the child's name | the same |
//! | 2.11 to 3.3.3 | its FNV-1 hash | the name, too |
//! | 3.3.4 and later | 16 digits of its SHA-256 hash | the name and the FNV-1 hash, too, and answers them with its own |
//!
//! With `providers.kubernetescrd.safeNaming` (off by default; exists since 3.7.11) the children have other names.

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
    /// The child in Traefik; `None` if its namespace is not known.
    pub child: Option<Child>,
    /// The same with safeNaming.
    pub safe_child: Option<Child>,
}

impl Track {
    /// Returns whether a cookie of this value pins to it, whichever version of Traefik wrote it, with safeNaming or without.
    pub fn is_pinned_by(&self, value: &str) -> bool {
        let is = |child: &Option<Child>| child.as_ref().is_some_and(|child| child.generation(value).is_some());
        is(&self.child) || is(&self.safe_child)
    }
}

/// A child's name in Traefik, and the values of cookies that pin to it. They are the same in every rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child(String);

/// Who writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 3.3.4 and later.
    Sha256,
    /// 2.11 to 3.3.3.
    Fnv,
    /// Before 2.11. Every later version accepts it.
    Name,
}

impl Generation {
    /// All, the newest first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Fnv, Self::Name];

    /// Returns the versions of Traefik that write it.
    pub fn versions(self) -> &'static str {
        match self {
            Self::Sha256 => "3.3.4 and later",
            Self::Fnv => "2.11 to 3.3.3",
            Self::Name => "before 2.11",
        }
    }
}

impl Child {
    /// Returns the child of this name.
    pub fn new(name: String) -> Self {
        Self(name)
    }

    /// Returns its name, which as a value pins on every version of Traefik.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Returns the value that this generation writes: the name; its FNV-1 hash of 64 bits without leading zeros
    /// (traefik/traefik `pkg/server/service/loadbalancer/sticky.go:fnvHash`); the first 16 hexadecimal digits of its
    /// SHA-256 hash (`sha256Hash`).
    pub fn value(&self, generation: Generation) -> String {
        match generation {
            Generation::Sha256 => hex(digest(&SHA256, self.0.as_bytes()).as_ref())[..16].to_owned(),
            Generation::Fnv => format!("{:x}", fnv1(self.0.as_bytes())),
            Generation::Name => self.0.clone(),
        }
    }

    /// Returns the generation of a value that pins to this child.
    pub fn generation(&self, value: &str) -> Option<Generation> {
        Generation::ALL.into_iter().find(|generation| self.value(*generation) == value)
    }
}

/// Returns the FNV-1 hash of 64 bits (Go `hash/fnv.New64`; not FNV-1a).
fn fnv1(bytes: &[u8]) -> u64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(START, |hash, byte| hash.wrapping_mul(PRIME) ^ u64::from(*byte))
}

/// The TraefikService of tracks.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// Its namespace, if that is known.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
}

/// Returns the tracks: the children of the TraefikService, and those that Flagger would list (word, name) but does not
/// yet. `port` is the port of the latter.
pub fn tracks(
    service: Option<&Value>,
    of_flagger: [(&str, Option<String>); 2],
    port: Option<i64>,
    parent: Parent<'_>,
) -> Vec<Track> {
    let listed = service.and_then(|service| view::at(service, &["spec", "weighted", "services"])?.as_array());
    let listed = listed.into_iter().flatten().enumerate();
    let mut tracks: Vec<Track> = listed.filter_map(|(at, child)| listed_track(child, at, parent)).collect();
    for (at, (word, name)) in of_flagger.into_iter().enumerate() {
        let Some(name) = name else { continue };
        if let Some(track) = tracks.iter_mut().find(|track| track.name == name) {
            word.clone_into(&mut track.name);
        } else {
            let place = at.min(tracks.len());
            let port = port.map_or_else(String::new, |port| port.to_string());
            let child = ListedChild { namespace: parent.namespace, name: &name, port, is_service: true };
            tracks.insert(place, child.track(word, at, parent, None));
        }
    }
    tracks
}

/// A child as it is written.
struct ListedChild<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
    port: String,
    /// Whether it is a Service, and not a TraefikService.
    is_service: bool,
}

fn listed_track(child: &Value, at: usize, parent: Parent<'_>) -> Option<Track> {
    let name = view::text(child, &["name"])?;
    let is_service = view::text(child, &["kind"]) != Some("TraefikService");
    // A port may be a number or a name; Traefik uses it as written, and ignores the port of a TraefikService.
    let port = match child.get("port") {
        _ if !is_service => String::new(),
        Some(Value::String(port)) => port.clone(),
        Some(port) => port.to_string(),
        None => String::new(),
    };
    let weight = child.get("weight").and_then(Value::as_i64).map_or(Weight::Absent, Weight::Number);
    let namespace = view::text(child, &["namespace"]).or(parent.namespace);
    Some(ListedChild { namespace, name, port, is_service }.track(name, at, parent, Some(weight)))
}

impl ListedChild<'_> {
    /// Returns the track of this child, which is at this position among its parent's children.
    fn track(&self, word: &str, at: usize, parent: Parent<'_>, weight: Option<Weight>) -> Track {
        let Self { namespace, name, port, is_service } = self;
        let port = |joint: char| if port.is_empty() { String::new() } else { format!("{joint}{port}") };
        let child = namespace.map(|namespace| normalized(&format!("{namespace}-{name}{}", port('-'))));
        let safe = namespace.zip(parent.namespace).map(|(namespace, of)| {
            let child = format!("{namespace}_{name}{}", port('_'));
            if *is_service { format!("{of}_{}_wrr_{at}_{child}", parent.name) } else { child }
        });
        Track {
            name: word.to_owned(),
            service: format!("{name}{}", port(':')),
            weight,
            child: child.map(Child::new),
            safe_child: safe.map(Child::new),
        }
    }
}

/// Returns the name of the cookie that Traefik sends (`pkg/server/cookie/cookie.go:GetName`): the given one with
/// invalid characters replaced, else `_` and five hexadecimal digits of a hash of the TraefikService's name, which
/// needs its namespace. With safeNaming, that name is another one.
pub fn cookie_name(cookie: &Cookie, service: Parent<'_>, safe_naming: bool) -> Option<String> {
    if let Some(name) = cookie.name() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
        return Some(name.chars().map(|c| if allowed(c) { c } else { '_' }).collect());
    }
    let Parent { namespace, name } = service;
    let namespace = namespace?;
    let name = if safe_naming { format!("{namespace}_{name}") } else { normalized(&format!("{namespace}-{name}")) };
    let hashed = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("_TRAEFIK_BACKEND_{name}@kubernetescrd").as_bytes());
    Some(format!("_{}", &hex(hashed.as_ref())[..5]))
}

/// Normalizes a name as Traefik does (`pkg/provider/configuration.go:Normalize`): letters and digits, joined by dashes.
pub(super) fn normalized(name: &str) -> String {
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
        let parent = |name| Parent { namespace: Some("test"), name };
        let name = |cookie: &Cookie, service| cookie_name(cookie, parent(service), false);
        let unnamed = Cookie::default();
        assert_eq!(name(&unnamed, "podinfo").as_deref(), Some("_8d2a5"));
        assert_eq!(name(&unnamed, "pod.info").as_deref(), Some("_cd018"));
        assert_eq!(cookie_name(&unnamed, Parent { namespace: None, name: "podinfo" }, false), None);
        assert_eq!(cookie_name(&unnamed, parent("podinfo"), true).as_deref(), Some("_02102"));
        let login = declaration::parse("login").unwrap();
        assert_eq!(cookie_name(&login, Parent { namespace: None, name: "podinfo" }, false).as_deref(), Some("login"));
    }

    fn shown(services: Option<Value>) -> Vec<String> {
        let service = services.map(|services| json!({"spec": {"weighted": {"services": services}}}));
        let of_flagger = ["primary", "canary"].map(|word| (word, Some(format!("podinfo-{word}"))));
        let text = |track: Track| {
            let [child, safe] = [track.child, track.safe_child].map(|child| child.unwrap().0);
            format!("{} {} {:?} {child} {safe}", track.name, track.service, track.weight)
        };
        let parent = Parent { namespace: Some("test"), name: "podinfo" };
        tracks(service.as_ref(), of_flagger, Some(9898), parent).into_iter().map(text).collect()
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
}
