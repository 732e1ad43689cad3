//! Passwords and tokens that were typed or found: in no output.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    directory::Directory,
    fake::{Fake, Reply},
    objects,
    run::{Output, Run},
};

const CANARY: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo";
const SERVICE: &str = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo";

/// A server on which the cookie of the Canary `podinfo` can be set, over TLS.
fn shop() -> Fake {
    let fake = Fake::start_tls();
    let (mut canary, mut service) = (objects::canary("podinfo"), objects::traefik_service("podinfo", 90, 10));
    for object in [&mut canary, &mut service] {
        object["metadata"]["namespace"] = json!("shop");
        object["metadata"]["resourceVersion"] = json!("7");
    }
    let reply = |object: &Value| [Reply::json(200, object)];
    fake.on("GET", CANARY, reply(&canary)).on("GET", SERVICE, reply(&service));
    canary["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": "; Max-Age=300" });
    service["spec"]["weighted"]["sticky"] = json!({ "cookie": { "maxAge": 300 } });
    fake.on("PATCH", CANARY, reply(&canary)).on("PATCH", SERVICE, reply(&service));
    fake
}

fn run(fake: &Fake, line: &str) -> Output {
    let server = fake.url().replace("://", "://bob:hunter2@");
    Run::new(line.split(' ')).arguments(["-s", &server]).kubeconfig(fake.kubeconfig()).run()
}

#[test]
fn what_takes_a_change_back_is_typed_without_the_password_in_the_servers_address() {
    run(&shop(), "sticky set podinfo --max-age 300 --yes --token s3cr3t").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   name: podinfo
   namespace: shop
 spec:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -17,3 +17,6 @@
       namespace: ""
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: shop/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n shop --entry /login --max-age 2m
protected: the guard puts the cookie back into Flagger's writes
to undo: kubectl canary-traefik sticky remove podinfo --server https://127.0.0.1:[PORT] --token TOKEN

"#]]);
}

