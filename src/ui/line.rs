//! One line as it is typed: letters, the cursor, and what of it fits into the window. Pure; knows no terminal.

/// A key, as far as a line has a use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    Letter(char),
    Backspace,
    Delete,
    Left,
    Right,
    Home,
    End,
    /// Everything before the cursor goes.
    Clear,
}

/// What was typed so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    letters: Vec<char>,
    cursor: usize,
}

impl Line {
    /// The text.
    pub(super) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// Takes one key.
    pub(super) fn press(&mut self, key: Press) {
        match key {
            Press::Letter(letter) if !letter.is_control() => {
                self.letters.insert(self.cursor, letter);
                self.cursor += 1;
            }
            Press::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            Press::Delete if self.cursor < self.letters.len() => drop(self.letters.remove(self.cursor)),
            Press::Left => self.cursor = self.cursor.saturating_sub(1),
            Press::Right => self.cursor = (self.cursor + 1).min(self.letters.len()),
            Press::Home => self.cursor = 0,
            Press::End => self.cursor = self.letters.len(),
            Press::Clear => drop(self.letters.drain(..std::mem::take(&mut self.cursor))),
            Press::Letter(_) | Press::Backspace | Press::Delete => {}
        }
    }

    /// The part around the cursor that fits into this many columns, and how far the cursor stands from its end.
    pub(super) fn window(&self, width: usize) -> (String, usize) {
        // The cursor needs a column of its own behind the last letter.
        let width = width.saturating_sub(1).max(1);
        let begin = self.cursor.saturating_sub(width);
        let end = (begin + width).min(self.letters.len());
        (self.letters[begin..end].iter().collect(), end - self.cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(keys: &[Press]) -> Line {
        let mut line = Line::default();
        for key in keys {
            line.press(*key);
        }
        line
    }

    #[test]
    fn keys_do_what_they_say() {
        use Press::{Backspace, Clear, Delete, End, Home, Left, Letter, Right};
        for (keys, text) in [
            (vec![Letter('a'), Letter('b'), Backspace, Letter('c')], "ac"),
            (vec![Backspace, Delete, Left, Right, Letter('ä')], "ä"),
            (vec![Letter('b'), Home, Letter('a'), End, Letter('c')], "abc"),
            (vec![Letter('a'), Letter('b'), Left, Delete], "a"),
            (vec![Letter('a'), Letter('b'), Left, Clear], "b"),
            (vec![Letter('\u{7}'), Letter('\t')], ""),
        ] {
            assert_eq!(line(&keys).text(), text, "{keys:?}");
        }
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut line = line(&"abcdefghij".chars().map(Press::Letter).collect::<Vec<_>>());
        assert_eq!(line.window(20), ("abcdefghij".into(), 0));
        assert_eq!(line.window(5), ("ghij".into(), 0));
        line.press(Press::Left);
        assert_eq!(line.window(5), ("fghi".into(), 0));
        line.press(Press::Home);
        assert_eq!(line.window(5), ("abcd".into(), 4));
        assert_eq!(line.window(0), ("a".into(), 1));
    }
}
