//! The commands that take a change back.

use super::{Plan, Scope};
use crate::{
    model::{Cookie, FIELDS, Field, FieldValue},
    text::quoted,
};

/// The arguments after `kubectl canary-traefik` that bring back what was before, without the namespace. Several
/// commands are run one after the other.
///
/// Where a guard keeps what is declared (`is_kept`), nothing else can be made live as long as anything is declared: what
/// was live beside another declaration is not brought back, but what was declared.
pub fn arguments(plan: &Plan, is_kept: bool) -> Vec<String> {
    let name = &plan.target.name;
    let (before, after) = (&plan.before, &plan.after);
    let declared = (before.declared.as_ref(), after.declared.as_ref());
    let live = (before.live.as_ref(), after.live.as_ref());
    let follows = is_kept && declared.0.is_some() && live.0 != live.1;
    if declared.0 != declared.1 && (declared == live || follows) {
        return vec![restore(name, declared, None, Scope::Both)];
    }
    if follows {
        return Vec::new();
    }
    let mut commands = Vec::new();
    if declared.0 != declared.1 {
        // A plain `remove` takes what is live away too, a plain `set` makes the cookie live.
        let scope = if declared.0.is_none() && live == (None, None) { Scope::Both } else { Scope::DeclareOnly };
        commands.push(restore(name, declared, live.1, scope));
    }
    if live.0 != live.1 {
        // By then the declaration is what it was.
        commands.push(restore(name, live, declared.0, Scope::LiveOnly));
    }
    commands
}

/// The arguments that make the same change of the declaration, to be typed with the file it stands in.
pub fn declaring(plan: &Plan) -> String {
    let (before, after) = (plan.before.declared.as_ref(), plan.after.declared.as_ref());
    restore(&plan.target.name, (after, before), None, Scope::Both)
}

/// One command from the cookie that is to the cookie that was. Where there is none, `set` starts from `other`.
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
        // A cookie without any field, where there is none now.
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

/// The `sticky set` that gives this cookie, every field named, where there was another.
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

/// The flag that sets this value, with a blank before it.
pub fn flag(field: &Field, value: &FieldValue) -> String {
    match value {
        FieldValue::On => format!(" --{}", field.flag),
        FieldValue::Seconds(seconds) => format!(" --{} {seconds}", field.flag),
        // Behind a blank it would be taken for a flag.
        FieldValue::Text(text) if text.starts_with('-') => format!(" --{}={}", field.flag, quoted(text)),
        FieldValue::Text(text) => format!(" --{} {}", field.flag, quoted(text)),
    }
}
