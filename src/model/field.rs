//! The cookie's fields, one row each. Flags, prompts, help, man page, completion, the declaration's grammar,
//! the JSON keys and the check against the live custom resource definition all derive from [`FIELDS`].

use std::fmt;

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};

/// A field of the cookie.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The key in `spec.weighted.sticky.cookie` and in the native field of the Canary.
    pub key: &'static str,
    /// The flag of `sticky set`, and the word after `--unset`.
    pub flag: &'static str,
    /// The attribute in the declaration, as in `Set-Cookie` (RFC 6265 section 4.1.1); the name has none.
    pub attribute: Option<&'static str>,
    /// The type of its value.
    pub kind: FieldKind,
    /// Description, in one line without a full stop.
    pub help: &'static str,
    /// Effect of leaving it unset.
    pub unset: &'static str,
    /// Example value.
    pub example: &'static str,
    /// The first Traefik version whose weighted round robin honours it.
    pub since: &'static str,
}

/// The type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A cookie name: an RFC 7230 token, so that Traefik has nothing to replace.
    Token,
    /// Whole seconds.
    Seconds,
    /// A path: begins with `/`, then printable ASCII without blanks and `;` (RFC 6265 section 4.1.1 also allows
    /// blanks).
    Path,
    /// A domain name, with or without a leading dot.
    Domain,
    /// On or off; in a declaration, the attribute has no value.
    Switch,
    /// `none`, `lax` or `strict`.
    SameSite,
}

/// The value of one field, in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue {
    /// A token, a path or a domain; SameSite in lower case.
    Text(String),
    /// Whole seconds.
    Seconds(i64),
    /// On. Off is the absence of the field.
    On,
}

/// Every field, in the order of a declaration.
pub static FIELDS: [Field; 7] = [
    Field {
        key: "name",
        flag: "name",
        attribute: None,
        kind: FieldKind::Token,
        help: "Cookie name",
        unset: "Traefik derives one, such as _8d2a5",
        example: "login",
        since: "2.0",
    },
    Field {
        key: "maxAge",
        flag: "max-age",
        attribute: Some("Max-Age"),
        kind: FieldKind::Seconds,
        help: "How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the first response, not extended",
        unset: "until the browser closes",
        example: "300",
        since: "3.0",
    },
    Field {
        key: "path",
        flag: "path",
        attribute: Some("Path"),
        kind: FieldKind::Path,
        help: "Path the browser sends the cookie to",
        unset: "/",
        example: "/",
        since: "3.3",
    },
    Field {
        key: "domain",
        flag: "domain",
        attribute: Some("Domain"),
        kind: FieldKind::Domain,
        help: "Domain the browser sends the cookie to",
        unset: "the host that set it",
        example: "example.com",
        since: "3.4",
    },
    Field {
        key: "secure",
        flag: "secure",
        attribute: Some("Secure"),
        kind: FieldKind::Switch,
        help: "Send the cookie over HTTPS only",
        unset: "false",
        example: "true",
        since: "2.0",
    },
    Field {
        key: "httpOnly",
        flag: "http-only",
        attribute: Some("HttpOnly"),
        kind: FieldKind::Switch,
        help: "Hide the cookie from scripts",
        unset: "false",
        example: "true",
        since: "2.0",
    },
    Field {
        key: "sameSite",
        flag: "same-site",
        attribute: Some("SameSite"),
        kind: FieldKind::SameSite,
        help: "Send the cookie on requests that come from other sites: none (always), lax (links) or strict (never)",
        unset: "the browser decides, mostly lax",
        example: "lax",
        since: "3.0",
    },
];

/// The values of SameSite, as in `spec.weighted.sticky` (every Traefik accepts lower case; capitals only from 3.6.14
/// on) and as in `Set-Cookie`.
pub static SAME_SITE: [(&str, &str); 3] = [("none", "None"), ("lax", "Lax"), ("strict", "Strict")];

impl fmt::Display for FieldValue {
    /// Formats the value for a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::On => f.write_str("true"),
        }
    }
}

