//! Tests of credential plugins.

use super::*;
use crate::apiserver::{Silent, testing::Folder};

fn plugin(script: &str) -> ExecConfig {
    let args = Some(vec!["-c".to_owned(), script.to_owned()]);
    ExecConfig { command: Some("sh".to_owned()), args, ..ExecConfig::default() }
}

async fn run_plugin(script: &str) -> Result<Credential> {
    run(&plugin(script), LIMIT, &Silent).await
}

async fn refusal(exec: &ExecConfig) -> Error {
    run(exec, LIMIT, &Silent).await.err().unwrap()
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
    assert_eq!(run(&exec, LIMIT, &Silent).await.unwrap().token.as_deref(), Some("hello"));
}

#[tokio::test]
async fn a_failing_plugin_is_quoted_without_its_output() {
    let error = refusal(&plugin("echo a-token; echo 'session expired' >&2; echo 'run: sso login' >&2; exit 3")).await;
    assert_eq!(error.message(), "the credential plugin `sh` failed with exit status 3");
    assert_eq!(error.causes(), ["session expired", "run: sso login"]);
}

#[tokio::test]
async fn a_child_that_outlives_its_plugin_is_not_waited_for() {
    // The child keeps standard error open, and in the second case standard output too, until the writer of the fifo
    // is gone.
    for closed in [">/dev/null", ""] {
        let folder = Folder::new("outlives");
        let fifo = folder.0.join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let writer = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
        let script = format!(
            r#"cat <{} {closed} & echo '{{"kind":"ExecCredential","status":{{"token":"t"}}}}'"#,
            fifo.display()
        );
        let ended = run_plugin(&script).await.map(|credential| credential.token);
        assert_eq!(ended, Ok(Some("t".to_owned())));
        drop(writer);
    }
}

#[tokio::test]
async fn a_plugin_that_does_not_end_is_ended() {
    let exec = plugin("exec sleep 1000");
    let error = run(&exec, Duration::from_millis(50), &Silent).await.err().unwrap();
    assert_eq!(error.message(), "the credential plugin `sh` did not end within 50 ms");
    assert_eq!(error.hints(), ["run sh by itself: it may be waiting for input"]);
}

#[tokio::test]
async fn more_than_a_credential_is_neither_kept_nor_waited_for() {
    let error = refusal(&plugin("head -c 20000000 /dev/zero | tr '\\0' x")).await;
    assert_eq!(error.message(), "the credential plugin `sh` did not return a credential");
}

#[test]
fn every_time_of_rfc_3339_is_one() {
    let same = [
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00z",
        "2030-01-01T02:00:00+02:00",
        "2029-12-31T14:30:00-09:30",
        "2030-01-01T00:00:00.000000000000Z",
    ];
    for text in same {
        assert_eq!(moment(text), "2030-01-01T00:00:00Z".parse().ok(), "{text}");
    }
    assert_eq!(moment("2030-01-01T00:00:00.1234567899Z"), "2030-01-01T00:00:00.123456789Z".parse().ok());
    for text in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999-23:59"] {
        assert_eq!(moment(text), Some(Timestamp::MAX), "{text}");
    }
    assert!(moment("0000-01-01T00:00:00+23:59").is_some_and(|moment| moment < Timestamp::UNIX_EPOCH));
    for text in ["", ".", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z", "1893456000"] {
        assert_eq!(moment(text), None, "{text}");
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_none() {
    let error = refusal(&plugin(r#"printf '{"kind":"ExecCredential","status":{"token":"a\\nb"}}'"#)).await;
    assert_eq!(error.causes(), ["its token contains a line break or another control character"]);
}

#[tokio::test]
async fn a_missing_plugin_brings_its_install_hint() {
    let hint = Some("\nIt comes with the cloud tools:\n\n  brew install cloud-tools\n".to_owned());
    let exec = ExecConfig { command: Some("no-such-plugin".to_owned()), install_hint: hint, ..ExecConfig::default() };
    let error = refusal(&exec).await;
    assert_eq!(error.message(), "the credential plugin `no-such-plugin` is not installed");
    assert_eq!(error.hints(), ["It comes with the cloud tools:", "brew install cloud-tools"]);
}

#[tokio::test]
async fn an_answer_needs_no_kind() {
    for kind in ["", "\"kind\":\"\","] {
        let script = format!("echo '{{{kind}\"status\":{{\"token\":\"t\"}}}}'");
        assert_eq!(run_plugin(&script).await.map(|credential| credential.token), Ok(Some("t".to_owned())), "{script}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_credential_is_not_quoted() {
    let cases = [
        ("echo '{'", "it is neither JSON nor YAML"),
        ("echo secret", "its kind is not ExecCredential"),
        ("echo 'kind: Secret'", "its kind is not ExecCredential"),
        ("echo 'kind: ExecCredential'", "it contains neither a token nor a certificate with a key"),
    ];
    for (script, cause) in cases {
        let error = refusal(&plugin(script)).await;
        assert_eq!(error.message(), "the credential plugin `sh` did not return a credential");
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
