//! Finds the path of an edit among the nodes of a document. Pure.

use super::super::tree::{Entry, Node, Shape};

/// One step along a path: a mapping, and the index of the next entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'t> {
    pub(super) mapping: &'t Node,
    pub(super) entries: &'t [Entry],
    pub(super) index: usize,
}

impl<'t> Step<'t> {
    pub(super) fn entry(&self) -> &'t Entry {
        &self.entries[self.index]
    }

    pub(super) fn is_flow(&self) -> bool {
        matches!(self.mapping.shape, Shape::Mapping { flow: true, .. })
    }
}

/// How much of a path exists.
pub(super) enum Found<'t> {
    /// The whole path.
    Entry(Vec<Step<'t>>),
    /// The path up to this mapping, which has entries but not the next key.
    Mapping(Vec<Step<'t>>, &'t Node),
    /// The path up to a key whose value is null or an empty mapping.
    Empty(Vec<Step<'t>>),
}

/// Follows the path within the object at `items`.
pub(super) fn find<'t>(root: &'t Node, items: &[usize], path: &[String]) -> Result<Found<'t>, String> {
    let mut node = object(root, items)?;
    let mut steps: Vec<Step<'t>> = Vec::new();
    for key in path {
        let so_far = || path[..steps.len()].join(".");
        let entries = match &node.shape {
            Shape::Mapping { entries, .. } if entries.is_empty() && !steps.is_empty() => {
                return Ok(Found::Empty(steps));
            }
            Shape::Mapping { entries, .. } => entries,
            Shape::Alias => return Err(format!("`{}` is an alias of what is written elsewhere", so_far())),
            _ if node.is_null() && !steps.is_empty() => return Ok(Found::Empty(steps)),
            Shape::Scalar(..) | Shape::Missing | Shape::Sequence(_) => {
                return Err(format!("`{}` is not a mapping", so_far()));
            }
        };
        let Some(index) = entries.iter().position(|entry| entry.key.is(key)) else {
            return Ok(Found::Mapping(steps, node));
        };
        steps.push(Step { mapping: node, entries, index });
        node = &entries[index].value;
    }
    Ok(Found::Entry(steps))
}

fn object<'t>(root: &'t Node, items: &[usize]) -> Result<&'t Node, String> {
    let mut node = root;
    for index in items {
        node = node.items().and_then(|items| items.get(*index)).ok_or("the list is not written out here")?;
    }
    if node.shape == Shape::Alias { Err("it is an alias of what is written elsewhere".to_owned()) } else { Ok(node) }
}

/// Reason to refuse an edit of merged content.
pub(super) const MERGED: &str = "some of it is merged in (`<<`) from elsewhere";

/// Returns a reason if part of the path is defined elsewhere, or may be used elsewhere too.
pub(super) fn shared_reason(root: &Node, items: &[usize], path: &[String]) -> Option<String> {
    let mut node = object(root, items).ok()?;
    let mut merged = None;
    for (depth, key) in path.iter().enumerate() {
        merged = node.get("<<").map(|_| MERGED.to_owned()).or(merged);
        let Some(next) = node.get(key) else { return merged };
        if next.anchored {
            return Some(format!("`{}` has an anchor and may be used elsewhere too", path[..=depth].join(".")));
        }
        node = next;
    }
    merged
}

/// Returns the indentation step of nested block mappings, here or else anywhere in the document.
pub(super) fn indent_step(text: &str, here: &Node, root: &Node) -> usize {
    step_in(text, here).or_else(|| step_in(text, root)).unwrap_or(2)
}

fn step_in(text: &str, node: &Node) -> Option<usize> {
    match &node.shape {
        Shape::Mapping { flow: false, entries } => entries.iter().find_map(|entry| {
            let inner = match &entry.value.shape {
                Shape::Mapping { flow: false, entries } => entries.first().map(|first| column(text, first.key.start)),
                _ => None,
            };
            let step = inner.and_then(|inner| inner.checked_sub(column(text, entry.key.start)));
            step.filter(|step| *step > 0).or_else(|| step_in(text, &entry.value))
        }),
        Shape::Sequence(items) => items.iter().find_map(|item| step_in(text, item)),
        Shape::Mapping { flow: true, .. } | Shape::Scalar(..) | Shape::Missing | Shape::Alias => None,
    }
}

/// Returns the start of the line that contains this byte.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |at| at + 1)
}

/// Returns the end of the line that contains this byte, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end)
}

/// Returns the indentation of the line that contains this byte.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the offset of this byte in its line. Within indentation, this is the column.
pub(super) fn column(text: &str, at: usize) -> usize {
    at - line_start(text, at)
}

/// Returns whether only blanks precede this byte on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    is_blank(&text[line_start(text, at)..at])
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

/// Returns whether the line has only blanks or a comment from this byte on.
pub(super) fn is_rest_of_line_free(text: &str, at: usize) -> bool {
    let rest = text[at..line_end(text, at)].trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with('#')
}
