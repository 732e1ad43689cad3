//! YAML text to JSON values and back, read and written the way kubectl does. Pure, and the only file that
//! names the YAML crate.

use serde_json::{Map, Number, Value};

/// Where and why a text is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The reason, without the place.
    pub reason: String,
}

/// Parses one YAML (or JSON) document.
///
/// Scalars mean what they mean to kubectl: `on`, `yes` and `NO` are booleans, `010` is 8, `1e3` is 1000.
///
/// # Errors
///
/// The place and the reason when the text is not one well-formed document, or a mapping has a key twice.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    serde_saphyr::from_str_with_options::<Value>(text, options).map(whole_numbers).map_err(|error| {
        let place = error.location();
        SyntaxError {
            line: place.map_or(1, |place| place.line() as usize),
            column: place.map_or(1, |place| place.column() as usize),
            reason: reason(&error.to_string()),
        }
    })
}

/// Writes a value as YAML that kubectl reads back as the same value: keys sorted, lists not indented, long
/// lines left whole, several lines as a literal block.
pub fn print(value: &Value) -> String {
    // go-yaml refuses a literal block whose first line begins with a tab.
    let blocks = !any_string(value, &|text| text.contains('\n') && text.trim_start_matches('\n').starts_with('\t'));
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX, prefer_block_scalars: blocks };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options).expect("a JSON value can always be written as YAML");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// `1e3` and `010` arrive as floats; where the value is whole, kubectl has an integer.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range just before")]
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < 9e15).then(|| Number::from(float as i64))
}

fn any_string(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_string(item, test)),
        Value::Object(fields) => fields.values().any(|field| any_string(field, test)),
        _ => false,
    }
}

/// The parser's text without its place, which is shown in front of it.
fn reason(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    line.trim_start_matches("error: ").to_owned()
}
