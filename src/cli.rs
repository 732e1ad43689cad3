//! The command line: from words to a command, and from its end to an exit code.

mod signals;

use std::{
    ffi::OsString,
    sync::{Arc, Mutex},
};

use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use self::signals::Signals;
use crate::{
    cluster::{self, ConnectionArgs},
    commands::{completion as completions, describe, diff, guard, man, rbac, render, show, sticky, version},
    completion,
    context::Context,
    environment::Environment,
    error::{
        Error, Exit, Kind, Result,
        panic::{caught, note_panics, noted_panic},
    },
    ui::{Color, Ui},
};

/// Keep the users of a Flagger canary on Traefik on one track
///
/// During a rollout Traefik draws the track of each request anew, so flows that redirect (SSO logins) hit both
/// versions and break. This plugin declares a sticky cookie on the Canary and puts it on the TraefikService
/// that Flagger generates.
///
/// With -f the commands that have it work on manifests, without a cluster. Flags must come after canary-traefik;
/// kubectl takes none before a plugin's name.
#[derive(Debug, Parser)]
#[command(name = "kubectl-canary_traefik", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to colour
    // After a command's own flags, however many commands there are: clap counts both alike.
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
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::ShowArgs),
    Describe(describe::DescribeArgs),
    Render(render::RenderArgs),
    Diff(diff::DiffArgs),
    #[command(subcommand)]
    Sticky(sticky::StickyCommand),
    #[command(subcommand)]
    Guard(guard::GuardCommand),
    Rbac(rbac::RbacArgs),
    Completion(completions::CompletionArgs),
    Man(man::ManArgs),
    Version(version::VersionArgs),
}

/// The whole parser.
pub fn command() -> clap::Command {
    // The many flags that say how to connect would bury the few that a command is about.
    const OFTEN: [&str; 2] = ["context", "namespace"];
    Cli::command().display_name("kubectl canary-traefik").mut_args(|arg| {
        let seldom = arg.get_help_heading() == Some("Connection") && OFTEN.iter().all(|flag| arg.get_id() != flag);
        if seldom { arg.hide_short_help(true) } else { arg }
    })
}

/// Runs the program and returns its exit code. A panic is a failure like any other.
pub fn run(arguments: Vec<OsString>, environment: Environment) -> u8 {
    note_panics();
    caught(|| Ok(run_words(arguments, environment))).unwrap_or_else(|error| {
        Ui::new(Color::Auto).error(&error);
        error.kind().code()
    })
}

fn run_words(arguments: Vec<OsString>, environment: Environment) -> u8 {
    let mut command = self::command();
    if let Some(answer) = asked_what_can_stand_next(&command, &arguments, &environment) {
        // A reader that went away needs no answer.
        let _ = Ui::new(Color::Never).to_the_byte(&answer);
        return 0;
    }
    if environment.program.starts_with("kubectl-") {
        command = command.bin_name("kubectl canary-traefik");
    }
    // Each command gets a copy of each global flag, which takes longer than all else of `--help`.
    if !arguments.iter().skip(1).any(|word| command.find_subcommand(word).is_some()) {
        command = command.mut_args(|arg| arg.global(false));
    }
    // It is there to the end: to take its many small parts down would be a tenth of what the fastest commands take.
    let command = Box::leak(Box::new(command));
    let line = cluster::gather(arguments);
    let cli = match command.try_get_matches_from_mut(&line).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return parse_failure(error, &line),
    };
    let ui = Arc::new(Ui::new(cli.color));
    let context = Context {
        ui: Arc::clone(&ui),
        environment,
        connection: cli.connection,
        now: jiff::Timestamp::now().as_second(),
        warned: Arc::default(),
        typed: Mutex::default(),
    };
    let ends_itself = matches!(&cli.command, Command::Guard(command) if command.ends_itself());
    let ended = caught(|| block_on(dispatch(&context, &cli.command), &ui, ends_itself));
    match ended.and_then(|exit| context.end(exit)) {
        Ok(exit) => exit.code(),
        Err(error) => {
            // What fails after a panic of another thread, fails by it.
            let error = context.with_typed(noted_panic().filter(|_| !ends_itself).unwrap_or(error));
            ui.error(&error);
            error.kind().code()
        }
    }
}

/// The answer, when the program was started to complete a command line: by kubectl under a name of its own, by a
/// shell's script with a variable.
fn asked_what_can_stand_next(
    command: &clap::Command,
    arguments: &[OsString],
    environment: &Environment,
) -> Option<String> {
    let by_kubectl = environment.program == completions::ASKED;
    if !by_kubectl && environment.completion.shell.is_none() {
        return None;
    }
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let ask = if by_kubectl { completion::asked_by_kubectl } else { completion::asked_by_shell };
    Some(ask(command.clone(), &words, environment))
}

async fn dispatch(context: &Context, command: &Command) -> Result<Exit> {
    match command {
        Command::Show(args) => show::run(context, args).await,
        Command::Describe(args) => describe::run(context, args).await,
        Command::Render(args) => render::run(context, args).await,
        Command::Diff(args) => diff::run(context, args).await,
        Command::Sticky(command) => sticky::run(context, command).await,
        Command::Guard(command) => guard::run(context, command).await,
        Command::Rbac(args) => rbac::run(context, args).await,
        Command::Completion(args) => completions::run(context, args),
        Command::Man(args) => man::run(context, args, self::command()),
        Command::Version(args) => version::run(context, args).await,
    }
}

/// Runs a command until it ends or a signal asks it to, unless it has an end of its own for that.
fn block_on(work: impl Future<Output = Result<Exit>>, ui: &Ui, ends_itself: bool) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Bug, format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        let mut signals = Signals::new(ends_itself);
        tokio::pin!(work);
        loop {
            tokio::select! {
                // An editor that ends at Ctrl-C must not be seen to have ended before the Ctrl-C.
                biased;
                signal = signals.next() => {
                    if !ui.is_for_another(signal) {
                        break Err(Error::ended_by(signal));
                    }
                }
                result = &mut work => break result,
            }
        }
    });
    if matches!(&result, Err(error) if matches!(error.kind(), Kind::Interrupted | Kind::Signal(_))) {
        ui.clear_line();
    }
    // Something may still be read on a thread of its own.
    runtime.shutdown_background();
    result
}

/// Help and version go to standard output and are no failure; everything else is exit code 2.
fn parse_failure(mut error: clap::Error, line: &[OsString]) -> u8 {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(word)) = error.get(kind) {
            let shown = cluster::without_secrets(word, line);
            error.insert(kind, ContextValue::String(shown));
        }
    }
    // That a flag could be a name, behind `--`, is the parser's idea alone.
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let tips: Vec<_> = tips.into_iter().filter(|tip| !tip.to_string().contains("as a value")).collect();
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    let ui = Ui::new(Color::Auto);
    let (text, is_failure) = (error.render(), error.use_stderr());
    let is_colored = if is_failure { ui.err_style() } else { ui.out_style() }.colored;
    let text = if is_colored { text.ansi().to_string() } else { text.to_string() };
    if is_failure {
        ui.status(&text);
    } else {
        // A reader that went away needs no help.
        let _ = ui.data(&text);
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
        _ => Kind::Usage.code(),
    }
}
