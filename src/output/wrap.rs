//! Wraps lines between words, so that they fit a terminal. A word is never broken, so that names, values and commands
//! can be copied.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Wraps a text at this many columns, as far as its words allow. The first line starts at column `first`, the others
/// are indented by `indent`. There is no line break at the end.
pub fn wrapped(text: &str, width: usize, first: usize, indent: usize) -> String {
    of_words(text.split(' '), width, first, indent)
}

/// Wraps a text likewise, but breaks no command of kubectl in it, which ends before `; ` or with the text.
pub fn wrapped_around_commands(text: &str, width: usize, first: usize, indent: usize) -> String {
    const COMMAND: &str = "kubectl ";
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.find(COMMAND) {
        let end = rest[begin..].find("; ").map_or(rest.len(), |at| begin + at + 1);
        words.extend(rest[..begin].trim_end().split(' ').filter(|word| !word.is_empty()));
        words.push(&rest[begin..end]);
        rest = rest[end..].trim_start();
    }
    words.extend(rest.split(' ').filter(|word| !word.is_empty()));
    of_words(words.into_iter(), width, first, indent)
}

fn of_words<'t>(words: impl Iterator<Item = &'t str>, width: usize, first: usize, indent: usize) -> String {
    let (mut lines, mut at, mut fresh) = (String::new(), first, true);
    for word in words {
        let long = word.width();
        if !fresh && at + 1 + long > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            (at, fresh) = (indent, true);
        }
        if !fresh {
            lines.push(' ');
            at += 1;
        }
        lines.push_str(word);
        (at, fresh) = (at + long, false);
    }
    lines
}

/// Returns how many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Pads a text with spaces to this many columns.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Cuts a text to this many columns; what is cut ends in an ellipsis.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or_default();
        let fits = width <= left;
        left = if fits { left - width } else { 0 };
        fits
    };
    let begin: String = text.chars().take_while(fits).collect();
    if columns == 0 { String::new() } else { begin + "…" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_line_breaks_within_a_command() {
        let text = "update it, or: kubectl set a --b; to keep it: kubectl guard";
        assert_eq!(
            wrapped_around_commands(text, 20, 5, 2),
            "update it, or:\n  kubectl set a --b;\n  to keep it:\n  kubectl guard"
        );
        assert_eq!(wrapped_around_commands("kubectl a b", 4, 0, 2), "kubectl a b");
        assert_eq!(wrapped_around_commands("no command", 80, 0, 2), "no command");
    }

    #[test]
    fn lines_break_between_words_and_hang() {
        assert_eq!(wrapped("one two three", 9, 2, 4), "one two\n    three");
        assert_eq!(wrapped("one two three", 8, 2, 4), "one\n    two\n    three");
        assert_eq!(wrapped("one two three", usize::MAX, 0, 0), "one two three");
        assert_eq!(wrapped("日本 日本 a", 9, 0, 1), "日本 日本\n a");
        assert_eq!(wrapped("averylongword b", 4, 0, 1), "averylongword\n b");
        assert_eq!(wrapped("", 4, 0, 1), "");
    }

    #[test]
    fn a_text_that_does_not_fit_ends_in_an_ellipsis() {
        for (text, columns, shown) in
            [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本", 3, "日…"), ("日本", 2, "…"), ("ab", 1, "…"), ("ab", 0, "")]
        {
            assert_eq!(cut(text, columns), shown, "{text} in {columns}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC*", columns in 0usize..20) {
            prop_assert!(cut(&text, columns).width() <= columns);
        }

        #[test]
        fn no_word_is_lost_and_no_line_with_two_words_is_too_wide(
            words in prop::collection::vec("[a-z日]{1,12}", 1..12), width in 10usize..80, indent in 0usize..9,
        ) {
            let text = words.join(" ");
            let lines = wrapped(&text, width, indent, indent);
            prop_assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text);
            for line in lines.lines().map(str::trim_start) {
                prop_assert!(indent + columns(line) <= width || !line.contains(' '), "{}", line);
            }
        }
    }
}
