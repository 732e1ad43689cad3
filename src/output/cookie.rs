//! The cookies that pin to the tracks of a Canary, and what a value of one means.

use serde_json::{Value, json};

use super::{
    report::{named, published},
    table::table,
};
use crate::{
    model::NamespacedName,
    traefik::cookie_value::{Child, Generation, Track},
};

/// The cookies of one Canary.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// The Canary.
    pub target: NamespacedName,
    /// The cookie's name.
    pub name: String,
    /// Its name with safeNaming, which differs if it is derived.
    pub safe_name: String,
    /// The tracks.
    pub tracks: Vec<PinnedTrack>,
}

/// A track whose child has a name in Traefik.
#[derive(Debug, Clone)]
pub struct PinnedTrack {
    /// `primary`, `canary`, or the name of a child that is neither.
    pub name: String,
    /// The child's Service, with its port.
    pub service: String,
    /// The child in Traefik.
    pub child: Child,
    /// The same with safeNaming.
    pub safe_child: Child,
}

impl PinnedTrack {
    /// Returns a track with its cookies; `None` if they depend on a namespace that is not known.
    pub fn of(track: Track) -> Option<Self> {
        let Track { name, service, child, safe_child, .. } = track;
        Some(Self { name, service, child: child?, safe_child: safe_child? })
    }
}

/// The versions of Traefik that have safeNaming.
const SAFE_NAMING: &str = "3.7.11 and later";

/// What a value means.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    /// The track that it pins to.
    pub track: &'a PinnedTrack,
    /// The versions of Traefik that write it.
    pub versions: &'static str,
    /// Whether that is with safeNaming.
    pub safe_naming: bool,
}

impl Cookies {
    /// Returns the cookie that pins to a track, as Traefik 3.3.4 and later write it: `login=6756f515e268a8fa`.
    pub fn of(&self, track: &PinnedTrack, safe_naming: bool) -> String {
        let (name, child) = if safe_naming { (&self.safe_name, &track.safe_child) } else { (&self.name, &track.child) };
        format!("{name}={}", child.value(Generation::Sha256))
    }

    /// Returns what a value means; `None` if it pins to no track.
    pub fn decode(&self, value: &str) -> Option<Decoded<'_>> {
        self.tracks.iter().find_map(|track| {
            let is_safe = || track.safe_child.value(Generation::Sha256) == value;
            let (versions, safe_naming) = match track.child.generation(value) {
                Some(generation) => (generation.versions(), false),
                None => (is_safe().then_some(SAFE_NAMING)?, true),
            };
            Some(Decoded { track, versions, safe_naming })
        })
    }
}

/// Formats the cookies of all tracks, one line for each kind of Traefik.
pub fn text(cookies: &Cookies) -> String {
    let rows = cookies.tracks.iter().flat_map(|track| {
        let of_before = |generation| format!("{}={}", cookies.name, track.child.value(generation));
        [
            (Generation::Sha256.versions(), cookies.of(track, false)),
            (Generation::Fnv.versions(), of_before(Generation::Fnv)),
            ("before 2.11 (accepted by all)", of_before(Generation::Name)),
            ("3.7.11 and later, safeNaming", cookies.of(track, true)),
        ]
        .map(|(traefik, cookie)| vec![track.name.clone(), track.service.clone(), traefik.to_owned(), cookie])
    });
    table(&["TRACK", "SERVICE", "WRITTEN BY TRAEFIK", "COOKIE"], rows)
}

/// Returns the cookies as JSON.
pub fn report(cookies: &Cookies) -> Value {
    let values = |child: &Child| json!({"sha256": child.value(Generation::Sha256), "fnv": child.value(Generation::Fnv), "child": child.0});
    let tracks: Vec<_> = cookies
        .tracks
        .iter()
        .map(|track| {
            let safe = track.safe_child.value(Generation::Sha256);
            json!({"name": track.name, "service": track.service, "values": values(&track.child),
                "safeNamingValue": safe})
        })
        .collect();
    let value = json!({"cookieName": cookies.name, "safeNamingCookieName": cookies.safe_name, "tracks": tracks});
    published("TrackCookies", named(&cookies.target, value))
}

/// Formats what a value means.
pub fn decoded_text(decoded: &Decoded<'_>) -> String {
    let Decoded { track, versions, safe_naming } = decoded;
    let with = if *safe_naming { ", with safeNaming" } else { "" };
    let service = super::escaped(&track.service);
    format!("track     {}\nservice   {service}\nwritten   by Traefik {}{with}\n", super::escaped(&track.name), versions)
}

/// Returns what a value means as JSON.
pub fn decoded_report(decoded: &Decoded<'_>) -> Value {
    let Decoded { track, versions, safe_naming } = decoded;
    let value = json!({"track": track.name, "service": track.service, "traefik": versions,
        "safeNaming": safe_naming});
    published("DecodedCookie", value)
}
