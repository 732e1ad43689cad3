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
pub(crate) fn normalized(name: &str) -> String {
    let parts: Vec<_> = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
