//! `completion`: sets up completion in shells and in kubectl.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    completion::{self, Shell},
    context::Context,
    error::{Exit, Result},
    files::{self, Linked},
};

/// The executable that kubectl runs for completions (kubernetes/kubectl `pkg/cmd/plugin/plugin_completion.go`).
pub(crate) const KUBECTL_COMPLETE: &str = "kubectl_complete-canary_traefik";

/// Set up shell completion
///
/// The script completes kubectl-canary_traefik when it is run by that name. To complete `kubectl canary-traefik`,
/// kubectl calls another executable on the PATH, which completion install creates; kubectl's own completion must be
/// set up too (kubectl completion --help).
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  # Complete kubectl canary-traefik, in every shell that completes kubectl\n  kubectl canary-traefik completion install\n\n  # Complete kubectl-canary_traefik in this bash\n  source <(kubectl-canary_traefik completion bash)"
)]
pub(crate) struct CompletionArgs {
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

/// Install the executable that kubectl calls to complete kubectl canary-traefik
///
/// Creates a symbolic link named kubectl_complete-canary_traefik to this executable. Run it again after moving the
/// executable.
#[derive(Debug, Args)]
struct InstallArgs {
    /// Directory for the link, which must be on the PATH; by default the directory of the executable
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Runs `completion`.
pub(crate) fn run(ctx: &Context, args: &CompletionArgs) -> Result<Exit> {
    match (&args.command, args.shell) {
        (Some(CompletionCommand::Install(args)), _) => install(ctx, args),
        (None, Some(shell)) => ctx.ui.write_raw(&completion::script(shell)).map(|()| Exit::Ok),
        (None, None) => unreachable!("the parser asks for one of them"),
    }
}

fn install(ctx: &Context, args: &InstallArgs) -> Result<Exit> {
    let program = ctx.environment.executable()?;
    let folder = args.dir.as_deref().or(program.parent()).unwrap_or(std::path::Path::new("."));
    let name = if cfg!(windows) { format!("{KUBECTL_COMPLETE}.exe") } else { KUBECTL_COMPLETE.to_owned() };
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
