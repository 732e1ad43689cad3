//! Tests of the table of permissions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Splits rules into one (group, resource, name, verb) each.
fn singly(rules: impl IntoIterator<Item = Value>) -> BTreeSet<[String; 4]> {
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        let all = rule[key].as_array().into_iter().flatten();
        all.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in rules {
        let mut names = texts(&rule, "resourceNames");
        if names.is_empty() {
            names.push(String::new());
        }
        for group in texts(&rule, "apiGroups") {
            for resource in texts(&rule, "resources") {
                for name in &names {
                    for verb in texts(&rule, "verbs") {
                        all.insert([group.clone(), resource.clone(), name.clone(), verb]);
                    }
                }
            }
        }
    }
    all
}

#[test]
fn guard_run_has_the_rights_that_its_deployment_is_given() {
    for entries in [false, true] {
        let objects = crate::guard::deployment::objects(&crate::guard::Placement {
            namespace: "guard".to_owned(),
            image: "image".to_owned(),
            coverage: crate::guard::Coverage::default(),
            has_conditions: true,
            keeper: crate::guard::CertificateOwner::Replicas,
            entries,
            traefik: Vec::new(),
        });
        let given = objects.iter().filter_map(|object| object.value["rules"].as_array()).flatten().cloned();
        let more = if entries { super::super::entry::permissions("guard run") } else { Vec::new() };
        let row = Row::of("guard run").unwrap().permissions().chain(more);
        assert_eq!(singly(row.map(|permission| super::super::role::rule(&permission))), singly(given));
    }
}
