//! One step of a plan: a change of one object. A patch contains only the annotations (or the native field) of the Canary,
//! or `spec.weighted.sticky` of the TraefikService. The objects of an entry are this program's own, and are applied or
//! deleted whole. What is sent also names the `resourceVersion` that it was computed from.

use serde_json::{Value, json};

use crate::{
    error::{Error, Kind, Result},
    flagger::{Declared, NativeField, native},
    model::{
        Cookie, NamespacedName, ObjectKind, ObjectRef, Stickiness,
        declaration::{self, ANNOTATION, NATIVE_COOKIE},
        entry::ENTRY_ANNOTATION,
    },
    observed::Loaded,
    plan::patch,
    traefik::{Live, entry},
};

/// A change of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The object.
    pub object: ObjectRef,
    /// What is done to it.
    pub action: Action,
    /// The object from which the change was computed; null if there is none.
    pub before: Value,
}

/// What is done to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It gets this JSON merge patch.
    Patch(Value),
    /// It becomes this object, by server-side apply.
    Apply(Value),
    /// It is deleted.
    Delete,
}

impl Step {
    fn new(kind: ObjectKind, target: NamespacedName, patch: Value, before: &Value) -> Self {
        Self { object: ObjectRef { kind, target }, action: Action::Patch(patch), before: before.clone() }
    }

    /// Returns the step that makes an object of an entry as wanted.
    pub(super) fn apply(object: ObjectRef, wanted: Value, before: Option<&Value>) -> Self {
        Self { object, action: Action::Apply(wanted), before: before.cloned().unwrap_or_default() }
    }

    /// Returns the step that deletes an object of an entry.
    pub(super) fn delete(object: ObjectRef, before: &Value) -> Self {
        Self { object, action: Action::Delete, before: before.clone() }
    }

    /// Returns the object after the step, computed without a server; null if it is deleted.
    pub fn after(&self) -> Value {
        let mut after = self.before.clone();
        match &self.action {
            Action::Patch(patch) => patch::apply(&mut after, patch),
            Action::Apply(wanted) => {
                // What others added stays; the specification is this program's alone.
                if let Some(after) = after.as_object_mut() {
                    after.remove("spec");
                }
                patch::apply(&mut after, wanted);
            }
            Action::Delete => after = Value::Null,
        }
        after
    }

    /// Returns the patch of a step that is one.
    pub fn patch(&self) -> Option<&Value> {
        match &self.action {
            Action::Patch(patch) => Some(patch),
            Action::Apply(_) | Action::Delete => None,
        }
    }

    /// Returns what is sent: the patch or the object, with the `resourceVersion` that it was computed from; null for a
    /// deletion.
    pub fn body(&self) -> Value {
        let (Action::Patch(body) | Action::Apply(body)) = &self.action else { return Value::Null };
        let mut body = body.clone();
        if let Some(version) = self.before.pointer("/metadata/resourceVersion") {
            body["metadata"]["resourceVersion"] = version.clone();
        }
        body
    }

    /// Returns whether both change the same values of the same object in the same way.
    pub fn same_change(&self, other: &Self) -> bool {
        let is_same = match (&self.action, &other.action) {
            (Action::Apply(own), Action::Apply(other)) => {
                let parts = |object: &Value| [object["spec"].clone(), object["metadata"]["annotations"].clone()];
                parts(own) == parts(other)
            }
            (own, other) => own == other,
        };
        is_same && self.starts_from_the_same(other)
    }

    /// Returns whether both start from the same values of the same object.
    pub fn starts_from_the_same(&self, other: &Self) -> bool {
        let touched = |step: &Self| {
            [
                annotation(&step.before, ANNOTATION),
                annotation(&step.before, ENTRY_ANNOTATION),
                step.before.pointer("/spec/weighted/sticky").cloned(),
                step.before.pointer("/spec/service/traefik").cloned(),
                // The objects of an entry are changed whole.
                step.before.get("spec").filter(|_| !matches!(step.action, Action::Patch(_))).cloned(),
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
        match &self.action {
            Action::Patch(patch) => patch::is_satisfied_by(Some(object), patch),
            Action::Apply(wanted) => entry::is_as_wanted(object, wanted),
            Action::Delete => object.is_null(),
        }
    }
}

fn annotation(object: &Value, key: &str) -> Option<Value> {
    object.pointer("/metadata/annotations")?.get(key).cloned()
}

/// Returns the patch that declares this cookie and entry (or none); `None` if they already are.
pub(super) fn declaration(loaded: &Loaded, wanted: &Stickiness) -> Result<Option<Step>> {
    let (cookie, canary) = (wanted.cookie.as_ref(), &loaded.observed.canary);
    let declared = &canary.declared;
    let mut patch = match &loaded.native {
        NativeField::Present(fields) => native_patch(loaded, cookie, fields)?,
        NativeField::Absent if declared.cookie() == cookie && !matches!(declared, Declared::Malformed(..)) => {
            Value::Null
        }
        NativeField::Absent => json!({"metadata": {"annotations": {ANNOTATION: cookie.map(declaration::print)}}}),
    };
    let is_same_entry = match (&canary.entry, &wanted.entry) {
        (Some(Ok(declared)), Some(entry)) => declared == entry,
        (declared, entry) => declared.is_none() && entry.is_none(),
    };
    if !is_same_entry {
        let text = wanted.entry.as_ref().map(ToString::to_string);
        patch["metadata"]["annotations"][ENTRY_ANNOTATION] = json!(text);
    }
    let target = canary.target.clone();
    Ok((!patch.is_null()).then(|| Step::new(ObjectKind::Canary, target, patch, &loaded.canary)))
}

/// Returns the patch that sets the native field, and removes an annotation from before the field existed; null if there is
/// nothing to change.
fn native_patch(
    loaded: &Loaded,
    cookie: Option<&Cookie>,
    fields: &std::collections::BTreeMap<String, Vec<String>>,
) -> Result<Value> {
    let mut patch = Value::Null;
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
    Ok(patch)
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
