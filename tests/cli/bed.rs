//! The test bed's own parts: the closed world of a run, redaction, the screen, the scripted server, and
//! children that do not outlive their handle.

use std::{process::Command, time::Duration};

use serde_json::json;
use snapbox::str;
use testbed::{
    api::Api,
    directory::{Directory, random_letters},
    fake::{Fake, Reply},
    process::Process,
    pty::{Key, Pty},
    redact::redact,
    run::{Run, exactly},
    running::{Running, Stream},
    screen::Screen,
    wait::until,
};

fn shell(script: &str) -> Run {
    Run::of("/bin/sh", ["-c", script])
}

#[test]
fn a_run_sees_an_environment_of_its_own() {
    Run::of("/usr/bin/env", ["/usr/bin/env"]).env("KUBE_EDITOR", "ed").run().shows(str![[r#"
exit: 0
--- stdout
COLUMNS=80
HOME=[HOME]
KUBE_EDITOR=ed
PATH=
TERM=dumb
TMPDIR=[TMP]
--- stderr

"#]]);
}

#[test]
fn a_run_shows_its_streams_its_directory_and_its_exit_code() {
    let directory = Directory::new();
    directory.write("canary.yaml", "kind: Canary\n");
    shell("read word; echo \"$word\"; pwd; printf %s * >&2; exit 3")
        .stdin("hello\n")
        .dir(directory.path())
        .run()
        .shows(str![[r#"
exit: 3
--- stdout
hello
[DIR]
--- stderr
canary.yaml
(no newline at the end)

"#]]);
}

#[test]
fn a_run_tells_the_signal_that_ended_it() {
    shell("kill -TERM $$").run().shows(str![[r#"
exit: signal 15
--- stdout
--- stderr

"#]]);
}

#[test]
fn a_run_that_takes_too_long_is_killed_and_tells_what_it_printed() {
    let killed = |limit: u64| {
        let run = shell("echo waiting; echo for ever >&2; exec /bin/sleep 1000").limit(Duration::from_secs(limit));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(run.run())));
        let message = panic.expect_err("a time limit").downcast::<String>().expect("a panic with a message");
        message.replace(&format!("{limit}s"), "[LIMIT]")
    };
    // On a busy machine the first limit may be over before anything was printed.
    let mut messages = [1, 3, 10, 30, 100].into_iter().map(killed);
    let message = messages.find(|message| message.contains("for ever")).expect("it prints at once");
    exactly(
        &message,
        str![[r#"
the run took too long
exit: none: killed after [LIMIT]
--- stdout
waiting
--- stderr
for ever

"#]],
    );
}

#[test]
fn a_test_that_uses_the_bed_writes_down_how_long_it_took() {
    const OTHER: &str = "bed::a_run_tells_the_signal_that_ended_it";
    let directory = Directory::new();
    let this = std::env::current_exe().expect("a process can know its program");
    let run = Run::of(this, ["--exact", OTHER, "--test-threads", "2"]);
    let output = run.env("CANARY_TRAEFIK_TIMES", directory.write("times", "")).run();
    assert_eq!(output.code, Some(0), "{output}");
    let times = directory.read("times");
    let (seconds, name) = times.trim_end().split_once(' ').unwrap_or_else(|| panic!("{times:?}"));
    assert!(seconds.parse::<f64>().is_ok(), "{times}");
    assert_eq!(name, format!("cli::{OTHER}"));
}

#[test]
fn a_run_that_goes_on_is_awaited_and_interrupted() {
    let mut running = Running::start(shell(
        "trap 'echo stopped; exit 130' INT; echo ready; echo for ever >&2; while :; do /bin/sleep 0.01; done",
    ));
    running.wait_for(Stream::Stdout, "ready");
    running.wait_for(Stream::Stderr, "for ever");
    running.signal("INT");
    running.ends().shows(str![[r#"
exit: 130
--- stdout
ready
stopped
--- stderr
for ever

"#]]);
}

#[test]
fn a_kubeconfigs_port_and_path_are_redacted() {
    let fake = Fake::start();
    shell("echo \"$KUBECONFIG\"; while read -r line; do case $line in *server*) echo \"$line\"; esac; done <\"$KUBECONFIG\"")
        .kubeconfig(fake.kubeconfig())
        .run()
        .shows(str![[r#"
exit: 0
--- stdout
[KUBECONFIG]
"server": "http://127.0.0.1:[PORT]"
--- stderr

"#]]);
}

#[test]
fn redaction_keeps_the_columns() {
    let table = "\
NAMESPACE   NAME   AGE     KEPT
shop        one    5s      no
shop        two    2y34d   no
shop        none   <none>  no

NAME    AGE
three   12s
a-s     3m20s

changed 12s ago (13h ago), 5 minutes ago, pages ago
uid: 0a1b2c3d-0000-4000-8000-0123456789ab at 2026-01-01T00:00:00Z or 2026-01-01T00:00:00.123456+01:00
resourceVersion: \"123\" {\"resourceVersion\":\"45\",\"x\":\"67\"} resourceVersion: abc
";
    exactly(
        &redact(table),
        str![[r#"
NAMESPACE   NAME   AGE     KEPT
shop        one    [A]     no
shop        two    [A]     no
shop        none   <none>  no

NAME    AGE
three   [A]
a-s     [A]

changed [A] ago ([A] ago), 5 minutes ago, pages ago
uid: [UID] at [TIME] or [TIME]
resourceVersion: "[RV]" {"resourceVersion":"[RV]","x":"67"} resourceVersion: abc

"#]],
    );
}

#[test]
fn random_letters_are_a_name_and_differ() {
    let names: std::collections::BTreeSet<_> = (0..1000).map(|_| random_letters(12)).collect();
    assert_eq!(names.len(), 1000);
    for name in names {
        assert_eq!(name.len(), 12, "{name}");
        assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
    }
}

#[test]
fn the_screen_shows_what_a_terminal_would() {
    let mut screen = Screen::new(10);
    for part in [
        "one\r\ntwo\r\nthree",
        "\x1b[",
        "1A\x1b[2K\rzwei \x1b[32mok\x1b[0m",
        "\r\n\x1b[Jend of a line\x08\x08X",
        "\u{e9}",
    ] {
        for byte in part.bytes() {
            screen.print(&[byte]);
        }
    }
    exactly(
        &screen.text(),
        str![[r#"
one
zwei ok
end of a l
iXé

"#]],
    );
}

#[test]
fn a_person_at_a_terminal_is_asked_and_answers() {
    let script = "test -t 0 && test -t 2 && printf 'go on? ' && read -r answer && echo \"said $answer\" && exit 4";
    let mut pty = Pty::start(shell(script));
    pty.wait_for("go on?");
    pty.types("yes");
    pty.press(Key::Enter);
    let seen = pty.ends();
    seen.shows(str![[r#"
exit: 4
--- screen
go on? yes
said yes

"#]]);
    assert_eq!(seen.code, Some(4));
}

#[test]
fn control_c_at_a_terminal_interrupts() {
    let mut pty = Pty::start(shell("trap 'echo stopped; exit 130' INT; echo ready; while :; do /bin/sleep 0.01; done"));
    pty.wait_for("ready");
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
ready
^Cstopped

"#]]);
}

#[test]
fn the_scripted_server_answers_in_order_and_records_what_it_was_asked() {
    let fake = Fake::start();
    fake.on("GET", "/version", [Reply::json(503, &json!({})), Reply::json(200, &json!({ "major": "1" }))]);
    fake.on("PATCH", "/x", [Reply::refusal(409, "Conflict", "it changed").header("retry-after", "1")]);
    let api = Api::from_file(&fake.kubeconfig()).expect("a good kubeconfig");

    assert_eq!(api.get("/version").code, 503);
    assert_eq!(api.get("/version?timeout=1s").json(), json!({ "major": "1" }));
    assert_eq!(api.get("/version").code, 200);
    let conflict = api.merge("/x", &json!({ "a": 1 }));
    assert_eq!((conflict.code, conflict.message()), (409, "it changed".to_owned()));
    assert_eq!(api.delete("/y").code, 404);

    assert_eq!(fake.lines(), ["GET /version", "GET /version?timeout=1s", "GET /version", "PATCH /x", "DELETE /y"]);
    let patch = &fake.requests()[3];
    assert_eq!(patch.body, r#"{"a":1}"#);
    assert_eq!(patch.header("content-type"), Some("application/merge-patch+json"));
    assert_eq!(patch.header("authorization"), Some("Bearer fake"));
}

#[test]
fn the_scripted_server_breaks_off_closes_and_hangs() {
    let fake = Fake::start();
    fake.on("GET", "/broken", [Reply::Broken { code: 200, body: b"{".to_vec() }]);
    fake.on("GET", "/close", [Reply::Close]);
    fake.on("GET", "/hang", [Reply::Hang]);
    let api = Api::from_file(&fake.kubeconfig()).expect("a good kubeconfig");
    let get = |path: &str| api.send(http::Request::get(path).body(Vec::new()).expect("a well-formed request"));
    assert!(get("/broken").is_err());
    assert!(get("/close").is_err());

    let waiting = std::thread::spawn({
        let api = api.clone();
        move || api.send(http::Request::get("/hang").body(Vec::new()).expect("a well-formed request")).is_err()
    });
    until("the request that hangs", || fake.lines().contains(&"GET /hang".to_owned()).then_some(()));
    assert!(!waiting.is_finished());
    drop(fake);
    assert!(waiting.join().expect("no panic"), "a server that is gone answers nothing");
}

#[test]
fn a_child_ends_with_its_handle_and_takes_its_directory_along() {
    let directory = std::mem::ManuallyDrop::new(Directory::new());
    let mut command = Command::new("/bin/sh");
    command.current_dir(directory.path()).args(["-c", "echo $$ >pid.new; mv pid.new pid; exec sleep 1000"]);
    let mut process = Process::start(&command, &directory.path().join("log"), Some(directory.path())).expect("a shell");
    let pid = directory.path().join("pid");
    until("the child to begin", || pid.exists().then_some(()));
    let pid = directory.read("pid").trim().to_owned();
    let alive = || {
        Command::new("/bin/sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status().expect("a shell").success()
    };
    assert!(alive());
    assert_eq!(process.ended(), None);

    process.stop();

    assert!(!alive());
    assert!(!directory.path().exists());
}

#[test]
fn a_child_that_ends_by_itself_is_noticed_with_its_last_words() {
    let directory = Directory::new();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo no port >&2; exit 7"]);
    let mut process = Process::start(&command, &directory.path().join("log"), None).expect("a shell");
    let status = until("the child to end", || process.ended());
    assert_eq!(status.code(), Some(7));
    assert_eq!(process.last_words(), "no port");
}
