//! Tables as kubectl prints them: upper-case headings, three spaces between columns, no borders
//! (`k8s.io/cli-runtime/pkg/printers/tabwriter.go`).

use unicode_width::UnicodeWidthStr as _;

use super::escaped;

/// Spaces between two columns.
const GAP: usize = 3;
/// Least width of a column with the spaces behind it.
const LEAST: usize = 6;

/// Columns that are as wide as their widest cell so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(Vec<usize>);

impl Columns {
    /// Makes room for these cells, which are printed as they are.
    pub fn widen<T: AsRef<str>>(&mut self, cells: &[T]) {
        self.0.resize(self.0.len().max(cells.len()), 0);
        for (width, cell) in self.0.iter_mut().zip(cells) {
            *width = (*width).max(cell.as_ref().width());
        }
    }

    /// Returns how wide a line can be.
    pub fn width(&self) -> usize {
        let (last, before) = self.0.split_last().unwrap_or((&0, &[]));
        before.iter().map(|width| (width + GAP).max(LEAST)).sum::<usize>() + last
    }

    /// Returns one line, without spaces at its end.
    pub fn line<T: AsRef<str>>(&self, cells: &[T]) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.0) {
            let cell = cell.as_ref();
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', (width + GAP).max(LEAST) - cell.width()));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Formats rows under headings, with the cells escaped; without headings if there are none.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let escape = |row: Vec<String>| row.iter().map(|cell| escaped(cell)).collect();
    let rows: Vec<Vec<String>> = rows.into_iter().map(escape).collect();
    let mut columns = Columns::default();
    columns.widen(heads);
    for row in &rows {
        columns.widen(row);
    }
    let mut text = if heads.is_empty() { String::new() } else { columns.line(heads) + "\n" };
    for row in &rows {
        text.push_str(&columns.line(row));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_looks_like_kubectls() {
        let rows =
            [vec!["podinfo".to_owned(), "Progressing".to_owned()], vec!["日本\u{1b}[2J\rx".to_owned(), "a".to_owned()]];
        assert_eq!(
            table(&["NAME", "PHASE"], rows),
            "NAME               PHASE\npodinfo            Progressing\n日本\\u{1b}[2J\\rx   a\n"
        );
        assert_eq!(table(&[], [vec!["a".to_owned(), "b".to_owned()]]), "a     b\n");
    }
}
