//! Contents of a namespace: the metadata of every object of every kind that can be listed.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::Value;

use crate::{
    apiserver::{
        Call, Failure, Verb,
        request::{get, percent_encoded},
    },
    cluster::Cluster,
    error::{Error, Kind, Result},
};

/// Media type for objects reduced to their metadata
/// (`k8s.io/apimachinery/pkg/apis/meta/v1/types.go:PartialObjectMetadataList`).
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";
/// Maximum number of objects of one kind.
const MOST: usize = 500;

/// A namespaced kind that can be listed.
struct Listable {
    /// The path of the API version: `/api/v1`, `/apis/apps/v1`.
    version: String,
    /// The resource with its group: `deployments.apps`.
    resource: String,
    plural: String,
    /// The name of one object's kind, as in kubectl: `deployment.apps`.
    singular: String,
}

impl Cluster {
    /// Returns the names of the objects in a namespace that are neither known, nor owned by a known object, nor created
    /// in every namespace by the cluster. The uids of owned objects are added to `known`.
    pub async fn unknown_objects(&self, namespace: &str, known: &mut BTreeSet<String>) -> Result<Vec<String>> {
        let kinds = self.listable().await?;
        let lists = join_all(kinds.iter().map(|kind| self.list_inside(kind, namespace))).await;
        let mut left = Vec::new();
        for (kind, list) in kinds.iter().zip(lists) {
            left.extend(
                list?.into_iter().filter(|object| !is_of_the_cluster(kind, object)).map(|object| (kind, object)),
            );
        }
        // An owner can be listed after the objects it owns.
        loop {
            let (owned, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, object)| is_known(object, known));
            left = rest;
            if owned.is_empty() {
                break;
            }
            known.extend(owned.iter().filter_map(|(_, object)| uid(object)));
        }
        let name =
            |object: &Value| object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(left.into_iter().map(|(kind, object)| format!("{}/{}", kind.singular, name(&object))).collect())
    }

    /// Returns every kind of the preferred version of each API group, except those that only describe other objects:
    /// metrics, events and endpoints.
    async fn listable(&self) -> Result<Vec<Listable>> {
        let groups = self.discover("/apis").await?;
        let preferred = groups["groups"].as_array().into_iter().flatten();
        let preferred = preferred.filter_map(|group| group.pointer("/preferredVersion/groupVersion")?.as_str());
        let versions: Vec<_> =
            std::iter::once("/api/v1".to_owned()).chain(preferred.map(|version| format!("/apis/{version}"))).collect();
        let answers = join_all(versions.iter().map(|version| self.discover(version))).await;
        let mut kinds = Vec::new();
        for (version, answer) in versions.iter().zip(answers) {
            let group = version.strip_prefix("/apis/").and_then(|version| version.split('/').next());
            if group == Some("metrics.k8s.io") {
                continue;
            }
            let dotted = group.map_or_else(String::new, |group| format!(".{group}"));
            for resource in answer?["resources"].as_array().into_iter().flatten() {
                let text = |key: &str| resource[key].as_str().unwrap_or_default();
                let can_list =
                    resource["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
                let plural = text("name");
                let is_said_of_others = matches!(plural, "events" | "endpoints");
                if resource["namespaced"] == true && can_list && !is_said_of_others {
                    kinds.push(Listable {
                        version: version.clone(),
                        resource: format!("{plural}{dotted}"),
                        plural: plural.to_owned(),
                        singular: text("kind").to_lowercase() + &dotted,
                    });
                }
            }
        }
        Ok(kinds)
    }

    async fn discover(&self, path: &str) -> Result<Value> {
        let what = format!("the resources of {path}");
        let call = Call { verb: Verb::Get, resource: &what, namespace: None, name: None };
        Ok(self.api.ask(&call, path).await?.json()?)
    }

    async fn list_inside(&self, kind: &Listable, namespace: &str) -> Result<Vec<Value>> {
        let call = Call { verb: Verb::List, resource: &kind.resource, namespace: Some(namespace), name: None };
        let path = format!("{}/namespaces/{}/{}?limit={MOST}", kind.version, percent_encoded(namespace), kind.plural);
        let mut request = get(&path)?;
        request.headers_mut().insert(http::header::ACCEPT, http::HeaderValue::from_static(METADATA));
        let list = match self.api.call(&call, request).await.and_then(|answer| answer.json()) {
            Ok(list) => list,
            // The kind was removed in the meantime.
            Err(Failure::Status(refusal, _)) if refusal.code == 404 => return Ok(Vec::new()),
            Err(failure) => return Err(failure.into()),
        };
        if list.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|next| !next.is_empty()) {
            return Err(Error::new(Kind::Conflict, format!("there are more than {MOST} {}", kind.resource)));
        }
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }
}

fn uid(object: &Value) -> Option<String> {
    Some(object.pointer("/metadata/uid")?.as_str()?.to_owned())
}

/// Returns whether an object is known or owned by a known object.
fn is_known(object: &Value, known: &BTreeSet<String>) -> bool {
    let is_known = |uid: &Value| uid.as_str().is_some_and(|uid| known.contains(uid));
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    object.pointer("/metadata/uid").is_some_and(is_known) || owners.into_iter().any(|owner| is_known(&owner["uid"]))
}

/// Returns whether an object was created by the cluster's own controllers: the default account and the root CA in every
/// namespace and, before Kubernetes 1.24, the token of each account.
fn is_of_the_cluster(kind: &Listable, object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name");
    match kind.resource.as_str() {
        "serviceaccounts" => name == Some("default"),
        "configmaps" => name == Some("kube-root-ca.crt"),
        "secrets" => matches!(
            text("/metadata/annotations/kubernetes.io~1service-account.name"),
            Some("default" | crate::guard::webhook::NAME)
        ),
        _ => false,
    }
}
