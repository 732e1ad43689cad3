//! Rules of Traefik's routers: read as Traefik reads them, and asked about one host and path. Pure.
//!
//! A rule is an expression of Go (`github.com/vulcand/predicate`) over matchers (traefik/traefik `pkg/rules/parser.go`,
//! `pkg/muxer/http/matcher.go`; `matcher_v2.go` for the older syntax). Matchers of anything but host and path may hold or
//! not, depending on the rest of the request: the answer is then [`Answer::Maybe`].

mod check;
#[cfg(test)]
mod ground;
mod parse;

use std::collections::BTreeSet;

use regex::RegexBuilder;

/// The most memory for a compiled regular expression, in bytes. What a larger one matches is not known.
const MAX_REGEX: usize = 256 << 10;

/// What Traefik makes of the text of a rule, in each of its syntaxes: the newer is Traefik 3's own, the older that of
/// Traefik 2, which Traefik 3 takes with `syntax: v2` (or `core.defaultRuleSyntax`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The rule; `None` if it cannot be read here.
    pub rule: Option<Rule>,
    /// Why Traefik refuses it in the newer syntax; `None` if it does not, or if that is not known.
    pub refused_as_newer: Option<String>,
    /// The same in the older syntax.
    pub refused_as_older: Option<String>,
}

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// All of these hold.
    All(Vec<Rule>),
    /// One of these holds.
    Any(Vec<Rule>),
    /// This does not hold.
    Not(Box<Rule>),
    /// A matcher with its values.
    Matcher(Matcher, Vec<String>),
}

/// A matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matcher {
    /// `Host`, and `HostHeader` of the older syntax.
    Host,
    /// `HostRegexp`.
    HostRegexp,
    /// `Path`.
    Path,
    /// `PathPrefix`.
    PathPrefix,
    /// `PathRegexp`.
    PathRegexp,
    /// Any other, about what is not known of a request.
    Other,
}

/// Whether requests match; the more do, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// No request matches.
    No,
    /// Some requests match, or what matches is not known.
    Maybe,
    /// Every request matches.
    Yes,
}

/// The known part of a request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The host in lower case; `None` for any.
    pub host: Option<&'a str>,
    /// The path.
    pub path: &'a str,
}

impl Rule {
    /// Parses a rule; `None` if it cannot be read.
    pub fn parse(text: &str) -> Option<Self> {
        Reading::of(text).rule
    }

    /// Returns whether requests of this host and path match.
    pub fn answers(&self, request: Request<'_>) -> Answer {
        match self {
            Self::All(rules) => rules.iter().map(|rule| rule.answers(request)).min().unwrap_or(Answer::Yes),
            Self::Any(rules) => rules.iter().map(|rule| rule.answers(request)).max().unwrap_or(Answer::No),
            Self::Not(rule) => match rule.answers(request) {
                Answer::No => Answer::Yes,
                Answer::Maybe => Answer::Maybe,
                Answer::Yes => Answer::No,
            },
            Self::Matcher(matcher, values) => {
                values.iter().map(|value| matcher.answers(value, request)).max().unwrap_or(Answer::Maybe)
            }
        }
    }

