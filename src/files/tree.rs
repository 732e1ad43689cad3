//! The nodes of a YAML document and where they are written. Pure; built only for edits and for the lines of list items,
//! because it costs a second pass of the parser.
//!
//! All offsets are bytes in the document's text.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle};

/// A node and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Start of the node, including its anchor and tag.
    pub(super) start: usize,
    /// Range of the value itself, without anchor and tag, trailing blanks or comments.
    ///
    /// A block scalar includes its header line. A missing value has an empty range, at the place where it could be
    /// written.
    pub(super) span: Range<usize>,
    /// Whether the node has an anchor that aliases may refer to.
    pub(super) anchored: bool,
    /// Type and content of the node.
    pub(super) shape: Shape,
}

/// Type and content of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A scalar, with its quotes and escapes resolved.
    Scalar(ScalarStyle, String),
    /// No value is written, which means null.
    Missing,
    /// An alias: `*name`.
    Alias,
    /// A mapping, in `{flow}` or block style.
    Mapping { flow: bool, entries: Vec<Entry> },
    /// A sequence.
    Sequence(Vec<Node>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: Node,
    /// The value.
    pub(super) value: Node,
}

impl Node {
    /// Returns whether this is a scalar with this text.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(&self.shape, Shape::Scalar(_, own) if own == text)
    }

    /// Returns whether the value is null, written or missing.
    pub(super) fn is_null(&self) -> bool {
        match &self.shape {
            Shape::Missing => true,
            Shape::Scalar(ScalarStyle::Plain, text) => matches!(text.as_str(), "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// Returns whether the scalar is in double quotes.
    pub(super) fn is_double_quoted(&self) -> bool {
        matches!(self.shape, Shape::Scalar(ScalarStyle::DoubleQuoted, _))
    }

    /// Returns the entries, if it is a mapping.
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.shape {
            Shape::Mapping { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// Returns the value of a key, if it is a mapping that has the key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key.is(key)).map(|entry| &entry.value)
    }

    /// Returns the items of an object that is a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.get("items")?.shape {
            Shape::Sequence(items) => Some(items),
            _ => None,
        }
    }
}

/// Parses a document into its root node; `None` if there is no content, or if the text is not YAML.
pub(super) fn parse(text: &str) -> Option<Node> {
    let options = granit_parser::options! { emit_comments: false, emit_anchor_events: true };
    let mut builder = Builder { text, parser: Parser::new_from_str_with_options(text, options), cursor: 0 };
    loop {
        match builder.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (event, span) => return builder.node(event, &span, Role::Root),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Key,
    Value,
    Item,
}

struct Builder<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    /// End of the last token read, so that a missing value still has a position.
    cursor: usize,
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        self.parser.next_event()?.ok()
    }

    fn node(&mut self, event: Event<'t>, span: &Span, role: Role) -> Option<Node> {
        let range = span.byte_range()?;
        let tag = span.tag_span().and_then(|tag| tag.byte_range());
        let anchor = self.anchor()?;
        let properties = || [&tag, &anchor].into_iter().flatten();
        let start = properties().map(|it| it.start).min();
        if let Some(end) = properties().map(|it| it.end).max() {
            self.cursor = self.cursor.max(end);
        }
        let anchored = anchor.is_some();
        let (span, shape) = match event {
            Event::Alias(_) => (range, Shape::Alias),
            Event::Scalar(_, ScalarStyle::Plain, ..) if range.is_empty() => (self.missing(role), Shape::Missing),
            Event::Scalar(text, style, ..) => {
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let range = if block { self.block_scalar(range)? } else { range };
                (range, Shape::Scalar(style, text.into_owned()))
            }
            Event::MappingStart(style, ..) => self.mapping(range, style == StructureStyle::Flow)?,
            Event::SequenceStart(style, ..) => self.sequence(range, style == StructureStyle::Flow)?,
            _ => return None,
        };
        self.cursor = self.cursor.max(span.end);
        Some(Node { start: start.unwrap_or(span.start), span, anchored, shape })
    }

    fn mapping(&mut self, open: Range<usize>, flow: bool) -> Option<(Range<usize>, Shape)> {
        if flow {
            self.cursor = open.end;
        }
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                let end = if flow { span.byte_range()?.end } else { self.cursor };
                return Some((open.start..end, Shape::Mapping { flow, entries }));
            }
            let key = self.node(event, &span, Role::Key)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, Role::Value)?;
            entries.push(Entry { key, value });
        }
    }

    fn sequence(&mut self, open: Range<usize>, flow: bool) -> Option<(Range<usize>, Shape)> {
        if flow {
            self.cursor = open.end;
        }
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                let end = if flow { span.byte_range()?.end } else { self.cursor };
                return Some((open.start..end, Shape::Sequence(items)));
            }
            items.push(self.node(event, &span, Role::Item)?);
        }
    }

    /// Returns the anchor of the node whose event was just read.
    #[expect(clippy::option_option, reason = "outer: the parser failed; inner: there is no anchor")]
    fn anchor(&mut self) -> Option<Option<Range<usize>>> {
        match self.parser.peek() {
            Some(Ok((Event::Anchor(..), span))) => {
                let range = span.byte_range()?;
                self.next()?;
                Some(Some(range))
            }
            Some(Ok(_)) | None => Some(None),
            Some(Err(_)) => None,
        }
    }

    /// Returns the position of a missing value: after its colon or dash.
    fn missing(&self, role: Role) -> Range<usize> {
        let sign = match role {
            Role::Value => ':',
            Role::Item => '-',
            Role::Key | Role::Root => return self.cursor..self.cursor,
        };
        let at = self.skip_blanks(self.cursor);
        let end = if self.text[at..].starts_with(sign) { at + 1 } else { self.cursor };
        end..end
    }

    /// Returns the range of a block scalar, from its header to its last line that is not blank.
    fn block_scalar(&self, content: Range<usize>) -> Option<Range<usize>> {
        let mut start = self.cursor;
        loop {
            start = self.skip_blanks(start);
            match self.text[start..].chars().next()? {
                ':' | '-' | '?' => start += 1,
                '|' | '>' => break,
                _ => return None,
            }
        }
        let header = self.text[start..].find([' ', '\t', '\r', '\n']).map_or(self.text.len(), |at| start + at);
        let end = self.text[..content.end].trim_end_matches([' ', '\t', '\r', '\n']).len();
        let written = content.start > header && end > content.start;
        Some(start..if written { end } else { header })
    }

    /// Skips blanks, line breaks and comments.
    fn skip_blanks(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            at += blank;
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at += self.text[at..].find(['\r', '\n']).unwrap_or(self.text.len() - at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of every node from the root down, keys before their values.
    fn spans(text: &str) -> Vec<&str> {
        fn collect<'t>(text: &'t str, node: &Node, all: &mut Vec<&'t str>) {
            all.push(&text[node.span.clone()]);
            match &node.shape {
                Shape::Mapping { entries, .. } => {
                    for entry in entries {
                        collect(text, &entry.key, all);
                        collect(text, &entry.value, all);
                    }
                }
                Shape::Sequence(items) => items.iter().for_each(|item| collect(text, item, all)),
                Shape::Scalar(..) | Shape::Missing | Shape::Alias => {}
            }
        }
        let mut all = Vec::new();
        collect(text, &parse(text).unwrap(), &mut all);
        all
    }

    fn value<'t>(text: &'t str, key: &str) -> &'t str {
        &text[parse(text).unwrap().get(key).unwrap().span.clone()]
    }

    #[test]
    fn scalars_have_their_quotes_and_no_comment() {
        assert_eq!(spans("a: b # c\n"), ["a: b", "a", "b"]);
        assert_eq!(spans("'a': \"b\"\nc: d\n  e\n\n# f\n")[1..], ["'a'", "\"b\"", "c", "d\n  e"]);
    }

    #[test]
    fn a_block_scalar_spans_header_to_last_line_that_is_not_blank() {
        assert_eq!(value("a: |\n  b\n  c\n\n# d\ne: f\n", "a"), "|\n  b\n  c");
        assert_eq!(value("a: >2- # d\n    b\n\ne: f\n", "a"), ">2- # d\n    b");
        assert_eq!(value("a: |+\n\n\ne: f\n", "a"), "|+");
        assert_eq!(value("a: &x !!str |-\n  - b\n", "a"), "|-\n  - b");
        assert_eq!(value("a: |\r\n  b\r\nc: d\r\n", "a"), "|\r\n  b");
        assert_eq!(value("a: |\n  b", "a"), "|\n  b");
    }

    #[test]
    fn a_value_that_is_not_written_is_behind_its_colon() {
        for (text, at) in
            [("a:\nb: 1\n", 2), ("a : # c\nb: 1\n", 3), ("a: &x # c\nb: 1\n", 5), ("a:", 2), ("{a: , b: 1}", 3)]
        {
            let node = parse(text).unwrap().get("a").unwrap().clone();
            assert_eq!((node.span, node.shape), (at..at, Shape::Missing), "{text}");
        }
        assert_eq!(parse("{a, b: 1}").unwrap().get("a").unwrap().span, 2..2);
    }

    #[test]
    fn an_item_that_is_not_written_is_behind_its_dash() {
        let text = "- a\n- # c\n-\n";
        let Shape::Sequence(items) = parse(text).unwrap().shape else { panic!("a sequence") };
        assert_eq!(items.iter().map(|item| item.span.end).collect::<Vec<_>>(), [3, 5, 11]);
    }

    #[test]
    fn a_collection_ends_with_its_last_node() {
        assert_eq!(value("a:\n  b:\n  - c: d # e\n  # f\n\ng: h\n", "a"), "b:\n  - c: d");
        assert_eq!(value("a:\n  b: |\n    c\n\ng: h\n", "a"), "b: |\n    c");
        assert_eq!(value("a: {b: [c, d], } # e\n", "a"), "{b: [c, d], }");
        assert_eq!(value("a:\n  b:\n  c:\ng: h\n", "a"), "b:\n  c:");
    }

    #[test]
    fn anchors_and_tags_are_before_the_span_but_in_the_node() {
        let text = "a: &x !!map\n  b: c\nd: *x\n";
        let node = parse(text).unwrap();
        let value = node.get("a").unwrap();
        assert_eq!((value.start, &text[value.span.clone()], value.anchored), (3, "b: c", true));
        assert_eq!(node.get("d").unwrap().shape, Shape::Alias);
    }

    #[test]
    fn items_of_a_list_have_their_places() {
        let text = "kind: List\nitems:\n- a: b\n-\n  c: d\n- {e: f}\n";
        let node = parse(text).unwrap();
        let items: Vec<_> = node.items().unwrap().iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(items, ["a: b", "c: d", "{e: f}"]);
    }

    #[test]
    fn markers_and_directives_are_no_nodes() {
        assert_eq!(spans("%YAML 1.2\n--- # c\na: b\n...\n"), ["a: b", "a", "b"]);
        assert_eq!(parse("# c\n"), None);
        assert_eq!(parse("a: [b\n"), None);
    }
}
