//! The command line: parses the arguments, runs the command, and maps its outcome to an exit code.

mod parse_failure;
mod signals;
mod stuck;

use std::{
    ffi::OsString,
    sync::{Arc, Mutex},
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use http::Uri;

use self::{parse_failure::parse_failure, signals::Signals, stuck::Noticed};
use crate::{
    apiserver,
    apiserver::ConnectionArgs,
    commands::{
        CommandFuture, boxed, completion as completions, cookie, describe, diff, guard, lint, man, options, rbac,
        render, show, simulate, sticky, verify, version,
    },
    completion,
    context::Context,
    environment::Environment,
    error::{
        Error, Exit, Kind, Result,
        panic::{catch_panic, install_panic_hook, take_panic},
    },
    ui::{Color, Ui},
};

/// Keep each login on one version during a Flagger canary rollout on Traefik
///
/// During a rollout Traefik chooses a version for each request independently, so flows that redirect (SSO logins)
/// hit both versions and break. This plugin declares a sticky cookie on the Canary and puts it on the TraefikService
/// that Flagger generates.
///
/// With -f, commands work on local manifests and never contact a cluster (except diff --live). Flags must come after canary-traefik;
/// kubectl takes none before a plugin's name.
#[derive(Debug, Parser)]
#[command(name = "kubectl-canary_traefik", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colour
    // clap counts global flags and a command's own flags alike; the high order puts this one last.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        display_order = 500
    )]
    color: Color,

    #[command(flatten)]
    connection: ConnectionArgs,

    /// URL of Traefik's own API, over http or https: also check the routers of its other providers (file, Docker, ...)
    /// for conflicts with an entry's paths
    #[arg(long, global = true, value_name = "URL", value_parser = apiserver::read_without_credentials, help_heading = options::HEADING)]
    traefik_api: Option<Uri>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::ShowArgs),
    Describe(describe::DescribeArgs),
    Render(render::RenderArgs),
    Cookie(cookie::CookieArgs),
    Simulate(simulate::SimulateArgs),
    Lint(lint::LintArgs),
    Verify(verify::VerifyArgs),
    Diff(diff::DiffArgs),
    #[command(subcommand)]
    Sticky(sticky::StickyCommand),
    #[command(subcommand)]
    Guard(guard::GuardCommand),
    Rbac(rbac::RbacArgs),
    Completion(completions::CompletionArgs),
    Man(man::ManArgs),
    /// List the connection flags, which every command accepts
    Options,
    Version(version::VersionArgs),
}

/// Builds the parser with all commands.
pub fn command() -> clap::Command {
    // The many connection flags would bury the few that a command is about.
    let command = Cli::command().display_name("kubectl canary-traefik").mut_args(|arg| {
        let is_connection = arg.get_help_heading() == Some(options::HEADING);
        if is_connection { arg.hide_short_help(true).hide_long_help(true) } else { arg }
    });
    with_options_line(command)
}

/// Ends the help of every command with a line on the connection flags.
fn with_options_line(command: clap::Command) -> clap::Command {
    const LINE: &str = "Connection flags (-n, --context, ...): kubectl canary-traefik options";
    let help = command.get_after_help().map_or_else(|| LINE.to_owned(), |help| format!("{help}\n\n{LINE}"));
    command.after_help(help).mut_subcommands(with_options_line)
}

/// Runs the program and returns its exit code. A panic is reported like any other failure.
pub fn run(arguments: Vec<OsString>, environment: Environment) -> u8 {
    install_panic_hook();
    catch_panic(|| Ok(run_words(arguments, environment))).unwrap_or_else(|error| {
        Ui::new(Color::Auto).error(&error);
        error.kind().code()
    })
}

