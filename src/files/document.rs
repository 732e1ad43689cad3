//! Splits the text of a source into YAML documents, and these into the JSON values of a stream. Pure.
//!
//! In YAML, a line that starts with `---` or `...` is a marker wherever it occurs, even inside a block scalar or
//! between quotes. Splitting by lines is therefore exact and needs no parser.

use std::ops::Range;

use serde::de::IgnoredAny;

/// A YAML document of a source, including its marker and directives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Byte range in the source.
    pub(super) range: Range<usize>,
    /// Line of the first byte, from 1.
    pub(super) line: usize,
    /// Line of the first content, from 1; `None` if there are only comments.
    pub(super) content: Option<usize>,
}

/// Splits a text into documents. Together they are the whole text, without a byte order mark.
pub(super) fn split(text: &str) -> Vec<Document> {
    yaml_documents(text).into_iter().flat_map(|document| json_values(text, document)).collect()
}

/// Splits a document with several JSON values in a row, as `jq` writes and kubectl reads them
/// (`k8s.io/apimachinery/pkg/util/yaml/decoder.go:YAMLOrJSONDecoder`), into one document for each.
fn json_values(text: &str, document: Document) -> Vec<Document> {
    let Document { range, line, .. } = document.clone();
    let own = &text[range.clone()];
    if !own.trim_start().starts_with('{') {
        return vec![document];
    }
    let mut stream = serde_json::Deserializer::from_str(own).into_iter::<IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(value) = stream.next() {
        if value.is_err() {
            return vec![document];
        }
        ends.push(stream.byte_offset());
    }
    // What follows the last value belongs to it.
    ends.pop();
    ends.push(own.len());
    let (mut begin, mut line) = (0, line);
    let value = |end: usize| {
        let value = &own[begin..end];
        let blank = &value[..value.len() - value.trim_start().len()];
        let content = Some(line + breaks(blank));
        let document = Document { range: range.start + begin..range.start + end, line, content };
        (begin, line) = (end, line + breaks(value));
        document
    };
    ends.into_iter().map(value).collect()
}

fn yaml_documents(text: &str) -> Vec<Document> {
    let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut documents = Vec::new();
    let mut current = Document { range: begin..begin, line: 1, content: None };
    let mut marked = false;
    for (index, line) in lines(&text[begin..]).enumerate() {
        let (number, after) = (index + 1, marker(line, "---"));
        if after.is_some() {
            if marked || current.content.is_some() {
                let end = current.range.end;
                documents
                    .push(std::mem::replace(&mut current, Document { range: end..end, line: number, content: None }));
            }
            marked = true;
        }
        current.range.end += line.len();
        if marker(line, "...").is_some() {
            let end = current.range.end;
            let next = Document { range: end..end, line: number + 1, content: None };
            documents.push(std::mem::replace(&mut current, next));
            marked = false;
        } else if current.content.is_none() && has_content(after.unwrap_or(line), marked) {
            current.content = Some(number);
        }
    }
    if !current.range.is_empty() || documents.is_empty() {
        documents.push(current);
    }
    documents
}

/// Returns the rest of the line after the marker, if the line starts with it.
fn marker<'t>(line: &'t str, marker: &str) -> Option<&'t str> {
    let after = line.strip_prefix(marker)?;
    (after.is_empty() || after.starts_with([' ', '\t', '\r', '\n'])).then_some(after)
}

fn has_content(line: &str, marked: bool) -> bool {
    let text = line.trim_matches([' ', '\t', '\r', '\n']);
    let directive = !marked && line.starts_with('%');
    !(text.is_empty() || text.starts_with('#') || directive)
}

