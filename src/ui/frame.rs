//! What to send to a terminal so that lines that stand on it become other lines. Pure; knows no terminal.
//!
//! The cursor stands at the beginning of the line below the last one, before and after.

use unicode_width::UnicodeWidthStr as _;

use crate::output::style::plain;

/// Begins and ends what a terminal shows at once (synchronized output, mode 2026); others ignore it.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// Returns the text that turns the lines before into those after; empty if they are the same. Only lines that differ are
/// written.
pub(super) fn update(before: &[String], after: &[String]) -> String {
    if before == after {
        return String::new();
    }
    let mut text = format!("{BEGIN}\r{}", moved(before.len(), 'A'));
    let mut skipped = 0;
    for (at, line) in after.iter().enumerate() {
        if before.get(at) == Some(line) {
            skipped += 1;
            continue;
        }
        text.push_str(&moved(std::mem::take(&mut skipped), 'B'));
        text.push_str(line);
        // A line below the last one is empty, and may not exist yet.
        text.push_str(if at < before.len() { "\x1b[K\r\n" } else { "\r\n" });
    }
    text.push_str(&moved(skipped, 'B'));
    if before.len() > after.len() {
        text.push_str("\x1b[J");
    }
    text.push_str(END);
    text
}

/// Returns the text that takes lines off the terminal after its width has changed. Terminals break lines that became too
/// long, so that they take more rows than before.
pub(super) fn erase(before: &[String], columns: usize) -> String {
    // Styles take no columns.
    let rows = |line: &String| plain(line).width().div_ceil(columns.max(1)).max(1);
    format!("\r{}\x1b[J", moved(before.iter().map(rows).sum(), 'A'))
}

/// Returns what moves the cursor: up (`A`), down (`B`) or to the left (`D`).
pub(super) fn moved(by: usize, direction: char) -> String {
    // A terminal takes 0 for 1.
    if by > 0 { format!("\x1b[{by}{direction}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A terminal with this text; knows what is sent here. Returns its lines and the row of the cursor.
    fn sent(mut lines: Vec<String>, mut row: usize, text: &str) -> (Vec<String>, usize) {
        let mut rest = text;
        let mut column = 0;
        while let Some(next) = rest.chars().next() {
            if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|letter: char| letter.is_ascii_alphabetic()).expect("a command");
                let number = sequence[..end].parse().unwrap_or(0);
                match &sequence[end..=end] {
                    "A" => row -= number,
                    "B" => row += number,
                    "K" => lines[row].truncate(column),
                    "J" => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    _ => {}
                }
                rest = &sequence[end + 1..];
                continue;
            }
            match next {
                '\r' => column = 0,
                '\n' => row += 1,
                _ => {
                    let end = (column + 1).min(lines[row].len()).max(column);
                    lines[row].replace_range(column..end, &next.to_string());
                    column += 1;
                }
            }
            if lines.len() <= row {
                lines.push(String::new());
            }
            rest = &rest[next.len_utf8()..];
        }
        (lines, row)
    }

    proptest! {
        #[test]
        fn the_terminal_shows_the_lines_after_whatever_it_showed_before(
            before in prop::collection::vec("[a-c]{0,3}", 0..6),
            after in prop::collection::vec("[a-c]{0,3}", 0..6),
        ) {
            let screen = [before.clone(), vec![String::new()]].concat();
            let (lines, row) = sent(screen, before.len(), &update(&before, &after));
            prop_assert_eq!(row, after.len());
            prop_assert_eq!(&lines[..row], &after[..]);
            prop_assert!(lines[row..].iter().all(String::is_empty));
        }
    }

    #[test]
    fn only_lines_that_differ_are_written_and_in_one_piece() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(update(&lines("a b c"), &lines("a b c")), "");
        assert_eq!(
            update(&lines("a b c"), &lines("a x c")),
            "\x1b[?2026h\r\x1b[3A\x1b[1Bx\x1b[K\r\n\x1b[1B\x1b[?2026l"
        );
        assert_eq!(update(&lines("a b"), &lines("a")), "\x1b[?2026h\r\x1b[2A\x1b[1B\x1b[J\x1b[?2026l");
        assert_eq!(update(&[], &lines("a b")), "\x1b[?2026h\ra\r\nb\r\n\x1b[?2026l");
    }

    #[test]
    fn lines_that_a_narrower_terminal_breaks_are_erased_whole() {
        let lines = ["a".repeat(80), "b".to_owned(), String::new()];
        assert_eq!(erase(&lines, 40), "\r\x1b[4A\x1b[J");
        assert_eq!(erase(&[format!("\x1b[1m{}\x1b[0m", "a".repeat(40))], 40), "\r\x1b[1A\x1b[J");
        assert_eq!(erase(&lines, 0), "\r\x1b[82A\x1b[J");
    }
}
