//! CT057: an annotation that is almost one of ours.

use super::{Problem, Rule};
use crate::{
    lint::{Place, Severity, subject::Subject},
    model::{declaration::ANNOTATION, entry::ENTRY_ANNOTATION},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT057",
    severity: Severity::Error,
    title: "A mistyped or misplaced annotation",
    why: "Nothing reads an annotation with a mistyped key, so nothing is declared.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cooky: login; Max-Age=120",
    mended: &[("cooky", "cookie")],
    fix: "Correct the key (kubectl-canary-traefik/sticky-cookie or kubectl-canary-traefik/entry), or move it to metadata.annotations.",
    source: "src/model/declaration.rs, src/model/entry.rs",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let problem = |key: &String| {
        let name = key.rsplit('/').next().unwrap_or_default();
        let near = if name.starts_with("sticky") || name.contains("cook") { ANNOTATION } else { ENTRY_ANNOTATION };
        Problem::new(format!("nothing reads the annotation {key}"), format!("did you mean {near}?"))
            .at(Place::of_canary(&["metadata", "annotations", key]))
    };
    let canary = &subject.observed.canary;
    let mut problems: Vec<_> = canary.mistyped.iter().flat_map(problem).collect();
    for key in [ANNOTATION, ENTRY_ANNOTATION] {
        if canary.labels.contains_key(key) {
            let message = format!("nothing reads the label {key}");
            let place = Place::of_canary(&["metadata", "labels", key]);
            problems.extend(Problem::new(message, "move it to metadata.annotations").at(place));
        }
        if canary.apex_annotations.contains_key(key) {
            let message = format!("nothing reads the annotation {key} in spec.service.apex.annotations");
            let place = Place::of_canary(&["spec", "service", "apex", "annotations", key]);
            problems.extend(Problem::new(message, "move it to metadata.annotations").at(place));
        }
    }
    problems
}
