//! `docs/security.md`: each claim in its tables is shown by a test, or named as possible.

use std::path::Path;

use super::tree::{read, root};

/// The rows of a page's tables, without their heads.
fn rows(page: &str) -> Vec<&str> {
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let is_rule = |line: &&str| line.trim_matches(['|', '-']).is_empty();
    let heads: Vec<_> = (0..lines.len()).filter(|&at| lines[at..].iter().take(2).any(is_rule)).collect();
    (0..lines.len()).filter(|at| !heads.contains(at)).map(|at| lines[at]).collect()
}

/// Whether a row of three says what shows it: tests (that they exist, another test checks), those of the row above, or
/// none, because it is possible.
fn is_honest(row: &str) -> bool {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [_, result, shown_by] = cells[..] else { return false };
    let is_level = |word: &str| word == "unit" || root().join(format!("tests/{word}/main.rs")).is_file();
    let is_test = |text: &str| text.split_once(' ').is_some_and(|(level, name)| is_level(level) && name.contains("::"));
    match shown_by {
        "the same" => true,
        "" => result.starts_with("**possible**"),
        _ => shown_by.split("`, `").map(|text| text.trim_matches('`')).all(is_test),
    }
}

#[test]
fn what_no_test_shows_is_named_as_possible_on_the_security_page() {
    let page = read(Path::new("docs/security.md"));
    let rows = rows(&page);
    assert!(rows.len() > 30, "{} rows are read", rows.len());
    let bare: Vec<_> = rows.into_iter().filter(|row| !is_honest(row)).collect();
    assert_eq!(bare, [""; 0]);

    assert!(is_honest("| crash it | it is skipped | `unit a::b`, `cli c::d` |"));
    for row in ["| crash it | it is skipped | |", "| crash it | it is skipped | `units a::b` |", "| crash it | |"] {
        assert!(!is_honest(row), "{row}");
    }
}
