//! The errors for a Canary that is not found among manifests, or found more than once.

use std::collections::BTreeSet;

use super::{
    kustomize::Patches,
    unusable::{releases, unusable},
};
use crate::{error::Error, files::Manifests, flagger::Canary, model::name::near, observed::Loaded, text::quoted};

/// At most so many names or files are listed in a message.
const SHOWN: usize = 10;

/// Returns the error for several Canaries of one name, with what to type to choose one.
pub(super) fn several(name: &str, all: &[Loaded]) -> Error {
    let manifests: Vec<_> = all.iter().filter_map(|loaded| loaded.observed.manifest.as_ref()).collect();
    let places: Vec<_> = manifests.iter().map(ToString::to_string).collect();
    let error = Error::usage(format!("more than one Canary is named `{name}`: {}", places.join(", ")));
    let namespaces: BTreeSet<_> = all.iter().map(|loaded| loaded.observed.canary.target.namespace.as_deref()).collect();
    let files: BTreeSet<_> = manifests.iter().map(|manifest| manifest.file.as_str()).collect();
    let hints: Vec<_> = if files.len() == all.len() {
        files.iter().map(|file| format!("use -f {}", quoted(file))).collect()
    } else if namespaces.len() == all.len() {
        let without =
            all.iter().zip(&manifests).filter(|(loaded, _)| loaded.observed.canary.target.namespace.is_none());
        let without = without.map(|(_, manifest)| format!("to choose {manifest}, give it a metadata.namespace"));
        namespaces.iter().flatten().map(|namespace| format!("use -n {namespace}")).chain(without).collect()
    } else if files.len() == 1 && namespaces.len() == 1 {
        vec!["rename or remove one of them".to_owned()]
    } else {
        vec!["name one file with -f, or one namespace with -n".to_owned()]
    };
    hints.into_iter().take(SHOWN).fold(error, Error::hint)
}

/// Returns the error for a missing Canary, with the namespaces of its name or the existing names as hints.
pub(super) fn nothing(
    files: &Manifests,
    patches: &Patches,
    namespace: Option<&str>,
    name: &str,
    names: &BTreeSet<String>,
) -> Error {
    let Some(namespace) = namespace else {
        let mut error = Error::not_found(format!("no Canary `{name}` in the files"));
        let inner = patches.all.iter().filter(|patch| !patch.is_document && patch.names(name));
        for place in inner.map(|patch| patch.place.as_str()).collect::<BTreeSet<_>>() {
            error = error.caused_by(format!("{place} is an inline kustomize patch, which cannot be edited"));
        }
        for place in files.templates() {
            error = error.caused_by(format!("{place} declares a Canary in a template, which cannot be edited"));
        }
        for place in releases(files).take(SHOWN) {
            error = error.caused_by(format!("{place} may create one through its chart (spec.values.canary)"));
        }
        return match near(name, names.iter().map(String::as_str)).first() {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() && (files.templates().next().is_some() || releases(files).next().is_some()) => {
                error
            }
            None if names.is_empty() => match unusable(files).into_iter().next() {
                Some(one) => error.hint(one.cure),
                None => error.hint("no document is a Canary (flagger.app/v1beta1)"),
            },
            None => error.hint(there_are(names)),
        };
    };
    let error = Error::not_found(format!("no Canary `{name}` in namespace `{namespace}` in the files"));
    let elsewhere = files.objects().filter(|object| Canary::is(&object.value)).filter_map(|object| {
        let target = Canary::from_object(&object.value)?.target;
        (target.name == name).then_some(target.namespace?)
    });
    let elsewhere: BTreeSet<String> = elsewhere.collect();
    match near(name, names.iter().map(String::as_str)).first() {
        _ if !elsewhere.is_empty() => {
            elsewhere.iter().fold(error, |error, namespace| error.hint(format!("use -n {namespace}")))
        }
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.hint("no Canary in the files is in that namespace"),
        None => error.hint(there_are(names)),
    }
}

fn there_are(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("Canaries in the files: {}{more}", shown.join(", "))
}
