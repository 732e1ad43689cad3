//! `lint`: what is wrong with the stickiness of Canaries.

use clap::{Args, Subcommand, ValueEnum};

use super::{args::SelectArgs, left_out, patches};
use crate::{
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    lint::{Finding, Rule, Severity, check},
    observed::Observed,
    output::{
        self, findings,
        lint::{self, Located},
    },
};

/// Find what keeps cookies from working
///
/// Checks each Canary with its TraefikService, the routes that reach or bypass it, other Canaries, and the version
/// and arguments of Traefik where they can be seen. `lint explain` lists the rules; docs/lint.md explains all. A
/// note names what is skipped because you may not read it.
///
/// Exit status: 0 no finding reaches the severity of --fail-on; 1 at least one does; more than 1 an error.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  # Every Canary in the cluster\n  kubectl canary-traefik lint -A\n\n  # Manifests in a pull request, as GitHub annotations\n  kubectl canary-traefik lint -f deploy/ -R -o github --fail-on warning\n\n  # What is CT011?\n  kubectl canary-traefik lint explain CT011"
)]
pub(crate) struct LintArgs {
    #[command(subcommand)]
    command: Option<LintCommand>,

    #[command(flatten)]
    select: SelectArgs,

    /// Exit with 1 if something of at least this severity is found
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// Leave out these rules; repeat or separate with commas
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    ignore: Vec<&'static str>,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    output: LintFormat,

    #[command(flatten)]
    files: FileArgs,
}

#[derive(Debug, Subcommand)]
enum LintCommand {
    Explain(ExplainArgs),
}

/// Explain a rule, or list all rules
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's code, such as CT011
    #[arg(value_name = "CODE", value_parser = code)]
    code: Option<&'static str>,
}

/// What makes the command fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    Text,
    Json,
    Sarif,
    Github,
}

impl FailOn {
    fn is_reached(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity != Severity::Info,
            Self::Never => false,
        }
    }
}

/// Runs `lint`.
pub(crate) async fn run(ctx: &Context, args: &LintArgs) -> Result<Exit> {
    if let Some(LintCommand::Explain(args)) = &args.command {
        let rule = args.code.and_then(Rule::of);
        ctx.ui.data(&rule.map_or_else(lint::rules, |rule| lint::explanation(rule, ctx.width())))?;
        return Ok(Exit::Ok);
    }
    args.select.check()?;
    let source = ctx.source(&args.files).await?;
    let mut linted = source.lint(&args.select.names, args.select.selection(ctx, source.namespace())).await?;
    left_out::note(ctx, linted.split_off_others().iter());
    patches::note(ctx, linted.checked());
    for (need, reason) in &linted.unread {
        ctx.ui.status(&lint::unread(*need, reason));
    }
    let is_wanted = |finding: &Finding| !args.ignore.contains(&finding.code);
    let findings: Vec<_> = linted.findings().into_iter().filter(is_wanted).collect();
    let positions = source.positions(&findings);
    let findings: Vec<_> =
        findings.into_iter().zip(positions).map(|(finding, position)| Located { finding, position }).collect();
    let canaries = linted.checked.len();
    let text = match args.output {
        LintFormat::Text => lint::text(&findings, ctx.width(), ctx.ui.out_style()),
        LintFormat::Json => output::json(&lint::report(&findings, canaries, &linted.unread)),
        LintFormat::Sarif => output::json(&lint::sarif(&findings)),
        LintFormat::Github => lint::annotations(&findings),
    };
    ctx.ui.data(&text)?;
    ctx.ui.status(&lint::summary(&findings, canaries));
    let fails = findings.iter().any(|located| args.fail_on.is_reached(located.finding.severity));
    Ok(if fails { Exit::Found } else { Exit::Ok })
}

/// Reports what is wrong with one Canary by itself, for the other commands.
pub(super) fn tell(ctx: &Context, observed: &Observed) {
    for finding in check(observed) {
        ctx.ui.status(&findings::text(&finding, ctx.ui.err_style()));
    }
}

/// Parses the code of a rule, in whatever case.
fn code(text: &str) -> Result<&'static str, Error> {
    let unknown = || Error::usage("no such rule; kubectl canary-traefik lint explain lists them all");
    Rule::of(text).map(|rule| rule.code).ok_or_else(unknown)
}
