//! `KUBECTL_EXTERNAL_DIFF`: the user's program for showing differences.

use std::{path::Path, process::Stdio};

use super::Ui;
use crate::error::{Error, Kind, Result};

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
        let wrong = |error: Error| error.hint("correct or unset KUBECTL_EXTERNAL_DIFF");
        let status = self.lend(&mut program, &format!("`{name}`")).await.map_err(wrong)?;
        if let Some(error) = self.interrupted() {
            return Err(error);
        }
        match status.code() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(code) => Err(wrong(Error::usage(format!("`{name}` ended with status {code}")))),
            None => Err(Error::new(Kind::Interrupted, format!("`{name}` was killed"))),
        }
    }
}
