//! Unified diffs of objects as YAML.

use serde_json::Value;
use similar::{
    ChangeTag, DiffOp,
    algorithms::{Capture, Compact, Replace, myers},
    group_diff_ops,
    udiff::UnifiedHunkHeader,
};

use super::{
    escaped,
    style::{Meaning, Style},
};
use crate::yaml;

/// Returns an object as YAML for comparison, without the bookkeeping of the server and of `kubectl apply`, which
/// changes with every write and is of no interest.
pub fn comparable(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(key);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|fields| !fields.is_empty()));
    }
    yaml::print(&object)
}

/// Returns the unified diff of two texts with three lines of context; empty if they are equal. `was` and `becomes` describe
/// the texts: `live`, `after`.
pub fn unified(name: &str, (was, becomes): (&str, &str), before: &str, after: &str, style: Style) -> String {
    const CONTEXT: usize = 3;
    if before == after {
        return String::new();
    }
    let (old, new): (Vec<_>, Vec<_>) = (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let mut text = String::new();
    let mut line = |meaning: Option<Meaning>, content: &str| {
        // A tab is harmless in a terminal, so it stays.
        let content = content.split('\t').map(escaped).collect::<Vec<_>>().join("\t");
        text.push_str(&meaning.map_or_else(|| content.clone(), |meaning| style.paint(meaning, &content)));
        text.push('\n');
    };
    line(Some(Meaning::Removed), &format!("--- {name} ({was})"));
    line(Some(Meaning::Added), &format!("+++ {name} ({becomes})"));
    for hunk in group_diff_ops(operations(&old, &new), CONTEXT) {
        line(Some(Meaning::Hunk), &UnifiedHunkHeader::new(&hunk).to_string());
        for change in hunk.iter().flat_map(|operation| operation.iter_changes(&*old, &*new)) {
            let (meaning, sign) = match change.tag() {
                ChangeTag::Equal => (None, ' '),
                ChangeTag::Delete => (Some(Meaning::Removed), '-'),
                ChangeTag::Insert => (Some(Meaning::Added), '+'),
            };
            let content = change.value().trim_end_matches('\n');
            line(meaning, &format!("{sign}{}", content.strip_suffix('\r').unwrap_or(content)));
        }
    }
    text
}

/// Returns the operations that turn one text into the other. Calls the algorithm directly: the crate's own front end
/// compiles in six of them, 0.3 MB.
fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    match myers::diff(&mut hook, old, 0..old.len(), new, 0..new.len()) {
        Ok(()) => hook.into_inner().into_inner().into_ops(),
    }
}
