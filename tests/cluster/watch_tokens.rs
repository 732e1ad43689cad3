//! Watches whose token expires: on a real API server, which no longer accepts a token once the Secret is gone that it is bound to.
#![expect(clippy::disallowed_methods, reason = "reads what the plugin wrote down")]

use std::path::PathBuf;

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    directory::Directory,
    namespace::Namespace,
    run::Run,
    running::{Running, Stream},
    wait::until,
};

use crate::{
    rollout::{declare, rollout},
    watch::step,
};

/// A service account that may watch Canaries and TraefikServices.
struct Watcher<'a> {
    namespace: &'a Namespace<'static>,
    files: Directory,
}

impl<'a> Watcher<'a> {
    fn new(namespace: &'a Namespace<'static>) -> Self {
        let admin = namespace.server().admin();
        let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", namespace.name());
        admin.post(&accounts, &json!({ "metadata": { "name": "watcher" } })).expect("a service account");
        namespace.create_value(
            &json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "session" }, "stringData": {} }),
        );
        let rules = json!([{
            "apiGroups": ["flagger.app", "traefik.io"],
            "resources": ["canaries", "traefikservices"],
            "verbs": ["get", "list", "watch"],
        }]);
        let group = "rbac.authorization.k8s.io";
        let (version, metadata) = (format!("{group}/v1"), json!({ "name": "watcher" }));
        namespace.create_value(&json!({ "apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules }));
        namespace.create_value(&json!({
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": "Role", "name": "watcher" },
            "subjects": [{ "kind": "ServiceAccount", "name": "watcher", "namespace": namespace.name() }],
        }));
        Self { namespace, files: Directory::new() }
    }

    /// A token that is valid for as long as the Secret is there, or for ten minutes.
    fn token(&self, is_bound: bool) -> Value {
        let secret = self.namespace.get("Secret", "session");
        let secret =
            json!({ "apiVersion": "v1", "kind": "Secret", "name": "session", "uid": secret["metadata"]["uid"] });
        let mut spec = json!({ "expirationSeconds": 600 });
        if is_bound {
            spec["boundObjectRef"] = secret;
        }
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/watcher/token", self.namespace.name());
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
        self.namespace.server().admin().post(&path, &request).expect("a token")["status"]["token"].clone()
    }

    /// A run as this user.
    fn run(&self, user: &Value) -> Running {
        let kubeconfig = self.files.write("kubeconfig", self.namespace.server().kubeconfig_of(user));
        Running::start(Run::new(["show", "-w", "-n", self.namespace.name()]).kubeconfig(kubeconfig))
    }

    /// A user whose plugin prints what [`Watcher::issues`], and writes down that it ran.
    fn plugin(&self) -> Value {
        // Runs have no programs on their path.
        let script = format!(
            "cd {} && echo >>runs && read -r line <credential && printf %s \"$line\"",
            self.files.path().display()
        );
        json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "/bin/sh",
            "args": ["-c", script],
            "interactiveMode": "Never",
        } })
    }

    fn issues(&self, token: &Value) -> PathBuf {
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": { "token": token },
        });
        self.files.write("credential", format!("{credential}\n"))
    }

    fn plugin_runs(&self) -> usize {
        std::fs::read_to_string(self.files.path().join("runs")).map_or(0, |text| text.lines().count())
    }
}

#[test]
fn a_token_that_expires_in_a_watch_is_renewed_by_the_plugin_and_nothing_is_missed() {
    let namespace = rollout("watch-plugin");
    let watcher = Watcher::new(&namespace);
    watcher.issues(&watcher.token(true));
    let mut run = watcher.run(&watcher.plugin());
    run.wait_for(Stream::Stdout, "90/10");
    assert_eq!(watcher.plugin_runs(), 1);
    watcher.issues(&watcher.token(false));
    namespace.delete("Secret", "session");
    until("the plugin to be asked again", || (watcher.plugin_runs() > 1).then_some(()));
    step(&namespace, 20);
    run.wait_for(Stream::Stdout, "80/20");
    run.signal("INT");
    let output = run.ends();
    assert_eq!((output.code, &*output.stderr), (Some(130), ""), "{output}");
}

#[test]
fn a_token_that_expires_in_a_watch_and_cannot_be_renewed_ends_it() {
    let namespace = rollout("watch-token");
    let watcher = Watcher::new(&namespace);
    let token = watcher.token(true);
    let mut run = watcher.run(&json!({ "token": token }));
    run.wait_for(Stream::Stdout, "90/10");
    // What was seen to change is not given up at once: a server that starts denies for a while what it allowed before.
    step(&namespace, 20);
    run.wait_for(Stream::Stdout, "80/20");
    declare(&namespace, "podinfo", "login; Max-Age=300");
    run.wait_for(Stream::Stdout, "missing");
    namespace.delete("Secret", "session");
    let mut output = run.ends();
    output.stdout.clear();
    output.shows(str![[r#"
exit: 6
--- stdout
--- stderr
warning: not up to date, retrying: the server does not accept these credentials: sent as user `bed` of [KUBECONFIG]
error: the server does not accept these credentials
caused by: sent as user `bed` of [KUBECONFIG]
hint: kubectl auth whoami

"#]]);
}
