//! Makes text from outside safe to show. Pure, and at the bottom: whatever shows or writes text can use it.

/// Returns whether a terminal or an editor interprets this character instead of showing it: a control character
/// (CVE-2021-25743 is of this kind), a line break, or one that changes the direction of writing.
pub fn is_interpreted_by_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || changes_direction(c)
}

/// Returns whether this character changes the direction of writing (Unicode's `Bidi_Control`; CVE-2021-42574).
pub fn changes_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes characters that a terminal interprets, line breaks too; all others stay.
pub fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| if is_interpreted_by_terminal(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// Escapes characters that a terminal interprets in a JSON text, also those that JSON allows in a string; between
/// strings there can only be line breaks, which stay. The value stays the same.
pub fn json_escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_interpreted_by_terminal(c) && c != '\n' {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Quotes a text for a shell, if necessary.
pub fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    let is_plain = !text.is_empty() && text.bytes().all(plain);
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Removes user and password (RFC 3986 section 3.2.1) from an address, well-formed or not: a password with an unescaped
/// `/` is removed too.
pub fn without_userinfo(address: &str) -> String {
    let (scheme, rest) = address.split_at(address.find("://").map_or(0, |at| at + 3));
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let is_host = match authority.rsplit_once(':') {
        Some((_, port)) => authority.starts_with('[') || port.bytes().all(|byte| byte.is_ascii_digit()),
        None => !authority.is_empty(),
    };
    let from = match authority.rfind('@') {
        Some(at) => at + 1,
        None if is_host => 0,
        None => rest.rfind('@').map_or(0, |at| at + 1),
    };
    format!("{scheme}{}", &rest[from..])
}

/// Removes user and password from the name of a file, which may be an address by mistake.
pub fn without_password(name: &str) -> String {
    if name.contains("://") { without_userinfo(name) } else { name.to_owned() }
}

/// Removes user and password from each address in a message. Whatever a person types may be an address by mistake, and be
/// quoted in an error.
pub fn without_passwords(message: &str) -> String {
    const QUOTES: [char; 3] = ['`', '\'', '"'];
    let mut safe = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("://") {
        let scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let begin = rest[..at].trim_end_matches(scheme).len();
        // A quoted address goes on to the closing quote, whatever it holds.
        let quote = rest[..begin].chars().next_back().filter(|before| QUOTES.contains(before));
        let ends = |c: char| quote.map_or(c.is_whitespace() || QUOTES.contains(&c), |quote| c == quote);
        let end = rest[at..].find(ends).map_or(rest.len(), |length| at + length);
        safe.push_str(&rest[..begin]);
        safe.push_str(&without_userinfo(&rest[begin..end]));
        rest = &rest[end..];
    }
    safe + rest
}

/// Returns whether somebody who typed `wrong` may have meant `known`: it is the beginning, or they differ in no more than
/// a third of the letters, or in two letters (a swapped pair) if the word has at least four.
pub fn is_near(wrong: &str, known: &str) -> bool {
    let letters = wrong.chars().count();
    let most = if letters < 4 { 1 } else { 2.max(letters / 3) };
    known.starts_with(wrong) && letters > 2 || strsim::levenshtein(wrong, known) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_password_of_an_address_in_it() {
        let cases = [
            ("no file `https://bob:s3c ret@h/x`: https://bob:s3cret@h", "no file `https://h/x`: https://h"),
            ("invalid value 'https://s3cret@h:1/?a=b@c' for '--x'", "invalid value 'https://h:1/?a=b@c' for '--x'"),
            (
                "https://10.0.0.1:6443 is me@example.com, http://[::1]:1",
                "https://10.0.0.1:6443 is me@example.com, http://[::1]:1",
            ),
            ("://a:s3cret@ and git+ssh://a:s3/cret@h", ":// and git+ssh://h"),
            ("https://a\u{e4}:s3cret\u{e4}@h", "https://h"),
            ("nothing", "nothing"),
        ];
        for (message, expected) in cases {
            assert_eq!(without_passwords(message), expected);
        }
    }

    #[test]
    fn a_shell_takes_what_is_quoted_as_it_is() {
        let taken = ["a/b-c.yaml", "", "a b", "it's", "$(x)", "*"].map(quoted);
        assert_eq!(taken, ["a/b-c.yaml", "''", "'a b'", r"'it'\''s'", "'$(x)'", "'*'"]);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_nothing_else() {
        assert_eq!(escaped("a\u{9b}b\u{202e}c\u{2066}d\te\u{200f}"), "a\\u{9b}b\\u{202e}c\\u{2066}d\\te\\u{200f}");
        assert_eq!(escaped("日本 é 😀 שלום \u{200d}"), "日本 é 😀 שלום \u{200d}");
    }

    #[test]
    fn user_and_password_are_left_out_and_nothing_else() {
        for (address, expected) in [
            ("https://bob:hunter2@example.com:6443/k8s", "https://example.com:6443/k8s"),
            ("https://bob@example.com", "https://example.com"),
            ("https://b@b:hunt@r2@example.com?x=@", "https://example.com?x=@"),
            ("bob:hunter2@example.com:6443", "example.com:6443"),
            ("https://bob:hunt/er2@example.com/x", "https://example.com/x"),
            ("https://bob:@[::1]:6443", "https://[::1]:6443"),
            ("https://[::1]/a@b", "https://[::1]/a@b"),
            ("https://example.com:6443/gh/a@v1/x.yaml", "https://example.com:6443/gh/a@v1/x.yaml"),
            ("file:///bob:hunter2@example.com/x", "file://example.com/x"),
            ("://@", "://"),
            ("", ""),
        ] {
            assert_eq!(without_userinfo(address), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_left_alone() {
        assert_eq!(without_password("https://bob:hunter2@example.com/x"), "https://example.com/x");
        assert_eq!(without_password("canaries@home/x:1.yaml"), "canaries@home/x:1.yaml");
    }
}
