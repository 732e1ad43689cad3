//! Tables as kubectl prints them: upper-case headings, three spaces between columns, no borders. The only file that
//! uses the table crate.

use comfy_table::{ContentArrangement, Table, presets};

use super::escaped;

/// Formats rows under headings, with the cells escaped.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(heads);
    for row in rows {
        table.add_row(row.iter().map(|cell| escaped(cell)));
    }
    let last = heads.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 3 }));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
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
    }
}
