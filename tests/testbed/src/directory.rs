//! A directory of one's own that goes away with its handle.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
};

use super::times;

/// A fresh directory under the system's directory for temporary files, removed when dropped.
pub struct Directory(PathBuf);

#[expect(clippy::new_without_default, reason = "a default makes nothing")]
impl Directory {
    /// Makes the directory.
    pub fn new() -> Self {
        times::begins();
        let parent = std::env::temp_dir().canonicalize().expect("the directory for temporary files exists");
        let path = parent.join(format!("canary-traefik-{}", random_letters(12)));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it (and the folders on the way) and returns the file's path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("the file is in the directory")).expect("folders can be made");
        fs::write(&path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// Writes a file in the place of another: whoever reads it meanwhile reads the one or the other, never a part.
    pub fn replace(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.write(&format!(".{name}.new"), text);
        fs::rename(path, self.0.join(name)).unwrap_or_else(|error| panic!("cannot replace {name}: {error}"));
    }

    /// Reads a file of it.
    pub fn read(&self, name: &str) -> String {
        let path = self.0.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// The names in it, sorted: to prove that nothing was left behind.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the directory can be listed");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A number that was not there before.
pub(crate) fn random_number() -> u64 {
    // RandomState is keyed anew from the system's random source by each thread and stepped at each use.
    RandomState::new().hash_one(())
}

/// Lower-case letters and digits that were not there before, beginning with a letter.
pub fn random_letters(count: usize) -> String {
    let mut letters = String::new();
    while letters.len() < count {
        let mut bits = random_number();
        for _ in 0..10 {
            let base: u64 = if letters.is_empty() { 26 } else { 36 };
            let digit = u32::try_from(bits % base).expect("below 36");
            let letter = char::from_digit(if letters.is_empty() { digit + 10 } else { digit }, 36);
            letters.push(letter.expect("a digit of base 36"));
            bits /= base;
        }
    }
    letters.truncate(count);
    letters
}
