//! What can be typed next: asked as kubectl asks, and by the script in a real bash.
#![expect(clippy::disallowed_methods, reason = "reads and writes what the program does not")]

use std::{
    os::unix::fs::symlink,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    fake::{Fake, Reply},
    run::{Output, Run, exactly},
    wait::until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-canary_traefik");
const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";

/// The program under the name by which kubectl asks.
fn asked<'a>(words: impl IntoIterator<Item = &'a str>) -> Run {
    static FOLDER: LazyLock<Directory> = LazyLock::new(|| {
        let folder = Directory::new();
        symlink(PROGRAM, folder.path().join("kubectl_complete-canary_traefik")).expect("a link can be made");
        folder
    });
    Run::of(FOLDER.path().join("kubectl_complete-canary_traefik"), words)
}

/// How long a run may take that waits a second for somebody, measured by runs that wait for nobody.
fn patience() -> Duration {
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(offered(["sticky", "s"]), ["set", ":4"]);
    }
    Duration::from_secs(3) + 2 * began.elapsed()
}

/// What is offered, without the help.
fn offered<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let output = asked(words).run();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let lines = output.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
    lines.collect()
}

/// A server with these Canaries in `shop`.
fn shop(names: &[&str]) -> Fake {
    shop_on(Fake::start(), names)
}

fn shop_on(fake: Fake, names: &[&str]) -> Fake {
    let item = |name: &&str| json!({ "metadata": { "name": name, "namespace": "shop" } });
    let items: Vec<Value> = names.iter().map(item).collect();
    fake.on("GET", CANARIES, [Reply::json(200, &json!({ "kind": "PartialObjectMetadataList", "items": items }))]);
    fake
}

fn at(fake: &Fake, words: &[&str]) -> Output {
    asked(words.iter().copied()).kubeconfig(fake.kubeconfig()).run()
}

/// The same where something is to be offered. What does not come within a second is left out, as on a busy machine it may.
fn named(fake: &Fake, words: &[&str]) -> Output {
    until("names in time", || Some(at(fake, words)).filter(|output| output.stdout != ":4\n"))
}

