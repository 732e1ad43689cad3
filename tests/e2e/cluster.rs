//! A cluster as far as a rollout needs one: API server, Flagger, and what makes Deployments ready.

use std::{
    net::Ipv4Addr,
    process::Command,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{history::History, kubelet::Kubelet, traefik::Traefik};
use canary_traefik::{
    guard::policy::{self, Coverage},
    model::FIELD_MANAGER,
};
use testbed::{
    bed, directory::Directory, namespace::Namespace, objects, process::Process, server::Server, wait::until,
};

/// Namespaces with this label are guarded.
const GUARDED: &str = "kubectl-canary-traefik/guarded";

/// One cluster. It lives as long as the process.
pub(crate) struct Cluster {
    pub(crate) server: Server,
    pub(crate) history: Arc<History>,
    flagger: Mutex<Option<Process>>,
    traefik: OnceLock<Traefik>,
}

impl Cluster {
    /// A cluster without Flagger as yet, with further flags for its API server. `rolling` is how long the pods of
    /// a primary take to be replaced.
    pub(crate) fn start(flags: &[&str], rolling: Duration) -> &'static Self {
        let server = Server::dedicated(flags);
        let history = History::follow(server.admin());
        Kubelet::start(server.admin(), rolling);
        Box::leak(Box::new(Self { server, history, flagger: Mutex::new(None), traefik: OnceLock::new() }))
    }

    /// Starts Traefik on this address.
    pub(crate) fn start_traefik(&self, address: Ipv4Addr) {
        assert!(self.traefik.set(Traefik::start(&self.server, address, &[])).is_ok(), "it is started once");
    }

    /// Its Traefik.
    pub(crate) fn traefik(&self) -> &Traefik {
        self.traefik.get().expect("it was started")
    }

    /// Starts Flagger.
    pub(crate) fn start_flagger(&self) {
        // For its metrics, which it cannot do without.
        static PORT: AtomicU16 = AtomicU16::new(9001);
        let port = PORT.fetch_add(1, Ordering::Relaxed);
        // Removed by the supervisor: the process may end in any way.
        let directory = std::mem::ManuallyDrop::new(Directory::new());
        let kubeconfig = directory.write("kubeconfig", self.server.admin_kubeconfig("default"));
        let mut command = Command::new(bed::program("flagger").unwrap_or_else(|error| panic!("{error}")));
        command.arg(format!("-kubeconfig={}", kubeconfig.display())).arg(format!("-port={port}")).args([
            "-mesh-provider=traefik",
            // Nothing is there, and nothing is asked: no Canary here has metrics.
            "-metrics-server=http://127.0.0.1:1",
            "-control-loop-interval=1s",
            "-log-level=info",
        ]);
        let flagger = Process::start(&command, &directory.path().join("flagger.log"), Some(directory.path()));
        let flagger = flagger.unwrap_or_else(|error| panic!("{error}"));
        *self.flagger.lock().unwrap_or_else(PoisonError::into_inner) = Some(flagger);
    }

    /// Stops Flagger, or lets it go on.
    pub(crate) fn let_flagger_go_on(&self, goes_on: bool) {
        let mut flagger = self.flagger.lock().unwrap_or_else(PoisonError::into_inner);
        flagger.as_mut().expect("it was started").signals(if goes_on { "CONT" } else { "STOP" });
    }

    /// What Flagger and Traefik printed last, and whether Flagger has ended.
    pub(crate) fn last_words(&self) -> String {
        let traefik = self.traefik.get().map(Traefik::last_words).unwrap_or_default();
        let mut flagger = self.flagger.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(flagger) = flagger.as_mut() else { return "Flagger was not started".to_owned() };
        let ended = flagger.ended().map_or_else(|| "is running".to_owned(), |status| format!("ended with {status}"));
        format!("Flagger {ended}:\n{}\nTraefik:\n{traefik}", flagger.last_words())
    }

    /// A fresh namespace, guarded or not.
    pub(crate) fn namespace(&'static self, hint: &str, guarded: bool) -> Namespace<'static> {
        let namespace = Namespace::on(&self.server, hint);
        if guarded {
            let path = format!("/api/v1/namespaces/{}", namespace.name());
            let label = json!({ "metadata": { "labels": { GUARDED: "" } } });
            self.server.admin().merge(&path, &label).expect("label the namespace");
        }
        namespace
    }

    /// Installs the guard for the labelled namespaces, by server-side apply.
    pub(crate) fn install_guard(&self) {
        let selector = json!({ "matchExpressions": [{ "key": GUARDED, "operator": "Exists" }] });
        let coverage = Coverage { namespace_selector: Some(selector), ..Coverage::default() };
        for object in policy::objects(&coverage) {
            self.apply(&object.value);
        }
    }

    /// Applies a policy or a binding.
    pub(crate) fn apply(&self, object: &Value) {
        let text = |value: &Value| value.as_str().expect("an object has it").to_owned();
        let plural = match text(&object["kind"]).to_ascii_lowercase() {
            kind if kind.ends_with('y') => format!("{}ies", kind.trim_end_matches('y')),
            kind => format!("{kind}s"),
        };
        let path = format!(
            "/apis/{}/{plural}/{}?fieldManager={FIELD_MANAGER}&force=true",
            text(&object["apiVersion"]),
            text(&object["metadata"]["name"]),
        );
        let admin = self.server.admin();
        let answer = admin.ask(&http::Method::PATCH, &path, "application/apply-patch+yaml", object.to_string());
        answer.expect("apply a policy or a binding");
    }

    /// Waits until the guard acts on the Canary `name` of this namespace, proved by a create that is not stored.
    pub(crate) fn wait_for_guard(namespace: &Namespace, name: &str) {
        let path = namespace.path("TraefikService", "") + "?dryRun=All";
        let service = objects::traefik_service(name, 100, 0);
        until("the guard to act", || {
            // Some seconds after the definition of a kind, mutations of its objects are answered 503.
            let answer = namespace.server().admin().post(&path, &service);
            (answer.code == 201)
                .then(|| answer.json())
                .filter(|stored| stored.pointer("/spec/weighted/sticky").is_some())
        });
    }
}
