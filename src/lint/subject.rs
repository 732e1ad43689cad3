//! What a rule looks at: one Canary, and what is around it.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Place,
    scene::{Reference, Scene},
};
use crate::{
    flagger::{Declared, Rollout},
    model::{
        Cookie, NamespacedName, ObjectKind, ObjectRef,
        declaration::{ANNOTATION, NATIVE_COOKIE},
        version::Version,
        view,
    },
    observed::Observed,
    simulate::{self, Pin, Setup, Simulation, steps_of},
    text::quoted,
    traefik::{Installation, entry::Routing},
};

/// What is known around the Canaries. What could not be read is missing, and decides nothing.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The routes and TraefikServices.
    pub routing: Option<Arc<Routing>>,
    /// Whether these are all routes of the cluster, so that one that is missing does not exist.
    pub has_all_routes: bool,
    /// The Traefiks that run; empty if none was found.
    pub installations: Vec<Installation>,
    /// The fields of a cookie in the definition of TraefikServices.
    pub fields: Option<Vec<String>>,
    /// The Services.
    pub services: Option<Vec<TrackService>>,
}

/// A Service that a track may lead to.
#[derive(Debug, Clone)]
pub struct TrackService {
    pub(super) target: NamespacedName,
    /// Its ports as they can be referred to: by number or by name.
    pub(super) ports: Vec<String>,
}

impl TrackService {
    /// Reads a Service.
    pub fn read(object: &Value) -> Self {
        let ports = view::at(object, &["spec", "ports"]).and_then(Value::as_array);
        let names = |port: &Value| [port["port"].as_i64().map(|port| port.to_string()), view::owned(port, &["name"])];
        let ports = ports.into_iter().flatten().flat_map(names).flatten().collect();
        Self { target: NamespacedName::of(object), ports }
    }
}

