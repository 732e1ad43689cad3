//! Which matchers Traefik has in each of its syntaxes, and what values they take (traefik/traefik
//! `pkg/muxer/http/matcher.go`, `matcher_v2.go`; `pkg/rules/parser.go:CheckRule`).

use std::net::IpAddr;

use regex_syntax::ast::{ErrorKind, parse::Parser};

/// The matchers of the newer syntax, with the numbers of values that they take.
const NEWER: [(&str, &[usize]); 11] = [
    ("ClientIP", &[1]),
    ("Method", &[1]),
    ("Host", &[1]),
    ("HostRegexp", &[1]),
    ("Path", &[1]),
    ("PathRegexp", &[1]),
    ("PathPrefix", &[1]),
    ("Header", &[2]),
    ("HeaderRegexp", &[2]),
    ("Query", &[1, 2]),
    ("QueryRegexp", &[1, 2]),
];

/// The matchers of the older syntax, which take any number of values.
const OLDER: [&str; 10] = [
    "Host",
    "HostHeader",
    "HostRegexp",
    "ClientIP",
    "Path",
    "PathPrefix",
    "Method",
    "Headers",
    "HeadersRegexp",
    "Query",
];

/// Returns why Traefik refuses a matcher in the newer syntax.
pub(super) fn newer(name: &str, values: &[String]) -> Option<String> {
    let Some((matcher, counts)) = NEWER.into_iter().find(|(known, _)| is_called(known, name)) else {
        return Some(unknown(name, &NEWER.map(|(known, _)| known)));
    };
    if let Some(reason) = empty(matcher, values) {
        return Some(reason);
    }
    let count = values.len();
    if !counts.contains(&count) {
        let (least, most) = (counts[0], counts[counts.len() - 1]);
        let range = if least == most { least.to_string() } else { format!("{least} or {most}") };
        let plural = if most == 1 { "" } else { "s" };
        return Some(format!("{matcher} takes {range} value{plural}, not {count}"));
    }
    match matcher {
        "Host" if values[0] == "*" => None,
        "Host" | "HostRegexp" if !values[0].is_ascii() => Some(not_ascii(matcher)),
        "Path" | "PathPrefix" => no_slash(matcher, values),
        "ClientIP" => no_address(values),
        "HostRegexp" | "PathRegexp" => bad_regex(&values[0]),
        "HeaderRegexp" | "QueryRegexp" => values.get(1).and_then(|regex| bad_regex(regex)),
        _ => None,
    }
}

/// Returns why Traefik refuses a matcher in the older syntax.
pub(super) fn older(name: &str, values: &[String]) -> Option<String> {
    let Some(matcher) = OLDER.into_iter().find(|known| is_called(known, name)) else {
        return Some(unknown(name, &OLDER));
    };
    if let Some(reason) = empty(matcher, values) {
        return Some(reason);
    }
    let is_odd = |count: usize| !count.is_multiple_of(2);
    match matcher {
        "Host" | "HostHeader" | "HostRegexp" if values.iter().any(|value| !value.is_ascii()) => {
            Some(not_ascii(matcher))
        }
        "Path" | "PathPrefix" => no_slash(matcher, values),
        "ClientIP" => no_address(values),
        "Headers" | "HeadersRegexp" if is_odd(values.len()) => Some(format!("{matcher} takes names with values")),
        // `a=b` is two.
        "Query" if is_odd(values.iter().map(|value| value.splitn(2, '=').count()).sum()) => {
            Some("Query takes names with values: `name=value`".to_owned())
        }
        _ => None,
    }
}

/// Returns whether Traefik takes a name for this matcher: as it is, or all in lower or upper case, or with one capital
/// (`rules.NewParser`).
fn is_called(matcher: &str, name: &str) -> bool {
    let lower = matcher.to_ascii_lowercase();
    let title = format!("{}{}", &matcher[..1], &lower[1..]);
    [matcher, &lower, &matcher.to_ascii_uppercase(), &title].contains(&name)
}

fn unknown(name: &str, all: &[&str]) -> String {
    // `Headers` of the older syntax is `Header` of the newer.
    let plain = |name: &str| name.to_ascii_lowercase().replace("headers", "header");
    match all.iter().find(|known| plain(known) == plain(name)) {
        Some(known) => format!("it has no matcher {name}, but {known}"),
        None => format!("it has no matcher {name}"),
    }
}

fn empty(matcher: &str, values: &[String]) -> Option<String> {
    let is_empty = values.is_empty() || values.iter().any(String::is_empty);
    is_empty.then(|| format!("{matcher} has an empty value"))
}

fn not_ascii(matcher: &str) -> String {
    format!("{matcher} takes ASCII only: write the host in Punycode (xn--…)")
}

fn no_slash(matcher: &str, values: &[String]) -> Option<String> {
    let value = values.iter().find(|value| !value.starts_with('/'))?;
    Some(format!("the value of {matcher} must begin with /: \"{value}\""))
}

fn no_address(values: &[String]) -> Option<String> {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let is_range = |text: &str| {
        let Some((address, length)) = text.split_once('/') else { return false };
        let most = if address.contains(':') { 128 } else { 32 };
        is_address(address) && length.parse::<u8>().is_ok_and(|length| length <= most)
    };
    let value = values.iter().find(|value| !is_address(value) && !is_range(value))?;
    Some(format!("\"{value}\" is not an IP address or CIDR"))
}

/// Returns why Go refuses a regular expression (`regexp/syntax`), as far as it and the parser used here agree: what one of them
/// alone does not know is left to Traefik.
fn bad_regex(text: &str) -> Option<String> {
    let error = Parser::new().parse(text).err()?;
    let at = error.span().start.offset;
    let [before, after] = [&text[..at], &text[at..]].map(str::as_bytes);
    let reason = match error.kind() {
        // In Go, `{` is a letter where it repeats nothing, and `(?)` an empty list of flags.
        ErrorKind::RepetitionMissing
            if after.starts_with(b"{") || before.ends_with(b"(") && after.starts_with(b"?") =>
        {
            return None;
        }
        // `\07` and `\12` are octal numbers in Go.
        ErrorKind::UnsupportedBackreference
            if after.get(1) == Some(&b'0') || after.get(2).is_some_and(|digit| (b'0'..=b'7').contains(digit)) =>
        {
            return None;
        }
        ErrorKind::UnsupportedLookAround => "look-around is not supported",
        ErrorKind::UnsupportedBackreference => "backreferences are not supported",
        ErrorKind::GroupUnclosed => "a ) is missing",
        ErrorKind::GroupUnopened => "a ( is missing",
        ErrorKind::RepetitionMissing => "there is nothing before * + or ? to repeat",
        ErrorKind::EscapeUnexpectedEof => "it ends with a single backslash",
        _ => return None,
    };
    Some(format!("\"{text}\" is not a regular expression of Go: {reason}"))
}
