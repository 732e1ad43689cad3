//! `options`: the connection flags, which every command accepts.

use crate::{
    context::Context,
    error::{Exit, Result},
};

/// The heading of the connection flags.
pub(crate) const HEADING: &str = "Connection";

/// Runs `options`: prints the connection flags of this parser.
pub(crate) fn run(ctx: &Context, parser: &clap::Command) -> Result<Exit> {
    let flags = parser.get_arguments().filter(|arg| arg.get_help_heading() == Some(HEADING)).cloned();
    let mut page = clap::Command::new("options")
        .disable_help_flag(true)
        .max_term_width(100)
        .help_template("The following flags can be passed to any command:\n\n{options}\n")
        .args(flags.map(|flag| flag.help_heading(None).hide_short_help(false)));
    ctx.ui.data(&page.render_help().to_string())?;
    Ok(Exit::Ok)
}
