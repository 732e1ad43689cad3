//! `KUBECTL_EXTERNAL_DIFF`: the user's program for showing differences.

use std::{io, path::Path, process::Stdio};

use super::Ui;
use crate::error::{Error, Kind, Result, reason};

impl Ui {
    /// Runs the program on two folders, as kubectl does (`k8s.io/kubectl/pkg/cmd/diff/diff.go:DiffProgram`): the
    /// command is split at spaces, further words are used only if they consist of letters, digits, `-` and `=`, and the
    /// folders come before them. Returns whether it found a difference: status 0 means none, 1 means one.
    ///
    /// # Errors
    ///
    /// Fails if the program cannot be started, ends with another status, or was interrupted, so that its status is
    /// meaningless.
    pub async fn show_difference(&self, command: &str, live: &Path, merged: &Path) -> Result<bool> {
        let mut words = command.split(' ').filter(|word| !word.is_empty());
        let name = words.next().unwrap_or("diff");
        let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'=');
        let mut program = tokio::process::Command::new(name);
        program.arg(live).arg(merged).args(words.filter(plain)).stdin(Stdio::inherit());
        let status = self.lend(&mut program).await.map_err(|error| {
            let error = match error.kind() {
                io::ErrorKind::NotFound => Error::usage(format!("cannot run `{name}`: no such program on the PATH")),
                _ => Error::usage(format!("cannot run `{name}`: {}", reason(&error))),
            };
            error.hint("correct or unset KUBECTL_EXTERNAL_DIFF")
        })?;
        if let Some(error) = self.interrupted() {
            return Err(error);
        }
        match status.code() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(code) => Err(Error::usage(format!("`{name}` ended with status {code}"))
                .hint("correct or unset KUBECTL_EXTERNAL_DIFF")),
            None => Err(Error::new(Kind::Interrupted, format!("`{name}` was killed"))),
        }
    }
}
