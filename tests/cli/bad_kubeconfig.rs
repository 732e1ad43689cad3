//! Without a usable kubeconfig: what is said, before any server is asked.

use snapbox::str;
use testbed::{
    directory::Directory,
    run::{Output, Run},
    tls::testdata,
};

const GOOD: &str = "\
apiVersion: v1
kind: Config
contexts:
- {name: production, context: {cluster: main, user: admin}}
- {name: staging, context: {cluster: gone, user: admin}}
clusters:
- {name: main, cluster: {server: 'https://127.0.0.1:1'}}
users:
- {name: admin, user: {}}
";

fn with(kubeconfig: impl AsRef<[u8]>, line: &str) -> Output {
    let folder = Directory::new();
    folder.write("config", kubeconfig);
    Run::new(line.split(' ')).dir(folder.path()).env("KUBECONFIG", "config").run()
}

#[test]
fn none_at_all() {
    Run::new(["show"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no kubeconfig found
caused by: looked for [HOME]/.kube/config
hint: use --kubeconfig FILE, or --server URL

"#]]);
    Run::new(["show"]).env("KUBECONFIG", "one:two").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no kubeconfig found
caused by: looked for one, two
hint: use --kubeconfig FILE, or --server URL

"#]]);
    Run::new(["show", "--kubeconfig", "missing"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no file `missing`
hint: use --kubeconfig FILE

"#]]);
}

#[test]
fn one_that_says_nothing() {
    with("", "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no kubeconfig found
caused by: looked for config
hint: use --kubeconfig FILE, or --server URL

"#]]);
    with("", "show --kubeconfig config").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context is chosen in config
hint: use --context NAME

"#]]);
}

#[test]
fn one_that_is_not_yaml() {
    with("users:\n- name: admin\n  user: {token: [s3cr3t]}\n", "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `config` is not a kubeconfig
caused by: line 3, column 17

"#]]);
    with("kind: Config\nkind: Config\n", "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `config` is not a kubeconfig
caused by: line 2, column 1: duplicate key

"#]]);
    with("kind: [Config\n", "sticky get web").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `config` is not a kubeconfig
caused by: line 1, column 7

"#]]);
}

#[test]
fn one_that_is_something_else() {
    with("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n", "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `config` is not a kubeconfig
caused by: its kind is `Pod`
hint: use --kubeconfig FILE

"#]]);
    let folder = Directory::new();
    Run::new(["show"]).dir(folder.path()).env("KUBECONFIG", ".").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `.`
caused by: is a directory

"#]]);
    with([0xc3, 0x28], "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `config`
caused by: invalid UTF-8

"#]]);
}

#[test]
fn a_server_that_a_flag_names_is_not_looked_for_in_the_kubeconfig() {
    with("", "show --server https://127.0.0.1:1").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the connection to the server 127.0.0.1:1 was refused
hint: use --server https://HOST:PORT

"#]]);
}

#[test]
fn a_context_that_is_not_there() {
    with(GOOD, "show --context producton").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context named `producton` in config
hint: use --context production
hint: known contexts: production, staging

"#]]);
    with(GOOD, "diff --context eu").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context named `eu` in config
hint: known contexts: production, staging

"#]]);
    with(format!("{GOOD}current-context: gone\n"), "render web").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context named `gone` in config
caused by: current-context names it
hint: known contexts: production, staging

"#]]);
}

#[test]
fn no_context_that_is_chosen() {
    with(GOOD, "show").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context is chosen in config
hint: use --context NAME
hint: known contexts: production, staging

"#]]);
}

#[test]
fn a_cluster_or_a_user_that_is_not_there() {
    with(GOOD, "show --context staging").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no cluster named `gone` in config
caused by: context `staging` names it
hint: known clusters: main

"#]]);
    with(GOOD, "show --context production --cluster mian").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no cluster named `mian` in config
hint: use --cluster main
hint: known clusters: main

"#]]);
    with(GOOD, "show --context production --user jane").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no user named `jane` in config
hint: known users: admin

"#]]);
}

#[test]
fn an_address_that_is_none() {
    with(GOOD, "show --server ftp://admin:s3cr3t@example.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `ftp://example.com` cannot be used
caused by: its scheme is `ftp`
hint: use --server https://HOST:PORT

"#]]);
}

#[test]
fn manifests_need_none() {
    let run = Run::new(["show", "-f", "-", "--kubeconfig", "missing"]).env("KUBECONFIG", "missing");
    run.stdin(crate::manifests::canary("web", Some("login"))).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
web    <none>   <none>   login    pending   <unknown>   <unknown>
--- stderr

"#]]);
}

/// Reading them takes longer than a request.
#[test]
fn the_authorities_of_the_machine_are_read_only_where_they_decide() {
    let run =
        |line: &str| Run::new(line.split(' ')).env("SSL_CERT_FILE", "missing").env("SSL_CERT_DIR", "missing").run();
    run("show --server https://127.0.0.1:1").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: this machine has no certificate authorities to check the server's certificate with
hint: use --certificate-authority FILE

"#]]);
    for line in [
        "show --server http://127.0.0.1:1",
        "show --server https://127.0.0.1:1 --insecure-skip-tls-verify",
        &format!("show --server https://127.0.0.1:1 --certificate-authority {}", testdata("ca.pem").display()),
    ] {
        run(line).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the connection to the server 127.0.0.1:1 was refused
hint: use --server https://HOST:PORT

"#]]);
    }
}

#[test]
fn a_hint_names_the_same_cluster_and_user_again() {
    let folder = Directory::new();
    folder.write("my config", format!("{GOOD}current-context: production\n"));
    let flags = "--context production --as jane --as-group web --token s3cr3t -n shop";
    let run = Run::new(["show", "--kubeconfig", "my config"]).arguments(flags.split(' ')).dir(folder.path());
    run.run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the connection to the server 127.0.0.1:1 was refused
hint: kubectl config view --minify --kubeconfig 'my config' --context production --token TOKEN --as jane --as-group web

"#]]);
}
