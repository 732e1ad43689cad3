//! No forgotten file, every file with a head and of a size one can read, no words that do not belong here.

use std::path::Path;

use super::tree::{read, root, rust_files, tracked_files};

/// A longer file is two files.
const MOST_LINES: usize = 300;
/// The same for tests, which are read one by one.
const MOST_LINES_OF_TESTS: usize = 400;

/// What must not stand in a file of the repository, and why. Written in two halves, so that it does not here.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "an issue is the place for it"),
    (concat!("FIX", "ME"), "an issue is the place for it"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
    (concat!("GOPROXY", "="), "where modules come from is the machine's business"),
    (concat!("arti", "factory"), "a registry of one network"),
    (concat!("ne", "xus."), "a registry of one network"),
    (concat!("index.", "crates.io"), "where crates come from is the machine's business"),
];

#[test]
fn every_test_file_is_declared_in_its_main_file() {
    let mut forgotten = Vec::new();
    for path in rust_files("tests") {
        let folder = path.parent().expect("a folder");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let heads = if name == "mod" {
            let above = folder.parent().expect("a folder");
            vec![above.join("main.rs"), above.join("mod.rs"), folder.with_extension("rs")]
        } else {
            vec![folder.join("main.rs"), folder.join("lib.rs"), folder.join("mod.rs"), folder.with_extension("rs")]
        };
        if name == "main" || name == "lib" {
            continue;
        }
        let name =
            if name == "mod" { folder.file_name().expect("a name").to_string_lossy().into_owned() } else { name };
        let declared = heads.iter().filter(|head| root().join(head).is_file()).any(|head| {
            let declaration = format!("mod {name};");
            read(head).lines().any(|line| line == declaration || line.ends_with(&format!(" {declaration}")))
        });
        if !declared {
            forgotten.push(path.display().to_string());
        }
    }
    assert_eq!(forgotten, [""; 0], "these files are in no test binary: nothing in them runs");
}

#[test]
fn every_folder_of_tests_with_tests_in_it_is_a_binary() {
    for path in rust_files("tests") {
        let mut components = path.components().skip(1);
        let folder = components.next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let is_binary = root().join("tests").join(&folder).join("main.rs").is_file();
        assert!(
            is_binary || folder == "testbed" || folder == "bed",
            "tests/{folder} has no main.rs: {}",
            path.display()
        );
    }
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    let without: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|path| !read(path).starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(without, [""; 0], "a file opens with `//!`: what it is for, what it never does");
}

#[test]
fn no_source_file_is_longer_than_one_can_read() {
    let long: Vec<_> = rust_files("src")
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, path)| *lines > most_lines(path) && !head(&read(path)).contains("Long, because"))
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert_eq!(long, [""; 0], "split what is longer than {MOST_LINES} lines, or say in its head: Long, because …");
}

fn most_lines(path: &Path) -> usize {
    let is_of_tests = path.ends_with("properties.rs") || path.iter().any(|part| part == "tests" || part == "tests.rs");
    if is_of_tests { MOST_LINES_OF_TESTS } else { MOST_LINES }
}

/// The comment a file opens with.
fn head(text: &str) -> String {
    text.lines().take_while(|line| line.starts_with("//!")).collect()
}

#[test]
fn no_file_has_words_that_do_not_belong_here() {
    let mut found = Vec::new();
    for path in tracked_files() {
        // Sums in base64, in which any word may come up; both are written by their tools.
        if path.file_name().is_some_and(|name| name == "go.sum" || name == "Cargo.lock") {
            continue;
        }
        let bytes = std::fs::read(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text.lines().enumerate() {
            found.extend(
                FORBIDDEN
                    .iter()
                    .filter(|(word, _)| has_word(line, word))
                    .map(|(word, why)| format!("{}:{}: {word}: {why}", path.display(), number + 1)),
            );
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_document_with_commands_is_run_by_a_test() {
    let tests: String = rust_files("tests").iter().map(|path| read(path)).collect();
    let not_run: Vec<_> = tracked_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.display().to_string())
        .filter(|document| read(Path::new(document)).contains("```console"))
        .filter(|document| !tests.contains(&format!("transcript::holds(\"{document}\"")))
        .collect();
    assert_eq!(not_run, [""; 0], "run what a ```console block shows: tests/testbed/src/transcript.rs");
}

/// Tests are named `LEVEL MODULE::TEST` between backticks, the level as `tests/run` takes it.
#[test]
fn every_test_that_a_document_names_is_there() {
    let is_level = |word: &str| word == "unit" || root().join(format!("tests/{word}/main.rs")).is_file();
    let exists = |level: &str, name: &str| {
        let (modules, test) = name.rsplit_once("::").expect("it has modules");
        let folder = if level == "unit" { "src".to_owned() } else { format!("tests/{level}") };
        let place = format!("{folder}/{}", modules.replace("::", "/"));
        let parent = place.strip_suffix("/tests").unwrap_or(&place);
        let files = [format!("{place}.rs"), format!("{parent}.rs"), format!("{parent}/mod.rs")];
        let holds =
            |file: &String| root().join(file).is_file() && read(Path::new(file)).contains(&format!("fn {test}("));
        files.iter().any(holds)
    };
    let documents: String = tracked_files()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| read(path))
        .collect();
    let named: Vec<_> = documents
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter_map(|span| span.split_once(' '))
        .filter(|(level, name)| is_level(level) && name.contains("::") && !name.contains(' '))
        .collect();
    let missing: Vec<_> = named.iter().filter(|(level, name)| !exists(level, name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!named.is_empty(), "no document names a test");
}

/// Whether the line has the word, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let outside = |edge: Option<char>, next: Option<char>| {
        !(edge.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric))
    };
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        outside(word.chars().next(), before.chars().next_back())
            && outside(word.chars().next_back(), after.chars().next())
    })
}

#[test]
fn a_word_is_found_alone_only() {
    let word = concat!("TO", "DO");
    assert!(has_word(&format!("// {word}: later"), word));
    assert!(!has_word(&format!("MAS{word}N"), word));
    assert!(has_word(&format!("x{}y", concat!("/ro", "ot/")), concat!("/ro", "ot/")));
}
