//! Commands that undo a change.

use super::{Plan, Scope};
use crate::{
    model::{Cookie, FIELDS, Field, FieldValue},
    text::quoted,
};

/// Returns the arguments after `kubectl canary-traefik` that undo a plan, without the namespace. Several commands are
/// run one after the other.
///
/// If a guard protects the declared cookie (`is_kept`), no other cookie can be live while one is declared: a different
/// live cookie is then not restored, only the declared one.
pub fn arguments(plan: &Plan, is_protected: bool) -> Vec<String> {
    let name = &plan.target.name;
    let (before, after) = (&plan.before, &plan.after);
    let declared = (before.declared.as_ref(), after.declared.as_ref());
    let live = (before.live.as_ref(), after.live.as_ref());
    let follows = is_protected && declared.0.is_some() && live.0 != live.1;
    if declared.0 != declared.1 && (declared == live || follows) {
        return vec![restore(name, declared, None, Scope::Both)];
    }
    if follows {
        return Vec::new();
    }
    let mut commands = Vec::new();
    if declared.0 != declared.1 {
        // A plain `remove` also removes the live cookie, and a plain `set` makes the cookie live.
        let scope = if declared.0.is_none() && live == (None, None) { Scope::Both } else { Scope::DeclareOnly };
        commands.push(restore(name, declared, live.1, scope));
    }
    if live.0 != live.1 {
        // By then, the declaration is restored.
        commands.push(restore(name, live, declared.0, Scope::LiveOnly));
    }
    commands
}

/// Returns the arguments that make the same change of the declaration; the user adds the file.
pub fn declaring(plan: &Plan) -> String {
    let (before, after) = (plan.before.declared.as_ref(), plan.after.declared.as_ref());
    restore(&plan.target.name, (after, before), None, Scope::Both)
}

/// Returns a command that restores the former cookie from the current one. Without a current one, `set` starts from
/// `other`.
fn restore(name: &str, (was, is): (Option<&Cookie>, Option<&Cookie>), other: Option<&Cookie>, scope: Scope) -> String {
    let scope = scope_flag(scope);
    let Some(was) = was else { return format!("sticky remove {name}{scope}") };
    let start = is.or(other);
    let mut flags = String::new();
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

fn scope_flag(scope: Scope) -> &'static str {
    match scope {
        Scope::Both => "",
        Scope::LiveOnly => " --live-only",
        Scope::DeclareOnly => " --declare-only",
    }
}

/// Returns the `sticky set` command that turns `before` into this cookie, with every field of it named.
pub fn set_command(name: &str, cookie: &Cookie, before: Option<&Cookie>, scope: Scope) -> String {
    let mut flags = String::new();
    for field in &FIELDS {
        match (cookie.get(field), before.and_then(|before| before.get(field))) {
            (Some(value), _) => flags.push_str(&flag(field, value)),
            (None, Some(_)) => flags.push_str(&format!(" --unset {}", field.flag)),
            (None, None) => {}
        }
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
