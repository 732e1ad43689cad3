//! The parser of rules: an expression of Go over calls with strings (`github.com/vulcand/predicate`).

use super::{Matcher, Rule};

/// Deeper nesting is not read, so that no rule exhausts the stack.
const MAX_DEPTH: usize = 64;
/// Rules with more values are not read: each may be asked about for each path of an entry.
pub(super) const MAX_VALUES: usize = 512;

/// Parses a rule; `None` if it cannot be read.
pub(super) fn parse(text: &str) -> Option<Rule> {
    let mut parser = Parser { rest: text, depth: 0, values: 0 };
    let rule = parser.any()?;
    parser.space();
    parser.rest.is_empty().then_some(rule)
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    values: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> Option<Rule> {
        self.joined("||", Self::all, Rule::Any)
    }

    fn all(&mut self) -> Option<Rule> {
        self.joined("&&", Self::one, Rule::All)
    }

    fn joined(
        &mut self,
        operator: &str,
        next: fn(&mut Self) -> Option<Rule>,
        join: fn(Vec<Rule>) -> Rule,
    ) -> Option<Rule> {
        let mut rules = vec![next(self)?];
        while self.takes(operator) {
            rules.push(next(self)?);
        }
        if rules.len() == 1 { rules.pop() } else { Some(join(rules)) }
    }

    fn one(&mut self) -> Option<Rule> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let rule = if self.takes("!") {
            Rule::Not(Box::new(self.one()?))
        } else if self.takes("(") {
            let rule = self.any()?;
            self.takes(")").then_some(rule)?
        } else {
            self.matcher()?
        };
        self.depth -= 1;
        Some(rule)
    }

    fn matcher(&mut self) -> Option<Rule> {
        self.space();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric())?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() || !self.takes("(") {
            return None;
        }
        let mut values = Vec::new();
        while !self.takes(")") {
            if !values.is_empty() && !self.takes(",") {
                return None;
            }
            // Go allows a comma behind the last one.
            if !values.is_empty() && self.takes(")") {
                break;
            }
            self.values += 1;
            if self.values > MAX_VALUES {
                return None;
            }
            values.push(self.text()?);
        }
        Some(Rule::Matcher(Matcher::of(name), values))
    }

    /// Reads a string of Go: raw, or with escapes, of which only those of quotes and backslashes are known.
    fn text(&mut self) -> Option<String> {
        self.space();
        if let Some(rest) = self.rest.strip_prefix('`') {
            let (text, rest) = rest.split_once('`')?;
            self.rest = rest;
            return Some(text.to_owned());
        }
        let mut chars = self.rest.strip_prefix('"')?.char_indices();
        let mut text = String::new();
        loop {
            match chars.next()? {
                (at, '"') => {
                    self.rest = &self.rest[at + 2..];
                    return Some(text);
                }
                (_, '\\') => match chars.next()?.1 {
                    c @ ('"' | '\\') => text.push(c),
                    _ => return None,
                },
                (_, '\n') => return None,
                (_, c) => text.push(c),
            }
        }
    }
}
