//! Runs the credential plugin of a kubeconfig user (`exec`: cloud and single sign-on tools), once per login. The HTTP
//! library would run it three times per client, block the whole program meanwhile, and quote its output, including the
//! token, in its error.

use std::{
    convert::Infallible,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use jiff::{Timestamp, fmt::temporal::Pieces};
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Child,
};

use crate::{
    apiserver::{
        error::seconds,
        progress::{Progress, shown},
    },
    error::{Error, Result, reason},
    text::quoted,
    yaml,
};

/// The output of a plugin: a token, or a certificate with its key, and their expiry.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) token: Option<String>,
    pub(crate) certificate_and_key: Option<(String, String)>,
    pub(crate) expires: Option<Timestamp>,
}

/// Timeout for a non-interactive plugin: as long as the slowest of the known ones waits for a login in a browser
/// (int128/kubelogin, `--authentication-timeout-sec`).
pub(crate) const LIMIT: Duration = Duration::from_mins(3);
/// How long a plugin's pipes are still read after it exits, if a child process keeps them open.
const REST: Duration = Duration::from_millis(100);
/// Maximum number of bytes kept of stdout and stderr each. A token is some kilobytes long.
const LONGEST: usize = 4 << 20;

/// Runs the plugin. With a terminal it may ask the user. Without one its standard input is empty, so that it never
/// consumes a piped manifest; its standard error becomes part of the error; and it is killed after `limit`.
pub(crate) async fn run(exec: &ExecConfig, limit: Duration, progress: &dyn Progress) -> Result<Credential> {
    let name = exec.command.as_deref().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::usage("the kubeconfig's user has an `exec` without `command`"))?;
    let has_terminal = progress.has_terminal();
    let interactive = match exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !has_terminal => {
            return Err(Error::cluster(format!("the credential plugin `{name}` needs a terminal")));
        }
        _ => has_terminal,
    };
    let mut command = tokio::process::Command::new(name);
    command.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command.env("KUBERNETES_EXEC_INFO", info(exec, interactive).to_string());
    command.stdout(Stdio::piped()).kill_on_drop(true);
    if interactive {
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    }
    let running = command.spawn().map_err(|error| not_started(name, exec.install_hint.as_deref(), &error))?;
    let what = format!("the credential plugin `{name}`");
    // An interactive plugin owns the terminal, so no status line is shown.
    let output = if interactive {
        ended(running).await
    } else {
        let ended = tokio::time::timeout(limit, ended(running));
        shown(progress, &what, ended).await.map_err(|_| took_too_long(name, limit))?
    };
    let (status, stdout, stderr) = output.map_err(|error| not_started(name, None, &error))?;
    if !status.success() {
        return Err(failed(name, status, &stderr));
    }
    read(&stdout).map_err(|reason| {
        Error::cluster(format!("the credential plugin `{name}` did not return a credential")).caused_by(reason)
    })
}

/// Waits for the plugin to exit and returns its status and output. Processes that it started may live on: one that
/// keeps the pipes open is not waited for.
async fn ended(mut plugin: Child) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (plugin.stdout.take(), plugin.stderr.take());
    let status = {
        let reading = async {
            tokio::join!(drain(out.as_mut(), &mut stdout, None), drain(err.as_mut(), &mut stderr, None));
            // Both pipes are closed: only the exit is left to wait for.
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            status = plugin.wait() => status?,
            never = reading => match never {},
        }
    };
    tokio::join!(drain(out.as_mut(), &mut stdout, Some(REST)), drain(err.as_mut(), &mut stderr, Some(REST)));
    Ok((status, stdout, stderr))
}

/// Reads to the end, or until nothing arrives within `patience`. Output beyond the limit is discarded.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, all: &mut Vec<u8>, patience: Option<Duration>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 8192];
    loop {
        let read = pipe.read(&mut chunk);
        let read = match patience {
            Some(patience) => tokio::time::timeout(patience, read).await.unwrap_or(Ok(0)),
            None => read.await,
        };
        match read {
            Ok(read @ 1..) => all.extend_from_slice(&chunk[..read.min(LONGEST.saturating_sub(all.len()))]),
            _ => return,
        }
    }
}

/// Returns the `ExecCredential` that is passed to the plugin.
fn info(exec: &ExecConfig, interactive: bool) -> Value {
    let mut spec = json!({ "interactive": interactive });
    if let Some(cluster) = exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
    }
    let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    json!({ "kind": "ExecCredential", "apiVersion": version, "spec": spec })
}

/// Parses the plugin's output, JSON or YAML. Errors never quote it.
fn read(stdout: &[u8]) -> Result<Credential, &'static str> {
    let text = std::str::from_utf8(stdout).map_err(|_| "it is not UTF-8")?;
    let answer = yaml::parse(text).map_err(|_| "it is neither JSON nor YAML")?;
    // Like kubectl, which has a kind in mind for what names none.
    if !matches!(answer["kind"].as_str().unwrap_or_default(), "" | "ExecCredential") || !answer.is_object() {
        return Err("its kind is not ExecCredential");
    }
    let status = &answer["status"];
    let text = |field: &str| status[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let credential = Credential {
        token: text("token"),
        certificate_and_key: text("clientCertificateData").zip(text("clientKeyData")),
        expires: match text("expirationTimestamp") {
            Some(time) => Some(moment(&time).ok_or("its expirationTimestamp is not a time")?),
            None => None,
        },
    };
    let is_odd = |token: &String| token.chars().any(char::is_control);
    if credential.token.as_ref().is_some_and(is_odd) {
        return Err("its token contains a line break or another control character");
    }
    match credential {
        Credential { token: None, certificate_and_key: None, .. } => {
            Err("it contains neither a token nor a certificate with a key")
        }
        credential => Ok(credential),
    }
}

/// Parses an RFC 3339 time. Years beyond [`Timestamp::MAX`] become that, and a fraction of a second may have any number
/// of digits.
fn moment(text: &str) -> Option<Timestamp> {
    const DIGITS: usize = 9;
    let text = match text.split_once('.') {
        Some((seconds, rest)) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            format!("{seconds}.{}{}", &rest[..digits.min(DIGITS)], &rest[digits..])
        }
        None => text.to_owned(),
    };
    let pieces = Pieces::parse(&text).ok()?;
    let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
    Some(offset.to_timestamp(pieces.date().to_datetime(time)).unwrap_or(Timestamp::MAX))
}

fn took_too_long(name: &str, limit: Duration) -> Error {
    Error::cluster(format!("the credential plugin `{name}` did not end within {}", seconds(limit)))
        .hint(format!("run {} by itself: it may be waiting for input", quoted(name)))
}

fn not_started(name: &str, install_hint: Option<&str>, error: &std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::cluster(format!("the credential plugin `{name}` could not be run")).caused_by(reason(error));
    }
    let lines = install_hint.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(Error::cluster(format!("the credential plugin `{name}` is not installed")), Error::hint)
}

fn failed(name: &str, status: ExitStatus, stderr: &[u8]) -> Error {
    const LINES: usize = 10;
    let status =
        status.code().map_or("was killed by a signal".to_owned(), |code| format!("failed with exit status {code}"));
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<String> = text.lines().map(printable).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().fold(Error::cluster(format!("the credential plugin `{name}` {status}")), Error::caused_by)
}

fn printable(line: &str) -> String {
    line.trim_end().chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
