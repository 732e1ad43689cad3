//! The man pages in `man/` are those that the program writes.
#![expect(clippy::disallowed_methods, reason = "reads and writes what the program does not")]

use std::collections::BTreeMap;

use snapbox::str;
use testbed::{bed, directory::Directory, run::Run};

fn pages(folder: &std::path::Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let page = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a page can be read");
        (path.file_name().expect("a name").to_string_lossy().into_owned(), text)
    };
    entries.map(page).collect()
}

#[test]
fn the_man_pages_are_current() {
    let (folder, repository) = (Directory::new(), bed::root().join("man"));
    let written = folder.path().join("man1");
    let output = Run::new(["man", &written.display().to_string()]).run();
    assert_eq!(output.code, Some(0), "{output}");
    let wanted = pages(&written);
    if std::env::var("SNAPSHOTS").is_ok_and(|action| action == "overwrite") {
        let _ = std::fs::remove_dir_all(&repository);
        std::fs::create_dir(&repository).expect("a folder can be made");
        for (name, text) in &wanted {
            std::fs::write(repository.join(name), text).expect("a page can be written");
        }
    }
    let there = pages(&repository);
    let changed: Vec<_> =
        wanted.iter().filter(|(name, text)| there.get(*name) != Some(text)).map(|(name, _)| name).collect();
    let left: Vec<_> = there.keys().filter(|name| !wanted.contains_key(*name)).collect();
    assert!(
        changed.is_empty() && left.is_empty(),
        "not as the parser has them: {changed:?}; of no command any more: {left:?}\n\
         hint: SNAPSHOTS=overwrite tests/run cli::the_man_pages"
    );
}

#[test]
fn man_says_what_it_cannot_write() {
    Run::new(["man", "/dev/null/man1"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot write `/dev/null/man1`
caused by: not a directory

"#]]);
    Run::new(["man"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  <DIR>

Usage: kubectl canary-traefik man <DIR>

For more information, try '--help'.

"#]]);
}
