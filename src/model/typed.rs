//! What is shown to be typed again: values as a shell takes them, addresses without what is secret in them.

/// The text as a shell takes it.
pub fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The address without user and password (RFC 3986 section 3.2.1), be it well-formed or not: a password in which `/` was
/// not escaped is none the less one.
pub fn without_userinfo(address: &str) -> String {
    let (scheme, rest) = address.split_at(address.find("://").map_or(0, |at| at + 3));
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let is_host = match authority.rsplit_once(':') {
        Some((_, port)) => authority.starts_with('[') || port.bytes().all(|byte| byte.is_ascii_digit()),
        None => true,
    };
    let from = match authority.rfind('@') {
        Some(at) => at + 1,
        None if is_host => 0,
        None => rest.rfind('@').map_or(0, |at| at + 1),
    };
    format!("{scheme}{}", &rest[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        for (text, expected) in [("a-b/c:1", "a-b/c:1"), ("", "''"), ("a b", "'a b'"), ("it's;$(x)", r"'it'\''s;$(x)'")]
        {
            assert_eq!(quoted(text), expected);
        }
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
            ("://@", "://"),
            ("", ""),
        ] {
            assert_eq!(without_userinfo(address), expected, "{address}");
        }
    }
}
