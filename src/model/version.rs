//! Versions of Kubernetes, Flagger and Traefik, and the limitations of old ones.

use std::fmt;

use super::FIELDS;

/// A version. Only its numbers are compared, not what follows them (`-rc.1`, `+k3s1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u64; 3]);

impl Version {
    /// Parses `v1.37.2`, `3.7`, `v3.7.0-rc.2`, `1.36+`, `3.2.1_fips`; returns `None` for words such as `latest`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; 3];
        let numbers = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next()?;
        let mut count = 0;
        for (part, number) in parts.iter_mut().zip(numbers.split('.')) {
            let Ok(number) = number.parse() else { break };
            *part = number;
            count += 1;
        }
        (count > 1).then_some(Self(parts))
    }

    /// Creates a version from its numbers.
    pub const fn of(major: u64, minor: u64, patch: u64) -> Self {
        Self([major, minor, patch])
    }

    /// Returns the minor version: 3 and 7 of 3.7.9.
    pub fn minor(self) -> (u64, u64) {
        (self.0[0], self.0[1])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The versions that the tag of an image stands for: `v3.7.9` for one, `v3.7` and `v3` for whichever was the newest when the
/// image was pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tagged {
    /// The oldest of them.
    pub oldest: Version,
    /// The newest of them that there could be.
    pub newest: Version,
}

impl Tagged {
    /// Reads a tag; `None` for words such as `latest`.
    pub fn parse(tag: &str) -> Option<Self> {
        let numbers = tag.strip_prefix('v').unwrap_or(tag).split(['-', '+']).next()?;
        let numbers: Vec<u64> = numbers.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let of = |rest: u64| {
            let mut parts = [rest; 3];
            parts[..numbers.len()].copy_from_slice(&numbers);
            Version(parts)
        };
        (numbers.len() <= 3).then(|| Self { oldest: of(0), newest: of(u64::MAX) })
    }
}

impl fmt::Display for Tagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.newest.0.iter().take_while(|part| **part < u64::MAX);
        f.write_str(&known.map(u64::to_string).collect::<Vec<_>>().join("."))
    }
}

/// Returns the tag of an image: `1.44.0` of `ghcr.io/fluxcd/flagger:1.44.0@sha256:…`.
pub fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next()?;
    // A colon before the last slash is a port.
    let (_, tag) = image.rsplit('/').next()?.rsplit_once(':')?;
    Some(tag)
}

/// Returns what Kubernetes cannot do in this version.
pub fn limits_of_server(version: Version) -> Vec<String> {
    let mut limits = Vec::new();
    if version < Version::of(1, 36, 0) {
        limits.push("serves no MutatingAdmissionPolicy (from 1.36 on): there the guard is a webhook".to_owned());
    }
    // kubernetes.io "Dynamic Admission Control": matchConditions, beta and on by default in 1.28.
    if version < Version::of(1, 28, 0) {
        limits.push(
            "has no matchConditions in webhooks (from 1.28 on): the webhook is called for every write".to_owned(),
        );
    }
    limits
}

/// Returns what Flagger cannot do in this version, together with this Traefik.
///
/// Flagger writes `traefik.io` from 1.42.0 on (fluxcd/flagger#1835), and Traefik 3 reads nothing else.
pub fn limits_of_flagger(version: Version, traefik: Option<Version>) -> Vec<String> {
    let too_old = version < Version::of(1, 42, 0) && traefik >= Some(Version::of(3, 0, 0));
    let text = "writes traefik.containo.us, which Traefik 3 does not read (traefik.io from 1.42 on)";
    too_old.then(|| text.to_owned()).into_iter().collect()
}

/// Returns what Traefik cannot do in this version: the cookie fields that it does not honour.
pub fn limits_of_traefik(version: Version) -> Vec<String> {
    let unknown = FIELDS.iter().filter(|field| Version::parse(field.since).is_some_and(|since| version < since));
    unknown.map(|field| format!("does not honour --{} (from {} on)", field.flag, field.since)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_they_are_written_anywhere() {
        let read = |text: &str| Version::parse(text).map(|version| version.0);
        assert_eq!(read("v1.37.2"), Some([1, 37, 2]));
        assert_eq!(read("3.7"), Some([3, 7, 0]));
        assert_eq!(read("v3.7.0-rc.2"), Some([3, 7, 0]));
        assert_eq!(read("v1.33.4+k3s1"), Some([1, 33, 4]));
        assert_eq!(read("3.2.1_fips"), Some([3, 2, 0]));
        for text in ["latest", "", "v", "3", "main-1.2", "1.x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_tag_that_moves_stands_for_every_version_that_it_may_be() {
        let read = |tag: &str| Tagged::parse(tag).map(|tagged| (tagged.oldest.0, tagged.newest.0, tagged.to_string()));
        assert_eq!(read("v3.7.9"), Some(([3, 7, 9], [3, 7, 9], "3.7.9".to_owned())));
        assert_eq!(read("v3.7"), Some(([3, 7, 0], [3, 7, u64::MAX], "3.7".to_owned())));
        assert_eq!(read("3-alpine"), Some(([3, 0, 0], [3, u64::MAX, u64::MAX], "3".to_owned())));
        for tag in ["latest", "", "v", "3.x", "1.2.3.4", "main-1.2"] {
            assert_eq!(read(tag), None, "{tag}");
        }
    }

    #[test]
    fn an_images_tag_is_neither_its_port_nor_its_sum() {
        assert_eq!(tag("ghcr.io/fluxcd/flagger:1.44.0@sha256:00"), Some("1.44.0"));
        assert_eq!(tag("registry:5000/traefik:v3.7.15"), Some("v3.7.15"));
        assert_eq!(tag("registry:5000/traefik"), None);
        assert_eq!(tag("traefik@sha256:00"), None);
    }

    #[test]
    fn what_is_too_old_is_told_from_the_version_before_on() {
        let version = |text: &str| Version::parse(text).unwrap();
        let server = |text: &str| limits_of_server(version(text)).len();
        assert_eq!((server("v1.36.0"), server("v1.35.9"), server("v1.27.1")), (0, 1, 2));
        let flagger = |text: &str, traefik: &str| limits_of_flagger(version(text), Version::parse(traefik)).len();
        assert_eq!((flagger("1.41.0", "3.7.0"), flagger("1.41.0", "2.11.0"), flagger("1.42.0", "3.7.0")), (1, 0, 0));
        assert_eq!(flagger("1.41.0", "latest"), 0);
        let traefik = |text: &str| limits_of_traefik(version(text));
        assert_eq!(traefik("3.4.0"), [""; 0]);
        assert_eq!(traefik("3.3.7"), ["does not honour --domain (from 3.4 on)"]);
        assert_eq!(traefik("2.11.0").len(), 4);
    }
}
