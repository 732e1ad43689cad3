//! Parses an unfinished command line against the parser's command tree, to find what can be completed at its end. Pure.
//! The tree has every command and flag, so none is listed here.

use clap::{Arg, ArgAction, Command};

/// A command line up to the word being typed.
pub(super) struct Line<'a> {
    /// The whole command tree.
    pub(super) root: &'a Command,
    /// The command named on the line.
    pub(super) command: &'a Command,
    /// Flags before the unfinished word with their values, in the order typed.
    pub(super) flags: Vec<(&'a Arg, Option<&'a str>)>,
    /// Other words after the command.
    pub(super) words: Vec<&'a str>,
    /// What can be completed at the end.
    pub(super) end: End<'a>,
}

/// What can be completed at the end of a line.
pub(super) enum End<'a> {
    /// A flag that starts with this text.
    Flag(&'a str),
    /// A value of `arg` that starts with `typed`; `before` is the part of the word in front of it, such as
    /// `--context=`.
    Value { arg: &'a Arg, before: &'a str, typed: &'a str },
    /// A command, if no word is an argument yet, or a value of this positional argument.
    Word { positional: Option<&'a Arg>, typed: &'a str },
}

/// Parses the words after the program's name, of which the last is unfinished. The tree must be built.
pub(super) fn read<'a>(root: &'a Command, words: &'a [String]) -> Line<'a> {
    let (typed, words) = words.split_last().map_or(("", words), |(last, before)| (last.as_str(), before));
    let mut line = Line { root, command: root, flags: Vec::new(), words: Vec::new(), end: End::Flag("") };
    let mut only_words = false;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if only_words || !is_flag(word) {
            match line.command.find_subcommand(word).filter(|_| line.words.is_empty() && !only_words) {
                Some(command) => line.command = command,
                None => line.words.push(word),
            }
        } else if word == "--" {
            only_words = true;
        } else if let Some((arg, value)) = flag(line.command, word) {
            if value.is_some() || !takes_next(arg) {
                line.flags.push((arg, value));
            } else if let Some(value) = words.next() {
                line.flags.push((arg, Some(value)));
            } else {
                line.end = End::Value { arg, before: "", typed };
                return line;
            }
        }
    }
    line.end = match flag(line.command, typed).filter(|_| !only_words) {
        Some((arg, Some(value))) => End::Value { arg, before: &typed[..typed.len() - value.len()], typed: value },
        _ if typed.starts_with('-') && !only_words => End::Flag(typed),
        _ => End::Word { positional: positional(line.command, line.words.len()), typed },
    };
    line
}

fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// Returns whether the next word is the value of this flag.
fn takes_next(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|number| number.takes_values()) && !arg.is_require_equals_set()
}

/// Returns the flag that a word names, and the value within the word: `--context=a`, `-n=a`, `-na`.
fn flag<'a>(command: &'a Command, word: &'a str) -> Option<(&'a Arg, Option<&'a str>)> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let arg = command.get_arguments().find(|arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        })?;
        return Some((arg, value));
    }
    let shorts = word.strip_prefix('-')?;
    for (at, short) in shorts.char_indices() {
        let arg = command.get_arguments().find(|arg| arg.get_short() == Some(short))?;
        let rest = &shorts[at + short.len_utf8()..];
        if arg.get_num_args().is_some_and(|number| number.takes_values()) {
            let value = Some(rest.strip_prefix('=').unwrap_or(rest)).filter(|_| !rest.is_empty());
            return Some((arg, value));
        }
        if rest.is_empty() {
            return Some((arg, None));
        }
    }
    None
}

/// Returns the positional argument for the next word; the last one may take several.
fn positional(command: &Command, before: usize) -> Option<&Arg> {
    let mut all: Vec<_> = command.get_positionals().collect();
    all.sort_by_key(|arg| arg.get_index());
    let takes_many = |arg: &&&Arg| arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    all.get(before).or_else(|| all.last().filter(takes_many)).copied()
}

/// Returns the flags that can still be given, long and short.
pub(super) fn flags<'a>(line: &Line<'a>) -> Vec<(String, &'a Arg)> {
    let is_free = |arg: &&Arg| {
        let is_repeatable = matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
        !arg.is_hide_set() && (is_repeatable || line.flags.iter().all(|(given, _)| given.get_id() != arg.get_id()))
    };
    let free: Vec<_> = line.command.get_arguments().filter(is_free).collect();
    let long = free.iter().filter_map(|arg| Some((format!("--{}", arg.get_long()?), *arg)));
    let short = free.iter().filter_map(|arg| Some((format!("-{}", arg.get_short()?), *arg)));
    long.chain(short).collect()
}
