//! The guard on a cluster: its objects, and whether they exist.

use futures_util::future::{join, join_all, join3};
use serde_json::Value;

use crate::{
    apiserver::{Call, Failure, Verb, request},
    cluster::Cluster,
    error::{Error, Result},
    guard::{
        CertificateOwner, Change, Coverage, Form, GuardKind, GuardObject, Installed, ObjectState, Part, Placement,
        deployment, policy,
        webhook::{self, Address, WebhookEndpoint},
    },
    model::NamespacedName,
};

const VERSION: Call<'static> =
    Call { verb: Verb::Get, resource: "the version of the server", namespace: None, name: None };
const ADMISSION: Call<'static> =
    Call { verb: Verb::Get, resource: "the resources of admissionregistration.k8s.io/v1", namespace: None, name: None };
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";
/// The webhook configurations, the mutating one first.
const CONFIGURATIONS: [GuardKind; 2] =
    [GuardKind::MutatingWebhookConfiguration, GuardKind::ValidatingWebhookConfiguration];
/// The first minor version of Kubernetes 1 in which `matchConditions` of webhooks are enabled by default.
const MATCH_CONDITIONS: u64 = 28;

impl Cluster {
    /// Fails if the cluster serves no mutating admission policies.
    ///
    /// # Errors
    ///
    /// Kind `NotFound`.
    pub async fn must_serve_policies(&self) -> Result<()> {
        if self.serves_admission("mutatingadmissionpolicies").await? {
            return Ok(());
        }
        Err(Error::not_found("this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)")
            .caused_by("Kubernetes serves it from 1.36 on"))
    }

    /// Returns whether the cluster serves this resource of `admissionregistration.k8s.io/v1`.
    async fn serves_admission(&self, plural: &str) -> Result<bool, Failure> {
        let resources = self.api.ask(&ADMISSION, GROUP).await?.json()?;
        let mut all = resources["resources"].as_array().into_iter().flatten();
        Ok(all.any(|resource| resource["name"] == plural))
    }

    /// Returns whether the cluster serves validating admission policies, which restrict the webhook's account.
    pub async fn serves_validating_policies(&self) -> Result<bool> {
        Ok(self.serves_admission("validatingadmissionpolicies").await?)
    }

    /// Returns whether the cluster supports `matchConditions` of webhooks.
    pub async fn has_match_conditions(&self) -> Result<bool, Failure> {
        let version = self.api.ask(&VERSION, "/version").await?.json()?;
        let number = |key: &str| -> u64 {
            // Some providers report `28+`.
            let digits: String =
                version[key].as_str().unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or_default()
        };
        Ok((number("major"), number("minor")) >= (1, MATCH_CONDITIONS))
    }

