//! Proposes where and how to insert a missing key. Pure.

use serde_json::Value;

use super::super::tree::{Entry, Node, Shape};
use super::find::{Step, column, indent, indent_step, is_blank, is_first_on_line, is_rest_of_line_free, line_end};
use super::scalar::{self, Style};
use super::{Change, Site};
use granit_parser::ScalarStyle;

/// Proposes inserting the rest of the path into a mapping that has entries.
pub(super) fn propose(site: &Site, steps: &[Step], mapping: &Node, value: &Value) -> Vec<Change> {
    let keys = &site.path[steps.len()..];
    match &mapping.shape {
        Shape::Mapping { flow: false, entries } => into_block(site, mapping, entries, keys, value),
        Shape::Mapping { flow: true, entries } => into_flow(site, mapping, entries, keys, value),
        _ => Vec::new(),
    }
}

/// Proposes inserting the rest of the path under a key whose value is null or `{}`.
pub(super) fn propose_first(site: &Site, steps: &[Step], value: &Value) -> Vec<Change> {
    let (Some(step), text) = (steps.last(), site.text) else { return Vec::new() };
    let (entry, keys) = (step.entry(), &site.path[steps.len()..]);
    let written = &entry.value.span;
    let inside = text[written.clone()].trim_start_matches('{').trim_end_matches('}');
    let comment_inside = inside.contains('#');
    let mut changes = Vec::new();
    if !step.is_flow() && !comment_inside && is_rest_of_line_free(text, written.end) {
        let by = indent_step(text, step.mapping, site.root);
        let lines = block_lines(site, column(text, entry.key.start) + by, by, keys, value);
        let head = text[..written.start].trim_end_matches([' ', '\t', '\r', '\n']).len();
        let end = line_end(text, written.end);
        changes.push(Change::new(head..end, format!("{}{}{lines}", &text[written.end..end], site.line_break)));
    }
    let flow = Flow::like(site, step.mapping, entry, step.is_flow());
    if comment_inside {
        let at = written.start + 1;
        changes.push(Change::new(at..at, flow.entry(keys, value, &flow.indent)));
    } else {
        let blank = if text[..written.start].ends_with([' ', '\t', '\n']) || flow.compact { "" } else { " " };
        changes.push(Change::new(written.clone(), format!("{blank}{}", flow.mapping(keys, value, &flow.indent))));
    }
    changes
}

fn into_block(site: &Site, mapping: &Node, entries: &[Entry], keys: &[String], value: &Value) -> Vec<Change> {
    let Some(first) = entries.first() else { return Vec::new() };
    let (text, end) = (site.text, mapping.span.end);
    let column = column(text, first.key.start);
    let lines = block_lines(site, column, indent_step(text, mapping, site.root), keys, value);
    let mut changes = Vec::new();
    let at = line_end(text, end);
    // A block scalar at the very end of a text may lack its final line break, and kubectl reads it without one. A line
    // after it would add one.
    let would_grow = at == text.len() && ends_in_block_scalar(mapping);
    if is_rest_of_line_free(text, end) && !would_grow {
        changes.push(Change::new(at..at, format!("{}{lines}", site.line_break)));
    }
    let (at, blanks) = (first.key.start, " ".repeat(column));
    changes.push(Change::new(at..at, format!("{}{}{blanks}", lines.trim_start_matches(' '), site.line_break)));
    changes
}

/// Writes each key on its own line, further in than the one before, and the value after the last.
fn block_lines(site: &Site, column: usize, by: usize, keys: &[String], value: &Value) -> String {
    let lines = keys.iter().enumerate().map(|(depth, key)| {
        let value =
            if depth + 1 == keys.len() { format!(" {}", scalar::write(value, Style::Block)) } else { String::new() };
        format!("{}{}:{value}", " ".repeat(column + depth * by), scalar::write_text(key, Style::Block))
    });
    lines.collect::<Vec<_>>().join(site.line_break)
}

fn ends_in_block_scalar(node: &Node) -> bool {
    match &node.shape {
        Shape::Scalar(style, _) => matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
        Shape::Mapping { entries, .. } => entries.last().is_some_and(|entry| ends_in_block_scalar(&entry.value)),
        Shape::Sequence(items) => items.last().is_some_and(ends_in_block_scalar),
        Shape::Missing | Shape::Alias => false,
    }
}

fn into_flow(site: &Site, mapping: &Node, entries: &[Entry], keys: &[String], value: &Value) -> Vec<Change> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Vec::new() };
    let (text, end) = (site.text, last.value.span.end);
    let flow = Flow::like(site, mapping, last, true);
    let entry = flow.entry(keys, value, &flow.indent);
    let comma = if flow.compact { "," } else { ", " };
    let mut changes = Vec::new();
    if flow.unit.is_some() {
        let line = format!("{}{}{entry}", site.line_break, flow.indent);
        let rest_end = line_end(text, end);
        let rest = &text[end..rest_end];
        changes.push(match rest.trim_start_matches([' ', '\t']).strip_prefix(',') {
            Some(after) if is_blank(after) || after.trim_start_matches([' ', '\t']).starts_with('#') => {
                Change::new(rest_end..rest_end, format!("{line},"))
            }
            None if is_rest_of_line_free(text, end) => Change::new(end..rest_end, format!(",{rest}{line}")),
            _ => Change::new(end..end, format!(",{line}")),
        });
    }
    changes.push(Change::new(end..end, format!("{comma}{entry}")));
    let at = first.key.start;
    changes.push(Change::new(at..at, format!("{entry}{comma}")));
    changes
}

/// The flow style used nearby.
struct Flow<'t> {
    style: Style,
    /// Whether there are no blanks after colons and commas.
    compact: bool,
    /// Indentation of a key.
    indent: String,
    /// Indentation added per level, if every entry is on its own line.
    unit: Option<&'t str>,
    line_break: &'t str,
}

impl<'t> Flow<'t> {
    /// Returns the style of this entry. In block style, only the value is to be written in flow style.
    fn like(site: &Site<'t>, mapping: &Node, entry: &Entry, flow: bool) -> Self {
        let text = site.text;
        let json = flow && entry.key.is_double_quoted();
        let indent_here = indent(text, entry.key.start);
        let unit = (flow && is_first_on_line(text, entry.key.start)).then(|| {
            indent_here.strip_prefix(indent(text, mapping.span.start)).filter(|it| !it.is_empty()).unwrap_or("  ")
        });
        Self {
            style: if json { Style::Json } else { Style::Flow },
            compact: json && text[entry.key.span.end..].starts_with(':') && entry.value.start == entry.key.span.end + 1,
            indent: indent_here.to_owned(),
            unit,
            line_break: site.line_break,
        }
    }

    fn entry(&self, keys: &[String], value: &Value, indent: &str) -> String {
        let [key, rest @ ..] = keys else { return String::new() };
        let colon = if self.compact { ":" } else { ": " };
        let value = if rest.is_empty() { scalar::write(value, self.style) } else { self.mapping(rest, value, indent) };
        format!("{}{colon}{value}", scalar::write_text(key, self.style))
    }

    fn mapping(&self, keys: &[String], value: &Value, indent: &str) -> String {
        let Some(unit) = self.unit else { return format!("{{{}}}", self.entry(keys, value, indent)) };
        let (end, inner) = (self.line_break, format!("{indent}{unit}"));
        format!("{{{end}{inner}{}{end}{indent}}}", self.entry(keys, value, &inner))
    }
}
