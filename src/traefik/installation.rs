//! A Traefik that runs, as far as its Deployment or DaemonSet shows: its version and its static configuration. Pure.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::model::{
    NamespacedName,
    version::{Tagged, tag},
    view,
};

/// The image of the chart, and its mirror in k3s.
const OWN: [&str; 2] = ["traefik", "mirrored-library-traefik"];

/// A Traefik that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Namespace and name of its workload.
    pub place: String,
    /// Its version, as far as the image's tag shows it; `None` if it does not, or if the image is not Traefik's own, whose
    /// tags may count something else.
    pub version: Option<Tagged>,
    /// Its options, all in lower case, as of command-line flags: `providers.kubernetescrd.safenaming`.
    options: BTreeMap<String, String>,
}

impl Installation {
    /// Reads a workload; `None` if it does not run Traefik.
    pub fn of_workload(object: &Value) -> Option<Self> {
        let containers = view::at(object, &["spec", "template", "spec", "containers"])?.as_array()?;
        let container = containers.iter().find(|container| {
            let name = image(container);
            OWN.contains(&name) || name.ends_with("-traefik")
        })?;
        Some(Self {
            place: NamespacedName::of(object).to_string(),
            version: view::text(container, &["image"])
                .filter(|_| OWN.contains(&image(container)))
                .and_then(tag)
                .and_then(Tagged::parse),
            options: options(container),
        })
    }

    /// Returns whether its options are known. Traefik takes them from a file, or from flags, or from the environment
    /// (`cmd/traefik/traefik.go`); one of this program's users has the provider of custom resources.
    pub fn has_known_options(&self) -> bool {
        self.options.keys().any(|key| key.starts_with("providers.kubernetescrd"))
    }

    /// Returns an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// Returns whether a switch is on.
    pub fn is_on(&self, key: &str) -> bool {
        // As flags are read (Go strconv.ParseBool).
        self.option(key).is_some_and(|value| ["1", "t", "T", "true", "True", "TRUE"].contains(&value))
    }

    /// Returns whether an option, or one below it, is set.
    pub fn has(&self, key: &str) -> bool {
        let is_below =
            |other: &String| other.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.options.keys().any(is_below)
    }
}

impl fmt::Display for Installation {
    /// Formats it with its version: `Traefik 3.7.9 (edge/traefik)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "Traefik {version} ({})", self.place),
            None => write!(f, "Traefik ({})", self.place),
        }
    }
}

/// Returns the name of a container's image, without registry and tag.
fn image(container: &Value) -> &str {
    let image = view::text(container, &["image"]).unwrap_or_default();
    let name = image.split('@').next().and_then(|image| image.rsplit('/').next()).unwrap_or_default();
    name.split(':').next().unwrap_or_default()
}

/// A pod of Traefik, with the ports at which users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraefikPod {
    /// Its namespace and name.
    pub target: NamespacedName,
    /// The port for http.
    pub http: Option<u16>,
    /// The port for https.
    pub https: Option<u16>,
}

impl TraefikPod {
    /// Reads a pod. Entry points are those of its flags or environment, else its container's ports, which Traefik's chart names
    /// after them.
    pub fn of(pod: &Value) -> Self {
        let mut points: BTreeMap<String, u16> = BTreeMap::new();
        for container in view::list(pod, &["spec", "containers"]) {
            let ports = view::list(container, &["ports"]).iter();
            points.extend(ports.filter_map(|port| {
                let number = port.get("containerPort")?.as_u64()?.try_into().ok()?;
                Some((view::owned(port, &["name"])?, number))
            }));
            points.extend(options(container).into_iter().filter_map(|(key, address)| {
                let name = key.strip_prefix("entrypoints.")?.strip_suffix(".address")?;
                let address = address.split('/').next().unwrap_or_default();
                Some((name.to_owned(), address.rsplit_once(':')?.1.parse().ok()?))
            }));
        }
        let named = |name: &str| points.get(name).copied();
        let other = |is_secure: bool| {
            let is_for_users = |name: &str| !["traefik", "metrics"].contains(&name);
            points.iter().find(|(name, _)| is_for_users(name) && name.contains("secure") == is_secure).map(|it| *it.1)
        };
        Self {
            target: NamespacedName::of(pod),
            http: named("web").or_else(|| other(false)),
            https: named("websecure").or_else(|| other(true)),
        }
    }

