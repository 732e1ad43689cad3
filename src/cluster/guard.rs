//! The guard on a cluster: whether it is there, whether it acts, and its objects.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{Call, Cluster, Failure, Verb, object::percent_encoded, read::get};
use crate::{
    error::{Error, Kind, Result},
    guard::{Change, Coverage, Installed, install, policy, webhook},
    model::{Declared, Guarded, Observed},
    plan::{ObjectKind, ObjectRef},
};

const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// How long policies that are there may take to be taken up by every API server.
const UPTAKE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Refuses a cluster that serves no mutating admission policies.
    ///
    /// # Errors
    ///
    /// Kind `NotFound`, with the way out.
    pub async fn must_serve_policies(&self) -> Result<()> {
        let call = Call {
            verb: Verb::Get,
            resource: "the resources of admissionregistration.k8s.io/v1",
            namespace: None,
            name: None,
        };
        let resources = self.call(&call, get(GROUP)).await.and_then(|answer| answer.json());
        let resources = resources.map_err(|failure| failure.into_error(&call))?;
        let names = resources["resources"].as_array().into_iter().flatten().map(|resource| &resource["name"]);
        if names.into_iter().any(|name| name == "mutatingadmissionpolicies") {
            return Ok(());
        }
        Err(Error::new(
            Kind::NotFound,
            "this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)",
        )
        .caused_by("Kubernetes does so from 1.36 on")
        .hint("until then, run kubectl canary-traefik sticky apply -A after each weight step"))
    }

    /// One of the guard's objects as it is; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub async fn find_guard(&self, wanted: &Value) -> Result<Option<Value>, Failure> {
        let (call, path) = place(wanted);
        match self.call(&call, get(&path)).await.and_then(|answer| answer.json()) {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Each of these objects beside what is there.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub async fn changes(&self, wanted: Vec<Value>) -> Result<Vec<Change>> {
        let changes = join_all(wanted.into_iter().map(|wanted| async move {
            match self.find_guard(&wanted).await {
                Ok(before) => Ok(Change { wanted, before }),
                Err(failure) => Err(failure.into_error(&place(&wanted).0)),
            }
        }));
        changes.await.into_iter().collect()
    }

    /// The guard's objects that are there.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub async fn guard(&self) -> Result<Installed> {
        self.guard_objects(|_| true).await
    }

    /// Those of the guard's objects that are there and wanted.
    pub(super) async fn guard_objects(&self, wanted: impl Fn(&Value) -> bool) -> Result<Installed> {
        let all = policy::objects(&Coverage::default());
        let objects = join_all(all.iter().map(|object| {
            let wanted = wanted(object);
            async move {
                if !wanted {
                    return Ok(None);
                }
                self.find_guard(object).await.map_err(|failure| failure.into_error(&place(object).0))
            }
        }));
        Ok(Installed::new(objects.await.into_iter().collect::<Result<_>>()?))
    }

    /// Says of each Canary whether the guard covers it, by the guard's objects alone.
    pub(super) async fn look_up_guard(&self) -> Look {
        let Ok(installed) = self.guard_objects(policy::is_keep).await else { return Look::Unknown };
        let coverage = if installed.keeps() {
            installed.coverage()
        } else {
            let wanted = json!({"kind": "MutatingWebhookConfiguration", "metadata": {"name": webhook::NAME}});
            match self.find_guard(&wanted).await {
                Ok(found) => match found.as_ref().and_then(webhook::coverage) {
                    Some(coverage) => coverage,
                    None => return Look::Absent,
                },
                Err(_) => return Look::Unknown,
            }
        };
        let namespaces = match &coverage.namespace_selector {
            None => None,
            Some(selector) => match self.namespaces(selector).await {
                Ok(namespaces) => Some(namespaces),
                Err(_) => return Look::Unknown,
            },
        };
        Look::Covers(coverage, namespaces)
    }

    /// The names of the namespaces that a selector object selects.
    async fn namespaces(&self, selector: &Value) -> Result<Vec<String>, Failure> {
        let call = Call { verb: Verb::List, resource: "namespaces", namespace: None, name: None };
        let list = self.call(&call, get("/api/v1/namespaces")).await?.json()?;
        let selector = crate::model::selector::Selector::from_object(selector);
        let selected = list["items"].as_array().into_iter().flatten().filter(|namespace| {
            let labels = namespace.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
            let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
            selector.as_ref().is_some_and(|selector| selector.matches(&labels))
        });
        Ok(selected.filter_map(|namespace| Some(namespace.pointer("/metadata/name")?.as_str()?.to_owned())).collect())
    }

    /// Whether the guard keeps the stanza of this Canary: proven by a dry-run write as Flagger makes it, which
    /// drops the stanza and must get it back. Without the right to write, by the guard's objects.
    pub async fn guarded(&self, observed: &Observed) -> Guarded {
        if !matches!(observed.canary.declared, Declared::Annotation(_)) {
            return Guarded::Unknown;
        }
        if observed.service().is_none() {
            return self.look_up_guard().await.covers(observed);
        }
        let (proof, look) = join(self.comes_back(observed, false), self.look_up_guard()).await;
        match (proof, look.covers(observed)) {
            (Ok(true), _) => Guarded::Yes,
            // A policy that is there and did not act may be about to be taken up, or to see the Canary's change.
            (Ok(false), Guarded::Yes) => self.comes_back_soon(observed).await,
            (Ok(false), _) => Guarded::No,
            (Err(_), looked) => looked,
        }
    }

    async fn comes_back_soon(&self, observed: &Observed) -> Guarded {
        let began = Instant::now();
        while began.elapsed() < UPTAKE {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Ok(true) = self.comes_back(observed, false).await {
                return Guarded::Yes;
            }
        }
        Guarded::No
    }

    /// Whether a write that drops the stanza gets the declared one back; nothing is stored. With
    /// `names_manager`, *carry* does not act, so that it is *keep* that is proven.
    ///
    /// # Errors
    ///
    /// This user may not write the TraefikService, or it cannot be asked.
    pub async fn comes_back(&self, observed: &Observed, names_manager: bool) -> Result<bool, Failure> {
        let (Some(service), Some(cookie)) = (observed.service(), observed.canary.declared.cookie()) else {
            return Ok(false);
        };
        let kind = ObjectKind::TraefikService(service.group);
        let target = &service.target;
        let object = ObjectRef { kind, target: target.clone() };
        let answer = self.dry_run_dropping_stanza(&object, names_manager).await?;
        Ok(answer.pointer("/spec/weighted/sticky") == Some(&cookie.to_stanza()))
    }
}