fn run_words(arguments: Vec<OsString>, environment: Environment) -> u8 {
    let mut command = self::command();
    if let Some(answer) = completion_reply(&command, &arguments, &environment) {
        // If the reader has gone away, there is nothing to report.
        let _ = Ui::new(Color::Never).write_raw(&answer);
        return 0;
    }
    if environment.program.starts_with("kubectl-") {
        command = command.bin_name("kubectl canary-traefik");
    }
    // clap copies every global flag into every command, which takes longer than the rest of `--help`.
    if !arguments.iter().skip(1).any(|word| command.find_subcommand(word).is_some()) {
        command = command.mut_args(|arg| arg.global(false));
    }
    // Never freed: dropping its many small allocations would take a tenth of the run time of the fastest commands.
    let command = Box::leak(Box::new(command));
    let line = apiserver::group_repeatable_flags(arguments);
    let parsed = command.try_get_matches_from_mut(&line);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, words_of_command(&matches))));
    let prints_json = asks_for_json(&line);
    let (cli, command) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return parse_failure(error, &line, prints_json),
    };
    let ui = Arc::new(Ui::new(cli.color));
    if prints_json {
        ui.report_errors_as_json();
    }
    let context = Context {
        ui: Arc::clone(&ui),
        environment,
        connection: cli.connection,
        traefik_api: cli.traefik_api,
        now: jiff::Timestamp::now().as_second(),
        warned: Arc::default(),
        typed: Mutex::default(),
        command,
    };
    let handles_signals = matches!(&cli.command, Command::Guard(guard::GuardCommand::Run(_)));
    let ended = catch_panic(|| block_on(dispatch(&context, &cli.command), &ui, handles_signals));
    match ended.and_then(|exit| context.end(exit)) {
        Ok(exit) => exit.code(),
        Err(error) => {
            // After a panic on another thread, that panic is the cause to report.
            let error = context.with_typed(take_panic().filter(|_| !handles_signals).unwrap_or(error));
            let code = error.kind().code();
            ui.error(&rbac::with_hint(&context, error));
            code
        }
    }
}

/// Returns whether the results are printed as JSON, so that errors are, too. The words are enough: an error of the parser's
/// leaves nothing else.
fn asks_for_json(line: &[OsString]) -> bool {
    let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
    let is_json = |word: &str| matches!(word, "-o=json" | "-ojson" | "--output=json");
    words.iter().any(|word| is_json(word))
        || words.windows(2).any(|pair| matches!(&*pair[0], "-o" | "--output") && pair[1] == "json")
}

/// Returns the words of the command, such as `sticky set`.
fn words_of_command(matches: &clap::ArgMatches) -> String {
    let commands = std::iter::successors(matches.subcommand(), |(_, matches)| matches.subcommand());
    commands.map(|(word, _)| word).collect::<Vec<_>>().join(" ")
}

/// Returns the completions if the program was started to complete a command line: by kubectl under a separate name, or
/// by a shell's script with an environment variable.
fn completion_reply(command: &clap::Command, arguments: &[OsString], environment: &Environment) -> Option<String> {
    let by_kubectl = environment.program == completions::KUBECTL_COMPLETE;
    if !by_kubectl && environment.completion.shell.is_none() {
        return None;
    }
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let ask = if by_kubectl { completion::complete_for_kubectl } else { completion::asked_by_shell };
    Some(ask(command.clone(), &words, environment))
}

fn dispatch<'a>(context: &'a Context, command: &'a Command) -> CommandFuture<'a> {
    match command {
        Command::Show(args) => boxed(|| show::run(context, args)),
        Command::Describe(args) => boxed(|| describe::run(context, args)),
        Command::Render(args) => boxed(|| render::run(context, args)),
        Command::Cookie(args) => boxed(|| cookie::run(context, args)),
        Command::Simulate(args) => boxed(|| simulate::run(context, args)),
        Command::Lint(args) => boxed(|| lint::run(context, args)),
        Command::Verify(args) => boxed(|| verify::run(context, args)),
        Command::Diff(args) => boxed(|| diff::run(context, args)),
        Command::Sticky(command) => sticky::run(context, command),
        Command::Guard(command) => guard::run(context, command),
        Command::Rbac(args) => boxed(|| rbac::run(context, args)),
        Command::Completion(args) => boxed(async || completions::run(context, args)),
        // Man pages list all flags.
        Command::Man(args) => boxed(async || man::run(context, args, Cli::command())),
        Command::Options => boxed(async || options::run(context, &self::command())),
        Command::Version(args) => boxed(|| version::run(context, args)),
    }
}

/// Runs a command until it ends or a signal arrives. With `handles_signals` the command handles signals itself.
fn block_on(work: impl Future<Output = Result<Exit>>, ui: &Arc<Ui>, handles_signals: bool) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Bug, format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        let mut signals = Signals::new(handles_signals);
        let noticed = if handles_signals { Noticed::default() } else { Noticed::watch(ui) };
        tokio::pin!(work);
        loop {
            tokio::select! {
                // Poll the signal first: an editor that exits on Ctrl-C must not be seen to exit before the Ctrl-C
                // itself.
                biased;
                signal = signals.next() => {
                    noticed.set();
                    if !ui.is_for_child(signal) {
                        break Err(Error::ended_by(signal));
                    }
                }
                () = noticed.asked() => noticed.set(),
                result = &mut work => break result,
            }
        }
    });
    if matches!(&result, Err(error) if matches!(error.kind(), Kind::Interrupted | Kind::Signal(_))) {
        ui.clear_after_signal();
    }
    // Do not wait for a read that is still blocking its thread.
    runtime.shutdown_background();
    result
}
