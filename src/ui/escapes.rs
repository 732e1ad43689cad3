//! Decodes keys from the bytes that a terminal sends for them. Pure.
//!
//! The parser of escape sequences follows ECMA-48, so that whatever is no key here (function keys, an arrow with Ctrl
//! or Alt, a terminal's reply to a query) is recognised to its end, and never taken for letters.

use std::collections::VecDeque;

use anstyle_parse::{Params, Parser, Perform};

use super::key::Key;
use crate::output::is_interpreted_by_terminal;

const ESCAPE: u8 = 0x1b;

/// Decodes bytes into keys.
#[derive(Default)]
pub(super) struct Decoder {
    parser: Parser,
    found: Found,
    last: u8,
}

#[derive(Default)]
struct Found {
    keys: VecDeque<Key>,
    /// Text of an unfinished paste.
    pasted: Option<String>,
    /// Set if the next letter ends a sequence that the parser took to be complete.
    goes_on: Option<Beginning>,
}

/// Sequences that ECMA-48 does not define.
enum Beginning {
    /// `ESC O`: keys of the VT100's keypad.
    Keypad,
    /// `ESC [ [`: function keys of the Linux console.
    Console,
}

impl Decoder {
    /// Decodes bytes; those of one key may come in pieces.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.parser.advance(&mut self.found, *byte);
            self.last = *byte;
        }
    }

    /// Returns the next key.
    pub(super) fn next(&mut self) -> Option<Key> {
        self.found.keys.pop_front()
    }

    /// Returns whether the last byte is the escape key, unless more follows.
    pub(super) fn may_be_escape(&self) -> bool {
        self.last == ESCAPE && self.found.pasted.is_none()
    }

    /// Takes the last byte as the escape key, because nothing followed.
    pub(super) fn is_escape(&mut self) {
        *self = Self::default();
        self.found.keys.push_back(Key::Escape);
    }
}

impl Found {
    fn key(&mut self, key: Key) {
        self.goes_on = None;
        match &mut self.pasted {
            // Pasted text presses no keys, but Ctrl-C always works.
            Some(_) if key != Key::Interrupt => {}
            _ => self.keys.push_back(key),
        }
    }
}

fn arrow(letter: char) -> Option<Key> {
    Some(match letter {
        'A' => Key::Up,
        'B' => Key::Down,
        'C' => Key::Right,
        'D' => Key::Left,
        'H' => Key::Home,
        'F' => Key::End,
        _ => return None,
    })
}

impl Perform for Found {
    fn print(&mut self, letter: char) {
        match self.goes_on.take() {
            // A number in between encodes Shift, Ctrl and Alt.
            Some(beginning) if letter.is_ascii_digit() || letter == ';' => self.goes_on = Some(beginning),
            Some(Beginning::Keypad) => arrow(letter).into_iter().for_each(|key| self.key(key)),
            Some(Beginning::Console) => {}
            None if letter == '\x7f' => self.key(Key::Backspace),
            None if is_interpreted_by_terminal(letter) || letter == char::REPLACEMENT_CHARACTER => {}
            None => match &mut self.pasted {
                Some(text) => text.push(letter),
                None => self.key(Key::Letter(letter)),
            },
        }
    }

