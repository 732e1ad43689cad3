//! A real etcd and kube-apiserver, started by the test that needs them first and shared by all tests of its
//! binary; with `USE_EXISTING_CLUSTER=true` the cluster of the current kubeconfig instead.
//!
//! A test that stops or restarts the API server, gives it flags, or counts what it holds (`-A`) takes one of
//! its own with [`Server::dedicated`]. Those tests live in modules called `dedicated_server`: they need the bed even when
//! there is an existing cluster, and `tests/run` leaves them out in that case, and says so.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    api::Api,
    bed,
    directory::{Directory, random_letters},
    port,
    process::Process,
    tls,
    wait::{PATIENCE, until},
};

/// How many users without any right are known to a server of the tests, to be given some one by one.
const NARROW_USERS: usize = 256;
const ADMIN: &str = "admin";

/// Metadata of every request, once answered.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
";

/// An API server with the custom resource definitions of Flagger and Traefik.
pub struct Server {
    admin: Api,
    /// The cluster as a kubeconfig has it, without its name.
    cluster: Value,
    /// The user of an existing cluster; `None` on a server of our own, whose users have tokens.
    user: Option<Value>,
    next_user: AtomicUsize,
    own: Option<Own>,
}

struct Own {
    directory: PathBuf,
    port: u16,
    flags: Vec<String>,
    // In the order in which they have to end.
    apiserver: Mutex<Option<Process>>,
    etcd: Mutex<Process>,
}

/// The server that the tests of this binary share. Panics, with the way to mend it, when there is none.
pub fn server() -> &'static Server {
    static SERVER: LazyLock<Result<Server, String>> =
        LazyLock::new(|| if bed::use_existing_cluster() { Server::existing() } else { Server::start(&[]) });
    SERVER.as_ref().unwrap_or_else(|error| panic!("no API server to test against: {error}"))
}

impl Server {
    /// A server for one test alone, with further flags for kube-apiserver. It ends when dropped.
    pub fn dedicated(flags: &[&str]) -> Self {
        Self::start(flags).unwrap_or_else(|error| panic!("no API server to test against: {error}"))
    }

    fn start(flags: &[&str]) -> Result<Self, String> {
        let etcd = bed::program("etcd")?;
        bed::program("kube-apiserver")?;
        // Removed by the supervisor of etcd: a static is never dropped.
        let directory = std::mem::ManuallyDrop::new(Directory::new()).path().to_owned();
        let write = |name: &str, text: &str| {
            std::fs::write(directory.join(name), text).map_err(|error| format!("cannot write {name}: {error}"))
        };
        write("tokens.csv", &tokens())?;
        write("audit-policy.yaml", AUDIT_POLICY)?;
        tls::issue(&directory, &["127.0.0.1", "localhost", "kubernetes.default.svc"]);

        let mut command = Command::new(etcd);
        command.current_dir(&directory).args([
            "--name=bed",
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]);
        for (flag, socket) in [
            ("--listen-client-urls=", "client.sock"),
            ("--advertise-client-urls=", "client.sock"),
            ("--listen-peer-urls=", "peer.sock"),
            ("--initial-advertise-peer-urls=", "peer.sock"),
            ("--initial-cluster=bed=", "peer.sock"),
        ] {
            command.arg(format!("{flag}unix://{}", directory.join(socket).display()));
        }
        let etcd = Process::start(&command, &directory.join("etcd.log"), Some(&directory))?;

        let flags: Vec<_> = flags.iter().map(|&flag| flag.to_owned()).collect();
        // Between the choice of a port and its use another process may choose the same one.
        let mut attempts = 3;
        let (port, apiserver) = loop {
            let port = port::free();
            attempts -= 1;
            match start_apiserver(&directory, port, &flags) {
                Ok(apiserver) => break (port, apiserver),
                Err(error) if attempts == 0 || !error.contains("address already in use") => return Err(error),
                Err(_) => {}
            }
        };
        let authority = std::fs::read(directory.join("tls.crt")).map_err(|error| error.to_string())?;
        let cluster = json!({
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": base64(&authority),
        });
        let admin = directory.join("admin.kubeconfig");
        std::fs::write(&admin, kubeconfig(&cluster, &json!({ "token": ADMIN }), "default"))
            .map_err(|error| error.to_string())?;
        let server = Self {
            admin: Api::from_file(&admin)?,
            cluster,
            user: None,
            next_user: AtomicUsize::new(0),
            own: Some(Own { directory, port, flags, apiserver: Mutex::new(Some(apiserver)), etcd: Mutex::new(etcd) }),
        };
        server.wait_ready()?;
        server.define_kinds()?;
        Ok(server)
    }

    fn existing() -> Result<Self, String> {
        let whole = current_kubeconfig()?;
        let server = Self {
            admin: Api::current()?,
            cluster: whole["clusters"][0]["cluster"].clone(),
            user: Some(whole["users"][0]["user"].clone()),
            next_user: AtomicUsize::new(0),
            own: None,
        };
        server.define_kinds()?;
        Ok(server)
    }

    /// A client that may do everything.
    pub fn admin(&self) -> &Api {
        &self.admin
    }