/// The length of a login that the rules take, in seconds: that of `simulate`.
const LOGIN: i64 = 60;

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) observed: &'a Observed,
    pub(super) scene: &'a Scene<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn rollout(self) -> &'a Rollout {
        &self.observed.canary.rollout
    }

    /// Returns the cookie to check: the declared one, else the live one.
    pub(super) fn cookie(self) -> Option<&'a Cookie> {
        self.observed.canary.declared.cookie().or_else(|| self.observed.live_cookie())
    }

    pub(super) fn service_target(self) -> Option<NamespacedName> {
        self.observed.canary.service_target()
    }

    fn namespace(self) -> Option<&'a str> {
        self.observed.canary.target.namespace.as_deref()
    }

    /// Returns where the cookie that is checked is written.
    pub(super) fn cookie_place(self) -> Place {
        match &self.observed.canary.declared {
            Declared::Native(..) => Place::of_canary(&NATIVE_COOKIE),
            Declared::Annotation(_) | Declared::Malformed(..) => {
                Place::of_canary(&["metadata", "annotations", ANNOTATION])
            }
            Declared::Nothing => match self.service_object() {
                Some(object) => Place::of_object(&object, &["spec", "weighted", "sticky"]),
                None => Place::default(),
            },
        }
    }

    /// Returns the reference to the TraefikService, if it is there.
    pub(super) fn service_object(self) -> Option<ObjectRef> {
        let service = self.observed.service()?;
        Some(ObjectRef { kind: ObjectKind::TraefikService(service.group), target: service.target.clone() })
    }

    /// Returns the command that changes the cookie.
    pub(super) fn set(self, flags: &str) -> String {
        let namespace = self.namespace().map_or_else(String::new, |namespace| format!(" -n {}", quoted(namespace)));
        let name = quoted(&self.observed.canary.target.name);
        format!("kubectl canary-traefik sticky set {name}{namespace} {flags}")
    }

    /// Returns what people will see in a rollout, with logins of a minute; `None` if Flagger takes no steps or there is no
    /// cookie that lasts.
    pub(super) fn simulation(self) -> Option<Simulation> {
        let rollout = self.rollout();
        let max_age = self.cookie()?.max_age();
        let entry = self.observed.canary.declared_entry().is_some();
        let pin = Pin::of_max_age(max_age);
        let (steps, interval) = (steps_of(rollout).ok()?, rollout.interval);
        let is_possible = pin != Pin::Nothing && (1..=simulate::LONGEST).contains(&interval);
        let setup = Setup { steps, interval, pin, flow: LOGIN, entry, logins: None };
        is_possible.then(|| Simulation::of(setup))
    }

    fn is_here(self, namespace: Option<&str>) -> bool {
        self.observed.canary.target.may_be_in(namespace)
    }

    /// Returns the references of IngressRoutes and HTTPRoutes that lead to the TraefikService.
    pub(super) fn leading(self) -> impl Iterator<Item = &'a Reference<'a>> {
        self.references_to_service()
            .filter(|it| matches!(it.object.kind, ObjectKind::IngressRoute(_) | ObjectKind::HttpRoute))
    }

    /// Returns every reference to the TraefikService.
    pub(super) fn references_to_service(self) -> impl Iterator<Item = &'a Reference<'a>> {
        let scene = self.scene;
        let name = self.observed.canary.service_name.as_deref().unwrap_or_default();
        // The name that Traefik gives it, which is accepted, too (`pkg/provider/kubernetes/crd/kubernetes_http.go`).
        let qualified = self.namespace().map(|namespace| format!("{namespace}-{name}@kubernetescrd"));
        let own = scene.named(name).iter().filter(move |it| self.is_here(it.namespace));
        let others = qualified.map(|name| scene.named(&name).iter()).into_iter().flatten();
        own.chain(others).filter(|it| it.is_traefik_service)
    }

    /// Returns the references that lead to one of the Services of the Canary, and so around the TraefikService: on the hosts
    /// of routes to the TraefikService; or on any if there are none, except to the canary, as for a preview.
    pub(super) fn around(self) -> impl Iterator<Item = &'a Reference<'a>> {
        let scene = self.scene;
        let canary = &self.observed.canary;
        let names = [canary.service_name.clone(), canary.primary_name(), canary.canary_name()];
        let named = names.into_iter().flatten().flat_map(move |name| scene.named(&name).iter());
        let hosts: Vec<_> = self.leading().map(Reference::only_hosts).collect();
        let shares = move |route: &Reference<'_>| {
            let own = route.only_hosts();
            hosts.iter().any(|hosts| match (hosts, &own) {
                (Some(hosts), Some(own)) => own.iter().any(|host| hosts.contains(host)),
                (hosts, own) => hosts.is_none() && own.is_none(),
            }) || (hosts.is_empty() && Some(route.name()) != canary.canary_name().as_deref())
        };
        named.filter(move |it| {
            !it.is_traefik_service
                && !matches!(it.object.kind, ObjectKind::TraefikService(_))
                && it.is_for_traefik()
                && self.is_here(it.namespace)
                && shares(it)
        })
    }

    /// Returns the Traefiks that run.
    pub(super) fn installations(self) -> &'a [Installation] {
        self.scene.known.map(|known| known.installations.as_slice()).unwrap_or_default()
    }

    /// Returns the oldest Traefik that runs.
    pub(super) fn oldest(self) -> Option<(Version, &'a Installation)> {
        let versions = self.installations().iter().filter_map(|it| Some((it.version?, it)));
        versions.min_by_key(|(version, _)| *version)
    }

    /// Returns whether the options of every Traefik are known, and this holds for each.
    pub(super) fn every_traefik(self, holds: impl Fn(&Installation) -> bool) -> bool {
        let all = self.installations();
        !all.is_empty() && all.iter().all(|it| it.has_known_options() && holds(it))
    }

    /// Returns whether the options of a Traefik are known, and this holds for it.
    pub(super) fn some_traefik(self, holds: impl Fn(&Installation) -> bool) -> bool {
        self.installations().iter().any(|it| it.has_known_options() && holds(it))
    }
}
