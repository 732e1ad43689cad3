//! From a template and a value to text (`k8s.io/client-go/util/jsonpath/jsonpath.go`).

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;

use super::{Filter, Piece, Slice, Step, To};

/// Values on the way.
type Values<'a> = Vec<Cow<'a, Value>>;

/// Appends the text of these pieces.
pub(super) fn pieces(pieces: &[Piece], value: &Value, text: &mut String) -> Result<(), String> {
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Values(steps) => {
                let shown: Vec<_> = values(steps, value)?.iter().map(|value| printed(value)).collect();
                text.push_str(&shown.join(" "));
            }
            Piece::Range(steps, inner) => {
                for value in values(steps, value)? {
                    self::pieces(inner, &value, text)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the values that these steps lead to.
pub(super) fn values<'a>(steps: &'a [Step], value: &'a Value) -> Result<Values<'a>, String> {
    walk(steps, vec![Cow::Borrowed(value)])
}

fn walk<'a>(steps: &'a [Step], values: Values<'a>) -> Result<Values<'a>, String> {
    steps.iter().try_fold(values, |values, step| {
        let mut next = Vec::new();
        if let Step::Union(parts) = step {
            for part in parts {
                next.extend(walk(part, values.clone())?);
            }
            return Ok(next);
        }
        for value in values {
            take(step, value, &mut next)?;
        }
        Ok(next)
    })
}

/// Takes one step from one value.
fn take<'a>(step: &'a Step, value: Cow<'a, Value>, next: &mut Values<'a>) -> Result<(), String> {
    match step {
        Step::Constant(constant) => next.push(Cow::Borrowed(constant)),
        Step::Union(_) => {}
        Step::Field(name) => next.extend(children(value, |key| key == name)),
        Step::Wildcard => next.extend(children(value.clone(), |_| true).into_iter().chain(entries(value))),
        Step::Recursive => descend(value, next),
        Step::Slice(slice) => match &*value {
            Value::Null => {}
            Value::Array(list) => {
                let (range, step) = range(*slice, list.len())?;
                next.extend(entries(value).drain(range).step_by(step));
            }
            other => return Err(format!("{} is not a list", printed(other))),
        },
        Step::Filter(filter) => match &*value {
            Value::Array(_) => {
                for entry in entries(value) {
                    if holds(filter, &entry)? {
                        next.push(entry);
                    }
                }
            }
            other => return Err(format!("{} is not a list", printed(other))),
        },
    }
    Ok(())
}

/// Returns the values of the chosen keys of a mapping.
fn children(value: Cow<'_, Value>, is_chosen: impl Fn(&str) -> bool) -> Values<'_> {
    match value {
        Cow::Borrowed(Value::Object(fields)) => {
            fields.iter().filter(|(key, _)| is_chosen(key)).map(|(_, value)| Cow::Borrowed(value)).collect()
        }
        Cow::Owned(Value::Object(fields)) => {
            fields.into_iter().filter(|(key, _)| is_chosen(key)).map(|(_, value)| Cow::Owned(value)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the entries of a list.
fn entries(value: Cow<'_, Value>) -> Values<'_> {
    match value {
        Cow::Borrowed(Value::Array(list)) => list.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(list)) => list.into_iter().map(Cow::Owned).collect(),
        _ => Vec::new(),
    }
}

/// Adds the value and whatever is in it, as far as there is anything in it.
fn descend<'a>(value: Cow<'a, Value>, next: &mut Values<'a>) {
    let inner: Values<'a> = children(value.clone(), |_| true).into_iter().chain(entries(value.clone())).collect();
    if !inner.is_empty() {
        next.push(value);
        for inner in inner {
            descend(inner, next);
        }
    }
}

/// Returns the places of a slice, and the step between them.
fn range(slice: Slice, length: usize) -> Result<(std::ops::Range<usize>, usize), String> {
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let given = slice.from.unwrap_or(0);
    let from = if given < 0 { given.saturating_add(size) } else { given };
    let to = match slice.to {
        To::End => size,
        To::Before(to) if to < 0 => to.saturating_add(size),
        To::Before(to) => to,
        To::Next => from.saturating_add(1),
    };
    if from == to {
        return Ok((0..0, 1));
    }
    let outside = |place: i64| format!("index {place} is out of range in a list of {length}");
    let within = |place: i64| usize::try_from(place).ok().filter(|place| *place <= length);
    let begin = within(from).filter(|begin| *begin < length).ok_or_else(|| outside(given))?;
    let end = within(to).ok_or_else(|| outside(to.saturating_sub(1)))?;
    if begin > end {
        return Err(format!("a slice from {from} to {to}"));
    }
    let step = usize::try_from(slice.step.unwrap_or(1)).ok().filter(|step| *step > 0);
    Ok((begin..end, step.ok_or("the step of a slice must be greater than 0")?))
}

fn holds(filter: &Filter, entry: &Value) -> Result<bool, String> {
    let left = values(&filter.left, entry);
    let Some((orders, right)) = &filter.compared else { return Ok(left.is_ok_and(|left| !left.is_empty())) };
    let (left, right) = (left?, values(right, entry)?);
    let (left, right) = match (&left[..], &right[..]) {
        ([left], [right]) => (left, right),
        ([], _) | (_, []) => return Ok(false),
        _ => return Err("only one value can be compared at a time".into()),
    };
    Ok(orders.contains(&compare(left, right)))
}

/// Compares two values; `None` if they are of different types, or of a type without an order.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        _ => None,
    }
}

/// Returns a value as text: a string as it is, a list or mapping as JSON, as Go writes it
/// (`encoding/json`: `<`, `>` and `&` are escaped).
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
        }
        other => other.to_string(),
    }
}
