//! A cookie as text for an editor, and back: YAML with a comment per field, and errors above their lines. Pure.

use serde_json::{Value, json};

use super::escaped;
use crate::{
    model::{Cookie, Entry, FIELDS, Field, FieldValue, Stickiness, field::FieldKind},
    plan::{Scope, merge::Clash, support::Support},
    yaml,
};

/// The key of the entry.
pub const ENTRY: &str = "entry";
/// What an entry is, for the editor, the wizard and the help.
pub const ENTRY_HELP: &str =
    "Paths where logins begin, such as /login: Traefik chooses a track again, and removes all cookies from the request";

/// Prefix of error lines, which are removed when the text is marked again.
const MARK: &str = "#!";

/// The content of the text for an editor.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The Canary, as displayed.
    pub canary: &'a str,
    /// The cookie and the entry to edit.
    pub stickiness: &'a Stickiness,
    /// The live cookie, shown where it differs.
    pub live: Option<&'a Cookie>,
    /// Which fields the cluster can store and its Traefik honours.
    pub support: &'a Support,
    /// Scope of the change.
    pub scope: Scope,
}

/// An error in an edited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// Line, from 1; `None` if the error belongs to no line.
    pub line: Option<usize>,
    /// The reason.
    pub reason: String,
}

/// Writes the text for an editor.
pub fn write(page: Page<'_>) -> String {
    let mut text = format!(
        "# The sticky cookie of Canary {}. Lines that begin with # are ignored.\n\
         # Save an empty or unchanged file to cancel. {{}} means a cookie with default settings.\n\
         # If something is wrong, this file opens again with the reason above the line.\n",
        escaped(page.canary)
    );
    for field in &FIELDS {
        text.push_str(&format!("\n# {}\n", field.describe()));
        for problem in [page.support.refusal(field, page.scope), page.support.ignored(field)].into_iter().flatten() {
            text.push_str(&format!("# NOT SUPPORTED: {}\n", escaped(&problem)));
        }
        let value = page.stickiness.cookie.as_ref().and_then(|cookie| cookie.get(field));
        if let Some(live) = page.live.filter(|live| live.get(field) != value) {
            text.push_str(&format!(
                "# live it is {}\n",
                live.get(field).map_or_else(|| "unset".into(), ToString::to_string)
            ));
        }
        match value {
            Some(value) => text.push_str(&yaml::print(&json!({ (field.key): Field::to_json(value) }))),
            None => text.push_str(&format!("#{}: {}\n", field.key, field.example)),
        }
    }
    text.push_str(&format!("\n# {ENTRY_HELP}; unset = none\n"));
    match &page.stickiness.entry {
        Some(entry) => text.push_str(&yaml::print(&json!({ENTRY: entry.to_string()}))),
        None => text.push_str(&format!("#{ENTRY}: /login\n")),
    }
    text
}

/// Returns whether the text has nothing but comments.
pub fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

/// Reads an edited text. `refusal` returns why a field cannot be set, if so.
///
/// # Errors
///
/// Returns all errors, in the order of the lines.
pub fn read(text: &str, refusal: impl Fn(&Field) -> Option<String>) -> Result<Stickiness, Vec<EditError>> {
    let whole = |line, reason| vec![EditError { line, reason }];
    let entries = yaml::entries(text).map_err(|error| whole(Some(error.line), error.reason))?;
    let entries = entries.ok_or_else(|| whole(None, "this is not a mapping of fields, such as maxAge: 300".into()))?;
    let mut cookie = Cookie::default();
    let mut paths = None;
    let mut wrong = Vec::new();
    for entry in entries {
        if entry.key == ENTRY {
            match entry_of(&entry.value) {
                Ok(read) => paths = read,
                Err(reason) => wrong.push(EditError { line: Some(entry.line), reason: format!("{ENTRY}: {reason}") }),
            }
            continue;
        }
        let value = match Field::by_key(&entry.key) {
            None => {
                let keys: Vec<_> = FIELDS.iter().map(|field| field.key).chain([ENTRY]).collect();
                Err(format!("unknown field; allowed are {}", keys.join(", ")))
            }
            Some(field) => value(field, &entry.value).and_then(|value| match (value, refusal(field)) {
                (Some(_), Some(reason)) => Err(reason),
                (value, _) => Ok(value.map(|value| (field, value))),
            }),
        };
        match value {
            Ok(Some((field, value))) => cookie.set(field, Some(value)),
            Ok(None) => {}
            Err(reason) => wrong.push(EditError { line: Some(entry.line), reason: format!("{}: {reason}", entry.key) }),
        }
    }
    if wrong.is_empty() { Ok(Stickiness { cookie: Some(cookie), entry: paths }) } else { Err(wrong) }
}

