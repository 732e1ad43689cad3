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
use serde_json::{Value, json};

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

/// A child's name in Traefik, which as a value pins on every version of Traefik; other values of cookies that pin to it are
/// made of it. They are the same in every rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child(pub String);

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

/// Returns the tracks: the children of the TraefikService called `parent`, and those that Flagger would list (word, name)
/// but does not yet. `port` is the port of those; `namespace` is the TraefikService's, if it is known.
pub fn tracks(
    service: Option<&Value>,
    of_flagger: [(&str, Option<String>); 2],
    port: Option<i64>,
    namespace: Option<&str>,
    parent: &str,
) -> Vec<Track> {
    let listed = service.map(|service| view::list(service, &["spec", "weighted", "services"])).unwrap_or_default();
    let listed = listed.iter().enumerate();
    let mut tracks: Vec<_> = listed.filter_map(|(at, child)| track(child, at, namespace, parent)).collect();
    for (at, (word, name)) in of_flagger.into_iter().enumerate() {
        let Some(name) = name else { continue };
        if let Some(track) = tracks.iter_mut().find(|track| track.name == name) {
            word.clone_into(&mut track.name);
            continue;
        }
        let child = match port {
            Some(port) => json!({"name": name, "port": port}),
            None => json!({ "name": name }),
        };
        let Some(missing) = track(&child, at, namespace, parent) else { continue };
        tracks.insert(at.min(tracks.len()), Track { name: word.to_owned(), weight: None, ..missing });
    }
    tracks
}

/// Returns the track of a child as it is written, which is at this position among its parent's children.
fn track(child: &Value, at: usize, namespace: Option<&str>, parent: &str) -> Option<Track> {
    let name = view::text(child, &["name"])?;
    let is_service = view::text(child, &["kind"]) != Some("TraefikService");
    // A port may be a number or a name; Traefik uses it as written, and ignores the port of a TraefikService.
    let port = match child.get("port") {
        _ if !is_service => String::new(),
        Some(Value::String(port)) => port.clone(),
        Some(port) => port.to_string(),
        None => String::new(),
    };
    let port = |joint: char| if port.is_empty() { String::new() } else { format!("{joint}{port}") };
    let weight = child.get("weight").and_then(Value::as_i64).map_or(Weight::Absent, Weight::Number);
    let own = view::text(child, &["namespace"]).or(namespace);
    let safe = own.zip(namespace).map(|(own, of)| {
        let child = format!("{own}_{name}{}", port('_'));
        if is_service { format!("{of}_{parent}_wrr_{at}_{child}") } else { child }
    });
    Some(Track {
        name: name.to_owned(),
        service: format!("{name}{}", port(':')),
        weight: Some(weight),
        child: own.map(|own| Child(normalized(&format!("{own}-{name}{}", port('-'))))),
        safe_child: safe.map(Child),
    })
}

/// Returns the name of the cookie that Traefik sends (`pkg/server/cookie/cookie.go:GetName`): the given one with
/// invalid characters replaced, else `_` and five hexadecimal digits of a hash of the TraefikService's name, which
/// needs its namespace. With safeNaming, that name is another one.
pub fn cookie_name(cookie: &Cookie, namespace: Option<&str>, service: &str, safe_naming: bool) -> Option<String> {
    if let Some(name) = cookie.name() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
        return Some(name.chars().map(|c| if allowed(c) { c } else { '_' }).collect());
    }
    let namespace = namespace?;
    let name =
        if safe_naming { format!("{namespace}_{service}") } else { normalized(&format!("{namespace}-{service}")) };
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
