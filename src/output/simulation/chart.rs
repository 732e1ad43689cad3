//! The chart below the table of a simulated rollout: the canary's share over time, in characters.

use crate::{output::wrap::columns, plan::purpose, simulate::Simulation};

/// Rows of the plot; a multiple of two, for the label in the middle.
const ROWS: u8 = 8;
/// The widest and the narrowest plot, in columns.
const COLUMNS: (usize, usize) = (64, 20);
/// Columns of the labels on the left.
const MARGIN: usize = 7;
/// A cell filled from below, in eighths.
const FILLED: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws new visitors as a line and those who were there before as an area. Empty if the terminal is too narrow.
pub(super) fn chart(simulation: &Simulation, width: usize) -> String {
    let across = width.saturating_sub(MARGIN).min(COLUMNS.0);
    if across < COLUMNS.1 {
        return String::new();
    }
    let times = (0..across).map(|column| simulation.length() * (part(column) + 0.5) / part(across));
    let shares: Vec<_> = times.map(|time| simulation.shares_at(time)).collect();
    let mut text = String::new();
    for row in (0..ROWS).rev() {
        let label = match row {
            row if row == ROWS - 1 => "100 % ┤",
            row if row == ROWS / 2 - 1 => " 50 % ┤",
            _ => "      │",
        };
        let cells = (0..across).map(|column| {
            let before = column.checked_sub(1).map_or(0.0, |before| shares[before].0);
            let (new, returning) = shares[column];
            line(row, before, new).unwrap_or_else(|| area(row, returning))
        });
        text.push_str(&trimmed(&format!("{label}{}", cells.collect::<String>())));
    }
    let end = whole_seconds(simulation);
    text.push_str(&format!("    0 └{}\n", "─".repeat(across)));
    text.push_str(&format!("{}0{end:>1$}\n", " ".repeat(MARGIN), across - 1));
    text.push_str(&trimmed(&legend(width)));
    text
}

/// Returns what the characters mean, in two lines where one is too long.
fn legend(width: usize) -> String {
    const MEANINGS: [&str; 2] = ["─ new visitors", "█ returning users"];
    let indent = " ".repeat(MARGIN);
    let line = format!("{indent}{}", MEANINGS.join("   "));
    if columns(&line) > width { format!("{indent}{}", MEANINGS.join(&format!("\n{indent}"))) } else { line }
}

/// Returns the length of the rollout as `--interval` takes it.
fn whole_seconds(simulation: &Simulation) -> String {
    let steps = i64::try_from(simulation.steps.len()).unwrap_or(i64::MAX);
    purpose::seconds(simulation.setup.interval.saturating_mul(steps))
}

/// Returns the line's character in this row, counted from below; `None` if the line is not in it.
fn line(row: u8, before: f64, share: f64) -> Option<char> {
    let (from, to) = (top(before), top(share));
    match (from, to) {
        (_, None) => None,
        (from, Some(to)) if from == Some(to) => (row == to).then_some('─'),
        // It rises in this column.
        (_, Some(to)) if row == to => Some('╭'),
        (Some(from), _) if row == from => Some('╯'),
        (from, Some(to)) => (row < to && from.is_none_or(|from| row > from)).then_some('│'),
    }
}

/// Returns the row that this share ends in; `None` for 0.
fn top(share: f64) -> Option<u8> {
    (0..ROWS).find(|row| share <= edge(row + 1)).filter(|_| share > 0.0)
}

/// Returns the character for an area up to this share.
fn area(row: u8, share: f64) -> char {
    let filled = (share - edge(row)) / (edge(1) - edge(0));
    let eighths = (0..8_u8).filter(|eighth| filled * 8.0 >= f64::from(*eighth) + 0.5).count();
    FILLED[eighths]
}

/// Returns the share at the lower edge of a row.
fn edge(row: u8) -> f64 {
    100.0 * f64::from(row) / f64::from(ROWS)
}

fn trimmed(line: &str) -> String {
    format!("{}\n", line.trim_end())
}

#[expect(clippy::cast_precision_loss, reason = "columns of a terminal")]
fn part(columns: usize) -> f64 {
    columns as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::simulate::{Pin, Setup};

    fn of(steps: &[u8], interval: i64, pin: Pin, width: usize) -> String {
        let setup = Setup { steps: steps.to_vec(), interval, pin, flow: 60, entry: false, logins: None };
        chart(&Simulation::of(setup), width)
    }

    #[test]
    fn new_visitors_are_a_line_and_returning_users_an_area() {
        assert_data_eq!(
            of(&[10, 50, 100], 60, Pin::For(60), 40),
            str![[r#"
100 % ┤                      ╭──────────
      │                      │     ▂▅███
      │                      │  ▁▄▇█████
      │                      │▄▇████████
 50 % ┤           ╭──────────╯██████████
      │           │    ▃▅▇██████████████
      │           │▁▄▆██████████████████
      │╭──────────╯█████████████████████
    0 └─────────────────────────────────
       0                              3m
       ─ new visitors
       █ returning users

"#]]
        );
        assert_data_eq!(
            of(&[1], 60, Pin::Session, 27),
            str![[r#"
100 % ┤
      │
      │
      │
 50 % ┤
      │
      │
      │╭───────────────────
    0 └────────────────────
       0                 1m
       ─ new visitors
       █ returning users

"#]]
        );
        assert_data_eq!(of(&[1], 60, Pin::Session, 26), "");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_terminal_and_each_row_is_there(
            steps in prop::collection::btree_set(1..=100_u8, 1..9), interval in 10..100_000_i64, age in 1..1000_i64,
            width in 0..200_usize,
        ) {
            let steps: Vec<u8> = steps.into_iter().collect();
            let text = of(&steps, interval, Pin::For(age), width);
            prop_assert!(text.is_empty() || text.lines().count() >= usize::from(ROWS) + 3);
            for line in text.lines() {
                prop_assert!(columns(line) <= width, "{}", line);
            }
        }
    }
}
