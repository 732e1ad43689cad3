//! The form of the guard that these tests are about: a process beside an API server that serves no policies. It only
//! answers: a repair would be a write that the tests know nothing of.

use std::{mem::ManuallyDrop, process::Command};

use testbed::{bed, directory::Directory, process::Process, server::Server};

use crate::guard::free_port;

/// Flags of the API server.
pub(super) fn flags() -> Vec<&'static str> {
    bed::no_policies()
}

/// Whether the parts of the guard have an order, which is drawn anew now and then.
pub(super) const HAS_ORDER: bool = false;

/// The guard, which is there as long as the tests.
pub(super) struct Guard {
    _process: Process,
}

impl Guard {
    pub(super) fn begin(server: &Server) -> Self {
        // Removed by its supervisor: a static is never dropped.
        let directory = ManuallyDrop::new(Directory::new());
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-canary_traefik"));
        command.args(["guard", "run", "--no-repairs", "--listen", &address]);
        command.arg("--webhook-url").arg(format!("https://{address}"));
        command.arg("--kubeconfig").arg(directory.write("kubeconfig", server.admin_kubeconfig("default")));
        let process = Process::start(&command, &directory.path().join("guard.log"), Some(directory.path()));
        Self { _process: process.expect("the guard can be started") }
    }
}

/// What the API server says when it refuses a write to a Canary.
pub(super) fn refusal(_canary: &str, complaint: &str) -> String {
    format!("admission webhook \"guard.kubectl-canary-traefik.internal\" denied the request: {complaint}")
}
