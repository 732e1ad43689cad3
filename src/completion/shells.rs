//! Output of completions: to kubectl in the protocol of its own completion (spf13/cobra `completions.go`), and to
//! shells that complete the executable itself in the format read by the scripts of `clap_complete`.

use std::ffi::OsStr;

use clap::ValueEnum;
use clap_complete::{
    engine::{PathCompleter, ValueCompleter},
    env::Shells,
};

use super::{Completions, Paths, complete};
use crate::{environment::Environment, text::is_interpreted_by_terminal};

/// The environment variable in which a script names its shell.
pub(crate) const VARIABLE: &str = "CANARY_TRAEFIK_COMPLETE";
/// The executable that the scripts complete and run.
const PROGRAM: &str = "kubectl-canary_traefik";

/// A shell with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Returns the script that makes a shell ask this program for completions.
pub(crate) fn script(shell: Shell) -> String {
    let mut text = Vec::new();
    let shells = Shells::builtins();
    let name = shell.to_possible_value().expect("every shell is shown");
    let writer = shells.completer(name.get_name()).expect("every shell here is one of the library's");
    writer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut text).expect("memory can be written to");
    String::from_utf8(text).expect("scripts are UTF-8")
}

/// Returns completions for kubectl, which runs `kubectl_complete-canary_traefik` with the words after the plugin's
/// name: one candidate per line, then the directive for the shell.
pub(crate) fn complete_for_kubectl(root: clap::Command, words: &[String], environment: &Environment) -> String {
    // cobra's ShellCompDirectiveNoFileComp, ShellCompDirectiveFilterDirs and ShellCompDirectiveDefault.
    let directive = |completions: &Completions| match completions.paths {
        None => 4,
        Some(Paths::Folders) => 16,
        Some(Paths::Any) => 0,
    };
    // Shells restore the part before `=` themselves.
    let completions = complete(root, words, environment);
    let mut text = lines(&completions, "", '\t');
    text.push_str(&format!(":{}\n", directive(&completions)));
    text
}

/// Returns completions for a shell's script, which passes the whole line after `--`.
pub(crate) fn asked_by_shell(root: clap::Command, arguments: &[String], environment: &Environment) -> String {
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
    // bash completes only the part after the word break.
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

/// Writes one candidate per line, without help if the separator is NUL.
fn lines(completions: &Completions, before: &str, separator: char) -> String {
    let line = |(value, help): &(String, Option<String>)| match help {
        Some(help) if separator != '\0' => format!("{before}{}{separator}{help}\n", escaped(value, separator)),
        _ => format!("{before}{}\n", escaped(value, separator)),
    };
    completions.values.iter().filter(|(value, _)| !value.contains(is_interpreted_by_terminal)).map(line).collect()
}

/// Escapes `:` for zsh, which reads the first one as the start of the help.
fn escaped(value: &str, separator: char) -> String {
    if separator == ':' { value.replace(':', "\\:") } else { value.to_owned() }
}

/// Rejoins words that bash broke at `=` and `:` (`COMP_WORDBREAKS`).
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
