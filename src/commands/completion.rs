//! `completion`: how shells and kubectl learn to complete command lines of this program.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    completion::{self, Shell},
    context::Context,
    error::{Exit, Result},
    files::{self, Linked},
};

/// The name by which kubectl asks (kubernetes/kubectl `pkg/cmd/plugin/plugin_completion.go`).
pub const ASKED: &str = "kubectl_complete-canary_traefik";

/// Print a shell's completion script, or install what kubectl asks
///
/// The script completes the executable kubectl-canary_traefik itself, when it is run by that name. kubectl
/// completes `kubectl canary-traefik` by asking an executable of another name on the PATH, which completion
/// install puts there; its own completion has to be set up too (kubectl completion --help).
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  # Complete kubectl canary-traefik, in every shell that completes kubectl\n  kubectl canary-traefik completion install\n\n  # Complete kubectl-canary_traefik in this bash\n  source <(kubectl-canary_traefik completion bash)"
)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL", required = true)]
    shell: Option<Shell>,

    #[command(subcommand)]
    command: Option<CompletionCommand>,
}

#[derive(Debug, Subcommand)]
enum CompletionCommand {
    Install(InstallArgs),
}

/// Install what kubectl asks to complete kubectl canary-traefik
///
/// A link named kubectl_complete-canary_traefik to this executable. It can be run again, and has to be when the
/// executable has moved.
#[derive(Debug, Args)]
struct InstallArgs {
    /// The folder, which has to be on the PATH; without it the one of the executable
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Runs `completion`.
pub fn run(ctx: &Context, args: &CompletionArgs) -> Result<Exit> {
    match (&args.command, args.shell) {
        (Some(CompletionCommand::Install(args)), _) => install(ctx, args),
        (None, Some(shell)) => ctx.ui.to_the_byte(&completion::script(shell)).map(|()| Exit::Ok),
        (None, None) => unreachable!("the parser asks for one of them"),
    }
}

fn install(ctx: &Context, args: &InstallArgs) -> Result<Exit> {
    let program = ctx.environment.executable()?;
    let folder = args.dir.as_deref().or(program.parent()).unwrap_or(std::path::Path::new("."));
    let name = if cfg!(windows) { format!("{ASKED}.exe") } else { ASKED.to_owned() };
    let path = folder.join(name);
    let word = match files::link(&program, &path)? {
        Linked::Made => "created",
        Linked::Moved => "configured",
        Linked::AsBefore => "unchanged",
    };
    ctx.ui.data(&format!("{} {word}\n", path.display()))?;
    if !ctx.environment.is_on_path(folder) {
        ctx.ui.warning(&format!("{} is not on the PATH: kubectl will not find it there", folder.display()));
    }
    Ok(Exit::Ok)
}
