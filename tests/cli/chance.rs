//! Random command lines, environments and kubeconfigs against random servers: each run ends with a documented status and
//! in time, and no secret that was put in comes out. `CANARY_TRAEFIK_SEED=7 CANARY_TRAEFIK_RUNS=1` repeats one that failed.
#![expect(clippy::disallowed_methods, reason = "reads which runs are wanted")]

mod generate;
mod kubeconfig;

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use testbed::{
    fake::Fake,
    numbers::Numbers,
    run::{Output, Run},
};

use self::generate::{Case, Draw, ELSEWHERE, MARK};

/// How many runs there are, each from a number of its own.
const RUNS: u64 = 250;

/// What is no mistake, and every mistake that a person or a server can make.
const DOCUMENTED: [i32; 7] = [0, 1, 2, 3, 4, 5, 6];

impl Case {
    fn run(&self) -> Output {
        let mut run = Run::new(&self.words).dir(self.folder.path()).limit(Duration::from_secs(40));
        for (name, value) in &self.environment {
            run = run.env(name, value.replace('\0', ""));
        }
        run.run()
    }

    /// What is wrong with how it went.
    fn wrong(&self, output: &Output) -> Option<String> {
        let mut wrong = String::new();
        if !output.code.is_some_and(|code| DOCUMENTED.contains(&code)) {
            wrong.push_str("it ended with another status than is documented; ");
        }
        if [&output.stdout, &output.stderr].iter().any(|text| text.contains(MARK)) {
            wrong.push_str("a secret came out; ");
        }
        if has_credentials(&self.plain) {
            wrong.push_str("credentials went out over http; ");
        }
        let leads_elsewhere =
            |path: &str| path.to_lowercase().contains("%2f") || path.split('/').any(|part| part == "..");
        let asked = [self.plain.requests(), self.encrypted.requests()].concat();
        if asked.iter().any(|request| leads_elsewhere(&request.path)) {
            wrong.push_str("it asked for a path that leads elsewhere; ");
        }
        if asked.iter().any(|request| request.path == ELSEWHERE) {
            wrong.push_str("it followed a redirect; ");
        }
        (!wrong.is_empty()).then_some(wrong)
    }

    fn sends_credentials(&self) -> bool {
        has_credentials(&self.encrypted)
    }

    fn tell(&self) -> String {
        let mut told = String::new();
        for (name, value) in &self.environment {
            let _ = write!(told, "{name}={} ", shortened(&format!("{value:?}")));
        }
        let words: Vec<_> = self.words.iter().map(|word| shortened(&format!("{word:?}"))).collect();
        format!("{told}{}\n{}", words.join(" "), shortened(&self.kubeconfig))
    }
}

fn has_credentials(fake: &Fake) -> bool {
    fake.requests().iter().any(|request| request.header("authorization").is_some())
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(2_000).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[test]
fn no_run_panics_hangs_or_tells_a_secret() {
    let chosen = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let (first, count) = (chosen("CANARY_TRAEFIK_SEED").unwrap_or(1), chosen("CANARY_TRAEFIK_RUNS").unwrap_or(RUNS));
    let next = AtomicU64::new(first);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let (done, sent) = (AtomicU64::new(0), AtomicU64::new(0));
    let found: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut found = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + count {
                    return found;
                }
                let case = Draw(Numbers::new(seed)).case();
                let ended = catch_unwind(AssertUnwindSafe(|| case.run()));
                let output = ended.unwrap_or_else(|_| panic!("with CANARY_TRAEFIK_SEED={seed}\n{}", case.tell()));
                done.fetch_add(u64::from(output.code == Some(0)), Ordering::Relaxed);
                sent.fetch_add(u64::from(case.sends_credentials()), Ordering::Relaxed);
                if let Some(wrong) = case.wrong(&output) {
                    found.push(format!(
                        "CANARY_TRAEFIK_SEED={seed} CANARY_TRAEFIK_RUNS=1: {wrong}\n{}\n{}",
                        case.tell(),
                        shortened(&output.to_string())
                    ));
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    });
    assert!(found.is_empty(), "{} of {count} runs:\n{}", found.len(), found.join("\n"));
    // Else they are all refused at the door.
    let (done, sent) = (done.into_inner(), sent.into_inner());
    assert!(
        count < RUNS || done > count / 20 && sent > count / 50,
        "{done} runs came to a good end, {sent} sent credentials"
    );
}
