//! Differences of objects as unified diffs of their YAML.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{
    escaped,
    style::{Meaning, Style},
};
use crate::yaml;

/// An object as it is compared: without the bookkeeping of the server and of `kubectl apply`, which changes
/// with every write and says nothing.
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

/// The unified diff of two texts with three lines of context; empty when they are equal. `was` says what the
/// first text is: `live`, `before`.
pub fn unified(name: &str, was: &str, before: &str, after: &str, style: Style) -> String {
    let diff = TextDiff::from_lines(before, after);
    if diff.ratio() >= 1.0 {
        return String::new();
    }
    let mut text = String::new();
    let mut line = |meaning: Option<Meaning>, content: &str| {
        // A tab moves the cursor and does no more.
        let content = content.split('\t').map(escaped).collect::<Vec<_>>().join("\t");
        text.push_str(&meaning.map_or_else(|| content.clone(), |meaning| style.paint(meaning, &content)));
        text.push('\n');
    };
    line(Some(Meaning::Removed), &format!("--- {name} ({was})"));
    line(Some(Meaning::Added), &format!("+++ {name} (after)"));
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        line(Some(Meaning::Hunk), hunk.header().to_string().trim_end());
        for change in hunk.iter_changes() {
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
