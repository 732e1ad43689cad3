//! Access reviews: what the user is allowed to do.

use http::Method;
use serde_json::json;

use crate::{
    apiserver::{ApiServer, Call, Verb, request::request},
    error::Result,
};

/// An action for an access review.
#[derive(Debug, Clone, Copy)]
pub struct Action<'a> {
    /// The API group of the resource.
    pub group: &'a str,
    /// The resource, in the plural; with a slash and a subresource.
    pub resource: &'a str,
    /// The verb.
    pub verb: &'a str,
    /// The object's name; empty for all.
    pub name: &'a str,
    /// The namespace; `None` for all of them.
    pub namespace: Option<&'a str>,
}

impl ApiServer {
    /// Returns whether the user may perform the action (`kubectl auth can-i`).
    #[expect(clippy::disallowed_methods, reason = "an access review is a POST that stores nothing")]
    pub async fn may(&self, action: Action<'_>) -> Result<bool> {
        let Action { group, resource, verb, name, namespace } = action;
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"group": group, "resource": resource, "subresource": subresource,
                "verb": verb, "name": name, "namespace": namespace.unwrap_or_default()}},
        });
        let call = Call {
            verb: Verb::Create,
            resource: "selfsubjectaccessreviews.authorization.k8s.io",
            namespace: None,
            name: None,
        };
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let request = request(Method::POST, path, Some("application/json"), review.to_string().into_bytes())?;
        let answer: serde_json::Value = self.call(&call, request).await?.json()?;
        Ok(answer.pointer("/status/allowed").is_some_and(|allowed| allowed == true))
    }
}
