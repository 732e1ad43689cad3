//! One Canary with what belongs to it, and what became of its TraefikService.

use std::{collections::BTreeSet, fmt, time::Duration};

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use testbed::{namespace::Namespace, objects, wait::until};

use crate::{cluster::Cluster, gate};

/// The Canary, its target and its TraefikService are called this.
pub(crate) const NAME: &str = "shop";
/// The version at the beginning, and the one that is rolled out.
pub(crate) const VERSIONS: [&str; 2] = ["shop:1", "shop:2"];
/// What is declared.
pub(crate) const DECLARATION: &str = "login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax";
/// What is declared instead, where the declaration changes.
pub(crate) const OTHER_DECLARATION: &str = "session; Secure";
/// A rollout takes some two minutes, and longer on a machine that has other work.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);
/// The gate at which a rollout waits before each step.
const STEPS: &str = "steps";

/// The cookie that [`DECLARATION`] means.
pub(crate) fn sticky() -> Value {
    json!({ "cookie": { "name": "login", "maxAge": 300, "path": "/", "httpOnly": true, "sameSite": "lax" } })
}

/// The cookie that [`OTHER_DECLARATION`] means.
pub(crate) fn other_sticky() -> Value {
    json!({ "cookie": { "name": "session", "secure": true } })
}

/// Five steps in Flagger's shortest interval.
pub(crate) fn five_steps() -> Value {
    json!({ "interval": "10s", "threshold": 2, "stepWeight": 10, "maxWeight": 50 })
}

/// The same in a namespace where each step has to be let through.
pub(crate) fn held_steps(namespace: &Namespace) -> Value {
    gate::passes(namespace.name(), STEPS, 0);
    let url = gate::url(namespace.name(), STEPS);
    let mut analysis = five_steps();
    analysis["webhooks"] =
        json!([{ "name": STEPS, "type": "confirm-traffic-increase", "url": url, "timeout": "30s", "muteAlert": true }]);
    analysis
}

/// A Canary to be rolled out, in a namespace of its own.
pub(crate) struct Shop {
    cluster: &'static Cluster,
    namespace: Namespace<'static>,
}

/// One version of the TraefikService's spec, as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    /// Name and weight of each child.
    pub(crate) weights: Vec<(String, Option<u64>)>,
    /// `null` when there is none.
    pub(crate) sticky: Value,
}

impl Shop {
    /// A namespace for it; nothing in it yet.
    pub(crate) fn new(cluster: &'static Cluster, hint: &str, guarded: bool) -> Self {
        Self { cluster, namespace: cluster.namespace(hint, guarded) }
    }

    /// Creates the Deployment, the route and the Canary with this analysis and declaration in its manifest.
    pub(crate) fn create(&self, analysis: &Value, declaration: Option<&str>) {
        let mut canary = objects::canary(NAME);
        canary["spec"]["analysis"] = analysis.clone();
        if let Some(declaration) = declaration {
            canary["metadata"]["annotations"] = json!({ ANNOTATION: declaration });
        }
        self.create_with(&canary);
    }

