//! The editor of the user's choice, started as kubectl starts it (`k8s.io/kubectl/pkg/cmd/util/editor/editor.go`).

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, IsTerminal},
    path::Path,
    process::{ExitStatus, Stdio},
};

use super::Ui;
use crate::{
    environment::Environment,
    error::{Error, Kind, Result},
};

const HINT: &str =
    "set KUBE_EDITOR to an installed editor, for example vi; it must wait until the file is closed (code --wait)";

impl Ui {
    /// Opens a file in the editor and waits for the editor to exit. Meanwhile, Ctrl-C is for the editor.
    ///
    /// # Errors
    ///
    /// Kind `Usage` if the editor cannot be started or reports a failure, `Interrupted` if a signal ended it.
    pub async fn edit(&self, environment: &Environment, path: &Path) -> Result<()> {
        let editor = environment.editor.as_deref().unwrap_or(if cfg!(windows) { "notepad" } else { "vi" });
        let words = words(editor, environment.shell.as_deref(), path);
        let mut command = tokio::process::Command::new(&words[0]);
        command.args(&words[1..]).stdin(input()).stdout(output());
        let name = format!("the editor `{editor}`");
        let status = self.lend(&mut command, &name).await.map_err(|error| error.hint(HINT))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => Err(Error::usage(format!("{name} ended with status {code}")).hint(HINT)),
            None => Err(Error::new(Kind::Interrupted, format!("{name} was killed by {}", signal(status)))),
        }
    }
}

/// Returns the command line for this file: split at spaces, or left to the shell if it has quotes or backslashes.
fn words(editor: &str, shell: Option<&str>, path: &Path) -> Vec<OsString> {
    if !editor.contains(' ') {
        return vec![editor.into(), path.into()];
    }
    if !editor.contains(['"', '\'', '\\']) {
        let words = editor.split(' ').filter(|word| !word.is_empty());
        return words.map(OsString::from).chain([path.into()]).collect();
    }
    let text = path.display().to_string();
    if cfg!(windows) {
        return vec!["cmd".into(), "/C".into(), format!("{editor} \"{text}\"").into()];
    }
    // kubectl quotes the path with `%q`, in which a shell still interprets `$` and backticks.
    let quoted = format!("'{}'", text.replace('\'', r"'\''"));
    vec![shell.unwrap_or("/bin/bash").into(), "-c".into(), format!("{editor} {quoted}").into()]
}

/// Returns the terminal, even if standard input is a pipe (manifests by `-f -`).
fn input() -> Stdio {
    if io::stdin().is_terminal() { Stdio::inherit() } else { terminal().map_or_else(Stdio::null, Stdio::from) }
}

/// Returns the terminal, even if standard output is a pipe, which is only for results.
fn output() -> Stdio {
    if io::stdout().is_terminal() {
        Stdio::inherit()
    } else {
        terminal().map_or_else(|| io::stderr().into(), Stdio::from)
    }
}

fn terminal() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal().map_or_else(|| "a signal".into(), |number| format!("signal {number}"))
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> String {
    "a signal".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn editors_are_started_as_kubectl_starts_them() {
        for (editor, expected) in [
            ("vi", vec!["vi", "/tmp/it's"]),
            ("code --wait", vec!["code", "--wait", "/tmp/it's"]),
            ("code  --wait ", vec!["code", "--wait", "/tmp/it's"]),
            ("'/opt/my editor' -n", vec!["/bin/zsh", "-c", r"'/opt/my editor' -n '/tmp/it'\''s'"]),
            (r"my\ editor", vec!["/bin/zsh", "-c", r"my\ editor '/tmp/it'\''s'"]),
        ] {
            assert_eq!(words(editor, Some("/bin/zsh"), Path::new("/tmp/it's")), expected, "{editor}");
        }
        assert_eq!(words("a 'b'", None, Path::new("/x"))[0], "/bin/bash");
    }
}
