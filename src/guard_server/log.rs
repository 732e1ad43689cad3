//! The log: one line per event, as text or JSON. A separate thread writes it: if the output is not read, lines are
//! dropped and counted, and the process goes on.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::text::{escaped, json_escaped};

/// Output format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Text
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// Maximum number of lines waiting to be written.
const MOST_WAITING: usize = 1024;
/// How long the process waits for the last lines when it ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log of the process.
pub(crate) struct Log {
    format: LogFormat,
    lines: Option<SyncSender<String>>,
    /// Signals that all lines are written.
    written: Mutex<Receiver<()>>,
    dropped: AtomicU64,
    /// Lines dropped since the last accepted one.
    untold: AtomicU64,
}

impl Log {
    /// Starts the writer thread, which passes each line to `write`. `write` may block.
    pub(crate) fn new(format: LogFormat, write: impl Fn(&str) + Send + 'static) -> Self {
        let (lines, queue) = sync_channel::<String>(MOST_WAITING);
        let (end, written) = sync_channel(1);
        std::thread::spawn(move || {
            for line in queue {
                write(&line);
            }
            let _ = end.send(());
        });
        Self {
            format,
            lines: Some(lines),
            written: Mutex::new(written),
            dropped: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }

    /// Logs a normal event.
    pub(super) fn info(&self, message: &str, fields: &[(&str, Value)]) {
        self.put(line(self.format, &now(), "info", message, fields));
    }

    /// Logs an event that may need attention.
    pub(super) fn warning(&self, message: &str, fields: &[(&str, Value)]) {
        self.put(line(self.format, &now(), "warning", message, fields));
    }

    /// Returns the number of dropped lines.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    fn put(&self, text: String) {
        let Some(lines) = &self.lines else { return };
        let untold = self.untold.swap(0, Relaxed);
        let is_told = untold == 0 || {
            let fields = [("lines", json!(untold))];
            lines.try_send(line(self.format, &now(), "warning", "lines were dropped", &fields)).is_ok()
        };
        if !is_told {
            self.untold.fetch_add(untold, Relaxed);
        }
        if !is_told || lines.try_send(text).is_err() {
            self.untold.fetch_add(1, Relaxed);
            self.dropped.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.written.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE);
    }
}

fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// Formats one line; control characters in values are escaped.
fn line(format: LogFormat, time: &str, level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    match format {
        LogFormat::Json => {
            let mut object = Map::new();
            object.insert("time".into(), json!(time));
            object.insert("level".into(), json!(level));
            object.insert("message".into(), json!(message));
            object.extend(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            json_escaped(&Value::Object(object).to_string())
        }
        LogFormat::Text => {
            let mut text = format!("{time} {level}: {}", escaped(message));
            for (key, value) in fields {
                let value = value.as_str().map_or_else(|| value.to_string(), escaped);
                // Values with spaces are quoted, so that the line can be parsed.
                let value = if value.is_empty() || value.contains([' ', '"']) { format!("{value:?}") } else { value };
                text.push_str(&format!(" {key}={value}"));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc::channel};

    use super::*;

    #[test]
    fn a_log_that_nobody_reads_stops_nobody_and_says_afterwards_what_is_missing() {
        const LINES: usize = 5000;
        let (go, stopped) = channel::<()>();
        let (begin, begun) = channel::<()>();
        let written = Arc::<Mutex<Vec<String>>>::default();
        let log = Log::new(LogFormat::Json, {
            let written = Arc::clone(&written);
            move |line| {
                let _ = begin.send(());
                let _ = stopped.recv();
                written.lock().unwrap().push(line.to_owned());
            }
        });
        log.info("said", &[]);
        begun.recv().unwrap();
        // The writer has that line and takes no other.
        for _ in 1..LINES {
            log.info("said", &[]);
        }
        let dropped = usize::try_from(log.dropped()).unwrap();
        assert_eq!(dropped, LINES - MOST_WAITING - 1);
        drop(go);
        while written.lock().unwrap().len() < LINES - dropped {
            std::thread::yield_now();
        }
        log.info("said", &[]);
        drop(log);
        let written = written.lock().unwrap();
        let last: Vec<Value> =
            written.iter().skip(LINES - dropped).map(|line| serde_json::from_str(line).unwrap()).collect();
        let said: Vec<_> = last.iter().map(|line| (&line["message"], &line["lines"])).collect();
        assert_eq!(said, [(&json!("lines were dropped"), &json!(dropped)), (&json!("said"), &Value::Null)]);
    }

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