impl Field {
    /// Returns the field with this manifest key.
    pub fn by_key(key: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.key == key)
    }

    /// Returns the field with this flag.
    pub fn by_flag(flag: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.flag == flag)
    }

    /// Parses the text of a value, as typed after a flag or in a declaration.
    ///
    /// # Errors
    ///
    /// Returns what is allowed instead, in words.
    pub fn parse(&self, text: &str) -> Result<FieldValue, String> {
        if !self.kind.matches(text) {
            return Err(self.allowed());
        }
        Ok(match self.kind {
            FieldKind::Token | FieldKind::Path | FieldKind::Domain => FieldValue::Text(text.to_owned()),
            FieldKind::SameSite => FieldValue::Text(text.to_ascii_lowercase()),
            FieldKind::Seconds => FieldValue::Seconds(text.parse().map_err(|_| self.allowed())?),
            FieldKind::Switch => FieldValue::On,
        })
    }

    /// Returns the line for `--help` and for the editor.
    pub fn describe(&self) -> String {
        format!("{}; unset = {} (Traefik {}+)", self.help, self.unset, self.since)
    }

    /// Parses a value as users type it: seconds also as `5m` or `1h30m`.
    ///
    /// # Errors
    ///
    /// Returns what is allowed instead, in words.
    pub fn parse_typed(&self, text: &str) -> Result<FieldValue, String> {
        if self.kind != FieldKind::Seconds {
            return self.parse(text);
        }
        self.parse(&super::duration::seconds(text))
            .map_err(|allowed| format!("{allowed}, or a duration such as 5m or 1h30m"))
    }

    /// Returns what is allowed, in words.
    pub fn allowed(&self) -> String {
        match self.kind {
            FieldKind::Token => "may contain only letters, digits and !#$%&'*+-.^_`|~".into(),
            FieldKind::Seconds => "must be whole seconds of at most ten digits, such as 300".into(),
            FieldKind::Path => {
                "must start with / and contain only printable ASCII characters, no spaces or semicolons".into()
            }
            FieldKind::Domain => "must be a domain name, such as example.com".into(),
            FieldKind::Switch => "it takes no value".into(),
            FieldKind::SameSite => "must be None, Lax or Strict".into(),
        }
    }

    /// Reads the field's value from a manifest.
    ///
    /// # Errors
    ///
    /// Returns what is allowed if the value is of another type, or is one that Traefik would drop or change.
    pub fn from_json(&self, value: &Value) -> Result<Option<FieldValue>, String> {
        match (self.kind, value) {
            (_, Value::Null) | (FieldKind::Switch, Value::Bool(false)) => Ok(None),
            (FieldKind::Switch, Value::Bool(true)) => Ok(Some(FieldValue::On)),
            (FieldKind::Token | FieldKind::Domain, Value::String(text)) if text.is_empty() => Ok(None),
            (FieldKind::Token | FieldKind::Path | FieldKind::Domain | FieldKind::SameSite, Value::String(text)) => {
                self.parse(text).map(Some)
            }
            (FieldKind::Seconds, Value::Number(number)) => {
                number.as_i64().map(|seconds| Some(FieldValue::Seconds(seconds))).ok_or_else(|| self.allowed())
            }
            _ => Err(self.allowed()),
        }
    }

    /// Returns the value as it is in a manifest.
    pub fn to_json(value: &FieldValue) -> Value {
        match value {
            FieldValue::Text(text) => json!(text),
            FieldValue::Seconds(seconds) => json!(seconds),
            FieldValue::On => json!(true),
        }
    }

    /// Returns the value as it is in a declaration; `None` if the attribute has none.
    pub fn to_attribute(&self, value: &FieldValue) -> Option<String> {
        match value {
            FieldValue::On => None,
            FieldValue::Seconds(seconds) => Some(seconds.to_string()),
            FieldValue::Text(text) if self.kind == FieldKind::SameSite => {
                SAME_SITE.iter().find(|(lower, _)| lower == text).map(|(_, proper)| (*proper).to_owned())
            }
            FieldValue::Text(text) => Some(text.clone()),
        }
    }
}

impl FieldKind {
    /// Returns the regular expression that a whole value must match, in the syntax that Rust and RE2 (CEL's) share: the
    /// only copy of the grammar.
    pub const fn pattern(self) -> &'static str {
        match self {
            // RFC 7230 section 3.2.6, `tchar`; Traefik leaves these alone too (`pkg/server/cookie/cookie.go`).
            Self::Token => "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
            Self::Seconds => "0|-?[1-9][0-9]{0,9}",
            // Go's `net/http` drops all other bytes of a path (`validCookiePathByte`), except blanks.
            Self::Path => "/[!-:<-~]*",
            // Labels of at most 63 letters, digits and inner hyphens; a leading dot is allowed.
            Self::Domain => {
                "[.]?[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*"
            }
            Self::Switch => "",
            Self::SameSite => "(?i:none|lax|strict)",
        }
    }

    fn matches(self, text: &str) -> bool {
        static WHOLE: [OnceLock<Regex>; FIELDS.len()] = [const { OnceLock::new() }; FIELDS.len()];
        let known = FIELDS.iter().zip(&WHOLE).find(|(field, _)| field.kind == self);
        known.is_some_and(|(_, whole)| {
            // Compiled when it is first needed: a run needs one or two, and all of them take long.
            let compile = || RegexBuilder::new(&format!("^(?:{})$", self.pattern())).unicode(false).build();
            whole.get_or_init(|| compile().expect("the patterns are constants")).is_match(text)
        })
    }
}

#[cfg(test)]
mod tests;
