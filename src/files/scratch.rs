//! Two temporary folders with the objects before and after a change, for an external diff program. They are deleted
//! when dropped.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
};

use super::write::unwritable;
use crate::error::Result;

/// The two folders.
#[derive(Debug)]
pub struct Scratch {
    /// The folder with the objects before the change.
    pub live: PathBuf,
    /// The folder with the objects after the change.
    pub merged: PathBuf,
}

impl Scratch {
    /// Writes the objects, each given by its name, text before and text after.
    pub fn new(objects: impl Iterator<Item = (String, String, String)>) -> Result<Self> {
        let unique = RandomState::new().hash_one(std::process::id());
        let folder = |name: &str| std::env::temp_dir().join(format!("{name}-{unique:016x}"));
        let scratch = Self { live: folder("LIVE"), merged: folder("MERGED") };
        for folder in [&scratch.live, &scratch.merged] {
            private_folder(folder)?;
        }
        for (name, before, after) in objects {
            for (folder, text) in [(&scratch.live, before), (&scratch.merged, after)] {
                let file = folder.join(&name);
                fs::write(&file, text).map_err(|error| unwritable(&file, &error))?;
            }
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for folder in [&self.live, &self.merged] {
            // Files left behind do no harm.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Creates a folder that only its owner can read.
pub(super) fn private_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    // What exists already may be somebody else's.
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| unwritable(folder, &error))
}