    /// Returns the only hosts whose requests can match, in lower case; `None` if those of others can, too.
    pub fn only_hosts(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::All(rules) => rules.iter().filter_map(Self::only_hosts).min_by_key(BTreeSet::len),
            Self::Any(rules) => rules.iter().map(Self::only_hosts).try_fold(BTreeSet::new(), |mut all, hosts| {
                hosts.map(|hosts| {
                    all.extend(hosts);
                    all
                })
            }),
            Self::Matcher(Matcher::Host, values) if !values.is_empty() => {
                let hosts = values.iter().map(|value| plain(value));
                hosts.map(|host| (!host.starts_with('*')).then_some(host)).collect()
            }
            Self::Not(_) | Self::Matcher(..) => None,
        }
    }

    /// Returns whether requests must meet more than host and path: a header, a method, an address.
    pub fn is_conditional(&self) -> bool {
        match self {
            Self::All(rules) => rules.iter().any(Self::is_conditional),
            Self::Any(rules) => rules.iter().all(Self::is_conditional),
            Self::Not(rule) => rule.is_conditional(),
            Self::Matcher(matcher, _) => *matcher == Matcher::Other,
        }
    }

    /// Returns roughly what it costs to ask, in comparisons: a regular expression is compiled each time, since thousands
    /// of them would not fit into memory.
    pub fn cost(&self) -> usize {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().map(Self::cost).sum(),
            Self::Not(rule) => rule.cost(),
            Self::Matcher(Matcher::HostRegexp | Matcher::PathRegexp, values) => 50 * values.len(),
            Self::Matcher(_, values) => values.len().max(1),
        }
    }

    /// Returns the hosts to ask about for a path, in lower case, each once: those that the rule names, and `None` for any
    /// other if requests of another host can match.
    pub fn hosts(&self, path: &str) -> Vec<Option<String>> {
        let (mut hosts, mut has_patterns) = (Vec::new(), false);
        for (matcher, values) in self.matchers() {
            has_patterns |= matcher == Matcher::HostRegexp;
            for host in values.iter().filter(|_| matcher == Matcher::Host).map(|value| plain(value)) {
                if host.starts_with('*') {
                    has_patterns = true;
                } else if !hosts.contains(&Some(host.clone())) {
                    hosts.push(Some(host));
                }
            }
        }
        // No host can have this name.
        if has_patterns || self.answers(Request { host: Some("-"), path }) != Answer::No {
            hosts.push(None);
        }
        hosts
    }

    /// Returns the paths that the rule names, except those of what must not hold.
    pub fn paths(&self) -> Vec<&str> {
        let is_path = |(matcher, _): &(Matcher, _)| matches!(matcher, Matcher::Path | Matcher::PathPrefix);
        let values = self.matchers().into_iter().filter(is_path).flat_map(|(_, values)| values);
        values.map(String::as_str).collect()
    }

    /// Returns the matchers with their values, except those of what must not hold.
    fn matchers(&self) -> Vec<(Matcher, &[String])> {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::matchers).collect(),
            Self::Matcher(matcher, values) => vec![(*matcher, values)],
            Self::Not(_) => Vec::new(),
        }
    }
}

impl Matcher {
    /// Returns the matcher of this name: as it is written, or all in lower or upper case (`rules.NewParser`).
    fn of(name: &str) -> Self {
        let known = [
            ("Host", Self::Host),
            ("HostHeader", Self::Host),
            ("HostRegexp", Self::HostRegexp),
            ("Path", Self::Path),
            ("PathPrefix", Self::PathPrefix),
            ("PathRegexp", Self::PathRegexp),
        ];
        known
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Other, |(_, matcher)| matcher)
    }

    fn answers(self, value: &str, Request { host, path }: Request<'_>) -> Answer {
        // In the older syntax, braces hold a variable or a regular expression.
        let is_plain = !value.contains(['{', '}']);
        let is = |matches: bool| if matches { Answer::Yes } else { Answer::No };
        let regex = |text: &str| {
            let regex = RegexBuilder::new(value).size_limit(MAX_REGEX).build();
            regex.map_or(Answer::Maybe, |regex| is(regex.is_match(text)))
        };
        match (self, host) {
            (Self::Host, _) if value == "*" => Answer::Yes,
            (Self::Host, Some(host)) => is(host_matches(host, &plain(value))),
            // What is not a regular expression in the newer syntax can be one in the older.
            (Self::HostRegexp, Some(host)) if is_plain => regex(host),
            (Self::Path, _) if is_plain => is(path == value),
            (Self::PathPrefix, _) if is_plain => is(path.starts_with(value)),
            (Self::PathRegexp, _) => regex(path),
            _ => Answer::Maybe,
        }
    }
}

/// Returns a host in lower case, without the trailing dot (`matcher.go:host` compares both forms).
fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Returns whether a host matches; `*.` stands for one label (`pkg/muxer/muxer.go:DomainMatchHostExpression`, from 3.7 on).
fn host_matches(host: &str, expression: &str) -> bool {
    match expression.strip_prefix('*') {
        Some(rest) => host.find('.').is_some_and(|dot| host[dot..] == *rest),
        None => host == expression,
    }
}

#[cfg(test)]
mod tests;
