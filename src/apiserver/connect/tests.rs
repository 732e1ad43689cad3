//! Tests of connections, and of the errors when one fails.

use crate::apiserver::{
    Call, Silent, Verb,
    connect::*,
    testing::{Folder, Server, closed_port, connected, json, testdata},
};
use http::Request;

const CALL: Call<'static> = Call { verb: Verb::List, resource: "canaries.flagger.app", namespace: None, name: None };

fn get() -> Request<Vec<u8>> {
    Request::get("/x").body(Vec::new()).unwrap()
}

async fn asked(args: &ConnectionArgs) -> Result<Vec<u8>> {
    let cluster = connected(args).await?;
    cluster.call(&CALL, get()).await.map(|answer| answer.body).map_err(Error::from)
}

#[tokio::test]
async fn a_request_says_who_we_are_and_whom_we_act_as() {
    let server = Server::start_tls("server.pem", [json("200 OK", "{}")]).await;
    let args = ConnectionArgs {
        token: Some("t".into()),
        impersonate: Some("jane".to_owned()),
        impersonate_groups: vec!["a".to_owned(), "b".to_owned()],
        impersonate_uid: Some("7".to_owned()),
        impersonate_extra: vec![("scopes".to_owned(), "view".to_owned())],
        ..server.args()
    };
    asked(&args).await.unwrap();
    let request = server.asked().remove(0);
    let mut lines: Vec<&str> = request.lines().filter(|line| !line.is_empty() && !line.starts_with("host")).collect();
    lines.sort_unstable();
    let agent = format!("user-agent: {}", user_agent().to_str().unwrap());
    let expected = [
        "GET /x HTTP/1.1",
        "accept-encoding: gzip",
        "accept: application/json",
        "authorization: Bearer t",
        "impersonate-extra-scopes: view",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 7",
        "impersonate-user: jane",
        &agent,
    ];
    assert_eq!(lines, expected);
    assert_eq!(agent.split('/').next(), Some("user-agent: kubectl-canary-traefik"));
}

#[tokio::test]
async fn the_server_is_known_by_its_authority_even_by_address() {
    let server = Server::start_tls("server.pem", [json("200 OK", "{}")]).await;
    assert_eq!(asked(&server.args()).await, Ok(b"{}".to_vec()));
}

#[tokio::test]
async fn certificates_that_are_not_accepted_are_told_apart() {
    let cases = [
        ("expired.pem", "ca.pem", "has expired", "renew it, or set this machine's clock: `date`"),
        ("elsewhere.pem", "ca.pem", "is for another name", "use --tls-server-name elsewhere.example"),
        (
            "server.pem",
            "elsewhere.pem",
            "is signed by an unknown authority",
            "name the certificate of its authority: --certificate-authority FILE",
        ),
    ];
    for (certificate, authority, problem, hint) in cases {
        let server = Server::start_tls(certificate, [json("200 OK", "{}")]).await;
        let args = ConnectionArgs { certificate_authority: Some(testdata(authority)), ..server.args() };
        let error = asked(&args).await.unwrap_err();
        assert_eq!(error.message(), format!("the certificate of the server {} {problem}", server.address));
        assert_eq!(error.hints(), [hint]);
    }
}

/// kubectl accepts them, too.
#[tokio::test]
async fn a_certificate_can_be_its_own_authority_and_must_still_be_valid_and_for_this_name() {
    let cases = [
        ("server.pem", "server.pem", None),
        ("own-authority.pem", "own-authority.pem", None),
        ("own-authority.pem", "server.pem", Some("is a CA certificate that the kubeconfig does not trust")),
        ("server.pem", "own-authority.pem", Some("is signed by an unknown authority")),
        ("expired.pem", "expired.pem", Some("has expired")),
        ("elsewhere.pem", "elsewhere.pem", Some("is for another name")),
    ];
    for (certificate, authority, problem) in cases {
        let server = Server::start_tls(certificate, [json("200 OK", "{}")]).await;
        let args = ConnectionArgs { certificate_authority: Some(testdata(authority)), ..server.args() };
        let said = asked(&args).await.err().map(|error| error.message().to_owned());
        let expected = problem.map(|problem| format!("the certificate of the server {} {problem}", server.address));
        assert_eq!(said, expected, "{certificate}, known by {authority}");
    }
}

