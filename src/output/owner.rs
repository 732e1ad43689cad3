//! The owner of a Canary in words.

use crate::model::{Owner, owner::OwnerPolicy};

/// Returns what the owner does with a change of the cookie; `removed` if the change removes it.
///
/// Claims only what is known: whether the source declares a cookie is known only if `managedFields` or the last applied
/// configuration says so, and Helm patches what differs between two releases, which need not be the cookie.
pub fn policy(owner: &Owner, removed: bool) -> String {
    let (act, source) = (owner.tool.act(), owner.tool.source());
    let (bring, replace) = if owner.tool.is_helm() { ("may bring", "may replace") } else { ("brings", "replaces") };
    match owner.policy {
        OwnerPolicy::Ignores(told) => format!("it is configured to leave the Canary alone ({told})"),
        OwnerPolicy::Restores if removed => format!("{source} declares the cookie, so {act} {bring} it back"),
        OwnerPolicy::Restores => format!("{source} declares a cookie, and {act} {replace} yours with that one"),
        OwnerPolicy::Replaces if removed => {
            format!("{act} replaces the Canary, and brings back a cookie that {source} declares")
        }
        OwnerPolicy::Replaces => format!("{act} replaces the Canary, and only a cookie that {source} declares stays"),
        OwnerPolicy::Preserves if removed => format!("{act} {bring} a cookie back if {source} declares one"),
        OwnerPolicy::Preserves => format!("{act} keeps this cookie, unless {source} declares another"),
    }
}

/// Returns a notice before a change: who applies the Canary, what becomes of the change, and what to do instead.
pub fn notice(owner: &Owner, removed: bool, instead: &str) -> String {
    let owned = format!("the Canary is applied by {owner}: {}", policy(owner, removed));
    format!("{}\nto change {} instead: {}\n", super::escaped(&owned), owner.tool.source(), super::escaped(instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::owner::Tool;

    fn owner(tool: Tool, policy: OwnerPolicy) -> Owner {
        Owner { tool, name: "web/shop\u{1b}[2J".into(), policy }
    }

    #[test]
    fn what_is_said_fits_the_tool_and_the_change() {
        let said: Vec<String> = [
            (Tool::Kustomization, OwnerPolicy::Preserves, false),
            (Tool::Kustomization, OwnerPolicy::Restores, true),
            (Tool::Kustomization, OwnerPolicy::Ignores("a: b"), false),
            (Tool::HelmRelease, OwnerPolicy::Restores, false),
            (Tool::ArgoCd, OwnerPolicy::Replaces, false),
            (Tool::Helm, OwnerPolicy::Preserves, true),
        ]
        .into_iter()
        .map(|(tool, policy, removed)| notice(&owner(tool, policy), removed, "set a -f FILE"))
        .collect();
        assert_eq!(
            said.concat(),
            "the Canary is applied by Flux Kustomization `web/shop\\u{1b}[2J`: its next reconcile keeps this cookie, unless its source declares another\n\
             to change its source instead: set a -f FILE\n\
             the Canary is applied by Flux Kustomization `web/shop\\u{1b}[2J`: its source declares the cookie, so its next reconcile brings it back\n\
             to change its source instead: set a -f FILE\n\
             the Canary is applied by Flux Kustomization `web/shop\\u{1b}[2J`: it is configured to leave the Canary alone (a: b)\n\
             to change its source instead: set a -f FILE\n\
             the Canary is applied by Flux HelmRelease `web/shop\\u{1b}[2J`: its chart declares a cookie, and its next upgrade or correction of drift may replace yours with that one\n\
             to change its chart instead: set a -f FILE\n\
             the Canary is applied by Argo CD Application `web/shop\\u{1b}[2J`: its next sync replaces the Canary, and only a cookie that its source declares stays\n\
             to change its source instead: set a -f FILE\n\
             the Canary is applied by Helm release `web/shop\\u{1b}[2J`: its next upgrade may bring a cookie back if its chart declares one\n\
             to change its chart instead: set a -f FILE\n"
        );
    }
}