/// Parses an entry: its text, or a list of paths.
fn entry_of(value: &Value) -> Result<Option<Entry>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Array(paths) => {
            let paths: Option<Vec<_>> = paths.iter().map(Value::as_str).collect();
            paths.ok_or("must be paths such as /login")?.join(",")
        }
        _ => return Err("must be paths such as /login".into()),
    };
    Entry::parse(&text).map(Some).map_err(|malformed| malformed.to_string())
}

/// Parses a value as users write it in YAML.
fn value(field: &Field, value: &Value) -> Result<Option<FieldValue>, String> {
    match (field.kind, value) {
        (FieldKind::Seconds, Value::Number(number)) => field.parse_typed(&number.to_string()).map(Some),
        (FieldKind::Seconds, Value::String(text)) => field.parse_typed(text).map(Some),
        (FieldKind::Seconds, Value::Bool(_)) => field.parse_typed("").map(Some),
        (FieldKind::Switch, Value::Null | Value::Bool(_)) => field.from_json(value),
        (FieldKind::Switch, _) => Err("must be true or false".into()),
        (_, Value::Bool(_) | Value::Number(_)) => Err(format!("YAML reads this as {value}: put it in quotes")),
        _ => field.from_json(value),
    }
}

/// Puts errors above their lines, in place of former ones.
pub fn mark(text: &str, wrong: &[EditError]) -> String {
    let is_mark = |line: &str| line.starts_with(MARK);
    let comment = |reason: &str| reason.lines().map(|line| format!("{MARK} {}\n", escaped(line))).collect::<String>();
    let last = text.lines().count();
    let (mut body, mut places) = (String::new(), Vec::new());
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let here: Vec<_> =
            wrong.iter().filter(|wrong| wrong.line.map(|line| line.clamp(1, last)) == Some(number)).collect();
        for wrong in &here {
            let reason = comment(&wrong.reason);
            count += reason.lines().count();
            body.push_str(&reason);
        }
        if !is_mark(line) {
            count += 1;
            body.push_str(line);
            body.push('\n');
            if !here.is_empty() {
                places.push(count);
            }
        }
    }
    let general: String =
        wrong.iter().filter(|wrong| wrong.line.is_none()).map(|wrong| comment(&wrong.reason)).collect();
    let above = general.lines().count() + usize::from(!places.is_empty());
    let places: Vec<_> = places.iter().map(|place| (place + above).to_string()).collect();
    let pointer = match places.as_slice() {
        [] => String::new(),
        [one] => format!("{MARK} line {one} is invalid; see the note above that line\n"),
        [more @ .., last] => {
            format!("{MARK} lines {} and {last} are invalid; see the notes above them\n", more.join(", "))
        }
    };
    format!("{general}{pointer}{body}")
}

/// Marks fields that others changed meanwhile in a text of `write`, with the values before and after their change.
pub fn clashing(text: &str, clashes: &[Clash]) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".into());
    let wrong: Vec<_> = clashes
        .iter()
        .map(|clash| {
            let key = clash.key;
            let starts = |line: &str| line.trim_start_matches('#').starts_with(&format!("{key}:"));
            let reason = format!(
                "{key} was changed by someone else while you were editing, from {} to {}; delete this line to overwrite that",
                word(&clash.base),
                word(&clash.theirs)
            );
            EditError { line: text.lines().position(starts).map(|index| index + 1), reason }
        })
        .collect();
    mark(text, &wrong)
}

#[cfg(test)]
mod tests;
