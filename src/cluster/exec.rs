//! Runs the credential plugin of a kubeconfig user (`exec`: cloud and single sign-on tools), once per login.
//! The HTTP library would run it three times per client, block the whole program meanwhile, and quote its
//! output, token and all, in its error.

use std::process::{ExitStatus, Stdio};

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};

use super::progress::{Progress, shown};
use crate::{
    error::{Error, Result},
    yaml,
};

/// What a plugin hands out: a token, or a certificate with its key, and until when it holds.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) token: Option<String>,
    pub(crate) certificate_and_key: Option<(String, String)>,
    pub(crate) expires: Option<Timestamp>,
}

/// Runs the plugin. With a terminal at hand it may ask the person; without one its standard input is empty,
/// so that it never eats a piped manifest, and what it complains of goes into our error.
pub(crate) async fn run(exec: &ExecConfig, has_terminal: bool, progress: &dyn Progress) -> Result<Credential> {
    let name = exec.command.as_deref().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::usage("the kubeconfig's user has an `exec` without `command`"))?;
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
    // A plugin that talks to the person owns the terminal: no status line across it.
    let output = if interactive {
        running.wait_with_output().await
    } else {
        shown(progress, &what, running.wait_with_output()).await
    };
    let output = output.map_err(|error| not_started(name, None, &error))?;
    if !output.status.success() {
        return Err(failed(name, output.status, &output.stderr));
    }
    read(&output.stdout).map_err(|reason| {
        Error::cluster(format!("the credential plugin `{name}` answered with something else than a credential"))
            .caused_by(reason)
    })
}

/// What the plugin is told about us.
fn info(exec: &ExecConfig, interactive: bool) -> Value {
    let mut spec = json!({ "interactive": interactive });
    if let Some(cluster) = exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
    }
    let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    json!({ "kind": "ExecCredential", "apiVersion": version, "spec": spec })
}

/// Reads the answer, JSON or YAML. The reasons never quote it.
fn read(stdout: &[u8]) -> Result<Credential, &'static str> {
    let text = std::str::from_utf8(stdout).map_err(|_| "it is not UTF-8")?;
    let answer = yaml::parse(text).map_err(|_| "it is neither JSON nor YAML")?;
    if answer["kind"] != "ExecCredential" {
        return Err("its kind is not ExecCredential");
    }
    let status = &answer["status"];
    let text = |field: &str| status[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let credential = Credential {
        token: text("token"),
        certificate_and_key: text("clientCertificateData").zip(text("clientKeyData")),
        expires: match text("expirationTimestamp") {
            Some(time) => Some(time.parse().map_err(|_| "its expirationTimestamp is not a time")?),
            None => None,
        },
    };
    match credential {
        Credential { token: None, certificate_and_key: None, .. } => {
            Err("it holds neither a token nor a certificate with a key")
        }
        credential => Ok(credential),
    }
}

fn not_started(name: &str, install_hint: Option<&str>, error: &std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::cluster(format!("the credential plugin `{name}` could not be run")).caused_by(error.to_string());
    }
    let lines = install_hint.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(Error::cluster(format!("the credential plugin `{name}` is not installed")), Error::hint)
}

fn failed(name: &str, status: ExitStatus, stderr: &[u8]) -> Error {
    const LINES: usize = 10;
    let status =
        status.code().map_or("was ended by a signal".to_owned(), |code| format!("failed with exit status {code}"));
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
mod tests {
    use super::*;
    use crate::cluster::testing::Silent;

    fn plugin(script: &str) -> ExecConfig {
        let args = Some(vec!["-c".to_owned(), script.to_owned()]);
        ExecConfig { command: Some("sh".to_owned()), args, ..ExecConfig::default() }
    }

    async fn run_plugin(script: &str) -> Result<Credential> {
        run(&plugin(script), false, &Silent).await
    }

    async fn refusal(exec: &ExecConfig) -> Error {
        run(exec, false, &Silent).await.err().unwrap()
    }

    #[tokio::test]
    async fn a_token_and_its_end_are_read_from_json_and_yaml() {
        let json =
            r#"echo '{"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let credential = run_plugin(json).await.unwrap();
        assert_eq!(credential.token.as_deref(), Some("t"));
        assert_eq!(credential.expires, "2030-01-01T00:00:00Z".parse().ok());
        let yaml = r"printf 'kind: ExecCredential\nstatus:\n  token: t\n'";
        assert_eq!(run_plugin(yaml).await.unwrap().token.as_deref(), Some("t"));
    }

    #[tokio::test]
    async fn the_plugin_gets_its_environment_and_no_standard_input() {
        let script = r#"printf '{"kind":"ExecCredential","status":{"token":"%s%s"}}' "$GREETING" "$(cat)""#;
        let mut exec = plugin(script);
        let pair = [("name".to_owned(), "GREETING".to_owned()), ("value".to_owned(), "hello".to_owned())];
        exec.env = Some(vec![pair.into_iter().collect()]);
        assert_eq!(run(&exec, false, &Silent).await.unwrap().token.as_deref(), Some("hello"));
    }

    #[tokio::test]
    async fn a_failing_plugin_is_quoted_without_its_output() {
        let error =
            refusal(&plugin("echo a-token; echo 'session expired' >&2; echo 'run: sso login' >&2; exit 3")).await;
        assert_eq!(error.message(), "the credential plugin `sh` failed with exit status 3");
        assert_eq!(error.causes(), ["session expired", "run: sso login"]);
    }

    #[tokio::test]
    async fn a_missing_plugin_brings_its_install_hint() {
        let hint = Some("\nIt comes with the cloud tools:\n\n  brew install cloud-tools\n".to_owned());
        let exec =
            ExecConfig { command: Some("no-such-plugin".to_owned()), install_hint: hint, ..ExecConfig::default() };
        let error = refusal(&exec).await;
        assert_eq!(error.message(), "the credential plugin `no-such-plugin` is not installed");
        assert_eq!(error.hints(), ["It comes with the cloud tools:", "brew install cloud-tools"]);
    }

    #[tokio::test]
    async fn an_answer_that_is_no_credential_is_not_quoted() {
        let cases = [
            ("echo '{'", "it is neither JSON nor YAML"),
            ("echo secret", "its kind is not ExecCredential"),
            ("echo 'kind: ExecCredential'", "it holds neither a token nor a certificate with a key"),
        ];
        for (script, cause) in cases {
            let error = refusal(&plugin(script)).await;
            assert_eq!(error.message(), "the credential plugin `sh` answered with something else than a credential");
            assert_eq!(error.causes(), [cause]);
        }
    }

    #[tokio::test]
    async fn a_plugin_that_must_ask_needs_a_terminal() {
        let exec = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..plugin("true") };
        assert_eq!(refusal(&exec).await.message(), "the credential plugin `sh` needs a terminal");
    }

    #[test]
    fn the_plugin_is_told_what_it_may_do() {
        let told = info(&plugin("true"), false).to_string();
        assert_eq!(
            told,
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#
        );
    }
}
