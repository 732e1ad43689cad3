//! `describe` with the guard on: the next write brings what is declared, and does not take it away.

use snapbox::str;

use super::lone::{declare, lone, rollout};
use crate::support::{namespace::Namespace, objects::status, run::exactly};

/// From what keeps the stanza to where the routes begin.
fn fate(namespace: &Namespace) -> String {
    let output = namespace.run(["describe", "podinfo"]).env("COLUMNS", "200").run();
    assert_eq!(output.code, Some(0), "{output}");
    let lines = output.stdout.lines().skip_while(|line| !line.starts_with("Kept"));
    lines.take_while(|line| !line.starts_with("Routes")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_guarded_stanza_is_put_into_the_next_write() {
    let lone = lone();
    let namespace = rollout(&lone, "described");
    namespace.patch_status("Canary", "podinfo", &status("Progressing", 10));
    declare(&namespace, "login; Max-Age=300");
    exactly(
        &fate(&namespace),
        str![[r#"
Kept:            no: nothing keeps it
Next write:      the step to 20, or a rollback, within 60s if its checks pass; weights 80/20; it brings no stanza, and there is none now

"#]],
    );
    lone.install(&[]);
    exactly(
        &fate(&namespace),
        str![[r#"
Kept:            guard: admission re-adds what is declared inside each write
Next write:      the step to 20, or a rollback, within 60s if its checks pass; weights 80/20; the guard puts the declared cookie into it

"#]],
    );
}
