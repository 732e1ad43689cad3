//! Text from outside, made safe to be shown. Pure, and at the bottom: whatever shows or writes text can use it.

/// Whether a terminal or an editor obeys this character instead of showing it: it controls (CVE-2021-25743 is of this
/// kind), ends a line, or turns the direction of writing.
pub fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns(c)
}

/// Whether it turns the direction of writing (Unicode's `Bidi_Control`; CVE-2021-42574).
pub fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text with what is obeyed escaped, line breaks too; everything else as it is.
pub fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if is_obeyed(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// A text of JSON with what is obeyed escaped, also what JSON lets stand in a string; between strings there is nothing of
/// the kind but line breaks. The value stays the same.
pub fn json_escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) && c != '\n' { safe.push_str(&format!("\\u{:04x}", u32::from(c))) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_nothing_else() {
        assert_eq!(escaped("a\u{9b}b\u{202e}c\u{2066}d\te\u{200f}"), "a\\u{9b}b\\u{202e}c\\u{2066}d\\te\\u{200f}");
        assert_eq!(escaped("日本 é 😀 שלום \u{200d}"), "日本 é 😀 שלום \u{200d}");
    }
}
