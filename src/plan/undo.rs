//! Commands that undo a change.

use serde_json::Value;

use super::{Plan, Scope};
use crate::{
    model::{
        Entry, FIELDS, Field, FieldValue, Stickiness,
        declaration::{self, ANNOTATION},
        entry::ENTRY_ANNOTATION,
        view,
    },
    text::quoted,
};

/// Returns the arguments after `kubectl canary-traefik` that undo a plan, without the namespace. Several commands are
/// run one after the other.
///
/// If a guard protects the declared cookie, nothing else can be live while one is declared: another live cookie or entry is
/// then not restored, only what is declared.
pub fn arguments(plan: &Plan, is_protected: bool) -> Vec<String> {
    let name = &plan.target.name;
    let (before, after) = (&plan.before, &plan.after);
    let declared = (&before.declared, &after.declared);
    let (live_before, live_after) = (with_effect(&before.live), with_effect(&after.live));
    let live = (&live_before, &live_after);
    let follows = is_protected && declared.0.cookie.is_some() && live.0 != live.1;
    if declared.0 != declared.1 && (declared == live || follows) {
        return vec![restore(name, declared, None, Scope::Both)];
    }
    if follows {
        return Vec::new();
    }
    let mut commands = Vec::new();
    let nothing = Stickiness::default();
    if declared.0 != declared.1 {
        // A plain `remove` also removes the live cookie, and a plain `set` makes the cookie live.
        let both = *declared.0 == nothing && live == (&nothing, &nothing);
        let scope = if both { Scope::Both } else { Scope::DeclareOnly };
        commands.push(restore(name, declared, Some(live.1), scope));
    }
    if live.0 != live.1 {
        // By then, the declaration is restored.
        commands.push(restore(name, live, Some(declared.0), Scope::LiveOnly));
    }
    commands
}

/// Returns the arguments after `kubectl` that bring back the annotations of a declaration that no command of this program can
/// make: malformed ones, or an entry without a cookie. `None` if these commands can, or if nothing was changed. The live
/// side is then restored by [`live_arguments`].
pub fn annotating(name: &str, before: &Value, after: &Value, declared: &Stickiness) -> Option<String> {
    let text = |object: &Value, key: &str| view::owned(object, &["metadata", "annotations", key]);
    let [cookie, entry] = [ANNOTATION, ENTRY_ANNOTATION].map(|key| text(before, key).is_some());
    let is_half = (cookie || entry) && declared.cookie.is_none() || entry && declared.entry.is_none();
    let keys = [ANNOTATION, ENTRY_ANNOTATION].into_iter();
    let changed = keys.filter(|key| text(before, key) != text(after, key));
    let words: String = changed
        .map(|key| match text(before, key) {
            Some(value) => format!(" {}", quoted(&format!("{key}={value}"))),
            None => format!(" {key}-"),
        })
        .collect();
    (is_half && !words.is_empty()).then(|| format!("annotate --overwrite canaries.flagger.app {name}{words}"))
}

/// Returns whether an annotation of a declaration is malformed.
pub fn is_malformed(canary: &Value) -> bool {
    let text = |key: &str| view::text(canary, &["metadata", "annotations", key]);
    text(ANNOTATION).is_some_and(|text| declaration::parse(text).is_err())
        || text(ENTRY_ANNOTATION).is_some_and(|text| Entry::parse(text).is_err())
}

/// Returns the arguments that undo the change of what is live, likewise, once the declaration is as it was.
pub fn live_arguments(plan: &Plan) -> Option<String> {
    let (before, after) = (with_effect(&plan.before.live), with_effect(&plan.after.live));
    let declared = Some(&plan.before.declared);
    (before != after).then(|| restore(&plan.target.name, (&before, &after), declared, Scope::LiveOnly))
}

/// Returns a live side without an entry that has no cookie: no pin can begin there.
pub(crate) fn with_effect(side: &Stickiness) -> Stickiness {
    if side.cookie.is_none() { Stickiness::default() } else { side.clone() }
}

/// Returns the arguments that make the same change of the declaration; the user adds the file.
pub fn declaring(plan: &Plan) -> String {
    restore(&plan.target.name, (&plan.after.declared, &plan.before.declared), None, Scope::Both)
}

/// Returns a command that restores the former state from the current one. Without a current cookie, `set` starts from
/// `other`.
fn restore(name: &str, (was, is): (&Stickiness, &Stickiness), other: Option<&Stickiness>, scope: Scope) -> String {
    let scope = scope_flag(scope);
    // `set` starts from the other side where this one has no cookie.
    let other = other.filter(|_| is.cookie.is_none());
    let start_entry = is.entry.as_ref().or_else(|| other?.entry.as_ref());
    let mut flags = match (was.entry.as_ref(), start_entry) {
        (was, is) if was == is => String::new(),
        (Some(entry), _) => entry_flags(entry),
        (None, _) => " --unset entry".to_owned(),
    };
    let Some(was) = &was.cookie else { return format!("sticky remove {name}{scope}") };
    let is = is.cookie.as_ref();
    let start = is.or_else(|| other?.cookie.as_ref());
    for field in &FIELDS {
        match (was.get(field), is.and_then(|is| is.get(field))) {
            (Some(value), now) if now != Some(value) => flags.push_str(&flag(field, value)),
            (None, _) if start.is_some_and(|start| start.get(field).is_some()) => {
                flags.push_str(" --unset ");
                flags.push_str(field.flag);
            }
            _ => {}
        }
    }
    if flags.is_empty() {
        // The former cookie has no fields, and there is none now.
        flags.push_str(&format!(" --unset {}", FIELDS[0].flag));
    }
    format!("sticky set {name}{flags}{scope}")
}

/// Returns the flags that set an entry, each with a leading space.
fn entry_flags(entry: &Entry) -> String {
    entry.paths().iter().map(|path| format!(" --entry {}", quoted(path))).collect()
}

fn scope_flag(scope: Scope) -> &'static str {
    match scope {
        Scope::Both => "",
        Scope::LiveOnly => " --live-only",
        Scope::DeclareOnly => " --declare-only",
    }
}

/// Returns the `sticky set` command that turns `before` into this cookie and entry, with every part of them named.
pub fn set_command(name: &str, wanted: &Stickiness, before: &Stickiness, scope: Scope) -> String {
    let mut flags = String::new();
    for field in &FIELDS {
        let of = |side: &Stickiness| side.cookie.as_ref().and_then(|cookie| cookie.get(field)).cloned();
        match (of(wanted), of(before)) {
            (Some(value), _) => flags.push_str(&flag(field, &value)),
            (None, Some(_)) => flags.push_str(&format!(" --unset {}", field.flag)),
            (None, None) => {}
        }
    }
    match (&wanted.entry, &before.entry) {
        (Some(entry), _) => flags.push_str(&entry_flags(entry)),
        (None, Some(_)) => flags.push_str(" --unset entry"),
        (None, None) => {}
    }
    if flags.is_empty() {
        flags.push_str(&format!(" --unset {}", FIELDS[0].flag));
    }
    format!("sticky set {name}{flags}{}", scope_flag(scope))
}

/// Returns the flag that sets this value, with a leading space.
pub fn flag(field: &Field, value: &FieldValue) -> String {
    match value {
        FieldValue::On => format!(" --{}", field.flag),
        FieldValue::Seconds(seconds) => format!(" --{} {seconds}", field.flag),
        // After a space it would be taken for a flag.
        FieldValue::Text(text) if text.starts_with('-') => format!(" --{}={}", field.flag, quoted(text)),
        FieldValue::Text(text) => format!(" --{} {}", field.flag, quoted(text)),
    }
}
