//! Cache of the Canaries, keyed by the TraefikService each computes, reduced to what the guard reads and limited in
//! bytes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::{
    apiserver::Event,
    flagger::{Canary, Declared, Rollout},
    guard_server::review::ServiceIdentity,
    model::{Cookie, Entry, NamespacedName, declaration::ANNOTATION},
};

/// Memory budget for all Canaries, in bytes: enough for about 60,000 typical ones, and a fifth of the
/// Deployment's limit. Above it Canaries are dropped, first from the namespace that uses most: their losses are not
/// repaired, and each write to their TraefikService costs a lookup.
const BUDGET: usize = 24 << 20;
/// Fixed cost of a Canary in addition to its strings, in bytes: an entry and a key in each of two tables.
const EACH: usize = 256;

/// The cached Canaries.
#[derive(Debug, Default)]
pub(super) struct Cache {
    canaries: RwLock<Canaries>,
    synced: watch::Sender<bool>,
}

/// The effects of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// The TraefikService whose declaration changed.
    pub(super) declared: Option<NamespacedName>,
    /// The TraefikService whose entry changed.
    pub(super) entry: Option<NamespacedName>,
    /// A Canary that was not cached because it is too large or the budget is exhausted.
    pub(super) refused: Option<NamespacedName>,
}

#[derive(Debug, Default)]
struct Canaries {
    /// Usually one Canary each.
    by_service: HashMap<NamespacedName, Vec<CachedCanary>>,
    /// The name of each Canary's TraefikService, which is in the Canary's namespace.
    service_of: HashMap<NamespacedName, Box<str>>,
    /// Number of the current list. Canaries last seen in an earlier list are removed when it is complete.
    list: u32,
    bytes: usize,
    bytes_of: HashMap<Box<str>, usize>,
}

/// A Canary in a tenth of the memory of a parsed one, since there may be tens of thousands.
#[derive(Debug)]
struct CachedCanary {
    name: Box<str>,
    provider: Option<Box<str>>,
    declared: Declaration,
    /// The entry and the uid of a Canary that declares a well-formed one.
    entry: Option<Box<DeclaredEntry>>,
    /// Number of the last list that contained the Canary.
    list: u32,
}

/// An entry, which few Canaries declare.
#[derive(Debug, PartialEq, Eq)]
struct DeclaredEntry {
    text: Box<str>,
    /// For the owner reference of its objects.
    uid: Option<Box<str>>,
}

/// The declaration of a Canary.
#[derive(Debug, PartialEq, Eq)]
enum Declaration {
    Nothing,
    /// Declared in the native field, in any form: Flagger protects it.
    Native,
    /// The annotation, parsed on demand; `;` for all that are malformed.
    Text(Box<str>),
}

impl Cache {
    /// Applies a watch event.
    pub(super) fn take(&self, event: Event) -> Effects {
        let mut canaries = self.write();
        match event {
            Event::Init => canaries.list = canaries.list.wrapping_add(1),
            Event::InitApply(object) | Event::Apply(object) => return canaries.put(&object),
            Event::Delete(object) => drop(canaries.remove(&NamespacedName::of(&object))),
            // An old declaration must not be enforced.
            Event::TooLarge(target) => {
                target.as_ref().and_then(|target| canaries.remove(target));
                return Effects { refused: target, ..Effects::default() };
            }
            Event::InitDone => {
                canaries.forget_the_unlisted();
                self.synced.send_replace(true);
            }
        }
        Effects::default()
    }