    fn execute(&mut self, byte: u8) {
        if let (Some(text), b'\r' | b'\n' | b'\t') = (&mut self.pasted, byte) {
            text.push(char::from(byte));
        }
        self.goes_on = None;
        match byte {
            b'\r' | b'\n' => self.key(Key::Enter),
            0x01 => self.key(Key::Home),
            0x03 => self.key(Key::Interrupt),
            0x04 => self.key(Key::Close),
            0x05 => self.key(Key::End),
            0x08 => self.key(Key::Backspace),
            0x15 => self.key(Key::Clear),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: u8) {
        self.goes_on = None;
        let numbers: Vec<u16> = params.iter().map(|param| param.first().copied().unwrap_or_default()).collect();
        match (intermediates, action, numbers.as_slice()) {
            ([], b'[', _) => self.goes_on = Some(Beginning::Console),
            ([], b'~', [200]) => self.pasted = Some(String::new()),
            ([], b'~', [201]) => {
                let text = self.pasted.take().unwrap_or_default();
                let text = text.trim_matches(['\r', '\n', '\t']).replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
                if !text.is_empty() {
                    self.key(Key::Pasted(text));
                }
            }
            ([], b'~', [1 | 7]) => self.key(Key::Home),
            ([], b'~', [4 | 8]) => self.key(Key::End),
            ([], b'~', [3]) => self.key(Key::Delete),
            // A second number would encode Shift, Ctrl or Alt.
            ([], letter, [] | [0 | 1]) => arrow(letter.into()).into_iter().for_each(|key| self.key(key)),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        self.goes_on = (intermediates.is_empty() && byte == b'O').then_some(Beginning::Keypad);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the keys in these bytes, which come in pieces of this length.
    fn keys_in_pieces(bytes: &[u8], length: usize) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.chunks(length).for_each(|piece| decoder.take(piece));
        if decoder.may_be_escape() {
            decoder.is_escape();
        }
        std::iter::from_fn(|| decoder.next()).collect()
    }

    fn keys(bytes: &str) -> Vec<Key> {
        keys_in_pieces(bytes.as_bytes(), usize::MAX)
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        for (bytes, key) in [
            ("a", Key::Letter('a')),
            ("ä", Key::Letter('ä')),
            ("😀", Key::Letter('😀')),
            ("\r", Key::Enter),
            ("\n", Key::Enter),
            ("\x1b", Key::Escape),
            ("\x1b\x1b", Key::Escape),
            ("\x7f", Key::Backspace),
            ("\x08", Key::Backspace),
            ("\x1b[3~", Key::Delete),
            ("\x1b[A", Key::Up),
            ("\x1bOB", Key::Down),
            ("\x1b[C", Key::Right),
            ("\x1b[1D", Key::Left),
            ("\x01", Key::Home),
            ("\x1b[H", Key::Home),
            ("\x1b[1~", Key::Home),
            ("\x1b[7~", Key::Home),
            ("\x1bOH", Key::Home),
            ("\x05", Key::End),
            ("\x1b[F", Key::End),
            ("\x1b[4~", Key::End),
            ("\x1b[8~", Key::End),
            ("\x03", Key::Interrupt),
            ("\x04", Key::Close),
            ("\x15", Key::Clear),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn what_is_pasted_is_one_text_without_line_breaks_and_presses_no_key() {
        let pasted = |text: &str| keys(&format!("\x1b[200~{text}\x1b[201~"));
        assert_eq!(pasted("a\r\nb\tc\n"), [Key::Pasted("a b c".into())]);
        assert_eq!(pasted("y\r"), [Key::Pasted("y".into())]);
        assert_eq!(pasted("\x04\x1b[A\x1bOP\u{9b}\u{202e}\u{7f}"), []);
        // Ctrl-C leaves a paste that never ends.
        assert_eq!(keys("\x1b[200~a\x03"), [Key::Interrupt]);
    }

    proptest! {
        #[test]
        fn a_sequence_is_no_letter_however_it_comes(
            sequence in prop_oneof![
                "\x1b\\[[0-?]{0,8}[ -/]{0,2}[@-Z\\\\-~]",
                "\x1b\\[\\[[A-E]",
                "\x1bO[0-9;]{0,3}[A-Za-z]",
                "\x1b[0-9a-zQ-WYZ]",
                "\x1b\\][0-9]{1,3};[ -~]{0,12}(\x07|\x1b\\\\)",
                "\x1bP[0-9;]{0,4}[$+]?[a-z][ -~]{0,12}\x1b\\\\",
                "[\x00-\x02\x06\x07\x09\x0b\x0c\x0e-\x14\x16-\x1a\x1c-\x1f]",
            ],
            length in 1usize..5,
        ) {
            let found = keys_in_pieces(format!("{sequence}\x1b[201~a").as_bytes(), length);
            let letters: Vec<_> = found.into_iter().filter(|key| matches!(key, Key::Letter(_) | Key::Pasted(_))).collect();
            // After the start of a paste, the letter is part of it.
            prop_assert!(letters == [Key::Letter('a')], "{:?}", letters);
        }

        #[test]
        fn no_letter_is_one_that_a_terminal_obeys(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for key in keys_in_pieces(&bytes, 3) {
                match key {
                    Key::Letter(letter) => prop_assert!(!is_interpreted_by_terminal(letter)),
                    Key::Pasted(text) => prop_assert!(!text.contains(is_interpreted_by_terminal)),
                    _ => {}
                }
            }
        }
    }
}
