//! Tables that fit into a window: columns that matter less are left out, and nothing is wrapped.

use unicode_width::UnicodeWidthStr as _;

use super::{escaped, table::Columns, wrap::cut};

/// Columns in the order in which they are left out when the window is too narrow; others stay.
const LEFT_OUT: [&str; 12] = [
    "FILE",
    "LIVE",
    "DECLARED",
    "ENTRY",
    "TRAEFIKSERVICE",
    "AGE",
    "COOKIE",
    "PROTECTED",
    "NEXT",
    "STATE",
    "STEP",
    "NAMESPACE",
];
/// Least width of a column whose cells are cut.
const LEAST: usize = 8;

/// Returns the lines of a table, its headings first, with at most so many columns of the terminal in each.
pub fn lines(mut heads: Vec<&str>, rows: Vec<Vec<String>>, width: usize) -> Vec<String> {
    let escape = |row: Vec<String>| row.iter().map(|cell| escaped(cell)).collect();
    let mut rows: Vec<Vec<String>> = rows.into_iter().map(escape).collect();
    let columns = loop {
        let mut columns = Columns::default();
        columns.widen(&heads);
        for row in &rows {
            columns.widen(row);
        }
        let at = LEFT_OUT.iter().find_map(|left_out| heads.iter().position(|head| head == left_out));
        match at {
            Some(at) if columns.width() > width => {
                heads.remove(at);
                for row in &mut rows {
                    row.remove(at);
                }
            }
            _ => break columns,
        }
    };
    let Some(excess) = columns.width().checked_sub(width).filter(|excess| *excess > 0) else {
        return std::iter::once(columns.line(&heads)).chain(rows.iter().map(|row| columns.line(row))).collect();
    };
    // Names are the widest of what is left.
    let name = heads.iter().position(|head| *head == "NAME").unwrap_or(0);
    let widest = rows.iter().map(|row| row[name].width()).max().unwrap_or(0);
    let room = widest.saturating_sub(excess).max(LEAST);
    let mut columns = Columns::default();
    columns.widen(&heads);
    for row in &mut rows {
        row[name] = cut(&row[name], room);
        columns.widen(row);
    }
    let lines = std::iter::once(columns.line(&heads)).chain(rows.iter().map(|row| columns.line(row)));
    lines.map(|line| cut(&line, width)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADS: [&str; 5] = ["NAMESPACE", "NAME", "PHASE", "STATE", "AGE"];

    fn shown(width: usize) -> Vec<String> {
        let row = |name: &str| ["shop", name, "Progressing", "synced", "5d"].map(str::to_owned).to_vec();
        lines(HEADS.to_vec(), vec![row("checkout"), row("a-service-with-a-long-name")], width)
    }

    #[test]
    fn columns_are_left_out_by_importance_and_names_are_cut_last() {
        assert_eq!(shown(80)[2], "shop        a-service-with-a-long-name   Progressing   synced   5d");
        assert_eq!(shown(64)[2], "shop        a-service-with-a-long-name   Progressing   synced");
        assert_eq!(shown(55)[2], "shop        a-service-with-a-long-name   Progressing");
        assert_eq!(
            shown(41),
            [
                "NAME                         PHASE",
                "checkout                     Progressing",
                "a-service-with-a-long-name   Progressing",
            ]
        );
        assert_eq!(shown(30)[2], "a-service-with-…   Progressing");
        assert_eq!(shown(20)[2], "a-servi…   Progress…");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_window(
            rows in prop::collection::vec(prop::collection::vec("\\PC{0,30}", 5), 0..6),
            width in 0usize..200,
        ) {
            let lines = lines(HEADS.to_vec(), rows.clone(), width);
            prop_assert_eq!(lines.len(), rows.len() + 1);
            for line in lines {
                prop_assert!(line.width() <= width, "{:?}", line);
            }
        }
    }
}