#[test]
fn an_address_that_cannot_be_used_is_shown_without_its_password() {
    let bad = |server: &str| Run::new(["show", "-s", server]).run();
    bad("ftp://bob:hunter2@example.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `ftp://example.com` cannot be used
caused by: its scheme is `ftp`
hint: use --server https://HOST:PORT

"#]]);
    bad("https://bob:hunter2@example.com:99999").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `https://example.com:99999` cannot be used
caused by: its port is not a number from 1 to 65535
hint: use --server https://HOST:PORT

"#]]);
    bad("bob:hunter2@example.com:0").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `http://example.com:0` cannot be used
caused by: its port is not a number from 1 to 65535
hint: use --server https://HOST:PORT

"#]]);
    bad("https://bob:hunt/er2@example.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `https://example.com` cannot be used
caused by: its port is not a number from 1 to 65535
hint: use --server https://HOST:PORT

"#]]);
    bad("https://bob:hunter2@").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `https://` cannot be used
caused by: it is not a URL
hint: use --server https://HOST:PORT

"#]]);
    bad("https://bob:hunt er2@example.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the server's address `https://example.com` cannot be used
caused by: it is not a URL
hint: use --server https://HOST:PORT

"#]]);
    let webhook = ["guard", "run", "--webhook-url", "https://bob:hunter2@example.com:8443"];
    Run::new(webhook).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `https://example.com:8443` is not the address of a webhook
caused by: it must be https://HOST:PORT
hint: use --webhook-url https://HOST:PORT

"#]]);
    let webhook = ["guard", "run", "--webhook-url", "https://example.com:99999"];
    Run::new(webhook).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `https://example.com:99999` is not the address of a webhook
caused by: its port is not a number from 1 to 65535
hint: use --webhook-url https://HOST:PORT

"#]]);
    let proxy = Run::new(["show", "-s", "https://example.com"]);
    proxy.env("HTTPS_PROXY", "http://bob:hunter2@example.com:99999").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the proxy of HTTPS_PROXY cannot be used
caused by: its port is not a number from 1 to 65535
hint: a proxy is http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT

"#]]);
    let set = ["sticky", "set", "web", "-f", "https://bob:hunter2@example.com/x.yaml"];
    Run::new(set).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set web --name login --max-age 300 --http-only -f https://example.com/x.yaml

"#]]);
    let file = ["show", "-f", "https://bob:hunter2@example.com/x.yaml?a=1&b=;date"];
    Run::new(file).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: -f does not read URLs: `https://example.com/x.yaml?a=1&b=;date`
hint: curl -fsSL 'https://example.com/x.yaml?a=1&b=;date' | kubectl canary-traefik … -f -

"#]]);
}

#[test]
fn a_word_that_was_not_expected_is_shown_without_its_secret() {
    Run::new(["sticky", "get", "--", "--token", "hunter2"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '…' found

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

For more information, try '--help'.

"#]]);
    Run::new(["sticky", "get", "--", "web", "--password=hunter2"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '--password=…' found

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

For more information, try '--help'.

"#]]);
    Run::new(["sticky", "get", "--", "web", "--server=https://bob:hunter2@example.com"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '--server=https://example.com' found

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

For more information, try '--help'.

"#]]);
    Run::new(["version", "https://bob:hunter2@example.com"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument 'https://example.com' found

Usage: kubectl canary-traefik version [OPTIONS]

For more information, try '--help'.

"#]]);
}

/// An address that somebody typed where something else belongs, or with a password where none does.
const ADDRESS: &str = "https://bob:hunter2@127.0.0.1:1/x";

/// Every command line with the address as one argument or as the value of one flag, all else as simple as it can be.
fn lines_with_an_address(command: &clap::Command, words: &[String], lines: &mut Vec<Vec<String>>) {
    for subcommand in command.get_subcommands() {
        let words = [words, &[subcommand.get_name().to_owned()]].concat();
        lines_with_an_address(subcommand, &words, lines);
    }
    lines.push([words, &[ADDRESS.to_owned()]].concat());
    for argument in command.get_arguments().filter(|argument| argument.get_action().takes_values()) {
        // Once is enough for the flags of all.
        if argument.is_global_set() && command.get_name() != "show" {
            continue;
        }
        let Some(flag) = argument.get_long().map(|long| format!("--{long}={ADDRESS}")) else { continue };
        lines.push([words, std::slice::from_ref(&flag)].concat());
        lines.push([words, &["podinfo".to_owned(), flag]].concat());
    }
}

#[test]
fn no_message_shows_the_password_of_an_address_wherever_it_is_typed() {
    let mut command = canary_traefik::cli::command();
    // Gives each command the flags of all.
    command.build();
    let mut lines = Vec::new();
    lines_with_an_address(&command, &[], &mut lines);
    assert!(lines.len() > 200, "{} lines", lines.len());
    let shown: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            let output = Run::new(line).run();
            let is_documented = output.code.is_some_and(|code| code <= 6);
            (output.stderr.contains("hunter2") || !is_documented).then(|| format!("{}\n{output}", line.join(" ")))
        })
        .collect();
    assert!(shown.is_empty(), "{} of {}:\n{}", shown.len(), lines.len(), shown.join("\n"));
}

#[test]
fn a_token_that_no_header_can_carry_is_refused_before_anything_is_asked() {
    let fake = shop();
    Run::new(["show", "--token", "s3cr3t\nx"]).kubeconfig(fake.kubeconfig()).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the token of --token contains a line break or another control character
caused by: this is not allowed in an HTTP header

"#]]);
    let user = json!({ "token": "s3cr3t\r\nx: y" });
    Run::new(["show"]).kubeconfig(fake.kubeconfig_as(&user)).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the token of user `fake` in [KUBECONFIG] contains a line break or another control character
caused by: this is not allowed in an HTTP header

"#]]);
    let folder = Directory::new();
    let user = json!({ "tokenFile": folder.write("token", "s3cr3t\nx\n") });
    let run = Run::new(["show"]).kubeconfig(fake.kubeconfig_as(&user));
    run.redact(&folder.path().display().to_string(), "[FOLDER]").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the token file `[FOLDER]/token` contains a line break or another control character
caused by: this is not allowed in an HTTP header

"#]]);
    let script = r#"printf '{"kind":"ExecCredential","status":{"token":"s3cr3t\\r"}}'"#;
    let user = json!({ "exec": { "command": "/bin/sh", "args": ["-c", script], "interactiveMode": "Never" } });
    Run::new(["show"]).kubeconfig(fake.kubeconfig_as(&user)).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the credential plugin `/bin/sh` did not return a credential
caused by: its token contains a line break or another control character

"#]]);
    assert_eq!(fake.lines(), [""; 0]);
}
