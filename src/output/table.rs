//! Tables as kubectl prints them: upper-case headings, three spaces between columns, no borders
//! (`k8s.io/cli-runtime/pkg/printers/tabwriter.go`). The only file that uses the table crate.

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

use super::escaped;

/// Spaces between two columns.
const GAP: usize = 3;

/// Columns of a table whose rows are printed one by one, which the crate cannot do: they are as wide as their widest cell so
/// far.
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
        before.iter().map(|width| width + GAP).sum::<usize>() + last
    }

    /// Returns one line, without spaces at its end.
    pub fn line<T: AsRef<str>>(&self, cells: &[T]) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.0) {
            let cell = cell.as_ref();
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + GAP - cell.width()));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Formats rows under headings, with the cells escaped; without headings if there are none.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !heads.is_empty() {
        table.set_header(heads);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| escaped(cell)));
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        let gap = if index == last { 0 } else { GAP };
        column.set_padding((0, u16::try_from(gap).unwrap_or_default()));
    }
    let mut text = table.trim_fmt();
    if !text.is_empty() {
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
        assert_eq!(table(&[], [vec!["a".to_owned(), "b".to_owned()]]), "a   b\n");
    }
}
