//! Rights as the YAML of a Role, and of a ClusterRole for cluster-wide rules. Pure.

use serde_json::{Value, json};

use super::right::{Need, Right};
use crate::yaml;

/// Returns a right as one rule of a Role.
pub(super) fn rule(right: &Right) -> Value {
    let mut rule = json!({"apiGroups": right.groups, "resources": [right.resource], "verbs": right.verbs});
    if !right.names.is_empty() {
        rule["resourceNames"] = json!(right.names);
    }
    rule
}

/// Returns the name of a role for a command.
pub(super) fn name(command: Option<&str>) -> String {
    let words = command.map_or(String::new(), |command| format!("-{}", command.replace(' ', "-")));
    format!("kubectl-canary-traefik{words}")
}

/// Returns the roles that grant these rights, the namespaced one first.
pub(super) fn objects(name: &str, namespace: Option<&str>, rights: &[Right]) -> Vec<(Value, Vec<Right>)> {
    let granted = rights.iter().filter(|right| !matches!(right.need, Need::Tried(_))).copied();
    let (cluster, namespaced): (Vec<_>, Vec<_>) = granted.partition(|right| right.cluster);
    let object = |kind: &str, rights: Vec<Right>| {
        let mut object =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace.filter(|_| kind == "Role") {
            object["metadata"]["namespace"] = namespace.into();
        }
        object["rules"] = rights.iter().map(rule).collect();
        (object, rights)
    };
    let both = [("Role", namespaced), ("ClusterRole", cluster)].into_iter();
    both.filter(|(_, rights)| !rights.is_empty()).map(|(kind, rights)| object(kind, rights)).collect()
}

/// Prints the roles as YAML, with a comment on each optional rule.
pub(super) fn print(objects: &[(Value, Vec<Right>)]) -> String {
    let document = |(object, rights): &(Value, Vec<Right>)| {
        let mut head = object.clone();
        if let Some(fields) = head.as_object_mut() {
            fields.remove("rules");
        }
        let mut text = yaml::print(&head) + "rules:\n";
        for right in rights {
            if let Need::Less(without) = right.need {
                text.push_str(&format!("# without it: {without}\n"));
            }
            text.push_str(&yaml::print(&json!([rule(right)])));
        }
        text
    };
    objects.iter().map(document).collect::<Vec<_>>().join("---\n")
}
