//! Collections of objects to list and watch.

use kube::core::Selector;

use crate::apiserver::{Call, Verb, parts::Part, request::percent_encoded};

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
    /// Returns this part of every object of a resource (with its group) at this path, in one namespace or in all.
    pub fn new(resource: &'static str, path: String, namespace: Option<&str>, part: &'static Part) -> Self {
        Self { resource, path, namespace: namespace.map(str::to_owned), selector: None, part, page: PAGE }
    }

    /// Restricts the collection to objects with these labels.
    #[must_use]
    pub fn selected(self, selector: &Selector) -> Self {
        Self { selector: Some(format!("labelSelector={}", percent_encoded(&selector.to_string()))), ..self }
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

    pub(super) fn query(&self, more: &str) -> String {
        let selected = self.selector.as_ref().map(|selector| format!("{selector}&")).unwrap_or_default();
        format!("{}?{selected}{more}", self.path)
    }
}
