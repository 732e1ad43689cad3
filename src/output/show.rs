//! The text of `show` and `sticky get`.

use super::{draft::ENTRY, duration, escaped, table::table};
use crate::{
    flagger::{Declared, Progress},
    model::{Cookie, FIELDS, Field, declaration},
    observed::{Observed, State, TraefikServiceState},
    traefik::Weight,
};

/// Displayed name of a cookie without a name, which Traefik then derives.
const DERIVED: &str = "<derived>";

/// Options of the table.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Whether the first column is the namespace.
    pub namespace: bool,
    /// Whether there are more columns.
    pub wide: bool,
    /// Whether the last column is the manifest of the Canary.
    pub file: bool,
    /// Whether there is a column with the step of the rollout.
    pub step: bool,
    /// Whether there is a column with the time until Flagger's next check.
    pub next: bool,
    /// Whether there is a line of headings.
    pub headers: bool,
    /// Current time in Unix seconds.
    pub now: i64,
}

/// Returns the table of `show`.
pub fn rows(observed: &[Observed], columns: Columns) -> String {
    let heads = if columns.headers { heads(columns) } else { Vec::new() };
    table(&heads, observed.iter().map(|observed| row(observed, columns)))
}

/// Returns the headings.
pub fn heads(columns: Columns) -> Vec<&'static str> {
    let mut heads = vec!["NAME", "PHASE", "WEIGHT", "COOKIE", "STATE", "PROTECTED", "AGE"];
    if columns.next {
        heads.insert(3, "NEXT");
    }
    if columns.step {
        heads.insert(3, "STEP");
    }
    if columns.namespace {
        heads.insert(0, "NAMESPACE");
    }
    if columns.wide {
        heads.extend(["TRAEFIKSERVICE", "DECLARED", "LIVE", "ENTRY"]);
    }
    if columns.file {
        heads.push("FILE");
    }
    heads
}

/// Returns the cells of one Canary.
pub fn row(observed: &Observed, columns: Columns) -> Vec<String> {
    let canary = &observed.canary;
    let none = || "<none>".to_owned();
    let mut cells = vec![
        canary.target.name.clone(),
        canary.phase.clone().unwrap_or_else(none),
        weights(observed),
        observed.cookie().map_or_else(|| unseen(observed), |cookie| cookie.name().unwrap_or(DERIVED).to_owned()),
        observed.whole_state().as_str().to_owned(),
        observed.protection().as_str().to_owned(),
        age(canary.created.as_deref(), columns.now),
    ];
    let progress = canary.progress(observed.canary_weight());
    if columns.next {
        cells.insert(3, next(progress, columns.now));
    }
    if columns.step {
        let step = progress.filter(|progress| progress.steps > 0);
        cells
            .insert(3, step.map_or_else(|| "-".to_owned(), |progress| format!("{}/{}", progress.step, progress.steps)));
    }
    if columns.namespace {
        cells.insert(0, canary.target.namespace.clone().unwrap_or_else(none));
    }
    if columns.wide {
        let service = match &observed.service {
            TraefikServiceState::Present(service) | TraefikServiceState::Foreign(service) => {
                format!("{}/{}", service.group.as_str(), service.target.name)
            }
            _ => unseen(observed),
        };
        let declared = match &canary.declared {
            Declared::Malformed(text, _) => Some(text.clone()),
            declared => declared.cookie().map(printed),
        };
        cells.push(service);
        cells.push(declared.unwrap_or_else(none));
        cells.push(observed.live_cookie().map_or_else(|| unseen(observed), printed));
        let live = || observed.live_entry.as_ref().map(ToString::to_string);
        cells.push(declared_entry(observed).or_else(live).unwrap_or_else(none));
    }
    if columns.file {
        cells.push(observed.manifest.as_ref().map_or_else(none, ToString::to_string));
    }
    cells
}

/// Returns the time until Flagger's next check.
fn next(progress: Option<Progress>, now: i64) -> String {
    match progress.and_then(|progress| progress.next_check) {
        None => "-".to_owned(),
        Some(at) if at <= now => "now".to_owned(),
        Some(at) => duration::age(at - now),
    }
}

/// Returns the placeholder for something that does not exist or may not be read.
fn unseen(observed: &Observed) -> String {
    if observed.forbidden().is_some() { "<unknown>".into() } else { "<none>".into() }
}

/// Returns the cookie in the declaration's syntax; one without any field would be an empty text.
fn printed(cookie: &Cookie) -> String {
    let text = declaration::print(cookie);
    if text.is_empty() { DERIVED.into() } else { text }
}

/// Returns the weights that Traefik uses: `70/30`, `100/-` without a canary.
pub fn weights(observed: &Observed) -> String {
    if observed.service().is_none() {
        return unseen(observed);
    }
    let text = |weight: Option<Weight>| weight.map_or_else(|| "-".to_owned(), |weight| weight.in_traefik().to_string());
    let (primary, canary) = observed.weights();
    format!("{}/{}", text(primary), text(canary))
}

