//! The `Set-Cookie` header, read as browsers read it (RFC 6265bis section 5.6).

use jiff::fmt::rfc2822::DateTimeParser;

/// The longest name and value together, in bytes (section 5.6 step 5).
const LONGEST: usize = 4096;
/// The longest value of an attribute, in bytes (section 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;
/// The longest that a cookie lives, in seconds: 400 days (section 5.5).
pub(super) const LONGEST_LIFE: i64 = 400 * 86_400;

/// A cookie as it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `Max-Age` in seconds.
    pub max_age: Option<i64>,
    /// `Expires`, in Unix seconds.
    pub expires: Option<i64>,
    /// `Domain` in lower case, without a leading dot.
    pub domain: Option<String>,
    /// `Path`; `None` if it does not begin with `/`.
    pub path: Option<String>,
    /// `Secure`.
    pub secure: bool,
    /// `SameSite`.
    pub same_site: SameSite,
}

/// The value of `SameSite`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Absent, or any other text.
    #[default]
    Default,
    /// `None`.
    None,
    /// `Lax`.
    Lax,
    /// `Strict`.
    Strict,
}

impl SetCookie {
    /// Parses the header's value; `None` if browsers ignore it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return None;
        }
        let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let (name, value) = (trimmed(name), trimmed(value));
        if (name.is_empty() && value.is_empty()) || name.chars().chain(value.chars()).count() > LONGEST {
            return None;
        }
        let mut cookie = Self { name: name.to_owned(), value: value.to_owned(), ..Self::default() };
        for attribute in attributes.split(';') {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let (key, value) = (trimmed(key), trimmed(value));
            if value.chars().count() <= LONGEST_ATTRIBUTE {
                cookie.read(&key.to_ascii_lowercase(), value);
            }
        }
        Some(cookie)
    }

    /// Reads one attribute; the last of a name counts.
    fn read(&mut self, key: &str, value: &str) {
        match key {
            "max-age" => self.max_age = seconds(value).or(self.max_age),
            "expires" => self.expires = date(value).or(self.expires),
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                self.domain = (!domain.is_empty()).then_some(domain);
            }
            "path" => self.path = value.starts_with('/').then(|| value.to_owned()),
            "secure" => self.secure = true,
            "samesite" => {
                self.same_site = match value.to_ascii_lowercase().as_str() {
                    "none" => SameSite::None,
                    "lax" => SameSite::Lax,
                    "strict" => SameSite::Strict,
                    _ => SameSite::Default,
                }
            }
            _ => {}
        }
    }
}

/// Removes spaces and tabs around a text.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Reads a `Max-Age` (section 5.6.2).
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.starts_with('-') {
        return Some(-1);
    }
    Some(digits.parse().unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE))
}

/// Reads an `Expires` (section 5.6.1) in the format of HTTP (RFC 9110 section 5.6.7), or with dashes in its date.
fn date(text: &str) -> Option<i64> {
    let text = text.replace('-', " ");
    DateTimeParser::new().parse_timestamp(&text).ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> SetCookie {
        SetCookie::parse(text).unwrap()
    }

    #[test]
    fn what_traefik_sets_is_read_whole() {
        let cookie = parsed(
            "login=a46c252a471a9916; Path=/sso; Domain=Shop.Example; Max-Age=120; HttpOnly; Secure; SameSite=None",
        );
        assert_eq!(
            cookie,
            SetCookie {
                name: "login".into(),
                value: "a46c252a471a9916".into(),
                max_age: Some(120),
                expires: None,
                domain: Some("shop.example".into()),
                path: Some("/sso".into()),
                secure: true,
                same_site: SameSite::None,
            }
        );
    }

    #[test]
    fn odd_headers_are_read_as_browsers_read_them() {
        let bare = parsed("a=1");
        assert_eq!(parsed(" a = 1 ;;x;Path=rel;Path;Domain=;SameSite=other;Max-Age=x;Max-Age=;Expires=soon"), bare);
        assert_eq!(parsed("only").value, "only");
        assert_eq!(parsed("a=b=c").value, "b=c");
        assert_eq!(parsed("a=\"x y\"").value, "\"x y\"");
        assert_eq!(parsed("a=1; max-age=5; MAX-AGE=9").max_age, Some(9));
        assert_eq!(parsed("a=1; Max-Age=-0").max_age, Some(-1));
        for (text, age) in
            [("34560000", 34_560_000), ("34560001", 34_560_000), ("99999999999999999999", 34_560_000), ("-7", -1)]
        {
            assert_eq!(parsed(&format!("a=1; Max-Age={text}")).max_age, Some(age), "at most 400 days");
        }
        assert_eq!(parsed("a=1; Domain=.a.example").domain.as_deref(), Some("a.example"));
        assert_eq!(parsed(&format!("a=1; Path=/{}", "x".repeat(1024))).path, None);
        for ignored in ["", "=", ";a=1", "a=\u{1}", "a=1; Path=/\u{7f}"] {
            assert_eq!(SetCookie::parse(ignored), None, "{ignored:?}");
        }
        assert_eq!(SetCookie::parse(&format!("a={}", "x".repeat(4096))), None);
        assert!(SetCookie::parse(&format!("a={}", "\u{e9}".repeat(4095))).is_some(), "a character stands for a byte");
    }

    #[test]
    fn a_date_is_read_in_the_formats_that_servers_send() {
        for text in ["Thu, 01 Jan 1970 00:00:10 GMT", "Thu, 01-Jan-1970 00:00:10 GMT"] {
            assert_eq!(parsed(&format!("a=1; Expires={text}")).expires, Some(10), "{text}");
        }
    }
}
