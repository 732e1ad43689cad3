//! Networks of one's own. A real API server refuses `EndpointSlice`s with loopback addresses, so that what stands behind
//! a Service needs others: a test runs itself once more inside a network namespace, where each of its pods has a
//! namespace and an address of its own.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{
    run::{Run, plugin},
    wait::until,
};

const INSIDE: &str = "CANARY_TRAEFIK_TEST_INSIDE";

/// Whether this is the run inside. If not, the test of this module and name is run there, and has to pass.
pub fn inside(module: &str, test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let (_, module) = module.split_once("::").expect("a module of the test binary");
    let is_root = Command::new("id").arg("-u").output().expect("id is on the PATH").stdout == b"0\n";
    let new: &[&str] = if is_root { &["--net"] } else { &["--user", "--map-root-user", "--net"] };
    let output = Command::new("unshare")
        .args(new)
        .args(["--", "/bin/sh", "-c", "ip link set lo up && exec \"$@\"", "enter"])
        .arg(std::env::current_exe().expect("a process can know its program"))
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare can be started: apt-get install util-linux");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "inside a network namespace: {said}");
    false
}

/// A network namespace of its own, joined to the one of the test. It ends with the test.
pub struct Pod {
    holder: Child,
    /// The addresses of the test and of the pod, as each sees the other.
    pub host: String,
    pub address: String,
}

impl Pod {
    /// The pod of this number, from 1 on.
    pub fn start(number: u8) -> Self {
        // Ends when its input does.
        let holder = Command::new("unshare").args(["--net", "cat"]).stdin(Stdio::piped()).spawn().expect("unshare");
        let id = holder.id();
        let network = |id: &str| std::fs::read_link(format!("/proc/{id}/ns/net")).ok();
        until("a network namespace", || (network(&id.to_string())? != network("self")?).then_some(()));
        let (host, address) = (format!("198.18.{number}.1"), format!("198.18.{number}.2"));
        let script = r#"set -e
            ip link add "$1" type veth peer name eth0 netns "$2"
            ip address add "$3/30" dev "$1"
            ip link set "$1" up
            nsenter --target "$2" --net sh -c "ip link set lo up; ip address add $4/30 dev eth0; ip link set eth0 up""#;
        let (device, id) = (format!("pod{number}"), id.to_string());
        let status = Command::new("sh").args(["-c", script, "join", &device, &id, &host, &address]).status();
        assert!(status.expect("a shell").success(), "cannot join a network namespace");
        Self { holder, host, address }
    }

    /// A run of the program in it.
    pub fn run(&self, arguments: &[String]) -> Run {
        let enter = ["--target".to_owned(), self.holder.id().to_string(), "--net".to_owned()];
        let program = plugin().display().to_string();
        Run::of(nsenter(), enter.into_iter().chain([program]).chain(arguments.iter().cloned()))
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn nsenter() -> PathBuf {
    let output = Command::new("sh").args(["-c", "command -v nsenter"]).output().expect("a shell");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
}
