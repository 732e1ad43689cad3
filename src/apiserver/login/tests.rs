//! Tests of which credentials are sent, and when none are.

use http::Request;
use serde_json::{Value, json};

use crate::apiserver::{
    Call, ConnectionArgs, Verb,
    login::*,
    testing::{Folder, Server, connected, json as reply, testdata},
};

const CALL: Call<'static> = Call { verb: Verb::List, resource: "canaries.flagger.app", namespace: None, name: None };

fn get() -> Request<Vec<u8>> {
    Request::get("/x").body(Vec::new()).unwrap()
}

async fn asked(args: &ConnectionArgs) -> Result<Vec<u8>> {
    let cluster = connected(args).await?;
    cluster.call(&CALL, get()).await.map(|answer| answer.body).map_err(Error::from)
}

#[cfg(unix)]
#[tokio::test]
async fn a_credential_plugin_runs_once_and_again_when_its_token_is_refused() {
    let refused = reply("401 Unauthorized", r#"{"kind":"Status","message":"Unauthorized"}"#);
    let ok = reply("200 OK", "{}");
    let server = Server::start_tls("server.pem", [ok.clone(), refused.clone(), ok, refused]).await;
    let folder = Folder::new("exec");
    let count = folder.write("count", "");
    let script = format!(
        r#"echo x >> {0}; printf '{{"kind":"ExecCredential","status":{{"token":"t%s"}}}}' $(wc -l < {0})"#,
        count.display()
    );
    let file = folder.write("config", &server.kubeconfig(&plugin(&script)));
    let args = ConnectionArgs { kubeconfig: Some(file.clone()), ..ConnectionArgs::default() };
    let cluster = connected(&args).await.unwrap();
    assert_eq!((cluster.namespace(), cluster.timeout), ("shop", Some(std::time::Duration::from_mins(1))));
    for _ in 0..2 {
        cluster.call(&CALL, get()).await.unwrap();
    }
    let error = Error::from(cluster.call(&CALL, get()).await.unwrap_err());
    assert_eq!(error.causes(), [format!("sent as user `u` of {}", file.display())]);
    let tokens: Vec<_> = server.heard("authorization").into_iter().flatten().collect();
    assert_eq!(tokens, ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"]);
}

fn plugin(script: &str) -> Value {
    json!({"exec": {"command": "sh", "args": ["-c", script], "interactiveMode": "Never"}})
}

#[tokio::test]
async fn a_token_file_may_end_with_a_line_break() {
    let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
    let folder = Folder::new("token");
    let token = folder.write("token", "t\n");
    let file = folder.write("config", &server.kubeconfig(&json!({"tokenFile": token})));
    let args = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
    assert_eq!(asked(&args).await, Ok(b"{}".to_vec()));
    assert_eq!(server.heard("authorization"), [Some("Bearer t".to_owned())]);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let folder = Folder::new("rotated");
    for end in ["", "\n"] {
        let refused = reply("401 Unauthorized", r#"{"kind":"Status","code":401}"#);
        let server = Server::start_tls("server.pem", [reply("200 OK", "{}"), refused, reply("200 OK", "{}")]).await;
        let token = folder.write("token", &format!("t1{end}"));
        let file = folder.write("config", &server.kubeconfig(&json!({"tokenFile": token})));
        let args = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
        let cluster = connected(&args).await.unwrap();
        for text in ["t1", "t2"] {
            folder.write("token", &format!("{text}{end}"));
            assert_eq!(cluster.call(&CALL, get()).await.map(|answer| answer.body), Ok(b"{}".to_vec()));
        }
        let tokens: Vec<_> = server.heard("authorization").into_iter().flatten().collect();
        assert_eq!(tokens, ["Bearer t1", "Bearer t1", "Bearer t2"]);
    }
}

#[tokio::test]
async fn a_token_file_has_precedence_over_a_token_that_serves_where_it_cannot_be_read() {
    let folder = Folder::new("precedence");
    for (name, expected) in
        [("with", "Bearer new"), ("without", "Bearer new"), ("missing", "Bearer old"), ("empty", "Bearer old")]
    {
        folder.write("empty", "\n");
        folder.write("with", "new\n");
        folder.write("without", "new");
        let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
        let user = json!({"token": "old", "tokenFile": folder.0.join(name)});
        let file = folder.write("config", &server.kubeconfig(&user));
        let args = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
        assert_eq!(asked(&args).await, Ok(b"{}".to_vec()));
        assert_eq!(server.heard("authorization"), [Some(expected.to_owned())]);
    }
}

/// Returns a user of each kind that a kubeconfig can contain, and the header sent for it over TLS.
fn users(folder: &Folder) -> Vec<(Value, Option<&'static str>)> {
    let token = folder.write("token", "s3cr3t");
    let ran = folder.0.join("ran");
    let script =
        format!(r#"touch {}; echo '{{"kind":"ExecCredential","status":{{"token":"s3cr3t"}}}}'"#, ran.display());
    // {"exp":9999999999}
    let oidc = json!({"name": "oidc", "config": {"id-token": "e30.eyJleHAiOjk5OTk5OTk5OTl9.s3cr3t"}});
    vec![
        (json!({"token": "s3cr3t"}), Some("Bearer s3cr3t")),
        (json!({"tokenFile": token}), Some("Bearer s3cr3t")),
        (json!({"username": "me", "password": "s3cr3t"}), Some("Basic bWU6czNjcjN0")),
        (plugin(&script), Some("Bearer s3cr3t")),
        (json!({"auth-provider": oidc}), Some("Bearer e30.eyJleHAiOjk5OTk5OTk5OTl9.s3cr3t")),
        (json!({"client-certificate": testdata("server.pem"), "client-key": testdata("server.key")}), None),
        // Files that are not read cannot be missing.
        (json!({"client-certificate": "missing", "client-key": "missing"}), None),
    ]
}

#[cfg(unix)]
#[tokio::test]
async fn no_credentials_go_out_over_http_and_no_plugin_runs() {
    let folder = Folder::new("withheld");
    let server = Server::start([reply("401 Unauthorized", r#"{"kind":"Status"}"#)]).await;
    for (user, _) in users(&folder) {
        let file = folder.write("config", &server.kubeconfig(&user));
        let named = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
        let without_scheme = ConnectionArgs { server: Some(server.address.to_string()), ..named.clone() };
        let with_scheme = ConnectionArgs { server: Some(server.url()), ..named.clone() };
        for args in [named, without_scheme, with_scheme] {
            // With a client certificate, a server without a scheme means https.
            if args.server.is_some() && user.get("client-certificate").is_some() {
                continue;
            }
            let error = asked(&ConnectionArgs { impersonate: Some("jane".to_owned()), ..args }).await.unwrap_err();
            assert_eq!(error.message(), "the server requires credentials, and none were sent");
            let cause = "credentials are not sent over http, where others could read them";
            assert_eq!(error.causes(), [cause]);
            assert_eq!(error.hints(), ["use --server https://HOST:PORT"]);
        }
    }
    for flags in [
        ConnectionArgs { token: Some("s3cr3t".into()), ..server.args() },
        ConnectionArgs { username: Some("me".to_owned()), password: Some("s3cr3t".into()), ..server.args() },
        ConnectionArgs { server: Some(format!("http://me:s3cr3t@{}", server.address)), ..ConnectionArgs::default() },
    ] {
        asked(&flags).await.unwrap_err();
    }
    assert_eq!(server.heard("authorization").into_iter().flatten().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(server.asked().iter().filter(|request| request.contains("s3cr3t")).count(), 0);
    assert!(!folder.0.join("ran").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn over_tls_each_kind_of_credentials_goes_out() {
    let folder = Folder::new("sent");
    for (user, expected) in users(&folder).into_iter().take(6) {
        let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
        let file = folder.write("config", &server.kubeconfig(&user));
        let args = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
        assert_eq!(asked(&args).await, Ok(b"{}".to_vec()), "{user}");
        assert_eq!(server.heard("authorization"), [expected.map(str::to_owned)], "{user}");
    }
}

#[tokio::test]
async fn a_server_that_was_asked_over_http_and_forbids_is_told_apart() {
    let message = r#"canaries.flagger.app is forbidden: User \"system:anonymous\" cannot list resource \"canaries\" in API group \"flagger.app\" at the cluster scope"#;
    let body = format!(r#"{{"kind":"Status","reason":"Forbidden","message":"{message}"}}"#);
    let server = Server::start([reply("403 Forbidden", &body)]).await;
    let args = ConnectionArgs { token: Some("t".into()), ..server.args() };
    let error = asked(&args).await.unwrap_err();
    assert_eq!(error.causes(), ["credentials are not sent over http, where others could read them"]);
    let hints = ["use --server https://HOST:PORT", "kubectl auth can-i list canaries.flagger.app -A"];
    assert_eq!(error.hints(), hints);
    // Without credentials, the error does not mention withheld ones.
    let error = asked(&server.args()).await.unwrap_err();
    assert_eq!(error.causes(), ["sent without any credentials"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_that_no_header_can_carry_is_said_with_whose_it_is() {
    let folder = Folder::new("unsendable");
    let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
    let two_lines = folder.write("token", "s3cr3t\nt2\n");
    let config = folder.0.join("config");
    let odd = "contains a line break or another control character";
    let answer = r#"printf '{"kind":"ExecCredential","status":{"token":"s3cr3t\\n"}}'"#;
    let cases = [
        (json!({"token": "s3cr3t\n"}), format!("the token of user `u` in {} {odd}", config.display())),
        (json!({"token": "s3cr3t\u{1}"}), format!("the token of user `u` in {} {odd}", config.display())),
        (json!({"tokenFile": two_lines}), format!("the token file `{}` {odd}", two_lines.display())),
        (plugin(answer), "the credential plugin `sh` did not return a credential".to_owned()),
    ];
    for (user, message) in cases {
        folder.write("config", &server.kubeconfig(&user));
        let args = ConnectionArgs { kubeconfig: Some(config.clone()), ..ConnectionArgs::default() };
        assert_eq!(asked(&args).await.unwrap_err().message(), message);
    }
    for token in ["s3cr3t\n", "s3\rcr3t", "s3cr3t\u{0}"] {
        let error = asked(&ConnectionArgs { token: Some(token.into()), ..server.args() }).await.unwrap_err();
        assert_eq!(error.message(), format!("the token of --token {odd}"));
    }
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn a_provider_that_kubectl_has_no_more_is_refused() {
    let folder = Folder::new("provider");
    let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
    let user = json!({"auth-provider": {"name": "gcp", "config": {"cmd-path": "sh", "cmd-args": "-c false"}}});
    let file = folder.write("config", &server.kubeconfig(&user));
    let args = ConnectionArgs { kubeconfig: Some(file), ..ConnectionArgs::default() };
    let error = asked(&args).await.unwrap_err();
    assert_eq!(error.message(), "the auth-provider `gcp` of the kubeconfig's user is not supported");
}
