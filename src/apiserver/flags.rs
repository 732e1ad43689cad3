//! The connection flags, same as kubectl's. No I/O: `connect` acts on the parsed values.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::text::{quoted, without_password, without_userinfo};

/// Flags that say which cluster to speak to, as whom, and how. Accepted at any position after the plugin's
/// name.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Use this kubeconfig instead of KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,

    /// Use this context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// Use this cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,

    /// Use this user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,

    /// Use this namespace
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub server: Option<String>,

    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<SecretString>,

    /// Impersonate this user or service account
    #[arg(long = "as", id = "as", global = true, value_name = "USER")]
    pub impersonate: Option<String>,

    /// Impersonate this group; can be repeated
    #[arg(long = "as-group", id = "as-group", global = true, value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,

    /// Impersonate this user ID
    #[arg(long = "as-uid", id = "as-uid", global = true, value_name = "UID")]
    pub impersonate_uid: Option<String>,

    /// Impersonate this extra attribute of the user; can be repeated
    #[arg(long = "as-user-extra", id = "as-user-extra", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub impersonate_extra: Vec<(String, String)>,

    /// User name for basic authentication
    #[arg(long, global = true, value_name = "NAME")]
    pub username: Option<String>,

    /// Password for basic authentication
    #[arg(long, global = true, value_name = "PASSWORD")]
    pub password: Option<SecretString>,

    /// Client certificate for TLS
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub client_certificate: Option<PathBuf>,

    /// Private key of the client certificate
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub client_key: Option<PathBuf>,

    /// Certificate authority that signs the server's certificate
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub certificate_authority: Option<PathBuf>,

    /// Name to expect in the server's certificate instead of the server's host name
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// Do not verify the server's certificate; others can then read and change the traffic
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub insecure_skip_tls_verify: Option<bool>,

    /// How long to wait for an answer: 30s, 1m30s; 0 waits forever [default: 60s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub request_timeout: Option<Duration>,

    /// Request uncompressed responses
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub disable_compression: Option<bool>,

    /// Log API requests: 6 = request lines, 8 = with bodies
    #[arg(
        short = 'v',
        long = "v",
        id = "v",
        global = true,
        value_name = "LEVEL",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub verbosity: u8,

    /// Fail when the server sends a warning
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub warnings_as_errors: Option<bool>,

    /// Flags of kubectl that have nothing to act on here.
    #[command(flatten)]
    pub ignored: IgnoredArgs,
}

/// Flags of kubectl that are accepted for compatibility and ignored.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct IgnoredArgs {
    #[arg(long, global = true, hide = true)]
    cache_dir: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    vmodule: Option<String>,
    #[arg(long, global = true, hide = true)]
    log_flush_frequency: Option<String>,
    #[arg(long, global = true, hide = true)]
    profile: Option<String>,
    #[arg(long, global = true, hide = true)]
    profile_output: Option<String>,
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    match_server_version: Option<bool>,
}

impl ConnectionArgs {
    /// Returns the flags without empty values. Like kubectl, which treats an empty value as unset, as in `--context
    /// "$CONTEXT"`.
    #[must_use]
    pub(crate) fn without_empty(&self) -> Self {
        let text = |value: Option<&String>| value.filter(|text| !text.is_empty()).cloned();
        let file = |value: Option<&PathBuf>| value.filter(|file| !file.as_os_str().is_empty()).cloned();
        Self {
            kubeconfig: file(self.kubeconfig.as_ref()),
            context: text(self.context.as_ref()),
            cluster: text(self.cluster.as_ref()),
            user: text(self.user.as_ref()),
            namespace: text(self.namespace.as_ref()),
            server: text(self.server.as_ref()),
            token: self.token.clone().filter(|token| !token.expose_secret().is_empty()),
            impersonate: text(self.impersonate.as_ref()),
            impersonate_uid: text(self.impersonate_uid.as_ref()),
            username: text(self.username.as_ref()),
            client_certificate: file(self.client_certificate.as_ref()),
            client_key: file(self.client_key.as_ref()),
            certificate_authority: file(self.certificate_authority.as_ref()),
            tls_server_name: text(self.tls_server_name.as_ref()),
            ..self.clone()
        }
    }

