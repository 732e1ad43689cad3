//! The parser of rules: an expression of Go over calls with strings (`github.com/vulcand/predicate` `parse.go`, over
//! `go/parser` and `go/scanner`). It decides exactly which texts Traefik can read, except for a few that nobody writes.

use super::{Matcher, Reading, Rule, check};

/// Deeper nesting is not read, so that no rule exhausts the stack.
const MAX_DEPTH: usize = 64;
/// Rules with more values are not read: each may be asked about for each path of an entry.
pub(super) const MAX_VALUES: usize = 512;
/// The most of a rule that a message quotes, in characters.
const MOST_QUOTED: usize = 20;

/// Why a text was not parsed.
enum Failure {
    /// Traefik refuses it, for this reason.
    Refused(String),
    /// It is of a form, or a size, that this parser does not know.
    Unknown,
}

type Parsed<T> = Result<T, Failure>;

impl Reading {
    /// Reads a rule.
    pub fn of(text: &str) -> Self {
        // Go's scanner has rules of its own for these.
        if text.contains(['\0', '\u{feff}']) {
            return Self::default();
        }
        if is_to_be_replaced(text) {
            return Self { rule: parsed(text).rule, ..Self::default() };
        }
        parsed(text)
    }
}

/// Returns whether this is not yet the rule that Traefik gets: something is to be put into it, by envsubst, Flux, a template or
/// a replacement of kustomize's.
fn is_to_be_replaced(text: &str) -> bool {
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let encloses_name = |mark: char| text.split(mark).skip(1).step_by(2).any(is_name);
    let names_variable = text
        .match_indices('$')
        .any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)));
    names_variable
        || text.contains("{{")
        || text.contains("<%")
        || ['@', '%'].into_iter().any(encloses_name)
        || is_name(text)
}

