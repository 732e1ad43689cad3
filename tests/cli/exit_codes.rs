//! `docs/exit-codes.md` lists every exit code, and its examples end as it says. Codes 5, 6 and 130 have more tests in
//! `tests/cluster` (conflicts, faults).
#![expect(clippy::disallowed_methods, reason = "reads and writes what the program does not")]

use std::collections::BTreeSet;

use canary_traefik::error::{Exit, Kind};
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    fake::{Fake, Reply},
    run::{Run, exactly},
    running::Running,
    wait::until,
};

use crate::manifests::{canary, folder};

/// The rows of the table: code, name, example.
fn rows() -> Vec<(u8, String, Option<String>)> {
    let text = std::fs::read_to_string(bed::root().join("docs/exit-codes.md")).expect("the page can be read");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        let example = cells.get(3).and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`').map(str::to_owned));
        (cells[0].parse().expect("a code"), cells[1].clone(), example)
    };
    rows.map(row).collect()
}

#[test]
fn the_page_lists_every_exit_code() {
    let listed: BTreeSet<u8> = rows().into_iter().map(|(code, ..)| code).collect();
    let kinds = Kind::ALL.map(Kind::code).into_iter();
    let all: BTreeSet<u8> = kinds.chain([Exit::Ok, Exit::Found].map(Exit::code)).collect();
    assert_eq!(listed, all);
}

#[test]
fn the_examples_of_the_page_end_as_it_says() {
    let mut tried = 0;
    for (code, name, example) in rows() {
        let Some(example) = example else { continue };
        let output = Run::new(example.split(' ')).dir(bed::root()).run();
        assert_eq!(output.code, Some(code.into()), "{name}: {example}\n{output}");
        tried += 1;
    }
    assert_eq!(tried, 6, "codes that a command line alone can bring about");
}

#[test]
fn a_wait_that_a_signal_ends_ends_with_its_number() {
    for (signal, code, said) in [
        ("INT", 130, "error: interrupted\n"),
        ("TERM", 143, "error: ended by SIGTERM\n"),
        ("HUP", 129, "error: ended by SIGHUP\n"),
        ("QUIT", 131, "error: ended by SIGQUIT\n"),
    ] {
        let fake = Fake::start();
        fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries", [Reply::Hang]);
        let running = Running::start(Run::new(["show"]).kubeconfig(fake.kubeconfig()));
        until("the server to be asked", || (!fake.requests().is_empty()).then_some(()));
        running.signal(signal);
        let output = running.ends();
        assert_eq!((output.code, output.stderr.as_str()), (Some(code), said), "{signal}");
    }
}

/// A Canary with so many routes that to describe it takes much longer than a signal may take, and its entry asks each route's
/// regular expression.
fn endless() -> Directory {
    let mut text = canary("shop", Some("login; Max-Age=60"))
        .replace("  annotations:\n", "  annotations:\n    kubectl-canary-traefik/entry: /login\n");
    for number in 0..6_000 {
        text.push_str(&format!(
            "---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: r{number}}}
spec: {{routes: [{{match: \"HostRegexp(`^h{number}.*$`)\", services: [{{kind: TraefikService, name: shop}}]}}]}}
"
        ));
    }
    folder(&[("all.yaml", &text)])
}

/// How long the main thread of a process has computed, in hundredths of a second.
fn computed(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/task/{process}/stat")).expect("it runs");
    // proc_pid_stat(5): the name can hold blanks; `utime` is the 14th field.
    let behind_name = stat.rsplit_once(')').expect("a name").1;
    behind_name.split_whitespace().nth(11).and_then(|ticks| ticks.parse().ok()).expect("a number")
}

#[test]
fn a_command_that_computes_ends_by_a_signal_too() {
    let folder = endless();
    for (signal, code, said) in [("INT", 130, "error: interrupted\n"), ("TERM", 143, "error: ended by SIGTERM\n")] {
        let running = Running::start(Run::new(["describe", "shop", "-f", "."]).dir(folder.path()));
        // Files are read on another thread.
        until("the program to compute", || (computed(running.id()) > 20).then_some(()));
        running.signal(signal);
        let output = running.ends();
        assert_eq!((output.code, output.stderr.as_str(), output.stdout.as_str()), (Some(code), said, ""), "{signal}");
    }
}

/// With a stack that no system can give, no thread starts, and what wants one panics.
const NO_THREADS: (&str, &str) = ("RUST_MIN_STACK", "1152921504606846976");

#[test]
fn a_panic_ends_with_70_and_says_what_to_report() {
    let run = Run::new(["show", "--server", "https://localhost:1"]).env(NO_THREADS.0, NO_THREADS.1);
    let output = run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run();
    let place = output.stderr.lines().find_map(|line| line.strip_prefix("caused by: panicked at ")).unwrap_or_default();
    assert!(place.starts_with("hyper-util-"), "a place without folders of this machine: {output}");
    exactly(
        &output.to_string().replace(place, "[PLACE]"),
        str![[r#"
exit: 70
--- stdout
--- stderr
error: internal error: OS can't spawn worker thread: Resource temporarily unavailable (os error 11)
caused by: panicked at [PLACE]
hint: this is a bug in kubectl canary-traefik [VERSION]: please report it with the lines above

"#]],
    );
}
