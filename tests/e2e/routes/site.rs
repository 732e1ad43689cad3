//! A site with an entry to be: a Canary, its TraefikService with weights of 50 to 50, and pods of both tracks.

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use testbed::{namespace::Namespace, run::Output, wait::until};

use super::{CLUSTER, service};
use crate::{
    application::STEPS,
    shop::{NAME, VERSIONS},
    traefik::Traefik,
};

/// A namespace with a Canary, its TraefikService and the pods of both tracks.
pub(crate) struct Site {
    pub(crate) namespace: Namespace<'static>,
    pub(crate) host: String,
}

impl Site {
    pub(crate) fn new(hint: &str) -> Self {
        let namespace = CLUSTER.namespace(hint, false);
        let host = format!("{}.example", namespace.name());
        let site = Self { namespace, host };
        site.rollout(NAME);
        site
    }

    /// Creates a Canary of this name, its TraefikService and the pods of both tracks.
    pub(crate) fn rollout(&self, name: &str) {
        self.namespace.create_rollout(name, 50, 50);
        let deployments =
            [("primary", format!("{name}-primary"), VERSIONS[0]), ("canary", name.to_owned(), VERSIONS[1])];
        for (track, deployment, version) in deployments {
            let labels = json!({ "app": deployment });
            self.namespace.create_value(&json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": { "name": deployment },
                "spec": {
                    "replicas": 1,
                    "selector": { "matchLabels": labels },
                    "template": {
                        "metadata": { "labels": labels },
                        "spec": { "containers": [{ "name": name, "image": version }] },
                    },
                },
            }));
            service(&self.namespace, &format!("{name}-{track}"));
        }
    }

    /// Creates an IngressRoute with this rule and more in its route.
    pub(crate) fn ingress_route(&self, rule: &str, more: &Value) {
        let mut route =
            json!({ "kind": "Rule", "match": rule, "services": [{ "kind": "TraefikService", "name": NAME }] });
        route.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.namespace.create_value(&json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": { "name": NAME },
            "spec": { "entryPoints": ["web"], "routes": [route] },
        }));
    }

    pub(crate) fn run<const N: usize>(&self, arguments: [&str; N]) -> Output {
        self.namespace.run(arguments).run()
    }

    /// Declares the cookie with its entry, live.
    pub(crate) fn enter(&self) -> Output {
        self.run(["sticky", "set", NAME, "--name", "login", "--max-age", "60", "--entry", STEPS[0], "--yes"])
    }

    /// The same, without a look at the output.
    pub(crate) fn enters(&self) {
        let output = self.enter();
        assert_eq!(output.code, Some(0), "{output}");
    }

    /// Creates a Secret with a certificate for this host, and returns the certificate.
    pub(crate) fn secret(&self, name: &str, host: &str) -> CertificateDer<'static> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new([host.to_owned()]).expect("a name").self_signed(&key);
        let certificate = certificate.expect("a certificate");
        self.namespace.create_value(&json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name },
            "type": "kubernetes.io/tls",
            "stringData": { "tls.crt": certificate.pem(), "tls.key": key.serialize_pem() },
        }));
        certificate.der().clone()
    }

    /// Waits until Traefik has exactly these rules here, enabled, with the cookie and the pods; returns the routers, the
    /// one of the entry last.
    pub(crate) fn waits(&self, traefik: &Traefik, mut rules: Vec<String>) -> Vec<Value> {
        rules.sort();
        let is_there = |id: &str, part: &str| {
            let service = traefik.service(&format!("{}-{NAME}{id}@kubernetescrd", self.namespace.name()));
            service.is_some_and(|service| service.pointer(part).is_some())
        };
        until("Traefik to have the routes, the cookie and the pods", || {
            let mut routers = traefik.routers(self.namespace.name());
            let is_enabled = routers.iter().all(|router| router["status"] == "enabled");
            let has_pods = |id: &str| is_there(id, "/serverStatus");
            routers.sort_by_key(|router| router["priority"].as_i64());
            let mut found: Vec<_> = routers.iter().filter_map(|router| router["rule"].as_str()).collect();
            found.sort_unstable();
            (found == rules
                && is_enabled
                && is_there("", "/weighted/sticky/cookie/name")
                && has_pods("-primary-80")
                && has_pods("-canary-80"))
            .then_some(routers)
        })
    }
}
