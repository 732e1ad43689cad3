//! A running guard, and what is asked of it and of the API server.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
};

use canary_traefik::{
    guard::{CertificateOwner, Coverage, GuardKind, Placement, deployment},
    model::declaration::ANNOTATION,
};
use serde_json::{Value, json};
use testbed::{
    api::Api,
    audit::Rules,
    bed,
    directory::Directory,
    flagger,
    namespace::Namespace,
    run::{Output, Run},
    running::{Running, Stream},
    server::Server,
    times,
    wait::until,
};

pub(crate) use testbed::port::free as free_port;

/// What the tests declare.
pub(super) const DECLARED: &str = "login; Max-Age=300";

/// The cookie of [`DECLARED`].
pub(super) fn declared_sticky() -> Value {
    json!({ "cookie": { "name": "login", "maxAge": 300 } })
}

/// An API server, and whom processes ask it as.
struct Lane {
    server: Server,
    /// Without the rights for entries, and with them.
    users: [OnceLock<User>; 2],
}

/// As many as tests run at once: `tests/run`.
const MOST: usize = 3;

/// The API servers of these tests. A guard looks at a whole cluster, so each is one test's at a time.
static LANES: [OnceLock<Lane>; MOST] = [const { OnceLock::new() }; MOST];
/// Which of them a test has.
static TAKEN: Mutex<[bool; MOST]> = Mutex::new([false; MOST]);
static FREED: Condvar = Condvar::new();

impl Lane {
    /// The one that this server belongs to.
    fn of(server: &Server) -> &'static Self {
        let mut all = LANES.iter().filter_map(OnceLock::get);
        all.find(|lane| std::ptr::eq(&raw const lane.server, server)).expect("a server of these tests")
    }

    fn user(&'static self, entries: bool) -> &'static User {
        self.users[usize::from(entries)].get_or_init(|| user(&self.server, entries))
    }
}

/// An API server for one test.
pub(super) struct Turn(usize);

impl Drop for Turn {
    fn drop(&mut self) {
        taken()[self.0] = false;
        FREED.notify_one();
    }
}

fn taken() -> MutexGuard<'static, [bool; MOST]> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turn {
    /// Waits for it, and leaves no Canary, TraefikService or registration of another test's: a guard looks at the whole
    /// cluster, and tests come in any order.
    pub(super) fn take() -> Self {
        let is_full = |taken: &mut [bool; MOST]| !taken.contains(&false);
        let mut taken = FREED.wait_while(taken(), is_full).unwrap_or_else(PoisonError::into_inner);
        let place = taken.iter().position(|taken| !taken).expect("one is free");
        taken[place] = true;
        drop(taken);
        let turn = Self(place);
        turn.server();
        times::begins_anew();
        let admin = turn.server().admin();
        for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}/kubectl-canary-traefik");
            let answer = admin.delete(&path);
            assert!(matches!(answer.code, 200 | 404), "{}", answer.text);
        }
        for (group, plural) in [("flagger.app/v1beta1", "canaries"), ("traefik.io/v1alpha1", "traefikservices")] {
            // A server that has come back a moment ago may ask for patience.
            let list = until("a list", || {
                let answer = admin.get(&format!("/apis/{group}/{plural}"));
                (answer.code == 200).then(|| answer.json())
            });
            for object in list["items"].as_array().expect("items") {
                let text = |key: &str| object["metadata"][key].as_str().expect("it has one");
                let place = format!("/apis/{group}/namespaces/{}/{plural}/{}", text("namespace"), text("name"));
                admin.delete(&place).expect("delete");
            }
        }
        turn
    }

    pub(super) fn server(&self) -> &'static Server {
        let start = || Lane { server: Server::dedicated(&bed::no_policies()), users: Default::default() };
        &LANES[self.0].get_or_init(start).server
    }

    /// A fresh namespace with rollouts of these names that declare [`DECLARED`].
    pub(super) fn shops(&self, hint: &str, names: &[&str]) -> Namespace<'static> {
        let namespace = Namespace::on(self.server(), hint);
        for name in names {
            namespace.create_rollout(name, 100, 0);
            declare(&namespace, name, DECLARED);
        }
        namespace
    }
}

/// Whom the processes of these tests run as.
struct User {
    name: String,
    kubeconfig: PathBuf,
    rules: Rules,
    directory: Directory,
}

