//! Property tests of plans, for any Canary, any TraefikService and any requested change.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    flagger::{Canary, Declared, NativeField},
    model::{
        Entry, FIELDS, ObjectKind, Stickiness,
        declaration::{self, ANNOTATION, NATIVE_COOKIE, tests::cookies},
        entry::{ENTRY_ANNOTATION, tests::entries},
        name::Group,
    },
    observed::{Loaded, Observed},
    plan::{Action, CookieChange, EntryChange, FieldChanges, Plan, Scope, Sides, patch},
    traefik::{Routing, TraefikService, entry::objects as entry_objects},
};

/// A requested change of fields and of the entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) fields: FieldChanges,
    pub(crate) entry: EntryChange,
}

impl Wish {
    /// Returns what `sticky set` makes of it; `None` if it refuses.
    pub(crate) fn on(&self, loaded: &Loaded, scope: Scope) -> Option<Stickiness> {
        let (fields, entry) = (self.fields.clone(), self.entry.clone());
        CookieChange::Set { fields, entry, scope, if_malformed: String::new() }.on(loaded).ok()
    }
}

/// Returns the objects as a plan starts from them, with a route to the TraefikService.
pub(crate) fn load(canary: Value, service: Option<Value>, native: NativeField, routing: Routing) -> Loaded {
    let seen = service.as_ref().map(|service| {
        let group = TraefikService::is(service).expect("it says that it is one");
        TraefikService::from_object(service, group).expect("it has a name")
    });
    let observed = Observed::pair(Canary::from_object(&canary).expect("it has a name"), seen);
    Loaded { observed, canary, service, native, routing: None }.with_routing(Arc::new(routing))
}

/// Returns the objects after a plan.
pub(crate) fn applied(loaded: &Loaded, plan: &Plan) -> Loaded {
    let (mut canary, mut service) = (loaded.canary.clone(), loaded.service.clone());
    let mut routing = loaded.routing.as_deref().cloned().unwrap_or_default();
    for step in &plan.steps {
        match step.object.kind {
            ObjectKind::Canary => canary = step.after(),
            ObjectKind::TraefikService(_) => service = Some(step.after()),
            _ => routing.replace(&step.object, &step.after()),
        }
    }
    load(canary, service, loaded.native.clone(), routing)
}

/// Returns the routes as they are without an entry, and the objects of this one.
fn routing(canary: &Value, live: Option<&Entry>) -> Routing {
    let route = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": {"name": "web", "namespace": canary["metadata"]["namespace"]},
        "spec": {"entryPoints": ["web"], "routes": [{"match": "Host(`a.test`)", "kind": "Rule",
            "services": [{"kind": "TraefikService", "name": "podinfo"}]}]}});
    let mut routing: Routing = [(ObjectKind::IngressRoute(Group::TraefikIo), route)].into_iter().collect();
    let holder = Observed::pair(Canary::from_object(canary).expect("it has a name"), None).entry_holder();
    if let Some((entry, holder)) = live.zip(holder) {
        for (object, value) in entry_objects(entry, &holder, &routing.clone()).wanted {
            routing.replace(&object, &value);
        }
    }
    routing
}

pub(crate) fn sides(loaded: &Loaded) -> Sides {
    Sides { declared: loaded.declared(), live: loaded.live() }
}

pub(crate) fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Both), Just(Scope::LiveOnly), Just(Scope::DeclareOnly)]
}

/// Generates changes that leave, set, turn off or unset each field, and the entry.
pub(crate) fn wishes() -> impl Strategy<Value = Wish> {
    let entry = prop_oneof![
        2 => Just(EntryChange::Keep),
        1 => entries().prop_map(EntryChange::Set),
        1 => Just(EntryChange::Unset),
    ];
    (field_changes(), entry).prop_map(|(fields, entry)| Wish { fields, entry })
}

