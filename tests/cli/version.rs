//! `version` without a cluster.

use snapbox::str;
use testbed::run::Run;

#[test]
fn the_clients_version_needs_no_server() {
    let redacted = |words: &str| Run::new(words.split(' ')).redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run();
    redacted("version --client").shows(str![[r#"
exit: 0
--- stdout
PART     VERSION   WHERE
client   [VERSION]     kubectl-canary-traefik
--- stderr

"#]]);
    redacted("version --client -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "client": {
        "version": "[VERSION]"
    },
    "kind": "VersionReport"
}
--- stderr

"#]]);
    redacted("version --client -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
client:
  version: "[VERSION]"
kind: VersionReport
--- stderr

"#]]);
    redacted("--version").shows(str![[r#"
exit: 0
--- stdout
kubectl canary-traefik [VERSION]
--- stderr

"#]]);
}

#[test]
fn without_a_server_the_clients_version_is_said_all_the_same() {
    let away = |words: &str| {
        let words = words.split(' ').chain(["--server", "http://127.0.0.1:1"]);
        Run::new(words).redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run()
    };
    away("version").shows(str![[r#"
exit: 6
--- stdout
PART     VERSION   WHERE
client   [VERSION]     kubectl-canary-traefik
--- stderr
error: the connection to the server 127.0.0.1:1 was refused
hint: use --server https://HOST:PORT

"#]]);
    away("version -o json").shows(str![[r#"
exit: 6
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":6,"hints":["use --server https://HOST:PORT"],"kind":"Error","message":"the connection to the server 127.0.0.1:1 was refused","reason":"cluster"}

"#]]);
}
