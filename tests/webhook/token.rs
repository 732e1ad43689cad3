//! What the token of the guard's account is worth to somebody who has stolen it: each write that its roles hold, and those
//! beside them, tried on a real API server.

use http::Method;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use testbed::{
    api::{Answer, Api},
    bed,
    directory::Directory,
    namespace::Namespace,
    server::Server,
    wait::until,
};

use super::{deployed::NAME, guard::declare};

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const SECRETS: &str = "/api/v1/namespaces/kubectl-canary-traefik/secrets";
const WEBHOOK: &str = "guard.kubectl-canary-traefik.internal";

/// A cluster with the guard as a webhook, and its token.
pub(super) struct Stolen<'a> {
    pub(super) namespace: &'a Namespace<'a>,
    pub(super) api: Api,
    _directory: Directory,
    certificate: Value,
    /// What was tried so far, with what came of it.
    pub(super) lines: String,
}

impl<'a> Stolen<'a> {
    /// Installs the guard with these flags, and takes its token.
    pub(super) fn from(server: &Server, namespace: &'a Namespace<'a>, flags: &[&str]) -> Self {
        namespace.create_rollout("shop", 100, 0);
        declare(namespace, "shop", "login; Max-Age=300");
        let install = ["guard", "install", "--mode=webhook", "--image=registry.example/guard:1", "--yes", "--wait=0s"];
        let installed = namespace.run(install).arguments(flags.iter().copied()).run();
        assert_eq!(installed.code, Some(1), "{installed}");
        // Somebody's webhook beside it, to be left alone.
        for (configuration, _) in CONFIGURATIONS {
            let path = format!("{ADMISSION}/{configuration}/{NAME}");
            let mut object = server.admin().get(&path).expect("it is installed");
            let mut other = object["webhooks"][0].clone();
            other["name"] = json!("other.example.com");
            object["webhooks"].as_array_mut().expect("webhooks").push(other);
            server.admin().ask(&Method::PUT, &path, "application/json", object.to_string()).expect("another webhook");
        }
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let path = format!("/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}/token");
        let token = server.admin().post(&path, &request).expect("a token")["status"]["token"].clone();
        let directory = Directory::new();
        let kubeconfig = directory.write("kubeconfig", server.token_kubeconfig(&token, "127.0.0.1"));
        let api = Api::from_file(&kubeconfig).expect("a kubeconfig");
        until("the server to know the account's rights", || {
            (api.get("/apis/traefik.io/v1alpha1/traefikservices").code == 200).then_some(())
        });
        let kubeconfig: Value = serde_json::from_str(&server.admin_kubeconfig("default")).expect("it is JSON");
        let certificate = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"].clone();
        Self { namespace, api, _directory: directory, certificate, lines: String::new() }
    }

    /// Notes what came of an attempt.
    pub(super) fn tried(&mut self, what: &str, answer: &Answer) {
        let message = if answer.code < 300 { String::new() } else { answer.message() };
        let why = message.split_once("denied request: ").map_or("", |(_, why)| why);
        let outcome = match answer.code {
            200..300 => "allowed",
            403 if why.starts_with("the guard's account ") => "refused by the policy",
            403 if message.contains(" cannot ") => "no right",
            _ => panic!("{what}: {}", answer.text),
        };
        self.lines.push_str(&format!("{what:<48} {outcome}\n"));
    }

