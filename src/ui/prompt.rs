//! Questions. Beside `width`, the only file that names the prompt crate, which reads the terminal itself even when standard
//! input is a pipe: whether there is anybody to ask is decided here, by standard input.

use std::io::{self, IsTerminal};

use super::Ui;
use crate::error::{Error, Kind, Result};

impl Ui {
    /// Asks a question to be answered with y or N; `None` when there is nobody to ask.
    ///
    /// # Errors
    ///
    /// Kind `Interrupted` on Ctrl-C; kind `Usage` when the terminal cannot be read.
    pub async fn ask(&self, question: &str) -> Result<Option<bool>> {
        self.clear_status();
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        console_colors(self.err_style().colored);
        let question = question.to_owned();
        // On a thread of its own, so that Ctrl-C is noticed while it waits.
        let answer = tokio::task::spawn_blocking(move || {
            dialoguer::Input::<String>::new()
                .with_prompt(format!("{question} [y/N]"))
                .allow_empty(true)
                .report(false)
                .interact_text()
        })
        .await
        .map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
        match answer {
            Ok(answer) => Ok(Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))),
            Err(dialoguer::Error::IO(error)) if error.kind() == io::ErrorKind::Interrupted => {
                // The signal comes too, and says the same.
                Err(Error::new(Kind::Interrupted, "interrupted"))
            }
            Err(error) => Err(Error::usage(format!("cannot read the answer: {error}"))),
        }
    }
}

/// The prompt crate has a colour policy of its own; ours decides.
fn console_colors(colored: bool) {
    dialoguer::console::set_colors_enabled_stderr(colored);
}
