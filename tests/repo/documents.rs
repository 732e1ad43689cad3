//! `docs/security.md`: each claim in it is shown by a test that exists, or is named as possible.

use std::path::{Path, PathBuf};

use super::tree::{read, root};

const PAGE: &str = "docs/security.md";

/// The rows of the page's tables, without their heads: what is tried, what comes of it, and what shows it.
fn rows(page: &str) -> Vec<[String; 3]> {
    let cells = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        <[String; 3]>::try_from(cells).unwrap_or_else(|cells| panic!("a row of three: {cells:?}"))
    };
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let is_rule = |line: &str| line.trim_matches(['|', '-']).is_empty();
    let heads: Vec<_> = (1..lines.len()).filter(|&at| is_rule(lines[at])).flat_map(|at| [at - 1, at]).collect();
    let body = lines.iter().enumerate().filter(|(at, _)| !heads.contains(at));
    body.map(|(_, line)| cells(line)).collect()
}

/// The tests that are named in a cell, each as `LEVEL MODULE::…::FUNCTION`.
fn tests_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The files in which a module can be.
fn files_of(level: &str, modules: &[&str]) -> Vec<PathBuf> {
    let folder = if level == "unit" { Path::new("src").to_owned() } else { Path::new("tests").join(level) };
    // Unit tests are in a module `tests` of their file, or in its file `tests.rs`.
    let inner = modules.strip_suffix(&["tests"]).unwrap_or(modules);
    let whole = folder.join(inner.join("/"));
    let all = [whole.with_extension("rs"), whole.join("mod.rs"), whole.join("tests.rs")];
    all.into_iter().filter(|file| root().join(file).is_file()).collect()
}

/// Whether there is a test of this name.
fn exists(test: &str) -> bool {
    let Some((level, path)) = test.split_once(' ') else { return false };
    let mut modules: Vec<_> = path.split("::").collect();
    let function = modules.pop().unwrap_or_default();
    let holds = |file: &PathBuf| {
        let text = read(file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let declares = |line: &str| {
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            name.and_then(|name| name.split(['(', '<']).next()) == Some(function)
        };
        let at = lines.iter().position(|line| declares(line));
        let attributes = |at: usize| lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        at.is_some_and(|at| attributes(at).any(|line| line.ends_with("test]")))
    };
    files_of(level, &modules).iter().any(holds)
}

#[test]
fn each_test_that_the_security_page_names_exists() {
    let page = read(Path::new(PAGE));
    let rows = rows(&page);
    let named: Vec<&str> = rows.iter().flat_map(|[_, _, shown_by]| tests_in(shown_by)).collect();
    let missing: Vec<&str> = named.iter().copied().filter(|test| !exists(test)).collect();
    assert_eq!(missing, [""; 0], "named in {PAGE}");
    assert!(named.len() > 40, "{} tests are read from {PAGE}", named.len());

    assert!(exists("repo documents::each_test_that_the_security_page_names_exists"));
    for none in ["repo documents::exists", "repo documents::missing", "repo missing::rows", "unit tests::x", "x"] {
        assert!(!exists(none), "{none}");
    }
}

#[test]
fn what_no_test_shows_is_named_as_possible_on_the_security_page() {
    let page = read(Path::new(PAGE));
    let claims: Vec<_> = rows(&page)
        .into_iter()
        .filter(|[_, result, shown_by]| {
            tests_in(shown_by).is_empty() && shown_by != "the same" && !result.starts_with("**possible**")
        })
        .collect();
    assert!(claims.is_empty(), "{claims:?}");
}