/// Returns the declared entry in words, if there is one.
fn declared_entry(observed: &Observed) -> Option<String> {
    let entry = observed.canary.entry.as_ref()?;
    Some(entry.as_ref().map_or_else(|_| "<malformed>".to_owned(), ToString::to_string))
}

/// Returns the time since this moment.
pub(super) fn age(moment: Option<&str>, now: i64) -> String {
    match moment.and_then(|moment| moment.parse::<jiff::Timestamp>().ok()) {
        Some(moment) => duration::age(now - moment.as_second()),
        None => "<unknown>".into(),
    }
}

/// Returns the cookie of one Canary field by field: flag, declared, live. A malformed declaration adds one row.
pub fn fields(observed: &Observed) -> Vec<[String; 3]> {
    let (declared, live) = (observed.canary.declared.cookie(), observed.live_cookie());
    let text = |cookie: Option<&Cookie>, field: &Field| match cookie?.get(field) {
        Some(value) => Some(value.to_string()),
        None => (*field == FIELDS[0]).then(|| DERIVED.to_owned()),
    };
    let mut rows: Vec<[String; 3]> = FIELDS
        .iter()
        .filter_map(|field| {
            let (declared, live) = (text(declared, field), text(live, field));
            let unset = || "<unset>".to_owned();
            let unseen = || if observed.forbidden().is_some() { unseen(observed) } else { unset() };
            (declared.is_some() || live.is_some())
                .then(|| [field.flag.to_owned(), declared.unwrap_or_else(unset), live.unwrap_or_else(unseen)])
        })
        .collect();
    if let Declared::Malformed(text, _) = &observed.canary.declared {
        rows.push(["<malformed>".into(), text.clone(), unseen(observed)]);
    }
    if observed.entry != State::None {
        let declared = declared_entry(observed).unwrap_or_else(|| "<unset>".to_owned());
        let live = match (&observed.live_entry, observed.entry) {
            (Some(entry), _) => entry.to_string(),
            (None, State::Unknown) => "<unknown>".to_owned(),
            (None, _) => "<unset>".to_owned(),
        };
        rows.push([ENTRY.to_owned(), declared, live]);
    }
    rows
}

/// Returns the state of the entry with the reason; `None` if there is no entry.
pub fn entry(observed: &Observed) -> Option<String> {
    let state = observed.entry.as_str();
    let reason = match observed.entry {
        State::None => return None,
        State::Synced => return Some(state.to_owned()),
        State::Missing => "some of its objects are missing",
        State::Differs => "its objects no longer fit the routes",
        State::Undeclared => "it is not declared, but its objects still exist",
        State::Pending if observed.service().is_none() => "its TraefikService does not exist",
        State::Pending => "there is no route to the TraefikService that it applies to",
        State::Refused | State::Malformed | State::Unknown => &observed.entry_reasons.join("; "),
    };
    Some(format!("{state}: {reason}"))
}

/// Returns the text of `sticky get` for Canaries of one name: each under its manifest, unless there is only one.
pub fn cookies(observed: &[Observed], headers: bool) -> String {
    if let [one] = observed {
        return cookie(one, headers);
    }
    let of_manifest = |observed: &Observed| {
        let manifest = observed.manifest.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}:\n{}", escaped(&manifest), cookie(observed, headers))
    };
    observed.iter().map(of_manifest).collect::<Vec<_>>().join("\n")
}

/// Returns the text of `sticky get`: the cookie field by field, its state and what protects it.
fn cookie(observed: &Observed, headers: bool) -> String {
    let rows = fields(observed);
    let mut shown = if rows.is_empty() {
        String::new()
    } else {
        table(if headers { &["FIELD", "DECLARED", "LIVE"] } else { &[] }, rows.into_iter().map(Vec::from)) + "\n"
    };
    let source = match &observed.canary.declared {
        Declared::Nothing if observed.state() == State::Undeclared => "only live",
        Declared::Nothing => "nothing is declared",
        Declared::Native(..) => "declared in spec.service.traefik.sticky.cookie",
        Declared::Annotation(_) | Declared::Malformed(..) => "declared in an annotation",
    };
    shown.push_str(&format!("state       {} ({source})\n", observed.whole_state().as_str()));
    if let Declared::Malformed(_, malformed) = &observed.canary.declared {
        shown.push_str(&format!("why         {}\n", escaped(&malformed.to_string())));
    }
    if let Some(entry) = entry(observed) {
        shown.push_str(&format!("entry       {}\n", escaped(&entry)));
    }
    shown.push_str(&format!("protected   {}\n", observed.protection().as_str()));
    shown
}
