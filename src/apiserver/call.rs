//! What a request is about, for messages.

/// The verb of a request, as in RBAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
}

impl Verb {
    /// Returns the verb as in RBAC.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// The verb and object of a request, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The verb.
    pub verb: Verb,
    /// The resource with its group: `canaries.flagger.app`.
    pub resource: &'a str,
    /// The namespace; `None` for cluster-scoped resources and for all namespaces.
    pub namespace: Option<&'a str>,
    /// The object's name; `None` for a collection.
    pub name: Option<&'a str>,
}
