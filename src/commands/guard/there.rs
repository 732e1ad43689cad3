//! The guard as it is on a cluster, in whichever form.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::Cluster,
    context::Context,
    error::{Error, Kind, Result},
    guard::{Change, Form, Installed, Standing, deployment},
    output,
    plan::Confirmed,
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

    /// What takes one form away.
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
                removal.stays = removal.why_stays(server, &change).await;
                // One that has not even the guard's label was never the guard's.
                if removal.stays.is_some() || change.standing() == Standing::Foreign {
                    continue;
                }
            }
            change.must_be_ours()?;
            removal.changes.push(change);
        }
        Ok(removal)
    }
}

/// What takes a form of the guard away.
#[derive(Default)]
pub(super) struct Removal {
    /// In an order in which nobody is asked who is about to go, and nothing is bound that is not there; a namespace last.
    pub(super) changes: Vec<Change>,
    /// A namespace that the guard was installed in and that stays.
    pub(super) stays: Option<Stays>,
    /// The uids of these objects, and of what they own.
    known: BTreeSet<String>,
}

/// A namespace that stays, and why.
pub(super) struct Stays {
    namespace: String,
    why: String,
}

impl Stays {
    pub(super) fn tell(&self, ctx: &Context) {
        let namespace = &self.namespace;
        let text = format!("namespace `{namespace}` stays: {}", self.why);
        ctx.ui.status(&output::escaped(&text));
        ctx.ui.status(&format!("to delete it with all that is in it: kubectl delete namespace {namespace}"));
    }
}

impl Removal {
    /// The name of the namespace that goes too.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.changes.iter().find(|change| is_namespace(change)).and_then(name)
    }

    /// Deletes what was agreed to; returns what is gone. Whether the namespace may go is looked at again when all else is
    /// gone: somebody may have put something there meanwhile.
    pub(super) async fn delete(&mut self, server: &Cluster, agreed: Vec<Confirmed<Change>>) -> Result<Vec<Change>> {
        let mut gone = Vec::new();
        for confirmed in agreed {
            let change = confirmed.agreed();
            if is_namespace(change) {
                self.stays = self.why_stays(server, change).await;
                if self.stays.is_some() {
                    continue;
                }
            }
            let deleted = server.delete_guard(&confirmed).await;
            deleted.map_err(|failure| server.guard_error(failure, &change.wanted))?;
            gone.push(change.clone());
        }
        Ok(gone)
    }

    /// Why a namespace with the guard's label stays, if it does: the label can have been put on one that was there
    /// (`guard install -o yaml | kubectl apply -f -`).
    async fn why_stays(&mut self, server: &Cluster, change: &Change) -> Option<Stays> {
        let namespace = name(change).filter(|_| change.standing() != Standing::Foreign)?;
        if !change.before.as_ref().is_some_and(deployment::is_made_by_install) {
            let why = "it was not made by `guard install`".to_owned();
            return Some(Stays { namespace: namespace.to_owned(), why });
        }
        let why = match server.strangers(namespace, &mut self.known).await {
            Ok(strangers) => match strangers.as_slice() {
                [] => return None,
                [one] => format!("{one} is not the guard's"),
                [one, rest @ ..] => {
                    format!("{one} and {} are not the guard's", output::count(rest.len(), "other", "others"))
                }
            },
            Err(error) => format!("it is not known what is in it: {}", error.message()),
        };
        Some(Stays { namespace: namespace.to_owned(), why })
    }
}

fn is_namespace(change: &Change) -> bool {
    change.wanted["kind"] == "Namespace"
}

fn name(change: &Change) -> Option<&str> {
    change.wanted.pointer("/metadata/name")?.as_str()
}

/// The image that an installed webhook runs.
pub(super) fn image(installed: &Installed) -> Option<&str> {
    installed.deployment()?.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str)
}
