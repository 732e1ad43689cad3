//! A terminal's screen, as far as prompts need one: text, line feeds, the cursor, and erasing.

/// What stands on the screen.
pub struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    width: usize,
    pending: Vec<u8>,
    cursor: bool,
    colored: bool,
}

impl Screen {
    /// An empty screen of this many columns, and as many rows as are written.
    pub fn new(width: usize) -> Self {
        Self { lines: vec![Vec::new()], row: 0, column: 0, width, pending: Vec::new(), cursor: true, colored: false }
    }

    /// Takes what a program printed; the bytes of one character or sequence may come apart.
    pub fn print(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let complete = match std::str::from_utf8(&self.pending) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.pending.split_off(complete);
        let text = String::from_utf8(std::mem::replace(&mut self.pending, rest)).expect("checked");
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let length = if next == '\x1b' { escape(rest) } else { Some(next.len_utf8()) };
            let Some(length) = length else {
                self.pending.splice(..0, rest.bytes());
                return;
            };
            if next == '\x1b' {
                self.obey(&rest[1..length]);
            } else {
                self.put(next);
            }
            rest = &rest[length..];
        }
    }

    /// The text of the screen, without blanks at the ends of lines and without empty lines at the end.
    pub fn text(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| line.iter().collect::<String>()).collect();
        let text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        let text = text.trim_end_matches('\n');
        if text.is_empty() { String::new() } else { format!("{text}\n") }
    }

    /// Whether the cursor can be seen.
    pub(crate) fn shows_cursor(&self) -> bool {
        self.cursor
    }

    /// Whether anything was coloured, bold or otherwise set off.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    fn put(&mut self, next: char) {
        match next {
            '\r' => self.column = 0,
            '\n' => self.down(1),
            '\x08' => self.column = self.column.saturating_sub(1),
            '\t' => self.column = (self.column / 8 + 1) * 8,
            next if next.is_control() => {}
            next => {
                if self.column >= self.width {
                    self.column = 0;
                    self.down(1);
                }
                let line = &mut self.lines[self.row];
                if line.len() <= self.column {
                    line.resize(self.column + 1, ' ');
                }
                line[self.column] = next;
                self.column += 1;
            }
        }
    }

    fn down(&mut self, count: usize) {
        self.row += count;
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
    }

    /// Carries out one control sequence (without its escape); those that only colour do nothing here.
    fn obey(&mut self, sequence: &str) {
        let Some(body) = sequence.strip_prefix('[') else { return };
        let (numbers, command) = body.split_at(body.len() - 1);
        let number = numbers.split(';').next().and_then(|number| number.parse::<usize>().ok());
        let count = number.unwrap_or(1).max(1);
        match command {
            "A" => self.row = self.row.saturating_sub(count),
            "B" => self.down(count),
            "C" => self.column += count,
            "D" => self.column = self.column.saturating_sub(count),
            "E" => {
                self.column = 0;
                self.down(count);
            }
            "F" => {
                self.column = 0;
                self.row = self.row.saturating_sub(count);
            }
            "G" => self.column = count - 1,
            "K" => match number.unwrap_or(0) {
                0 => self.lines[self.row].truncate(self.column),
                1 => self.lines[self.row].iter_mut().take(self.column + 1).for_each(|cell| *cell = ' '),
                _ => self.lines[self.row].clear(),
            },
            "J" if number.unwrap_or(0) == 0 => {
                self.lines[self.row].truncate(self.column);
                self.lines.truncate(self.row + 1);
            }
            "h" | "l" if numbers == "?25" => self.cursor = command == "h",
            "m" => self.colored |= !matches!(numbers, "" | "0"),
            "h" | "l" => {}
            other => panic!("the program sent a control sequence that this screen does not know: {numbers}{other}"),
        }
    }
}

/// How long the escape sequence at the beginning is, if it is complete.
fn escape(text: &str) -> Option<usize> {
    let body = &text[1..];
    if !body.starts_with('[') {
        return body.chars().next().map(|next| 1 + next.len_utf8());
    }
    let end = body[1..].find(|letter: char| ('@'..='~').contains(&letter))?;
    Some(1 + 1 + end + 1)
}
