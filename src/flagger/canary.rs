//! A Flagger Canary, as far as this program needs it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    flagger::analysis::Rollout,
    model::{
        cookie::Cookie,
        declaration::{self, ANNOTATION, Malformed, NATIVE_COOKIE},
        entry::{ENTRY_ANNOTATION, Entry},
        name::{self, CANARY_API_VERSION, NamespacedName},
        view,
    },
};

/// The parts of a Canary that this program reads. The object itself is kept separately, unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Namespace and name.
    pub target: NamespacedName,
    /// `metadata.uid`.
    pub uid: Option<String>,
    /// `metadata.creationTimestamp`, as text.
    pub created: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec.provider`; empty counts as missing.
    pub provider: Option<String>,
    /// Name of the TraefikService that Flagger generates: `spec.service.name`, else `spec.targetRef.name`
    /// (Flagger's `pkg/apis/flagger/v1beta1/canary.go:GetServiceNames`).
    pub service_name: Option<String>,
    /// `spec.targetRef.name`.
    pub target_name: Option<String>,
    /// Annotations that look like those of this program, but are none.
    pub mistyped: Vec<String>,
    /// `spec.service.port`.
    pub port: Option<i64>,
    /// Whether `spec.service.apex` is set.
    pub has_apex: bool,
    /// `spec.service.apex.labels`, which Flagger copies to the TraefikService.
    pub apex_labels: Map<String, Value>,
    /// `spec.service.apex.annotations`, which Flagger copies to the TraefikService.
    pub apex_annotations: Map<String, Value>,
    /// `status.phase`.
    pub phase: Option<String>,
    /// Settings and progress of the rollout.
    pub rollout: Rollout,
    /// The declared cookie.
    pub declared: Declared,
    /// The declared entry, or why it is malformed.
    pub entry: Option<Result<Entry, Malformed>>,
    /// The text of an entry that is malformed.
    pub entry_text: Option<String>,
}

/// The cookie declared on a Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// No cookie is declared.
    Nothing,
    /// Declared in the native field, which exists only if Flagger copies it itself; with the reason per unknown or
    /// invalid key.
    Native(Cookie, BTreeMap<String, String>),
    /// Declared in the annotation.
    Annotation(Cookie),
    /// Declared in the annotation, which is malformed: its text, and the error.
    Malformed(String, Malformed),
}

impl Declared {
    /// Returns the declared cookie, if it is well-formed.
    pub fn cookie(&self) -> Option<&Cookie> {
        match self {
            Self::Native(cookie, _) | Self::Annotation(cookie) => Some(cookie),
            Self::Nothing | Self::Malformed(..) => None,
        }
    }

    /// Parses the value of the annotation.
    pub fn of_annotation(text: &str) -> Self {
        match declaration::parse(text) {
            Ok(cookie) => Self::Annotation(cookie),
            Err(malformed) => Self::Malformed(text.to_owned(), malformed),
        }
    }

    fn read(object: &Value) -> Self {
        if let Some(native) = view::object(object, &NATIVE_COOKIE) {
            let (cookie, odd) = Cookie::from_json(native);
            return Self::Native(cookie, odd);
        }
        match view::at(object, &["metadata", "annotations", ANNOTATION]) {
            None | Some(Value::Null) => Self::Nothing,
            Some(Value::String(text)) => Self::of_annotation(text),
            // Only possible in a manifest: on an API server, annotations are always strings.
            Some(other) => Self::Malformed(other.to_string(), Malformed::not_text(&other.to_string())),
        }
    }
}

/// Returns the annotations that look like those of this program, but are none: of its domain or a similar one.
fn mistyped(metadata: &Value) -> Vec<String> {
    let is_near_ours = |key: &&String| {
        let (domain, name) = key.split_once('/').unwrap_or(("", key));
        let is_ours = [ANNOTATION, ENTRY_ANNOTATION].contains(&key.as_str());
        !is_ours && (domain.contains("canary-traefik") || domain.contains("canary_traefik") || name == "sticky-cookie")
    };
    let annotations = view::object(metadata, &["annotations"]).into_iter().flatten();
    annotations.filter(|(_, value)| !value.is_null()).map(|(key, _)| key).filter(is_near_ours).cloned().collect()
}

/// Reads the entry's annotation.
fn read_entry(object: &Value) -> Option<Result<Entry, Malformed>> {
    match view::at(object, &["metadata", "annotations", ENTRY_ANNOTATION]) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Entry::parse(text)),
        // Only possible in a manifest, as above.
        Some(other) => Some(Err(Malformed::not_text(&other.to_string()))),
    }
}

impl Canary {
    /// Returns whether an object is a Canary, by its kind and `apiVersion`.
    pub fn is(object: &Value) -> bool {
        object.get("kind").and_then(Value::as_str) == Some("Canary")
            && object.get("apiVersion").and_then(Value::as_str) == Some(CANARY_API_VERSION)
    }

    /// Returns the `apiVersion` of a Canary in another version of Flagger's group.
    pub fn other_version(object: &Value) -> Option<&str> {
        let version = view::text(object, &["apiVersion"])?;
        let is_canary = view::text(object, &["kind"]) == Some("Canary") && version.starts_with("flagger.app/");
        (is_canary && version != CANARY_API_VERSION).then_some(version)
    }

    /// Reads a Canary. Missing or invalid fields are ignored; only the name is required.
    pub fn from_object(object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let entry = read_entry(object);
        Some(Self {
            target: NamespacedName {
                namespace: view::owned(metadata, &["namespace"]),
                name: view::owned(metadata, &["name"])?,
            },
            uid: view::owned(metadata, &["uid"]),
            created: view::owned(metadata, &["creationTimestamp"]),
            labels: view::text_map(metadata, &["labels"]),
            provider: view::owned(object, &["spec", "provider"]),
            service_name: view::owned(object, &["spec", "service", "name"])
                .or_else(|| view::owned(object, &["spec", "targetRef", "name"])),
            target_name: view::owned(object, &["spec", "targetRef", "name"]),
            mistyped: mistyped(metadata),
            port: view::at(object, &["spec", "service", "port"]).and_then(Value::as_i64),
            has_apex: view::object(object, &["spec", "service", "apex"]).is_some(),
            apex_labels: view::object(object, &["spec", "service", "apex", "labels"]).cloned().unwrap_or_default(),
            apex_annotations: view::object(object, &["spec", "service", "apex", "annotations"])
                .cloned()
                .unwrap_or_default(),
            phase: view::owned(object, &["status", "phase"]),
            rollout: Rollout::read(object),
            declared: Declared::read(object),
            entry_text: entry
                .as_ref()
                .filter(|entry| entry.is_err())
                .and_then(|_| view::owned(object, &["metadata", "annotations", ENTRY_ANNOTATION])),
            entry,
        })
    }

    /// Returns the declared entry, if it is well-formed.
    pub fn declared_entry(&self) -> Option<&Entry> {
        self.entry.as_ref()?.as_ref().ok()
    }

    /// Returns the name of the primary's child Service.
    pub fn primary_name(&self) -> Option<String> {
        self.service_name.as_ref().map(|name| format!("{name}-primary"))
    }

    /// Returns the name of the canary's child Service.
    pub fn canary_name(&self) -> Option<String> {
        self.service_name.as_ref().map(|name| format!("{name}-canary"))
    }

    /// Returns why the TraefikService's name is invalid, if it is, so that Flagger cannot generate it.
    pub fn service_problem(&self) -> Option<String> {
        self.service_name.as_deref().and_then(|name| name::check(name).err())
    }

    /// Returns the namespace and name of the TraefikService that Flagger generates.
    pub fn service_target(&self) -> Option<NamespacedName> {
        Some(NamespacedName { namespace: self.target.namespace.clone(), name: self.service_name.clone()? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn canary(spec: &Value) -> Canary {
        Canary::from_object(&json!({"metadata": {"name": "a"}, "spec": spec})).unwrap()
    }

    #[test]
    fn the_service_is_named_by_the_service_else_by_the_target() {
        let target = json!({"targetRef": {"name": "app"}});
        assert_eq!(canary(&target).service_name.as_deref(), Some("app"));
        let both = json!({"targetRef": {"name": "app"}, "service": {"name": "web", "port": 80}});
        assert_eq!(canary(&both).primary_name().as_deref(), Some("web-primary"));
        let empty = json!({"targetRef": {"name": "app"}, "service": {"name": ""}});
        assert_eq!(canary(&empty).canary_name().as_deref(), Some("app-canary"));
    }

    #[test]
    fn odd_types_are_not_seen_and_never_fail() {
        let odd = json!({"metadata": {"name": "a", "labels": {"n": 1, "t": "x"}, "annotations": []},
            "spec": {"provider": 3, "service": {"port": "http", "name": ["x"]}, "targetRef": "app"}, "status": 4});
        let canary = Canary::from_object(&odd).unwrap();
        assert_eq!(canary.labels, BTreeMap::from([("t".into(), "x".into())]));
        assert_eq!((canary.provider, canary.service_name, canary.port, canary.phase), (None, None, None, None));
        assert_eq!(canary.declared, Declared::Nothing);
        assert_eq!(Canary::from_object(&json!({"metadata": {}})), None);
    }

    #[test]
    fn an_annotation_that_is_no_text_is_malformed() {
        let declared = |value: Value| {
            let object = json!({"metadata": {"name": "a", "annotations": {ANNOTATION: value}}});
            Canary::from_object(&object).unwrap().declared
        };
        let Declared::Malformed(text, malformed) = declared(json!(true)) else { panic!("not malformed") };
        assert_eq!(
            (text.as_str(), malformed.to_string().as_str()),
            ("true", "`true`: it is not a string: put it in quotes")
        );
        assert_eq!(declared(Value::Null), Declared::Nothing);
    }

    #[test]
    fn the_native_field_comes_before_the_annotation() {
        let object = json!({"metadata": {"name": "a", "annotations": {ANNOTATION: "old"}},
            "spec": {"service": {"traefik": {"sticky": {"cookie": {"name": "new"}}}}}});
        let declared = Canary::from_object(&object).unwrap().declared;
        assert_eq!(declared.cookie().and_then(Cookie::name), Some("new"));
    }
}
