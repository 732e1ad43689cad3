//! Writes: the only code that changes anything on a cluster. Changes to Canaries and TraefikServices are confirmed JSON
//! merge patches, sent under this program's own field manager with strict validation.

#![expect(clippy::disallowed_methods, reason = "this is the one place that writes")]

use http::Method;
use serde_json::{Value, json};

use crate::{
    apiserver::{
        Answer, Call, Failure, Verb,
        parts::{Part, PartRead},
        request::request,
    },
    cluster::{
        Cluster,
        guard::place,
        paths::{call_of, path},
    },
    guard::{Change, GuardKind, GuardObject, deployment},
    model::{FIELD_MANAGER, ObjectRef},
    plan::{Action, Confirmed, Step, Write, patch},
};

/// How a write is sent: its method, and the type of its body.
type Way = (Method, &'static str);

const CREATE: Way = (Method::POST, "application/json");
const REPLACE: Way = (Method::PUT, "application/json");
const MERGE: Way = (Method::PATCH, "application/merge-patch+json");
const APPLY: Way = (Method::PATCH, "application/apply-patch+yaml");
const DELETE: Way = (Method::DELETE, "application/json");

/// The query of a write in which unknown fields are refused.
fn strict() -> String {
    format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict")
}

impl Cluster {
    async fn send(&self, (method, content): Way, call: &Call<'_>, uri: &str, body: &Value) -> Result<Answer, Failure> {
        let request = request(method, uri, Some(content), body.to_string().into_bytes())?;
        self.api.call(call, request).await
    }

    /// Does the same as [`Cluster::write`] as a dry run, and returns the object that the server would store.
    pub async fn dry_run(&self, step: &Step, force: bool) -> Result<Value, Failure> {
        self.take(step, force, "&dryRun=All", &["All"]).await
    }

    /// Takes one confirmed step, and returns the stored object; null if it is deleted. With `force`, an object of an
    /// entry is taken over from other field managers.
    ///
    /// # Errors
    ///
    /// The server refuses the step; a conflict if the object changed since it was read.
    pub async fn write(&self, write: Write<'_>, force: bool) -> Result<Value, Failure> {
        self.take(write.step(), force, "", &[]).await
    }

    async fn take(&self, step: &Step, force: bool, more: &str, dry_run: &[&str]) -> Result<Value, Failure> {
        let object = &step.object;
        let at = path(object.kind, object.target.namespace.as_deref(), Some(&object.target.name));
        match &step.action {
            Action::Patch(_) => self.patch_step(step, more).await?.json(),
            Action::Apply(wanted) => {
                if step.before.is_null() {
                    self.is_free(step, wanted).await?;
                }
                let mut stored = self.apply_at(&call_of(Verb::Patch, object), &at, &step.body(), force, more).await?;
                match patch::between(&stored["spec"], &wanted["spec"]).filter(|_| force) {
                    None => Ok(stored),
                    // An apply leaves the fields that others have added.
                    Some(spec) if dry_run.is_empty() => {
                        let version = &stored["metadata"]["resourceVersion"];
                        let patch = json!({"metadata": {"resourceVersion": version}, "spec": spec});
                        self.patch_object(object, &strict(), &patch).await?.json()
                    }
                    Some(_) => {
                        stored["spec"].clone_from(&wanted["spec"]);
                        Ok(stored)
                    }
                }
            }
            Action::Delete => {
                self.delete_at(&call_of(Verb::Delete, object), &at, Some(&step.before), dry_run).await?;
                Ok(Value::Null)
            }
        }
    }

    /// Asks whether an object can be created. An apply would take over one of the same name that somebody has created since
    /// the routes were read.
    async fn is_free(&self, step: &Step, wanted: &Value) -> Result<(), Failure> {
        let path = path(step.object.kind, step.object.target.namespace.as_deref(), None);
        let uri = format!("{path}?dryRun=All&fieldManager={FIELD_MANAGER}");
        self.send(CREATE, &call_of(Verb::Create, &step.object), &uri, wanted).await.map(drop)
    }

    /// Like [`Cluster::write`], but returns only this part of the stored object.
    pub(crate) async fn write_part(&self, write: Write<'_>, part: &'static Part) -> Result<PartRead, Failure> {
        self.patch_step(write.step(), "").await?.part(part)
    }

    async fn patch_step(&self, step: &Step, more: &str) -> Result<Answer, Failure> {
        // Anything else is no patch, and the server refuses it.
        let body = step.patch().map_or(Value::Null, |_| step.body());
        self.patch_object(&step.object, &(strict() + more), &body).await
    }

    /// Drops the sticky cookie in a dry run, without a field manager as Flagger does or with this one. Returns the
    /// object that the server would store, and its warnings.
    pub(super) async fn dry_run_removing_cookie(
        &self,
        object: &ObjectRef,
        manager: Option<&str>,
    ) -> Result<(Value, Vec<String>), Failure> {
        let manager = manager.map_or_else(String::new, |manager| format!("&fieldManager={manager}"));
        let patch = json!({"spec": {"weighted": {"sticky": null}}});
        let answer = self.patch_object(object, &format!("dryRun=All{manager}"), &patch).await?;
        Ok((answer.json()?, answer.warnings))
    }

    async fn patch_object(&self, object: &ObjectRef, query: &str, patch: &Value) -> Result<Answer, Failure> {
        let path = path(object.kind, object.target.namespace.as_deref(), Some(&object.target.name));
        self.send(MERGE, &call_of(Verb::Patch, object), &format!("{path}?{query}"), patch).await
    }

    /// Applies one of the guard's objects as a dry run, and returns the object that the server would store.
    pub async fn dry_run_guard(&self, change: &Change, force: bool) -> Result<Value, Failure> {
        self.apply(&change.wanted, force, "&dryRun=All").await
    }

    /// Writes one of the guard's objects by server-side apply.
    ///
    /// # Errors
    ///
    /// The server refuses the object; a conflict if other field managers own fields of it and `force` is not set.
    pub async fn write_guard(&self, change: &Confirmed<Change>, force: bool) -> Result<Value, Failure> {
        let change = change.agreed();
        if change.wanted.kind == GuardKind::Namespace && change.before.is_none() {
            return self.create(&deployment::mark_created_by_install(&change.wanted), &strict()).await;
        }
        self.apply(&change.wanted, force, "").await
    }

    /// Creates one of the guard's objects. Server-side apply would take over one that was created in the meantime.
    async fn create(&self, object: &GuardObject, query: &str) -> Result<Value, Failure> {
        let (call, path) = place(object);
        let path = path.rsplit_once('/').map_or(path.as_str(), |(collection, _)| collection);
        let call = Call { verb: Verb::Create, ..call };
        self.send(CREATE, &call, &format!("{path}?{query}"), &object.value).await?.json()
    }

    async fn apply(&self, object: &GuardObject, force: bool, more: &str) -> Result<Value, Failure> {
        let (call, path) = place(object);
        self.apply_at(&call, &path, &object.value, force, more).await
    }

    async fn apply_at(
        &self,
        call: &Call<'_>,
        path: &str,
        object: &Value,
        force: bool,
        more: &str,
    ) -> Result<Value, Failure> {
        let uri = format!("{path}?{}&force={force}{more}", strict());
        self.send(APPLY, &Call { verb: Verb::Patch, ..*call }, &uri, object).await?.json()
    }

    /// Deletes one of the guard's objects as a dry run.
    ///
    /// # Errors
    ///
    /// The server refuses the deletion. It is not an error if the object no longer exists.
    pub async fn dry_run_delete_guard(&self, change: &Change) -> Result<(), Failure> {
        self.delete(change, &["All"]).await
    }

    /// Writes only the `caBundle` of one of the guard's webhook configurations, under a separate field manager.
    pub async fn write_authorities(&self, part: &GuardObject) -> Result<Value, Failure> {
        let (call, path) = place(part);
        let uri = format!("{path}?fieldManager={FIELD_MANAGER}-run&fieldValidation=Strict&force=true");
        self.send(APPLY, &Call { verb: Verb::Patch, ..call }, &uri, &part.value).await?.json()
    }

    /// Writes the Secret in which the guard's replicas share their certificates: creates it, or replaces the version
    /// that it names.
    ///
    /// # Errors
    ///
    /// The server refuses the Secret; a conflict if another replica was first.
    pub async fn write_secret(&self, secret: &GuardObject) -> Result<Value, Failure> {
        debug_assert_eq!(secret.kind, GuardKind::Secret, "anything else needs a confirmation");
        let query = format!("fieldManager={FIELD_MANAGER}");
        if secret.value.pointer("/metadata/resourceVersion").is_none() {
            return self.create(secret, &query).await;
        }
        let (call, path) = place(secret);
        let call = Call { verb: Verb::Update, ..call };
        self.send(REPLACE, &call, &format!("{path}?{query}"), &secret.value).await?.json()
    }

    /// Deletes one of the guard's objects, if it is unchanged since the deletion was confirmed.
    ///
    /// # Errors
    ///
    /// The server refuses the deletion. It is not an error if the object no longer exists.
    pub async fn delete_guard(&self, change: &Confirmed<Change>) -> Result<(), Failure> {
        self.delete(change.agreed(), &[]).await
    }

    async fn delete(&self, change: &Change, dry_run: &[&str]) -> Result<(), Failure> {
        let (call, path) = place(&change.wanted);
        self.delete_at(&call, &path, change.before.as_ref(), dry_run).await
    }

    async fn delete_at(
        &self,
        call: &Call<'_>,
        path: &str,
        before: Option<&Value>,
        dry_run: &[&str],
    ) -> Result<(), Failure> {
        let version = before.and_then(|before| before.pointer("/metadata/resourceVersion"));
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": dry_run,
            "preconditions": {"resourceVersion": version}});
        match self.send(DELETE, &Call { verb: Verb::Delete, ..*call }, path, &options).await {
            Err(failure) if !failure.is_not_found() => Err(failure),
            _ => Ok(()),
        }
    }
}
