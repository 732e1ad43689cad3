//! Prints what clap says of a command line that it does not accept.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{
    apiserver,
    error::{Error, Kind},
    text::{is_near, without_passwords},
    ui::{Color, Ui},
};

/// Drops clap's tips that are too far from what was typed: by its own measure `--no-headers` is similar to `--cache-dir`.
fn drop_far_tips(error: &mut clap::Error) {
    for (typed, tip) in [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ] {
        let Some(ContextValue::String(typed)) = error.get(typed).cloned() else { continue };
        match error.remove(tip) {
            Some(ContextValue::Strings(mut tips)) => {
                tips.retain(|tip| is_near(&typed, tip));
                if !tips.is_empty() {
                    error.insert(tip, ContextValue::Strings(tips));
                }
            }
            Some(ContextValue::String(one)) if !is_near(&typed, &one) => {}
            Some(other) => {
                error.insert(tip, other);
            }
            None => {}
        }
    }
}

/// Prints a parse error, or help and version to standard output. Returns 0 for help and version, else 2.
pub(super) fn parse_failure(mut error: clap::Error, line: &[OsString], as_json: bool) -> u8 {
    drop_far_tips(&mut error);
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(word)) = error.get(kind) {
            let shown = apiserver::without_secrets(word, line);
            error.insert(kind, ContextValue::String(shown));
        }
    }
    // Drop clap's tip to pass the flag as a value after `--`: an unknown flag is never meant as a name.
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let tips: Vec<_> = tips.into_iter().filter(|tip| !tip.to_string().contains("as a value")).collect();
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    let ui = Ui::new(Color::Auto);
    let (text, is_failure) = (error.render(), error.use_stderr());
    let is_colored = !as_json && if is_failure { ui.err_style() } else { ui.out_style() }.colored;
    let text = without_passwords(&if is_colored { text.ansi().to_string() } else { text.to_string() });
    if is_failure && as_json {
        let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message: Vec<_> = message.trim_start_matches("error: ").lines().map(str::trim).collect();
        let failure = Error::usage(message.join(" "));
        let tips = rest.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
        ui.report_errors_as_json();
        ui.error(&tips.fold(failure, Error::hint));
    } else if is_failure {
        ui.status(&text);
    } else {
        // If the reader has gone away, there is nothing to report.
        let _ = ui.data(&text);
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
        _ => Kind::Usage.code(),
    }
}
