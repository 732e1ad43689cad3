//! The environment as the program was started in, read once. The only file that asks for environment
//! variables; everything else is handed this value, so that tests can hand in another.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::{ffi::OsString, path::PathBuf};

/// What the process environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The name the program was started as (the last part of `argv[0]`).
    pub program: String,
    /// `HOME`, or `USERPROFILE` on Windows.
    pub home: Option<PathBuf>,
    /// `KUBECONFIG`: a list of files.
    pub kubeconfig: Option<OsString>,
    /// `HTTPS_PROXY`, else `https_proxy`; never empty.
    pub https_proxy: Option<String>,
    /// `NO_PROXY`, else `no_proxy`; never empty.
    pub no_proxy: Option<String>,
    /// `KUBECTL_EXTERNAL_DIFF`: the program that shows differences; never empty.
    pub external_diff: Option<String>,
    /// `COLUMNS`: how wide lines may be.
    pub columns: Option<usize>,
    /// `KUBE_EDITOR`, else `EDITOR`: the program that edits texts; never empty.
    pub editor: Option<String>,
    /// `SHELL`; never empty.
    pub shell: Option<String>,
    /// Whether `KUBERNETES_SERVICE_HOST` is set: the program runs inside a pod.
    pub in_pod: bool,
}

impl Environment {
    /// The words of the command line.
    pub fn arguments() -> Vec<OsString> {
        std::env::args_os().collect()
    }

    /// Reads the process environment.
    pub fn from_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let argv0 = std::env::args_os().next().map(PathBuf::from);
        Self {
            program: argv0
                .and_then(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
                .unwrap_or_default(),
            home: std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            kubeconfig: std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()),
            https_proxy: text("HTTPS_PROXY").or_else(|| text("https_proxy")),
            no_proxy: text("NO_PROXY").or_else(|| text("no_proxy")),
            external_diff: text("KUBECTL_EXTERNAL_DIFF"),
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
            editor: text("KUBE_EDITOR").or_else(|| text("EDITOR")),
            shell: text("SHELL"),
            in_pod: text("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }
}
