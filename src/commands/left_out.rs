//! What lists of Canaries say about those that are not on Traefik.

use std::collections::BTreeMap;

use crate::{context::Context, observed::Observed, output};

/// Keeps the Canaries on Traefik, and notes how many others there are, and why they are left out.
pub(super) fn keep<T>(ctx: &Context, all: Vec<T>, observed: impl Fn(&T) -> &Observed) -> Vec<T> {
    let (kept, left_out): (Vec<T>, Vec<T>) = all.into_iter().partition(|it| observed(it).on_traefik());
    note(ctx, left_out.iter().map(observed));
    kept
}

/// Notes how many Canaries are left out, and why.
pub(super) fn note<'a>(ctx: &Context, left_out: impl Iterator<Item = &'a Observed>) {
    let mut reasons = BTreeMap::<String, usize>::new();
    for it in left_out {
        *reasons.entry(reason(it)).or_default() += 1;
    }
    if !reasons.is_empty() {
        let counted = |(reason, count): (&String, &usize)| {
            format!("{} skipped: {}", output::count(*count, "Canary", "Canaries"), output::escaped(reason))
        };
        let counted: Vec<_> = reasons.iter().map(counted).collect();
        ctx.ui.status(&format!("note: {}", counted.join("; ")));
    }
}

fn reason(observed: &Observed) -> String {
    match (&observed.canary.provider, &observed.mesh_provider) {
        (Some(provider), _) => format!("spec.provider is {provider}"),
        (None, Some(provider)) => format!("no spec.provider, and Flagger's default provider (-mesh-provider) is {provider}"),
        (None, None) => {
            "no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik)"
                .to_owned()
        }
    }
}
