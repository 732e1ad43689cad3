//! Which fields of the cookie a cluster can store and its Traefik honours.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    flagger::{NativeField, native},
    model::{
        Field,
        version::{self, Version},
    },
    plan::Scope,
};

/// Keys from a TraefikService down to its cookie.
const COOKIE: [&str; 4] = ["spec", "weighted", "sticky", "cookie"];

/// What is known about a cluster's Traefik; nothing for manifests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Support {
    /// Keys under `cookie` in the schema of TraefikServices; `None` if it cannot be read.
    pub keys: Option<Vec<String>>,
    /// The minor version of the oldest running Traefik, and where it runs; `None` if that cannot be read.
    pub traefik: Option<((u64, u64), String)>,
    /// Keys of the Canaries' native field, if it exists.
    pub native: Option<Vec<String>>,
}

impl Support {
    /// Adds the keys of the Canaries' native field.
    #[must_use]
    pub fn with_native(mut self, native: &NativeField) -> Self {
        if let NativeField::Present(fields) = native {
            self.native = Some(fields.keys().cloned().collect());
        }
        self
    }

    /// Returns why a change of this scope cannot set this field on the cluster, if so.
    pub fn refusal(&self, field: &Field, scope: Scope) -> Option<String> {
        let lacks =
            |keys: &Option<Vec<String>>| keys.as_ref().is_some_and(|keys| !keys.iter().any(|key| key == field.key));
        if scope != Scope::LiveOnly && lacks(&self.native) {
            return Some("the Canaries of this cluster have no such field".into());
        }
        (scope != Scope::DeclareOnly && lacks(&self.keys)).then(|| {
            format!(
                "the TraefikServices of this cluster have no such field: it needs the CRDs of Traefik {}",
                field.since
            )
        })
    }

    /// Returns why the running Traefik ignores this field, if so.
    pub fn ignored(&self, field: &Field) -> Option<String> {
        let (version @ (major, minor), place) = self.traefik.as_ref()?;
        let since = Version::parse(field.since)?.minor();
        (*version < since).then(|| format!("Traefik {major}.{minor} ({place}) ignores it: it needs {}", field.since))
    }
}

/// Returns the keys under the cookie in the OpenAPI (v3) document of an API group of TraefikServices.
pub fn keys_in_schema(document: &Value) -> Option<Vec<String>> {
    let fields: BTreeMap<_, _> = native::fields_in_schema(document, "TraefikService", &COOKIE)?;
    Some(fields.into_keys().collect())
}

/// Returns the minor version of the oldest Traefik among workloads, by their image tags, and where it runs.
pub fn oldest_traefik<'a>(workloads: impl IntoIterator<Item = &'a Value>) -> Option<((u64, u64), String)> {
    let text = |value: &'a Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    workloads
        .into_iter()
        .flat_map(|workload| {
            let place = format!("{}/{}", text(workload, "/metadata/namespace"), text(workload, "/metadata/name"));
            let containers = workload.pointer("/spec/template/spec/containers").and_then(Value::as_array);
            containers.into_iter().flatten().filter_map(move |container| {
                let image = text(container, "/image");
                let name = image.split(['@', ':']).next()?.rsplit('/').next()?;
                // The image of the chart, and the mirror's in k3s.
                if name != "traefik" && !name.ends_with("-traefik") {
                    return None;
                }
                Some((Version::parse(version::tag(image)?)?.minor(), place.clone()))
            })
        })
        .min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FIELDS;

    fn honours(support: &Support, field: &Field, scope: Scope) -> bool {
        support.refusal(field, scope).is_none() && support.ignored(field).is_none()
    }

    #[test]
    fn the_oldest_traefik_counts_and_other_images_do_not() {
        let workload = |name: &str, images: &[&str]| {
            let containers: Vec<_> = images.iter().map(|image| json!({"image": image})).collect();
            json!({"metadata": {"namespace": "edge", "name": name}, "spec": {"template": {"spec": {"containers": containers}}}})
        };
        let found = |workloads: &[Value]| {
            oldest_traefik(workloads).map(|((major, minor), place)| format!("{major}.{minor} {place}"))
        };
        let new = workload("new", &["traefik:v3.7.1", "alpine:3.1"]);
        let old = workload("old", &["sidecar:1.0", "rancher/mirrored-library-traefik:3.3.6"]);
        assert_eq!(found(&[new.clone(), old]).as_deref(), Some("3.3 edge/old"));
        assert_eq!(found(&[new]).as_deref(), Some("3.7 edge/new"));
        assert_eq!(found(&[workload("x", &["traefik:latest"]), json!({})]), None);
    }

    #[test]
    fn a_field_needs_the_schemas_and_the_version() {
        let by_flag = |flag| Field::by_flag(flag).expect("a field");
        let support = Support {
            keys: Some(vec!["name".into(), "maxAge".into(), "path".into()]),
            traefik: Some(((3, 2), "edge/traefik".into())),
            native: None,
        };
        let honoured = |scope| {
            FIELDS.iter().filter(|field| honours(&support, field, scope)).map(|field| field.key).collect::<Vec<_>>()
        };
        assert_eq!(honoured(Scope::Both), ["name", "maxAge"]);
        assert_eq!(
            support.ignored(by_flag("path")).as_deref(),
            Some("Traefik 3.2 (edge/traefik) ignores it: it needs 3.3")
        );
        assert_eq!(
            support.refusal(by_flag("domain"), Scope::Both).as_deref(),
            Some("the TraefikServices of this cluster have no such field: it needs the CRDs of Traefik 3.4")
        );
        assert_eq!(support.refusal(by_flag("domain"), Scope::DeclareOnly), None);
        let native = support.with_native(&NativeField::Present(BTreeMap::from([("name".into(), vec![])])));
        assert_eq!(
            native.refusal(by_flag("max-age"), Scope::DeclareOnly).as_deref(),
            Some("the Canaries of this cluster have no such field")
        );
        assert_eq!(native.refusal(by_flag("max-age"), Scope::LiveOnly), None);
        assert!(FIELDS.iter().all(|field| honours(&Support::default(), field, Scope::Both)));
    }
}
