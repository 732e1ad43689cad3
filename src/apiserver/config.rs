//! Builds kube's client configuration from a cluster and a user. kube's own constructor reads `HTTPS_PROXY` and
//! `NO_PROXY`, matches them against the wrong host, and fails on values that kubectl accepts.

use http::{Uri, uri::Scheme};
use kube::{
    Config,
    config::{AuthInfo, ExecAuthCluster, KubeconfigError},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::{
    apiserver::{error::auth, kubeconfig::Choice, url},
    error::{Error, Result, reason},
    text::without_userinfo,
};

/// Builds the configuration for this cluster and user. The credential plugin stays in it.
pub(crate) fn build(choice: &Choice) -> Result<Config> {
    let Choice { cluster, cluster_name, .. } = choice;
    let server = cluster.server.as_deref().filter(|server| !server.is_empty());
    let server = server.ok_or_else(|| {
        Error::usage(format!("cluster `{cluster_name}` in {} has no server", choice.files)).hint("use --server URL")
    })?;
    let unusable = |reason: &str| {
        Error::usage(format!("the server's address `{}` cannot be used", without_userinfo(server)))
            .caused_by(reason)
            .hint("use --server https://HOST:PORT")
    };
    let url = url::read(server).map_err(unusable)?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(unusable(&format!("its scheme is `{}`", url.scheme_str().unwrap_or_default())));
    }
    let url: Uri = url::without_userinfo(&url).parse().map_err(|_| unusable("it is not a URL"))?;
    let mut config = Config::new(url);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    if let Some(namespace) = &choice.namespace {
        config.default_namespace.clone_from(namespace);
    }
    if !is_tls(&config.cluster_url) {
        config.auth_info = without_credentials(&choice.user);
        return Ok(config);
    }
    // The only public way to the bytes of `certificate-authority` and `certificate-authority-data`.
    let for_plugins = ExecAuthCluster::try_from(cluster).map_err(|error| unloadable(&error))?;
    config.root_cert = match &for_plugins.certificate_authority_data {
        Some(pem) => Some(certificates(pem)?),
        None => None,
    };
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.auth_info = choice.user.clone();
    if let Some(exec) = &mut config.auth_info.exec {
        exec.cluster = Some(for_plugins);
    }
    Ok(config)
}

/// Returns whether the connection to this server is encrypted.
pub(crate) fn is_tls(url: &Uri) -> bool {
    url.scheme() == Some(&Scheme::HTTPS)
}

/// Returns the user with only the impersonation settings, which may be sent unencrypted. Like kubectl, which reads no
/// credentials and runs no plugin for a server without TLS (client-go `tools/clientcmd/client_config.go:ClientConfig`).
fn without_credentials(user: &AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate.clone(),
        impersonate_uid: user.impersonate_uid.clone(),
        impersonate_groups: user.impersonate_groups.clone(),
        impersonate_user_extra: user.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|_| unusable_authority().caused_by("it is not PEM"))?;
    if all.is_empty() {
        return Err(unusable_authority().caused_by("it holds no certificate"));
    }
    Ok(all.iter().map(|certificate| certificate.to_vec()).collect())
}

pub(crate) fn unusable_authority() -> Error {
    Error::usage("the certificate authority of the cluster cannot be used").hint("use --certificate-authority FILE")
}

/// Returns the error for a client that could not be built.
pub(crate) fn unusable(error: &kube::Error) -> Error {
    match error {
        kube::Error::Auth(error) => auth(error),
        kube::Error::RustlsTls(kube::client::RustlsTlsError::AddRootCertificate(_)) => {
            Error::usage("this machine has no certificate authorities to check the server's certificate with")
                .hint("use --certificate-authority FILE")
        }
        _ => Error::cluster("the connection to the server cannot be set up"),
    }
}

fn unloadable(error: &KubeconfigError) -> Error {
    use kube::config::LoadDataError as Load;
    match error {
        KubeconfigError::LoadCertificateAuthority(Load::ReadFile(error, file)) => {
            Error::usage(format!("cannot read the certificate authority `{}`", file.display())).caused_by(reason(error))
        }
        KubeconfigError::LoadCertificateAuthority(Load::DecodeBase64(_)) => {
            Error::usage("the certificate authority in the kubeconfig is not valid base64")
        }
        _ => Error::usage("the kubeconfig cannot be used"),
    }
}
