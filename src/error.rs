//! The program's only error type: a kind (which decides the exit code), a message, causes, and hints on what to type.
//! Nothing here prints; `ui` does.

pub mod panic;

use std::{fmt, io};

/// The outcome of a command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do: 0.
    Ok,
    /// A difference, a finding or drift was found: 1.
    Found,
}

impl Exit {
    /// Returns the process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Found => 1,
        }
    }
}

/// The kind of a failure. Each kind has a documented exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A wrong flag, value or file: 2.
    Usage,
    /// Confirmation was needed, but there was no terminal: 3.
    Refused,
    /// The user answered no or left the question: 3.
    Cancelled,
    /// No such Canary, TraefikService or custom resource definition: 4.
    NotFound,
    /// An object changed between read and write, and retrying did not help: 5.
    Conflict,
    /// No connection to the API server, or an error response such as forbidden: 6.
    Cluster,
    /// The API server rejected an object as invalid; another value may be accepted: 6.
    Invalid,
    /// A bug of this program: 70.
    Bug,
    /// Ctrl-C: 130.
    Interrupted,
    /// Another signal that ends programs, by number: 128 plus the number.
    Signal(u8),
    /// The user chose to continue in the editor; never ends a command.
    Editor,
    /// The reader of the output went away. Ends quietly: 0.
    BrokenPipe,
}

impl Kind {
    /// Kinds that cover all exit codes, with one `Signal` per handled signal.
    pub const ALL: [Self; 12] = [
        Self::Usage,
        Self::Refused,
        Self::Cancelled,
        Self::NotFound,
        Self::Conflict,
        Self::Cluster,
        Self::Bug,
        Self::Interrupted,
        Self::Signal(1),
        Self::Signal(3),
        Self::Signal(15),
        Self::BrokenPipe,
    ];

    /// Returns the process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Usage => 2,
            Self::Refused | Self::Cancelled | Self::Editor => 3,
            Self::NotFound => 4,
            Self::Conflict => 5,
            Self::Cluster | Self::Invalid => 6,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Signal(number) => 128 + number,
        }
    }
}

/// An error as shown to the user.
///
/// Messages, causes and hints are lower-case fragments without a full stop; a hint is something to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hints: Vec<Hint>,
    missing_permission: Option<Box<MissingPermission>>,
}

/// Something to type or to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hint {
    text: String,
    /// Where a command of kubectl in it ends.
    command_end: Option<usize>,
}

/// A permission that the API server says the user lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPermission {
    /// The verb, such as `patch`.
    pub verb: String,
    /// The resource with its API group, such as `canaries.flagger.app`, or a path.
    pub resource: String,
    /// The namespace, unless the permission is for all of them.
    pub namespace: Option<String>,
}

/// A result with this program's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new(), missing_permission: None }
    }

    /// Creates an error about a wrong flag, value or file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Creates an error about something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Creates an error about the API server or the connection to it.
    pub fn cluster(message: impl Into<String>) -> Self {
        Self::new(Kind::Cluster, message)
    }

    /// Creates the error for a question that was answered with no or left.
    pub fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "nothing was changed")
    }

    /// Creates the error for a signal that ended the program.
    pub fn ended_by(signal: u8) -> Self {
        let name = match signal {
            1 => "SIGHUP",
            2 => return Self::new(Kind::Interrupted, "interrupted"),
            3 => "SIGQUIT",
            _ => "SIGTERM",
        };
        Self::new(Kind::Signal(signal), format!("ended by {name}"))
    }

    /// Adds a cause, outermost first.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a hint: something to type or to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(Hint { text: hint.into(), command_end: None });
        self
    }

    /// Adds a hint that ends with a command of kubectl, and what follows the command. [`Error::for_same_user`] adds the
    /// flags of the user to it.
    #[must_use]
    pub fn hint_command(mut self, command: impl Into<String>, rest: &str) -> Self {
        let command: String = command.into();
        let command_end = Some(command.len());
        self.hints.push(Hint { text: command + rest, command_end });
        self
    }

    /// Adds these flags, each with a leading space, to the commands in the hints, so that they concern the same cluster
    /// and user.
    #[must_use]
    pub fn for_same_user(mut self, flags: &str) -> Self {
        for hint in &mut self.hints {
            if let Some(end) = hint.command_end.take() {
                hint.text.insert_str(end, flags);
            }
        }
        self
    }

    /// Marks the error as caused by a missing permission.
    #[must_use]
    pub fn for_lack_of(mut self, permission: MissingPermission) -> Self {
        self.missing_permission = Some(Box::new(permission));
        self
    }

    /// Changes the kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Prepends the subject of the error to its message.
    #[must_use]
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Returns the kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the sentence after `error:`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the sentences after `caused by:`, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Returns the permission that is missing, if that is the cause.
    pub fn missing_permission(&self) -> Option<&MissingPermission> {
        self.missing_permission.as_deref()
    }

    /// Returns the sentences after `hint:`.
    pub fn hints(&self) -> Vec<&str> {
        self.hints.iter().map(|hint| hint.text.as_str()).collect()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Returns the operating system's message, starting in lower case and without the error number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_the_user_go_behind_the_command_in_a_hint() {
        let error = Error::usage("x")
            .hint("use -n NAMESPACE")
            .hint_command("to move it: kubectl uninstall", ", then install it")
            .hint_command("kubectl get", "")
            .for_same_user(" --as jane");
        let expected =
            ["use -n NAMESPACE", "to move it: kubectl uninstall --as jane, then install it", "kubectl get --as jane"];
        assert_eq!(error.hints(), expected);
        assert_eq!(error.for_same_user(" --as joe").hints(), expected);
    }
}
