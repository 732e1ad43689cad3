//! From text to a template (`k8s.io/client-go/util/jsonpath/parser.go`).

use serde_json::Value;

use super::{Filter, OPERATORS, Piece, Slice, Step, To};

/// What operators are made of.
const SIGNS: [char; 4] = ['!', '<', '>', '='];
/// How deeply unions and filters may be nested.
const DEEPEST: u32 = 32;

/// An action, as it stands between braces.
enum Action {
    Values(Vec<Step>),
    Range(Vec<Step>),
    End,
}

/// Parses a whole template.
pub(super) fn template(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    // What each open range goes over, and the pieces before it.
    let mut open: Vec<(Vec<Step>, Vec<Piece>)> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find('{') {
        if begin > 0 {
            pieces.push(Piece::Text(rest[..begin].to_owned()));
        }
        let mut parser = Parser { rest: &rest[begin + 1..], depth: 0 };
        match parser.action(Some('}'))? {
            Action::Values(steps) => pieces.push(Piece::Values(steps)),
            Action::Range(steps) => open.push((steps, std::mem::take(&mut pieces))),
            Action::End => {
                let (steps, before) = open.pop().ok_or("{end} without {range}")?;
                pieces = close(steps, before, pieces);
            }
        }
        rest = parser.rest;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    // As in kubectl, a range without an end goes on to the end.
    while let Some((steps, before)) = open.pop() {
        pieces = close(steps, before, pieces);
    }
    Ok(pieces)
}

/// Adds a range to the pieces before it.
fn close(steps: Vec<Step>, mut before: Vec<Piece>, pieces: Vec<Piece>) -> Vec<Piece> {
    before.push(Piece::Range(steps, pieces));
    before
}

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
}

impl<'a> Parser<'a> {
    /// Parses up to this closing brace, or to the end of the text.
    fn action(&mut self, close: Option<char>) -> Result<Action, String> {
        let (mut steps, mut word) = (Vec::new(), None);
        loop {
            let Some(next) = self.rest.chars().next() else {
                if close.is_some() {
                    return Err("{ without }".into());
                }
                break;
            };
            match next {
                '}' if close.is_some() => {
                    self.rest = &self.rest[1..];
                    break;
                }
                '\n' | '\r' => return Err("{ without } on its line".into()),
                ' ' | '@' | '$' => self.rest = &self.rest[1..],
                '[' => steps.push(self.bracket()?),
                '"' | '\'' => steps.push(Step::Constant(self.quoted(next)?.into())),
                '.' => self.dots(&mut steps)?,
                '+' | '-' | '0'..='9' => steps.push(self.number()?),
                letter if letter.is_alphanumeric() || letter == '_' => match self.until_terminator() {
                    "true" => steps.push(Step::Constant(true.into())),
                    "false" => steps.push(Step::Constant(false.into())),
                    keyword @ ("range" | "end") if word.is_none() && steps.is_empty() => word = Some(keyword),
                    other => return Err(format!("`{other}` is not a path: begin it with a dot, `.{other}`")),
                },
                other => return Err(format!("`{other}` is not allowed in braces")),
            }
        }
        Ok(match word {
            Some("range") => Action::Range(steps),
            Some(_) => Action::End,
            None => Action::Values(steps),
        })
    }

    /// Parses what stands in a bracket or filter.
    fn nested(&self, text: &'a str) -> Result<Vec<Step>, String> {
        let mut parser = Parser { rest: text, depth: self.depth + 1 };
        if parser.depth > DEEPEST {
            return Err("too deeply nested".into());
        }
        match parser.action(None)? {
            Action::Values(steps) => Ok(steps),
            Action::Range(_) | Action::End => Err(format!("`{text}` is not a path")),
        }
    }

