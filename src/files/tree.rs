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
            (event, span) => return builder.node(event, &span, None),
        }
    }
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

    /// Returns the node of an event; `sign` stands before it, if it is a value or an item.
    fn node(&mut self, event: Event<'t>, span: &Span, sign: Option<char>) -> Option<Node> {
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
            Event::Scalar(_, ScalarStyle::Plain, ..) if range.is_empty() => (self.missing(sign), Shape::Missing),
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
            let key = self.node(event, &span, None)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, Some(':'))?;
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
            items.push(self.node(event, &span, Some('-'))?);
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
    fn missing(&self, sign: Option<char>) -> Range<usize> {
        let Some(sign) = sign else { return self.cursor..self.cursor };
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
mod tests;
