//! Traefik, fed by the API server, and what its own API says about a cookie over time.

use std::{
    net::Ipv4Addr,
    process::Command,
    sync::{Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use serde_json::Value;
use testbed::{
    bed,
    directory::Directory,
    process::Process,
    server::Server,
    wait::{PATIENCE, until},
};
use tokio::task::JoinHandle;

use crate::web::{Connection, RUNTIME, block_on};

/// Where users come in.
pub(crate) const WEB: u16 = 8000;
/// Where its own API answers.
pub(crate) const API: u16 = 8080;
/// How often its API is asked. The configuration changes every 2 s at most.
const SAMPLING: Duration = Duration::from_millis(50);

/// A Traefik that runs.
pub(crate) struct Traefik {
    /// Where it listens.
    pub(crate) address: Ipv4Addr,
    process: Mutex<Process>,
}

impl Traefik {
    /// Starts it with everything as it is by default but for these flags, and waits until it answers.
    pub(crate) fn start(server: &Server, address: Ipv4Addr, flags: &[&str]) -> Self {
        let directory = std::mem::ManuallyDrop::new(Directory::new());
        let kubeconfig = directory.write("kubeconfig", server.admin_kubeconfig("default"));
        let mut command = Command::new(bed::program("traefik").unwrap_or_else(|error| panic!("{error}")));
        command.current_dir(directory.path()).env("KUBECONFIG", kubeconfig).args([
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--providers.kubernetescrd=true",
            &format!("--entrypoints.web.address={address}:{WEB}"),
            &format!("--entrypoints.traefik.address={address}:{API}"),
            "--api.insecure=true",
            "--log.level=ERROR",
        ]);
        command.args(flags);
        let process = Process::start(&command, &directory.path().join("traefik.log"), Some(directory.path()));
        let traefik = Self { address, process: Mutex::new(process.unwrap_or_else(|error| panic!("{error}"))) };
        until("Traefik to answer", || {
            if let Some(status) = traefik.process().ended() {
                panic!("Traefik ended with {status}:\n{}", traefik.last_words());
            }
            block_on(service(address, "none@kubernetescrd".to_owned()))
        });
        traefik
    }

    /// Its routers of this namespace, as its API has them.
    pub(crate) fn routers(&self, namespace: &str) -> Vec<Value> {
        let routers = self.ask(&format!("routers?per_page=1000&search={namespace}"));
        routers.and_then(|routers| Some(routers.as_array()?.clone())).unwrap_or_default()
    }

    /// A service, by its name and provider; `None` while there is none.
    pub(crate) fn service(&self, id: &str) -> Option<Value> {
        self.ask(&format!("services/{id}"))
    }

    /// Its version: major, minor and patch level.
    pub(crate) fn version(&self) -> Vec<u32> {
        let answer = self.asked("/api/version".to_owned()).expect("Traefik's API tells its version");
        numbers(answer["Version"].as_str().expect("it is a text"))
    }

    fn ask(&self, path: &str) -> Option<Value> {
        self.asked(format!("/api/http/{path}"))
    }

    fn asked(&self, path: String) -> Option<Value> {
        let address = self.address;
        let answer = block_on(async move {
            let mut connection = Connection::open((address, API)).await?;
            connection.get("traefik", &path, "").await
        });
        answer.ok().filter(|answer| answer.status == 200).and_then(|answer| serde_json::from_slice(&answer.body).ok())
    }

    /// What it printed last.
    pub(crate) fn last_words(&self) -> String {
        self.process().last_words()
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of a version.
pub(crate) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|number| number.parse().ok()).collect()
}

/// What Traefik runs for a TraefikService.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Live {
    /// Nothing.
    Absent,
    /// A weighted service with this cookie (`null` without one), and this weight of the canary in percent.
    Sticky(Value, u64),
}

/// Asks Traefik; `None` when it does not answer.
async fn service(address: Ipv4Addr, id: String) -> Option<Live> {
    let mut connection = Connection::open((address, API)).await.ok()?;
    let answer = connection.get("traefik", &format!("/api/http/services/{id}"), "").await.ok()?;
    match answer.status {
        200 => {
            let service: Value = serde_json::from_slice(&answer.body).ok()?;
            Some(Live::Sticky(service["weighted"]["sticky"].clone(), canary_weight(&service)))
        }
        404 => Some(Live::Absent),
        _ => None,
    }
}

/// The weight of the canary of all weight, in percent. A weight that is absent is 1.
fn canary_weight(service: &Value) -> u64 {
    let children = service["weighted"]["services"].as_array().into_iter().flatten();
    let weights: Vec<_> = children
        .map(|child| {
            let is_canary = child["name"].as_str().is_some_and(|name| name.contains("-canary-"));
            (is_canary, child["weight"].as_u64().unwrap_or(1))
        })
        .collect();
    let all: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let canary: u64 = weights.iter().filter(|(is_canary, _)| *is_canary).map(|(_, weight)| weight).sum();
    (100 * canary).checked_div(all).unwrap_or(0)
}

/// What Traefik runs for one TraefikService, asked all the time.
pub(crate) struct Sampler {
    samples: mpsc::Receiver<(Instant, Live)>,
    task: JoinHandle<()>,
}

/// For how long Traefik had it, from the sample that was waited for to the last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// With the declared cookie.
    pub(crate) with: Duration,
    /// Without, or with another one.
    pub(crate) without: Duration,
    /// Not at all: nobody was served.
    pub(crate) absent: Duration,
    /// Since when the canary had which weight, in percent.
    pub(crate) weights: Vec<(Instant, u64)>,
}

impl Sampler {
    /// Begins to ask.
    pub(crate) fn start(traefik: &Traefik, namespace: &str, name: &str) -> Self {
        let (address, id) = (traefik.address, format!("{namespace}-{name}@kubernetescrd"));
        let (sender, samples) = mpsc::channel();
        let task = RUNTIME.spawn(async move {
            let mut ticks = tokio::time::interval(SAMPLING);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Some(live) = service(address, id.clone()).await
                    && sender.send((Instant::now(), live)).is_err()
                {
                    return;
                }
            }
        });
        Self { samples, task }
    }

    /// Waits until Traefik has it as wanted, and returns since when and how. What was seen before is forgotten.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&Live) -> bool) -> (Instant, Live) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.samples.recv_timeout(rest) {
                Ok((at, live)) if wanted(&live) => return (at, live),
                Ok(_) => {}
                Err(error) => panic!("Traefik did not have {what} ({error})"),
            }
        }
    }

    /// Stops asking and adds up what was seen since it was waited for. `wanted` is the cookie.
    pub(crate) fn stop(self, (mut at, mut live): (Instant, Live), wanted: &Value) -> Seen {
        self.task.abort();
        let mut seen = Seen::default();
        for (next, next_live) in self.samples.try_iter() {
            let sum = match &live {
                Live::Absent => &mut seen.absent,
                Live::Sticky(sticky, _) if sticky["cookie"] == *wanted => &mut seen.with,
                Live::Sticky(..) => &mut seen.without,
            };
            *sum += next - at;
            if let Live::Sticky(_, weight) = live
                && seen.weights.last().is_none_or(|(_, last)| *last != weight)
            {
                seen.weights.push((at, weight));
            }
            (at, live) = (next, next_live);
        }
        seen
    }
}