fn field_changes() -> impl Strategy<Value = FieldChanges> {
    (cookies(), prop::collection::vec(0..4, FIELDS.len())).prop_map(|(cookie, what)| {
        let mut wish = FieldChanges::default();
        for (field, what) in FIELDS.iter().zip(what) {
            match (what, cookie.get(field)) {
                (1, Some(value)) => wish.0.push((field, Some(value.clone()))),
                (2 | 3, _) => wish.0.push((field, None)),
                _ => {}
            }
        }
        wish
    })
}

/// Generates any small value.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!(7)), Just(json!("x")), Just(json!(true)), Just(json!([1]))];
    leaf.prop_recursive(2, 8, 2, |inner| {
        let key = prop::sample::select(vec!["name", "maxAge", "cookie", "sticky", "secure", "other"]);
        prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..3)
            .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into())
    })
}

/// Generates a cookie as an object, sometimes with a key that no cookie has.
fn cookie_objects() -> impl Strategy<Value = Value> {
    (cookies(), prop::option::weighted(0.2, odd())).prop_map(|(cookie, odd)| {
        let mut object = cookie.to_json();
        if let Some(odd) = odd {
            object["partitioned"] = odd;
        }
        object
    })
}

/// Generates `metadata.annotations`; `None` if absent.
fn annotations() -> impl Strategy<Value = Option<Value>> {
    let declared = prop_oneof![
        4 => cookies().prop_map(|cookie| Some(json!(declaration::print(&cookie)))),
        1 => Just(Some(json!("a; Nonsense"))),
        2 => Just(None),
    ];
    let mapping = (declared, any::<bool>()).prop_map(|(declared, other)| {
        let mut all = json!({});
        if let Some(text) = declared {
            all[ANNOTATION] = text;
        }
        if other {
            all["team"] = json!("web");
        }
        Some(all)
    });
    prop_oneof![Just(None), mapping]
}

/// Generates `spec.service.traefik`; `None` if absent.
fn natives() -> impl Strategy<Value = Option<Value>> {
    let sticky = (cookie_objects(), any::<bool>()).prop_map(|(cookie, other)| {
        if other { json!({"cookie": cookie, "other": 1}) } else { json!({ "cookie": cookie }) }
    });
    prop_oneof![
        Just(None),
        Just(Some(json!({"other": 1}))),
        (sticky, any::<bool>()).prop_map(|(sticky, other)| {
            Some(if other { json!({"sticky": sticky, "other": 1}) } else { json!({ "sticky": sticky }) })
        }),
    ]
}

/// Generates `spec.weighted.sticky`; `None` if absent.
fn stickies() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        3 => cookie_objects().prop_map(|cookie| Some(json!({ "cookie": cookie }))),
    ]
}

fn canary(annotations: Option<Value>, native: Option<Value>, namespace: bool, version: bool) -> Value {
    let mut canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "podinfo"},
        "spec": {"provider": "traefik", "targetRef": {"name": "podinfo"}, "service": {"port": 80}}});
    if let Some(annotations) = annotations {
        canary["metadata"]["annotations"] = annotations;
    }
    if namespace {
        canary["metadata"]["namespace"] = json!("shop");
    }
    if version {
        canary["metadata"]["resourceVersion"] = json!("7");
    }
    if let Some(native) = native {
        canary["spec"]["service"]["traefik"] = native;
    }
    canary
}

fn service(sticky: Option<Value>, version: bool) -> Value {
    let services = json!([{"name": "podinfo-primary", "weight": 70}, {"name": "podinfo-canary", "weight": 30}]);
    let mut service = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService",
        "metadata": {"name": "podinfo", "labels": {"a": "b"}}, "spec": {"weighted": {"services": services}}});
    if let Some(sticky) = sticky {
        service["spec"]["weighted"]["sticky"] = sticky;
    }
    if version {
        service["metadata"]["resourceVersion"] = json!("8");
    }
    service
}

/// Loads a Canary whose schema has the native field if it is used, or if `schema` is set.
fn with_schema(canary: Value, service: Option<Value>, schema: bool, live: Option<&Entry>) -> Loaded {
    let used = NATIVE_COOKIE.iter().try_fold(&canary, |value, key| value.get(key)).is_some();
    let all = || FIELDS.iter().map(|field| (field.key.to_owned(), vec![])).collect();
    let native = if used || schema { NativeField::Present(all()) } else { NativeField::Absent };
    let routing = routing(&canary, live);
    load(canary, service, native, routing)
}

