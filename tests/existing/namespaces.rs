//! What a cluster's namespace controller does: a namespace that is to be deleted is emptied, then let go.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;
use testbed::{
    api::{Api, Change},
    wait::until,
};

/// What is there beside what an API server keeps for itself: `PATH/NAME` with the version of each object.
pub(crate) fn objects(api: &Api) -> BTreeSet<String> {
    /// Written by the server all the time, or no objects.
    const RESTLESS: [&str; 3] = ["events", "leases", "componentstatuses"];
    // It makes some of its own only after it is ready.
    let is_others = |object: &&Value| {
        let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
        let managers: Vec<_> = managers.map(|entry| &entry["manager"]).collect();
        managers.is_empty() || managers.iter().any(|manager| **manager != "kube-apiserver")
    };
    let mut objects = BTreeSet::new();
    for (path, resource) in resources(api) {
        let plural = resource["name"].as_str().unwrap_or_default();
        if RESTLESS.contains(&plural) {
            continue;
        }
        // A new kind is listed some moments after it is said to be there.
        let list = until(&format!("{plural} to be listed"), || {
            let answer = api.get(&format!("{path}/{plural}"));
            (answer.code == 200).then(|| answer.json())
        });
        objects.extend(list["items"].as_array().into_iter().flatten().filter(is_others).map(|object| {
            let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
            format!("{path} {plural} {}/{} {}", text("namespace"), text("name"), text("resourceVersion"))
        }));
    }
    objects
}

/// Lets deleted namespaces go, as long as the process lives.
pub(crate) fn follow(api: &Api) {
    let api = api.clone();
    std::thread::spawn(move || {
        loop {
            for change in api.watch("/api/v1/namespaces", "") {
                let Change::Is(mut namespace) = change else { continue };
                if namespace["metadata"]["deletionTimestamp"].is_null() {
                    continue;
                }
                let name = namespace["metadata"]["name"].as_str().expect("a namespace has a name").to_owned();
                for (path, resource) in resources(&api) {
                    let deletable = verbs(&resource).any(|verb| verb == "deletecollection");
                    if deletable && resource["namespaced"] == true {
                        let plural = resource["name"].as_str().unwrap_or_default();
                        let _ = api.delete(&format!("{path}/namespaces/{name}/{plural}"));
                    }
                }
                namespace["spec"]["finalizers"] = Value::Array(Vec::new());
                let path = format!("/api/v1/namespaces/{name}/finalize");
                let _ = api.ask(&Method::PUT, &path, "application/json", namespace.to_string());
            }
        }
    });
}

/// Everything that the server can list, with the path of its group.
fn resources(api: &Api) -> Vec<(String, Value)> {
    let mut paths = vec!["/api/v1".to_owned()];
    let groups = api.get("/apis").expect("list the groups");
    paths.extend(groups["groups"].as_array().into_iter().flatten().map(|group| {
        format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().expect("a group has a version"))
    }));
    paths
        .into_iter()
        .flat_map(|path| {
            // A group goes away with the last definition of a kind in it.
            let answer = api.get(&path);
            let resources = if answer.code == 200 { answer.json()["resources"].take() } else { Value::Null };
            let resources = resources.as_array().cloned().unwrap_or_default();
            resources.into_iter().map(move |resource| (path.clone(), resource))
        })
        .filter(|(_, resource)| verbs(resource).any(|verb| verb == "list"))
        .collect()
}

fn verbs(resource: &Value) -> impl Iterator<Item = &str> {
    resource["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
