//! Declarations edited in manifests of every shape that was found in the wild: which lines change, and which
//! manifests are refused with which reason. `tests/manifests/edits.txt` has it all.

use std::path::PathBuf;

use snapbox::Data;
use testbed::{
    bed,
    matrix::{Edited, rows},
    run::exactly,
};

const FLAGS: [&str; 3] = ["--max-age", "300", "--secure"];

#[test]
fn an_edit_changes_the_lines_of_the_declaration_or_is_refused() {
    let mut said = String::new();
    let (mut edited, mut refused) = (0, 0);
    for row in rows() {
        said.push_str(&format!("==== {}\n", row.name));
        let set = row.edited("set", &FLAGS, &row.files);
        said.push_str(&format!("set:{}", outcome(&row.files, &row.files, &set)));
        let removed = row.edited("remove", &[], &row.files);
        said.push_str(&format!("remove:{}", outcome(&row.files, &row.files, &removed)));
        if set.output.code == Some(0) {
            edited += 1;
            let back = row.edited("remove", &[], &set.files);
            said.push_str(&format!("remove what was set:{}", outcome(&set.files, &row.files, &back)));
        } else {
            refused += 1;
        }
        let meant_to_be = !row.name.contains("refused");
        assert_eq!(set.output.code == Some(0), meant_to_be, "{}\n{}", row.name, set.output);
    }
    assert!(edited >= 40 && refused >= 20, "{edited} edited, {refused} refused");
    let snapshot = Data::read_from(&bed::root().join("tests/manifests/edits.txt"), None);
    exactly(&said, snapshot);
}

/// What is different from the row, line by line; for a refusal the reason, and nothing may have changed.
fn outcome(before: &[(PathBuf, Vec<u8>)], row: &[(PathBuf, Vec<u8>)], edited: &Edited) -> String {
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(before), names(&edited.files), "no file comes and none goes\n{}", edited.output);
    let shown = edited.output.to_string();
    let stderr = shown.split_once("--- stderr\n").map_or("", |(_, stderr)| stderr).trim_end();
    if edited.output.code != Some(0) {
        assert!(before == edited.files, "refused and changed all the same\n{}", edited.output);
        return format!(" exit {}\n{stderr}\n", edited.output.code.unwrap_or(-1));
    }
    let changes: String = row
        .iter()
        .zip(&edited.files)
        .filter(|((_, before), (_, after))| before != after)
        .map(|((path, before), (_, after))| changed_lines(&path.display().to_string(), before, after))
        .collect();
    let warnings = stderr.lines().filter(|line| line.starts_with("warning: "));
    let warnings: String = warnings.map(|line| format!("{line}\n")).collect();
    if changes.is_empty() { format!(" no difference\n{warnings}") } else { format!("\n{warnings}{changes}") }
}

/// The lines that come and go, each block with its first line in the row, and what is not seen made visible.
fn changed_lines(name: &str, before: &[u8], after: &[u8]) -> String {
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    let shown = |sign: &str, lines: &[Vec<u8>]| {
        let lines = lines.iter().map(|line| {
            let text = String::from_utf8(line.clone()).expect("an edited file is UTF-8");
            let end = if text.ends_with('\n') { "" } else { "⟨no line break⟩" };
            let text =
                text.trim_end_matches('\n').replace('\r', "⟨CR⟩").replace('\t', "⟨tab⟩").replace('\u{feff}', "⟨BOM⟩");
            format!("  {sign}{text}{end}\n")
        });
        lines.collect::<String>()
    };
    let blocks = similar::capture_diff_slices(similar::Algorithm::Myers, &before, &after);
    let changed = blocks.iter().filter(|block| block.tag() != similar::DiffTag::Equal).map(|block| {
        let (gone, new) = (block.old_range(), block.new_range());
        format!("  {name}:{}\n{}{}", gone.start + 1, shown("-", &before[gone]), shown("+", &after[new]))
    });
    changed.collect()
}
