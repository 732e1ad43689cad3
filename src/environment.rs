//! The environment the program was started in, read once. Only this file reads environment variables; everything else
//! receives this value, so that tests can pass another.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result, reason};

/// The process environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The name the program was started as (the last part of `argv[0]`).
    pub program: String,
    /// `argv[0]`.
    pub started_as: PathBuf,
    /// `PATH`.
    pub path: Option<OsString>,
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
    /// `COLUMNS`: the maximum width of output lines.
    pub columns: Option<usize>,
    /// `KUBE_EDITOR`, else `EDITOR`: the program that edits texts; never empty.
    pub editor: Option<String>,
    /// `SHELL`; never empty.
    pub shell: Option<String>,
    /// Variables set by a shell's completion script.
    pub completion: Completion,
    /// Whether `KUBERNETES_SERVICE_HOST` is set: the program runs inside a pod.
    pub in_pod: bool,
}

/// Variables set by the completion scripts of `clap_complete`.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// `CANARY_TRAEFIK_COMPLETE`: the shell that asks; never empty.
    pub shell: Option<String>,
    /// `_CLAP_COMPLETE_INDEX`: the index of the unfinished word.
    pub index: Option<usize>,
    /// `_CLAP_IFS`: the separator between candidates.
    pub separator: Option<String>,
}

impl Environment {
    /// Returns the words of the command line.
    pub fn arguments() -> Vec<OsString> {
        std::env::args_os().collect()
    }

    /// Reads the process environment.
    pub fn from_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let started_as = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
        Self {
            program: started_as.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
            started_as,
            path: std::env::var_os("PATH"),
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
            completion: Completion {
                shell: text("CANARY_TRAEFIK_COMPLETE"),
                index: text("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok()),
                separator: text("_CLAP_IFS"),
            },
            in_pod: text("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }

    /// Returns the path by which the executable was started. Links are not followed, because an upgrade may retarget
    /// them.
    pub fn executable(&self) -> Result<PathBuf> {
        let name = &self.started_as;
        let named = if name.components().count() > 1 {
            Some(name.clone())
        } else {
            self.folders().map(|folder| folder.join(name)).find(|path| path.is_file())
        };
        let named = named.map_or_else(std::env::current_exe, std::path::absolute);
        named.map_err(|error| Error::usage("cannot find out where this executable is").caused_by(reason(&error)))
    }

    /// Returns whether a folder is on the PATH.
    pub fn is_on_path(&self, folder: &Path) -> bool {
        let folder = std::path::absolute(folder).ok();
        self.folders().any(|named| std::path::absolute(named).ok() == folder)
    }

    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        self.path.iter().flat_map(std::env::split_paths)
    }
}

/// Returns whether this signal was already ignored when the program started, as under `nohup`.
#[cfg(target_os = "linux")]
pub fn is_ignored(signal: u8) -> bool {
    // `proc_pid_status(5)`: a hexadecimal mask, the lowest bit for signal 1.
    static IGNORED: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
    });
    *IGNORED & (1 << (signal.saturating_sub(1) & 63)) != 0
}

/// Returns whether this signal was already ignored when the program started: `nohup` detaches standard input from the
/// terminal.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn is_ignored(signal: u8) -> bool {
    use std::io::IsTerminal as _;
    signal == 1 && !std::io::stdin().is_terminal()
}
