//! Runs of the program at a terminal: what stands on the screen, and the keys a person presses.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::{
    process::{Pid, kill_process},
    pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{InputModes, LocalModes, OutputModes, SpecialCodeIndex, Termios, Winsize, tcgetattr, tcsetwinsize},
};
use snapbox::IntoData;

use super::{
    run::{Run, exactly, show},
    running::ended,
    screen::Screen,
    wait::{PATIENCE, until},
};

const COLUMNS: u16 = 80;
const ROWS: u16 = 50;

/// A key that is not a letter.
#[derive(Debug, Clone, Copy)]
pub enum Key {
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
pub struct Pty {
    process: Child,
    keyboard: File,
    printed: Receiver<Vec<u8>>,
    /// Printed, and not on the screen yet.
    rest: Vec<u8>,
    pub screen: Screen,
    all: Vec<u8>,
    redactions: Vec<(String, String)>,
    // Its directories have to stay as long as it runs.
    _run: Run,
}

/// What stood on the screen at the end, and the exit code.
#[must_use]
#[derive(Debug)]
pub struct Seen {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The screen as it was, nothing redacted.
    pub screen: String,
    /// Every byte that was printed.
    pub printed: String,
    /// Whether the terminal is as it was before: its modes, and its cursor.
    pub restored: bool,
    /// The terminal's modes, to be compared with those after another run.
    pub modes: String,
    /// Whether anything was coloured or bold.
    pub colored: bool,
    /// The exit code and the screen, with what differs from run to run redacted.
    pub text: String,
}

impl Pty {
    /// Starts the run at a terminal; its standard input, if any was given, does not count.
    pub fn start(run: Run) -> Self {
        Self::start_with(run, COLUMNS)
    }

    /// Starts the run at a terminal of this many columns.
    pub fn start_with(run: Run, columns: u16) -> Self {
        Self::start_sized(run, ROWS, columns)
    }

    /// Starts the run at a terminal of this size.
    pub fn start_sized(run: Run, rows: u16, columns: u16) -> Self {
        let run = run.env("TERM", "xterm-256color");
        let (keyboard, terminal) = terminal(rows, columns).expect("a terminal can be made");
        let process = at_a_terminal(&run, terminal).expect("the program can be started at a terminal");
        let mut display = keyboard.try_clone().expect("a terminal can be read");
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
        let screen = Screen::new(columns.into());
        Self { process, keyboard, printed, rest: Vec::new(), screen, all: Vec::new(), redactions, _run: run }
    }

    /// Waits until this text stands on the screen: the moment to press the next key, never the assertion.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Waits until this text stands on the screen so often.
    pub fn wait_for_times(&mut self, text: &str, times: usize) {
        assert!(self.comes(text, times), "`{text}` did not appear before the end; the screen is:\n{}", self.screen());
    }

    /// Waits until this text stands on the screen so often (true), or the program ends before (false).
    pub fn comes(&mut self, text: &str, times: usize) -> bool {
        self.sees(&format!("`{text}`"), |screen| screen.matches(text).count() >= times)
    }

