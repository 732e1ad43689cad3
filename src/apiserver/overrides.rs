//! Flags that override parts of the selected cluster or user, with kubectl's rules for which other settings each of
//! them disables.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Cluster};

use crate::{
    apiserver::{flags::ConnectionArgs, kubeconfig::Choice},
    error::{Error, Result},
};

/// Applies the flags to the kubeconfig's settings: a flag always wins.
pub(crate) fn apply(args: &ConnectionArgs, choice: &mut Choice) -> Result<()> {
    user(args, &mut choice.user)?;
    let has_certificate = choice.user.client_certificate.is_some() || choice.user.client_certificate_data.is_some();
    cluster(args, &mut choice.cluster, has_certificate)?;
    if let Some(namespace) = &args.namespace {
        choice.namespace = Some(namespace.clone());
    }
    Ok(())
}

fn cluster(args: &ConnectionArgs, cluster: &mut Cluster, has_certificate: bool) -> Result<()> {
    if args.insecure_skip_tls_verify == Some(true) && args.certificate_authority.is_some() {
        return Err(Error::usage("--insecure-skip-tls-verify and --certificate-authority exclude each other"));
    }
    if let Some(file) = &args.certificate_authority {
        cluster.certificate_authority = Some(path(file)?);
        cluster.certificate_authority_data = None;
        cluster.insecure_skip_tls_verify = None;
    }
    if let Some(insecure) = args.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(insecure);
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if let Some(server) = &args.server {
        let is_tls = has_certificate
            || cluster.certificate_authority.is_some()
            || cluster.certificate_authority_data.is_some()
            || cluster.insecure_skip_tls_verify == Some(true);
        let scheme = if is_tls { "https" } else { "http" };
        cluster.server = Some(if server.contains("://") { server.clone() } else { format!("{scheme}://{server}") });
        // The TLS server name belonged to the previous server.
        cluster.tls_server_name = None;
    }
    if let Some(name) = &args.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if let Some(disable) = args.disable_compression {
        cluster.disable_compression = Some(disable);
    }
    Ok(())
}

fn user(args: &ConnectionArgs, user: &mut AuthInfo) -> Result<()> {
    if args.token.is_some() && (args.username.is_some() || args.password.is_some()) {
        return Err(Error::usage("--token and --username/--password exclude each other"));
    }
    if let Some(token) = &args.token {
        user.token = Some(token.clone());
        (user.token_file, user.username, user.password, user.auth_provider) = (None, None, None, None);
    }
    if args.username.is_some() || args.password.is_some() {
        user.username = args.username.clone().or(user.username.take());
        user.password = args.password.clone().or(user.password.take());
        (user.token, user.token_file, user.auth_provider) = (None, None, None);
    }
    if let Some(file) = &args.client_certificate {
        user.client_certificate = Some(path(file)?);
        user.client_certificate_data = None;
    }
    if let Some(file) = &args.client_key {
        user.client_key = Some(path(file)?);
        user.client_key_data = None;
    }
    impersonation(args, user)
}

/// Applies `--as` and related flags; also used for a pod's service account.
pub(crate) fn impersonation(args: &ConnectionArgs, user: &mut AuthInfo) -> Result<()> {
    if let Some(name) = &args.impersonate {
        user.impersonate = Some(name.clone());
        (user.impersonate_uid, user.impersonate_groups, user.impersonate_user_extra) = (None, None, None);
    }
    if let Some(uid) = &args.impersonate_uid {
        user.impersonate_uid = Some(uid.clone());
    }
    if !args.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(args.impersonate_groups.clone());
    }
    if !args.impersonate_extra.is_empty() {
        let mut extra: HashMap<String, Vec<String>> = HashMap::new();
        for (key, value) in &args.impersonate_extra {
            extra.entry(key.clone()).or_default().push(value.clone());
        }
        user.impersonate_user_extra = Some(extra);
    }
    let asks =
        user.impersonate_uid.is_some() || user.impersonate_groups.is_some() || user.impersonate_user_extra.is_some();
    if user.impersonate.is_none() && asks {
        return Err(Error::usage("--as-uid, --as-group and --as-user-extra need --as").hint("use --as USER"));
    }
    // kube reports this only as a failed request.
    let extra = user.impersonate_user_extra.iter().flat_map(|extra| extra.values().flatten());
    let values = user.impersonate.iter().chain(&user.impersonate_uid).chain(user.impersonate_groups.iter().flatten());
    match values.chain(extra).find(|value| http::HeaderValue::from_str(value).is_err()) {
        Some(value) => Err(Error::usage(format!("`{}` is not a valid name for impersonation", value.escape_debug()))),
        None => Ok(()),
    }
}

