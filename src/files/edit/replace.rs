//! Proposes how to replace the scalar of an existing key, in the style that it has. Pure.

use granit_parser::ScalarStyle;
use serde_json::Value;

use super::super::document;
use super::super::tree::{Node, Shape};
use super::find::{Step, line_end};
use super::scalar::{self, Style};
use super::{Change, Site};

/// Proposes replacing the value of the last key on the path.
pub(super) fn propose(site: &Site, steps: &[Step], value: &Value) -> Result<Vec<Change>, String> {
    let (Some(step), text) = (steps.last(), site.text) else { return Ok(Vec::new()) };
    let entry = step.entry();
    let node = &entry.value;
    let style = match (step.is_flow(), entry.key.is_double_quoted()) {
        (true, true) => Style::Json,
        (true, false) => Style::Flow,
        (false, _) => Style::Block,
    };
    let usual = scalar::write(value, style);
    let string = value.as_str();
    let mut changes = Vec::new();
    let mut put = |with: String| changes.push(Change::new(node.span.clone(), with));
    match &node.shape {
        Shape::Missing => {
            let colon = if text[entry.key.span.end..node.span.start].contains(':') { "" } else { ":" };
            put(format!("{colon} {usual}"));
        }
        Shape::Alias | Shape::Scalar(ScalarStyle::Plain, _) => put(usual),
        Shape::Scalar(ScalarStyle::SingleQuoted, _) => {
            string.and_then(scalar::single_quoted).into_iter().for_each(&mut put);
            put(string.map_or(usual, scalar::double_quoted));
        }
        Shape::Scalar(ScalarStyle::DoubleQuoted, _) => put(string.map_or(usual, scalar::double_quoted)),
        Shape::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _) => {
            string.and_then(|string| block_scalar(site, node, string)).into_iter().for_each(&mut put);
            let header = &text[node.span.start..line_end(text, node.span.start)];
            let comment = header.find([' ', '\t']).map_or("", |at| header[at..].trim_end());
            put(format!("{}{comment}", string.map_or(usual, scalar::double_quoted)));
        }
        Shape::Mapping { .. } | Shape::Sequence(_) => {
            let what = if matches!(node.shape, Shape::Sequence(_)) { "list" } else { "mapping" };
            return Err(format!("`{}` is a {what}, not one value", site.path.join(".")));
        }
    }
    if node.start < node.span.start && !node.anchored {
        // The tag belongs to the old value.
        let with = scalar::write(value, style);
        changes.push(Change::new(node.start..node.span.end, with));
    }
    Ok(changes)
}

/// Returns the block scalar with another text and the same header, if that header suits the text.
fn block_scalar(site: &Site, node: &Node, string: &str) -> Option<String> {
    let written = &site.text[node.span.clone()];
    let header_end = written.find(['\r', '\n'])?;
    let indicator = written[..header_end].split([' ', '\t']).next()?;
    let body = match indicator {
        "|-" | ">-" => string,
        "|" | ">" => string.strip_suffix('\n')?,
        _ => return None,
    };
    let one_line = !body.contains(['\n', '\r']);
    if body.is_empty() || body.ends_with('\n') || !(one_line || indicator.starts_with('|')) {
        return None;
    }
    let first = document::lines(&written[header_end..]).find(|line| !line.trim().is_empty())?;
    let indent = &first[..first.len() - first.trim_start_matches(' ').len()];
    let lines = body.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
    Some([&written[..header_end], site.line_break, &lines.collect::<Vec<_>>().join(site.line_break)].concat())
}
