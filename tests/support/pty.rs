//! Runs of the program at a terminal: what stands on the screen, and the keys a person presses.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use expectrl::process::{
    Process as _,
    unix::{UnixProcess, WaitStatus},
};
use snapbox::IntoData;

use super::{
    run::{Run, exactly, show},
    screen::Screen,
    wait::until,
};

const COLUMNS: u16 = 80;
const ROWS: u16 = 50;
const LIMIT: Duration = Duration::from_mins(1);

/// A key that is not a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Enter,
    Up,
    Down,
    Space,
    Escape,
    Backspace,
    CtrlC,
    CtrlD,
}

/// The program at a terminal of 80 columns.
pub(crate) struct Pty {
    process: UnixProcess,
    keyboard: File,
    printed: Receiver<Vec<u8>>,
    pub(crate) screen: Screen,
    redactions: Vec<(String, String)>,
    // Its directories have to stay as long as it runs.
    _run: Run,
}

/// What stood on the screen at the end, and the exit code.
#[must_use]
#[derive(Debug)]
pub(crate) struct Seen {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The screen as it was, nothing redacted.
    pub(crate) screen: String,
    text: String,
}

impl Pty {
    /// Starts the run at a terminal; its standard input, if any was given, does not count.
    pub(crate) fn start(run: Run) -> Self {
        Self::sized(run, COLUMNS)
    }

    /// The same with this many columns.
    pub(crate) fn sized(run: Run, columns: u16) -> Self {
        let run = run.env("TERM", "xterm-256color");
        let mut process = UnixProcess::spawn_command(run.command()).expect("the program can be started at a terminal");
        process.set_window_size(columns, ROWS).expect("a terminal has a size");
        process.set_echo(true, None).expect("a terminal shows what is typed");
        let keyboard = process.get_raw_handle().expect("a terminal can be written to");
        let mut display = process.get_raw_handle().expect("a terminal can be read");
        let (sender, printed) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At the end of the program Linux answers with an error instead of an end of file.
            while let Ok(count @ 1..) = display.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let redactions = run.redactions().to_vec();
        Self { process, keyboard, printed, screen: Screen::new(columns.into()), redactions, _run: run }
    }

    /// Waits until this text stands on the screen: the moment to press the next key, never the assertion.
    pub(crate) fn wait_for(&mut self, text: &str) {
        assert!(self.comes(text), "`{text}` did not appear before the end; the screen is:\n{}", self.screen());
    }

    /// Waits until this text stands on the screen (true) or the program ends without it.
    pub(crate) fn comes(&mut self, text: &str) -> bool {
        let deadline = Instant::now() + LIMIT;
        while !self.screen.text().contains(text) {
            match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.screen.print(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("`{text}` did not appear; the screen is:\n{}", self.screen()),
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    /// Answers a question with this letter and the enter key, once it stands there; with the enter key alone when
    /// the letter is empty.
    ///
    /// A prompt reads key by key, and between two of them the terminal echoes what is typed; a person is not
    /// fast enough to see that.
    pub(crate) fn answers(&mut self, question: &str, letter: &str) {
        self.wait_for(question);
        self.wait_for_keys();
        if !letter.is_empty() {
            self.types(letter);
            // It shows the question anew once it has taken the letter.
            let again = self.printed.recv_timeout(LIMIT).unwrap_or_else(|_| {
                panic!("`{letter}` was not taken; the screen is:\n{}", self.screen());
            });
            self.screen.print(&again);
            self.wait_for_keys();
        }
        self.press(Key::Enter);
    }

    /// Waits until a prompt reads keys: it turns the echo off.
    pub(crate) fn wait_for_keys(&mut self) {
        until("the prompt to read keys", || (!self.process.get_echo().expect("a terminal has modes")).then_some(()));
    }

    /// Types this text.
    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal takes keys");
    }

    /// Presses this key.
    pub(crate) fn press(&mut self, key: Key) {
        self.types(match key {
            Key::Enter => "\r",
            Key::Up => "\x1b[A",
            Key::Down => "\x1b[B",
            Key::Space => " ",
            Key::Escape => "\x1b",
            Key::Backspace => "\x7f",
            Key::CtrlC => "\x03",
            Key::CtrlD => "\x04",
        });
    }

    /// What stands on the screen so far, redacted.
    pub(crate) fn screen(&self) -> String {
        show(&self.screen.text(), &self.redactions)
    }

    /// Waits for the end of the program.
    pub(crate) fn ends(mut self) -> Seen {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.screen.print(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; the screen is:\n{}", self.screen()),
            }
        }
        let (code, status) = match self.process.wait().expect("one's own child can be waited for") {
            WaitStatus::Exited(_, code) => (Some(code), code.to_string()),
            WaitStatus::Signaled(_, signal, _) => (None, format!("signal {}", signal as i32)),
            other => panic!("it did not end: {other:?}"),
        };
        let cursor = if self.screen.shows_cursor() { "" } else { "(the cursor is hidden)\n" };
        let screen = self.screen.text();
        Seen { code, screen, text: format!("exit: {status}\n--- screen\n{}{cursor}", self.screen()) }
    }
}

impl Seen {
    /// Asserts that exactly this stood on the screen at the end.
    #[track_caller]
    pub(crate) fn shows(&self, expected: impl IntoData) {
        exactly(&self.text, expected);
    }
}