    fn until_terminator(&mut self) -> &'a str {
        let mut is_escaped = false;
        let end = self.rest.find(|letter: char| {
            let ends = !is_escaped && is_terminator(letter);
            is_escaped = !is_escaped && letter == '\\';
            ends
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn dots(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix("..") {
            if steps.last() == Some(&Step::Recursive) {
                return Err("`....` is not a path".into());
            }
            steps.push(Step::Recursive);
            self.rest = rest;
            if !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                return Ok(());
            }
        } else {
            self.rest = &self.rest[1..];
        }
        let name = self.until_terminator();
        steps.push(if name == "*" { Step::Wildcard } else { Step::Field(name.replace('\\', "")) });
        Ok(())
    }

    fn number(&mut self) -> Result<Step, String> {
        let end = self.rest[1..].find(|letter: char| letter != '.' && !letter.is_ascii_digit());
        let (text, rest) = self.rest.split_at(end.map_or(self.rest.len(), |end| end + 1));
        self.rest = rest;
        let number = text.parse::<i64>().map(Value::from).ok();
        let number = number.or_else(|| Some(serde_json::Number::from_f64(text.parse().ok()?)?.into()));
        number.map(Step::Constant).ok_or_else(|| format!("`{text}` is not a number"))
    }

    /// Parses a text in quotes, with the escapes of Go (`strconv.UnquoteChar`).
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = self.rest[1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\n' => break,
                letter if letter == quote => {
                    self.rest = &self.rest[at + 2..];
                    return Ok(text);
                }
                '\\' => {
                    let escaped = letters.next().map(|(_, letter)| letter);
                    let digits = match escaped {
                        Some('x') => 2,
                        Some('u') => 4,
                        Some('U') => 8,
                        _ => 0,
                    };
                    let code: String = letters.by_ref().take(digits).map(|(_, letter)| letter).collect();
                    text.push(match escaped {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        Some('\\') => '\\',
                        Some(same) if same == quote => quote,
                        other => {
                            let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                            let shown = other.map(String::from).unwrap_or_default();
                            code.ok_or_else(|| format!("`\\{shown}` is not an escape sequence"))?
                        }
                    });
                }
                letter => text.push(letter),
            }
        }
        Err(format!("unclosed {quote}"))
    }

    fn bracket(&mut self) -> Result<Step, String> {
        if let Some(rest) = self.rest.strip_prefix("[?(") {
            self.rest = rest;
            return self.filter();
        }
        let end = self.rest.find([']', '\n']).filter(|end| self.rest[*end..].starts_with(']'));
        let end = end.ok_or("[ without ]")?;
        let text = &self.rest[1..end];
        self.rest = &self.rest[end + 1..];
        if text.contains(',') {
            let parts = text.split(',').map(|part| {
                let bracket = format!("[{}]", part.trim_matches(' '));
                Parser { rest: &bracket, depth: self.depth }.bracket().map(|step| vec![step])
            });
            return parts.collect::<Result<_, _>>().map(Step::Union);
        }
        if let Some(key) =
            text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).filter(|key| !key.contains('\''))
        {
            // As in kubectl, a dot in it has to be escaped, too.
            let path = format!(".{key}");
            let mut steps = Parser { rest: &path, depth: self.depth }.nested(&path)?;
            return Ok(if steps.len() == 1 { steps.remove(0) } else { Step::Union(vec![steps]) });
        }
        slice(if text == "*" { ":" } else { text }).map(Step::Slice)
    }

    fn filter(&mut self) -> Result<Step, String> {
        let (mut quote, mut before, mut end) = (None, ' ', None);
        for (at, letter) in self.rest.char_indices() {
            match (letter, quote) {
                ('\n', _) => break,
                ('"' | '\'', None) => quote = Some(letter),
                (letter, Some(open)) if letter == open && before != '\\' => quote = None,
                (')', None) => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            before = letter;
        }
        let (Some(end), Some(rest)) = (end, end.and_then(|end| self.rest[end + 1..].strip_prefix(']'))) else {
            return Err("[?( without )]".into());
        };
        let text = &self.rest[..end];
        self.rest = rest;
        let Some(begin) = text.find(SIGNS).filter(|begin| *begin > 0) else {
            return Ok(Step::Filter(Box::new(Filter { left: self.nested(text)?, compared: None })));
        };
        let right = text[begin..].trim_start_matches(SIGNS);
        let signs = &text[begin..text.len() - right.len()];
        let operator = OPERATORS.into_iter().find(|(operator, _)| *operator == signs);
        let (_, orders) = operator.ok_or_else(|| format!("`{signs}` is not one of ==, !=, <, <=, > and >="))?;
        let (left, right) = (self.nested(&text[..begin])?, self.nested(right)?);
        Ok(Step::Filter(Box::new(Filter { left, compared: Some((orders, right)) })))
    }
}

fn is_terminator(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

/// Parses `from:to:step`, each of which may be missing.
fn slice(text: &str) -> Result<Slice, String> {
    let problem = || format!("`[{text}]` is not a place in a list");
    let mut parts = text.split(':').map(|part| match part {
        "" => Ok(None),
        part if part.starts_with('+') => Err(problem()),
        part => part.parse::<i64>().map(Some).map_err(|_| problem()),
    });
    let from = parts.next().unwrap_or(Ok(None))?;
    let to = match parts.next() {
        None if from.is_none() => return Err(problem()),
        None => To::Next,
        Some(to) => to?.map_or(To::End, To::Before),
    };
    let step = parts.next().unwrap_or(Ok(None))?;
    if parts.next().is_some() { Err(problem()) } else { Ok(Slice { from, to, step }) }
}
