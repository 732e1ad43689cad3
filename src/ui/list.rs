//! Lists to choose from: the arrow keys move the mark. Pure; `prompt` draws it and reads the keys.

use super::{key::Key, width::fitted};

/// The result of pressing a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// This item was chosen.
    Chosen(usize),
    /// The question was left.
    Left,
    /// Ctrl-C.
    Interrupted,
}

/// A list with a marked item.
#[derive(Debug)]
pub(super) struct List<'a> {
    question: &'a str,
    items: &'a [String],
    /// Letters that narrow the list; `None` if letters do not.
    wanted: Option<String>,
    /// Indices of the items left.
    left: Vec<usize>,
    /// Position of the marked item among these.
    marked: usize,
}

impl<'a> List<'a> {
    /// Creates a list with this item marked; `narrows` makes letters narrow it.
    pub(super) fn new(question: &'a str, items: &'a [String], marked: usize, narrows: bool) -> Self {
        Self { question, items, wanted: narrows.then(String::new), left: (0..items.len()).collect(), marked }
    }

    /// Handles one key.
    pub(super) fn press(&mut self, key: Key) -> Option<Answer> {
        match (key, self.wanted.as_mut()) {
            (Key::Enter, _) | (Key::Letter(' '), None) => {
                return self.left.get(self.marked).copied().map(Answer::Chosen);
            }
            (Key::Escape, _) | (Key::Letter('q'), None) => return Some(Answer::Left),
            (Key::Close, wanted) if wanted.as_ref().is_none_or(|wanted| wanted.is_empty()) => {
                return Some(Answer::Left);
            }
            (Key::Interrupt, _) => return Some(Answer::Interrupted),
            (Key::Up, _) | (Key::Letter('k'), None) => self.moves(self.left.len().saturating_sub(1)),
            (Key::Down, _) | (Key::Letter('j'), None) => self.moves(1),
            (Key::Home, _) => self.marked = 0,
            (Key::End, _) => self.marked = self.left.len().saturating_sub(1),
            (key, Some(wanted)) => {
                match key {
                    Key::Letter(letter) => wanted.push(letter),
                    Key::Pasted(text) => wanted.push_str(&text),
                    Key::Backspace => drop(wanted.pop()),
                    Key::Clear => wanted.clear(),
                    _ => return None,
                }
                self.narrow();
            }
            (_, None) => {}
        }
        None
    }

    fn moves(&mut self, by: usize) {
        self.marked = (self.marked + by) % self.left.len().max(1);
    }

    /// Narrows the list. Items that contain the letters side by side come before those that have them in between
    /// others.
    fn narrow(&mut self) {
        let wanted = self.wanted.as_deref().unwrap_or_default().to_lowercase();
        let rank = |item: &String| {
            let item = item.to_lowercase();
            let mut letters = item.chars();
            let is_inside = wanted.chars().all(|letter| letters.any(|other| other == letter));
            is_inside.then(|| !item.contains(&wanted))
        };
        let mut ranked: Vec<_> = (0..).zip(self.items).filter_map(|(at, item)| Some((rank(item)?, at))).collect();
        ranked.sort_unstable();
        self.left = ranked.into_iter().map(|(_, at)| at).collect();
        self.marked = 0;
    }

