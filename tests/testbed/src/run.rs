//! Runs of the program in a closed world: an environment of its own, directories of its own, nothing on the
//! `PATH`, no input unless given, a time limit, and everything it said and how it ended in one value.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use snapbox::{Assert, IntoData};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use super::{directory::Directory, redact::redact, running::ended, wait::PATIENCE};

/// A run to come.
#[must_use]
pub struct Run {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    stdin: Option<Vec<u8>>,
    directory: Option<PathBuf>,
    limit: Duration,
    world: Directory,
    kept: Vec<Directory>,
    redactions: Vec<(String, String)>,
}

/// What a run printed and how it ended. Shown with everything that differs from run to run redacted.
#[must_use]
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// As printed.
    pub stdout: String,
    /// As printed.
    pub stderr: String,
    status: String,
    redactions: Vec<(String, String)>,
}

/// The executable under test, as cargo names it to the tests that it runs; without cargo, the one beside them.
pub fn plugin() -> PathBuf {
    const NAME: &str = "kubectl-canary_traefik";
    let named = std::env::var_os(format!("CARGO_BIN_EXE_{NAME}"));
    named.map_or_else(|| this().ancestors().nth(2).expect("a folder of the profile").join(NAME), PathBuf::from)
}

/// The executable of the tests, `target/PROFILE/deps/LEVEL-HASH`.
pub fn this() -> PathBuf {
    std::env::current_exe().expect("a process can know its program")
}

impl Run {
    /// A run of the program with these arguments.
    pub fn new<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Self {
        Self::of(plugin(), arguments)
    }

    /// A run of another program in the same closed world.
    pub fn of<S: AsRef<str>>(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = S>) -> Self {
        let world = Directory::new();
        for name in ["home", "tmp", "work"] {
            std::fs::create_dir(world.path().join(name)).expect("a folder in a fresh directory");
        }
        let place = |name: &str| world.path().join(name).display().to_string();
        let redactions = vec![
            (place("home"), "[HOME]".to_owned()),
            (place("tmp"), "[TMP]".to_owned()),
            (place("work"), "[DIR]".to_owned()),
        ];
        let run = Self {
            program: program.into(),
            arguments: arguments.into_iter().map(|argument| argument.as_ref().into()).collect(),
            environment: Vec::new(),
            stdin: None,
            directory: None,
            limit: PATIENCE,
            redactions,
            kept: Vec::new(),
            world,
        };
        let (home, tmp) = (run.world.path().join("home"), run.world.path().join("tmp"));
        run.env("HOME", home).env("TMPDIR", tmp).env("PATH", "").env("COLUMNS", "80").env("TERM", "dumb")
    }

    /// A command as a shell takes it, with the program as kubectl's plugin, which is told yes where it asks. Other commands of
    /// kubectl are those of the program in `KUBECTL`.
    pub fn typed(command: &str) -> Self {
        const KUBECTL: &str =
            r#"kubectl() { if [ "$1" = canary-traefik ]; then shift; "$PROGRAM" "$@"; else "$KUBECTL" "$@"; fi; }"#;
        let more = if command.contains("canary-traefik sticky ") { " --yes" } else { "" };
        Self::of("/bin/sh", ["-c", &format!("{KUBECTL}; {command}{more}")]).env("PROGRAM", plugin())
    }

