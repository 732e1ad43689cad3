//! Which module uses which: exactly what the table of `ARCHITECTURE.md` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::tree::{code, read, rust_files};

/// Modules that every other one may use, without a word in the table.
const EVERYWHERE: [&str; 2] = ["error", "text"];

/// The rows of the table, from the bottom up: a module, and the modules that it uses.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let text = read(Path::new("ARCHITECTURE.md"));
    let lines = text.lines().skip_while(|line| !line.starts_with("| module |")).skip(2);
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').collect();
            let [module, _, uses] = cells[..] else { panic!("a row has three cells: {line}") };
            (names(module).concat(), names(uses).into_iter().collect())
        })
        .collect()
}

/// One use of a module by another: where it stands, who uses, who is used.
type Use = (usize, String, String);

/// The module of the library that a file belongs to; `None` for `main.rs` and `lib.rs`.
fn module_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix("src").expect("a file of src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "main" && name != "lib").then_some(name)
}

/// The first names of the paths in `{a::b, c::{d, e}, f}` or of the one path at the beginning.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let (mut names, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[begin..at]));
                begin = at + 1;
            }
            '}' => {
                names.push(name(&group[begin..at]));
                break;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Every module of the library that a file names from the root: by `crate::`, or by enough `super::`.
fn uses(path: &Path, text: &str) -> Vec<Use> {
    let Some(module) = module_of(path) else { return Vec::new() };
    let folders = path.components().count() - 2;
    let depth = if path.file_name().is_some_and(|name| name == "mod.rs") { folders } else { folders + 1 };
    let (code, rows) = (code(text), table());
    let mut uses = Vec::new();
    for (at, first) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:$".contains(before)) {
            continue;
        }
        let path = code[at..].trim_start_matches(first);
        let reaches_root = first == "crate::" || (code.len() - at - path.len()) / first.len() >= depth;
        for name in first_names(path).into_iter().filter(|name| reaches_root && *name != module) {
            // Beside a module, `super::` names more than modules.
            if first == "crate::" || rows.iter().any(|(module, _)| *module == name) {
                uses.push((code[..at].matches('\n').count() + 1, module.clone(), name));
            }
        }
    }
    uses.sort();
    uses
}

#[test]
fn modules_use_exactly_what_the_table_of_architecture_md_says() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in rust_files("src") {
        let Some(module) = module_of(&path) else { continue };
        let used = found.entry(module).or_default();
        used.extend(uses(&path, &read(&path)).into_iter().map(|(_, _, used)| used));
        used.retain(|name| !EVERYWHERE.contains(&name.as_str()));
    }
    let said: BTreeMap<_, _> = table().into_iter().collect();
    let differences: Vec<_> = found
        .keys()
        .chain(said.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|module| found.get(*module) != said.get(*module))
        .map(|module| format!("{module} uses {:?}, the table says {:?}", found.get(module), said.get(module)))
        .collect();
    assert_eq!(differences, [""; 0]);
}

#[test]
fn each_row_of_the_table_uses_only_rows_above_it() {
    let rows = table();
    for (at, (module, used)) in rows.iter().enumerate() {
        for name in used {
            assert!(rows[..at].iter().any(|(row, _)| row == name), "{module} uses {name}, which has no row above it");
        }
    }
}

#[test]
fn uses_are_found_however_they_are_written() {
    let text = "\
use crate::{model::{self, canary}, cluster};
fn a() { crate::ui::say(\"crate::source\") } // crate::commands
use super::output;
mod tests { use super::*; fn b() { super::super::lint::all(); $crate::files; my_crate::cli; } }
";
    let found = |path: &str| -> Vec<String> {
        uses(Path::new(path), text).into_iter().map(|(line, user, used)| format!("{line} {user} {used}")).collect()
    };
    assert_eq!(found("src/plan.rs"), ["1 plan cluster", "1 plan model", "2 plan ui", "3 plan output", "4 plan lint"]);
    assert_eq!(found("src/plan/mod.rs"), found("src/plan.rs"));
    assert_eq!(found("src/plan/diff.rs"), ["1 plan cluster", "1 plan model", "2 plan ui", "4 plan lint"]);
    assert_eq!(found("src/main.rs"), [""; 0]);
}
