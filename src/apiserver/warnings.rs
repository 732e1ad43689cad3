//! Parsing of `Warning:` headers.

use http::{HeaderMap, header};

/// Returns the texts of the warnings in order, without duplicates.
pub(crate) fn read(headers: &HeaderMap) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for value in headers.get_all(header::WARNING) {
        let mut rest = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
        while let Some((text, tail)) = next(rest) {
            if !text.is_empty() && !warnings.contains(&text) {
                warnings.push(text);
            }
            rest = tail;
        }
    }
    warnings
}

/// Parses one `299 - "text"`, with an optional date, up to the comma after it.
fn next(header: &str) -> Option<(String, &str)> {
    let header = header.trim_start_matches([' ', ',']);
    let (front, quoted) = header.split_once('"')?;
    let is_ours = front.split_whitespace().next() == Some("299");
    let (text, rest) = unquote(quoted)?;
    let rest = match rest.trim_start().strip_prefix('"') {
        Some(date) => unquote(date)?.1,
        None => rest,
    };
    Some((if is_ours { super::status::printable(&text) } else { String::new() }, rest))
}

/// Returns the text up to the closing quote, unescaped, and the rest.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.push(characters.next()?.1),
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_unquoted_and_said_once() {
        let cases: [(&[&str], &[&str]); 7] = [
            (&[r#"299 - "unknown field \"spec.nope\"""#], &[r#"unknown field "spec.nope""#]),
            (&[r#"299 - "a""#, r#"299 - "b""#, r#"299 - "a""#], &["a", "b"]),
            (&[r#"299 - "a, b", 299 - "c""#], &["a, b", "c"]),
            (&[r#"299 - "a" "Sat, 25 Aug 2012 23:34:45 GMT", 299 - "b""#], &["a", "b"]),
            (&[r#"110 anderson "stale", 299 - "b""#], &["b"]),
            (&[r#"299 - "open"#, "299", ""], &[]),
            (&["299 - \"tab\there\""], &["tab here"]),
        ];
        for (headers, expected) in cases {
            let headers: HeaderMap = headers.iter().map(|value| (header::WARNING, value.parse().unwrap())).collect();
            assert_eq!(read(&headers), expected);
        }
    }
}