    /// Returns whether a pod serves requests.
    pub fn is_ready(pod: &Value) -> bool {
        let conditions = view::list(pod, &["status", "conditions"]);
        let is_ready =
            |it: &Value| view::text(it, &["type"]) == Some("Ready") && view::text(it, &["status"]) == Some("True");
        pod.pointer("/metadata/deletionTimestamp").is_none() && conditions.iter().any(is_ready)
    }
}

/// Returns the options of a container: its flags, else those of its environment.
fn options(container: &Value) -> BTreeMap<String, String> {
    let list = |key: &str| view::list(container, &[key]).iter();
    let words = list("command").chain(list("args")).filter_map(Value::as_str);
    let mut words = words.peekable();
    let mut options = BTreeMap::new();
    while let Some(word) = words.next() {
        let name = word.trim_start_matches('-');
        if name == word {
            continue;
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value),
            None => (name, words.next_if(|next| !next.starts_with('-')).unwrap_or("true")),
        };
        options.insert(name.to_lowercase(), value.to_owned());
    }
    if options.is_empty() {
        for variable in list("env") {
            let name = view::text(variable, &["name"]).and_then(|name| name.strip_prefix("TRAEFIK_"));
            if let (Some(name), Some(value)) = (name, view::text(variable, &["value"])) {
                options.insert(name.to_lowercase().replace('_', "."), value.to_owned());
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(container: &Value) -> Option<Installation> {
        Installation::of_workload(&json!({"metadata": {"namespace": "edge", "name": "traefik"},
            "spec": {"template": {"spec": {"containers": [{"image": "sidecar:1.0"}, container]}}}}))
    }

    #[test]
    fn flags_are_read_in_every_form_and_else_the_environment() {
        let flags = json!({"image": "docker.io/traefik:v3.7.9@sha256:0", "args": ["--Providers.KubernetesCRD",
            "--providers.kubernetescrd.allowCrossNamespace=true", "--log.level", "DEBUG", "--entryPoints.web.http.tls"]});
        let read = of(&flags).unwrap();
        assert_eq!((read.place.as_str(), read.version), ("edge/traefik", Tagged::parse("3.7.9")));
        assert!(read.has_known_options() && read.is_on("providers.kubernetescrd.allowcrossnamespace"));
        assert_eq!(read.option("log.level"), Some("DEBUG"));
        assert!(read.has("entrypoints.web") && !read.has("entrypoints.we"));

        let environment = json!({"image": "rancher/mirrored-library-traefik:3.3.6",
            "env": [{"name": "TRAEFIK_PROVIDERS_KUBERNETESCRD_SAFENAMING", "value": "true"}, {"name": "OTHER", "value": "x"}]});
        assert!(of(&environment).unwrap().is_on("providers.kubernetescrd.safenaming"));
    }

    #[test]
    fn the_ports_of_a_pod_are_those_of_its_entry_points() {
        let ports = |container: Value| {
            let pod = TraefikPod::of(&json!({"metadata": {"namespace": "edge", "name": "traefik-0"},
                "spec": {"containers": [container]}}));
            assert_eq!(pod.target.to_string(), "edge/traefik-0");
            (pod.http, pod.https)
        };
        let port = |name: &str, number: u16| json!({"name": name, "containerPort": number});
        let chart = json!({"args": ["--entryPoints.metrics.address=:9100/tcp", "--entryPoints.traefik.address=:8080/tcp",
            "--entryPoints.web.address=:8000/tcp", "--entryPoints.websecure.address=127.0.0.1:8443/tcp"]});
        assert_eq!(ports(chart), (Some(8000), Some(8443)));
        assert_eq!(ports(json!({"ports": [port("traefik", 9000), port("web", 80)]})), (Some(80), None));
        assert_eq!(ports(json!({"args": ["--entrypoints.public.address=[::]:81"]})), (Some(81), None));
        assert_eq!(ports(json!({})), (None, None));
    }

    #[test]
    fn another_image_is_none_and_a_file_hides_the_options() {
        for image in ["nginx", "traefik/whoami:v1", "traefik-forward-auth:3"] {
            assert_eq!(of(&json!({"image": image})), None, "{image}");
        }
        // Another's image counts its own versions.
        let rebuilt = of(&json!({"image": "registry.example/shop-traefik:1.4.2"})).unwrap();
        assert_eq!(rebuilt.to_string(), "Traefik (edge/traefik)");
        let hidden = of(&json!({"image": "traefik:latest", "args": ["--configfile=/etc/traefik.yml"]})).unwrap();
        assert_eq!((hidden.version, hidden.has_known_options()), (None, false));
    }
}