    /// Returns the flags that select the cluster and the user, to be typed again, each with a leading space. The
    /// namespace, which may differ, is left out; a word stands for a secret, and the server's address has none in it.
    pub fn to_command_line(&self) -> String {
        let args = self.without_empty();
        let server = args.server.as_deref();
        let server = server.map(|server| without_userinfo(server.split(['?', '#']).next().unwrap_or_default()));
        let secret = |secret: &Option<SecretString>, word: &str| secret.as_ref().map(|_| word.to_owned());
        let file = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
        let once = [
            ("--kubeconfig", file(&args.kubeconfig)),
            ("--context", args.context.clone()),
            ("--cluster", args.cluster.clone()),
            ("--user", args.user.clone()),
            ("--server", server),
            ("--certificate-authority", file(&args.certificate_authority)),
            ("--tls-server-name", args.tls_server_name.clone()),
            ("--token", secret(&args.token, "TOKEN")),
            ("--username", args.username.clone()),
            ("--password", secret(&args.password, "PASSWORD")),
            ("--client-certificate", file(&args.client_certificate)),
            ("--client-key", file(&args.client_key)),
            ("--as", args.impersonate.clone()),
            ("--as-uid", args.impersonate_uid.clone()),
        ];
        let extra = args.impersonate_extra.iter().map(|(key, value)| ("--as-user-extra", format!("{key}={value}")));
        let mut line: String = once
            .into_iter()
            .filter_map(|(flag, value)| Some((flag, value?)))
            .chain(args.impersonate_groups.iter().map(|group| ("--as-group", group.clone())))
            .chain(extra)
            .map(|(flag, value)| format!(" {flag} {}", quoted(&value)))
            .collect();
        if args.insecure_skip_tls_verify == Some(true) {
            line.push_str(" --insecure-skip-tls-verify");
        }
        line
    }
}

/// Moves the repeatable flags to the end. If some precede a subcommand and some follow it, clap keeps only the last
/// group, and a lost `--as-group` means a different identity.
pub(crate) fn group_repeatable_flags(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let (mut kept, mut gathered) = (Vec::new(), Vec::new());
    let mut line = line.into_iter();
    while let Some(word) = line.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            gathered.push(word);
            break;
        }
        let repeated = ["--as-group", "--as-user-extra"].into_iter().find_map(|flag| text.strip_prefix(flag));
        match repeated {
            Some("") => gathered.extend(std::iter::once(word).chain(line.next())),
            Some(rest) if rest.starts_with('=') => gathered.push(word),
            _ => kept.push(word),
        }
    }
    kept.into_iter().chain(gathered).chain(line).collect()
}

/// Returns a word of this command line in a form that a message may show. clap does not know which part of an
/// unexpected word is secret.
pub(crate) fn without_secrets(shown: &str, line: &[OsString]) -> String {
    const SECRET: [&str; 2] = ["--token", "--password"];
    const ADDRESS: [&str; 2] = ["--server", "-s"];
    let follows = |flags: [&str; 2]| {
        let mut pairs = line.windows(2);
        pairs.any(|pair| flags.iter().any(|flag| pair[0] == *flag) && pair[1] == *shown)
    };
    match shown.split_once('=') {
        Some((flag, _)) if SECRET.contains(&flag) => format!("{flag}=…"),
        Some((flag, address)) if ADDRESS.contains(&flag) => format!("{flag}={}", without_userinfo(address)),
        _ if follows(SECRET) => "…".to_owned(),
        _ if follows(ADDRESS) => without_userinfo(shown),
        _ => without_password(shown),
    }
}

/// Parses a duration as in `--request-timeout`: `0`, `30` (seconds), `30s`, `1m30s`, `1h`, `500ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || "a duration is a number of seconds, or numbers with `h`, `m`, `s` or `ms`, such as `1m30s`".to_owned();
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let milliseconds = match &tail[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &tail[unit..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests;
