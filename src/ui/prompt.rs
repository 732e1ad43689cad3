//! Questions to the user, asked if standard input and standard error are terminals.
//!
//! Neither dialoguer nor inquire is used: see docs/decisions.md.

use std::io::{self, IsTerminal, Write as _};

use super::{
    Ui,
    frame::moved,
    key::Key,
    keys::Keys,
    line::Line,
    list::{Answer, List},
    width::window,
};
use crate::{
    error::{Error, Kind, Result},
    output::{escaped, wrap::columns},
};

/// SIGINT. At a question, Ctrl-C is a key and sends no signal.
const INTERRUPT: u8 = 2;

/// Minimum width of an answer beside its question.
const ROOM: usize = 12;

impl Ui {
    /// Returns whether there is a terminal to ask on.
    #[expect(clippy::unused_self, reason = "whoever asks has the terminal")]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question to be answered with y or N; `None` if there is no terminal to ask on. Esc means no.
    ///
    /// # Errors
    ///
    /// Kind `Interrupted` on Ctrl-C; kind `Editor` for an e, if that is offered; kind `Usage` if the terminal cannot be
    /// read.
    pub async fn ask(&self, question: &str) -> Result<Option<bool>> {
        if !self.can_ask() {
            return Ok(None);
        }
        let editor = self.offers_editor.load(std::sync::atomic::Ordering::Relaxed);
        let answer =
            self.read_line(&format!("{question} [y]es / [N]o{}:", if editor { " / [e]dit" } else { "" })).await?;
        match answer.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(Some(true)),
            "e" | "edit" if editor => Err(Error::new(Kind::Editor, "nothing was changed")),
            _ => Ok(Some(false)),
        }
    }

    /// Asks for one line; an empty answer means `default`.
    ///
    /// # Errors
    ///
    /// Kind `Interrupted` on Ctrl-C, `Cancelled` on Esc.
    pub async fn line(&self, question: &str, default: &str) -> Result<String> {
        let answer = self.read_line(&format!("{question} [{default}]:")).await?.ok_or_else(Error::cancelled)?;
        Ok(if answer.trim().is_empty() { default.to_owned() } else { answer.trim().to_owned() })
    }

    /// Reads one line beside its question, or below if there is no room, and clears both. Returns `None` on Esc, or on
    /// Ctrl-D before anything is typed.
    async fn read_line(&self, question: &str) -> Result<Option<String>> {
        self.clear_status();
        let mut keys = Keys::open().map_err(|error| unreadable(&error))?;
        let question = escaped(question);
        let above = lines_above(&question);
        if above > 0 {
            print(&format!("{question}\n"));
        }
        let mut line = Line::default();
        let answer = loop {
            let (_, width) = window();
            let lead = if above > 0 { "> ".to_owned() } else { format!("{question} ") };
            let (text, back) = line.window(width.saturating_sub(columns(&lead)));
            print(&format!("\r\x1b[2K{lead}{text}{}", moved(back, 'D')));
            match keys.next().await.map_err(|error| unreadable(&error))? {
                Key::Enter => break Some(line.text()),
                Key::Escape => break None,
                Key::Close if line == Line::default() => break None,
                Key::Interrupt => return Err(Error::ended_by(INTERRUPT)),
                key => line.press(key),
            }
        };
        print(&format!("\r{}\x1b[J", moved(above, 'A')));
        Ok(answer)
    }

    /// Asks for one of these; the arrow keys move, Enter chooses. Without a default, they may be many: letters narrow the
    /// list.
    ///
    /// # Errors
    ///
    /// As [`Ui::line`].
    pub async fn choose(&self, question: &str, items: &[String], default: Option<usize>) -> Result<usize> {
        self.clear_status();
        let mut keys = Keys::open().map_err(|error| unreadable(&error))?;
        let (question, items) = (escaped(question), items.iter().map(|item| escaped(item)).collect::<Vec<_>>());
        let mut list = List::new(&question, &items, default.unwrap_or(0), default.is_none());
        let mut drawn = Drawn::default();
        loop {
            let (rows, columns) = window();
            drawn.again(&list.lines(rows, columns));
            match list.press(keys.next().await.map_err(|error| unreadable(&error))?) {
                Some(Answer::Chosen(item)) => {
                    drawn.take_off();
                    return Ok(item);
                }
                Some(Answer::Left) => {
                    drawn.take_off();
                    return Err(Error::cancelled());
                }
                Some(Answer::Interrupted) => return Err(Error::ended_by(INTERRUPT)),
                None => {}
            }
        }
    }
}

/// The lines of a list on the screen, with the hidden cursor at the end of the last one.
#[derive(Default)]
struct Drawn {
    lines: usize,
}

impl Drawn {
    fn again(&mut self, lines: &[String]) {
        print(&format!("{}\x1b[?25l{}", self.erase(), lines.join("\n")));
        self.lines = lines.len();
    }

    fn take_off(&mut self) {
        print(&self.erase());
        self.lines = 0;
    }

    fn erase(&self) -> String {
        match self.lines {
            0 => String::new(),
            lines => format!("\r{}\x1b[J", moved(lines - 1, 'A')),
        }
    }
}

impl Drop for Drawn {
    /// Moves whatever is printed next below the list.
    fn drop(&mut self) {
        if self.lines > 0 {
            print("\n");
        }
    }
}

/// Returns how many lines a question takes if an answer does not fit beside it, else 0.
fn lines_above(question: &str) -> usize {
    let (_, width) = window();
    let (wide, width) = (columns(question), width.max(1));
    if wide + ROOM <= width { 0 } else { wide.div_ceil(width) }
}

/// Prints to standard error; a terminal that is gone is ignored. Not locked, so that an error that ends the program can
/// still be printed.
fn print(text: &str) {
    let mut out = io::stderr();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn unreadable(error: &io::Error) -> Error {
    Error::usage(format!("cannot read the answer: {error}"))
}
