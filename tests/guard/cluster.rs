//! The server with the guard installed that most tests share: Canaries with the native field, TraefikServices
//! in both groups, some Canaries whose annotations are malformed and older than the guard, and ways to know that
//! the server has taken up what was changed.

use std::sync::{
    LazyLock, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use canary_traefik::{
    guard::{Coverage, policy},
    model::{declaration::ANNOTATION, entry::ENTRY_ANNOTATION, name::Group},
};
use http::Method;
use serde_json::{Value, json};
use testbed::{
    api::{Answer, Api},
    flagger,
    namespace::Namespace,
    objects,
    server::Server,
    wait::until,
};

/// Where the policies are.
pub(super) const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MARKER: &str = "marker";
const OLDER_NAMESPACES: usize = 10;
const OLDER_EACH: usize = 30;
const AT_ONCE: usize = 6;

/// Declarations that no *check* would let in now.
const MALFORMED: [&str; 4] = ["login; Max-Age=soon", "a b", "login; Secure; Secure", "login; Lifetime=3"];
/// Entries likewise.
const MALFORMED_ENTRIES: [&str; 3] = ["login", "/a/../b", "/a, /a"];

/// A server with the guard.
pub(super) struct Cluster {
    pub(super) server: Server,
    _guard: super::form::Guard,
    older: Mutex<Vec<(String, String)>>,
    draws: Mutex<usize>,
}

/// The server that the tests of this binary share.
pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);
    &CLUSTER
}

impl Cluster {
    fn start() -> Self {
        let server = Server::dedicated(&super::form::flags());
        define_native_field(&server);
        define_old_group(&server);
        let older = older_canaries(&server);
        let guard = super::form::Guard::begin(&server);
        let marked = Self { server, _guard: guard, older: Mutex::new(older), draws: Mutex::new(0) };
        let api = marked.server.admin();
        if super::form::HAS_ORDER {
            api.post(&format!("{ADMISSION}/mutatingadmissionpolicies"), &marker(0)).expect("create the marker");
            let binding = json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "MutatingAdmissionPolicyBinding",
                "metadata": { "name": MARKER },
                "spec": { "policyName": MARKER },
            });
            api.post(&format!("{ADMISSION}/mutatingadmissionpolicybindings"), &binding).expect("bind the marker");
        }
        for group in Group::ALL {
            Probe::new(&marked.server, group).settle();
        }
        let mut malformed = objects::canary("malformed");
        malformed["metadata"]["annotations"] = json!({ ANNOTATION: MALFORMED[0] });
        until("malformed declarations to be refused", || {
            (api.post(&format!("{}?dryRun=All", canaries("default")), &malformed).code == 422).then_some(())
        });
        marked
    }

    /// Makes the API server draw the order of its policies anew, which it does when any of them changes, and
    /// waits until it has.
    pub(super) fn redraw(&self) {
        if !super::form::HAS_ORDER {
            return;
        }
        let api = self.server.admin();
        let draw = {
            // The numbers go up, whoever draws: else another test's lower one could be the last.
            let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
            *draws += 1;
            let spec = json!({ "spec": marker(*draws)["spec"] });
            api.merge(&format!("{ADMISSION}/mutatingadmissionpolicies/{MARKER}"), &spec).expect("change the marker");
            *draws
        };
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "marked" } });
        until("the marker to be taken up", || {
            let answer = api.post("/api/v1/namespaces/default/configmaps?dryRun=All", &object).expect("a dry run");
            let seen = answer["data"]["draw"].as_str().and_then(|seen| seen.parse::<usize>().ok());
            // Another test may have drawn once more.
            seen.filter(|&seen| seen >= draw)
        });
    }

    /// Namespace and name of a Canary whose declaration and entry are malformed and older than the guard; each is given
    /// away once.
    pub(super) fn older_canary(&self) -> (String, String) {
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        older.pop().expect("there are enough: else raise OLDER_EACH")
    }
}

/// A policy that writes the number of the draw into each new `ConfigMap`, and has nothing to do with the guard.
fn marker(draw: usize) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": MARKER },
        "spec": {
            "matchConstraints": { "resourceRules": [{ "apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["CREATE"], "resources": ["configmaps"] }] },
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression":
                format!("[JSONPatch{{op: 'add', path: '/data', value: {{'draw': '{draw}'}}}}]") } }],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
        },
    })
}

/// Creates those of the guard's objects whose names `keep` chooses.
pub(super) fn install(server: &Server, keep: impl Fn(&str) -> bool) {
    for object in policy::objects(&Coverage::default()) {
        if keep(object.name()) {
            let plural = object.kind.resource().split('.').next().expect("a resource");
            let path = format!("/apis/{}/{plural}", object.kind.api_version());
            server.admin().post(&path, &object.value).expect("install the guard");
        }
    }
}

