//! Collections of objects to list and watch.

use crate::apiserver::{
    Call, Verb,
    parts::Part,
    request::{path, percent_encoded},
};

/// Number of objects per page. Each is processed as it arrives, so a page costs no more memory than its largest object.
const PAGE: usize = 100;

/// A collection of objects to list and watch.
#[derive(Debug, Clone)]
pub struct Collection {
    resource: &'static str,
    path: String,
    namespace: Option<String>,
    /// A field or label selector, as a query parameter.
    selector: Option<String>,
    /// The part of each object that is kept.
    pub(super) part: &'static Part,
    /// Number of objects per page of a list; 0 for all in one.
    pub(super) page: usize,
}

impl Collection {
    /// Returns this part of every object of a resource (with its group) of this API version, in one namespace or in all.
    pub fn new(version: &str, resource: &'static str, namespace: Option<&str>, part: &'static Part) -> Self {
        let path = path(version, resource, namespace, None);
        Self { resource, path, namespace: namespace.map(str::to_owned), selector: None, part, page: PAGE }
    }

    /// Restricts the collection to objects with these labels.
    #[must_use]
    pub fn selected(self, labels: &str) -> Self {
        Self { selector: Some(format!("labelSelector={}", percent_encoded(labels))), ..self }
    }

    /// Restricts the collection to the object of this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.with_fields(&format!("metadata.name={name}"))
    }

    /// Restricts the collection to objects with these fields.
    #[must_use]
    pub fn with_fields(self, selector: &str) -> Self {
        Self { selector: Some(format!("fieldSelector={}", percent_encoded(selector))), ..self }
    }

    /// Lists everything in one page, as for someone who waits for it: pages take more than four times as long.
    #[must_use]
    pub fn unpaged(self) -> Self {
        Self { page: 0, ..self }
    }

    /// Returns the resource with its group.
    pub fn resource(&self) -> &'static str {
        self.resource
    }

    /// Returns a call to the collection, for messages.
    pub fn call(&self, verb: Verb) -> Call<'_> {
        Call { verb, resource: self.resource, namespace: self.namespace.as_deref(), name: None }
    }

    /// Returns the path with the selector and these parameters as its query.
    pub(super) fn query(&self, more: &str) -> String {
        let parts = [self.selector.as_deref().unwrap_or_default(), more];
        let query: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}
