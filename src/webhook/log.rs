//! What the process tells: one line an event, as text or as JSON. Writes nothing itself; lines go where the command
//! says.

use serde_json::{Map, Value, json};

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where lines go.
pub struct Log {
    format: LogFormat,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// Hands each line to `write`.
    pub fn new(format: LogFormat, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { format, write: Box::new(write) }
    }

    /// Something happened that is as it should be.
    pub(super) fn info(&self, message: &str, fields: &[(&str, Value)]) {
        (self.write)(&line(self.format, &now(), "info", message, fields));
    }

    /// Something happened that a person may have to look at.
    pub(super) fn warning(&self, message: &str, fields: &[(&str, Value)]) {
        (self.write)(&line(self.format, &now(), "warning", message, fields));
    }
}

fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// One line, whatever stands in the values.
fn line(format: LogFormat, time: &str, level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    match format {
        LogFormat::Json => {
            let mut object = Map::new();
            object.insert("time".into(), json!(time));
            object.insert("level".into(), json!(level));
            object.insert("message".into(), json!(message));
            object.extend(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            Value::Object(object).to_string()
        }
        LogFormat::Text => {
            let mut text = format!("{time} {level}: {}", plain(message));
            for (key, value) in fields {
                let value = value.as_str().map_or_else(|| value.to_string(), plain);
                // A value with blanks in it is quoted, so that a line can be taken apart.
                let value = if value.is_empty() || value.contains([' ', '"']) { format!("{value:?}") } else { value };
                text.push_str(&format!(" {key}={value}"));
            }
            text
        }
    }
}

/// Control characters escaped: names and sentences come from outside.
fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let fields = [("name", json!("web/shop")), ("why", json!("a \"b\"\nc")), ("writes", json!(1))];
        let text = line(LogFormat::Text, "T", "info", "re\x1bpaired", &fields);
        assert_eq!(text, "T info: re\\u{1b}paired name=web/shop why=\"a \\\"b\\\"\\\\nc\" writes=1");
        let json = line(LogFormat::Json, "T", "warning", "lost", &fields);
        let expected =
            r#"{"level":"warning","message":"lost","name":"web/shop","time":"T","why":"a \"b\"\nc","writes":1}"#;
        assert_eq!(json, expected);
    }
}