/// Gives Canaries the field that fluxcd/flagger#1884 asks for.
fn define_native_field(server: &Server) {
    const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let path = format!("{DEFINITIONS}/canaries.flagger.app");
    let mut definition = server.admin().get(&path).expect("the definition of Canary");
    let of_services = server.admin().get(&format!("{DEFINITIONS}/traefikservices.traefik.io")).expect("a definition");
    let sticky = of_services.pointer(&format!("{SPEC}/weighted/properties/sticky")).expect("it has the cookie");
    let service = definition.pointer_mut(&format!("{SPEC}/service/properties")).expect("a Canary has a service");
    service["traefik"] = json!({ "type": "object", "properties": { "sticky": sticky } });
    server.admin().ask(&Method::PUT, &path, "application/json", definition.to_string()).expect("the native field");
    let namespace = Namespace::on(server, "native");
    let mut canary = objects::canary("native");
    canary["spec"]["service"]["traefik"] = json!({ "sticky": { "cookie": { "name": "login" } } });
    until("the native field to be served", || {
        let answer = server.admin().post(&(namespace.path("Canary", "") + "?dryRun=All"), &canary);
        // While the storage of the former definition is taken down it answers 503.
        (answer.code != 503 && answer.expect("a dry run")["spec"]["service"] == canary["spec"]["service"]).then_some(())
    });
}

/// Serves TraefikServices in the group of Traefik 2 too.
fn define_old_group(server: &Server) {
    let old = Group::TraefikContainoUs.as_str();
    let mut definition = server
        .admin()
        .get(&format!("{DEFINITIONS}/traefikservices.traefik.io"))
        .expect("the definition of TraefikService");
    definition["metadata"] = json!({ "name": format!("traefikservices.{old}") });
    definition["spec"]["group"] = json!(old);
    definition.as_object_mut().expect("a definition is an object").remove("status");
    server.admin().post(DEFINITIONS, &definition).expect("the definition of the old group");
    until("the old group to be served", || {
        (server.admin().get(&format!("/apis/{old}/v1alpha1/traefikservices")).code == 200).then_some(())
    });
}

fn older_canaries(server: &Server) -> Vec<(String, String)> {
    let mut older = Vec::new();
    for folder in 0..OLDER_NAMESPACES {
        let namespace = format!("older-{folder}");
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        server.admin().post("/api/v1/namespaces", &object).expect("create a namespace");
        older.extend((0..OLDER_EACH).map(|number| (namespace.clone(), format!("older-{number}"))));
    }
    let numbered: Vec<_> = older.iter().enumerate().collect();
    each(numbered, |(number, (namespace, name))| {
        let mut canary = objects::canary(name);
        canary["metadata"]["annotations"] = json!({
            ANNOTATION: MALFORMED[number % MALFORMED.len()],
            ENTRY_ANNOTATION: MALFORMED_ENTRIES[number % MALFORMED_ENTRIES.len()],
        });
        server.admin().post(&canaries(namespace), &canary).expect("create a Canary");
    });
    older
}

/// Does this for each of them, several at once.
pub(super) fn each<T: Send>(all: impl IntoIterator<Item = T, IntoIter: Send>, work: impl Fn(T) + Sync) {
    let queue = Mutex::new(all.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = next() {
                    work(one);
                }
            });
        }
    });
}

/// Where the Canaries of a namespace are.
pub(super) fn canaries(namespace: &str) -> String {
    format!("/apis/flagger.app/v1beta1/namespaces/{namespace}/canaries")
}

/// Where the TraefikServices of a namespace are.
pub(super) fn services(group: Group, namespace: &str) -> String {
    format!("/apis/{}/namespaces/{namespace}/traefikservices", group.api_version())
}

/// A Canary whose change is seen in a dry-run write, by which every earlier change of a Canary is known to have
/// arrived at the policies too: they come through one watch, in their order.
pub(super) struct Probe<'a> {
    namespace: Namespace<'a>,
    service: String,
    changes: AtomicUsize,
}

impl<'a> Probe<'a> {
    pub(super) fn new(server: &'a Server, group: Group) -> Self {
        let namespace = Namespace::on(server, "probe");
        namespace.create_value(&objects::canary("probe"));
        let mut service = objects::traefik_service("probe", 100, 0);
        service["apiVersion"] = json!(group.api_version());
        service["metadata"]["namespace"] = json!(namespace.name());
        let path = services(group, namespace.name());
        until("the schema of TraefikServices", || {
            let answer = server.admin().post(&path, &service);
            (answer.code != 503).then(|| answer.expect("create a TraefikService"))
        });
        Self { namespace, service: format!("{path}/probe?dryRun=All"), changes: AtomicUsize::new(0) }
    }

    fn api(&self) -> &Api {
        self.namespace.server().admin()
    }

    /// Waits until the policies see every Canary as it is now.
    pub(super) fn settle(&self) {
        let change = self.changes.fetch_add(1, Ordering::Relaxed);
        let patch = json!({ "metadata": { "annotations": { ANNOTATION: format!("probe-{change}") } } });
        self.namespace.patch("Canary", "probe", &patch);
        until("the policies to see the Canary's change", || {
            let answer = self.api().merge(&self.service, &json!({ "spec": { "weighted": { "sticky": null } } }));
            // So it answers while it does not know the schema of the kind.
            let stored = (answer.code != 503).then(|| answer.expect("a dry-run write"))?;
            let name = stored["spec"]["weighted"]["sticky"]["cookie"]["name"].as_str()?.strip_prefix("probe-")?;
            name.parse::<usize>().ok().filter(|&seen| seen >= change)
        });
    }
}

/// A request of Flagger's.
pub(super) fn by_flagger(method: Method, path: &str, object: &Value) -> Answer {
    flagger::ask(cluster().server.admin(), method, path, object.to_string().into_bytes())
}
