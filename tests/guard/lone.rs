//! A server for the commands that install and remove the guard. They say what they see in the whole cluster, so one
//! test has it at a time, and finds neither guard nor Canaries.

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use canary_traefik::{guard::policy::NAMES, model::declaration::ANNOTATION};
use http::Method;
use serde_json::{Value, json};
use testbed::{
    api::Api,
    directory::Directory,
    flagger,
    namespace::Namespace,
    objects,
    run::{Output, Run},
    server::Server,
    times,
    wait::until,
};

use super::cluster::ADMISSION;

/// Kinds of the guard's objects with their plurals.
pub(super) const KINDS: [(&str, &str); 4] = [
    ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    ("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
];

/// The server, for one test.
pub(super) struct Lone {
    server: &'static Server,
    users: Directory,
    _alone: MutexGuard<'static, ()>,
}

/// The server without guard and Canaries.
pub(super) fn lone() -> Lone {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::dedicated(&[]));
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    times::begins_anew();
    let lone = Lone { server: &SERVER, users: Directory::new(), _alone: alone };
    lone.clear();
    lone
}

impl Deref for Lone {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server
    }
}

impl Lone {
    fn clear(&self) {
        let mut deleted = false;
        for (_, plural) in KINDS {
            for name in NAMES {
                deleted |= self.admin().delete(&format!("{ADMISSION}/{plural}/{name}")).code == 200;
            }
        }
        for path in ["flagger.app/v1beta1/%canaries", "traefik.io/v1alpha1/%traefikservices"] {
            let list = self.admin().get(&format!("/apis/{}", path.replace('%', ""))).expect("a list");
            for object in list["items"].as_array().expect("a list has items") {
                let text = |key: &str| object["metadata"][key].as_str().expect("it has a name").to_owned();
                let place = path.replace('%', &format!("namespaces/{}/", text("namespace")));
                self.admin().delete(&format!("/apis/{place}/{}", text("name"))).expect("delete");
            }
        }
        if deleted {
            self.settled(false);
        }
    }

    /// Waits until the guard acts on a Canary of everybody's, or does no longer.
    pub(super) fn settled(&self, acts: bool) {
        let namespace = Namespace::on(self.server, "settled");
        let canary = namespace.create_value(&objects::canary("podinfo"));
        declare(&namespace, "probe");
        let service = objects::owned_by(objects::traefik_service("podinfo", 100, 0), &canary);
        until("the schema of TraefikServices", || {
            let answer = namespace.ask(&Method::POST, "TraefikService", "", &service);
            (answer.code != 503).then(|| answer.expect("create a TraefikService"))
        });
        until(&format!("the guard to act: {acts}"), || {
            let path = namespace.path("TraefikService", "podinfo") + "?dryRun=All";
            let answer = self.admin().merge(&path, &json!({ "spec": { "weighted": { "sticky": null } } }));
            (answer.code == 200 && answer.json()["spec"]["weighted"]["sticky"].is_object() == acts).then_some(())
        });
        until(&format!("malformed declarations to be refused: {acts}"), || {
            let path = namespace.path("Canary", "podinfo") + "?dryRun=All";
            let answer = self.admin().merge(&path, &json!({ "metadata": { "annotations": { ANNOTATION: "a b" } } }));
            (answer.code == if acts { 422 } else { 200 }).then_some(())
        });
        namespace.delete("TraefikService", "podinfo");
        namespace.delete("Canary", "podinfo");
    }

    /// Installs the guard by the program, with these flags.
    pub(super) fn install(&self, flags: &[&str]) {
        let namespace = Namespace::on(self.server, "install");
        let output = namespace.run(["guard", "install", "--yes"]).arguments(flags).run();
        assert_eq!(output.code, Some(0), "{output}");
        self.settled(true);
    }

    /// One of the guard's objects, if it is there.
    pub(super) fn find(&self, plural: &str, name: &str) -> Option<Value> {
        let answer = self.admin().get(&format!("{ADMISSION}/{plural}/{name}"));
        (answer.code != 404).then(|| answer.expect("one of the guard's objects"))
    }

    /// All of the guard's objects that are there.
    pub(super) fn objects(&self) -> Vec<Value> {
        KINDS.iter().flat_map(|(_, plural)| NAMES.map(|name| self.find(plural, name))).flatten().collect()
    }

    /// A user with these rules (the YAML of a `ClusterRole`'s rules) in the whole cluster: its kubeconfig.
    pub(super) fn user_with(&self, namespace: &Namespace, rules: &str) -> PathBuf {
        const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
        let (user, text) = self.server.next_narrow_user(namespace.name());
        let kubeconfig = self.users.write(&format!("{user}.kubeconfig"), text);
        let rules = canary_traefik::yaml::parse(rules).expect("the test's YAML is well-formed");
        let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": user }, "rules": rules });
        self.admin().post(&format!("{RBAC}/clusterroles"), &role).expect("create a ClusterRole");
        let binding = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": user },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }] });
        self.admin().post(&format!("{RBAC}/clusterrolebindings"), &binding).expect("create a ClusterRoleBinding");
        let api = Api::from_file(&kubeconfig).expect("a good kubeconfig");
        let path = "/apis/flagger.app/v1beta1/canaries";
        until("the server to know of the user's rights", || (api.get(path).code == 200).then_some(()));
        kubeconfig
    }
}

/// A fresh namespace with the Canary `podinfo` and its TraefikService at 90/10.
pub(super) fn rollout<'a>(server: &'a Server, hint: &str) -> Namespace<'a> {
    let namespace = Namespace::on(server, hint);
    namespace.create_rollout("podinfo", 90, 10);
    namespace
}

/// Declares this on `podinfo`, as `kubectl annotate` does.
pub(super) fn declare(namespace: &Namespace, text: &str) {
    let patch = json!({ "metadata": { "annotations": { ANNOTATION: text } } });
    let path = namespace.path("Canary", "podinfo") + "?fieldManager=kubectl-annotate";
    let api = namespace.server().admin();
    api.ask(&Method::PATCH, &path, "application/merge-patch+json", patch.to_string()).expect("declare");
}

/// The cookie after a step of Flagger's; null for none. A conflict with another writer is Flagger's to repeat.
pub(super) fn sticky_after_step(namespace: &Namespace) -> Value {
    let before = namespace.get("TraefikService", "podinfo");
    let weight = before["spec"]["weighted"]["services"][0]["weight"].as_u64().expect("a weight") % 90 + 5;
    let stored = flagger::writes(namespace, "podinfo", weight, 100 - weight).expect("nobody else wrote");
    stored["spec"]["weighted"]["sticky"].clone()
}

/// A run of the program as the user of this kubeconfig, whose name is shown as `[USER]`, and this version as `[VERSION]`.
pub(super) fn run_as<S: AsRef<str>>(
    namespace: &Namespace,
    user: &std::path::Path,
    arguments: impl IntoIterator<Item = S>,
) -> Output {
    let name = user.file_stem().expect("a kubeconfig is named after its user").to_string_lossy().into_owned();
    let run = namespace.run_as(user, arguments).redact(&format!("`{name}`"), "`[USER]`");
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run()
}

/// A run of the real kubectl as the administrator.
pub(super) fn kubectl(namespace: &Namespace, arguments: &[&str]) -> Run {
    let program = testbed::bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    Run::of(program, arguments).kubeconfig(namespace.kubeconfig())
}
