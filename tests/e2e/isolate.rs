//! A network of one's own. `EndpointSlice`s with loopback addresses are refused by a real API server, so the
//! backends need others; and ports that are fixed must not be taken.
//!
//! The test binary replaces itself with itself in a new network namespace, and with a directory of its own for
//! temporary files, before anything else runs. The process stays the same one. The namespace goes away with
//! the last process in it, and the directory with this one, however it ends.
#![expect(clippy::disallowed_methods, reason = "the test bed reads the environment")]

use std::{
    net::{Ipv4Addr, TcpListener},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::Command,
    sync::{Mutex, PoisonError},
};

use testbed::process::Process;

/// A network for tests of network equipment (RFC 2544): no host on the Internet has such an address. All of
/// `198.18.0.0/16` is this host itself inside the namespace.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

const INSIDE: &str = "CANARY_TRAEFIK_E2E_INSIDE";
const ENTER: &str = r#"
set -e
ip link set lo up
ip address add "$1/16" dev lo
shift
TMPDIR=$(mktemp -d -t canary-traefik-XXXXXXXXXX)
export TMPDIR
exec "$@"
"#;

/// Whose end is the end of the directory for temporary files.
static SWEEPER: Mutex<Option<Process>> = Mutex::new(None);

/// Whether this process is in a network namespace of its own already.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Returns inside a network namespace of the tests' own.
pub(crate) fn isolate() {
    if is_inside() {
        if let Err(error) = TcpListener::bind((HOST, 0)) {
            panic!("{INSIDE} is set, but {HOST} is no address of this host ({error})\nhint: unset {INSIDE}");
        }
        let directory = std::env::temp_dir();
        let mut sleep = Command::new("sleep");
        sleep.arg("infinity");
        let sweeper = Process::start(&sleep, &directory.join("sweeper.log"), Some(&directory));
        *SWEEPER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sweeper.expect("a shell can be started"));
        return;
    }
    panic!("cannot start unshare: {}", enter().exec());
}

/// Goes there with this as standard output, for what is outside to reach what is inside.
pub(crate) fn isolate_with_stdout(stdout: impl Into<OwnedFd>) -> ! {
    panic!("cannot start unshare: {}", enter().stdout(stdout.into()).exec());
}

/// This program with its arguments, in a new namespace.
fn enter() -> Command {
    for (program, package) in [("unshare", "util-linux"), ("ip", "iproute2")] {
        let answer = Command::new(program).arg("-V").output();
        assert!(answer.is_ok(), "these tests need {program}\nhint: apt-get install {package}");
    }
    let new_namespace: &[&str] = if is_root() { &["--net"] } else { &["--user", "--map-root-user", "--net"] };
    let probe = Command::new("unshare").args(new_namespace).arg("true").output().expect("unshare was there");
    assert!(
        probe.status.success(),
        "these tests need a network namespace: {}\nhint: allow this user to make user namespaces, or run them as root",
        String::from_utf8_lossy(&probe.stderr).trim()
    );
    let this = std::env::current_exe().expect("a process can know its program");
    let mut enter = Command::new("unshare");
    enter.args(new_namespace).args(["--", "/bin/sh", "-c", ENTER, "enter"]).arg(HOST.to_string()).arg(this);
    enter.args(std::env::args_os().skip(1)).env(INSIDE, "1");
    enter
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id is on the PATH");
    output.stdout == b"0\n"
}
