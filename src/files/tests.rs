//! Tests that read from and write to a real file system.
#![expect(clippy::disallowed_methods, reason = "makes the files to read, and looks at the files written")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::error::{Error, Kind};

/// What must not be missed in these tests.
fn mention(text: &str) -> Option<usize> {
    text.lines().position(|line| line.contains("Precious")).map(|at| at + 1)
}

/// A temporary folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("canary-traefik-files-{}-{count}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // Left behind by a killed process with the same id.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            fs::create_dir_all(folder.at(name).parent().unwrap()).unwrap();
            fs::write(folder.at(name), text).unwrap();
        }
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the text of an error, without the path of this folder.
    fn said(&self, error: &Error) -> String {
        assert_eq!(error.kind(), Kind::Usage);
        let causes = error.causes().iter().map(String::as_str);
        let lines: Vec<_> = std::iter::once(error.message()).chain(causes).chain(error.hints()).collect();
        lines.join(" | ").replace(&format!("{}/", self.0.display()), "").replace(self.0.to_str().unwrap(), "DIR")
    }

    fn read(&self, names: &[&str], recursive: bool) -> Result<Vec<String>, String> {
        let inputs: Vec<_> = names.iter().map(|name| if *name == "-" { "-".into() } else { self.at(name) }).collect();
        let mut stdin = "kind: Stdin\n".as_bytes();
        let found = read::read_with(&inputs, recursive, mention, &mut stdin).map_err(|error| self.said(&error))?;
        let prefix = format!("{}/", self.0.display());
        Ok(found
            .objects()
            .map(|it| format!("{} {}", it.origin().trim_start_matches(&prefix), it.value["kind"].as_str().unwrap()))
            .collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns what is found in a text, and where, or the error.
fn found(text: &str) -> Result<Vec<String>, String> {
    let found = parse(Some("a.yaml".into()), text.to_owned())
        .map_err(|error| Folder(PathBuf::from("/nowhere")).said(&error))?;
    Ok(found.objects().map(|it| format!("{} {}", it.origin(), it.value["kind"].as_str().unwrap())).collect())
}

#[test]
fn a_named_file_is_read_whatever_it_is_called() {
    let folder = Folder::with(&[("canary.txt", "kind: A\n---\nkind: B\n")]);
    assert_eq!(folder.read(&["canary.txt"], false).unwrap(), ["canary.txt:1 A", "canary.txt:3 B"]);
}

#[test]
fn a_directory_gives_its_manifests_by_name_and_its_folders_when_asked() {
    let folder = Folder::with(&[
        ("b.yml", "kind: B\n"),
        ("a.yaml", "kind: A\n"),
        ("c.json", "{\"kind\": \"C\"}"),
        ("README.md", "kind: No\n"),
        ("b/d.yaml", "kind: D\n"),
        ("empty.yaml", "# nothing\n"),
        ("values.yaml", "replicas: 1\n---\n- a\n---\na word\n"),
    ]);
    assert_eq!(folder.read(&[""], false).unwrap(), ["a.yaml:1 A", "b.yml:1 B", "c.json:1 C"]);
    assert_eq!(folder.read(&[""], true).unwrap(), ["a.yaml:1 A", "b/d.yaml:1 D", "b.yml:1 B", "c.json:1 C"]);
}

#[test]
fn a_pattern_gives_the_manifests_that_match_it() {
    let folder = Folder::with(&[
        ("a.yaml", "kind: A\n"),
        ("b.json", "{\"kind\": \"B\"}"),
        ("c.txt", "kind: C\n"),
        ("d/e.yaml", "kind: E\n"),
        ("[f].yaml", "kind: F\n"),
    ]);
    assert_eq!(folder.read(&["*.yaml"], false).unwrap(), ["[f].yaml:1 F", "a.yaml:1 A"]);
    assert_eq!(folder.read(&["?.*"], false).unwrap(), ["a.yaml:1 A", "b.json:1 B"]);
    assert_eq!(folder.read(&["*.txt"], false).unwrap(), ["c.txt:1 C"]);
    assert_eq!(folder.read(&["*/*.yaml", "*"], false).unwrap().len(), 4);
    assert_eq!(folder.read(&["[f].yaml"], false).unwrap(), ["[f].yaml:1 F"]);
    assert_eq!(folder.read(&["*.yml"], false).unwrap_err(), "no file matches `*.yml`");
}

#[test]
fn a_link_to_a_folder_is_not_followed_and_a_file_is_read_once() {
    let folder = Folder::with(&[("a/a.yaml", "kind: A\n")]);
    symlink(folder.at("a"), folder.at("a/again.yaml")).unwrap();
    symlink(folder.at("a/a.yaml"), folder.at("a/b.yaml")).unwrap();
    assert_eq!(folder.read(&["a", "a/b.yaml"], true).unwrap(), ["a/a.yaml:1 A"]);
}

#[test]
fn standard_input_is_read_once_and_among_the_others() {
    let folder = Folder::with(&[("a.yaml", "kind: A\n")]);
    assert_eq!(folder.read(&["a.yaml", "-"], false).unwrap(), ["a.yaml:1 A", "stdin:1 Stdin"]);
    assert_eq!(folder.read(&["-", "-"], false).unwrap_err(), "standard input (`-`) can be read only once");
}

#[test]
fn an_input_that_cannot_be_read_is_named_with_the_cause() {
    let folder = Folder::with(&[("deep/a.yaml", "kind: A\n"), ("none/a.txt", "")]);
    assert_eq!(folder.read(&["no.yaml"], false).unwrap_err(), "cannot read `no.yaml` | no such file or directory");
    assert_eq!(
        folder.read(&["none"], false).unwrap_err(),
        "no manifest in `none`: no file ends in .json, .yaml or .yml | to search subdirectories too: -R -f none"
    );
    assert_eq!(
        folder.read(&["none"], true).unwrap_err(),
        "no manifest in `none`: no file ends in .json, .yaml or .yml"
    );
    assert_eq!(
        folder.read(&["deep/a.yaml", "none"], true).unwrap_err().split(':').next(),
        Some("no manifest in `none`")
    );
}

#[test]
fn an_address_gets_the_command_that_fetches_it() {
    let error = read(&["https://example.com/canary.yaml".into()], false, mention).unwrap_err();
    assert_eq!(error.hints(), ["curl -fsSL https://example.com/canary.yaml | kubectl canary-traefik … -f -"]);
}

#[test]
fn bytes_that_are_no_text_are_told_by_their_offset() {
    let folder = Folder::new();
    fs::write(folder.at("a.yaml"), b"kind: \xff\n").unwrap();
    assert_eq!(
        folder.read(&["a.yaml"], false).unwrap_err(),
        "`a.yaml` is not UTF-8 text: the byte at offset 6 is not part of a character"
    );
}

#[test]
fn nothing_at_all_is_an_error_but_an_empty_file_among_others_is_not() {
    let folder = Folder::with(&[("a.yaml", ""), ("b.yaml", "---\n# b\n---\n"), ("c.yaml", "kind: C\n")]);
    assert_eq!(folder.read(&["a.yaml"], false).unwrap_err(), "no Kubernetes object in `a.yaml`");
    assert_eq!(folder.read(&["a.yaml", "b.yaml"], false).unwrap_err(), "no Kubernetes object in the 2 files read");
    assert_eq!(folder.read(&["a.yaml", "b.yaml", "c.yaml"], false).unwrap(), ["c.yaml:1 C"]);
    let error = parse(None, "{}".to_owned()).map(|_| ()).unwrap_err();
    assert_eq!(error.message(), "stdin:1: this has no `kind`, so it is not a Kubernetes object");
}

#[test]
fn a_syntax_error_has_the_line_of_the_file() {
    assert_eq!(found("kind: A\n---\n# b\nkind: B\na: [b\n").unwrap_err(), "a.yaml:5:4: unclosed bracket '['");
    assert_eq!(found("\u{feff}kind: A\r\n---\r\na: b: c\r\n").unwrap_err().split(": ").next(), Some("a.yaml:3:5"));
    assert!(
        found("kind: A\na: {{ .Values.a }}\n")
            .unwrap_err()
            .ends_with(" | this looks like a template; render it and pipe the result: helm template DIR | kubectl canary-traefik … -f -")
    );
    let folder = Folder::with(&[("a.yaml", "kind: A\n"), ("b.yaml", "kind: [Precious\n")]);
    assert_eq!(
        folder.read(&[""], false).unwrap_err(),
        "b.yaml:1:7: unclosed bracket '[' | line 1 mentions a Canary or its cookie, so the file is not skipped | \
         fix the file, or name only the other files: -f FILE -f FILE"
    );
}

#[test]
fn what_is_no_object_is_an_error_in_a_file_that_was_named() {
    assert_eq!(
        found("kind: A\n---\nreplicas: 1\n").unwrap_err(),
        "a.yaml:3: this has no `kind`, so it is not a Kubernetes object"
    );
    assert_eq!(
        found("kind: A\n---\n- b\n").unwrap_err(),
        "a.yaml:3: this is not a mapping, so it is not a Kubernetes object"
    );
    assert_eq!(found("kind: A\n---\n---\n# c\n---\n~\n").unwrap(), ["a.yaml:1 A"]);
}

#[test]
fn an_object_begins_where_its_content_does() {
    assert_eq!(
        found("# a\n\nkind: A\n--- # b\n\nkind: B\n--- {kind: C}\n").unwrap(),
        ["a.yaml:3 A", "a.yaml:6 B", "a.yaml:7 C"]
    );
    assert_eq!(found("%YAML 1.2\n---\nkind: A\n...\nkind: B\n").unwrap(), ["a.yaml:3 A", "a.yaml:5 B"]);
}

#[test]
fn items_of_a_list_are_objects_with_their_own_lines() {
    let text = "kind: X\n---\napiVersion: v1\nkind: List\nitems:\n# a\n- kind: A\n-\n  kind: B\n- {kind: C}\n- kind: List\n  items:\n  - kind: D\n  - kind: E\n";
    assert_eq!(
        found(text).unwrap(),
        ["a.yaml:1 X", "a.yaml:7 A", "a.yaml:9 B", "a.yaml:10 C", "a.yaml:13 D", "a.yaml:14 E"]
    );
    assert_eq!(found("kind: A\n---\nkind: List\nitems: []\n---\nkind: List\nitems:\n").unwrap(), ["a.yaml:1 A"]);
    assert_eq!(found("kind: AllowList\nspec: {}\n").unwrap(), ["a.yaml:1 AllowList"]);
    assert_eq!(found("kind: Menu\nitems: [a]\n").unwrap(), ["a.yaml:1 Menu"]);
}

#[test]
fn items_of_a_list_of_one_kind_get_that_kind_if_they_have_none() {
    let text = "apiVersion: flagger.app/v1beta1\nkind: CanaryList\nitems:\n- metadata: {name: a}\n- kind: B\n  apiVersion: v1\n";
    let found = parse(None, text.to_owned()).unwrap();
    let objects: Vec<_> =
        found.objects().map(|it| (it.value["kind"].as_str(), it.value["apiVersion"].as_str())).collect();
    assert_eq!(objects, [(Some("Canary"), Some("flagger.app/v1beta1")), (Some("B"), Some("v1"))]);
}

#[test]
fn an_item_that_got_its_kind_from_the_list_is_edited_without_one() {
    let text = "apiVersion: flagger.app/v1beta1\nkind: CanaryList\nitems:\n- metadata: {name: a}\n";
    let found = parse(None, text.to_owned()).unwrap();
    let object = found.objects().next().unwrap();
    let after = edit(found.source(object), object, &[Edit::set(&["metadata", "name"], "b")]).unwrap();
    assert_eq!(after, text.replace("name: a", "name: b"));
}

#[test]
fn the_source_of_an_object_is_the_text_to_the_byte() {
    let text = "\u{feff}kind: A\r\n";
    let folder = Folder::with(&[("a.yaml", text)]);
    let found = read(&[folder.at("a.yaml")], false, mention).unwrap();
    let source = found.source(found.objects().next().unwrap());
    assert_eq!((source.text.as_str(), source.path.as_deref()), (text, Some(folder.at("a.yaml").as_path())));
}

#[test]
fn a_write_keeps_the_mode_and_leaves_no_other_file() {
    let folder = Folder::with(&[("a.yaml", "old")]);
    fs::set_permissions(folder.at("a.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    write_atomically(&folder.at("a.yaml"), "new").unwrap();
    assert_eq!(fs::read_to_string(folder.at("a.yaml")).unwrap(), "new");
    assert_eq!(fs::metadata(folder.at("a.yaml")).unwrap().mode() & 0o777, 0o640);
    write_atomically(&folder.at("b.yaml"), "b").unwrap();
    assert_eq!(folder.names(), ["a.yaml", "b.yaml"]);
}

#[test]
fn a_write_through_a_link_reaches_the_file_and_keeps_the_link() {
    let folder = Folder::with(&[("real/a.yaml", "old")]);
    symlink(Path::new("real/a.yaml"), folder.at("link.yaml")).unwrap();
    write_atomically(&folder.at("link.yaml"), "new").unwrap();
    assert!(fs::symlink_metadata(folder.at("link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.at("real/a.yaml")).unwrap(), "new");
    assert_eq!(folder.names(), ["link.yaml", "real"]);
}

#[test]
fn a_write_that_fails_says_why_and_leaves_everything_as_it_was() {
    let folder = Folder::with(&[("real/a.yaml", "old")]);
    let said = |path: &str| folder.said(&write_atomically(&folder.at(path), "new").unwrap_err());
    assert_eq!(said("real"), "cannot write `real` | not a regular file");
    assert_eq!(said("none/a.yaml"), "cannot write `none/a.yaml` | no such file or directory");
    symlink(folder.at("gone"), folder.at("dangling")).unwrap();
    assert_eq!(said("dangling"), "cannot write `dangling` | no such file or directory");
    assert_eq!(folder.names(), ["dangling", "real"]);
}

#[test]
fn a_file_that_changed_since_it_was_read_is_a_conflict() {
    let folder = Folder::with(&[("a.yaml", "kind: A\n")]);
    let found = read(&[folder.at("a.yaml")], false, mention).unwrap();
    let source = found.source(found.objects().next().unwrap());
    replace(source, "kind: B\n").unwrap();
    let error = replace(source, "kind: C\n").unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().ends_with("a.yaml` has changed since it was read and was not written"));
    assert_eq!(fs::read_to_string(folder.at("a.yaml")).unwrap(), "kind: B\n");
}

#[test]
fn a_write_sweeps_up_what_a_killed_one_left_and_nothing_else() {
    let folder = Folder::with(&[
        ("a.yaml", "a: 1\n"),
        (".a.yaml.4711-0.tmp", "half"),
        (".a.yaml.4712-1.tmp", "at work"),
        (".a.yaml.old.tmp", "somebody's own"),
        (".b.yaml.4711-0.tmp", "of another file"),
    ]);
    let at_work = std::fs::File::open(folder.at(".a.yaml.4712-1.tmp")).unwrap();
    at_work.try_lock().unwrap();
    write_atomically(&folder.at("a.yaml"), "a: 2\n").unwrap();
    assert_eq!(folder.names(), [".a.yaml.4712-1.tmp", ".a.yaml.old.tmp", ".b.yaml.4711-0.tmp", "a.yaml"]);
}
