//! The guard as it is on a cluster, in whichever form.

use serde_json::Value;

use crate::{
    cluster::Cluster,
    error::{Error, Kind, Result},
    guard::{Change, Form, Installed, Standing, deployment},
};

/// Both forms of the guard on one cluster.
pub(super) struct There {
    /// What is said of a cluster that serves no mutating admission policies.
    pub(super) unserved: Option<Error>,
    /// The policies, there or not.
    pub(super) policies: Installed,
    /// The webhook, if there is any sign of it.
    pub(super) webhook: Option<Installed>,
}

impl There {
    /// Looks for both.
    pub(super) async fn read(server: &Cluster) -> Result<Self> {
        let (unserved, policies) = match server.must_serve_policies().await {
            Ok(()) => (None, server.policies().await?),
            Err(error) if error.kind() == Kind::NotFound => (Some(error), Installed::policies(Vec::new())),
            Err(error) => return Err(error),
        };
        // Who has policies may do without the right to look for a webhook.
        let webhook =
            if policies.is_absent() || server.may_see_webhook().await { server.webhook().await? } else { None };
        Ok(Self { unserved, policies, webhook })
    }

    /// The forms that are there.
    pub(super) fn forms(&self) -> Vec<&Installed> {
        let policies = (!self.policies.is_absent()).then_some(&self.policies);
        policies.into_iter().chain(&self.webhook).collect()
    }

    /// What takes one form away, in an order in which nobody is asked who is about to go, and nothing is bound that is not
    /// there. A namespace of somebody else's stays.
    pub(super) async fn removal(&self, server: &Cluster, form: Form) -> Result<Vec<Change>> {
        let Some(installed) = self.forms().into_iter().find(|installed| installed.form == form) else {
            return Ok(Vec::new());
        };
        let mut changes: Vec<_> = installed.parts.iter().map(|part| part.change.clone()).collect();
        if let Some(namespace) = installed.namespace() {
            let secret = server.changes(vec![deployment::secret(namespace)]).await?;
            changes.splice(1..1, secret);
        }
        changes.retain(|change| {
            let is_foreign = change.wanted["kind"] == "Namespace" && change.standing() == Standing::Foreign;
            change.before.is_some() && !is_foreign
        });
        changes.reverse();
        for change in &changes {
            change.must_be_ours()?;
        }
        Ok(changes)
    }
}

/// The image that an installed webhook runs.
pub(super) fn image(installed: &Installed) -> Option<&str> {
    installed.deployment()?.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str)
}
