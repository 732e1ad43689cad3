//! A line being typed: its letters, the cursor, and the part that fits into the window. Pure; knows no terminal.

use super::key::Key;

/// Maximum length, more than any value needs.
const LONGEST: usize = 4096;

/// The line as typed so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    letters: Vec<char>,
    cursor: usize,
}

impl Line {
    /// Returns the text.
    pub(super) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// Handles one key.
    pub(super) fn press(&mut self, key: Key) {
        match key {
            Key::Letter(letter) => self.insert(letter),
            Key::Pasted(text) => text.chars().for_each(|letter| self.insert(letter)),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            Key::Delete if self.cursor < self.letters.len() => drop(self.letters.remove(self.cursor)),
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(self.letters.len()),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.letters.len(),
            Key::Clear => drop(self.letters.drain(..std::mem::take(&mut self.cursor))),
            _ => {}
        }
    }

    fn insert(&mut self, letter: char) {
        if self.letters.len() < LONGEST {
            self.letters.insert(self.cursor, letter);
            self.cursor += 1;
        }
    }

    /// Returns the part around the cursor that fits into this many columns, and how far the cursor is from its end.
    pub(super) fn window(&self, width: usize) -> (String, usize) {
        // The cursor needs a column after the last letter.
        let width = width.saturating_sub(1).max(1);
        let begin = self.cursor.saturating_sub(width);
        let end = (begin + width).min(self.letters.len());
        (self.letters[begin..end].iter().collect(), end - self.cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(keys: &[Key]) -> Line {
        let mut line = Line::default();
        for key in keys {
            line.press(key.clone());
        }
        line
    }

    #[test]
    fn keys_do_what_they_say() {
        use Key::{Backspace, Clear, Delete, End, Home, Left, Letter, Pasted, Right};
        for (keys, text) in [
            (vec![Letter('a'), Letter('b'), Backspace, Letter('c')], "ac"),
            (vec![Backspace, Delete, Left, Right, Letter('ä')], "ä"),
            (vec![Letter('b'), Home, Letter('a'), End, Letter('c')], "abc"),
            (vec![Letter('a'), Letter('b'), Left, Delete], "a"),
            (vec![Letter('a'), Letter('b'), Left, Clear], "b"),
            (vec![Letter('b'), Home, Pasted("a ".into()), Letter('c')], "a cb"),
        ] {
            assert_eq!(line(&keys).text(), text, "{keys:?}");
        }
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut line = line(&"abcdefghij".chars().map(Key::Letter).collect::<Vec<_>>());
        assert_eq!(line.window(20), ("abcdefghij".into(), 0));
        assert_eq!(line.window(5), ("ghij".into(), 0));
        line.press(Key::Left);
        assert_eq!(line.window(5), ("fghi".into(), 0));
        line.press(Key::Home);
        assert_eq!(line.window(5), ("abcd".into(), 4));
        assert_eq!(line.window(0), ("a".into(), 1));
    }
}
