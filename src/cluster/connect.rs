//! Makes a [`Cluster`] out of flags and environment: decides where the configuration comes from, and sets
//! right what the HTTP library's defaults get wrong for a program that a person waits for.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use http::{Uri, header};
use kube::{Config, config::AuthInfo};
use tokio::sync::Mutex;

use super::{
    Cluster, config,
    error::{CONNECT_TIMEOUT, Endpoint},
    flags::ConnectionArgs,
    kubeconfig::{self, Choice},
    login::Login,
    overrides,
    progress::Progress,
    proxy, url,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// How long an answer may take when `--request-timeout` does not say.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Finds out which server to speak to, as whom and through what, and logs in if a credential plugin must be
/// asked. Sends nothing to the server yet.
pub async fn connect(args: &ConnectionArgs, environment: &Environment, progress: Arc<dyn Progress>) -> Result<Cluster> {
    connect_with(args, environment, progress, std::io::stdin().is_terminal()).await
}

/// The same; a credential plugin that must be asked finds no terminal to ask a person on.
pub async fn connect_quietly(
    args: &ConnectionArgs,
    environment: &Environment,
    progress: Arc<dyn Progress>,
) -> Result<Cluster> {
    connect_with(args, environment, progress, false).await
}

async fn connect_with(
    args: &ConnectionArgs,
    environment: &Environment,
    progress: Arc<dyn Progress>,
    has_terminal: bool,
) -> Result<Cluster> {
    let args = &args.without_empty();
    let loaded = kubeconfig::load(args, environment)?;
    let (mut config, kubeconfig_proxy, sent_as) = match loaded {
        // A kubeconfig that is there and broken never ends up here: that is an error, not the pod's account.
        None if args.server.is_none() && environment.in_pod && args.kubeconfig.is_none() => in_pod(args)?,
        None if args.server.is_none() => return Err(kubeconfig::none_found(environment)),
        loaded => {
            let mut choice = kubeconfig::choose(&loaded.unwrap_or_default(), args)?;
            overrides::apply(args, &mut choice)?;
            let proxy = choice.cluster.proxy_url.clone().map(|url| (choice.cluster_name.clone(), url));
            (config::build(&choice)?, proxy, sent_as(args, &choice))
        }
    };
    let named = kubeconfig_proxy.as_ref().map(|(cluster, url)| (cluster.as_str(), url.as_str()));
    let proxy = proxy::choose(&config.cluster_url, named, environment)?;
    config.proxy_url = proxy.as_ref().map(|proxy| proxy.url.clone());
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.headers.push((header::USER_AGENT, user_agent()));
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let endpoint = Endpoint { sent_as, proxy, from_flag: args.server.is_some(), ..place(&config.cluster_url) };

    let exec = config.auth_info.exec.take();
    let user = &config.auth_info;
    // As kubectl: who brings a token or a password needs no plugin.
    let exec = exec.filter(|_| user.token.is_none() && user.token_file.is_none() && user.username.is_none());
    let login = Login { config, exec, has_terminal };
    let session = login.log_in(&progress).await?;
    Ok(Cluster {
        endpoint,
        namespace,
        timeout: Some(args.request_timeout.unwrap_or(REQUEST_TIMEOUT)).filter(|limit| !limit.is_zero()),
        verbosity: args.verbosity,
        progress,
        login,
        session: Mutex::new(session),
    })
}

type Source = (Config, Option<(String, String)>, String);

/// The pod's own account, with what the flags change about it.
fn in_pod(args: &ConnectionArgs) -> Result<Source> {
    let mut config = Config::incluster().map_err(|error| {
        Error::usage("no kubeconfig found, and this pod has no service account to use")
            .caused_by(error.to_string())
            .hint("--kubeconfig FILE")
    })?;
    if let Some(token) = &args.token {
        config.auth_info = AuthInfo { token: Some(token.reveal().to_owned().into()), ..AuthInfo::default() };
    }
    overrides::impersonation(args, &mut config.auth_info)?;
    let mut sent_as = "as the service account of this pod".to_owned();
    if let Some(name) = &config.auth_info.impersonate {
        sent_as = format!("{sent_as}, acting as `{name}`");
    }
    Ok((config, None, sent_as))
}

/// Whose credentials are sent, for the server's refusal of them.
fn sent_as(args: &ConnectionArgs, choice: &Choice) -> String {
    let user = &choice.user;
    let bare = user.token.is_none()
        && user.token_file.is_none()
        && user.username.is_none()
        && user.exec.is_none()
        && user.auth_provider.is_none()
        && user.client_certificate.is_none()
        && user.client_certificate_data.is_none();
    let mut text = match (&args.token, &args.username, &args.client_certificate) {
        (Some(_), ..) => "with the token of --token".to_owned(),
        (_, Some(name), _) => format!("as user `{name}` of --username"),
        (.., Some(file)) => format!("with the client certificate `{}`", file.display()),
        _ if bare => "without any credentials".to_owned(),
        _ => format!("as user `{}` of {}", choice.user_name, choice.files),
    };
    if let Some(name) = &user.impersonate {
        text = format!("{text}, acting as `{name}`");
    }
    text
}

fn place(url: &Uri) -> Endpoint {
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    let host = url.host().unwrap_or_default();
    Endpoint {
        url: url::without_userinfo(url),
        address: format!("{host}:{port}"),
        host: host.trim_matches(['[', ']']).to_owned(),
        sent_as: String::new(),
        proxy: None,
        from_flag: false,
    }
}

/// `kubectl-canary-traefik/0.1.0 (linux/amd64)`, with Go's words for the machine, as other clients have it.
fn user_agent() -> http::HeaderValue {
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let text = format!("kubectl-canary-traefik/{} ({system}/{machine})", env!("CARGO_PKG_VERSION"));
    http::HeaderValue::try_from(text).unwrap_or_else(|_| http::HeaderValue::from_static("kubectl-canary-traefik"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{
        Call, Verb,
        testing::{Folder, Server, Silent, connected, json, testdata},
    };
    use http::Request;

    const CALL: Call<'static> =
        Call { verb: Verb::List, resource: "canaries.flagger.app", namespace: None, name: None };

    fn get() -> Request<Vec<u8>> {
        Request::get("/x").body(Vec::new()).unwrap()
    }

    async fn asked(args: &ConnectionArgs) -> Result<Vec<u8>> {
        let cluster = connected(args).await?;
        cluster.call(&CALL, get()).await.map(|answer| answer.body).map_err(|failure| failure.into_error(&CALL))
    }

    fn tls_args(server: &Server) -> ConnectionArgs {
        ConnectionArgs {
            server: Some(format!("https://{}", server.address)),
            certificate_authority: Some(testdata("ca.pem")),
            ..ConnectionArgs::default()
        }
    }

    #[tokio::test]
    async fn a_request_says_who_we_are_and_whom_we_act_as() {
        let server = Server::start([json("200 OK", "{}")]).await;
        let args = ConnectionArgs {
            token: "t".parse().ok(),
            impersonate: Some("jane".to_owned()),
            impersonate_groups: vec!["a".to_owned(), "b".to_owned()],
            impersonate_uid: Some("7".to_owned()),
            impersonate_extra: vec![("scopes".to_owned(), "view".to_owned())],
            ..server.args()
        };
        asked(&args).await.unwrap();
        let request = server.asked().remove(0);
        let mut lines: Vec<&str> =
            request.lines().filter(|line| !line.is_empty() && !line.starts_with("host")).collect();
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
        assert_eq!(asked(&tls_args(&server)).await, Ok(b"{}".to_vec()));
    }

    #[tokio::test]
    async fn certificates_that_are_not_accepted_are_told_apart() {
        let cases = [
            ("expired.pem", "ca.pem", "has expired", "renew it, or set this machine's clock: `date`"),
            ("elsewhere.pem", "ca.pem", "is for another name", "--tls-server-name elsewhere.example"),
            ("server.pem", "elsewhere.pem", "is signed by an unknown authority", "--certificate-authority FILE"),
        ];
        for (certificate, authority, problem, hint) in cases {
            let server = Server::start_tls(certificate, [json("200 OK", "{}")]).await;
            let args = ConnectionArgs { certificate_authority: Some(testdata(authority)), ..tls_args(&server) };
            let error = asked(&args).await.unwrap_err();
            assert_eq!(error.message(), format!("the certificate of the server {} {problem}", server.address));
            assert_eq!(error.hints(), [hint]);
        }
    }

    #[tokio::test]
    async fn the_name_and_the_check_can_be_overridden() {
        let server = Server::start_tls("elsewhere.pem", [json("200 OK", "{}")]).await;
        let named = ConnectionArgs { tls_server_name: Some("elsewhere.example".to_owned()), ..tls_args(&server) };
        assert_eq!(asked(&named).await, Ok(b"{}".to_vec()));
        let unchecked =
            ConnectionArgs { insecure_skip_tls_verify: Some(true), certificate_authority: None, ..tls_args(&server) };
        assert_eq!(asked(&unchecked).await, Ok(b"{}".to_vec()));
    }

    #[tokio::test]
    async fn a_server_without_tls_is_told_so() {
        let server = Server::start([json("400 Bad Request", "{}")]).await;
        let error = asked(&tls_args(&server)).await.unwrap_err();
        assert_eq!(error.message(), format!("the server {} does not speak TLS", server.address));
    }

    #[tokio::test]
    async fn a_closed_port_and_an_unknown_name_are_said_plainly() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let args = ConnectionArgs { server: Some(format!("https://{port}")), ..ConnectionArgs::default() };
        let error = asked(&args).await.unwrap_err();
        assert_eq!(error.message(), format!("the connection to the server {port} was refused"));
        assert_eq!(error.hints(), ["--server https://HOST:PORT"]);

        let args =
            ConnectionArgs { server: Some("http://no-such-host.invalid".to_owned()), ..ConnectionArgs::default() };
        let error = asked(&args).await.unwrap_err();
        assert_eq!(error.message(), "the server's name `no-such-host.invalid` is not known");
    }

    /// 0.0.0.0 leads to this machine, and is not among the names that no proxy is ever used for.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn no_proxy_is_held_against_the_server_and_may_be_malformed() {
        let server = Server::start_tls("server.pem", [json("200 OK", "{}")]).await;
        let url = format!("https://0.0.0.0:{}", server.address.port());
        let args = ConnectionArgs { server: Some(url), ..tls_args(&server) };
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let ask = async |no_proxy: &str| {
            let environment = Environment {
                https_proxy: Some(format!("http://me:s3cr3t@{dead}")),
                no_proxy: Some(no_proxy.to_owned()),
                ..Environment::default()
            };
            let cluster = connect(&args, &environment, Arc::new(Silent)).await?;
            cluster.call(&CALL, get()).await.map(|answer| answer.body).map_err(|failure| failure.into_error(&CALL))
        };
        assert_eq!(ask("no/host,,0.0.0.0").await, Ok(b"{}".to_vec()));
        // The proxy's own host in the list means nothing.
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

    #[tokio::test]
    async fn without_a_kubeconfig_a_server_must_be_named() {
        let error = connected(&ConnectionArgs::default()).await.err().unwrap();
        assert_eq!(error.message(), "no kubeconfig found");
        assert_eq!(error.hints(), ["--kubeconfig FILE, or --server URL"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_credential_plugin_runs_once_and_again_when_its_token_is_refused() {
        let refused = json("401 Unauthorized", r#"{"kind":"Status","message":"Unauthorized"}"#);
        let ok = json("200 OK", "{}");
        let server = Server::start([ok.clone(), refused.clone(), ok, refused]).await;
        let folder = Folder::new("exec");
        let count = folder.write("count", "");
        let script = format!(
            r#"echo x >> {0}; printf '{{"kind":"ExecCredential","status":{{"token":"t%s"}}}}' $(wc -l < {0})"#,
            count.display()
        );
        let file = folder.write(
            "config",
            &serde_json::json!({
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
                "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", server.address)}}],
                "users": [{"name": "u", "user": {"exec": {"command": "sh", "args": ["-c", script], "interactiveMode": "Never"}}}],
            })
            .to_string(),
        );
        let args = ConnectionArgs { kubeconfig: Some(file.clone()), ..ConnectionArgs::default() };
        let cluster = connected(&args).await.unwrap();
        assert_eq!((cluster.namespace(), cluster.timeout()), ("shop", Some(REQUEST_TIMEOUT)));
        for _ in 0..2 {
            cluster.call(&CALL, get()).await.unwrap();
        }
        let error = cluster.call(&CALL, get()).await.unwrap_err().into_error(&CALL);
        assert_eq!(error.causes(), [format!("sent as user `u` of {}", file.display())]);
        let tokens: Vec<String> = server
            .asked()
            .iter()
            .filter_map(|request| request.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")))
            .map(|token| token.trim().to_owned())
            .collect();
        assert_eq!(tokens, ["t1", "t1", "t2", "t2", "t3"]);
    }

    #[tokio::test]
    async fn a_token_file_may_end_with_a_line_break() {
        let server = Server::start([json("200 OK", "{}")]).await;
        let folder = Folder::new("token");
        let token = folder.write("token", "t\n");
        let text = format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\nusers: [{{name: u, user: {{tokenFile: {}}}}}]",
            server.address,
            token.display()
        );
        let args = ConnectionArgs { kubeconfig: Some(folder.write("config", &text)), ..ConnectionArgs::default() };
        assert_eq!(asked(&args).await, Ok(b"{}".to_vec()));
        assert_eq!(
            server.asked()[0].lines().find(|line| line.starts_with("authorization")),
            Some("authorization: Bearer t")
        );
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_when_its_token_is_refused() {
        let folder = Folder::new("rotated");
        for end in ["", "\n"] {
            let refused = json("401 Unauthorized", r#"{"kind":"Status","code":401}"#);
            let server = Server::start([json("200 OK", "{}"), refused, json("200 OK", "{}")]).await;
            let token = folder.write("token", &format!("t1{end}"));
            let text = format!(
                "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
                 clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\nusers: [{{name: u, user: {{tokenFile: {}}}}}]",
                server.address,
                token.display()
            );
            let args = ConnectionArgs { kubeconfig: Some(folder.write("config", &text)), ..ConnectionArgs::default() };
            let cluster = connected(&args).await.unwrap();
            for text in ["t1", "t2"] {
                folder.write("token", &format!("{text}{end}"));
                assert_eq!(cluster.call(&CALL, get()).await.map(|answer| answer.body), Ok(b"{}".to_vec()));
            }
            let asked = server.asked();
            let line = |request: &String| {
                request.lines().find_map(|line| line.strip_prefix("authorization: Bearer t"))?.parse().ok()
            };
            let tokens: Vec<Option<u8>> = asked.iter().map(line).collect();
            assert_eq!(tokens, [Some(1), Some(1), Some(2)]);
        }
    }
}
