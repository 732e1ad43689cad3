//! How long tests take. libtest tells no times on stable Rust, but runs each test on a thread that bears its name: what
//! ends with the thread ends with the test. Each test that uses the bed writes a line, seconds and name, into the file that
//! `CANARY_TRAEFIK_TIMES` names, and `tests/run` shows the longest.

use std::{
    cell::Cell,
    fs::OpenOptions,
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

use super::run::this;

struct Test {
    name: String,
    began: Cell<Instant>,
}

thread_local! {
    static TEST: Test = Test {
        name: thread::current().name().unwrap_or_default().to_owned(),
        began: Cell::new(Instant::now()),
    };
}

/// This thread uses the bed: if it is a test, it has begun.
pub fn begins() {
    TEST.with(|_| ());
}

/// What this thread did so far was waiting for other tests.
pub fn begins_anew() {
    TEST.with(|test| test.began.set(Instant::now()));
}

/// Writes down how long a test took.
pub fn took(name: &str, time: Duration) {
    let Some(path) = std::env::var_os("CANARY_TRAEFIK_TIMES") else { return };
    let this = this();
    let level = this.file_stem().and_then(|name| name.to_str()?.rsplit_once('-')).map_or("", |(level, _)| level);
    let line = format!("{:.1} {level}::{name}\n", time.as_secs_f64());
    // Nothing is wrong with a test whose time is not known.
    let _ = OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
}

impl Drop for Test {
    fn drop(&mut self) {
        // Other threads have no name, or a shorter one.
        if self.name.contains("::") {
            took(&self.name, self.began.get().elapsed());
        }
    }
}