/// The user with the rights that an installed process has, and those of one outside the cluster to register itself and to
/// keep its certificates wherever it likes.
fn user(server: &Server, entries: bool) -> User {
    let (name, kubeconfig) = server.next_narrow_user("default");
    let directory = Directory::new();
    let kubeconfig = directory.write("guard.kubeconfig", kubeconfig);
    let placement = Placement {
        namespace: "guard".into(),
        image: "none".into(),
        coverage: Coverage { selector: None, namespace_selector: Some(json!({})) },
        has_conditions: true,
        keeper: CertificateOwner::Replicas,
        entries,
        traefik: Vec::new(),
    };
    let mut objects = deployment::objects(&placement).into_iter();
    let role = objects.find(|object| object.kind == GuardKind::ClusterRole).expect("there is one");
    let mut role = role.value;
    role["metadata"] = json!({ "name": name });
    let rules = role["rules"].as_array_mut().expect("rules");
    rules.push(json!({ "apiGroups": ["admissionregistration.k8s.io"], "verbs": ["create", "delete"],
        "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] }));
    rules.push(json!({ "apiGroups": [""], "resources": ["secrets"],
        "verbs": ["create", "get", "list", "update", "watch"] }));
    bind(server, &name, &role, &kubeconfig);
    User { name, kubeconfig, rules: Rules::of([&role]), directory }
}

/// Gives a user this `ClusterRole` in the whole cluster, and waits until the server knows.
fn bind(server: &Server, user: &str, role: &Value, kubeconfig: &Path) {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    server.admin().post(&format!("{RBAC}/clusterroles"), role).expect("a ClusterRole");
    let binding = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": user }, "subjects": [{ "kind": "User", "name": user }],
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user } });
    server.admin().post(&format!("{RBAC}/clusterrolebindings"), &binding).expect("its binding");
    let api = Api::from_file(kubeconfig).expect("a kubeconfig");
    until("the server to know of the user's rights", || {
        (api.get("/apis/flagger.app/v1beta1/canaries").code == 200).then_some(())
    });
}

/// A user with these rules (the YAML of the rules of a `ClusterRole`), Canaries among them, in the whole cluster.
pub(super) fn cluster_user(namespace: &Namespace, rules: &str) -> PathBuf {
    let kubeconfig = namespace.user_with("[]");
    let name = kubeconfig.file_stem().expect("a name").to_string_lossy().into_owned();
    let rules = canary_traefik::yaml::parse(rules).expect("the test's YAML is well-formed");
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": name }, "rules": rules });
    bind(namespace.server(), &name, &role, &kubeconfig);
    kubeconfig
}

/// Declares this on the Canary.
pub(super) fn declare(namespace: &Namespace, name: &str, text: &str) {
    namespace.patch("Canary", name, &json!({ "metadata": { "annotations": { ANNOTATION: text } } }));
}

/// The cookie of the TraefikService; null for none.
pub(super) fn live(namespace: &Namespace, name: &str) -> Value {
    sticky(&namespace.get("TraefikService", name))
}

/// The cookie of this TraefikService; null for none.
pub(super) fn sticky(service: &Value) -> Value {
    service["spec"]["weighted"]["sticky"].clone()
}

/// The generation of the TraefikService: it grows by one with every write that changes its spec.
pub(super) fn generation(namespace: &Namespace, name: &str) -> i64 {
    namespace.get("TraefikService", name)["metadata"]["generation"].as_i64().expect("a generation")
}

/// A running `guard run`.
pub(super) struct Guard {
    running: Running,
    pub(super) port: u16,
    server: &'static Server,
    user: &'static User,
}

impl Guard {
    /// Starts it on a port of its own and waits until the API server asks it about this rollout.
    pub(super) fn start(namespace: &Namespace, name: &str, flags: &[&str]) -> Self {
        let guard = Self::begin(namespace, free_port(), flags);
        guard.acts(namespace, name);
        guard
    }

