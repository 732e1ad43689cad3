//! What the tests of the commands start from, and how they compare objects afterwards.

use std::{path::Path, process::Stdio};

use canary_traefik::model::declaration::ANNOTATION;
use http::Method;
use serde_json::{Value, json};
use testbed::{
    namespace::Namespace,
    run::{Output, Run},
};

/// A fresh namespace with the Canary `podinfo` and its TraefikService at 90/10.
pub(crate) fn rollout(hint: &str) -> Namespace<'static> {
    let namespace = Namespace::new(hint);
    namespace.create_rollout("podinfo", 90, 10);
    namespace
}

/// Declares this on the Canary, as `kubectl annotate` does.
pub(crate) fn declare(namespace: &Namespace, name: &str, text: &str) {
    by("kubectl-annotate", namespace, "Canary", name, &json!({ "metadata": { "annotations": { ANNOTATION: text } } }));
}

/// Sets this cookie live, as `kubectl patch` does.
pub(crate) fn set_live(namespace: &Namespace, name: &str, cookie: &Value) {
    by(
        "kubectl-patch",
        namespace,
        "TraefikService",
        name,
        &json!({ "spec": { "weighted": { "sticky": { "cookie": cookie } } } }),
    );
}

pub(crate) fn by(manager: &str, namespace: &Namespace, kind: &str, name: &str, patch: &Value) {
    let path = format!("{}?fieldManager={manager}", namespace.path(kind, name));
    namespace
        .server()
        .admin()
        .ask(&Method::PATCH, &path, "application/merge-patch+json", patch.to_string())
        .expect("a patch by kubectl");
}

/// The declaration on the Canary; null for none.
pub(crate) fn declared(namespace: &Namespace, name: &str) -> Value {
    namespace.get("Canary", name)["metadata"]["annotations"][ANNOTATION].clone()
}

/// The cookie of the TraefikService; null for none.
pub(crate) fn live(namespace: &Namespace, name: &str) -> Value {
    namespace.get("TraefikService", name)["spec"]["weighted"]["sticky"].clone()
}

/// The resource versions of the Canary and of its TraefikService: they change with every write.
pub(crate) fn versions(namespace: &Namespace, name: &str) -> [Value; 2] {
    ["Canary", "TraefikService"].map(|kind| namespace.get(kind, name)["metadata"]["resourceVersion"].clone())
}

/// The Canary and its TraefikService without what the server writes into them at every change.
pub(crate) fn objects(namespace: &Namespace, name: &str) -> [Value; 2] {
    ["Canary", "TraefikService"].map(|kind| without_bookkeeping(namespace.get(kind, name)))
}

/// The object without what the server writes into it at every change.
pub(crate) fn without_bookkeeping(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("an object has metadata");
    for key in ["resourceVersion", "generation", "managedFields"] {
        metadata.remove(key).unwrap_or_else(|| panic!("the server has written {key}"));
    }
    object
}

/// A run of the program as the user of this kubeconfig, whose name is shown as `[USER]`.
pub(crate) fn run_as<S: AsRef<str>>(
    namespace: &Namespace,
    user: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Output {
    let name = user.file_stem().expect("a kubeconfig is named after its user").to_string_lossy().into_owned();
    namespace.run_as(user, arguments).redact(&format!("`{name}`"), "`[USER]`").run()
}

/// Types the commands that the output names for taking the change back, in their order, each with `--yes`.
pub(crate) fn undo(namespace: &Namespace, output: &Output) -> Vec<String> {
    let commands: Vec<_> =
        output.stderr.lines().filter_map(|line| line.strip_prefix("to undo: ")).map(str::to_owned).collect();
    for command in &commands {
        // A shell takes the quotes away, and knows no kubectl but this program as a plugin of it.
        let script = format!("kubectl() {{ shift; \"$PROGRAM\" \"$@\"; }}; {command} --yes");
        let run = Run::of("/bin/sh", ["-c", &script])
            .env("PROGRAM", env!("CARGO_BIN_EXE_kubectl-canary_traefik"))
            .kubeconfig(namespace.kubeconfig())
            .run();
        assert_eq!(run.code, Some(0), "{command}\n{run}");
    }
    commands
}

/// Runs it with a standard output that nobody reads any more; the exit code, and what stood on standard error.
pub(crate) fn closed_stdout(run: &Run) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let output = run.command().stdin(Stdio::null()).stdout(writer).output().expect("the program can be started");
    (output.status.code(), String::from_utf8(output.stderr).expect("the program prints UTF-8"))
}