fn parsed(text: &str) -> Reading {
    let mut parser =
        Parser { rest: text, begun: false, ends_operand: false, depth: 0, values: 0, found: Reading::default() };
    match parser.whole() {
        Ok(rule) => Reading { rule: Some(rule), ..parser.found },
        Err(Failure::Unknown) => Reading::default(),
        Err(Failure::Refused(reason)) => {
            Reading { rule: None, refused_as_newer: Some(reason.clone()), refused_as_older: Some(reason) }
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    /// Whether anything has been read.
    begun: bool,
    /// Whether the last token ended a value or a call, so that Go takes a line break for a semicolon.
    ends_operand: bool,
    depth: usize,
    values: usize,
    /// What the matchers so far are refused for.
    found: Reading,
}

impl Parser<'_> {
    fn whole(&mut self) -> Parsed<Rule> {
        let rule = self.any()?;
        self.space()?;
        if self.rest.is_empty() { Ok(rule) } else { Err(self.unexpected()) }
    }

    /// Skips what Go's scanner skips.
    fn space(&mut self) -> Parsed<()> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let skipped = &self.rest[..self.rest.len() - rest.len()];
        if rest.starts_with("//") || rest.starts_with("/*") {
            return Err(Failure::Unknown);
        }
        self.rest = rest;
        if self.ends_operand && skipped.contains('\n') && !rest.is_empty() {
            let next = self.quoted();
            return Err(Failure::Refused(format!("it ends at the line break before {next}")));
        }
        Ok(())
    }

    fn takes(&mut self, token: &str) -> Parsed<bool> {
        self.space()?;
        let Some(rest) = self.rest.strip_prefix(token) else { return Ok(false) };
        self.rest = rest;
        self.begun = true;
        self.ends_operand = token == ")";
        Ok(true)
    }

    /// Returns the beginning of what is left.
    fn quoted(&self) -> String {
        let line = self.rest.lines().next().unwrap_or_default();
        let short: String = line.chars().take(MOST_QUOTED).collect();
        let more = if short.len() < line.len() { "…" } else { "" };
        format!("\"{short}{more}\"")
    }

    fn unexpected(&self) -> Failure {
        Failure::Refused(match self.rest {
            "" if !self.begun => "it is empty".to_owned(),
            "" => "its end is missing".to_owned(),
            rest if rest.starts_with([')', '\'', '‘', '’', '“', '”']) => {
                format!("it has a wrong {}", self.quoted())
            }
            _ => format!("{} is not expected there", self.quoted()),
        })
    }

    fn any(&mut self) -> Parsed<Rule> {
        self.joined("||", Self::all, Rule::Any)
    }

    fn all(&mut self) -> Parsed<Rule> {
        self.joined("&&", Self::one, Rule::All)
    }

    fn joined(
        &mut self,
        operator: &str,
        next: fn(&mut Self) -> Parsed<Rule>,
        join: fn(Vec<Rule>) -> Rule,
    ) -> Parsed<Rule> {
        let first = next(self)?;
        let mut rules = Vec::new();
        while self.takes(operator)? {
            rules.push(next(self)?);
        }
        if rules.is_empty() {
            return Ok(first);
        }
        rules.insert(0, first);
        Ok(join(rules))
    }

    fn one(&mut self) -> Parsed<Rule> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::Unknown);
        }
        let rule = if self.takes("!")? {
            Rule::Not(Box::new(self.one()?))
        } else if self.takes("(")? {
            let rule = self.any()?;
            if !self.takes(")")? {
                return Err(self.unexpected());
            }
            rule
        } else {
            self.matcher()?
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn matcher(&mut self) -> Parsed<Rule> {
        self.space()?;
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.unexpected());
        }
        let name = name.to_owned();
        (self.rest, self.begun, self.ends_operand) = (rest, true, true);
        if !self.takes("(")? {
            return Err(Failure::Refused(format!("{name} has no value in parentheses")));
        }
        let values = self.values()?;
        // The first reason counts.
        let Reading { refused_as_newer: newer, refused_as_older: older, .. } = &mut self.found;
        *newer = newer.take().or_else(|| check::newer(&name, &values));
        *older = older.take().or_else(|| check::older(&name, &values));
        Ok(Rule::Matcher(Matcher::of(&name), values))
    }

    /// Reads values to the closing parenthesis. Go allows a comma behind the last one.
    fn values(&mut self) -> Parsed<Vec<String>> {
        let mut values = Vec::new();
        while !self.takes(")")? {
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(Failure::Unknown);
            }
            values.push(self.text()?);
            self.ends_operand = true;
            self.space()?;
            // `Host(names...)`, which `predicate` takes like any other call.
            if self.rest.starts_with("...") {
                return Err(Failure::Unknown);
            }
            if !self.takes(",")? {
                if self.takes(")")? {
                    return Ok(values);
                }
                return Err(self.unexpected());
            }
        }
        Ok(values)
    }

    /// Reads a string: raw, or with escapes.
    fn text(&mut self) -> Parsed<String> {
        const UNENDED: &str = "a closing quote is missing";
        let refused = |reason: &str| Failure::Refused(reason.to_owned());
        if let Some(rest) = self.rest.strip_prefix('`') {
            let (text, rest) = rest.split_once('`').ok_or_else(|| refused(UNENDED))?;
            self.rest = rest;
            return Ok(text.replace('\r', ""));
        }
        let Some(rest) = self.rest.strip_prefix('"') else {
            return Err(match self.rest {
                "" | ")" | "," => self.unexpected(),
                _ => Failure::Refused(format!("{} is not in backticks", self.quoted())),
            });
        };
        let mut chars = rest.char_indices();
        let mut text = String::new();
        loop {
            match chars.next().ok_or_else(|| refused(UNENDED))? {
                (at, '"') => {
                    self.rest = &rest[at + 1..];
                    return Ok(text);
                }
                (_, '\\') => text.push(escaped(chars.next().ok_or_else(|| refused(UNENDED))?.1)?),
                (_, '\n') => return Err(refused(UNENDED)),
                (_, c) => text.push(c),
            }
        }
    }
}

/// Returns what Go has for a backslash and this character.
fn escaped(c: char) -> Parsed<char> {
    Ok(match c {
        '"' | '\\' => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        // Numbers, which nobody writes in a rule.
        'x' | 'u' | 'U' | '0'..='7' => return Err(Failure::Unknown),
        _ => return Err(Failure::Refused(format!("\\{c} is no escape in \"…\": put the value in backticks"))),
    })
}
