//! Asking the server what this user may do. Nothing is done.

use http::Method;
use serde_json::json;

use super::{Call, Cluster, Verb, object::request};
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
        let asked = async {
            let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
            let request = request(Method::POST, path, Some("application/json"), review.to_string().into_bytes())?;
            self.call(&call, request).await?.json()
        };
        let answer = asked.await;
        let answer = answer.map_err(|failure| failure.into_error(&call))?;
        Ok(answer.pointer("/status/allowed").is_some_and(|allowed| allowed == true))
    }
}
