//! Asking the server what this user may do. Nothing is done.

use serde_json::json;

use super::{Call, Cluster, Verb};
use crate::error::Result;

/// One thing that a user may do or not, as access control has it.
#[derive(Debug, Clone, Copy)]
pub struct Permission<'a> {
    /// The resource's group.
    pub group: &'a str,
    /// The resource, in the plural.
    pub resource: &'a str,
    /// What is done.
    pub verb: &'a str,
    /// The object's name; empty for all.
    pub name: &'a str,
    /// The namespace; `None` for all of them.
    pub namespace: Option<&'a str>,
}

impl Cluster {
    /// Whether this user may do that (`kubectl auth can-i`).
    ///
    /// # Errors
    ///
    /// The server does not say.
    pub async fn may(&self, permission: Permission<'_>) -> Result<bool> {
        let Permission { group, resource, verb, name, namespace } = permission;
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"group": group, "resource": resource, "verb": verb, "name": name,
                "namespace": namespace.unwrap_or_default()}},
        });
        let call = Call {
            verb: Verb::Create,
            resource: "selfsubjectaccessreviews.authorization.k8s.io",
            namespace: None,
            name: None,
        };
        let request = http::Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(review.to_string().into_bytes())
            .expect("the path is plain");
        let answer = self.call(&call, request).await.and_then(|answer| answer.json());
        let answer = answer.map_err(|failure| failure.into_error(&call))?;
        Ok(answer.pointer("/status/allowed").is_some_and(|allowed| allowed == true))
    }
}