    /// Whether the tests started it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The text of a kubeconfig for the administrator, with this default namespace.
    pub fn admin_kubeconfig(&self, namespace: &str) -> String {
        let user = self.user.clone().unwrap_or_else(|| json!({ "token": ADMIN }));
        kubeconfig(&self.cluster, &user, namespace)
    }

    /// The text of a kubeconfig for the bearer of this token, who calls the server by this host.
    pub fn token_kubeconfig(&self, token: &Value, host: &str) -> String {
        let mut cluster = self.cluster.clone();
        cluster["server"] = json!(format!("https://{host}:{}", self.own().port));
        cluster["tls-server-name"] = json!("127.0.0.1");
        kubeconfig(&cluster, &json!({ "token": token }), "default")
    }

    /// The text of a kubeconfig for a user with these credentials.
    pub fn kubeconfig_of(&self, user: &Value) -> String {
        kubeconfig(&self.cluster, user, "default")
    }

    /// A user that nobody has given any right so far: its name and its kubeconfig's text.
    pub fn next_narrow_user(&self, namespace: &str) -> (String, String) {
        let number = self.next_user.fetch_add(1, Ordering::Relaxed);
        let (name, user) = if let Some(admin) = &self.user {
            let name = format!("narrow-{namespace}-{number}");
            let mut user = admin.clone();
            user["as"] = json!(name);
            (name, user)
        } else {
            assert!(number < NARROW_USERS, "more than {NARROW_USERS} narrow users: raise NARROW_USERS");
            let name = format!("narrow-{number}");
            (name.clone(), json!({ "token": name }))
        };
        (name, kubeconfig(&self.cluster, &user, namespace))
    }

    /// The requests that the server has answered so far and that `keep` chooses, oldest first.
    pub fn audit(&self, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.audit_lines("", keep)
    }

