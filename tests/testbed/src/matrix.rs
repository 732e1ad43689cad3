//! The manifests of `tests/manifests`, and edits of copies of them.

use std::path::{Path, PathBuf};

use super::{
    bed,
    directory::Directory,
    run::{Output, Run},
};

/// One file, or one folder of files, that declares the Canary `podinfo` in its own way.
pub struct Row {
    /// Its path under `tests/manifests`.
    pub name: String,
    /// Every file, by its path from the folder that the row is copied to.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// What a command made of a row.
pub struct Edited {
    pub output: Output,
    /// Every file that there is afterwards, as in the row.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// Every row, by name: the single files, those that are refused, the folders.
pub fn rows() -> Vec<Row> {
    let all = bed::root().join("tests/manifests");
    let mut rows = Vec::new();
    for folder in ["", "refused"] {
        for path in sorted(&all.join(folder)).into_iter().filter(|path| path.extension().is_some_and(is_manifest)) {
            let name = path.file_name().expect("a file has a name").to_owned();
            let bytes = std::fs::read(&path).expect("a file that was just seen");
            rows.push(Row { name: named(&all, &path), files: vec![(name.into(), bytes)] });
        }
    }
    for path in sorted(&all.join("folders")) {
        rows.push(Row { name: named(&all, &path), files: files_in(&path) });
    }
    rows
}

impl Row {
    /// Runs `sticky COMMAND podinfo FLAGS -f ROW --yes` over a copy of these files.
    pub fn edited(&self, command: &str, flags: &[&str], files: &[(PathBuf, Vec<u8>)]) -> Edited {
        let copy = Directory::new();
        for (path, bytes) in files {
            let path = copy.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("a folder in a fresh directory");
            std::fs::write(path, bytes).expect("a file in a fresh directory");
        }
        let run = Run::new(["sticky", command, "podinfo"]).arguments(flags).dir(copy.path());
        let run = match files {
            [(path, _)] if !self.name.starts_with("folders/") => {
                run.arguments(["-f", path.to_str().expect("the names of the rows are plain")])
            }
            _ => run.arguments(["-R", "-f", "."]),
        };
        let output = run.arguments(["--yes"]).run();
        Edited { output, files: files_in(copy.path()) }
    }
}

fn is_manifest(extension: &std::ffi::OsStr) -> bool {
    extension == "yaml" || extension == "json"
}

fn named(all: &Path, path: &Path) -> String {
    path.strip_prefix(all).expect("a path under the folder").to_str().expect("the names are plain").to_owned()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry of a folder").path()).collect();
    paths.sort();
    paths
}

fn files_in(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
        for path in sorted(folder) {
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let bytes = std::fs::read(&path).expect("a file that was just seen");
                files.push((path.strip_prefix(root).expect("a path under the folder").to_owned(), bytes));
            }
        }
    }
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    files
}
