//! An editor that does as it is told: one piece of shell a round.

use super::{directory::Directory, run::Run, wait::until};

/// What every round begins with: it counts, and keeps what it was given.
const BEGIN: &str = r#"PATH=/usr/bin:/bin
dir=$(dirname "$0")
n=$(($(cat "$dir/rounds" 2>/dev/null || echo 0) + 1))
echo "$n" >"$dir/rounds"
# Waits until the test lets it go on.
hold() { until [ -e "$dir/go.$n" ]; do sleep 0.02; done; }
cp "$1" "$dir/given.$n.new" && mv "$dir/given.$n.new" "$dir/given.$n"
"#;

/// The editor. Its file is `$1`, and `hold` waits for [`Editor::release`].
pub struct Editor {
    directory: Directory,
}

impl Editor {
    /// An editor that does this in its rounds, and fails in every further one.
    pub fn new(rounds: &[&str]) -> Self {
        let directory = Directory::new();
        let cases: String =
            rounds.iter().enumerate().map(|(index, round)| format!("{})\n{round}\n;;\n", index + 1)).collect();
        directory.write("editor", format!("{BEGIN}case $n in\n{cases}*) echo 'no such round' >&2; exit 99 ;;\nesac\n"));
        Self { directory }
    }

    /// The command that starts it.
    pub fn command(&self) -> String {
        format!("/bin/sh {}", self.directory.path().join("editor").display())
    }

    /// The run with this editor.
    pub fn of(&self, run: Run) -> Run {
        run.env("KUBE_EDITOR", self.command()).redact(&self.directory.path().display().to_string(), "[EDITOR]")
    }

    /// What it was given in this round.
    pub fn given(&self, round: usize) -> String {
        self.directory.read(&format!("given.{round}"))
    }

    /// How often it was started.
    pub fn rounds(&self) -> usize {
        let count = self.directory.path().join("rounds");
        std::fs::read_to_string(count).map_or(0, |text| text.trim().parse().expect("a number"))
    }

    /// Waits until this round has begun.
    pub fn opens(&self, round: usize) {
        let given = self.directory.path().join(format!("given.{round}"));
        until("the editor to be opened", || given.exists().then_some(()));
    }

    /// Lets a round that holds go on.
    pub fn release(&self, round: usize) {
        self.directory.write(&format!("go.{round}"), "");
    }
}
