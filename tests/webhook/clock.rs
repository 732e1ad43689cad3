//! The clock of the guard's machine is wrong.

use std::process::Command;

use testbed::{directory::Directory, wait::until};

use super::guard::{self, Guard, Turn, declared_sticky, live, registrations, sticky};

const HOUR: i64 = 3600;

/// The library of `clock.c`, in this folder.
fn library(folder: &Directory) -> String {
    let library = folder.path().join("clock.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhook/clock.c");
    let compiler = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source]).status();
    assert!(compiler.expect("a C compiler: Rust links with it").success());
    library
}

#[test]
fn a_clock_that_is_off_by_an_hour_costs_no_call() {
    let turn = Turn::take();
    let namespace = turn.shops("clock", &["shop"]);
    let folder = Directory::new();
    let library = library(&folder);
    for (off, then) in [(HOUR, -HOUR), (-HOUR, HOUR)] {
        let clock = folder.write("clock", off.to_string());
        let port = guard::free_port();
        let secret = format!("{}/certificates", namespace.name());
        let guard = Guard::with(&namespace, port, port, &["--cert-secret", &secret], |run| {
            run.env("LD_PRELOAD", &library).env("CLOCK_OFF", &clock)
        });
        guard.acts(&namespace, "shop");
        until("the repair of what was written before", || {
            (live(&namespace, "shop") == declared_sticky()).then_some(())
        });
        let failed = turn.server().failed_calls();
        for off in [off, 0, then] {
            folder.write("clock", off.to_string());
            let stored = guard::writes(&namespace, "shop", |number| number < 50);
            assert!(stored.iter().all(|service| sticky(service) == declared_sticky()), "{off}");
        }
        assert_eq!(turn.server().failed_calls() - failed, 0);
        let ended = guard.ends("TERM");
        assert_eq!(ended.0.code, Some(0), "{}", ended.0);
        let times = ended.0.stderr.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["time"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time").as_second()
        });
        let times: Vec<_> = times.collect();
        let moved = times.last().expect("a line") - times[0];
        // By two hours, and what the test took.
        assert!((moved - (then - off)).abs() < HOUR, "its clock moved by {moved} s");
        assert!(registrations(&namespace).is_empty());
        namespace.delete("Secret", "certificates");
    }
}
