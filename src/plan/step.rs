//! One patch of a plan. Apart from the `resourceVersion` it was computed from, it contains only the annotation (or the
//! native field) of the Canary, or `spec.weighted.sticky` of the TraefikService.

use serde_json::{Value, json};

use crate::{
    error::{Error, Kind, Result},
    flagger::{Declared, NativeField, native},
    model::{
        Cookie, NamespacedName, ObjectKind, ObjectRef,
        declaration::{self, ANNOTATION, NATIVE_COOKIE},
    },
    observed::Loaded,
    plan::patch,
    traefik::Live,
};

/// A patch of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The object.
    pub object: ObjectRef,
    /// The JSON merge patch.
    pub patch: Value,
    /// The object from which the patch was computed.
    pub before: Value,
}

impl Step {
    fn new(kind: ObjectKind, target: NamespacedName, mut patch: Value, before: &Value) -> Self {
        if let Some(version) = before.pointer("/metadata/resourceVersion") {
            patch::apply(&mut patch, &json!({"metadata": {"resourceVersion": version}}));
        }
        Self { object: ObjectRef { kind, target }, patch, before: before.clone() }
    }

    /// Returns the object after the patch, computed without a server.
    pub fn after(&self) -> Value {
        let mut after = self.before.clone();
        patch::apply(&mut after, &self.patch);
        after
    }

    /// Returns the patch without the `resourceVersion` it starts from.
    pub fn change(&self) -> Value {
        let mut change = self.patch.clone();
        if let Some(metadata) = change.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("resourceVersion");
        }
        if change.get("metadata").is_some_and(|metadata| metadata == &json!({})) {
            change.as_object_mut().expect("a patch is a mapping").remove("metadata");
        }
        change
    }

    /// Returns whether both change the same values of the same object in the same way.
    pub fn same_change(&self, other: &Self) -> bool {
        self.starts_from_the_same(other) && self.change() == other.change()
    }

    /// Returns whether both start from the same values of the same object.
    pub fn starts_from_the_same(&self, other: &Self) -> bool {
        let touched = |step: &Self| {
            [
                step.before.pointer("/metadata/annotations").and_then(|all| all.get(ANNOTATION)).cloned(),
                step.before.pointer("/spec/weighted/sticky").cloned(),
                step.before.pointer("/spec/service/traefik").cloned(),
            ]
        };
        self.object == other.object && touched(self) == touched(other)
    }

    /// Returns whether this sets the same cookie as `agreed`, after a step of Flagger removed the one that `agreed`
    /// starts from: the weights differ, and there is no cookie to be overwritten.
    pub fn is_same_after_removal(&self, agreed: &Self) -> bool {
        let weighted = |object: &Value, key: &str| object.pointer("/spec/weighted").and_then(|it| it.get(key)).cloned();
        self.object == agreed.object
            && weighted(&self.before, "sticky").is_none()
            && weighted(&self.before, "services") != weighted(&agreed.before, "services")
            && weighted(&self.after(), "sticky") == weighted(&agreed.after(), "sticky")
    }

    /// Returns whether `object`, as returned by the server, contains the changes of this step.
    pub fn is_satisfied_by(&self, object: &Value) -> bool {
        patch::is_satisfied_by(Some(object), &self.change())
    }
}

/// Returns the patch that makes `cookie` (or none) the declared one; `None` if it already is.
pub(super) fn declaration(loaded: &Loaded, cookie: Option<&Cookie>) -> Result<Option<Step>> {
    let declared = &loaded.observed.canary.declared;
    let patch = match &loaded.native {
        NativeField::Present(fields) => native_patch(loaded, cookie, fields)?,
        NativeField::Absent if declared.cookie() == cookie && !matches!(declared, Declared::Malformed(..)) => None,
        NativeField::Absent => {
            let text = cookie.map(declaration::print);
            Some(json!({"metadata": {"annotations": {ANNOTATION: text}}}))
        }
    };
    let target = loaded.observed.canary.target.clone();
    Ok(patch.map(|patch| Step::new(ObjectKind::Canary, target, patch, &loaded.canary)))
}

/// Returns the patch that sets the native field, and removes an annotation from before the field existed.
fn native_patch(
    loaded: &Loaded,
    cookie: Option<&Cookie>,
    fields: &std::collections::BTreeMap<String, Vec<String>>,
) -> Result<Option<Value>> {
    let mut patch = json!({});
    let same =
        matches!(&loaded.observed.canary.declared, Declared::Native(now, odd) if Some(now) == cookie && odd.is_empty());
    let now = NATIVE_COOKIE.iter().try_fold(&loaded.canary, |value, key| value.get(key));
    // A server may keep a null, which means that nothing is set.
    let now = now.filter(|value| !value.is_null());
    if !same {
        let traefik = loaded.canary.pointer("/spec/service/traefik").unwrap_or(&Value::Null);
        let requested = match cookie {
            Some(cookie) => {
                let requested = native::value(cookie, fields)?;
                let cookie = now.map_or(Some(requested.clone()), |now| patch::between(now, &requested));
                cookie.map(|cookie| json!({"sticky": {"cookie": cookie}}))
            }
            None if now.is_none() => None,
            // Mappings that become empty are removed too, so that setting and removing leaves the Canary as it was.
            None if only_child(traefik, "sticky") && only_child(&traefik["sticky"], "cookie") => Some(Value::Null),
            None if only_child(&traefik["sticky"], "cookie") => Some(json!({"sticky": null})),
            None => Some(json!({"sticky": {"cookie": null}})),
        };
        if let Some(traefik) = requested {
            patch["spec"] = json!({"service": {"traefik": traefik}});
        }
    }
    if loaded.canary.pointer("/metadata/annotations").is_some_and(|all| all.get(ANNOTATION).is_some()) {
        patch["metadata"] = json!({"annotations": {ANNOTATION: null}});
    }
    Ok((patch != json!({})).then_some(patch))
}

fn only_child(value: &Value, key: &str) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1 && object.contains_key(key))
}

/// Returns the patch that makes `cookie` (or none) the live one; `None` if it already is.
pub(super) fn sticky(loaded: &Loaded, cookie: Option<&Cookie>) -> Result<Option<Step>> {
    let (Some(service), Some(object)) = (loaded.observed.service(), &loaded.service) else { return Ok(None) };
    if service.children.is_none() {
        return Err(Error::new(Kind::Conflict, format!("TraefikService `{}` is not weighted", service.target.name))
            .caused_by("it has no spec.weighted, which the cookie and Flagger's weights are part of")
            .hint("restore spec.weighted, or delete the TraefikService: Flagger creates it again"));
    }
    let sticky = match (&service.live, cookie) {
        (Live::Absent, None) => return Ok(None),
        (Live::Cookie(live, odd), Some(cookie)) if live == cookie && odd.is_empty() => return Ok(None),
        (_, None) => Value::Null,
        (_, Some(cookie)) => {
            let now = object.pointer("/spec/weighted/sticky").cloned().unwrap_or_else(|| json!({}));
            match patch::between(&now, &cookie.to_sticky()) {
                Some(patch) => patch,
                None => return Ok(None),
            }
        }
    };
    let patch = json!({"spec": {"weighted": {"sticky": sticky}}});
    Ok(Some(Step::new(ObjectKind::TraefikService(service.group), service.target.clone(), patch, object)))
}
