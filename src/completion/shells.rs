//! How it is said: to kubectl, in the protocol of its own completion (spf13/cobra `completions.go`), and to shells that
//! complete the executable itself, in the form that the scripts of `clap_complete` read.

use std::ffi::OsStr;

use clap::ValueEnum;
use clap_complete::{
    engine::{PathCompleter, ValueCompleter},
    env::Shells,
};

use super::{Completions, Paths, complete};
use crate::{environment::Environment, text::is_obeyed};

/// The variable in which a script names its shell.
pub const VARIABLE: &str = "CANARY_TRAEFIK_COMPLETE";
/// The executable that the scripts complete and ask.
const PROGRAM: &str = "kubectl-canary_traefik";

/// A shell that has a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Elvish => "elvish",
        }
    }
}

/// The script that makes a shell ask this program.
pub fn script(shell: Shell) -> String {
    let mut text = Vec::new();
    let shells = Shells::builtins();
    let writer = shells.completer(shell.name()).expect("every shell here is one of the library's");
    writer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut text).expect("memory can be written to");
    String::from_utf8(text).expect("scripts are UTF-8")
}

/// The answer to kubectl, which asks `kubectl_complete-canary_traefik` with the words behind the plugin's name: a
/// candidate a line, and at last what the shell shall do.
pub fn asked_by_kubectl(root: clap::Command, words: &[String], environment: &Environment) -> String {
    // cobra's ShellCompDirectiveNoFileComp, ShellCompDirectiveFilterDirs and ShellCompDirectiveDefault.
    let directive = |completions: &Completions| match completions.paths {
        None => 4,
        Some(Paths::Folders) => 16,
        Some(Paths::Any) => 0,
    };
    // Shells put back what stands before `=` themselves.
    let completions = complete(root, words, environment);
    let mut text = lines(&completions, "", '\t');
    text.push_str(&format!(":{}\n", directive(&completions)));
    text
}

/// The answer to the script of a shell, which asks with the whole line behind `--`.
pub fn asked_by_shell(root: clap::Command, arguments: &[String], environment: &Environment) -> String {
    let line = arguments.iter().position(|word| word == "--").map_or(&[][..], |at| &arguments[at + 1..]);
    let asked = &environment.completion;
    let is_bash = asked.shell.as_deref() == Some("bash");
    let end = asked.index.unwrap_or(line.len().saturating_sub(1));
    let mut words: Vec<String> = line.iter().take(end + 1).skip(1).cloned().collect();
    words.resize(end, String::new());
    if is_bash {
        words = without_breaks(words);
    }
    let completions = complete(root, &words, environment);
    let mut found = completions;
    if let Some(paths) = found.paths {
        let typed = words.last().and_then(|word| word.strip_prefix(found.before.as_str())).unwrap_or_default();
        let completer = if paths == Paths::Folders { PathCompleter::dir() } else { PathCompleter::any() };
        let named = completer.complete(OsStr::new(typed)).into_iter();
        found.values.extend(named.map(|path| (path.get_value().to_string_lossy().into_owned(), None)));
    }
    // bash completes what stands behind the break.
    let before = if is_bash { String::new() } else { found.before.clone() };
    let help = match asked.shell.as_deref() {
        Some("fish" | "powershell") => '\t',
        Some("zsh") => ':',
        _ => '\0',
    };
    let text = lines(&found, &before, help);
    match asked.separator.as_deref() {
        Some(separator) => text.trim_end().replace('\n', separator),
        None => text,
    }
}

/// A candidate a line; without help when the separator is none.
fn lines(completions: &Completions, before: &str, separator: char) -> String {
    let line = |(value, help): &(String, Option<String>)| match help {
        Some(help) if separator != '\0' => format!("{before}{}{separator}{help}\n", escaped(value, separator)),
        _ => format!("{before}{}\n", escaped(value, separator)),
    };
    completions.values.iter().filter(|(value, _)| !value.contains(is_obeyed)).map(line).collect()
}

/// zsh takes the first `:` for the beginning of the help.
fn escaped(value: &str, separator: char) -> String {
    if separator == ':' { value.replace(':', "\\:") } else { value.to_owned() }
}

/// bash breaks words at `=` and `:` (`COMP_WORDBREAKS`); puts them together again.
fn without_breaks(words: Vec<String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in words {
        let is_break = matches!(word.as_str(), "=" | ":");
        let begins_with_flag = whole.last().is_some_and(|last| last.starts_with('-'));
        match whole.last_mut() {
            Some(last) if is_open || (is_break && begins_with_flag) => {
                last.push_str(&word);
                is_open = is_break;
            }
            _ => whole.push(word),
        }
    }
    whole
}
