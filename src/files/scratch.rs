//! Two temporary folders with the objects before and after a change, for an external diff program. They are deleted
//! when dropped.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result, reason};

/// The two folders.
#[derive(Debug)]
pub struct Scratch {
    live: PathBuf,
    merged: PathBuf,
}

impl Scratch {
    /// Writes the objects, each given by its name, text before and text after.
    pub fn new(objects: impl Iterator<Item = (String, String, String)>) -> Result<Self> {
        let unique = RandomState::new().hash_one(std::process::id());
        let folder = |name: &str| std::env::temp_dir().join(format!("{name}-{unique:016x}"));
        let scratch = Self { live: folder("LIVE"), merged: folder("MERGED") };
        let cannot = |what: &Path, error: &std::io::Error| {
            Error::usage(format!("cannot write `{}`", what.display())).caused_by(reason(error))
        };
        for folder in [&scratch.live, &scratch.merged] {
            private_folder(folder).map_err(|error| cannot(folder, &error))?;
        }
        for (name, before, after) in objects {
            for (folder, text) in [(&scratch.live, before), (&scratch.merged, after)] {
                let file = folder.join(&name);
                fs::write(&file, text).map_err(|error| cannot(&file, &error))?;
            }
        }
        Ok(scratch)
    }

    /// Returns the folder with the objects before the change.
    pub fn live(&self) -> &Path {
        &self.live
    }

    /// Returns the folder with the objects after the change.
    pub fn merged(&self) -> &Path {
        &self.merged
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

#[cfg(unix)]
pub(super) fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
pub(super) fn private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir(folder)
}