/// Returns the lines of a text with their line breaks: `\n`, `\r\n`, or a lone `\r`, as in YAML.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.find(['\n', '\r']).map(|at| at + if rest[at..].starts_with("\r\n") { 2 } else { 1 });
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// Counts the line breaks in a text.
pub(super) fn breaks(text: &str) -> usize {
    lines(text).filter(|line| line.ends_with(['\n', '\r'])).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the text, first line and content line of each document.
    fn parts(text: &str) -> Vec<(&str, usize, Option<usize>)> {
        split(text).into_iter().map(|it| (&text[it.range], it.line, it.content)).collect()
    }

    #[test]
    fn a_text_without_markers_is_one_document() {
        assert_eq!(parts("a: 1\n"), [("a: 1\n", 1, Some(1))]);
        assert_eq!(parts("\n# c\n\na: 1"), [("\n# c\n\na: 1", 1, Some(4))]);
        assert_eq!(parts(""), [("", 1, None)]);
    }

    #[test]
    fn a_marker_begins_a_document_and_belongs_to_it() {
        assert_eq!(parts("a: 1\n---\nb: 2\n"), [("a: 1\n", 1, Some(1)), ("---\nb: 2\n", 2, Some(3))]);
        assert_eq!(parts("a: 1\r\n---\r\nb: 2"), [("a: 1\r\n", 1, Some(1)), ("---\r\nb: 2", 2, Some(3))]);
        assert_eq!(parts("---\na: 1\n---"), [("---\na: 1\n", 1, Some(2)), ("---", 3, None)]);
    }

    #[test]
    fn comments_before_the_first_marker_are_no_document() {
        assert_eq!(parts("# licence\n\n---\na: 1\n"), [("# licence\n\n---\na: 1\n", 1, Some(4))]);
        assert_eq!(parts("---\n# c\n---\na: 1\n"), [("---\n# c\n", 1, None), ("---\na: 1\n", 3, Some(4))]);
    }

    #[test]
    fn content_and_comments_may_follow_a_marker_on_its_line() {
        assert_eq!(parts("--- # one\na: 1\n"), [("--- # one\na: 1\n", 1, Some(2))]);
        assert_eq!(parts("--- {a: b}\n---\t[c]\n"), [("--- {a: b}\n", 1, Some(1)), ("---\t[c]\n", 2, Some(2))]);
    }

    #[test]
    fn directives_belong_to_the_document_after_them() {
        let text = "%YAML 1.2\n---\na: 1\n...\n# c\n%YAML 1.2\n---\nb: 2\n";
        assert_eq!(
            parts(text),
            [("%YAML 1.2\n---\na: 1\n...\n", 1, Some(3)), ("# c\n%YAML 1.2\n---\nb: 2\n", 5, Some(8))]
        );
    }

    #[test]
    fn an_end_marker_lets_a_bare_document_follow() {
        assert_eq!(parts("a: 1\n...\nb: 2\n"), [("a: 1\n...\n", 1, Some(1)), ("b: 2\n", 3, Some(3))]);
        assert_eq!(parts("a: 1\n...\n"), [("a: 1\n...\n", 1, Some(1))]);
    }

    #[test]
    fn dashes_that_do_not_stand_alone_or_first_are_no_marker() {
        for text in ["---a: 1\n", "a: |\n  ---\n", "----\n", " ---\n", "....\n", "a: 1 ---\n"] {
            assert_eq!(split(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_left_out_of_the_first_document() {
        assert_eq!(parts("\u{feff}a: 1\n---\nb: 2\n")[0], ("a: 1\n", 1, Some(1)));
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line_too() {
        assert_eq!(parts("a: 1\r---\rb: 2"), [("a: 1\r", 1, Some(1)), ("---\rb: 2", 2, Some(3))]);
    }

    #[test]
    fn json_values_in_a_row_are_documents() {
        assert_eq!(
            parts("{\"a\": 1}\n{\n\"b\": 2}{\"c\": 3}\n"),
            [("{\"a\": 1}", 1, Some(1)), ("\n{\n\"b\": 2}", 1, Some(2)), ("{\"c\": 3}\n", 3, Some(3))]
        );
        assert_eq!(parts("{\"a\": 1}\n"), [("{\"a\": 1}\n", 1, Some(1))]);
        // YAML after all, or neither.
        for text in ["{a: 1}\n{b: 2}\n", "{\"a\": 1} # c\n", "{\"a\": 1}\n{\n"] {
            assert_eq!(split(text).len(), 1, "{text}");
        }
    }

    proptest! {
        #[test]
        fn documents_lie_side_by_side_and_know_their_lines(
            pieces in prop::collection::vec("(---|\\.\\.\\.|--- # c|%YAML 1.2|# c|a: b|  - c|)(\n|\r\n)", 0..20),
        ) {
            let text = pieces.concat();
            let documents = split(&text);
            let whole: String = documents.iter().map(|it| &text[it.range.clone()]).collect();
            prop_assert_eq!(&whole, &text);
            for it in documents {
                prop_assert_eq!(it.line, lines(&text[..it.range.start]).count() + 1);
            }
        }
    }
}