#[tokio::test]
async fn a_server_and_its_authority_can_have_keys_on_p521() {
    for digest in ["sha256", "sha384", "sha512"] {
        let certificate = format!("p521-{digest}.pem");
        let server = Server::start_tls_with_key(&certificate, "p521.key", [json("200 OK", "{}")]).await;
        let args = ConnectionArgs { certificate_authority: Some(testdata("p521-authority.pem")), ..server.args() };
        assert_eq!(asked(&args).await, Ok(b"{}".to_vec()), "{digest}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "joins an authority with what is none")]
async fn an_authority_that_cannot_be_read_is_skipped_unless_it_is_the_only_one() {
    let server = Server::start_tls("server.pem", [json("200 OK", "{}")]).await;
    let folder = Folder::new("bundle");
    let good = std::fs::read_to_string(testdata("ca.pem")).unwrap();
    let bad = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let known_by = |text: &str| {
        let file = folder.write("ca.pem", text);
        ConnectionArgs { certificate_authority: Some(file), ..server.args() }
    };
    assert_eq!(asked(&known_by(&format!("{bad}{good}"))).await, Ok(b"{}".to_vec()));
    let error = asked(&known_by(bad)).await.unwrap_err();
    assert_eq!(error.message(), "the certificate authority of the cluster cannot be used");
    assert_eq!(error.hints(), ["use --certificate-authority FILE"]);
}

#[tokio::test]
async fn the_name_and_the_check_can_be_overridden() {
    let server = Server::start_tls("elsewhere.pem", [json("200 OK", "{}")]).await;
    let named = ConnectionArgs { tls_server_name: Some("elsewhere.example".to_owned()), ..server.args() };
    assert_eq!(asked(&named).await, Ok(b"{}".to_vec()));
    let unchecked =
        ConnectionArgs { insecure_skip_tls_verify: Some(true), certificate_authority: None, ..server.args() };
    assert_eq!(asked(&unchecked).await, Ok(b"{}".to_vec()));
}

#[tokio::test]
async fn a_server_without_tls_is_told_so() {
    let server = Server::start([json("400 Bad Request", "{}")]).await;
    let args = ConnectionArgs { server: Some(format!("https://{}", server.address)), ..ConnectionArgs::default() };
    let error = asked(&args).await.unwrap_err();
    assert_eq!(error.message(), format!("the server {} does not speak TLS", server.address));
    assert_eq!(error.hints(), ["use --server https://HOST:PORT"]);
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_said_plainly() {
    let closed = closed_port();
    let port = closed.local_addr().unwrap();
    let args = ConnectionArgs { server: Some(format!("https://{port}")), ..ConnectionArgs::default() };
    let error = asked(&args).await.unwrap_err();
    assert_eq!(error.message(), format!("the connection to the server {port} was refused"));
    assert_eq!(error.hints(), ["use --server https://HOST:PORT"]);

    let args = ConnectionArgs { server: Some("http://no-such-host.invalid".to_owned()), ..ConnectionArgs::default() };
    let error = asked(&args).await.unwrap_err();
    assert_eq!(error.message(), "cannot resolve the server's name `no-such-host.invalid`");
}

/// 0.0.0.0 connects to this machine but is not among the hosts that are never proxied.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_proxy_is_held_against_the_server_and_may_be_malformed() {
    let server = Server::start_tls("server.pem", [json("200 OK", "{}")]).await;
    let url = format!("https://0.0.0.0:{}", server.address.port());
    let args = ConnectionArgs { server: Some(url), ..server.args() };
    let closed = closed_port();
    let dead = closed.local_addr().unwrap();
    let ask = async |no_proxy: &str| {
        let environment = Environment {
            https_proxy: Some(format!("http://me:s3cr3t@{dead}")),
            no_proxy: Some(no_proxy.to_owned()),
            ..Environment::default()
        };
        let cluster = connect(&args, &environment, Arc::new(Silent)).await?;
        cluster.call(&CALL, get()).await.map(|answer| answer.body).map_err(Error::from)
    };
    assert_eq!(ask("no/host,,0.0.0.0").await, Ok(b"{}".to_vec()));
    // The proxy's own host in the list has no effect.
    let error = ask("127.0.0.1").await.unwrap_err();
    assert_eq!(error.message(), format!("the proxy http://{dead} (HTTPS_PROXY) cannot be reached"));
    assert_eq!(error.causes(), ["the connection was refused"]);
    assert_eq!(error.hints(), ["NO_PROXY=0.0.0.0"]);
}

#[tokio::test]
async fn a_broken_kubeconfig_in_a_pod_is_an_error_and_not_the_pods_account() {
    let folder = Folder::new("pod");
    let file = folder.write("config", "contexts: 7");
    let environment = Environment { in_pod: true, kubeconfig: Some(file.clone().into()), ..Environment::default() };
    let result = connect(&ConnectionArgs::default(), &environment, Arc::new(Silent)).await;
    assert_eq!(result.err().unwrap().message(), format!("`{}` is not a kubeconfig", file.display()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_kubeconfig_that_cannot_be_read_in_a_pod_is_an_error_and_not_the_pods_account() {
    let folder = Folder::new("unread");
    folder.write("home/.kube", "");
    let environment = Environment { in_pod: true, home: Some(folder.0.join("home")), ..Environment::default() };
    let result = connect(&ConnectionArgs::default(), &environment, Arc::new(Silent)).await;
    let file = folder.0.join("home/.kube/config");
    assert_eq!(result.err().unwrap().message(), format!("cannot read `{}`", file.display()));
}

#[test]
fn in_a_pod_what_is_sent_is_the_token_that_was_typed() {
    let sent_as =
        |args: &ConnectionArgs| as_in_pod(Config::new("https://10.0.0.1".parse().unwrap()), args).unwrap().sent_as;
    assert_eq!(sent_as(&ConnectionArgs::default()).as_deref(), Some("as the service account of this pod"));
    let args = ConnectionArgs { token: Some("t".into()), ..ConnectionArgs::default() };
    assert_eq!(sent_as(&args).as_deref(), Some("with the token of --token"));
}

#[tokio::test]
async fn without_a_kubeconfig_a_server_must_be_named() {
    let error = connected(&ConnectionArgs::default()).await.err().unwrap();
    assert_eq!(error.message(), "no kubeconfig found");
    assert_eq!(error.hints(), ["use --kubeconfig FILE, or --server URL"]);
}
