//! Where the test bed is, and what is said when a part of it is missing.

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn bed() -> PathBuf {
    std::env::var_os("CANARY_TRAEFIK_BED").map_or_else(|| root().join("target/bed"), PathBuf::from)
}

/// The older Kubernetes that the tests run against, when they do: `CANARY_TRAEFIK_KUBERNETES=1.33`.
pub fn older_kubernetes() -> Option<String> {
    std::env::var("CANARY_TRAEFIK_KUBERNETES").ok().filter(|version| !version.is_empty())
}

/// Flags by which kube-apiserver serves no mutating admission policies: an older one needs none.
pub fn no_policies() -> Vec<&'static str> {
    if older_kubernetes().is_some() { Vec::new() } else { vec!["--emulated-version=1.35"] }
}

/// Flags by which kube-apiserver serves no admission policies at all, as before Kubernetes 1.30.
pub fn no_admission_policies() -> Vec<&'static str> {
    const NONE: &str = "--runtime-config=admissionregistration.k8s.io/v1/validatingadmissionpolicies=false,\
        admissionregistration.k8s.io/v1/validatingadmissionpolicybindings=false";
    [no_policies(), vec![NONE, "--disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy"]]
        .concat()
}

/// A program of the bed: `etcd`, `kube-apiserver`, `kubectl`, `flagger`.
///
/// # Errors
///
/// The sentence that says how to get it.
pub fn program(name: &str) -> Result<PathBuf, String> {
    match older_kubernetes() {
        Some(version) if name == "kube-apiserver" => present(bed().join("bin").join(format!("{name}-{version}"))),
        _ => present(bed().join("bin").join(name)),
    }
}

/// The custom resource definitions of `flagger`, `traefik` or `gateway` (Gateway API), one text per document.
///
/// # Errors
///
/// The sentence that says how to get them.
pub fn definitions(of: &str) -> Result<Vec<String>, String> {
    let path = present(bed().join("crds").join(of).with_extension("yaml"))?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else {
            let document = documents.last_mut().expect("there is always one");
            document.push_str(line);
            document.push('\n');
        }
    }
    documents.retain(|document| document.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')));
    Ok(documents)
}

/// Whether the cluster of the current kubeconfig is to be used: `USE_EXISTING_CLUSTER=true`.
pub fn use_existing_cluster() -> bool {
    std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value == "true")
}

fn present(path: PathBuf) -> Result<PathBuf, String> {
    if path.exists() {
        return Ok(path);
    }
    Err(format!(
        "the test bed lacks {}\nhint: `tests/run` builds what is missing, `tests/bed/build` nothing but that",
        path.display()
    ))
}