/// Generates objects as an API server has them, or is about to get them.
pub(crate) fn objects() -> impl Strategy<Value = Loaded> {
    let natives = prop_oneof![3 => Just(None), 1 => natives()];
    let entry = (prop::option::weighted(0.4, entries()), prop::bool::weighted(0.7));
    let sticky = prop::option::weighted(0.8, stickies());
    (annotations(), natives, sticky, any::<(bool, bool)>(), prop::bool::weighted(0.1), entry).prop_map(
        |(annotations, native, sticky, (namespace, version), schema, (entry, is_live))| {
            let mut canary = canary(annotations, native, namespace, version);
            // An entry belongs to a cookie.
            let read = Canary::from_object(&canary).expect("it has a name");
            let entry = entry.filter(|_| read.declared.cookie().is_some());
            if let Some(entry) = &entry {
                canary["metadata"]["annotations"][ENTRY_ANNOTATION] = json!(entry.to_string());
            }
            let live = entry.filter(|_| is_live && sticky.is_some());
            with_schema(canary, sticky.map(|sticky| service(sticky, version)), schema, live.as_ref())
        },
    )
}

/// Generates objects with anything anywhere.
fn odd_objects() -> impl Strategy<Value = Loaded> {
    let anything = || prop::option::of(odd());
    let place = prop::sample::select(vec![
        ("/spec", 0),
        ("/spec/weighted", 0),
        ("/spec/weighted/services", 0),
        ("/metadata/labels", 0),
        ("/metadata/labels", 1),
        ("/spec/service", 1),
        ("/status", 1),
    ]);
    (anything(), anything(), anything(), place, odd(), prop::bool::weighted(0.9)).prop_map(
        |(annotations, native, sticky, (pointer, which), odd, there)| {
            let mut both = [service(sticky, true), canary(annotations, native, false, true)];
            if let Some(value) = both[which].pointer_mut(pointer) {
                *value = odd;
            }
            let [service, canary] = both;
            with_schema(canary, there.then_some(service), false, None)
        },
    )
}

/// Returns what a requested change, or a removal, wants; `None` if it is refused.
fn requested(loaded: &Loaded, wish: &Wish, take_away: bool, scope: Scope) -> Option<Stickiness> {
    if take_away { Some(Stickiness::default()) } else { wish.on(loaded, scope) }
}

/// Removes nulls and empty mappings, which mean nothing.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), bare(value)));
            Value::Object(fields.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
        }
        other => other.clone(),
    }
}

/// Collects the leaves of a merge patch, with their paths.
fn leaves(patch: &Value, path: &mut Vec<String>, all: &mut Vec<(String, Value)>) {
    match patch {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                path.push(key.replace('.', "·"));
                leaves(value, path, all);
                path.pop();
            }
        }
        leaf => all.push((path.join("."), leaf.clone())),
    }
}

/// Returns the paths of a patch that this program must not write.
fn trespasses(kind: ObjectKind, patch: &Value) -> Vec<String> {
    let mut all = Vec::new();
    leaves(patch, &mut Vec::new(), &mut all);
    let annotations =
        [ANNOTATION, ENTRY_ANNOTATION].map(|key| format!("metadata.annotations.{}", key.replace('.', "·")));
    let native = "spec.service.traefik.sticky.cookie";
    let below = |path: &str, place: &str| path == place || path.starts_with(&format!("{place}."));
    let allowed = |(path, value): &(String, Value)| match kind {
        _ if path == "metadata.resourceVersion" => value.is_string(),
        ObjectKind::Canary => {
            annotations.contains(path)
                || below(path, native)
                // Mappings that become empty are removed with the cookie.
                || (value.is_null() && below(native, path) && path.starts_with("spec.service.traefik"))
        }
        _ => below(path, "spec.weighted.sticky"),
    };
    all.into_iter().filter(|leaf| !allowed(leaf)).map(|(path, _)| path).collect()
}