    fn configurations(&mut self) {
        let of = |configuration: &str| format!("{ADMISSION}/{configuration}/{NAME}?dryRun=All");
        let certificate = self.certificate.clone();
        let bundle =
            |webhook: &str| json!({ "webhooks": [{ "name": webhook, "clientConfig": { "caBundle": certificate } }] });
        let replace = |path: &str, value: Value| json!([{ "op": "replace", "path": path, "value": value }]);
        let add = |path: &str, value: Value| json!([{ "op": "add", "path": path, "value": value }]);
        let client = "/webhooks/0/clientConfig";
        let all = json!([{ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"] }]);
        let owner = json!([{ "apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "u" }]);
        let another = json!({ "name": "more.example.com", "clientConfig": { "url": "https://192.0.2.1/" },
            "sideEffects": "None", "admissionReviewVersions": ["v1"] });
        for (configuration, short) in CONFIGURATIONS {
            let path = of(configuration);
            for (what, webhook) in
                [("its own webhook's caBundle", WEBHOOK), ("another's caBundle", "other.example.com")]
            {
                let patch = bundle(webhook).to_string();
                let answer = self.api.ask(&Method::PATCH, &path, "application/strategic-merge-patch+json", patch);
                self.tried(&format!("{short}: {what}"), &answer);
            }
            for (what, patch) in [
                ("another address", replace(client, json!({ "url": "https://192.0.2.1/" }))),
                ("another Service", add(&format!("{client}/service/name"), json!("mine"))),
                ("another path", add(&format!("{client}/service/path"), json!("/mine"))),
                ("rules for everything", replace("/webhooks/0/rules", all.clone())),
                ("failurePolicy", add("/webhooks/0/failurePolicy", json!("Fail"))),
                ("timeoutSeconds", add("/webhooks/0/timeoutSeconds", json!(30))),
                ("matchPolicy", add("/webhooks/0/matchPolicy", json!("Equivalent"))),
                ("matchConditions", json!([{ "op": "remove", "path": "/webhooks/0/matchConditions" }])),
                ("namespaceSelector", add("/webhooks/0/namespaceSelector", json!({ "matchLabels": { "a": "b" } }))),
                ("one webhook more", add("/webhooks/-", another.clone())),
                ("one webhook less", json!([{ "op": "remove", "path": "/webhooks/1" }])),
                ("no webhook", replace("/webhooks", json!([]))),
                ("the webhooks' order", json!([{ "op": "move", "from": "/webhooks/1", "path": "/webhooks/0" }])),
                ("labels", add("/metadata/labels/a", json!("b"))),
                ("annotations", add("/metadata/annotations", json!({ "a": "b" }))),
                ("ownerReferences", add("/metadata/ownerReferences", owner.clone())),
                ("finalizers", add("/metadata/finalizers", json!(["example.com/mine"]))),
            ] {
                let answer = self.api.ask(&Method::PATCH, &path, "application/json-patch+json", patch.to_string());
                self.tried(&format!("{short}: {what}"), &answer);
            }
            let whole = self.namespace.server().admin().get(&format!("{ADMISSION}/{configuration}/{NAME}")).json();
            let answer = self.api.ask(&Method::PUT, &path, "application/json", whole.to_string());
            self.tried(&format!("{short}: an update of the whole"), &answer);
            let answer = self.api.merge(&format!("{ADMISSION}/{configuration}/other?dryRun=All"), &json!({}));
            self.tried(&format!("{short}: one of another name"), &answer);
            let mut mine = whole;
            mine["metadata"] = json!({ "name": "mine" });
            let answer = self.api.post(&format!("{ADMISSION}/{configuration}?dryRun=All"), &mine);
            self.tried(&format!("{short}: a new one"), &answer);
            let answer = self.api.delete(&path);
            self.tried(&format!("{short}: its end"), &answer);
        }
    }

    fn traefik_services(&mut self) {
        let path = self.namespace.path("TraefikService", "shop") + "?dryRun=All";
        let services = json!([{ "name": "mine", "port": 80 }]);
        let owner = json!([{ "apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "u" }]);
        let sticky = json!({ "cookie": { "name": "x" } });
        for (what, patch) in [
            ("a cookie", json!({ "spec": { "weighted": { "sticky": sticky } } })),
            ("no cookie", json!({ "spec": { "weighted": { "sticky": null } } })),
            ("other services", json!({ "spec": { "weighted": { "services": services } } })),
            (
                "a cookie and other services",
                json!({ "spec": { "weighted": { "sticky": sticky, "services": services } } }),
            ),
            ("a mirror beside", json!({ "spec": { "mirroring": { "name": "mine", "port": 80 } } })),
            ("a mirror instead", json!({ "spec": { "weighted": null, "mirroring": { "name": "mine", "port": 80 } } })),
            ("labels", json!({ "metadata": { "labels": { "a": "b" } } })),
            ("annotations", json!({ "metadata": { "annotations": { "a": "b" } } })),
            ("ownerReferences", json!({ "metadata": { "ownerReferences": owner } })),
            ("finalizers", json!({ "metadata": { "finalizers": ["example.com/mine"] } })),
        ] {
            let answer = self.api.merge(&path, &patch);
            self.tried(&format!("traefikservices: {what}"), &answer);
        }
        let services: Vec<_> = (0..20_000).map(|number| json!({ "name": format!("s{number}"), "port": 80 })).collect();
        self.namespace.patch("TraefikService", "shop", &json!({ "spec": { "weighted": { "services": services } } }));
        let answer = self.api.merge(&path, &json!({ "spec": { "weighted": { "sticky": sticky } } }));
        self.tried("traefikservices: a cookie beside 20,000 services", &answer);
        let mut whole = self.namespace.get("TraefikService", "shop");
        let answer = self.api.ask(&Method::PUT, &path, "application/json", whole.to_string());
        self.tried("traefikservices: an update of the whole", &answer);
        whole["metadata"] = json!({ "name": "mine" });
        let answer = self.api.post(&(self.namespace.path("TraefikService", "") + "?dryRun=All"), &whole);
        self.tried("traefikservices: a new one", &answer);
        let answer = self.api.delete(&path);
        self.tried("traefikservices: its end", &answer);
    }

    fn secrets(&mut self) {
        let secret = |name: &str, kind: &str| {
            json!({ "apiVersion": "v1", "kind": "Secret", "type": kind,
            "metadata": { "name": name, "annotations": { "kubernetes.io/service-account.name": "default" } } })
        };
        let create = format!("{SECRETS}?dryRun=All");
        let own = format!("{NAME}-certificates");
        for (what, secret) in [
            ("the one of its certificates", secret(&own, "Opaque")),
            ("the same, to hold an account's token", secret(&own, "kubernetes.io/service-account-token")),
            ("one of another name", secret("mine", "Opaque")),
            ("one for a node that joins", secret("bootstrap-token-abcdef", "bootstrap.kubernetes.io/token")),
        ] {
            let answer = self.api.post(&create, &secret);
            // By the processes, or by `guard install`.
            if answer.code == 409 {
                self.lines.push_str(&format!("{:<48} is there\n", format!("secrets: {what}")));
            } else {
                self.tried(&format!("secrets: {what}"), &answer);
            }
        }
        let answer = self.api.get(&format!("{SECRETS}/mine"));
        self.tried("secrets: another one to be read", &answer);
        let answer = self.api.get(SECRETS);
        self.tried("secrets: all of them to be read", &answer);
        let answer = self.api.delete(&format!("{SECRETS}/{own}?dryRun=All"));
        self.tried("secrets: its end", &answer);
    }

    fn neighbours(&mut self) {
        const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
        let nothing = json!({});
        let here = format!("namespaces/{NAME}");
        for (what, path) in [
            ("a Canary", self.namespace.path("Canary", "shop")),
            ("the policy that confines it", format!("{ADMISSION}/validatingadmissionpolicies/{NAME}")),
            ("the binding of that policy", format!("{ADMISSION}/validatingadmissionpolicybindings/{NAME}")),
            ("its ClusterRole", format!("{RBAC}/clusterroles/{NAME}")),
            ("its Role", format!("{RBAC}/{here}/roles/{NAME}")),
            ("its Deployment", format!("/apis/apps/v1/{here}/deployments/{NAME}")),
            ("its Service", format!("/api/v1/{here}/services/{NAME}")),
            ("its account", format!("/api/v1/{here}/serviceaccounts/{NAME}")),
            ("its namespace", format!("/api/v1/{here}")),
        ] {
            let answer = self.api.merge(&format!("{path}?dryRun=All"), &nothing);
            self.tried(&format!("beside: {what}"), &answer);
        }
        for (what, path) in [
            ("a pod", format!("/api/v1/{here}/pods?dryRun=All")),
            ("a token of an account", format!("/api/v1/{here}/serviceaccounts/default/token")),
        ] {
            let answer = self.api.post(&path, &nothing);
            self.tried(&format!("beside: {what}"), &answer);
        }
        let request = http::Request::get("/api/v1/namespaces").header("impersonate-user", "admin").body(Vec::new());
        let answer = self.api.send(request.expect("a well-formed request")).expect("an answer");
        self.tried("beside: somebody else's name", &answer);
    }
}

const CONFIGURATIONS: [(&str, &str); 2] =
    [("mutatingwebhookconfigurations", "mutating"), ("validatingwebhookconfigurations", "validating")];

/// Every attempt, and what came of it.
fn attempts(server: &Server, wait: impl Fn(&Stolen<'_>)) -> String {
    let namespace = Namespace::on(server, "token");
    let mut stolen = Stolen::from(server, &namespace, &[]);
    wait(&stolen);
    stolen.configurations();
    stolen.traefik_services();
    stolen.secrets();
    stolen.neighbours();
    stolen.lines
}

#[test]
fn a_stolen_token_changes_nothing_but_cookies_its_own_secret_and_the_ca_bundle() {
    let server = Server::dedicated(&bed::no_policies());
    let attempts = attempts(&server, |stolen| {
        let path = stolen.namespace.path("TraefikService", "shop") + "?dryRun=All";
        until("the policy to be taken up", || {
            let answer = stolen.api.merge(&path, &json!({ "metadata": { "labels": { "a": "b" } } }));
            (answer.code != 200).then_some(())
        });
    });
    assert_data_eq!(
        attempts,
        str![[r#"
mutating: its own webhook's caBundle             allowed
mutating: another's caBundle                     refused by the policy
mutating: another address                        refused by the policy
mutating: another Service                        refused by the policy
mutating: another path                           refused by the policy
mutating: rules for everything                   refused by the policy
mutating: failurePolicy                          refused by the policy
mutating: timeoutSeconds                         refused by the policy
mutating: matchPolicy                            refused by the policy
mutating: matchConditions                        refused by the policy
mutating: namespaceSelector                      refused by the policy
mutating: one webhook more                       refused by the policy
mutating: one webhook less                       refused by the policy
mutating: no webhook                             refused by the policy
mutating: the webhooks' order                    refused by the policy
mutating: labels                                 refused by the policy
mutating: annotations                            refused by the policy
mutating: ownerReferences                        refused by the policy
mutating: finalizers                             refused by the policy
mutating: an update of the whole                 no right
mutating: one of another name                    no right
mutating: a new one                              no right
mutating: its end                                no right
validating: its own webhook's caBundle           allowed
validating: another's caBundle                   refused by the policy
validating: another address                      refused by the policy
validating: another Service                      refused by the policy
validating: another path                         refused by the policy
validating: rules for everything                 refused by the policy
validating: failurePolicy                        refused by the policy
validating: timeoutSeconds                       refused by the policy
validating: matchPolicy                          refused by the policy
validating: matchConditions                      refused by the policy
validating: namespaceSelector                    refused by the policy
validating: one webhook more                     refused by the policy
validating: one webhook less                     refused by the policy
validating: no webhook                           refused by the policy
validating: the webhooks' order                  refused by the policy
validating: labels                               refused by the policy
validating: annotations                          refused by the policy
validating: ownerReferences                      refused by the policy
validating: finalizers                           refused by the policy
validating: an update of the whole               no right
validating: one of another name                  no right
validating: a new one                            no right
validating: its end                              no right
traefikservices: a cookie                        allowed
traefikservices: no cookie                       allowed
traefikservices: other services                  refused by the policy
traefikservices: a cookie and other services     refused by the policy
traefikservices: a mirror beside                 refused by the policy
traefikservices: a mirror instead                refused by the policy
traefikservices: labels                          refused by the policy
traefikservices: annotations                     refused by the policy
traefikservices: ownerReferences                 refused by the policy
traefikservices: finalizers                      refused by the policy
traefikservices: a cookie beside 20,000 services allowed
traefikservices: an update of the whole          no right
traefikservices: a new one                       no right
traefikservices: its end                         no right
secrets: the one of its certificates             allowed
secrets: the same, to hold an account's token    refused by the policy
secrets: one of another name                     refused by the policy
secrets: one for a node that joins               refused by the policy
secrets: another one to be read                  no right
secrets: all of them to be read                  no right
secrets: its end                                 no right
beside: a Canary                                 no right
beside: the policy that confines it              no right
beside: the binding of that policy               no right
beside: its ClusterRole                          no right
beside: its Role                                 no right
beside: its Deployment                           no right
beside: its Service                              no right
beside: its account                              no right
beside: its namespace                            no right
beside: a pod                                    no right
beside: a token of an account                    no right
beside: somebody else's name                     no right

"#]]
    );
}

#[test]
fn before_kubernetes_1_30_a_stolen_token_has_no_right_on_configurations_and_secrets() {
    let server = Server::dedicated(&bed::no_admission_policies());
    assert_data_eq!(
        attempts(&server, |_| ()),
        str![[r#"
mutating: its own webhook's caBundle             no right
mutating: another's caBundle                     no right
mutating: another address                        no right
mutating: another Service                        no right
mutating: another path                           no right
mutating: rules for everything                   no right
mutating: failurePolicy                          no right
mutating: timeoutSeconds                         no right
mutating: matchPolicy                            no right
mutating: matchConditions                        no right
mutating: namespaceSelector                      no right
mutating: one webhook more                       no right
mutating: one webhook less                       no right
mutating: no webhook                             no right
mutating: the webhooks' order                    no right
mutating: labels                                 no right
mutating: annotations                            no right
mutating: ownerReferences                        no right
mutating: finalizers                             no right
mutating: an update of the whole                 no right
mutating: one of another name                    no right
mutating: a new one                              no right
mutating: its end                                no right
validating: its own webhook's caBundle           no right
validating: another's caBundle                   no right
validating: another address                      no right
validating: another Service                      no right
validating: another path                         no right
validating: rules for everything                 no right
validating: failurePolicy                        no right
validating: timeoutSeconds                       no right
validating: matchPolicy                          no right
validating: matchConditions                      no right
validating: namespaceSelector                    no right
validating: one webhook more                     no right
validating: one webhook less                     no right
validating: no webhook                           no right
validating: the webhooks' order                  no right
validating: labels                               no right
validating: annotations                          no right
validating: ownerReferences                      no right
validating: finalizers                           no right
validating: an update of the whole               no right
validating: one of another name                  no right
validating: a new one                            no right
validating: its end                              no right
traefikservices: a cookie                        allowed
traefikservices: no cookie                       allowed
traefikservices: other services                  allowed
traefikservices: a cookie and other services     allowed
traefikservices: a mirror beside                 allowed
traefikservices: a mirror instead                allowed
traefikservices: labels                          allowed
traefikservices: annotations                     allowed
traefikservices: ownerReferences                 allowed
traefikservices: finalizers                      allowed
traefikservices: a cookie beside 20,000 services allowed
traefikservices: an update of the whole          no right
traefikservices: a new one                       no right
traefikservices: its end                         no right
secrets: the one of its certificates             no right
secrets: the same, to hold an account's token    no right
secrets: one of another name                     no right
secrets: one for a node that joins               no right
secrets: another one to be read                  no right
secrets: all of them to be read                  no right
secrets: its end                                 no right
beside: a Canary                                 no right
beside: the policy that confines it              no right
beside: the binding of that policy               no right
beside: its ClusterRole                          no right
beside: its Role                                 no right
beside: its Deployment                           no right
beside: its Service                              no right
beside: its account                              no right
beside: its namespace                            no right
beside: a pod                                    no right
beside: a token of an account                    no right
beside: somebody else's name                     no right

"#]]
    );
}