    /// Reads one of the guard's objects; `None` if it does not exist.
    pub async fn find_guard(&self, wanted: &GuardObject) -> Result<Option<Value>, Failure> {
        let (call, path) = place(wanted);
        match self.api.ask(&call, &path).await.and_then(|answer| answer.json()) {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads the current state of each of these objects.
    pub async fn changes(&self, wanted: Vec<GuardObject>) -> Result<Vec<Change>> {
        let changes = join_all(wanted.into_iter().map(|wanted| async move {
            let before = self.find_guard(&wanted).await?;
            Ok(Change { wanted, before })
        }));
        changes.await.into_iter().collect()
    }

    /// Reads the guard's policies.
    pub async fn policies(&self) -> Result<Installed> {
        self.policies_among(|_| true).await
    }

    /// Reads those of the guard's policies and bindings for which `wanted` returns true.
    pub(super) async fn policies_among(&self, wanted: impl Fn(&GuardObject) -> bool) -> Result<Installed> {
        let all = policy::objects(&Coverage::default());
        let objects = join_all(all.iter().map(|object| {
            let wanted = wanted(object);
            async move { if wanted { self.find_guard(object).await } else { Ok(None) } }
        }));
        Ok(Installed::policies(objects.await.into_iter().collect::<Result<_, _>>()?))
    }

    /// Returns whether the user may read the webhook configurations.
    pub async fn may_see_webhook(&self) -> bool {
        let [mutating, validating] = CONFIGURATIONS.map(|kind| kind.named(None, webhook::NAME));
        let (mutating, validating) = join(self.find_guard(&mutating), self.find_guard(&validating)).await;
        let is_forbidden = |found: &Result<_, Failure>| found.as_ref().is_err_and(Failure::is_forbidden);
        !is_forbidden(&mutating) && !is_forbidden(&validating)
    }

    /// Reads the guard's webhook; `None` if there is no trace of it.
    ///
    /// Its namespace is known from its registration or, if that is gone, from its `ClusterRoleBinding`.
    ///
    /// # Errors
    ///
    /// The registration cannot be read. Other objects that the user may not read are [`ObjectState::Unknown`].
    pub async fn webhook(&self) -> Result<Option<Installed>> {
        let [first, second] = CONFIGURATIONS;
        let kinds = [first, second, GuardKind::ClusterRoleBinding].map(|kind| kind.named(None, webhook::NAME));
        let (mutating, validating, binding) =
            join3(self.find_guard(&kinds[0]), self.find_guard(&kinds[1]), self.find_guard(&kinds[2])).await;
        let mutating = mutating?;
        let validating = validating?;
        let binding = binding.ok().flatten();
        let registered = [&mutating, &validating].into_iter().flatten().find_map(webhook::address);
        let bound = binding.as_ref().and_then(|binding| binding.pointer("/subjects/0/namespace")?.as_str());
        if mutating.is_none() && validating.is_none() && bound.is_none() {
            return Ok(None);
        }
        let coverage = [&mutating, &validating].into_iter().flatten().find_map(webhook::coverage).unwrap_or_default();
        let has_conditions = self.has_match_conditions().await.unwrap_or(true);
        let namespace = match registered {
            Some(address @ Address::Url(_)) => {
                let callee =
                    WebhookEndpoint { address, authorities: String::new(), coverage: coverage.clone(), has_conditions };
                let both = webhook::configurations(&callee).into_iter().zip([mutating, validating]);
                let changes = both.map(|(wanted, before)| Change { wanted, before });
                return Ok(Some(Installed::new(Form::Webhook, coverage, changes)));
            }
            Some(Address::Service(NamespacedName { namespace: Some(namespace), .. })) => namespace,
            _ => bound.unwrap_or(deployment::NAMESPACE).to_owned(),
        };
        let keeper = if self.serves_validating_policies().await? {
            CertificateOwner::Replicas
        } else {
            CertificateOwner::Install { authorities: String::new() }
        };
        let placement = Placement {
            namespace,
            image: String::new(),
            coverage,
            has_conditions,
            keeper,
            entries: false,
            traefik: Vec::new(),
        };
        self.compare_webhook(placement).await.map(Some)
    }

    /// Reads the webhook's objects and compares them with those of `placement`. Without an image in it, the image and the
    /// arguments of the installed one are assumed.
    pub async fn compare_webhook(&self, mut placement: Placement) -> Result<Installed> {
        let found = join_all(deployment::objects(&placement).iter().map(|object| self.find_guard(object))).await;
        if placement.image.is_empty() {
            let deployment = found.iter().flatten().flatten().find(|object| object["kind"] == "Deployment");
            let image = deployment.and_then(|it| it.pointer("/spec/template/spec/containers/0/image")?.as_str());
            image.unwrap_or_default().clone_into(&mut placement.image);
            placement.entries = deployment.is_some_and(deployment::keeps_entries);
            placement.traefik = deployment.map(deployment::traefik_urls).unwrap_or_default();
        }
        let parts = deployment::objects(&placement).into_iter().zip(found).map(|(wanted, found)| match found {
            Ok(before) => {
                let change = Change { wanted, before };
                Ok(Part { standing: change.standing(), change })
            }
            Err(failure) if failure.is_forbidden() && wanted.value["webhooks"].is_null() => {
                Ok(Part { standing: ObjectState::Unknown, change: Change { wanted, before: None } })
            }
            Err(failure) => Err(failure.into()),
        });
        let parts = parts.collect::<Result<_>>()?;
        Ok(Installed { form: Form::Webhook, coverage: placement.coverage, parts })
    }
}

/// Returns the call, for messages, and the path of one of the guard's objects.
pub(super) fn place(object: &GuardObject) -> (Call<'_>, String) {
    let (namespace, name) = (object.namespace(), object.name());
    let version = object.kind.api_version();
    let call = Call { verb: Verb::Get, resource: object.kind.resource(), namespace, name: Some(name) };
    (call, request::path(&version, object.kind.resource(), namespace, Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::testing::{Server, reply};

    #[tokio::test]
    async fn match_conditions_are_sent_from_kubernetes_1_28_on() {
        for (version, expected) in [
            (r#"{"major":"1","minor":"27"}"#, false),
            (r#"{"major":"1","minor":"28+"}"#, true),
            (r#"{"major":"1","minor":"37"}"#, true),
            (r#"{"major":"2","minor":"0"}"#, true),
        ] {
            let server = Server::start([reply("200 OK", &[], version)]).await;
            assert_eq!(Cluster::of(server.connect().await).has_match_conditions().await, Ok(expected), "{version}");
        }
    }
}
