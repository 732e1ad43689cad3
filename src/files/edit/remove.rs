//! Proposes how to remove a key, and the mappings that it leaves empty. Pure.

use std::ops::Range;

use super::super::tree::Entry;
use super::find::{Step, is_blank, is_first_on_line, is_rest_of_line_free, line_end, line_start};
use super::{Change, Site};

/// Mappings that stay even if empty: without them it would not be a Canary.
const LASTING: [&[&str]; 3] = [&["metadata"], &["spec"], &["spec", "service"]];

/// Proposes removing the last key on the path.
pub(super) fn propose(site: &Site, steps: &[Step]) -> Result<Vec<Change>, String> {
    let mut steps = steps;
    while let [.., owner, step] = steps
        && step.entries.len() == 1
        && !LASTING.iter().any(|lasting| site.path[..steps.len() - 1] == **lasting)
        && !has_comment_inside(site.text, owner.entry(), step.entry())
    {
        steps = &steps[..steps.len() - 1];
    }
    match steps {
        [.., step] if step.is_flow() => Ok(from_flow(site.text, step)),
        [.., owner, step] => from_block(site.text, Some(owner.entry()), step),
        [step] => from_block(site.text, None, step),
        [] => Ok(Vec::new()),
    }
}

/// Returns whether there is a comment between a key and the first key of its value.
fn has_comment_inside(text: &str, owner: &Entry, first: &Entry) -> bool {
    text[owner.key.span.end.min(first.key.start)..first.key.start].contains('#')
}

fn from_block(text: &str, owner: Option<&Entry>, step: &Step) -> Result<Vec<Change>, String> {
    let entry = step.entry();
    let (start, end) = (entry.key.start, entry.value.span.end);
    let alone = step.entries.len() == 1;
    if is_first_on_line(text, start) {
        let lines = whole_lines(text, start..end);
        return Ok(match owner.filter(|_| alone) {
            Some(owner) => {
                let head = head_end(text, owner);
                vec![Change::new(head..lines.end, format!(" {{}}{}", &text[head..lines.start]))]
            }
            None => vec![Change::new(lines, "")],
        });
    }
    if text[line_start(text, start)..start].contains('?') {
        return Err("a key is written with `?`".to_owned());
    }
    // The key shares its line with the dash of a list item.
    match step.entries.get(step.index + 1) {
        None if alone => Ok(vec![Change::new(start..end, "{}")]),
        Some(next) if is_blank(&text[end..next.key.start]) => Ok(vec![Change::new(start..next.key.start, "")]),
        _ => Err("a comment is in the way".to_owned()),
    }
}

fn from_flow(text: &str, step: &Step) -> Vec<Change> {
    let entry = step.entry();
    let (start, end) = (entry.key.start, entry.value.span.end);
    let comma = comma_after(text, end);
    let mut changes = Vec::new();
    if step.entries.len() == 1 {
        let all = step.mapping.span.clone();
        let rest = [&text[all.start + 1..start], &text[comma.map_or(end, |at| at + 1)..all.end - 1]];
        if rest.iter().all(|text| is_blank(text)) {
            changes.push(Change::new(all, "{}"));
        }
        changes.push(Change::new(start..comma.map_or(end, |at| at + 1), ""));
        return changes;
    }
    let next = step.entries.get(step.index + 1);
    let before = step.index.checked_sub(1).map(|index| step.entries[index].value.span.end);
    // The comma after the preceding entry goes with the last entry, unless that has a comma of its own.
    let comma_before = before.and_then(|end| comma_after(text, end)).filter(|_| comma.is_none());
    let tail = comma.filter(|at| *at <= line_end(text, end)).map_or(end, |at| at + 1);
    if is_first_on_line(text, start) && is_rest_of_line_free(text, tail) {
        let lines = whole_lines(text, start..tail);
        changes.push(match comma_before {
            Some(at) => Change::new(at..lines.end, &text[at + 1..lines.start]),
            None => Change::new(lines, ""),
        });
    }
    match (next, before) {
        (Some(next), _) if !text[end..next.key.start].contains('#') => {
            changes.push(Change::new(start..next.key.start, ""));
        }
        (None, Some(before)) if !text[before..start].contains('#') => changes.push(Change::new(before..end, "")),
        _ => {}
    }
    changes.push(match comma_before {
        Some(at) => Change::new(at..end, &text[at + 1..start]),
        None => Change::new(start..comma.map_or(end, |at| at + 1), ""),
    });
    changes
}

/// Returns the whole lines of these bytes; if the last has no line break, the one before the first is included instead.
fn whole_lines(text: &str, bytes: Range<usize>) -> Range<usize> {
    let (start, end) = (line_start(text, bytes.start), line_end(text, bytes.end));
    let after = end + if text[end..].starts_with("\r\n") { 2 } else { 1 };
    if end < text.len() {
        return start..after;
    }
    let before = &text[..start];
    before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).map_or(0, str::len)..end
}

/// Returns the position after the colon of a key, and after the anchor or tag of its value.
fn head_end(text: &str, owner: &Entry) -> usize {
    let (start, end) = (owner.value.start, owner.value.span.start);
    if start < end {
        let properties = &text[start..line_end(text, start).min(end)];
        let properties = properties.split(" #").next().unwrap_or_default();
        return start + properties.trim_end().len();
    }
    let key_end = owner.key.span.end;
    text[key_end..].find(':').map_or(key_end, |at| key_end + at + 1)
}

/// Returns the position of the next comma, across blanks and comments.
fn comma_after(text: &str, mut at: usize) -> Option<usize> {
    loop {
        at += text[at..].find(|letter: char| !letter.is_ascii_whitespace())?;
        match text.as_bytes()[at] {
            b',' => return Some(at),
            b'#' => at = line_end(text, at),
            _ => return None,
        }
    }
}