    /// Returns the lines for a window of this many rows and columns, with at least the marked item.
    pub(super) fn lines(&self, rows: usize, columns: usize) -> Vec<String> {
        let room = rows.saturating_sub(1).max(1);
        let first = (self.marked + 1).saturating_sub(room);
        let shown = self.left.iter().enumerate().skip(first).take(room);
        let mut lines: Vec<_> = shown
            .map(|(index, item)| format!("{} {}", if index == self.marked { '>' } else { ' ' }, self.items[*item]))
            .collect();
        if let (true, Some(wanted)) = (lines.is_empty(), &self.wanted) {
            lines.push(format!("  nothing matches `{wanted}` (Backspace to change, Esc to cancel)"));
        }
        if rows > 1 {
            let place = if self.left.len() > room {
                format!(" ({} of {})", self.marked + 1, self.left.len())
            } else {
                String::new()
            };
            lines.insert(
                0,
                match &self.wanted {
                    Some(wanted) => format!("{}{place} {wanted}|", self.question),
                    None => format!("{}{place}:", self.question),
                },
            );
        }
        lines.iter().map(|line| fitted(line, columns.saturating_sub(1).max(1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(names: &[&str]) -> Vec<String> {
        names.iter().copied().map(str::to_owned).collect()
    }

    /// Returns what a list shows after these keys.
    fn shown(names: &[&str], narrows: bool, keys: Vec<Key>, rows: usize) -> Vec<String> {
        let items = items(names);
        let mut list = List::new("Which", &items, 0, narrows);
        for key in keys {
            assert_eq!(list.press(key), None);
        }
        list.lines(rows, 80)
    }

    #[test]
    fn the_marked_item_is_in_the_window_however_small_that_is() {
        let names = ["a", "b", "c", "d"];
        let down = |count| vec![Key::Down; count];
        assert_eq!(shown(&names, false, down(0), 24), ["Which:", "> a", "  b", "  c", "  d"]);
        assert_eq!(shown(&names, false, down(2), 3), ["Which (3 of 4):", "  b", "> c"]);
        assert_eq!(shown(&names, false, down(2), 2), ["Which (3 of 4):", "> c"]);
        assert_eq!(shown(&names, false, down(3), 1), ["> d"]);
        assert_eq!(shown(&names, false, down(4), 1), ["> a"], "round and round");
        assert_eq!(shown(&names, false, vec![Key::Up], 1), ["> d"]);
        assert_eq!(shown(&names, true, vec![Key::End], 3), ["Which (4 of 4) |", "  c", "> d"]);
    }

    #[test]
    fn letters_narrow_a_list_down_with_the_nearest_first() {
        let names = ["checkout", "Podinfo", "search", "spider"];
        let keys = |text: &str| text.chars().map(Key::Letter).collect::<Vec<_>>();
        assert_eq!(shown(&names, true, keys("P"), 9), ["Which P|", "> Podinfo", "  spider"]);
        assert_eq!(shown(&names, true, keys("sr"), 9), ["Which sr|", "> search", "  spider"]);
        assert_eq!(shown(&names, true, keys("er"), 9), ["Which er|", "> spider", "  search"]);
        assert_eq!(shown(&names, true, vec![Key::Pasted("ou".into())], 9), ["Which ou|", "> checkout"]);
        assert_eq!(
            shown(&names, true, keys("xyz"), 9),
            ["Which xyz|", "  nothing matches `xyz` (Backspace to change, Esc to cancel)"]
        );
        let mended = [keys("xyz"), vec![Key::Enter, Key::Clear]].concat();
        assert_eq!(shown(&names, true, mended, 9).len(), 5);
    }

    #[test]
    fn a_paste_and_letters_take_nothing() {
        assert_eq!(shown(&["a", "b"], false, vec![Key::Pasted(" ".into()), Key::Letter('b')], 9).len(), 3);
    }

    proptest! {
        #[test]
        fn a_list_fits_into_its_window_and_answers_with_one_of_its_items(
            names in prop::collection::vec("[a-z]{1,12}", 1..20),
            presses in prop::collection::vec(prop_oneof![
                Just(Key::Up), Just(Key::Down), Just(Key::Home), Just(Key::End), Just(Key::Backspace), Just(Key::Clear),
                "[a-z]".prop_map(|text| Key::Letter(text.chars().next().unwrap_or('a'))),
            ], 0..20),
            rows in 0usize..9, columns in 0usize..20, narrows: bool,
        ) {
            let mut list = List::new("Which", &names, 0, narrows);
            for key in presses {
                if list.press(key).is_some() {
                    break;
                }
                let lines = list.lines(rows, columns);
                prop_assert!((1..=rows.max(1)).contains(&lines.len()));
                for line in lines {
                    prop_assert!(unicode_width::UnicodeWidthStr::width(line.as_str()) < columns.max(2));
                }
            }
            if let Some(Answer::Chosen(item)) = list.press(Key::Enter) {
                prop_assert!(item < names.len());
            }
        }
    }
}
