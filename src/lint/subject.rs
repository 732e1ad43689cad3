//! What a rule looks at: one Canary, and what is around it.

use std::{collections::HashSet, path::Path};

use super::{
    Place, nearest,
    reference::Reference,
    scene::{Jar, Scene},
};
use crate::{
    flagger::{Declared, Rollout},
    model::{
        Cookie, NamespacedName, ObjectKind, ObjectRef,
        declaration::{ANNOTATION, NATIVE_COOKIE},
        version::{Tagged, Version},
    },
    observed::Observed,
    simulate::{self, Pin, Setup, Simulation, steps_of},
    text::quoted,
    traefik::{Installation, router::class, rule::Rule},
};

/// The length of a login that the rules take, in seconds: that of `simulate`.
const LOGIN: i64 = 60;

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) observed: &'a Observed,
    pub(super) scene: &'a Scene<'a>,
    /// The references to the TraefikService.
    pub(super) to_service: &'a [&'a Reference<'a>],
}

impl<'a> Subject<'a> {
    pub(super) fn rollout(self) -> &'a Rollout {
        &self.observed.canary.rollout
    }

    /// Returns the cookie to check: the declared one, else the live one.
    pub(super) fn cookie(self) -> Option<&'a Cookie> {
        self.observed.cookie()
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
            Declared::Nothing => self.service_place(&["spec", "weighted", "sticky"]),
        }
    }

    /// Returns the place of a field of the TraefikService, or of the Canary if there is none.
    pub(super) fn service_place(self, path: &[&str]) -> Place {
        let Some(service) = self.observed.service() else { return Place::default() };
        let object = ObjectRef { kind: ObjectKind::TraefikService(service.group), target: service.target.clone() };
        let origins = self.scene.known.and_then(|known| known.origins.get(&object)).into_iter().flatten();
        let own = self.observed.manifest.as_ref();
        let origin = own.and_then(|own| nearest(&own.file, origins.map(|origin| (origin.file.as_str(), origin))));
        Place { origin: origin.cloned(), ..Place::of_object(&object, path) }
    }

    /// Returns the command that lets a pin last as long as one login, with examples for what only the user knows.
    pub(super) fn pin_per_login(self) -> String {
        let (what, flags) = match self.observed.canary.declared_entry() {
            Some(_) => ("a Max-Age just over one login, for example 2m", "--max-age 2m"),
            None => (
                "where your logins begin and a Max-Age just over one login, for example /login and 2m",
                "--entry /login --max-age 2m",
            ),
        };
        format!("declare {what}: {}", self.set(flags))
    }

    /// Returns the command that changes the cookie, on the cluster or in the manifest.
    pub(super) fn set(self, flags: &str) -> String {
        let file = self.observed.manifest.as_ref().map(|manifest| match manifest.file.as_str() {
            "stdin" => " -f -".to_owned(),
            file => format!(" -f {}", quoted(file)),
        });
        format!("kubectl canary-traefik sticky set {}{} {flags}", self.name(), file.unwrap_or_default())
    }

    /// Returns the name of the Canary and its namespace, as arguments of a command.
    pub(super) fn name(self) -> String {
        let namespace = self.namespace().map_or_else(String::new, |namespace| format!(" -n {}", quoted(namespace)));
        quoted(&self.observed.canary.target.name) + &namespace
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

    /// Returns another Canary for which Flagger generates the same TraefikService. In another folder, it may be for another
    /// cluster.
    pub(super) fn sharing_service(self) -> Option<&'a Observed> {
        let all = self.scene.generating.get(&self.service_target()?)?.iter();
        let mut all = all.map(|number| &self.scene.canaries[*number]);
        let file = |it: &'a Observed| it.manifest.as_ref().map(|manifest| manifest.file.as_str());
        let folder = |it| file(it).map(|file| Path::new(file).parent());
        all.find(|it| {
            let is_other = it.canary.target != self.observed.canary.target;
            is_other && folder(it) == folder(self.observed) && self.scene.is_for(self.observed, file(it))
        })
    }

    /// Returns another Canary whose cookie overwrites this one's, and the host or domain where it does.
    pub(super) fn overwriting(self) -> Option<(&'a Observed, String)> {
        let own = &self.observed.canary.target;
        for jar in self.scene.jars_of(self.observed, self.to_service) {
            let scopes = std::iter::once(jar.scope.clone()).chain(domains(&jar.scope));
            for scope in scopes {
                let other = Jar { scope, ..jar.clone() };
                for number in self.scene.jars.get(&other).into_iter().flatten() {
                    let observed = &self.scene.canaries[*number];
                    let file = observed.manifest.as_ref().map(|manifest| manifest.file.as_str());
                    let is_other =
                        observed.canary.target != *own && observed.canary.service_target() != self.service_target();
                    if is_other && self.scene.is_for(self.observed, file) {
                        return Some((observed, jar.scope.trim_start_matches('.').to_owned()));
                    }
                }
            }
        }
        None
    }

    /// Returns the references of IngressRoutes and HTTPRoutes that lead to the TraefikService.
    pub(super) fn leading(self) -> impl Iterator<Item = &'a Reference<'a>> {
        self.to_service.iter().copied().filter(|it| it.is_in_route())
    }

    /// Returns those of them by which the TraefikService serves people: not those that only redirect.
    pub(super) fn serving(self) -> impl Iterator<Item = &'a Reference<'a>> {
        self.leading().filter(move |route| self.scene.serves(route))
    }

    /// Returns the references that lead to one of the Services of the Canary, and so around the TraefikService: on the hosts
    /// of routes to the TraefikService; or on any if there are none, except to the canary, as for a preview. Not those of
    /// chosen requests to one track, as with a header for testers.
    pub(super) fn around(self) -> impl Iterator<Item = &'a Reference<'a>> {
        let canary = &self.observed.canary;
        let (primary, canary_name) = (canary.primary_name(), canary.canary_name());
        let names = [canary.service_name.clone(), primary.clone(), canary_name.clone()];
        let named =
            names.into_iter().flatten().flat_map(move |name| self.scene.named(&name, self.namespace(), self.observed));
        // `None` stands for any host.
        let of = |route: &Reference<'_>| match route.only_hosts() {
            Some(hosts) => hosts.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let hosts: HashSet<_> = self.serving().flat_map(of).collect();
        let shares = move |route: &Reference<'_>| {
            of(route).iter().any(|host| hosts.contains(host))
                || (hosts.is_empty() && Some(route.name()) != canary_name.as_deref())
        };
        let is_chosen = move |route: &Reference<'_>| {
            let is_track = Some(route.name()) != canary.service_name.as_deref();
            is_track && route.routers.iter().all(|router| router.rule.as_ref().is_some_and(Rule::is_conditional))
        };
        named.filter(move |it| {
            !it.is_traefik_service
                && !matches!(it.object.kind, ObjectKind::TraefikService(_))
                && it.is_for_traefik() != Some(false)
                && self.scene.serves(it)
                && !is_chosen(it)
                && shares(it)
        })
    }

    /// Returns the Traefiks that run, and may serve the Canary.
    pub(super) fn installations(self) -> impl Iterator<Item = &'a Installation> {
        let all = self.scene.known.into_iter().flat_map(|known| &known.installations);
        all.filter(move |it| self.scene.is_for(self.observed, it.file.as_deref()) && self.may_be_served_by(&it.what))
            .map(|it| &it.what)
    }

    /// Returns whether a Traefik may serve the Canary, as far as its options show: it may look only at some namespaces, or
    /// at routes of a class (`pkg/provider/kubernetes/crd/kubernetes.go:shouldProcessIngress`).
    fn may_be_served_by(self, traefik: &Installation) -> bool {
        let option = |name: &str| traefik.option(&format!("providers.kubernetescrd.{name}"));
        let looks_here = option("namespaces").zip(self.namespace());
        if looks_here.is_some_and(|(namespaces, own)| !namespaces.split(',').any(|it| it.trim() == own)) {
            return false;
        }
        let wanted = option("ingressclass").unwrap_or_default();
        let takes = |route: &Reference<'_>| {
            let class = class(route.value).unwrap_or_default();
            class == wanted || (wanted.is_empty() && class == "traefik")
        };
        let mut routes = self.leading().filter(|it| matches!(it.object.kind, ObjectKind::IngressRoute(_))).peekable();
        !traefik.has_known_options() || routes.peek().is_none() || routes.any(takes)
    }

    /// Returns the newest Traefik if every one is older than this; `None` if the version of one is not known.
    pub(super) fn older_than(self, version: Version) -> Option<&'a Installation> {
        let all = self.versions()?;
        let (newest, traefik) = all.into_iter().max_by_key(|(tagged, _)| tagged.newest)?;
        (newest.newest < version).then_some(traefik)
    }

    /// Returns the oldest Traefik if none is older than this; `None` if the version of one is not known.
    pub(super) fn not_older_than(self, version: Version) -> Option<&'a Installation> {
        let all = self.versions()?;
        let (oldest, traefik) = all.into_iter().min_by_key(|(tagged, _)| tagged.oldest)?;
        (oldest.oldest >= version).then_some(traefik)
    }

    fn versions(self) -> Option<Vec<(Tagged, &'a Installation)>> {
        self.installations().map(|it| Some((it.version?, it))).collect()
    }

    /// Returns whether the options of every Traefik are known, and this holds for each.
    pub(super) fn every_traefik(self, holds: impl Fn(&Installation) -> bool) -> bool {
        let mut all = self.installations().peekable();
        all.peek().is_some() && all.all(|it| it.has_known_options() && holds(it))
    }

    /// Returns whether the options of a Traefik are known, and this holds for it.
    pub(super) fn some_traefik(self, holds: impl Fn(&Installation) -> bool) -> bool {
        self.installations().any(|it| it.has_known_options() && holds(it))
    }
}

/// Returns the domains that a host is in: `.shop.test` and `.test` of `cart.shop.test`, and its own.
fn domains(host: &str) -> impl Iterator<Item = String> {
    let is_host = !host.starts_with('.');
    let own = is_host.then(|| format!(".{host}"));
    let above = host.match_indices('.').filter(move |_| is_host).map(|(at, _)| host[at..].to_owned());
    own.into_iter().chain(above)
}
