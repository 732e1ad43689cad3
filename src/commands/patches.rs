//! What reads of manifests say about kustomize patches, which are not applied.

use std::collections::BTreeSet;

use crate::{context::Context, observed::Observed, output};

/// At most so many places are listed.
const SHOWN: usize = 10;

/// Notes which patches exist for these Canaries.
pub(super) fn note<'a>(ctx: &Context, all: impl Iterator<Item = &'a Observed>) {
    let (mut places, mut patched) = (BTreeSet::new(), Vec::new());
    for observed in all {
        let patches = observed.manifest.iter().flat_map(|manifest| &manifest.patches);
        let before = places.len();
        places.extend(patches.clone());
        if places.len() > before || patches.count() > 0 {
            patched.push(observed);
        }
    }
    let whose = match patched[..] {
        [] => return,
        [one] => format!("Canary `{}`", output::escaped(&one.canary.target.name)),
        _ => output::count(patched.len(), "Canary", "Canaries"),
    };
    let shown: Vec<_> = places.iter().take(SHOWN).map(|place| output::escaped(place)).collect();
    let more = if places.len() > SHOWN { format!(" and {} more", places.len() - SHOWN) } else { String::new() };
    ctx.ui.status(&format!(
        "note: kustomize patches are not applied to {whose}: {}{more}; to read the built result: \
         kustomize build DIR | kubectl canary-traefik … -f -",
        shown.join(", ")
    ));
}