#[test]
fn commands_are_offered_with_their_help() {
    asked([""]).run().shows(str![[r#"
exit: 0
--- stdout
show	Show Canaries on Traefik: weights, cookie, and what protects it
describe	Show everything about one Canary and its cookie
render	Print the TraefikService that Flagger generates for a Canary, with the declared cookie, and the entry's objects
cookie	Show the cookies that pin a browser to a track, or decode one
simulate	Simulate a rollout of a Canary, and show what people would see
lint	Find what keeps cookies from working
verify	Check over HTTP whether the cookie keeps browsers on their track
diff	Compare the declared cookie with the live one
sticky	Read and change the sticky cookie of a Canary
guard	Protect declared cookies from Flagger's writes
rbac	Print the permissions a command needs, or check your own
completion	Set up shell completion
man	Write the man pages to a directory
options	List the connection flags, which every command accepts
version	Show the versions of this program, Kubernetes, Flagger, Traefik and the guard
help	Print this message or the help of the given subcommand(s)
:4
--- stderr

"#]]);
    asked(["sticky", "s"]).run().shows(str![[r#"
exit: 0
--- stdout
set	Set fields of the sticky cookie, and the entry; the rest stays as it is
:4
--- stderr

"#]]);
    asked(["guard", ""]).run().shows(str![[r#"
exit: 0
--- stdout
install	Install the guard, or update it to this version
status	Show whether the guard is installed and works, and what it covers
uninstall	Remove the guard
run	Run the guard as a webhook server, in or outside the cluster
help	Print this message or the help of the given subcommand(s)
:4
--- stderr

"#]]);
    assert_eq!(offered(["completion", "i"]), ["install", ":4"]);
    assert_eq!(offered(["rbac", "sticky", "a"]), ["apply", ":4"]);
    assert_eq!(offered(["rbac", "gu"]), ["guard", ":4"]);
}

/// Every flag that `--help` of a command lists is offered for it, and no other.
#[test]
fn completion_offers_exactly_the_flags_of_the_parser() {
    for command in [
        "",
        "show",
        "render",
        "simulate",
        "diff",
        "cookie",
        "cookie decode",
        "sticky get",
        "sticky set",
        "sticky remove",
        "sticky apply",
        "guard install",
        "guard status",
        "guard uninstall",
        "guard run",
        "completion",
        "completion install",
        "rbac",
        "man",
        "options",
        "version",
    ] {
        let words: Vec<_> = command.split_whitespace().collect();
        let help = Run::new(words.iter().copied().chain(["--help"])).env("COLUMNS", "200").run();
        let everywhere = Run::new(["options"]).env("COLUMNS", "200").run();
        let lines = help.stdout.lines().chain(everywhere.stdout.lines());
        let mut listed: Vec<_> = lines.filter_map(long_flag).map(str::to_owned).collect();
        let mut offered = offered(words.into_iter().chain(["--"]));
        offered.pop();
        offered.sort();
        // A line of a text may begin with a flag, too.
        listed.sort();
        listed.dedup();
        assert_eq!(offered, listed, "{command}");
    }
}

/// The long flag that a line of a help text is about.
fn long_flag(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = if line.starts_with('-') && !line.starts_with("--") { line.get(4..)? } else { line };
    line.starts_with("--")
        .then(|| line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next().unwrap_or_default())
}

#[test]
fn values_are_offered_wherever_a_flag_takes_them() {
    assert_eq!(offered(["sticky", "set", "--same-site", "l"]), ["lax", ":4"]);
    assert_eq!(offered(["sticky", "set", "--dry-run="]), ["none", "client", "server", ":4"]);
    assert_eq!(offered(["sticky", "set", "--unset", "name,sec"]), ["name,secure", ":4"]);
    assert_eq!(offered(["show", "-oj"]), ["json", "jsonpath=", ":4"]);
    assert_eq!(offered(["completion", "p"]), ["powershell", ":4"]);
    assert_eq!(offered(["show", "--color", ""]), ["auto", "always", "never", ":4"]);
    // A namespace may be called as a command is.
    assert_eq!(offered(["-n", "sticky", "gu"]), ["guard", ":4"]);
    // Nothing is known of these.
    assert_eq!(offered(["sticky", "set", "--max-age", ""]), [":4"]);
    assert_eq!(offered(["nope", ""]), [":4"]);
    assert_eq!(offered(["show", "--nope", "x", "--col"]), ["--color", ":4"]);
}

#[test]
fn files_are_left_to_the_shell() {
    assert_eq!(offered(["show", "-f", ""]), [":0"]);
    assert_eq!(offered(["show", "--filename=ex"]), [":0"]);
    assert_eq!(offered(["show", "--kubeconfig", ""]), [":0"]);
    assert_eq!(offered(["simulate", "web", "--plot", ""]), [":0"]);
    assert_eq!(offered(["guard", "run", "--cert-dir", ""]), [":16"]);
    assert_eq!(offered(["man", ""]), [":16"]);
}

#[test]
fn canaries_are_offered_where_one_can_be_named() {
    let fake = shop(&["search", "checkout", "podinfo"]);
    named(&fake, &["show", ""]).shows(str![[r#"
exit: 0
--- stdout
checkout
podinfo
search
:4
--- stderr

"#]]);
    named(&fake, &["show", "search", "-o", "wide", ""]).shows(str![[r#"
exit: 0
--- stdout
checkout
podinfo
:4
--- stderr

"#]]);
    named(&fake, &["sticky", "set", "--max-age", "5m", "ch"]).shows(str![[r#"
exit: 0
--- stdout
checkout
:4
--- stderr

"#]]);
    named(&fake, &["-n", "shop", "sticky", "get", "--", "po"]).shows(str![[r#"
exit: 0
--- stdout
podinfo
:4
--- stderr

"#]]);
    // One name is enough for this.
    at(&fake, &["render", "podinfo", ""]).shows(str![[r#"
exit: 0
--- stdout
:4
--- stderr

"#]]);
    let request = &fake.requests()[0];
    assert_eq!(
        request.header("accept"),
        Some("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json")
    );
}

#[test]
fn canaries_of_manifests_are_offered_without_a_cluster() {
    let words = ["show", "-f", "examples", "-R", ""];
    assert_eq!(asked(words).dir(bed::root()).run().stdout, "checkout\npodinfo\n:4\n");
    // A pipe would be emptied, and the terminal waited for.
    for words in [["show", "-f", "-", ""], ["show", "-f", "nope", ""], ["show", "-f", "/dev/stdin", ""]] {
        assert_eq!(asked(words).stdin("x").run().stdout, ":4\n");
    }
}

#[test]
fn contexts_are_offered_from_the_kubeconfig() {
    let folder = Directory::new();
    let file = folder.write(
        "config",
        "contexts: [{name: prod, context: {cluster: c}}, {name: 'a:b', context: {cluster: c}}]\nclusters: [{name: c}]\nusers: [{name: me}]",
    );
    let ask = |words: &[&str]| asked(words.iter().copied()).env("KUBECONFIG", &file).run().stdout;
    assert_eq!(ask(&["show", "--context", ""]), "a:b\nprod\n:4\n");
    assert_eq!(ask(&["--context=p"]), "prod\n:4\n");
    assert_eq!(ask(&["show", "--cluster", ""]), "c\n:4\n");
    assert_eq!(ask(&["show", "--user", ""]), "me\n:4\n");
    let named = format!("--kubeconfig={}", file.display());
    assert_eq!(asked([named.as_str(), "show", "--context", "pr"]).run().stdout, "prod\n:4\n");
}

#[test]
fn what_cannot_be_had_is_left_out_in_silence() {
    let empty = "exit: 0\n--- stdout\n:4\n--- stderr\n";
    // No kubeconfig, a broken one, a context that is not there, a server that is not there.
    let folder = Directory::new();
    let broken = folder.write("config", "contexts: 7");
    let nowhere = ["show", "--server", "http://127.0.0.1:1", ""];
    exactly(&asked(["show", ""]).run().to_string(), empty);
    exactly(&asked(["show", ""]).env("KUBECONFIG", &broken).run().to_string(), empty);
    exactly(&asked(["show", "--context", "nope", ""]).env("KUBECONFIG", &broken).run().to_string(), empty);
    exactly(&asked(nowhere).run().to_string(), empty);
    // A server that refuses, that is busy, that answers with something else.
    let replies = [
        Reply::refusal(403, "Forbidden", "no"),
        Reply::refusal(503, "ServiceUnavailable", "busy").header("retry-after", "1"),
        Reply::text(200, "text/html", "<html>Sign in</html>"),
        Reply::json(200, &json!({ "items": 7 })),
        Reply::Close,
        Reply::Broken { code: 200, body: b"{".to_vec() },
    ];
    for reply in replies {
        let fake = Fake::start();
        fake.on("GET", CANARIES, [reply]);
        let mut runs = 0;
        until("the server to be asked in time", || {
            runs += 1;
            exactly(&at(&fake, &["show", ""]).to_string(), empty);
            (!fake.requests().is_empty()).then_some(())
        });
        assert!(fake.requests().len() <= runs, "it is asked once: {:?}", fake.lines());
    }
}

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    for reply in [Reply::Hang, Reply::Open { code: 200, body: b"{".to_vec() }] {
        let fake = Fake::start();
        fake.on("GET", CANARIES, [reply]);
        let words = ["show", "--request-timeout", "30s", ""];
        let output = asked(words).kubeconfig(fake.kubeconfig()).limit(patience()).run();
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), ":4\n", ""));
    }
}

#[test]
fn a_credential_plugin_asks_nobody_and_is_not_waited_for() {
    let fake = shop_on(Fake::start_tls(), &["podinfo"]);
    let ask = |script: &str, mode: &str| {
        let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
            "args": ["-c", script], "interactiveMode": mode });
        let file = fake.kubeconfig_as(&json!({ "exec": exec }));
        asked(["show", ""]).env("KUBECONFIG", file).limit(patience()).run().to_string()
    };
    let good = r#"printf '{"kind":"ExecCredential","status":{"token":"t"}}'"#;
    let empty = "exit: 0\n--- stdout\n:4\n--- stderr\n";
    let seen = until("the plugin in time", || Some(ask(good, "IfAvailable")).filter(|seen| seen != empty));
    exactly(&seen, "exit: 0\n--- stdout\npodinfo\n:4\n--- stderr\n");
    exactly(&ask(good, "Always"), empty);
    exactly(&ask("echo no >&2; exit 1", "Never"), empty);
    exactly(&ask("while :; do :; done", "Never"), empty);
}

#[test]
fn names_that_a_shell_or_a_terminal_would_obey_are_left_out() {
    let fake = shop(&["a\nb", "c\u{1b}[2J", "d\u{202e}", "podinfo"]);
    assert_eq!(named(&fake, &["show", ""]).stdout, "podinfo\n:4\n");
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = Run::new(["completion", shell]).run();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}");
        let asks = output.stdout.lines().filter(|line| line.contains("kubectl-canary_traefik")).count();
        assert!(asks > 0, "{shell}: it asks the program\n{}", output.stdout);
    }
}

/// What a real bash offers at the end of a line, split where bash splits it.
fn bash(words: &str) -> Output {
    let script = format!(
        r#"source <(kubectl-canary_traefik completion bash) || exit
        complete -p kubectl-canary_traefik >/dev/null || exit
        COMP_WORDS=(kubectl-canary_traefik {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9
        _clap_complete_kubectl_canary_traefik kubectl-canary_traefik "${{COMP_WORDS[COMP_CWORD]}}" x 2>/dev/null
        printf '%s\n' "${{COMPREPLY[@]}}""#
    );
    let folder = std::path::Path::new(PROGRAM).parent().expect("it is in a folder").display().to_string();
    Run::of("/bin/bash", ["--norc", "-c", &script]).env("PATH", folder).dir(bed::root()).run()
}

#[test]
fn the_script_works_in_bash() {
    let all = |words: &str| {
        let output = bash(words);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{words}");
        output.stdout
    };
    assert_eq!(all("sticky s"), "set\n");
    assert_eq!(all("sticky set --same-site ''"), "none\nlax\nstrict\n");
    assert_eq!(all("sticky set --http"), "--http-only\n");
    // bash takes `=` for a word of its own.
    assert_eq!(all("sticky set --dry-run = se"), "server\n");
    assert_eq!(all("show -f examples ''"), "checkout\npodinfo\n");
    assert_eq!(all("show -f exa"), "examples/\n");
    assert_eq!(all("show --filename = examples/pod"), "examples/podinfo.yaml\n");
    assert_eq!(all("man sr"), "src/\n");
}

#[test]
fn other_shells_get_whole_words_and_help() {
    let ask = |shell: &str, words: &[&str]| {
        let index = (words.len()).to_string();
        let line = ["--", "kubectl-canary_traefik"].into_iter().chain(words.iter().copied());
        let run = Run::new(line).env("CANARY_TRAEFIK_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", index);
        run.env("_CLAP_IFS", "\n").run().to_string()
    };
    let shows = |text: &str, expected: &str| exactly(text, format!("exit: 0\n--- stdout\n{expected}\n--- stderr\n"));
    shows(
        &ask("zsh", &["sticky", "rem"]).replace("\n(no newline at the end)", ""),
        "remove:Remove the cookie from the Canary and its TraefikService",
    );
    shows(
        &ask("fish", &["show", "--color=a"]).replace("\n(no newline at the end)", ""),
        "--color=auto\tOn a terminal that supports it, unless NO_COLOR is set\n--color=always\tEven when piped",
    );
    shows(&ask("elvish", &["sticky", "rem"]).replace("\n(no newline at the end)", ""), "remove");
}

#[test]
fn install_links_what_kubectl_asks_beside_the_program() {
    let folder = Directory::new();
    let program = folder.path().join("kubectl-canary_traefik");
    // Not here: a process that another test starts meanwhile would hold the copy open, and it could not be run.
    let copied = Command::new("/bin/cp").arg(PROGRAM).arg(&program).status();
    assert!(copied.expect("a program of the system").success());
    let install = |path: &std::path::Path| {
        Run::of(&program, ["completion", "install"])
            .env("PATH", path)
            .redact(&folder.path().display().to_string(), "[BIN]")
            .run()
    };
    install(folder.path()).shows(str![[r#"
exit: 0
--- stdout
[BIN]/kubectl_complete-canary_traefik created
--- stderr

"#]]);
    let link = folder.path().join("kubectl_complete-canary_traefik");
    assert_eq!(std::fs::read_link(&link).expect("a link").to_str(), Some("kubectl-canary_traefik"));
    let through = Run::of(&link, ["sticky", "ge"]).run();
    assert_eq!(through.stdout, "get\tShow the cookie of a Canary, declared and live\n:4\n");
    // Again; and where it leads elsewhere.
    install(std::path::Path::new("/bin")).shows(str![[r#"
exit: 0
--- stdout
[BIN]/kubectl_complete-canary_traefik unchanged
--- stderr
warning: [BIN] is not on the PATH: kubectl will not find it there

"#]]);
    std::fs::remove_file(&link).expect("it can be removed");
    symlink("/nowhere", &link).expect("a link can be made");
    install(folder.path()).shows(str![[r#"
exit: 0
--- stdout
[BIN]/kubectl_complete-canary_traefik configured
--- stderr

"#]]);
    // What is no link is somebody else's.
    std::fs::remove_file(&link).expect("it can be removed");
    std::fs::write(&link, "#!/bin/sh\n").expect("it can be written");
    install(folder.path()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `[BIN]/kubectl_complete-canary_traefik` exists and is not a symbolic link
hint: delete it, or choose another folder with --dir

"#]]);
    assert_eq!(folder.names(), ["kubectl-canary_traefik", "kubectl_complete-canary_traefik"]);
}

#[test]
fn install_links_into_the_folder_that_is_named() {
    let output = Run::of("/bin/sh", ["-c", r#"mkdir bin; "$0" completion install --dir bin; "$0" completion install --dir nope; ls -l bin | grep -c -- "-> $0""#, PROGRAM])
        .env("PATH", "/bin:/usr/bin")
        .run();
    output.shows(str![[r#"
exit: 0
--- stdout
bin/kubectl_complete-canary_traefik created
1
--- stderr
warning: bin is not on the PATH: kubectl will not find it there
error: cannot make `nope/kubectl_complete-canary_traefik`
caused by: no such file or directory

"#]]);
}
