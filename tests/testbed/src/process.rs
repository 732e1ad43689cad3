//! Servers as children that cannot outlive the test.
//!
//! Each runs under a small shell that holds the read end of a pipe. The pipe closes when the handle is
//! dropped and when the test process ends in whatever way (panic, Ctrl-C, `kill -9`); the shell then kills
//! its child. A line in the pipe is the name of a signal for the child. It is in a process group of its own,
//! so that a Ctrl-C at the terminal reaches the test first.

use std::{
    fs,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

const SUPERVISE: &str = r#"
trap '' INT HUP QUIT TERM
log=$1 remove=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
child=$!
{ while read -r signal <&3; do kill -s "$signal" "$child"; done; kill -s KILL "$child"; } 2>/dev/null &
watcher=$!
wait "$child"; code=$?
kill -KILL "$watcher" 2>/dev/null
# What ended by itself has something to say in its log.
[ "$code" -eq 137 ] || remove=
for _ in 1 2 3 4 5; do
  [ -z "$remove" ] || rm -rf "$remove" 2>/dev/null || { sleep 0.2; continue; }
  break
done
exit "$code"
"#;

/// A running child; killed when dropped, and when the test process ends.
pub struct Process {
    supervisor: Child,
    leash: Option<ChildStdin>,
    log: PathBuf,
    remove: Option<PathBuf>,
}

impl Process {
    /// Starts `command` (its program, arguments, environment and directory count; its streams do not) with
    /// everything it prints in `log`. `remove` is a directory that goes away after the child.
    ///
    /// # Errors
    ///
    /// When the supervising shell cannot be started.
    pub fn start(command: &Command, log: &Path, remove: Option<&Path>) -> Result<Self, String> {
        let mut supervisor = Command::new("/bin/sh");
        supervisor.args(["-c", SUPERVISE, "supervise"]).arg(log).arg(remove.unwrap_or_else(|| Path::new("")));
        supervisor.arg(command.get_program()).args(command.get_args());
        // Collecting garbage is a third of what it takes to start an API server. This leaves more of it for later.
        supervisor.env("GOGC", "400");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => supervisor.env(name, value),
                None => supervisor.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            supervisor.current_dir(directory);
        }
        supervisor.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut supervisor = supervisor.spawn().map_err(|error| format!("cannot start /bin/sh: {error}"))?;
        let leash = supervisor.stdin.take();
        Ok(Self { supervisor, leash, log: log.to_owned(), remove: remove.map(Path::to_owned) })
    }

    /// How the child ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.supervisor.try_wait().expect("one's own child can be asked")
    }

    /// Sends the child a signal by its name, such as `STOP`.
    pub fn signals(&mut self, name: &str) {
        let leash = self.leash.as_mut().expect("it runs");
        writeln!(leash, "{name}").expect("the supervisor listens");
    }

    /// Asks the child to end (`SIGTERM`) and waits until it has.
    pub fn terminate(&mut self) {
        self.signals("TERM");
        super::wait::until("a process to end when asked to", || self.ended());
    }

    /// Kills the child and waits until it is gone.
    pub fn stop(&mut self) {
        drop(self.leash.take());
        let _ = self.supervisor.wait();
    }

    /// The last lines that it printed.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if let Some(directory) = &self.remove {
            let _ = fs::remove_dir_all(directory);
        }
    }
}