proptest! {
    #[test]
    fn after_a_plan_it_is_as_the_plan_says_and_nothing_is_left_to_do(
        loaded in prop_oneof![objects(), odd_objects()], wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let Some(wanted) = requested(&loaded, &wish, take_away, scope) else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        let after = applied(&loaded, &plan);
        prop_assert_eq!(sides(&after), plan.after.clone());
        let again = Plan::new(&after, &wanted, scope).unwrap();
        prop_assert_eq!(again.steps, vec![]);
    }

    #[test]
    fn a_patch_names_the_cookie_and_nothing_else(
        loaded in prop_oneof![objects(), odd_objects()], wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let Some(wanted) = requested(&loaded, &wish, take_away, scope) else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        for step in &plan.steps {
            let version = |value: &Value| value.pointer("/metadata/resourceVersion").cloned();
            match &step.action {
                Action::Patch(_) => {
                    prop_assert_eq!(trespasses(step.object.kind, &step.body()), [""; 0]);
                    prop_assert_eq!(version(&step.body()), version(&step.before));
                }
                Action::Apply(_) | Action::Delete => {
                    prop_assert_eq!(&step.object.target.name, "podinfo-entry");
                    prop_assert!(!matches!(step.object.kind, ObjectKind::Canary | ObjectKind::TraefikService(_)));
                }
            }
        }
    }

    #[test]
    fn a_plan_changes_the_cookie_and_nothing_else(
        loaded in objects(), wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let Some(wanted) = requested(&loaded, &wish, take_away, scope) else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        for step in plan.steps.iter().filter(|step| step.patch().is_some()) {
            let change = patch::between(&step.before, &step.after()).expect("no step without a change");
            prop_assert_eq!(trespasses(step.object.kind, &change), [""; 0]);
        }
    }

    #[test]
    fn a_step_is_fulfilled_by_what_it_makes_and_not_by_what_it_starts_from(
        loaded in prop_oneof![objects(), odd_objects()], wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let Some(wanted) = requested(&loaded, &wish, take_away, scope) else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        for step in &plan.steps {
            prop_assert!(step.is_satisfied_by(&step.after()));
            prop_assert!(!step.is_satisfied_by(&step.before));
        }
    }

    #[test]
    fn setting_and_removing_is_as_removing_alone(loaded in objects(), wish in wishes(), scope in scopes()) {
        let nothing = Stickiness::default();
        let Some(wanted) = wish.on(&loaded, scope) else { return Ok(()) };
        let Ok(remove) = Plan::new(&loaded, &nothing, scope) else { return Ok(()) };
        let removed = applied(&loaded, &remove);
        let set = applied(&loaded, &Plan::new(&loaded, &wanted, scope).unwrap());
        let set_and_removed = applied(&set, &Plan::new(&set, &nothing, scope).unwrap());
        prop_assert_eq!(bare(&set_and_removed.canary), bare(&removed.canary));
        prop_assert_eq!(set_and_removed.service, removed.service);
        prop_assert_eq!(set_and_removed.routing, removed.routing);
    }

    #[test]
    fn where_there_was_nothing_setting_and_removing_leaves_nothing(
        namespace: bool, version: bool, generated: bool, wish in wishes(), scope in scopes(),
    ) {
        let service = generated.then(|| service(None, version));
        let canary = canary(None, None, namespace, version);
        let routing = routing(&canary, None);
        let before = load(canary, service, NativeField::Absent, routing);
        prop_assert_eq!(&before.observed.canary.declared, &Declared::Nothing);
        let wanted = wish.on(&before, scope).expect("nothing is malformed");
        let Ok(set) = Plan::new(&before, &wanted, scope) else { return Ok(()) };
        prop_assert!(!set.is_empty());
        let set = applied(&before, &set);
        let removed = applied(&set, &Plan::new(&set, &Stickiness::default(), scope).unwrap());
        prop_assert_eq!(bare(&removed.canary), bare(&before.canary));
        prop_assert_eq!(removed.service, before.service);
        prop_assert_eq!(removed.routing, before.routing);
    }
}
