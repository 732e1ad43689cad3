//! The examples, broken at random: nothing that reads manifests panics on them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use canary_traefik::{
    cluster::Selection,
    files::{self, Edit, Manifests},
    flagger::Canary,
    lint,
    model::{Stickiness, declaration::ANNOTATION},
    observed::Loaded,
    output::{self, change, diff::comparable, report, show, style::Style},
    plan::{FieldChanges, Plan, Scope, undo},
    source::Source,
    yaml,
};
use testbed::numbers::Numbers;

use crate::manifests::EXAMPLES;

/// How many texts are made from each example.
const TEXTS: u64 = 700;

/// What is likely to mean something at a place where it was not expected.
const PIECES: &[&str] = &[
    "\n---\n",
    "\n...\n",
    ": ",
    "- ",
    "\n",
    "\r",
    "\t",
    " ",
    "  ",
    "#",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "?",
    "%",
    "null",
    "~",
    "true",
    "0",
    "-1",
    "1e309",
    ".inf",
    "99999999999999999999",
    ";",
    "; Secure",
    "Max-Age=",
    "\u{feff}",
    "\u{0}",
    "\u{1b}",
    "\u{202e}",
    "é",
    "😀",
    "items:",
    "kind: List\n",
    "name:",
    "metadata:",
    "annotations:",
    "kubectl-canary-traefik/sticky-cookie:",
    "sticky: {cookie: {name: 3}}",
];

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(12)).min(bytes.len());
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, numbers.one_of(PIECES).bytes())),
            3 => drop(bytes.splice(at..end, numbers.one_of(PIECES).bytes())),
            4 => {
                let from = numbers.below(bytes.len() + 1);
                let copy = bytes[from..(from + 60).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at.max(bytes.len() / 2)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What `show`, `diff`, `render`, `sticky get` and `sticky set` do before they print.
async fn read(manifests: Manifests) {
    let source = Source::Files(manifests);
    let all = Selection { namespace: None, selector: None };
    let observed = source.list(all).await.expect("there is no selector to be wrong");
    for namespace in [true, false] {
        let _ = show::rows(
            &observed,
            show::Columns {
                namespace,
                wide: namespace,
                file: namespace,
                step: namespace,
                next: namespace,
                headers: namespace,
                now: 0,
            },
        );
    }
    let _ = output::json(&report::list(&observed));
    let _ = yaml::print(&report::list(&observed));
    let loaded = source.load_all(all).await.expect("there is no selector to be wrong");
    let Source::Files(manifests) = &source else { unreachable!("it was made of manifests") };
    for loaded in &loaded {
        let target = &loaded.observed.canary.target;
        for seen in [&loaded.observed]
            .into_iter()
            .chain(source.look(target.namespace.as_deref(), &target.name).await.iter().flatten())
        {
            let _ = (show::cookies(std::slice::from_ref(seen), true), lint::check(seen), report::single(seen));
            for weight in [None, Some(0), Some(100)] {
                let _ = seen.generated(weight).map(|value| yaml::print(&value));
            }
        }
        changed(loaded);
    }
    for object in manifests.objects().filter(|object| Canary::is(&object.value)) {
        let path = ["metadata", "annotations", ANNOTATION];
        for wish in [Edit::set(&path, "login; Secure"), Edit::remove(&path)] {
            let _ = files::edit(manifests.source(object), object, &[wish]);
        }
        let _ = object.origin();
    }
}

fn changed(loaded: &Loaded) {
    let declared = loaded.observed.canary.declared.cookie();
    for scope in [Scope::Both, Scope::LiveOnly, Scope::DeclareOnly] {
        for cookie in [None, declared.cloned(), Some(FieldChanges::default().on(None))] {
            let Ok(plan) = Plan::new(loaded, &Stickiness { cookie, entry: None }, scope) else { continue };
            for step in &plan.steps {
                let _ = change::step_diff(step, &step.after(), true, Style::PLAIN);
                let _ = comparable(&step.before);
            }
            let _ = undo::arguments(&plan, false);
        }
    }
}

#[test]
fn no_broken_manifest_makes_a_reader_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (mut numbers, mut parsed, mut refused) = (Numbers::new(7), 0, 0);
    for (name, example) in EXAMPLES {
        for _ in 0..TEXTS {
            let text = mutated(example, &mut numbers);
            let work = || match files::parse(Some(name.into()), text.clone()) {
                Ok(manifests) => {
                    runtime.block_on(read(manifests));
                    parsed += 1;
                }
                Err(error) => {
                    assert!(!error.message().is_empty());
                    refused += 1;
                }
            };
            let ended = catch_unwind(AssertUnwindSafe(work));
            assert!(ended.is_ok(), "this text made it panic:\n{text}");
        }
    }
    // Else the mutations are too mild, or too wild.
    assert!(parsed > 300 && refused > 300, "{parsed} texts could be read, {refused} could not");
}