    /// Creates the Deployment, the route and this Canary.
    pub(crate) fn create_with(&self, canary: &Value) {
        let labels = json!({ "app": NAME });
        self.namespace.create_value(&json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": NAME },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [{ "name": NAME, "image": VERSIONS[0] }] },
                },
            },
        }));
        self.namespace.create_value(&json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": { "name": NAME },
            "spec": {
                "entryPoints": ["web"],
                "routes": [{
                    "kind": "Rule",
                    "match": format!("Host(`{}`)", self.host()),
                    "services": [{ "kind": "TraefikService", "name": NAME }],
                }],
            },
        }));
        self.namespace.create_value(canary);
    }

    pub(crate) fn namespace(&self) -> &Namespace<'static> {
        &self.namespace
    }

    /// The host name of its site.
    pub(crate) fn host(&self) -> String {
        format!("{}.example", self.namespace.name())
    }

    /// Puts the new version into the target Deployment: the rollout begins.
    pub(crate) fn release(&self) {
        let patch =
            json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": VERSIONS[1] }]);
        let path = self.namespace.path("Deployment", NAME);
        let answer = self.cluster.server.admin().ask(
            &http::Method::PATCH,
            &path,
            "application/json-patch+json",
            patch.to_string(),
        );
        answer.expect("release a version");
    }

    /// Changes what the Canary declares, and waits until the policies put this into a write.
    pub(crate) fn declare(&self, declaration: Option<&str>, sticky: &Value) {
        let annotations = json!({ ANNOTATION: declaration });
        self.namespace.patch("Canary", NAME, &json!({ "metadata": { "annotations": annotations } }));
        let path = self.namespace.path("TraefikService", NAME) + "?dryRun=All";
        let dropped = json!({ "spec": { "weighted": { "sticky": null } } });
        until("the policies to see what is declared", || {
            let answer = self.cluster.server.admin().merge(&path, &dropped);
            (answer.code == 200 && answer.json()["spec"]["weighted"]["sticky"] == *sticky).then_some(())
        });
    }

    /// Changes a field of the Canary's spec.
    pub(crate) fn configure(&self, spec: &Value) {
        self.namespace.patch("Canary", NAME, &json!({ "spec": spec }));
    }

    /// Waits until the Canary is in this phase.
    pub(crate) fn reaches(&self, phase: &str) {
        let ends = ["Succeeded", "Failed"];
        let reached = self.wait("Canary", LIMIT, |canary| {
            let now = canary["status"]["phase"].as_str()?;
            (now == phase || ends.contains(&now)).then(|| now.to_owned())
        });
        assert!(
            reached.as_deref() == Some(phase),
            "{} is in phase {reached:?} where {phase} was expected; its generations: {:#?}\n{}",
            self.namespace.name(),
            self.generations(),
            self.cluster.last_words()
        );
    }

    /// Waits until its rollout has ended, and returns the phase that it ended in.
    pub(crate) fn ends(&self) -> String {
        let ended = self.wait("Canary", LIMIT, |canary| {
            let phase = canary["status"]["phase"].as_str()?;
            ["Succeeded", "Failed"].contains(&phase).then(|| phase.to_owned())
        });
        ended.unwrap_or_else(|| panic!("{} does not end\n{}", self.namespace.name(), self.cluster.last_words()))
    }

    /// Lets a rollout of [`held_steps`] go on to the step of this weight, and no further.
    pub(crate) fn steps_to(&self, weight: u64) {
        let mut now = self.generations().last().and_then(|last| last.weights.get(1)?.1).unwrap_or(0);
        while now < weight {
            gate::passes(self.namespace.name(), STEPS, 1);
            let next =
                self.wait("TraefikService", LIMIT, |service| read(service).weights.get(1)?.1.filter(|at| *at > now));
            now = next.unwrap_or_else(|| panic!("no step after {now}\n{}", self.cluster.last_words()));
        }
        assert_eq!(now, weight);
    }

    /// Lets a rollout of [`held_steps`] go on to its end.
    pub(crate) fn steps_on(&self) {
        gate::opens(self.namespace.name(), STEPS);
    }

    /// Whether the TraefikService changes within this time.
    pub(crate) fn changes_within(&self, limit: Duration) -> bool {
        let before = self.generations().last().map(|last| last.number);
        self.wait("TraefikService", limit, |service| (Some(read(service).number) != before).then_some(())).is_some()
    }

    /// Every stored version of its Canary, oldest first.
    pub(crate) fn canaries(&self) -> Vec<Value> {
        self.cluster.history.of("Canary", self.namespace.name(), NAME)
    }

    /// When all weight was set on the canary, by the server's own record.
    pub(crate) fn emptied(&self) -> jiff::Timestamp {
        let versions = self.cluster.history.of("TraefikService", self.namespace.name(), NAME);
        let is_empty = |service: &&Value| read(service).weights.first().is_some_and(|(_, weight)| weight.is_none());
        let emptied = versions.iter().find(is_empty).expect("it has a last step of 100");
        let entries = emptied["metadata"]["managedFields"].as_array().into_iter().flatten();
        let by_flagger = entries.filter(|entry| entry["manager"] == "flagger");
        by_flagger.filter_map(|entry| entry["time"].as_str()?.parse().ok()).max().expect("Flagger wrote it")
    }

    /// The stored generations of its TraefikService, oldest first.
    pub(crate) fn generations(&self) -> Vec<Generation> {
        let mut generations: Vec<_> =
            self.cluster.history.of("TraefikService", self.namespace.name(), NAME).iter().map(read).collect();
        generations.dedup();
        generations
    }

    /// What Flagger warned of, without the namespace's name.
    pub(crate) fn warnings(&self) -> BTreeSet<String> {
        let events = self.cluster.server.admin().get(&self.namespace.path("Event", "")).expect("list the events");
        let events = events["items"].as_array().expect("a list has items").iter();
        events
            .filter(|event| event["type"] == "Warning")
            .map(|event| format!("{}: {}", event["reason"], event["message"]).replace(self.namespace.name(), "NS"))
            .collect()
    }

    fn wait<T>(&self, kind: &'static str, limit: Duration, seek: impl FnMut(&Value) -> Option<T>) -> Option<T> {
        self.cluster.history.wait((kind, self.namespace.name(), NAME), limit, seek)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:3}", self.number)?;
        for (name, weight) in &self.weights {
            write!(f, "  {name} {}", weight.map_or_else(|| "-".to_owned(), |weight| weight.to_string()))?;
        }
        writeln!(f, "  {}", self.sticky)
    }
}

fn read(service: &Value) -> Generation {
    let children = service["spec"]["weighted"]["services"].as_array().into_iter().flatten();
    Generation {
        number: service["metadata"]["generation"].as_u64().expect("a stored object has a generation"),
        weights: children
            .map(|child| (child["name"].as_str().unwrap_or_default().to_owned(), child["weight"].as_u64()))
            .collect(),
        sticky: service["spec"]["weighted"]["sticky"].clone(),
    }
}
