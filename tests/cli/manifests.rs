//! Manifests to run over, and the runs.

use testbed::{
    bed,
    directory::Directory,
    run::{Output, Run},
};

/// The files in `examples/`.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    ("checkout.yaml", include_str!("../../examples/checkout.yaml")),
    ("podinfo.yaml", include_str!("../../examples/podinfo.yaml")),
    ("route.yaml", include_str!("../../examples/route.yaml")),
];

/// A document with a Canary. `declared` is what its annotation says.
pub(crate) fn canary(name: &str, declared: Option<&str>) -> String {
    let annotations = declared.map_or_else(String::new, |declared| {
        format!("  annotations:\n    kubectl-canary-traefik/sticky-cookie: {declared}\n")
    });
    format!(
        "\
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: {name}
{annotations}spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {name}
  service:
    port: 80
"
    )
}

/// A document with the TraefikService that Flagger generates for it at 30 percent. `cookie` is what somebody
/// put under `sticky`, on one line.
pub(crate) fn service(name: &str, sticky: Option<&str>) -> String {
    let sticky = sticky.map_or_else(String::new, |sticky| format!("    sticky: {sticky}\n"));
    format!(
        "\
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  name: {name}
spec:
  weighted:
    services:
    - name: {name}-primary
      port: 80
      weight: 70
    - name: {name}-canary
      port: 80
      weight: 30
{sticky}"
    )
}

/// The documents with the objects in this namespace.
pub(crate) fn in_namespace(namespace: &str, documents: &str) -> String {
    documents.replace("\nmetadata:\n", &format!("\nmetadata:\n  namespace: {namespace}\n"))
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> Directory {
    let folder = Directory::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

/// A run in a folder; the words of the line are separated by blanks.
pub(crate) fn run(folder: &Directory, line: &str) -> Output {
    Run::new(line.split(' ')).dir(folder.path()).run()
}

/// A run that finds this one file, `canary.yaml`.
pub(crate) fn over(manifest: &str, line: &str) -> Output {
    run(&folder(&[("canary.yaml", manifest)]), line)
}

/// A run in the repository.
pub(crate) fn in_repository(line: &str) -> Output {
    Run::new(line.split(' ')).dir(bed::root()).run()
}
