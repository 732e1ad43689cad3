//! Flagger's writes, replayed: through a type that knows four fields of a child and nothing else of `spec`.
//!
//! The sequence is that of `pkg/router/traefik.go` of Flagger 1.30 to 1.44: `Reconcile` creates, `SetRoutes`
//! gets, replaces the services, and puts the whole object back with its resourceVersion and no field manager.

use http::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    api::{Answer, Api},
    namespace::Namespace,
};

/// client-go's name for the binary; what stands before the slash becomes the field manager.
const USER_AGENT: &str = "flagger/v0.0.0 (linux/amd64) kubernetes/$Format";

/// `pkg/apis/traefik/v1alpha1/types.go`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraefikService {
    api_version: String,
    kind: String,
    /// Kubernetes' own type, which loses nothing.
    metadata: Value,
    spec: ServiceSpec,
}

#[derive(Debug, Serialize, Deserialize)]
struct ServiceSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    weighted: Option<WeightedRoundRobin>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WeightedRoundRobin {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<Service>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Service {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    port: i32,
    #[serde(default, skip_serializing_if = "is_zero")]
    weight: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The server's words when someone else wrote between Flagger's read and its write.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflict(pub String);

/// A step of Flagger: sets these weights for the Canary whose names derive from `name`. Returns what the
/// server stored.
pub fn writes(namespace: &Namespace, name: &str, primary: u64, canary: u64) -> Result<Value, Conflict> {
    reads(namespace, name).writes(primary, canary)
}

/// A step of Flagger that has read and not yet written: what happens in between makes it conflict.
#[must_use]
pub struct Step {
    api: Api,
    path: String,
    name: String,
    namespace: String,
    object: TraefikService,
}

/// Flagger's read of the TraefikService `name`.
pub fn reads(namespace: &Namespace, name: &str) -> Step {
    let (api, path) = (namespace.server().admin().clone(), namespace.path("TraefikService", name));
    let object = ask(&api, Method::GET, &path, Vec::new()).expect("Flagger's read");
    let object = serde_json::from_value(object).expect("Flagger's own type can hold the object");
    Step { api, path, name: name.to_owned(), namespace: namespace.name().to_owned(), object }
}

impl Step {
    /// The write that follows the read.
    pub fn writes(mut self, primary: u64, canary: u64) -> Result<Value, Conflict> {
        set_routes(&mut self.object, &self.name, &self.namespace, primary, canary);
        let body = serde_json::to_vec(&self.object).expect("the object can be written as JSON");
        let answer = ask(&self.api, Method::PUT, &self.path, body);
        if answer.code == 409 { Err(Conflict(answer.message())) } else { Ok(answer.expect("Flagger's write")) }
    }
}

/// What Flagger puts back for this object, which it has read, when it sets these weights.
pub fn puts(object: Value, primary: u64, canary: u64) -> Value {
    let mut object: TraefikService = serde_json::from_value(object).expect("Flagger's own type can hold the object");
    let text = |key: &str| object.metadata[key].as_str().expect("the object has a name and a namespace").to_owned();
    let (name, namespace) = (text("name"), text("namespace"));
    set_routes(&mut object, &name, &namespace, primary, canary);
    serde_json::to_value(&object).expect("the object can be written as JSON")
}

fn set_routes(object: &mut TraefikService, name: &str, namespace: &str, primary: u64, canary: u64) {
    // The port is the Canary's `spec.service.port`, which the children have had from the beginning.
    let weighted = object.spec.weighted.as_mut().expect("Flagger would crash here");
    let port = weighted.services.first().map_or(80, |service| service.port);
    let child = |track: &str, weight: u64| Service {
        name: format!("{name}-{track}"),
        namespace: namespace.to_owned(),
        port,
        weight,
    };
    weighted.services = vec![child("primary", primary)];
    if canary > 0 {
        weighted.services.push(child("canary", canary));
    }
}

/// Flagger's first write: the TraefikService of a new Canary.
pub fn creates(namespace: &Namespace, service: Value) -> Value {
    let service: TraefikService = serde_json::from_value(service).expect("Flagger's own type can hold the object");
    let body = serde_json::to_vec(&service).expect("the object can be written as JSON");
    let path = namespace.path("TraefikService", "");
    ask(namespace.server().admin(), Method::POST, &path, body).expect("Flagger's create")
}

/// A request as Flagger makes it, with the server's answer, whatever it is.
pub fn ask(api: &Api, method: Method, path: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", USER_AGENT)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(body)
        .expect("a well-formed request");
    api.send(request).unwrap_or_else(|error| panic!("Flagger had no answer: {error}"))
}
