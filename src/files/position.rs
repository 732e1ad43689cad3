//! Where a field of an object is written. Pure.

use std::borrow::Cow;

use super::{
    Manifests, Object, document,
    tree::{self, Node, Shape},
};

impl Manifests {
    /// Returns the line and the column, both from 1 and in characters, of a field of an object, and of a character of its
    /// value; or of the innermost field around it that is written out. Positions in lists are numbers.
    pub fn position_of(&self, object: &Object, path: &[String], offset: usize) -> (usize, usize) {
        let source = self.source(object);
        let document = &source.documents[object.place.document];
        let text = &source.text[document.range.clone()];
        let Some(root) = tree::parse(text) else { return (object.line(), 1) };
        let items = object.place.items.iter().flat_map(|index| ["items".to_owned(), index.to_string()]);
        let keys: Vec<Cow<'_, str>> = items.map(Cow::Owned).chain(path.iter().map(|key| key.as_str().into())).collect();
        let (mut node, mut at) = (&root, root.span.start);
        let mut is_whole = true;
        for (depth, key) in keys.iter().enumerate() {
            let Some((key, value)) = child(node, key) else {
                is_whole = false;
                break;
            };
            // A field is where its key is; the last one where its value is, if a character of it is meant.
            at = if offset > 0 && depth + 1 == keys.len() { value.span.start } else { key };
            node = value;
        }
        if is_whole && offset > 0 {
            at = character(text, node, offset);
        }
        let before = &text[..at];
        let line = document.line + document::breaks(before);
        let begin = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        (line, before[begin..].chars().count() + 1)
    }
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
        manifests.position_of(object, &path, offset)
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
}