    /// Every request of this user that the server has answered so far, oldest first.
    pub fn audit_of(&self, user: &str) -> Vec<Value> {
        let name = format!(r#""username":"{user}""#);
        self.audit_lines(&name, |request| request["user"]["username"] == user)
    }

    /// Every request of this program that the server has answered so far, oldest first.
    pub fn audit_of_program(&self) -> Vec<Value> {
        self.audit_lines(r#""userAgent":"kubectl-canary-traefik/"#, |_| true)
    }

    /// How many calls of webhooks it has given up since it was last started, letting the write pass.
    pub fn failed_calls(&self) -> u64 {
        let metrics = self.admin().get("/metrics").text;
        let lines = metrics.lines().filter(|line| line.starts_with("apiserver_admission_webhook_fail_open_count{"));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }

    /// Why it let writes pass without an answer of a webhook's, a line each, since it was first started.
    pub fn failed_open(&self) -> Vec<String> {
        let log = std::fs::read(self.own().directory.join("kube-apiserver.log")).expect("its log can be read");
        let lines = String::from_utf8_lossy(&log);
        lines.lines().filter(|line| line.contains("failing open")).map(str::to_owned).collect()
    }

    /// The lines that hold a text and that `keep` chooses.
    fn audit_lines(&self, holds: &str, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
        let log = self.own().directory.join("audit.log");
        // An answer can come before its line: whatever was answered by now is in the log when this is.
        let mark = format!("/version?mark={}", random_letters(12));
        let before = std::fs::metadata(&log).map_or(0, |log| log.len());
        self.admin.get(&mark).expect("the version");
        until("the audit log to tell of a request", || since(&log, before).contains(&mark).then_some(()));
        let text = std::fs::read_to_string(&log).expect("the audit log can be read");
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        complete
            .lines()
            .filter(|line| line.contains(holds))
            .map(|line| serde_json::from_str(line).expect("the audit log is a JSON object a line"))
            .filter(keep)
            .collect()
    }

    /// Kills the API server (not etcd); what it held stays.
    pub fn stop(&self) {
        drop(lock(&self.own().apiserver).take());
    }

    /// Asks the API server to end (`SIGTERM`), as an upgrade does, and waits until it has.
    pub fn terminate(&self) {
        if let Some(mut apiserver) = lock(&self.own().apiserver).take() {
            apiserver.terminate();
        }
    }

    /// Starts the API server again at the same address and waits until it is ready.
    pub fn restart(&self) {
        let own = self.own();
        self.stop();
        let process = start_apiserver(&own.directory, own.port, &own.flags).unwrap_or_else(|error| panic!("{error}"));
        *lock(&own.apiserver) = Some(process);
        self.wait_ready().unwrap_or_else(|error| panic!("{error}"));
    }

    fn own(&self) -> &Own {
        self.own.as_ref().expect(
            "this test needs an API server that the tests started: run it without USE_EXISTING_CLUSTER, \
             or leave it out with `-- --skip dedicated_server::`",
        )
    }

    fn wait_ready(&self) -> Result<(), String> {
        let own = self.own();
        let request = || http::Request::get("/readyz").body(Vec::new()).expect("a well-formed request");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.admin.send(request()).is_ok_and(|answer| answer.code == 200) {
                return Ok(());
            }
            let mut etcd = lock(&own.etcd);
            if let Some(status) = etcd.ended() {
                return Err(format!("etcd ended with {status}:\n{}", etcd.last_words()));
            }
            drop(etcd);
            let mut apiserver = lock(&own.apiserver);
            let apiserver = apiserver.as_mut().ok_or("kube-apiserver was stopped")?;
            if let Some(status) = apiserver.ended() {
                return Err(format!("kube-apiserver ended with {status}:\n{}", apiserver.last_words()));
            }
            if Instant::now() > deadline {
                return Err(format!("kube-apiserver did not become ready:\n{}", apiserver.last_words()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Creates the custom resource definitions of `flagger`, `traefik` or `gateway` that are not there.
    pub fn define(&self, of: &str) -> Result<(), String> {
        const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for definition in bed::definitions(of)? {
            let answer = self.admin.ask(&http::Method::POST, PATH, "application/yaml", definition);
            if answer.code >= 300 && answer.code != 409 {
                return Err(format!("a definition of {of} was refused: {}", answer.text));
            }
        }
        Ok(())
    }

    /// Creates the custom resource definitions of Flagger and Traefik that are not there, and waits until they and
    /// their schemas are served.
    fn define_kinds(&self) -> Result<(), String> {
        for of in ["flagger", "traefik"] {
            self.define(of)?;
        }
        for (group, kind) in [("flagger.app/v1beta1", "Canary"), ("traefik.io/v1alpha1", "TraefikService")] {
            until(&format!("the schema of {kind}"), || {
                let answer = self.admin.get(&format!("/openapi/v3/apis/{group}"));
                (answer.code == 200 && answer.text.contains(&format!(r#""kind":"{kind}""#))).then_some(())
            });
            let plural = if kind == "Canary" { "canaries" } else { "traefikservices" };
            until(&format!("{plural} to be served"), || {
                (self.admin.get(&format!("/apis/{group}/{plural}")).code == 200).then_some(())
            });
        }
        Ok(())
    }
}

/// Starts kube-apiserver and waits until it listens. The key of its certificate signs the tokens of service accounts, too.
fn start_apiserver(directory: &Path, port: u16, flags: &[String]) -> Result<Process, String> {
    let mut command = Command::new(bed::program("kube-apiserver")?);
    command.current_dir(directory).args([
        &format!("--etcd-servers=unix://{}", directory.join("client.sock").display()),
        "--bind-address=127.0.0.1",
        &format!("--secure-port={port}"),
        // Else it looks for the machine's own address, which need not exist.
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--tls-cert-file=tls.crt",
        "--tls-private-key-file=tls.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-signing-key-file=tls.key",
        "--service-account-key-file=tls.pub",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--audit-policy-file=audit-policy.yaml",
        "--audit-log-path=audit.log",
    ]);
    command.args(flags);
    let log = directory.join("kube-apiserver.log");
    let said = || std::fs::read(&log).unwrap_or_default();
    let before = said().len();
    let mut process = Process::start(&command, &log, None)?;
    until("kube-apiserver to listen", || {
        if let Some(status) = process.ended() {
            return Some(Err(format!("kube-apiserver ended with {status}:\n{}", process.last_words())));
        }
        // `k8s.io/apiserver/pkg/server/secure_serving.go:Serve`
        String::from_utf8_lossy(&said()[before..]).contains("Serving securely on").then_some(Ok(()))
    })?;
    Ok(process)
}

/// What stands in a file from this byte on.
fn since(path: &Path, begin: u64) -> String {
    let mut file = std::fs::File::open(path).expect("the file can be read");
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(begin)).expect("a place in a file");
    file.read_to_end(&mut text).expect("the file can be read");
    String::from_utf8_lossy(&text).into_owned()
}

fn tokens() -> String {
    let narrow = (0..NARROW_USERS).map(|number| format!("narrow-{number},narrow-{number},narrow-{number}"));
    let all = std::iter::once(format!("{ADMIN},{ADMIN},{ADMIN},system:masters")).chain(narrow);
    all.map(|line| line + "\n").collect()
}

/// A kubeconfig of one cluster and one user. JSON is YAML too.
fn kubeconfig(cluster: &Value, user: &Value, namespace: &str) -> String {
    let value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bed",
        "contexts": [{ "name": "bed", "context": { "cluster": "bed", "user": "bed", "namespace": namespace } }],
        "clusters": [{ "name": "bed", "cluster": cluster }],
        "users": [{ "name": "bed", "user": user }],
    });
    format!("{value:#}\n")
}

/// The current context of the current kubeconfig, with its files read in, as kubectl sees it.
fn current_kubeconfig() -> Result<Value, String> {
    let output = Command::new(bed::program("kubectl")?)
        .args(["config", "view", "--minify", "--flatten", "--raw", "-o", "json"])
        .output()
        .map_err(|error| format!("cannot start kubectl: {error}"))?;
    if !output.status.success() {
        return Err(format!("kubectl config view: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("kubectl config view: {error}"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
            (0..4).map(move |place| {
                if place > chunk.len() { '=' } else { char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]) }
            })
        })
        .collect()
}
