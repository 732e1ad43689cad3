//! Completes command lines. Everything comes from the parser's command tree, so that new commands and flags are
//! completed without further work; names come from the kubeconfig, the cluster or manifests.

mod line;
mod live;
mod shells;

use clap::{Arg, Command, ValueHint, builder::StyledStr};

use self::line::{End, Line};
use crate::{environment::Environment, text::is_interpreted_by_terminal};

pub(crate) use self::{
    live::Live,
    shells::{Shell, asked_by_shell, complete_for_kubectl, script},
};

/// Completions for the end of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Completions {
    /// The part of the unfinished word that stays, such as `--context=`.
    before: String,
    /// Whole values, each with an optional line of help.
    values: Vec<(String, Option<String>)>,
    /// The kind of paths to complete, if any.
    paths: Option<Paths>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paths {
    Any,
    Folders,
}

/// Completes the last of these words, which do not include the program's name.
fn complete(mut root: Command, words: &[String], environment: &Environment) -> Completions {
    root.build();
    let line = line::read(&root, words);
    match line.end {
        End::Flag(typed) => {
            let flags = line::flags(&line).into_iter().map(|(flag, arg)| (flag, first_line(arg.get_help())));
            Completions { values: starting(flags, typed), ..Completions::default() }
        }
        End::Value { arg, before, typed } => {
            Completions { before: before.into(), ..values(arg, typed, &line, environment) }
        }
        End::Word { positional, typed } => {
            let mut completions =
                positional.map_or_else(Completions::default, |arg| values(arg, typed, &line, environment));
            completions.values.retain(|(value, _)| !line.words.contains(&value.as_str()));
            if line.words.is_empty() {
                let commands = line.command.get_subcommands().filter(|command| !command.is_hide_set());
                let named = commands.map(|command| (command.get_name().to_owned(), first_line(command.get_about())));
                completions.values.extend(starting(named, typed));
            }
            completions
        }
    }
}

/// Completes the value of an argument.
fn values(arg: &Arg, typed: &str, line: &Line<'_>, environment: &Environment) -> Completions {
    // In a comma-separated list, only the last part is unfinished.
    let list = arg.get_value_delimiter().and_then(|comma| typed.rfind(comma)).map_or(0, |comma| comma + 1);
    let (list, typed) = typed.split_at(list);
    let values = if let Some(live) = Live::of(arg) {
        starting(live::names(live, line, environment).into_iter().map(|name| (name, None)), typed)
    } else if arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "COMMAND")) {
        let named = line.words.iter().try_fold(line.root, |command, word| command.find_subcommand(word));
        let commands = named.into_iter().flat_map(Command::get_subcommands).map(Command::get_name);
        starting(commands.map(|name| (name.to_owned(), None)), typed)
    } else {
        let possible = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
        starting(possible.map(|value| (value.get_name().to_owned(), first_line(value.get_help()))), typed)
    };
    let paths = match arg.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::ExecutablePath => Some(Paths::Any),
        ValueHint::DirPath => Some(Paths::Folders),
        _ => None,
    };
    let values = values.into_iter().map(|(value, help)| (format!("{list}{value}"), help)).collect();
    Completions { before: String::new(), values, paths }
}

type Named = (String, Option<String>);

fn starting(all: impl IntoIterator<Item = Named>, typed: &str) -> Vec<Named> {
    all.into_iter().filter(|(name, _)| name.starts_with(typed)).collect()
}

/// Returns help as one line without control characters, because the completion protocols are line-based.
fn first_line(help: Option<&StyledStr>) -> Option<String> {
    let line = help?.to_string().lines().next()?.replace(is_interpreted_by_terminal, " ");
    Some(line).filter(|line| !line.is_empty())
}
