//! `guard run`, several times, behind one address.

use std::net::Ipv4Addr;

use serde_json::Value;
use testbed::{
    namespace::Namespace,
    running::{Running, Stream},
};

use crate::{balancer, cluster::Cluster, traefik::WEB};

/// How many processes share the work.
const REPLICAS: u16 = 2;

/// Processes that are one guard.
pub(crate) struct Guards {
    namespace: Namespace<'static>,
    /// Where the API server asks; the processes listen on the ports after it.
    port: u16,
    /// How long their certificates hold.
    lifetime: &'static str,
    /// Where Traefik is.
    traefik: String,
    running: Vec<Option<Running>>,
    /// What those said that have ended.
    lines: Vec<Value>,
}

impl Guards {
    /// Starts them for the whole cluster, on ports from this one on, with certificates that hold that long. Traefik is, or will
    /// be, at this address.
    pub(crate) fn start(cluster: &'static Cluster, port: u16, lifetime: &'static str, traefik: Ipv4Addr) -> Self {
        let namespace = Namespace::on(&cluster.server, "guards");
        balancer::start(port, (1..=REPLICAS).map(|number| port + number).collect());
        balancer::start(port + GATE, (1..=REPLICAS).map(|number| port + GATE + number).collect());
        let traefik = format!("http://{traefik}:{WEB}");
        let mut guards = Self { namespace, port, lifetime, traefik, running: Vec::new(), lines: Vec::new() };
        for number in 0..REPLICAS {
            let running = guards.begin(number);
            guards.running.push(Some(running));
        }
        guards
    }

    /// The address of a webhook of Flagger's, of which the documentation names another one.
    pub(crate) fn url(&self, documented: &str) -> String {
        let path = documented.rsplitn(3, '/').collect::<Vec<_>>();
        format!("http://127.0.0.1:{}/{}/{}", self.port + GATE, path[1], path[0])
    }

    /// Starts one of them.
    fn begin(&self, number: u16) -> Running {
        let (port, gate) = (self.port + 1 + number, self.port + GATE + 1 + number);
        let run = self.namespace.run([
            "guard",
            "run",
            "--log-format=json",
            &format!("--listen=127.0.0.1:{port}"),
            &format!("--gate-listen=127.0.0.1:{gate}"),
            &format!("--webhook-url=https://127.0.0.1:{}", self.port),
            &format!("--cert-secret={}/certificates", self.namespace.name()),
            &format!("--cert-lifetime={}", self.lifetime),
            &format!("--traefik-url={}", self.traefik),
        ]);
        let mut running = Running::start(run);
        running.wait_for(Stream::Stderr, r#""message":"listening""#);
        running
    }

    /// Kills one of them.
    pub(crate) fn kill(&mut self, number: u16) {
        let running = self.running[usize::from(number)].take().expect("it runs");
        running.signal("KILL");
        self.lines.extend(lines(&running.ends().stderr));
    }

    /// Starts one of them again.
    pub(crate) fn revive(&mut self, number: u16) {
        let running = self.begin(number);
        self.running[usize::from(number)] = Some(running);
    }

    /// How many lines were logged by those that have ended.
    pub(crate) fn silence(&self) -> usize {
        self.lines.len()
    }

    /// Kills them all, and returns every line that any of them logged.
    pub(crate) fn end(mut self) -> Vec<Value> {
        for number in 0..REPLICAS {
            self.kill(number);
        }
        self.lines
    }
}

/// How much further on the gates' ports are.
const GATE: u16 = 50;

/// The lines of a log.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a JSON object")).collect()
}

/// The lines with this message.
pub(crate) fn with<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}
