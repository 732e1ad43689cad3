//! Permissions as the YAML of a Role, and of a ClusterRole for cluster-wide rules. Pure.

use serde_json::{Value, json};

use super::permission::{Need, Permission};
use crate::yaml;

/// Returns a permission as one rule of a Role.
pub(super) fn rule(permission: &Permission) -> Value {
    let mut rule =
        json!({"apiGroups": permission.groups, "resources": [permission.resource], "verbs": permission.verbs});
    if !permission.names.is_empty() {
        rule["resourceNames"] = json!(permission.names);
    }
    rule
}

/// Returns the name of a role for a command.
pub(super) fn name(command: Option<&str>) -> String {
    let words = command.map_or(String::new(), |command| format!("-{}", command.replace(' ', "-")));
    format!("kubectl-canary-traefik{words}")
}

/// Returns the roles that grant these permissions, the namespaced one first.
pub(super) fn objects(
    name: &str,
    namespace: Option<&str>,
    permissions: &[Permission],
) -> Vec<(Value, Vec<Permission>)> {
    let granted = permissions.iter().filter(|permission| !matches!(permission.need, Need::Tried(_))).copied();
    let (cluster, namespaced): (Vec<_>, Vec<_>) = granted.partition(|permission| permission.cluster);
    let object = |kind: &str, permissions: Vec<Permission>| {
        let mut object =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace.filter(|_| kind == "Role") {
            object["metadata"]["namespace"] = namespace.into();
        }
        object["rules"] = permissions.iter().map(rule).collect();
        (object, permissions)
    };
    let both = [("Role", namespaced), ("ClusterRole", cluster)].into_iter();
    both.filter(|(_, permissions)| !permissions.is_empty())
        .map(|(kind, permissions)| object(kind, permissions))
        .collect()
}

/// Prints the roles as YAML, with a comment on each optional rule.
pub(super) fn print(objects: &[(Value, Vec<Permission>)]) -> String {
    let document = |(object, permissions): &(Value, Vec<Permission>)| {
        let mut head = object.clone();
        if let Some(fields) = head.as_object_mut() {
            fields.remove("rules");
        }
        let mut text = yaml::print(&head) + "rules:\n";
        for permission in permissions {
            if let Need::Less(without) = permission.need {
                text.push_str(&format!("# without it: {without}\n"));
            }
            text.push_str(&yaml::print(&json!([rule(permission)])));
        }
        text
    };
    objects.iter().map(document).collect::<Vec<_>>().join("---\n")
}
