//! The one error type of the program: a kind (which decides the exit code), a message, its causes, and
//! hints that say what to type. Nothing here prints; `ui` does.

pub mod panic;

use std::{fmt, io};

/// What a command that did not fail has to say to the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do: 0.
    Ok,
    /// A difference, a finding or drift was found: 1.
    Found,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Found => 1,
        }
    }
}

/// Why a command failed. Each kind is one documented exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A wrong flag, value or file: 2.
    Usage,
    /// No consent, since nobody could be asked: 3.
    Refused,
    /// The answer was no, or the question was left: 3.
    Cancelled,
    /// No such Canary, TraefikService or custom resource definition: 4.
    NotFound,
    /// It changed between read and write and could not be settled: 5.
    Conflict,
    /// The server: no connection, forbidden, any other answer: 6.
    Cluster,
    /// The server finds an object invalid, which another value may mend: 6.
    Invalid,
    /// A fault of this program: 70.
    Bug,
    /// Ctrl-C: 130.
    Interrupted,
    /// Another signal that ends programs, by its number: 128 and that.
    Signal(u8),
    /// The answer to a question was to go on in the editor; never the end of a command.
    Editor,
    /// The reader of our output went away. Ends quietly: 0.
    BrokenPipe,
}

impl Kind {
    /// Every kind.
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

    /// The process exit code.
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

/// A failure as a person sees it.
///
/// Messages, causes and hints are lower-case fragments without a full stop; a hint is something to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

/// Short for a result with this program's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A wrong flag, value or file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// The server's fault, or the way to it.
    pub fn cluster(message: impl Into<String>) -> Self {
        Self::new(Kind::Cluster, message)
    }

    /// The answer was no, or the question was left.
    pub fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "nothing was changed")
    }

    /// A signal asked the program to end.
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
        self.hints.push(hint.into());
        self
    }

    /// The same as another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Says first what the error is about.
    #[must_use]
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// The kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence after `error:`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The sentences after `caused by:`, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// The sentences after `hint:`.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What the operating system says, in lower case and without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