impl Cluster {
    /// The error for one of the guard's objects.
    pub fn guard_error(&self, failure: Failure, object: &Value) -> Error {
        let (call, _) = place(object);
        let verb = if failure.is_forbidden() || failure.is_conflict() { Verb::Patch } else { Verb::Get };
        failure.into_error(&Call { verb, ..call })
    }

    /// The error for a TraefikService that was written in a dry run.
    pub fn said(&self, failure: Failure, observed: &Observed) -> Error {
        let Some(service) = observed.service() else { return Error::new(Kind::Bug, "no TraefikService was written") };
        let kind = ObjectKind::TraefikService(service.group);
        failure.into_error(&Call::of(Verb::Patch, &ObjectRef { kind, target: service.target.clone() }))
    }
}

/// What the guard's objects say.
pub(super) enum Look {
    /// They cannot be read.
    Unknown,
    /// They are not all there.
    Absent,
    /// They are, with this coverage; the namespaces by name when not all are covered.
    Covers(Coverage, Option<Vec<String>>),
}

impl Look {
    /// Whether this Canary is covered.
    pub(super) fn covers(&self, observed: &Observed) -> Guarded {
        match self {
            Self::Unknown => Guarded::Unknown,
            Self::Absent => Guarded::No,
            Self::Covers(coverage, namespaces) => {
                let canary = &observed.canary;
                let in_scope = namespaces.as_ref().is_none_or(|namespaces| {
                    canary.target.namespace.as_ref().is_some_and(|namespace| namespaces.contains(namespace))
                });
                if in_scope && install::covers(coverage, canary) { Guarded::Yes } else { Guarded::No }
            }
        }
    }
}

/// The resource of one of the guard's objects, with its group.
pub(super) fn resource(object: &Value) -> &'static str {
    match object["kind"].as_str().unwrap_or_default() {
        "MutatingAdmissionPolicy" => "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "MutatingAdmissionPolicyBinding" => "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy" => "validatingadmissionpolicies.admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding" => "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "MutatingWebhookConfiguration" => "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration" => "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "ClusterRole" => "clusterroles.rbac.authorization.k8s.io",
        "ClusterRoleBinding" => "clusterrolebindings.rbac.authorization.k8s.io",
        "Role" => "roles.rbac.authorization.k8s.io",
        "RoleBinding" => "rolebindings.rbac.authorization.k8s.io",
        "Deployment" => "deployments.apps",
        "PodDisruptionBudget" => "poddisruptionbudgets.policy",
        "Namespace" => "namespaces",
        "Secret" => "secrets",
        "Service" => "services",
        _ => "serviceaccounts",
    }
}

/// Where one of the guard's objects is, for requests and messages. All are of version `v1`.
pub(super) fn place(object: &Value) -> (Call<'_>, String) {
    let resource = resource(object);
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut path = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    if let Some(namespace) = namespace {
        path.push_str(&format!("/namespaces/{}", percent_encoded(namespace)));
    }
    path.push_str(&format!("/{plural}/{}", percent_encoded(name.unwrap_or_default())));
    (Call { verb: Verb::Get, resource, namespace, name }, path)
}
