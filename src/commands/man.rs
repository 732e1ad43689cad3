//! `man`: generates the man pages from the parser.

use std::path::PathBuf;

use clap::Args;

use crate::{
    context::Context,
    error::{Exit, Result},
    files, output,
    text::without_password,
};

/// Write the man pages to a directory
///
/// Writes one page for each command, in section 1: kubectl-canary-traefik-show.1. To read one: `man DIR/PAGE`. To
/// find them by name, write them to a directory man1 below a directory of MANPATH.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The directory; created if it does not exist
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
}

const SOURCE: &str = concat!("kubectl-canary-traefik ", env!("CARGO_PKG_VERSION"));

/// Runs `man`: writes a page for each command of this parser.
pub(crate) fn run(ctx: &Context, args: &ManArgs, parser: clap::Command) -> Result<Exit> {
    let pages = pages(parser);
    for (name, text) in &pages {
        files::write_into(&args.dir, name, text)?;
    }
    let folder = without_password(&args.dir.display().to_string());
    ctx.ui.status(&format!("wrote {} to {folder}", output::count(pages.len(), "page", "pages")));
    Ok(Exit::Ok)
}

/// Returns the file name and text of every page.
fn pages(parser: clap::Command) -> Vec<(String, String)> {
    let mut parser =
        parser.display_name("kubectl-canary-traefik").bin_name("kubectl canary-traefik").disable_help_subcommand(true);
    parser.build();
    let mut pages = Vec::new();
    add(&parser, &mut pages);
    pages
}

fn add(command: &clap::Command, pages: &mut Vec<(String, String)>) {
    let page = clap_mangen::Man::new(command.clone()).manual("kubectl canary-traefik").source(SOURCE);
    let mut text = Vec::new();
    page.render(&mut text).expect("memory can be written to");
    pages.push((page.get_filename(), String::from_utf8(text).expect("pages are UTF-8")));
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        add(command, pages);
    }
}
