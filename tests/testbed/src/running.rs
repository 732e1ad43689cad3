//! Runs that do not end by themselves: what they print is awaited, then they are interrupted.

use std::{
    io::{BufRead as _, BufReader, Read},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Instant,
};

use super::{
    run::{Output, Run},
    wait::{PATIENCE, until},
};

/// A run that goes on; killed when dropped.
pub struct Running {
    child: Child,
    printed: Receiver<(Stream, String)>,
    stdout: String,
    stderr: String,
    run: Run,
}

/// Where a line was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Running {
    /// Starts the run, without input.
    pub fn start(run: Run) -> Self {
        let mut command = run.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let (sender, printed) = channel();
        send_lines(Stream::Stdout, child.stdout.take().expect("piped"), sender.clone());
        send_lines(Stream::Stderr, child.stderr.take().expect("piped"), sender);
        Self { child, printed, stdout: String::new(), stderr: String::new(), run }
    }

    /// Waits until this text stands in what it has printed: the moment to do the next thing, never the assertion.
    pub fn wait_for(&mut self, stream: Stream, text: &str) {
        self.wait_from(0, stream, text);
    }

    /// The same for what was not awaited yet.
    pub fn wait_for_next(&mut self, stream: Stream, text: &str) {
        self.wait_from(self.so_far(stream).len(), stream, text);
    }

    fn wait_from(&mut self, begin: usize, stream: Stream, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.so_far(stream)[begin..].contains(text) {
            assert!(
                self.take_line(deadline),
                "`{text}` was not printed before the end\n{}{}",
                self.stdout,
                self.stderr
            );
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal (`INT`, `TERM`, `KILL`).
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("/bin/sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &pid]).status();
        assert!(status.expect("a shell").success(), "cannot send {name}");
    }

    /// Waits for its end.
    pub fn ends(mut self) -> Output {
        let deadline = Instant::now() + PATIENCE;
        while self.take_line(deadline) {}
        // Both streams are at their end; the process may still have to follow.
        let status = until("the program to end after its output", || self.ended());
        let (stdout, stderr) = (std::mem::take(&mut self.stdout), std::mem::take(&mut self.stderr));
        Output::new(status, stdout, stderr, self.run.redactions().to_vec())
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("one's own child can be asked")
    }

    fn so_far(&self, stream: Stream) -> &str {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    /// Takes one more line; whether there was one before both streams ended.
    fn take_line(&mut self, deadline: Instant) -> bool {
        match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((Stream::Stdout, line)) => self.stdout.push_str(&line),
            Ok((Stream::Stderr, line)) => self.stderr.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {
                panic!("nothing more within {PATIENCE:?}; so far\n{}{}", self.stdout, self.stderr)
            }
        }
        true
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "a test that has failed tells why")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let status = self.child.wait();
        // Why it did not do what a test wanted stands in what it said.
        if std::thread::panicking() {
            self.printed.iter().for_each(|(_, line)| self.stderr.push_str(&line));
            eprintln!("the program ended with {status:?}; it had printed\n{}{}", self.stdout, self.stderr);
        }
    }
}

fn send_lines(stream: Stream, from: impl Read + Send + 'static, sender: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = String::new();
        while from.read_line(&mut line).is_ok_and(|count| count > 0) {
            if sender.send((stream, std::mem::take(&mut line))).is_err() {
                return;
            }
        }
    });
}

/// How a process ended, in a word.
pub fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