fn path(file: &Path) -> Result<String> {
    let text = PathBuf::from(file).into_os_string().into_string();
    text.map_err(|name| Error::usage(format!("the name `{}` is not UTF-8", name.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> Choice {
        let text = |text: &str| Some(text.to_owned());
        let cluster = Cluster {
            server: text("https://old"),
            certificate_authority_data: text("Q0E="),
            tls_server_name: text("old"),
            ..Cluster::default()
        };
        let user = AuthInfo { username: text("me"), password: Some("p".to_owned().into()), ..AuthInfo::default() };
        Choice { cluster, user, namespace: text("shop"), ..Choice::default() }
    }

    fn applied(args: &ConnectionArgs) -> Choice {
        let mut choice = choice();
        apply(args, &mut choice).unwrap();
        choice
    }

    fn refusal(args: &ConnectionArgs) -> String {
        apply(args, &mut choice()).unwrap_err().message().to_owned()
    }

    #[test]
    fn another_server_leaves_the_former_ones_name_behind() {
        let server = |text: &str| ConnectionArgs { server: Some(text.to_owned()), ..ConnectionArgs::default() };
        let cluster = applied(&server("https://new:6443")).cluster;
        assert_eq!((cluster.server.as_deref(), cluster.tls_server_name), (Some("https://new:6443"), None));
        assert_eq!(applied(&server("new:6443")).cluster.server.as_deref(), Some("https://new:6443"));
        let mut bare = Choice::default();
        apply(&server("127.0.0.1:8080"), &mut bare).unwrap();
        assert_eq!(bare.cluster.server.as_deref(), Some("http://127.0.0.1:8080"));
    }

    #[test]
    fn an_unchecked_connection_drops_the_authority_and_the_other_way_round() {
        let args = ConnectionArgs { insecure_skip_tls_verify: Some(true), ..ConnectionArgs::default() };
        assert_eq!(applied(&args).cluster.certificate_authority_data, None);
        let args = ConnectionArgs { certificate_authority: Some("ca.pem".into()), ..ConnectionArgs::default() };
        let cluster = applied(&args).cluster;
        assert_eq!(
            (cluster.certificate_authority.as_deref(), cluster.certificate_authority_data),
            (Some("ca.pem"), None)
        );
        let both = ConnectionArgs { insecure_skip_tls_verify: Some(true), ..args };
        assert_eq!(refusal(&both), "--insecure-skip-tls-verify and --certificate-authority exclude each other");
    }

    #[test]
    fn a_token_replaces_the_password() {
        let args = ConnectionArgs { token: Some("t".into()), ..ConnectionArgs::default() };
        let user = applied(&args).user;
        assert_eq!((user.username, user.token.is_some()), (None, true));
        let both = ConnectionArgs { username: Some("me".to_owned()), ..args };
        assert_eq!(refusal(&both), "--token and --username/--password exclude each other");
    }

    #[test]
    fn companions_of_as_need_it_and_must_fit_a_header() {
        let args = ConnectionArgs { impersonate_uid: Some("7".to_owned()), ..ConnectionArgs::default() };
        assert_eq!(refusal(&args), "--as-uid, --as-group and --as-user-extra need --as");
        let args = ConnectionArgs { impersonate: Some("a\nb".to_owned()), ..ConnectionArgs::default() };
        assert_eq!(refusal(&args), r"`a\nb` is not a valid name for impersonation");
    }

    #[test]
    fn the_flags_namespace_wins() {
        let args = ConnectionArgs { namespace: Some("sso".to_owned()), ..ConnectionArgs::default() };
        assert_eq!(applied(&args).namespace.as_deref(), Some("sso"));
    }
}
