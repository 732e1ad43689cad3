//! Killed with `SIGKILL`, at any moment: nothing is half written, and the same command or `sticky apply` reaches the goal.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the seed is read, and said for who repeats the run"
)]

use std::{
    process::{Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testbed::{
    directory::Directory,
    namespace::Namespace,
    numbers::Numbers,
    proxy::{Moment, Proxy},
    run::Run,
};

use crate::rollout::{declared, live};

/// How often it is killed before its end in each of the tests with random moments.
const KILLS: u64 = 50;
/// How often that is tried at most: some come too late.
const TRIES: u64 = 20 * KILLS;

/// `CANARY_TRAEFIK_SEED` repeats a run, as far as the clock allows.
fn numbers() -> Numbers {
    let given = std::env::var("CANARY_TRAEFIK_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let seed = given.unwrap_or_else(|| now().as_secs());
    eprintln!("CANARY_TRAEFIK_SEED={seed}");
    Numbers::new(seed)
}

/// From 0 to almost 1.
fn fraction(numbers: &mut Numbers) -> f64 {
    f64::from(u32::try_from(numbers.any() >> 32).expect("32 bits")) / f64::from(u32::MAX)
}

/// How long a run takes, by a run.
fn length(run: &Run) -> Duration {
    let began = Instant::now();
    let status = run.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("the program can be started").success());
    began.elapsed()
}

/// Starts the run and kills it after this long; whether it had not ended by then.
fn killed_after(run: &Run, delay: Duration) -> bool {
    let mut child = run
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started");
    std::thread::sleep(delay);
    child.kill().expect("one's own child can be killed");
    !child.wait().expect("one's own child can be waited for").success()
}

/// Kills the run at random moments of the length it has, and calls `check` after each.
fn at_random_moments(run: &Run, mut restore: impl FnMut(), mut check: impl FnMut(u64)) {
    let mut numbers = numbers();
    let mut longest = Duration::ZERO;
    let (mut killed, mut tries) = (0, 0);
    while killed < KILLS {
        assert!(tries < TRIES, "only {killed} of {tries} were killed before their end, which took {longest:?}");
        // How long it takes depends on what else the machine has to do.
        if tries % 10 == 0 {
            restore();
            longest = length(run);
        }
        restore();
        killed += u64::from(killed_after(run, longest.mul_f64(fraction(&mut numbers))));
        check(tries);
        tries += 1;
    }
    eprintln!("{killed} of {tries} were killed before their end, which took {longest:?}");
}

fn cookie(max_age: u64) -> (Value, Value) {
    (json!(format!("login; Max-Age={max_age}")), json!({ "cookie": { "name": "login", "maxAge": max_age } }))
}

/// What is there is of before or of after, the declaration first; and whether nothing of it has been done.
fn is_whole(namespace: &Namespace, before: &(Value, Value), after: &(Value, Value)) -> bool {
    let (declared, live) = (declared(namespace, "podinfo"), live(namespace, "podinfo"));
    let states = [(&before.0, &before.1), (&after.0, &before.1), (&after.0, &after.1)];
    let state = states.iter().position(|state| *state == (&declared, &live));
    state.unwrap_or_else(|| panic!("declared {declared}, live {live}")) == 0
}

#[test]
fn a_set_that_is_killed_is_finished_by_apply_or_by_itself() {
    let namespace = Namespace::new("killed");
    namespace.create_rollout("podinfo", 90, 10);
    let (before, after) = (cookie(60), cookie(300));
    let arguments = |max_age: &str| {
        ["sticky", "set", "podinfo", "--name", "login", "--yes", "--max-age", max_age].map(str::to_owned)
    };
    let set = namespace.run(arguments("300"));
    let restore = || {
        let output = namespace.run(arguments("60")).run();
        assert_eq!(output.code, Some(0), "{output}");
    };
    at_random_moments(&set, restore, |number| {
        let untouched = is_whole(&namespace, &before, &after);
        let repeated = if number % 2 == 0 && !untouched {
            namespace.run(["sticky", "apply", "podinfo", "--yes"]).run()
        } else {
            namespace.run(arguments("300")).run()
        };
        assert_eq!(repeated.code, Some(0), "{repeated}");
        assert_eq!((declared(&namespace, "podinfo"), live(&namespace, "podinfo")), after);
        let weights = &namespace.get("TraefikService", "podinfo")["spec"]["weighted"]["services"];
        assert_eq!((&weights[0]["weight"], &weights[1]["weight"]), (&json!(90), &json!(10)));
    });
}

#[test]
fn a_file_that_is_edited_is_the_old_one_or_the_new_one_when_that_is_killed() {
    let folder = Directory::new();
    let head = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata:\n  name: ";
    let rest = "\nspec:\n  provider: traefik\n  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}\n";
    let others: String = (0..200).map(|number| format!("---\n{head}other-{number}{rest}")).collect();
    let old = format!("{head}podinfo{rest}{others}");
    let declared = "podinfo\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300\nspec";
    let new = old.replacen("podinfo\nspec", declared, 1);
    let arguments = "sticky set podinfo --name login --max-age 300 -R -f . --yes";
    let set = || Run::new(arguments.split(' ')).dir(folder.path());
    let restore = || drop(folder.write("canary.yaml", &old));
    let mut left_behind = 0;
    at_random_moments(&set(), restore, |_| {
        let text = folder.read("canary.yaml");
        assert!(text == old || text == new, "half of it:\n{text}");
        left_behind += folder.names().len() - 1;
        // What was left behind is no manifest, and goes with the next edit.
        folder.write("canary.yaml", &old);
        let repeated = set().run();
        assert_eq!(repeated.code, Some(0), "{repeated}");
        assert_eq!(folder.read("canary.yaml"), new);
        assert_eq!(folder.names(), ["canary.yaml"]);
    });
    eprintln!("{left_behind} temporary files were left behind");
}

/// Kills the program when its request number `at` has come to `moment`, and lets the request through or not; whether
/// there was such a request.
fn killed_at(namespace: &Namespace, arguments: &[String], at: usize, moment: Moment, let_through: bool) -> bool {
    let pid = Arc::new((Mutex::new(None::<u32>), Condvar::new()));
    let (victim, count) = (Arc::clone(&pid), AtomicU32::new(0));
    let killed = Arc::new(Mutex::new(false));
    let has_killed = Arc::clone(&killed);
    let proxy = Proxy::start(namespace.server().admin(), move |_, now| {
        if now == Moment::Before {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut killed = killed.lock().expect("nothing panics while it is held");
        if now != moment || count.load(Ordering::Relaxed) as usize != at || *killed {
            return true;
        }
        *killed = true;
        let (lock, known) = &*victim;
        let pid = known.wait_while(lock.lock().expect("a number"), |pid| pid.is_none()).expect("a number").expect("it");
        let status = Command::new("/bin/sh").args(["-c", "kill -s KILL \"$1\"", "kill", &pid.to_string()]).status();
        assert!(status.expect("a shell").success(), "cannot kill {pid}");
        let_through
    });
    let run = Run::new(arguments).kubeconfig(proxy.kubeconfig(namespace.name()));
    let mut child = run.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it");
    *pid.0.lock().expect("a number") = Some(child.id());
    pid.1.notify_all();
    child.wait().expect("one's own child can be waited for");
    drop(proxy);
    *has_killed.lock().expect("nothing panics while it is held")
}

#[test]
fn between_any_two_requests_too() {
    let namespace = Namespace::new("killed-at");
    namespace.create_rollout("podinfo", 90, 10);
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let back = words("sticky set podinfo --name login --max-age 60 --yes");
    for (line, after) in [
        ("sticky set podinfo --name login --max-age 300 --yes", cookie(300)),
        ("sticky remove podinfo --yes", (Value::Null, Value::Null)),
    ] {
        let mut kills = 0;
        for (moment, let_through) in [(Moment::Before, false), (Moment::Before, true), (Moment::After, true)] {
            for at in 1.. {
                let output = namespace.run(&back).run();
                assert_eq!(output.code, Some(0), "{output}");
                if !killed_at(&namespace, &words(line), at, moment, let_through) {
                    break;
                }
                kills += 1;
                is_whole(&namespace, &cookie(60), &after);
                let again = namespace.run(words(line)).run();
                assert_eq!(again.code, Some(0), "{again}");
                assert_eq!((declared(&namespace, "podinfo"), live(&namespace, "podinfo")), after);
            }
        }
        assert!(kills >= 12, "{line}: {kills} kills");
    }
}

/// Apply finishes what was begun: what is declared is live, and nothing is left over.
#[test]
fn between_any_two_requests_of_an_entry_too() {
    let namespace = Namespace::new("killed-entry");
    namespace.create_rollout("podinfo", 90, 10);
    let services = json!([{ "kind": "TraefikService", "name": "podinfo" }]);
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": "web" },
        "spec": { "routes": [{ "kind": "Rule", "match": format!("Host(`{}`)", namespace.name()), "services": services }] },
    }));
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let set = "sticky set podinfo --name login --max-age 60 --entry /login --yes";
    let remove = "sticky remove podinfo --yes";
    for (line, back) in [(set, remove), (remove, set)] {
        let mut kills = 0;
        for (moment, let_through) in [(Moment::Before, false), (Moment::After, true)] {
            for at in 1.. {
                let output = namespace.run(words(back)).run();
                assert_eq!(output.code, Some(0), "{output}");
                if !killed_at(&namespace, &words(line), at, moment, let_through) {
                    break;
                }
                kills += 1;
                let apply = namespace.run(["sticky", "apply", "podinfo", "--yes"]).run();
                assert_eq!(apply.code, Some(0), "{apply}");
                let is_declared = declared(&namespace, "podinfo") != Value::Null;
                let are_there =
                    ["Middleware", "IngressRoute"].map(|kind| namespace.find(kind, "podinfo-entry").is_some());
                assert_eq!(are_there, [is_declared; 2], "{line}: killed {moment:?} request {at}");
            }
        }
        assert!(kills >= 12, "{line}: {kills} kills");
    }
}
