//! The examples of the rules of `lint`: manifests with what matters, completed here.

use canary_traefik::yaml;
use serde_json::{Map, Value, json};

/// The manifests of an example, with what it leaves out.
pub fn completed(example: &str) -> String {
    let documents = example.split("---\n").filter(|text| !text.is_empty());
    let parse = |text| yaml::parse(text).unwrap_or_else(|error| panic!("{}\n{text}", error.reason));
    documents.map(|text| format!("---\n{}", yaml::print(&complete_object(parse(text))))).collect()
}

/// Adds the fields of `more` that are missing; null removes one.
fn complete(value: &mut Value, more: &Value) {
    if let (Value::Object(fields), Value::Object(more)) = (value, more) {
        for (key, default) in more {
            match fields.get_mut(key) {
                Some(Value::Null) => drop(fields.remove(key)),
                Some(own) => complete(own, default),
                None => drop(fields.insert(key.clone(), default.clone())),
            }
        }
    }
}

/// All objects are called `cart`, in the namespace `shop`, on TLS.
fn complete_object(mut object: Value) -> Value {
    let api = |version: &str| json!({"apiVersion": version, "metadata": {"name": "cart", "namespace": "shop"}});
    let kind = object["kind"].as_str().expect("an example names its kinds").to_owned();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("cart").to_owned();
    let services =
        json!([{"name": "cart-primary", "port": 80, "weight": 90}, {"name": "cart-canary", "port": 80, "weight": 10}]);
    let owner = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "cart", "controller": true}]);
    let mut more = match kind.as_str() {
        "Canary" => json!({"apiVersion": "flagger.app/v1beta1", "spec": {"provider": "traefik",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "service": {"port": 80}}}),
        "TraefikService" => json!({"apiVersion": "traefik.io/v1alpha1", "spec": {"weighted": {"services": services}}}),
        "IngressRoute" => {
            json!({"apiVersion": "traefik.io/v1alpha1", "spec": {"entryPoints": ["websecure"], "tls": {}}})
        }
        "HTTPRoute" => json!({"apiVersion": "gateway.networking.k8s.io/v1"}),
        "Deployment" => json!({"apiVersion": "apps/v1"}),
        "CustomResourceDefinition" => json!({"apiVersion": "apiextensions.k8s.io/v1"}),
        _ => Value::Object(Map::new()),
    };
    let services = object.pointer("/spec/weighted/services").and_then(Value::as_array);
    let is_of_flagger = |service: &Value| service["name"].as_str().is_some_and(|name| name.starts_with("cart-"));
    if kind == "TraefikService" && name == "cart" && services.is_none_or(|all| all.iter().all(is_of_flagger)) {
        more["metadata"] = json!({"ownerReferences": owner});
    }
    complete(&mut object, &more);
    complete(&mut object, &api("v1"));
    object
}