    /// With no more than so many descriptors.
    pub fn descriptors(mut self, most: u64) -> Self {
        let program = std::mem::replace(&mut self.program, "/bin/sh".into());
        let limit = format!(r#"ulimit -n {most} && exec "$0" "$@""#);
        self.arguments.splice(0..0, ["-c".into(), limit.into(), program.into()]);
        self
    }

    /// More arguments.
    pub fn arguments<S: AsRef<str>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(more.into_iter().map(|argument| OsString::from(argument.as_ref())));
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The kubeconfig it finds in `KUBECONFIG`. Its server's port and its path are redacted.
    pub fn kubeconfig(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let port = text.split("://127.0.0.1:").nth(1).map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].to_owned()
        });
        let run = match port {
            Some(port) => self.redact(&format!("127.0.0.1:{port}"), "127.0.0.1:[PORT]"),
            None => self,
        };
        run.redact(&path.display().to_string(), "[KUBECONFIG]").env("KUBECONFIG", path)
    }

    /// What it reads on its standard input; nothing unless given.
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = Some(text.as_ref().to_vec());
        self
    }

    /// The directory it runs in, shown as `[DIR]`; an empty one unless given.
    pub fn dir(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().canonicalize().expect("the directory exists");
        self.redactions.push((path.display().to_string(), "[DIR]".to_owned()));
        self.directory = Some(path);
        self
    }

    /// How long it may take; [`PATIENCE`] unless given.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Finds programs in this directory alone, which stays as long as the run.
    pub fn keeping(mut self, directory: Directory) -> Self {
        let path = directory.path().to_owned();
        self.kept.push(directory);
        self.redact(&path.display().to_string(), "[BIN]").env("PATH", path)
    }

    /// Shows `text` as `name`.
    pub fn redact(mut self, text: &str, name: &str) -> Self {
        self.redactions.push((text.to_owned(), name.to_owned()));
        self
    }

    /// The home directory it sees: to put files there, or to prove that it left none.
    pub fn home(&self) -> PathBuf {
        self.world.path().join("home")
    }

    /// Runs it to its end. Panics with what was printed when it takes longer than it may.
    pub fn run(self) -> Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = runtime.block_on(async {
            let mut command = Command::from(self.command());
            command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
            let mut child =
                command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", self.program.display()));
            let (input, mut out, mut err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let feed = async {
                if let (Some(mut input), Some(text)) = (input, &self.stdin) {
                    // A program that does not read its input to the end is no fault of the test.
                    let _ = input.write_all(text).await;
                }
            };
            let all = async {
                let (out, err) = (out.as_mut().expect("piped"), err.as_mut().expect("piped"));
                let ((), _, _, status) =
                    tokio::join!(feed, out.read_to_end(&mut stdout), err.read_to_end(&mut stderr), child.wait());
                status.expect("one's own child can be waited for")
            };
            tokio::time::timeout(self.limit, all).await.ok()
        });
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        let (stdout, stderr) = (text(stdout), text(stderr));
        let Some(status) = status else {
            let status = format!("none: killed after {:?}", self.limit);
            let output = Output { code: None, stdout, stderr, status, redactions: self.redactions };
            panic!("the run took too long\n{output}");
        };
        Output::new(status, stdout, stderr, self.redactions)
    }

    /// The command in its closed world, its streams not yet chosen.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.directory.clone().unwrap_or_else(|| self.world.path().join("work")));
        command
    }

    /// The redactions so far, for another view of the run.
    pub(crate) fn redactions(&self) -> &[(String, String)] {
        &self.redactions
    }
}

impl Output {
    /// What a process printed and how it ended.
    pub fn new(status: ExitStatus, stdout: String, stderr: String, redactions: Vec<(String, String)>) -> Self {
        Self { code: status.code(), stdout, stderr, status: ended(status), redactions }
    }

    /// Asserts that the run shows exactly this, character for character. `SNAPSHOTS=overwrite` writes what it
    /// shows into the test.
    #[track_caller]
    pub fn shows(&self, expected: impl IntoData) {
        exactly(&self.to_string(), expected);
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "exit: {}", self.status)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let text = show(text, &self.redactions);
            writeln!(formatter, "--- {name}")?;
            formatter.write_str(&text)?;
            if !text.is_empty() && !text.ends_with('\n') {
                formatter.write_str("\n(no newline at the end)\n")?;
            }
        }
        Ok(())
    }
}

/// Asserts that a text is exactly this, without snapbox's wildcards and its taking `\` for `/`.
#[track_caller]
pub fn exactly(actual: &str, expected: impl IntoData) {
    Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV).eq(actual, expected.raw());
}

/// The text with these names for what stands in it, the longest first, and without what differs from run to run.
pub fn show(text: &str, redactions: &[(String, String)]) -> String {
    let mut redactions: Vec<_> = redactions.iter().collect();
    redactions.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let text = redactions.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    redact(&text)
}