    /// Returns whether a complete list has been read.
    pub(super) fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Waits until a complete list has been read.
    pub(super) async fn synced(&self) {
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Finds the Canary of a TraefikService. If several Canaries compute its name, the controlling one is preferred.
    pub(super) fn find(&self, belongs: &ServiceIdentity) -> Option<Canary> {
        let canaries = self.read();
        let found = canaries.by_service.get(&belongs.service)?;
        // Owner references never cross namespaces.
        let is_owner = |known: &&CachedCanary| belongs.owner.as_ref().is_some_and(|owner| *owner.name == *known.name);
        found.iter().find(is_owner).or_else(|| found.first()).map(|known| known.canary(&belongs.service))
    }

    /// Returns the Canaries that declare an entry and a cookie.
    pub(super) fn with_entries(&self) -> Vec<Canary> {
        let canaries = self.read();
        let of = |(service, there): (&NamespacedName, &Vec<CachedCanary>)| {
            let entered = there.iter().filter(|known| known.entry.is_some());
            entered.map(|known| known.canary(service)).collect::<Vec<_>>()
        };
        let all = canaries.by_service.iter().flat_map(of);
        all.filter(|canary| canary.declared.cookie().is_some()).collect()
    }

    /// Returns whether a Canary of this TraefikService declares an entry.
    pub(super) fn has_entry(&self, service: &NamespacedName) -> bool {
        let canaries = self.read();
        canaries.by_service.get(service).into_iter().flatten().any(|known| known.entry.is_some())
    }

    /// Returns the number of cached Canaries.
    pub(super) fn len(&self) -> usize {
        self.read().service_of.len()
    }

    fn read(&self) -> RwLockReadGuard<'_, Canaries> {
        self.canaries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Canaries> {
        self.canaries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Canaries {
    fn put(&mut self, object: &Value) -> Effects {
        let Some(canary) = Canary::from_object(object) else { return Effects::default() };
        let before = self.remove(&canary.target);
        let Some(service) = canary.service_target() else { return Effects::default() };
        let known = CachedCanary::of(&canary, object, self.list);
        let bytes = known.bytes(&service);
        if !self.has_room(&service, bytes) {
            return Effects { refused: Some(canary.target), ..Effects::default() };
        }
        let is_same = |is: fn(&CachedCanary, &CachedCanary) -> bool| {
            before.as_ref().is_some_and(|(name, before)| **name == *service.name && is(before, &known))
        };
        let is_news = !is_same(CachedCanary::says_the_same);
        let has_entry = known.entry.is_some() || before.as_ref().is_some_and(|(_, before)| before.entry.is_some());
        let is_entry_news =
            has_entry && !is_same(|before, known| before.entry == known.entry && before.says_the_same(known));
        *self.bytes_of.entry(namespace_of(&service).into()).or_default() += bytes;
        self.bytes += bytes;
        self.service_of.insert(canary.target, service.name.as_str().into());
        let there = self.by_service.entry(service.clone()).or_default();
        // By default `push` would allocate space for four.
        there.reserve_exact(1);
        there.push(known);
        let entry = is_entry_news.then(|| service.clone());
        Effects { declared: is_news.then_some(service), entry, refused: None }
    }

    /// Makes room for another Canary by removing Canaries of namespaces that use more memory than this one.
    fn has_room(&mut self, service: &NamespacedName, bytes: usize) -> bool {
        while self.bytes + bytes > BUDGET {
            let own = self.bytes_of.get(namespace_of(service)).copied().unwrap_or_default();
            let heaviest = self.bytes_of.iter().max_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
            let Some((heaviest, _)) = heaviest.filter(|(_, other)| **other > own + bytes) else { return false };
            let of_it = |canary: &&NamespacedName| namespace_of(canary) == &**heaviest;
            let Some(one) = self.service_of.keys().find(of_it).cloned() else { return false };
            self.remove(&one);
        }
        true
    }

    fn forget_the_unlisted(&mut self) {
        let list = self.list;
        let gone = self.by_service.iter().flat_map(|(service, there)| {
            let gone = there.iter().filter(move |known| known.list != list);
            gone.map(|known| NamespacedName { namespace: service.namespace.clone(), name: known.name.to_string() })
        });
        let gone: Vec<NamespacedName> = gone.collect();
        for canary in gone {
            self.remove(&canary);
        }
    }

    fn remove(&mut self, canary: &NamespacedName) -> Option<(Box<str>, CachedCanary)> {
        let name = self.service_of.remove(canary)?;
        let service = NamespacedName { namespace: canary.namespace.clone(), name: name.to_string() };
        let there = self.by_service.get_mut(&service)?;
        let place = there.iter().position(|known| *known.name == *canary.name)?;
        let known = there.remove(place);
        if there.is_empty() {
            self.by_service.remove(&service);
        }
        let bytes = known.bytes(&service);
        self.bytes -= bytes;
        if let Some(of) = self.bytes_of.get_mut(namespace_of(&service)) {
            *of -= bytes;
            if *of == 0 {
                self.bytes_of.remove(namespace_of(&service));
            }
        }
        Some((name, known))
    }
}

pub(super) fn namespace_of(target: &NamespacedName) -> &str {
    target.namespace.as_deref().unwrap_or_default()
}

impl CachedCanary {
    fn of(canary: &Canary, object: &Value, list: u32) -> Self {
        let text = || object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str();
        let declared = match &canary.declared {
            Declared::Native(..) => Declaration::Native,
            Declared::Malformed(..) => Declaration::Text(";".into()),
            _ => text().map_or(Declaration::Nothing, |text| Declaration::Text(text.into())),
        };
        let provider = canary.provider.as_deref().map(Into::into);
        let entry = canary.declared_entry().map(|entry| {
            let uid = canary.uid.as_deref().map(Into::into);
            Box::new(DeclaredEntry { text: entry.to_string().into(), uid })
        });
        Self { name: canary.target.name.as_str().into(), provider, declared, entry, list }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (&self.provider, &self.declared) == (&other.provider, &other.declared)
    }

    /// Returns the approximate memory use in bytes.
    fn bytes(&self, service: &NamespacedName) -> usize {
        let text = if let Declaration::Text(text) = &self.declared { text.len() } else { 0 };
        let provider = self.provider.as_deref().map_or(0, str::len);
        let keys = 2 * namespace_of(service).len() + 2 * self.name.len() + 2 * service.name.len();
        let entry = self.entry.as_ref().map_or(0, |entry| EACH + entry.text.len());
        EACH + keys + provider + text + entry
    }

    /// Returns a [`Canary`] with the fields that the guard reads.
    fn canary(&self, service: &NamespacedName) -> Canary {
        Canary {
            target: NamespacedName { namespace: service.namespace.clone(), name: self.name.to_string() },
            uid: self.entry.as_ref().and_then(|entry| entry.uid.as_deref().map(str::to_owned)),
            created: None,
            labels: BTreeMap::new(),
            provider: self.provider.as_deref().map(str::to_owned),
            service_name: Some(service.name.clone()),
            target_name: None,
            mistyped: Vec::new(),
            port: None,
            has_apex: false,
            apex_labels: Map::new(),
            apex_annotations: Map::new(),
            phase: None,
            rollout: Rollout::default(),
            declared: match &self.declared {
                Declaration::Nothing => Declared::Nothing,
                Declaration::Native => Declared::Native(Cookie::default(), BTreeMap::new()),
                Declaration::Text(text) => Declared::of_annotation(text),
            },
            entry: self.entry.as_ref().map(|entry| Entry::parse(&entry.text)),
            entry_text: None,
        }
    }
}

#[cfg(test)]
mod tests;
