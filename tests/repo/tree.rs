//! The repository's files, and Rust text without its comments and strings.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `*.rs` below a folder of the repository, sorted, as paths from the root.
pub(crate) fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.map(|entry| entry.expect("an entry of a folder").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no Rust file in {folder}");
    files
}

/// What git knows of, and what is about to be added to it.
pub(crate) fn tracked_files() -> Vec<PathBuf> {
    // The checkout may belong to another user than the one who runs the tests.
    let output = Command::new("git")
        .current_dir(root())
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git is on the PATH");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("names in UTF-8");
    let files: Vec<_> =
        names.split_terminator('\0').map(PathBuf::from).filter(|path| root().join(path).is_file()).collect();
    assert!(files.len() > 10, "git knows of {} files only", files.len());
    files
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text with every comment and string blanked, so that lines and columns stay.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = blank_length(rest, code.chars().next_back()).unwrap_or(0);
        if length == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// How long the comment, string or character at the beginning is.
fn blank_length(text: &str, before: Option<char>) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    if text.starts_with('r') && !before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
        let hashes = text[1..].bytes().take_while(|&byte| byte == b'#').count();
        if text[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = 2 + hashes;
            return Some(text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len()));
        }
    }
    let quote = text.chars().next().filter(|&quote| quote == '"' || quote == '\'')?;
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return Some(at + 1),
            // A lifetime, not a character.
            _ if quote == '\'' && text[1..at].chars().count() >= 1 && !text[1..].starts_with('\\') => return None,
            _ => {}
        }
    }
    (quote == '"').then_some(text.len())
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "a::b /* c::d */ \"crate::e\\\"\" 'x' '\\'' &'a f // g\nr#\"h\"i\"# 'j: loop {} '\"' k";
    let words: Vec<_> = code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a::b", "&'a", "f", "'j:", "loop", "{}", "k"]);
    assert_eq!(code(text).len(), text.len());
}