    /// Starts it on this port and waits until it has registered.
    pub(super) fn begin(namespace: &Namespace, port: u16, flags: &[&str]) -> Self {
        let mut guard = Self::stands_by(namespace, port, port, flags);
        guard.running.wait_for(Stream::Stderr, r#""message":"registered""#);
        guard
    }

    /// Starts it on this port, for the address of another, and waits until it listens.
    pub(super) fn stands_by(namespace: &Namespace, port: u16, of: u16, flags: &[&str]) -> Self {
        Self::with(namespace, port, of, flags, |run| run)
    }

    /// The same with something else about the run.
    pub(super) fn with(
        namespace: &Namespace,
        port: u16,
        of: u16,
        flags: &[&str],
        change: impl FnOnce(Run) -> Run,
    ) -> Self {
        let user = Lane::of(namespace.server()).user(flags.contains(&"--entries"));
        Self { user, ..Self::of(namespace, &user.kubeconfig, port, of, flags, change) }
    }

    /// Starts it with a kubeconfig that leads to the API server by another way, and waits until it has registered.
    pub(super) fn behind(namespace: &Namespace, change: impl FnOnce(String) -> String) -> Self {
        let user = Lane::of(namespace.server()).user(false);
        let kubeconfig = user.directory.write("behind.kubeconfig", change(user.directory.read("guard.kubeconfig")));
        let port = free_port();
        let mut guard = Self::of(namespace, &kubeconfig, port, port, &[], |run| run);
        guard.running.wait_for(Stream::Stderr, r#""message":"registered""#);
        guard
    }

    fn of(
        namespace: &Namespace,
        kubeconfig: &Path,
        port: u16,
        of: u16,
        flags: &[&str],
        change: impl FnOnce(Run) -> Run,
    ) -> Self {
        let (url, listen) = (format!("https://127.0.0.1:{of}"), format!("127.0.0.1:{port}"));
        let arguments = ["guard", "run", "--log-format", "json", "--listen", &listen, "--webhook-url", &url];
        let run = namespace.run_as(kubeconfig, arguments).arguments(flags.iter().copied());
        let mut running = Running::start(change(run));
        running.wait_for(Stream::Stderr, r#""message":"listening""#);
        let lane = Lane::of(namespace.server());
        Self { running, port, server: &lane.server, user: lane.user(false) }
    }

    /// Starts it without a registration: it repairs and nothing else.
    pub(super) fn repairs_only(namespace: &Namespace, folder: &str) -> Self {
        let (lane, port) = (Lane::of(namespace.server()), free_port());
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["guard", "run", "--log-format", "json", "--listen", &listen, "--cert-dir", folder];
        let user = lane.user(false);
        let mut running = Running::start(namespace.run_as(&user.kubeconfig, arguments));
        running.wait_for(Stream::Stderr, r#""message":"listening""#);
        Self { running, port, server: &lane.server, user }
    }

    /// Waits until the API server asks it: about a write, and about a Canary.
    #[expect(clippy::unused_self, reason = "it is this guard that acts")]
    pub(super) fn acts(&self, namespace: &Namespace, name: &str) {
        let path = namespace.path("TraefikService", name) + "?dryRun=All";
        let dropped = json!({ "spec": { "weighted": { "sticky": null } } });
        until("the guard to keep a cookie", || {
            let answer = namespace.server().admin().merge(&path, &dropped);
            (answer.code == 200 && sticky(&answer.json()) == declared_sticky()).then_some(())
        });
        let path = namespace.path("Canary", name) + "?dryRun=All";
        let malformed = json!({ "metadata": { "annotations": { ANNOTATION: "a;" } } });
        until("the guard to refuse a declaration", || {
            (namespace.server().admin().merge(&path, &malformed).code != 200).then_some(())
        });
    }

    /// Waits until it says this once more.
    pub(super) fn says(&mut self, text: &str) {
        self.running.wait_for_next(Stream::Stderr, text);
    }

    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Kills it, as a node that goes away does.
    pub(super) fn dies(self) {
        self.running.signal("KILL");
        let _ = self.running.ends();
    }

    /// Asks it to end, and waits until it has. It has done nothing beyond its rights, and has not tried to.
    pub(super) fn ends(self, signal: &str) -> Ended {
        self.running.signal(signal);
        let ended = Ended(self.running.ends());
        assert_eq!(self.user.rules.beyond(self.server, &self.user.name), BTreeSet::new(), "{}", ended.0);
        ended
    }
}

/// Memory of the process in KiB: `VmRSS` as it is, `VmHWM` what it has had at most.
#[expect(clippy::disallowed_methods, reason = "reads what the system knows of a process")]
pub(super) fn memory(guard: &Guard, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", guard.id())).expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix(which)?.strip_prefix(':')).expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A guard that has ended.
pub(super) struct Ended(pub(super) Output);

impl Ended {
    /// The values of `key` in all its lines with this message.
    pub(super) fn logged(&self, message: &str, key: &str) -> Vec<Value> {
        let lines = self.0.stderr.lines().map(|line| serde_json::from_str(line).expect("a line is a JSON object"));
        lines.filter(|line: &Value| line["message"] == message).map(|line| line[key].clone()).collect()
    }

    /// How many of its lines are warnings.
    pub(super) fn warnings(&self) -> usize {
        self.0.stderr.lines().filter(|line| line.contains(r#""level":"warning""#)).count()
    }
}

/// Both configurations, if they are there.
pub(super) fn registrations(namespace: &Namespace) -> Vec<Value> {
    let kinds = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
    kinds.into_iter().filter_map(|kind| namespace.find(kind, "kubectl-canary-traefik")).collect()
}

/// How many writes this program has made so far that `which` chooses.
pub(super) fn own_writes(server: &Server, which: impl Fn(&Value) -> bool) -> usize {
    let is_write = |request: &Value| ["create", "update", "patch"].iter().any(|verb| request["verb"] == *verb);
    server.audit_of_program().iter().filter(|request| is_write(request) && which(request)).count()
}

/// Flagger's steps, one after the other: the weights go up and down for as long as `more` says.
pub(super) fn writes(namespace: &Namespace, name: &str, mut more: impl FnMut(u64) -> bool) -> Vec<Value> {
    let mut stored = Vec::new();
    let mut number = 0;
    while more(number) {
        number += 1;
        let canary = number % 50;
        stored.push(flagger::writes(namespace, name, 100 - canary, canary).expect("nobody else wrote"));
    }
    stored
}