    /// Waits until the screen is so (true), or the program ends before (false). What was printed is put on the screen
    /// piece by piece, up to whatever may take it away again: the reading may come long after the printing, and
    /// nothing that stood there for a moment is missed.
    pub fn sees(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.screen.text()) {
            if self.rest.is_empty() {
                match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(bytes) => self.rest = bytes,
                    Err(RecvTimeoutError::Timeout) => {
                        panic!("{what} did not appear; the screen is:\n{}", self.screen())
                    }
                    Err(RecvTimeoutError::Disconnected) => return false,
                }
            }
            let next = self.rest[1..].iter().position(|byte| matches!(byte, b'\r' | b'\x1b'));
            let piece: Vec<_> = self.rest.drain(..next.map_or(self.rest.len(), |at| at + 1)).collect();
            self.print(&piece);
        }
        true
    }

    fn print(&mut self, bytes: &[u8]) {
        self.all.extend_from_slice(bytes);
        self.screen.print(bytes);
    }

    /// Waits until a list stands on the screen, however little of it: there the cursor is hidden.
    pub fn wait_for_list(&mut self) {
        while self.screen.shows_cursor() {
            let bytes = self.printed.recv_timeout(PATIENCE).expect("a list before the end");
            self.print(&bytes);
        }
    }

    /// Waits until the cursor is hidden, as under a view that is drawn again and again.
    pub fn wait_for_hidden_cursor(&mut self) {
        self.wait_for_list();
    }

    /// Waits until the program is stopped; whether the terminal is as a shell wants it then.
    pub fn is_whole_while_stopped(&mut self) -> bool {
        let stat = format!("/proc/{}/stat", self.process.id());
        until("the program to stop", || {
            let stat = std::fs::read_to_string(&stat).expect("the program runs");
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')).then_some(())
        });
        while !self.screen.shows_cursor() {
            let bytes = self.printed.recv_timeout(PATIENCE).expect("the cursor before the end");
            self.print(&bytes);
        }
        tcgetattr(&self.keyboard).expect("a terminal has modes").local_modes.contains(LocalModes::ECHO)
    }

    /// Answers a question with this letter and the enter key, once it stands there; with the enter key alone when
    /// the letter is empty.
    ///
    /// A prompt reads key by key, and between two of them the terminal echoes what is typed; a person is not
    /// fast enough to see that.
    pub fn answers(&mut self, question: &str, letter: &str) {
        self.wait_for(question);
        self.wait_for_keys();
        if !letter.is_empty() {
            self.types(letter);
            // It shows the letter behind the question once it has taken it.
            let is_taken = self.sees(&format!("the answer `{letter}`"), |screen| screen.trim_end().ends_with(letter));
            assert!(is_taken, "`{letter}` was not taken; the screen is:\n{}", self.screen());
            self.wait_for_keys();
        }
        self.press(Key::Enter);
    }

    /// Answers a question with this text and the enter key, once it stands there.
    pub fn types_line(&mut self, question: &str, text: &str) {
        self.wait_for(question);
        self.wait_for_keys();
        self.types(text);
        self.press(Key::Enter);
    }

    /// Sends the program a signal from elsewhere, not by a key.
    pub fn signals(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("one's own child can be sent a signal");
    }

    /// Waits until a prompt reads a key (true); not when the program has ended, or another one has the terminal for longer
    /// than this (false).
    pub fn asks(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            match self.printed.recv_timeout(Duration::from_millis(5)) {
                Ok(bytes) => self.print(&bytes),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let modes = tcgetattr(&self.keyboard).expect("a terminal has modes").input_modes;
            if !modes.contains(InputModes::ICRNL) {
                return true;
            }
        }
    }

    /// Waits until the program notices signals, or has ended, rather than being ended by them (`proc_pid_status(5)`).
    pub fn wait_for_notice(&self) {
        let status = format!("/proc/{}/status", self.process.id());
        until("the program to notice signals", || {
            let status = std::fs::read_to_string(&status).expect("the program runs");
            if status.lines().any(|line| line.starts_with("State:\tZ")) {
                return Some(());
            }
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
            let caught = u64::from_str_radix(caught.trim(), 16).expect("hexadecimal digits");
            // The last one that it turns to; what starts it leaves it alone.
            (caught & (1 << (Signal::TERM.as_raw() - 1)) != 0).then_some(())
        });
    }

    /// Gives the window another size.
    pub fn resizes(&mut self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keyboard, size(rows, columns)).expect("a terminal has a size");
    }

    /// Waits until a prompt reads a key: for that it has the terminal hand on the enter key as it is.
    pub fn wait_for_keys(&mut self) {
        until("the prompt to read keys", || {
            let modes = tcgetattr(&self.keyboard).expect("a terminal has modes").input_modes;
            (!modes.contains(InputModes::ICRNL)).then_some(())
        });
    }

    /// Types this text.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal takes keys");
    }

    /// Presses this key.
    pub fn press(&mut self, key: Key) {
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
    pub fn screen(&self) -> String {
        show(&self.screen.text(), &self.redactions)
    }

    /// Waits for the end of the program.
    pub fn ends(mut self) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        let rest = std::mem::take(&mut self.rest);
        self.print(&rest);
        loop {
            match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.print(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; the screen is:\n{}", self.screen()),
            }
        }
        let status = self.process.wait().expect("one's own child can be waited for");
        let cursor = if self.screen.shows_cursor() { "" } else { "(the cursor is hidden)\n" };
        let after = tcgetattr(&self.keyboard).expect("a terminal has modes");
        let modes_after = modes(&after);
        let is_sane = after.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
            && after.input_modes.contains(InputModes::ICRNL)
            && after.output_modes.contains(OutputModes::OPOST);
        let modes = if is_sane { "" } else { "(its modes are others)\n" };
        let restored = cursor.is_empty() && modes.is_empty();
        let colored = self.screen.is_colored();
        let screen = self.screen.text();
        Seen {
            code: status.code(),
            screen,
            printed: String::from_utf8_lossy(&self.all).into_owned(),
            restored,
            modes: modes_after,
            colored,
            text: format!("exit: {}\n--- screen\n{}{cursor}{modes}", ended(status), self.screen()),
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // One that a failed test left would wait for keys for ever.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// All that a program can change of a terminal.
fn modes(of: &Termios) -> String {
    let (least, patience) = (of.special_codes[SpecialCodeIndex::VMIN], of.special_codes[SpecialCodeIndex::VTIME]);
    let (input, output) = (of.input_modes, of.output_modes);
    format!("{input:?} {output:?} {:?} {:?} {least} {patience}", of.control_modes, of.local_modes)
}

/// A terminal of this size: the end of the person, and that of the program.
fn terminal(rows: u16, columns: u16) -> rustix::io::Result<(File, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let keyboard = openpt(flags)?;
    unlockpt(&keyboard)?;
    let terminal = ioctl_tiocgptpeer(&keyboard, flags)?;
    tcsetwinsize(&terminal, size(rows, columns))?;
    Ok((keyboard.into(), terminal))
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Starts the run's command as the leader of a session of its own, at this terminal. `setsid` does that without a fork of
/// the tests, whose memory takes ten times as long to copy as the program to start.
fn at_a_terminal(run: &Run, terminal: OwnedFd) -> std::io::Result<Child> {
    let inner = run.command();
    let mut command = Command::new("/usr/bin/setsid");
    command.arg("-c").arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(inner.get_current_dir().expect("a run has a directory"));
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal).spawn()
}

impl Seen {
    /// Asserts that exactly this stood on the screen at the end.
    #[track_caller]
    pub fn shows(&self, expected: impl IntoData) {
        exactly(&self.text, expected);
    }
}
