//! `tests/run play`: an API server, Flagger and Traefik to try the commands on, without a cluster.
//!
//! All of it lives in a network namespace of its own. One socket from outside, opened before that namespace was
//! entered and handed over as standard output, leads in: TLS to the API server, plain HTTP to the shop.

pub(crate) mod bad;
pub(crate) mod claims;
mod report;
pub(crate) mod scene;

use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd as _,
    process::ExitCode,
    time::Duration,
};

use console::{Key, Term};
use serde_json::Value;
use testbed::directory::Directory;

use self::report::Report;
use crate::{
    application::ASSET,
    cluster::Cluster,
    isolate::{self, HOST},
    people::{Crowd, People},
    rollouts::is_there,
    traefik::{self, Sampler},
};

/// The first byte of a TLS connection: a handshake record (RFC 8446, section 5.1).
const TLS: u8 = 0x16;
/// Some who were there before, come back and browse, and some who are new at each login.
pub(crate) const CUSTOMERS: Crowd = Crowd { returning: 24, newcomers: 16, asset: Some(ASSET) };
/// As long as somebody plays.
const ALWAYS: Duration = Duration::from_hours(24);

/// Opens the playground and returns when the player leaves.
pub(crate) fn run() -> ExitCode {
    if !isolate::is_inside() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port can be bound");
        isolate::isolate_with_stdout(listener);
    }
    isolate::isolate();
    let listener = io::stdout().as_fd().try_clone_to_owned().map(TcpListener::from).expect("a socket was handed over");
    let door = listener.local_addr().expect("standard output is a socket; start this with `tests/run play`");

    say("starting etcd, kube-apiserver, Flagger and Traefik; some 30 seconds …");
    let cluster = scene::start();
    cluster.start_traefik(HOST);
    let directory = Directory::new();
    let server = cluster.server.admin_kubeconfig(scene::NAMESPACE);
    let (inside, kubeconfig) = through(&server, door);
    let kubeconfig = directory.write("kubeconfig", kubeconfig);
    std::thread::spawn(move || relay(&listener, inside));
    std::thread::spawn(move || tell_generations(cluster));
    std::thread::spawn(move || tell_rollouts(cluster));

    let program = env!("CARGO_BIN_EXE_kubectl-canary_traefik");
    let folder = program.rsplit_once('/').map_or(".", |(folder, _)| folder);
    say(&format!(
        "\nThe playground is open. In another terminal:\n\n  \
         export KUBECONFIG={}\n  export PATH={folder}:$PATH\n\n  \
         kubectl canary-traefik show\n  \
         kubectl canary-traefik sticky set checkout --name login --max-age 10s --http-only --entry /login\n  \
         kubectl canary-traefik guard install\n  \
         curl -i -H 'Host: {}' http://{door}/login\n\n\
         Keys: r starts a rollout while customers browse and log in (some two minutes), q ends and clears up.\n",
        kubeconfig.display(),
        scene::HOST,
    ));
    loop {
        match key() {
            Some('r') => say(&format!("releasing {} …", scene::release(&cluster.server))),
            Some('q') | None => break,
            Some(_) => say("r starts a rollout, q ends"),
        }
    }
    say("clearing up");
    ExitCode::SUCCESS
}

/// The next key of a terminal, else the first letter of a line; `None` at the end.
fn key() -> Option<char> {
    if io::stdin().is_terminal() {
        return match Term::stderr().read_key() {
            Ok(Key::Char(letter)) => Some(letter),
            Ok(Key::Escape | Key::CtrlC) | Err(_) => None,
            Ok(_) => Some('?'),
        };
    }
    let mut line = String::new();
    (io::stdin().read_line(&mut line).ok()? > 0).then(|| line.chars().next().unwrap_or('?'))
}

/// The address of the API server, and its kubeconfig with this door instead.
fn through(kubeconfig: &str, door: SocketAddr) -> (SocketAddr, String) {
    let (_, rest) = kubeconfig.split_once("https://").expect("a kubeconfig has a server");
    let (address, _) = rest.split_once('"').expect("the server's address ends");
    let inside = address.parse().expect("the server of the bed has an address");
    (inside, kubeconfig.replace(address, &door.to_string()))
}

/// Leads each connection in.
fn relay(listener: &TcpListener, server: SocketAddr) {
    for outer in listener.incoming().flatten() {
        std::thread::spawn(move || {
            let mut first = [0];
            outer.peek(&mut first)?;
            let inner = TcpStream::connect(if first == [TLS] { server } else { (HOST, traefik::WEB).into() })?;
            let (from, to) = (outer.try_clone()?, inner.try_clone()?);
            std::thread::spawn(move || pass(from, to));
            pass(inner, outer)
        });
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(count @ 1..) => to.write_all(&buffer[..count])?,
            // One side may end before the other has said everything.
            ended => return to.shutdown(Shutdown::Write).and(ended.map(drop)),
        }
    }
}

/// Says what becomes of the TraefikService at each write.
fn tell_generations(cluster: &Cluster) {
    let mut last = Value::Null;
    loop {
        let changed = cluster.history.wait(("TraefikService", scene::NAMESPACE, scene::CANARY), ALWAYS, |service| {
            (service["spec"] != last).then(|| service["spec"].clone())
        });
        let Some(spec) = changed else { return };
        let children = spec["weighted"]["services"].as_array().into_iter().flatten();
        // Flagger writes no weight of 0, which Traefik takes for 1.
        let weights: Vec<_> = children.map(|child| child["weight"].as_u64().unwrap_or(1).to_string()).collect();
        let cookie = spec.pointer("/weighted/sticky/cookie/name").and_then(Value::as_str);
        say(&format!("  weights {:<7} cookie {}", weights.join("/"), cookie.unwrap_or("none")));
        last = spec;
    }
}

/// Lets customers come during each rollout, and says what became of them.
fn tell_rollouts(cluster: &Cluster) {
    let in_phase = |wanted: &'static [&'static str]| {
        cluster.history.wait(("Canary", scene::NAMESPACE, scene::CANARY), ALWAYS, |canary| {
            let phase = canary["status"]["phase"].as_str()?;
            wanted.contains(&phase).then(|| phase.to_owned())
        })
    };
    while in_phase(&["Progressing"]).is_some() {
        let sampler = Sampler::start(cluster.traefik(), scene::NAMESPACE, scene::CANARY);
        let begun = is_there(&sampler);
        let customers = People::of(HOST, scene::HOST, CUSTOMERS);
        let Some(phase) = in_phase(&["Succeeded", "Failed"]) else { return };
        let visits = customers.stop();
        let weights = sampler.stop(begun, &Value::Null).weights;
        say(&format!("the rollout has {}: {}", phase.to_lowercase(), Report::of(&visits, &weights)));
    }
}

/// To the player; standard output is the door.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
