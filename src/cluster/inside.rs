//! What is in a namespace: every object of every kind that can be listed, by its metadata alone.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    Call, Cluster, Failure, Verb,
    object::{get, percent_encoded},
};
use crate::error::{Error, Kind, Result};

/// Objects without what they hold (`k8s.io/apimachinery/pkg/apis/meta/v1/types.go:PartialObjectMetadataList`).
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";
/// More of one kind are not looked through.
const MOST: usize = 500;

/// A kind of object that is in namespaces and can be listed.
struct Listable {
    /// The path of its version: `/api/v1`, `/apis/apps/v1`.
    version: String,
    /// `deployments.apps`
    resource: String,
    plural: String,
    /// `deployment.apps`, as kubectl names one.
    singular: String,
}

impl Cluster {
    /// The names of the objects in a namespace that are neither known, nor owned by what is known, nor what a cluster puts
    /// into each namespace. What is found to be owned is known from then on, by its uid.
    ///
    /// # Errors
    ///
    /// Something cannot be listed.
    pub async fn strangers(&self, namespace: &str, known: &mut BTreeSet<String>) -> Result<Vec<String>> {
        let kinds = self.listable().await?;
        let lists = join_all(kinds.iter().map(|kind| self.list_inside(kind, namespace))).await;
        let mut left = Vec::new();
        for (kind, list) in kinds.iter().zip(lists) {
            left.extend(
                list?.into_iter().filter(|object| !is_of_the_cluster(kind, object)).map(|object| (kind, object)),
            );
        }
        // An owner can be listed after what it owns.
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

    /// Every kind of the preferred version of each group, but for what only says something of other objects: measurements,
    /// events, and where the pods of a Service are.
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
        let answer = self.ask(&call, path).await.and_then(|answer| answer.json());
        answer.map_err(|failure| failure.into_error(&call))
    }

    async fn list_inside(&self, kind: &Listable, namespace: &str) -> Result<Vec<Value>> {
        let call = Call { verb: Verb::List, resource: &kind.resource, namespace: Some(namespace), name: None };
        let path = format!("{}/namespaces/{}/{}?limit={MOST}", kind.version, percent_encoded(namespace), kind.plural);
        let mut request = get(&path).map_err(|failure| failure.into_error(&call))?;
        request.headers_mut().insert(http::header::ACCEPT, http::HeaderValue::from_static(METADATA));
        let list = match self.call(&call, request).await.and_then(|answer| answer.json()) {
            Ok(list) => list,
            // It went away meanwhile.
            Err(Failure::Status(refusal)) if refusal.code == 404 => return Ok(Vec::new()),
            Err(failure) => return Err(failure.into_error(&call)),
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

/// Whether an object is known, or owned by one that is.
fn is_known(object: &Value, known: &BTreeSet<String>) -> bool {
    let is_known = |uid: &Value| uid.as_str().is_some_and(|uid| known.contains(uid));
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    object.pointer("/metadata/uid").is_some_and(is_known) || owners.into_iter().any(|owner| is_known(&owner["uid"]))
}

/// Whether a cluster's own controllers have made an object: the account and the authorities that are in every namespace,
/// and, before Kubernetes 1.24, the token of each account.
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
