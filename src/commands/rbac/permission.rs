//! A permission on the API server. Pure.

/// Whether a command needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The command fails without it.
    Must,
    /// The command does less without it; the text says what is missing.
    Less(&'static str),
    /// The command tries to use it, but nobody should be granted the permission for that.
    Tried(&'static str),
}

/// Verbs on one kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// API groups, of which a cluster uses one.
    pub groups: &'static [&'static str],
    /// Resource name, in the plural.
    pub resource: &'static str,
    /// Verbs of the permission.
    pub verbs: &'static [&'static str],
    /// Object names; empty for all objects.
    pub names: &'static [&'static str],
    /// Whether the objects are cluster-scoped, or outside the Canaries' namespaces.
    pub cluster: bool,
    /// Whether the command needs the permission.
    pub need: Need,
}

impl Permission {
    /// Returns whether it allows this verb on this resource, named with its API group (`canaries.flagger.app`).
    pub fn allows(&self, verb: &str, resource: &str) -> bool {
        let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.verbs.contains(&verb) && self.resource == name && self.groups.contains(&group)
    }
}
