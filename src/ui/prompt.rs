//! Questions. Beside `width`, the only file that names the prompt crate, which reads the terminal itself even when standard
//! input is a pipe: whether there is anybody to ask is decided here, by standard input.
//!
//! Lists are the crate's own; one line is not, since the crate's `Input` takes no notice of Esc.

use std::io::{self, IsTerminal, Write as _};

use dialoguer::{
    FuzzySelect, Select,
    console::{Key, Term, measure_text_width, set_colors_enabled_stderr, truncate_str},
};

use super::{
    Ui,
    line::{Line, Press},
    terminal::Restored,
};
use crate::error::{Error, Kind, Result};

/// The least room for an answer beside its question.
const ROOM: usize = 12;

impl Ui {
    /// Whether there is anybody to ask.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question to be answered with y or N; `None` when there is nobody to ask. Esc is a no.
    ///
    /// # Errors
    ///
    /// Kind `Interrupted` on Ctrl-C; kind `Editor` for an e, where that is offered; kind `Usage` when the terminal
    /// cannot be read.
    pub async fn ask(&self, question: &str) -> Result<Option<bool>> {
        self.clear_status();
        if !self.can_ask() {
            return Ok(None);
        }
        let editor = self.offers_editor.load(std::sync::atomic::Ordering::Relaxed);
        let prompt = format!("{question} [y/N{}]:", if editor { "/e" } else { "" });
        let answer = self.blocking(move |term| read_line(term, &prompt)).await?;
        match answer.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(Some(true)),
            "e" | "edit" if editor => Err(Error::new(Kind::Editor, "nothing was changed")),
            _ => Ok(Some(false)),
        }
    }

    /// Asks for one line; nothing typed is `default`.
    ///
    /// # Errors
    ///
    /// Kind `Interrupted` on Ctrl-C, `Refused` on Esc.
    pub async fn line(&self, question: &str, default: &str) -> Result<String> {
        let prompt = format!("{question} [{default}]:");
        let answer = self.blocking(move |term| read_line(term, &prompt)).await?.ok_or_else(left)?;
        Ok(if answer.trim().is_empty() { default.to_owned() } else { answer.trim().to_owned() })
    }

    /// Asks for one of these; the arrow keys move, Enter takes.
    ///
    /// # Errors
    ///
    /// As [`Ui::line`].
    pub async fn choose(&self, question: &str, items: &[String], default: usize) -> Result<usize> {
        let (question, items) = (question.to_owned(), items.to_vec());
        let choose = move |term: &Term| {
            let (question, items) = fitted(term, &question, &items);
            let select = Select::new().with_prompt(question).items(items).default(default).report(false);
            select.interact_on_opt(term).map_err(io_error)
        };
        self.blocking(choose).await?.ok_or_else(left)
    }

    /// Asks for one of many; letters narrow the list down.
    ///
    /// # Errors
    ///
    /// As [`Ui::line`].
    pub async fn find(&self, question: &str, items: &[String]) -> Result<usize> {
        let (question, items) = (question.to_owned(), items.to_vec());
        let find = move |term: &Term| {
            let (question, items) = fitted(term, &question, &items);
            let select = FuzzySelect::new().with_prompt(question).items(items).default(0).report(false);
            select.interact_on_opt(term).map_err(io_error)
        };
        self.blocking(find).await?.ok_or_else(left)
    }

    /// Reads the terminal on a thread of its own, so that Ctrl-C is noticed while it waits.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Term) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.clear_status();
        // The prompt crate has a colour policy of its own; ours decides.
        set_colors_enabled_stderr(self.err_style().colored);
        let _restored = Restored::with_keys();
        match tokio::task::spawn_blocking(move || read(&Term::stderr())).await {
            Ok(Ok(answer)) => Ok(answer),
            // The signal comes too, and says the same.
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::new(Kind::Interrupted, "interrupted"))
            }
            Ok(Err(error)) => Err(Error::usage(format!("cannot read the answer: {error}"))),
            Err(error) => Err(Error::new(Kind::Bug, error.to_string())),
        }
    }
}

/// Whoever leaves a question has not agreed to anything.
fn left() -> Error {
    Error::new(Kind::Refused, "nothing was changed")
}

fn io_error(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    error
}

/// The question and the items, each on one line of this window: the prompt crate counts lines.
fn fitted(term: &Term, question: &str, items: &[String]) -> (String, Vec<String>) {
    let width = usize::from(term.size().1).saturating_sub(4).max(8);
    let fit = |text: &String| truncate_str(text, width, "…").into_owned();
    (fit(&question.to_owned()), items.iter().map(fit).collect())
}

/// Reads one line beside its question, or below where there is no room, and takes both off the screen. `None` on Esc,
/// or Ctrl-D before anything was typed.
fn read_line(term: &Term, question: &str) -> io::Result<Option<String>> {
    // Not locked: whoever ends the program while this waits for a key has something to say.
    let mut out = io::stderr();
    let columns = usize::from(term.size().1).max(8);
    let wide = measure_text_width(question);
    let (lead, above) =
        if wide + ROOM <= columns { (format!("{question} "), 0) } else { ("> ".into(), wide.div_ceil(columns)) };
    if above > 0 {
        writeln!(out, "{question}")?;
    }
    let mut line = Line::default();
    let answer = loop {
        let (text, back) = line.window(columns.saturating_sub(measure_text_width(&lead)));
        let back = if back > 0 { format!("\x1b[{back}D") } else { String::new() };
        write!(out, "\r\x1b[2K{lead}{text}{back}")?;
        out.flush()?;
        line.press(match term.read_key()? {
            Key::Enter => break Some(line.text()),
            Key::Escape => break None,
            Key::Char('\x04') if line == Line::default() => break None,
            Key::Char('\x15') => Press::Clear,
            Key::Char(letter) => Press::Letter(letter),
            Key::Backspace => Press::Backspace,
            Key::Del => Press::Delete,
            Key::ArrowLeft => Press::Left,
            Key::ArrowRight => Press::Right,
            Key::Home => Press::Home,
            Key::End => Press::End,
            _ => continue,
        });
    };
    let up = if above > 0 { format!("\x1b[{above}A") } else { String::new() };
    write!(out, "\r{up}\x1b[J")?;
    out.flush()?;
    Ok(answer)
}
