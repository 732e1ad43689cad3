//! `describe` with the guard on: the next write brings what is declared, and does not take it away.

use snapbox::str;
use testbed::{namespace::Namespace, objects::status, run::exactly};

use super::lone::{declare, lone, rollout};

/// From what keeps the cookie to where the routes begin.
fn fate(namespace: &Namespace) -> String {
    let output = namespace.run(["describe", "podinfo"]).env("COLUMNS", "200").run();
    assert_eq!(output.code, Some(0), "{output}");
    let lines = output.stdout.lines().skip_while(|line| !line.starts_with("Protected"));
    lines.take_while(|line| !line.starts_with("Routes")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_guarded_cookie_is_put_into_the_next_write() {
    let lone = lone();
    let namespace = rollout(&lone, "described");
    namespace.patch_status("Canary", "podinfo", &status("Progressing", 10));
    declare(&namespace, "login; Max-Age=300");
    exactly(
        &fate(&namespace),
        str![[r#"
Protected:       none: Flagger's next write removes the cookie
Next write:      the step to 20, or a rollback, within 60s if its checks pass; weights 80/20; it writes no cookie; there is none now

"#]],
    );
    lone.install(&[]);
    exactly(
        &fate(&namespace),
        str![[r#"
Protected:       guard: it puts the declared cookie back into every write
Next write:      the step to 20, or a rollback, within 60s if its checks pass; weights 80/20; the guard puts the declared cookie into it

"#]],
    );
}
