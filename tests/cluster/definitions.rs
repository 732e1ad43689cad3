//! Servers with other definitions than today's: of a Flagger that copies the cookie itself, and of an older
//! Traefik.

use std::sync::LazyLock;

use http::Method;
use serde_json::{Value, json};
use testbed::{server::Server, wait::until};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A server whose Canaries have `spec.service.traefik.sticky.cookie`, as fluxcd/flagger#1884 asks for it.
pub(crate) fn native() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        let server = Server::dedicated(&[]);
        change(&server, "canaries.flagger.app", |definition| {
            let text = json!({ "type": "string" });
            let cookie = json!({
                "name": text, "path": text, "httpOnly": { "type": "boolean" }, "secure": { "type": "boolean" },
                "sameSite": { "type": "string", "enum": ["None", "Lax", "Strict"] }, "maxAge": { "type": "integer" },
            });
            let of = |properties: Value| json!({ "type": "object", "properties": properties });
            let spec = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
            spec["properties"]["service"]["properties"]["traefik"] =
                of(json!({ "sticky": of(json!({ "cookie": of(cookie) })) }));
        });
        until("the new field", || served(&server, "flagger.app/v1beta1").contains("sameSite").then_some(()));
        server
    });
    &SERVER
}

/// A server with the definitions of an older Traefik: both groups, and in `traefik.io` a cookie without path and
/// domain.
pub(crate) fn older() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        let server = Server::dedicated(&[]);
        let mut older = server.admin().get(&format!("{DEFINITIONS}/traefikservices.traefik.io")).expect("a definition");
        older["metadata"] = json!({ "name": "traefikservices.traefik.containo.us" });
        older["spec"]["group"] = json!("traefik.containo.us");
        older["status"].take();
        server.admin().post(DEFINITIONS, &older).expect("a definition of the older group");
        change(&server, "traefikservices.traefik.io", |definition| {
            let cookie = definition
                .pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/weighted/properties/sticky/properties/cookie/properties")
                .and_then(Value::as_object_mut)
                .expect("the cookie has fields");
            for field in ["path", "domain"] {
                cookie.remove(field).unwrap_or_else(|| panic!("the cookie had a {field}"));
            }
            // An administrator's own idea.
            cookie["maxAge"]["maximum"] = json!(100_000);
        });
        until("the older group", || {
            served(&server, "traefik.containo.us/v1alpha1").contains("TraefikService").then_some(())
        });
        until("the fields to go", || {
            let document: Value = serde_json::from_str(&served(&server, "traefik.io/v1alpha1")).expect("JSON");
            let schema = &document["components"]["schemas"]["io.traefik.v1alpha1.TraefikService"]["properties"]["spec"];
            let cookie = &schema["properties"]["weighted"]["properties"]["sticky"]["properties"]["cookie"];
            cookie["properties"]["domain"].is_null().then_some(())
        });
        server
    });
    &SERVER
}

fn change(server: &Server, name: &str, change: impl FnOnce(&mut Value)) {
    let path = format!("{DEFINITIONS}/{name}");
    let mut definition = server.admin().get(&path).expect("a definition");
    change(&mut definition);
    server
        .admin()
        .ask(&Method::PUT, &path, "application/json", definition.to_string())
        .expect("the definition with another schema");
}

/// The schema that the server publishes; nothing before it does.
fn served(server: &Server, group: &str) -> String {
    let answer = server.admin().get(&format!("/openapi/v3/apis/{group}"));
    if answer.code == 200 { answer.text } else { String::new() }
}
