//! The guard as installed on a cluster, in either form.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::Cluster,
    context::Context,
    error::{Error, Kind, Result},
    guard::{Change, Form, GuardKind, Installed, ObjectState, deployment},
    output::{
        self,
        change::{self, DryRun},
    },
    plan::Confirmed,
};

/// The state of both forms of the guard on one cluster.
pub(super) struct GuardState {
    /// The error to report if the cluster serves no mutating admission policies.
    pub(super) unserved: Option<Error>,
    /// The policies, installed or not.
    pub(super) policies: Installed,
    /// The webhook, if any part of it was found.
    pub(super) webhook: Option<Installed>,
}

impl GuardState {
    /// Reads both forms from the cluster.
    pub(super) async fn read(server: &Cluster) -> Result<Self> {
        let (unserved, policies) = match server.must_serve_policies().await {
            Ok(()) => (None, server.policies().await?),
            Err(error) if error.kind() == Kind::NotFound => (Some(error), Installed::policies(Vec::new())),
            Err(error) => return Err(error),
        };
        // A user of the policies may lack permission to look for a webhook.
        let webhook =
            if policies.is_absent() || server.may_see_webhook().await { server.webhook().await? } else { None };
        Ok(Self { unserved, policies, webhook })
    }

    /// Returns the installed forms.
    pub(super) fn forms(&self) -> Vec<&Installed> {
        let policies = (!self.policies.is_absent()).then_some(&self.policies);
        policies.into_iter().chain(&self.webhook).collect()
    }

    /// Returns the deletions that remove one form.
    pub(super) async fn removal(&self, server: &Cluster, form: Form) -> Result<Removal> {
        let mut removal = Removal::default();
        let Some(installed) = self.forms().into_iter().find(|installed| installed.form == form) else {
            return Ok(removal);
        };
        let mut changes: Vec<_> = installed.parts.iter().map(|part| part.change.clone()).collect();
        if let Some(namespace) = installed.namespace() {
            let secret = server.changes(vec![deployment::secret(namespace)]).await?;
            changes.splice(1..1, secret);
        }
        changes.retain(|change| change.before.is_some());
        changes.reverse();
        let uid = |change: &Change| Some(change.before.as_ref()?.pointer("/metadata/uid")?.as_str()?.to_owned());
        removal.known = changes.iter().filter_map(uid).collect();
        for change in changes {
            if is_namespace(&change) {
                removal.stays = removal.why_not_deleted(server, &change).await;
                // A namespace without the guard's label was never the guard's.
                if removal.stays.is_some() || change.standing() == ObjectState::Foreign {
                    continue;
                }
            }
            change.must_be_ours()?;
            removal.changes.push(change);
        }
        Ok(removal)
    }
}

/// The deletions that remove a form of the guard.
#[derive(Default)]
pub(super) struct Removal {
    /// The deletions in an order in which no webhook is called that is being deleted and no binding outlives its
    /// policy; a namespace comes last.
    pub(super) changes: Vec<Change>,
    /// The namespace of the guard, and why it stays, if it is not deleted.
    stays: Option<(String, String)>,
    /// UIDs of these objects, and of the objects they own.
    known: BTreeSet<String>,
}

impl Removal {
    /// Returns the question whether to delete the objects, after these changes of a new guard.
    pub(super) fn question(&self, changes: &[Change]) -> String {
        let count = |number| output::count(number, "object", "objects");
        let namespace = self.changes.iter().find(|change| is_namespace(change));
        let namespace = namespace.map(|change| format!(", namespace `{}` among them", change.wanted.name()));
        let namespace = namespace.unwrap_or_default();
        if changes.is_empty() {
            return format!("Delete {}{namespace}?", count(self.changes.len()));
        }
        let verb = |change: &Change| if change.before.is_none() { "created" } else { "configured" };
        let proposal = output::change::proposal(&changes.iter().map(verb).collect::<Vec<_>>());
        match self.changes.len() {
            0 => format!("{proposal}?"),
            deletions => format!(
                "{proposal}, and delete {} of the former guard{namespace} once the new ones work?",
                count(deletions)
            ),
        }
    }

    /// Reports the namespace that is not deleted.
    pub(super) fn tell_what_stays(&self, ctx: &Context) {
        let Some((namespace, why)) = &self.stays else { return };
        ctx.ui.status(&output::escaped(&format!("namespace `{namespace}` stays: {why}")));
        let delete = format!("to delete it and everything in it: kubectl delete namespace {namespace}");
        ctx.ui.status(&output::escaped(&ctx.again(&delete)));
    }

    /// Deletes the confirmed objects, and reports what is deleted and what stays. The namespace is checked again after
    /// everything else is gone, because something may have been created in it meanwhile.
    pub(super) async fn delete(
        &mut self,
        ctx: &Context,
        server: &Cluster,
        agreed: Vec<Confirmed<Change>>,
    ) -> Result<()> {
        let mut gone = Vec::new();
        for confirmed in agreed {
            let change = confirmed.agreed();
            if is_namespace(change) {
                self.stays = self.why_not_deleted(server, change).await;
                if self.stays.is_some() {
                    continue;
                }
            }
            let deleted = server.delete_guard(&confirmed).await;
            deleted?;
            gone.push(change.clone());
        }
        ctx.ui.data(&deleted_lines(&gone, DryRun::None))?;
        self.tell_what_stays(ctx);
        Ok(())
    }

    /// Returns why a namespace with the guard's label is not deleted, if so: the label may have been added to an
    /// existing namespace (`guard install -o yaml | kubectl apply -f -`).
    async fn why_not_deleted(&mut self, server: &Cluster, change: &Change) -> Option<(String, String)> {
        if change.standing() == ObjectState::Foreign {
            return None;
        }
        let namespace = change.wanted.name().to_owned();
        if !change.before.as_ref().is_some_and(deployment::is_made_by_install) {
            return Some((namespace, "it was not made by `guard install`".into()));
        }
        let why = match server.unknown_objects(&namespace, &mut self.known).await {
            Ok(unknown_objects) => match unknown_objects.as_slice() {
                [] => return None,
                [one] => format!("{one} does not belong to the guard"),
                [one, rest @ ..] => {
                    format!("{one} and {} do not belong to the guard", output::count(rest.len(), "other", "others"))
                }
            },
            Err(error) => format!("its contents cannot be listed: {}", error.message()),
        };
        Some((namespace, why))
    }
}

/// Returns a line for each object that is deleted.
pub(super) fn deleted_lines(changes: &[Change], dry_run: DryRun) -> String {
    changes.iter().map(|change| change::line(&change.wanted, "deleted", dry_run)).collect()
}

fn is_namespace(change: &Change) -> bool {
    change.wanted.kind == GuardKind::Namespace
}

/// Returns the image of an installed webhook.
pub(super) fn image(installed: &Installed) -> Option<&str> {
    installed.deployment()?.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str)
}
