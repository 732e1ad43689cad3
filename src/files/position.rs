//! Where a field of an object is written. Pure.

use std::borrow::Cow;

use super::{
    Manifests, Object, document,
    tree::{self, Node, Shape},
};

/// A field of an object: the keys that lead to it, with the positions in lists as numbers, and which character of its value
/// is meant, from 0.
pub type Field<'a> = (&'a Object, &'a [String], usize);

impl Manifests {
    /// Returns the line and the column, both from 1 and in characters, of each of these fields; or of the innermost field
    /// around it that is written out. Each document is parsed once.
    pub fn positions_of(&self, fields: &[Field<'_>]) -> Vec<(usize, usize)> {
        let document = |number: &usize| (fields[*number].0.place.source, fields[*number].0.place.document);
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_key(document);
        let mut positions = vec![(0, 0); fields.len()];
        for of_one in order.chunk_by(|a, b| document(a) == document(b)) {
            let (source, number) = document(&of_one[0]);
            let source = &self.sources[source];
            let document = &source.documents[number];
            let text = &source.text[document.range.clone()];
            let root = tree::parse(text);
            let starts = starts(text);
            for number in of_one {
                let field = fields[*number];
                positions[*number] = root.as_ref().map_or((field.0.line(), 1), |root| {
                    let at = byte_of(text, root, field);
                    let line = starts.partition_point(|start| *start <= at) - 1;
                    (document.line + line, text[starts[line]..at].chars().count() + 1)
                });
            }
        }
        positions
    }
}

/// Returns where each line begins.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    starts.extend(document::lines(text).scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    }));
    // The end of a text is only in another line behind a line break.
    if starts.len() > 1 && !text.ends_with(['\n', '\r']) {
        starts.pop();
    }
    starts
}

/// Returns where a field begins.
fn byte_of(text: &str, root: &Node, (object, path, offset): Field<'_>) -> usize {
    let items = object.place.items.iter().flat_map(|index| ["items".to_owned(), index.to_string()]);
    let keys: Vec<Cow<'_, str>> = items.map(Cow::Owned).chain(path.iter().map(|key| key.as_str().into())).collect();
    let (mut node, mut at) = (root, root.span.start);
    for (depth, key) in keys.iter().enumerate() {
        let Some((key, value)) = child(node, key) else { return at };
        // A field is where its key is; the last one where its value is, if a character of it is meant.
        at = if offset > 0 && depth + 1 == keys.len() { value.span.start } else { key };
        node = value;
    }
    if offset > 0 { character(text, node, offset) } else { at }
}

/// Returns where the child of this key begins, and its node.
fn child<'t>(node: &'t Node, key: &str) -> Option<(usize, &'t Node)> {
    match &node.shape {
        Shape::Mapping { entries, .. } => {
            let entry = entries.iter().find(|entry| entry.key.is(key))?;
            Some((entry.key.span.start, &entry.value))
        }
        Shape::Sequence(items) => items.get(key.parse::<usize>().ok()?).map(|item| (item.span.start, item)),
        Shape::Scalar(..) | Shape::Missing | Shape::Alias => None,
    }
}

/// Returns where a character of a scalar is written, if it is written as it is; else where the scalar begins.
fn character(text: &str, node: &Node, offset: usize) -> usize {
    let written = &text[node.span.clone()];
    let Shape::Scalar(_, value) = &node.shape else { return node.span.start };
    let quote = usize::from(written.starts_with(['"', '\'']));
    if written.get(quote..written.len() - quote) != Some(value) {
        return node.span.start;
    }
    value.char_indices().nth(offset).map_or(node.span.start, |(at, _)| node.span.start + quote + at)
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn position(text: &str, path: &[&str], offset: usize) -> (usize, usize) {
        let manifests = parse(None, text.to_owned()).unwrap();
        let object = manifests.objects().last().unwrap();
        let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
        manifests.positions_of(&[(object, &path, offset)])[0]
    }

    #[test]
    fn a_field_is_where_its_key_is_and_a_character_where_it_is_written() {
        let text = "# c\nkind: A\n---\nkind: B\na:\n  x/y: 'lä; b'\n  list:\n  - c: d\n  - {e: f}\n";
        assert_eq!(position(text, &[], 0), (4, 1));
        assert_eq!(position(text, &["a", "x/y"], 0), (6, 3));
        assert_eq!(position(text, &["a", "x/y"], 4), (6, 13));
        assert_eq!(position(text, &["a", "list", "1", "e"], 0), (9, 6));
        assert_eq!(position(text, &["a", "list", "7", "e"], 0), (7, 3));
        assert_eq!(position(text, &["gone", "b"], 3), (4, 1));
    }

    #[test]
    fn in_lists_and_json_and_behind_escapes_the_place_is_the_nearest_one() {
        let list = "kind: List\nitems:\n- kind: A\n- kind: B\n  a: \"x\\ty\"\n";
        assert_eq!(position(list, &["a"], 0), (5, 3));
        assert_eq!(position(list, &["a"], 2), (5, 6));
        assert_eq!(position("{\"kind\": \"B\",\n \"a\": {\"b\": \"xyz\"}}\n", &["a", "b"], 2), (2, 16));
        assert_eq!(position("kind: B\na: &x {b: 1}\nc: *x\n", &["c", "b"], 0), (3, 1));
    }

    #[test]
    fn fields_of_several_documents_are_asked_for_at_once() {
        let manifests = parse(None, "kind: A\na: 1\n---\nkind: B\r\nb: 2".to_owned()).unwrap();
        let (a, b) = (vec!["a".to_owned()], vec!["b".to_owned()]);
        let all: Vec<_> = manifests.objects().collect();
        let fields = [(all[1], b.as_slice(), 0), (all[0], a.as_slice(), 0), (all[1], &[][..], 0)];
        assert_eq!(manifests.positions_of(&fields), [(5, 1), (2, 1), (4, 1)]);
    }
}
