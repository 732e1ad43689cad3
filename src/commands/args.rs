//! Flags shared by several commands.

use std::{convert::Infallible, ffi::OsStr};

use clap::{
    Arg, Args, Command, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    error::ErrorKind,
};

use crate::{
    cluster::Selection,
    context::{Context, FileArgs},
    error::{Error, Result},
    model::selector,
    output::{self, Format, change::DryRun, printer::Printer},
    plan::Scope,
};

/// The Canary that a command is about, on a cluster or in manifests.
#[derive(Debug, Clone, Args)]
pub(crate) struct CanaryArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = canary_name)]
    pub name: String,

    #[command(flatten)]
    pub files: FileArgs,
}

/// Arguments that select Canaries.
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// Canaries; all Canaries in the namespace if none is named
    #[arg(value_name = "NAME", value_parser = canary_name)]
    pub names: Vec<String>,

    /// Look in all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// Only Canaries with these labels: key=value, key!=value, key in (a,b), key or !key, separated by commas
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
}

impl SelectArgs {
    /// Rejects names combined with -A or -l, and an invalid label selector.
    ///
    /// # Errors
    ///
    /// Kind `Usage`.
    pub(crate) fn check(&self) -> Result<()> {
        let clash = if self.names.is_empty() {
            None
        } else if self.all_namespaces {
            Some("-A")
        } else {
            self.selector().map(|_| "-l")
        };
        match clash {
            Some(flag) => Err(Error::usage(format!("names and {flag} cannot be given together"))
                .hint("name the Canaries, or select them, not both")),
            None => self.selector().map_or(Ok(()), |text| match selector::parse(text) {
                Ok(_) => Ok(()),
                Err(reason) => Err(Error::usage(format!("label selector: {reason}"))
                    .hint("use -l 'key=value,key!=value,key in (a,b),key,!key'")),
            }),
        }
    }

    /// Returns the namespace and labels to select by; `default` is the namespace if neither -n nor -A is given (`None`
    /// for manifests: all namespaces).
    pub(crate) fn selection<'a>(&'a self, ctx: &'a Context, default: Option<&'a str>) -> Selection<'a> {
        Selection {
            namespace: if self.all_namespaces { None } else { ctx.namespace().or(default) },
            selector: self.selector(),
        }
    }

    /// Returns the label selector. As with kubectl, an empty selector selects everything: `-l "$SELECTOR"`.
    pub(crate) fn selector(&self) -> Option<&str> {
        self.selector.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// Returns kubectl's message for an empty list.
    pub(crate) fn nothing(&self, ctx: &Context, default: Option<&str>) -> String {
        match self.selection(ctx, default).namespace {
            Some(namespace) => format!("No resources found in {} namespace.", output::escaped(namespace)),
            None => "No resources found".into(),
        }
    }
}

/// Returns the parser of a `-o` that offers these formats.
pub(crate) fn format_of<const N: usize>(offered: [&'static str; N]) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(offered).map(|name| Format::from_str(&name, false).expect("one of those offered"))
}

/// Returns the name of a Canary as typed: `NAME`, or as kubectl prints it, such as `canary.flagger.app/NAME`.
///
/// # Errors
///
/// Never; what cannot be a name is refused where it is used.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers can fail")]
pub(crate) fn canary_name(text: &str) -> Result<String, Infallible> {
    const KINDS: [&str; 6] = [
        "canary",
        "canaries",
        "canary.flagger.app",
        "canaries.flagger.app",
        "canary.v1beta1.flagger.app",
        "canaries.v1beta1.flagger.app",
    ];
    let name = text.split_once('/').filter(|(kind, _)| KINDS.contains(&kind.to_lowercase().as_str()));
    Ok(name.map_or(text, |(_, name)| name).to_owned())
}

/// The parser of a `-o` that also offers templates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrinterParser(pub &'static [&'static str]);

impl TypedValueParser for PrinterParser {
    type Value = Printer;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Printer, clap::Error> {
        let text = value.to_string_lossy();
        match Printer::parse(&text, self.0) {
            Some(Ok(printer)) => Ok(printer),
            Some(Err(problem)) => {
                let name = arg.map(ToString::to_string).unwrap_or_default();
                let message = format!("invalid value '{text}' for '{name}': {problem}");
                Err(clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command))
            }
            // The same words as for any other flag.
            None => PossibleValuesParser::new(self.0).parse_ref(command, arg, value).map(|_| Printer::default()),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|&format| PossibleValue::new(format))))
    }
}

/// The output format of commands that read.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArgs {
    /// Output format; jsonpath=TEMPLATE and custom-columns=HEADER:PATH,... as in kubectl, over the fields of -o json
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table", hide_default_value = true,
          value_parser = PrinterParser(&["table", "wide", "json", "yaml", "name", Printer::JSONPATH, Printer::CUSTOM_COLUMNS]))]
    pub output: Printer,

    /// Print no headings
    #[arg(long)]
    pub no_headers: bool,
}

/// Flags that say whether to write, and whether to ask first.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Writing")]
pub(crate) struct ConfirmArgs {
    /// Make the change without asking for confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,

    /// Only show what would change
    #[arg(long, value_name = "WHERE", default_value = "none", hide_default_value = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "client")]
    pub dry_run: DryRun,
}

impl ConfirmArgs {
    /// Returns the answer to a question, which `--yes` gives; `None` if there is no terminal to ask on.
    pub(crate) async fn consent(&self, ctx: &Context, question: &str) -> Result<Option<bool>> {
        if self.yes { Ok(Some(true)) } else { ctx.ui.ask(question).await }
    }
}

/// Flags of commands that change cookies.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Writing")]
pub(crate) struct WriteArgs {
    #[command(flatten)]
    pub confirm: ConfirmArgs,

    /// Overwrite the cookie and the entry's objects even where another field manager owns them
    #[arg(long)]
    pub force_conflicts: bool,

    /// Change only the live cookie, not the declaration; lasts until Flagger's next write
    #[arg(long, conflicts_with = "declare_only")]
    live_only: bool,

    /// Change only the declaration on the Canary
    #[arg(long)]
    declare_only: bool,

    /// Print the changed objects instead of a summary line for each
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["yaml", "json", "name"]))]
    output: Option<Format>,
}

impl WriteArgs {
    /// Returns the scope chosen by `--live-only` or `--declare-only`.
    pub(crate) fn scope(&self) -> Scope {
        match (self.live_only, self.declare_only) {
            (true, _) => Scope::LiveOnly,
            (_, true) => Scope::DeclareOnly,
            _ => Scope::Both,
        }
    }

    /// Returns the output format chosen by `-o`.
    pub(crate) fn output(&self) -> Format {
        self.output.unwrap_or_default()
    }
}
