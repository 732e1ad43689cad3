//! A text that the user edits, in a temporary folder that only its owner can read. It is kept until it is discarded, so
//! that an edit survives any failure.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{
    fs::{self, OpenOptions},
    hash::{BuildHasher, RandomState},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::{scratch::private_folder, write::unwritable};
use crate::error::{Error, Result, reason};

/// Size limit in bytes; no cookie needs more, even with comments.
const MOST: u64 = 1 << 18;

/// A temporary file for the editor.
#[derive(Debug)]
pub struct Draft {
    file: PathBuf,
    /// The text written last.
    written: String,
}

impl Draft {
    /// Creates a new temporary folder for a file of this name.
    pub fn new(name: &str) -> Result<Self> {
        let unique = RandomState::new().hash_one(std::process::id());
        let folder = std::env::temp_dir().join(format!("kubectl-canary-traefik-{unique:016x}"));
        private_folder(&folder)?;
        // A name in a manifest can be anything.
        let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
        Ok(Self { file: folder.join(format!("{name}.yaml")), written: String::new() })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Replaces the text. If that fails, the former text stays.
    pub fn write(&mut self, text: &str) -> Result<()> {
        if let Some(folder) = self.file.parent().filter(|folder| !folder.exists()) {
            // The editor deleted the folder.
            private_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let new = self.file.with_extension("new");
        let written = options
            .open(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &self.file));
        written.map_err(|error| {
            // On a full disk, the new file may be partial.
            let _ = fs::remove_file(&new);
            unwritable(&self.file, &error)
        })?;
        text.clone_into(&mut self.written);
        Ok(())
    }

    /// Reads the current text.
    ///
    /// # Errors
    ///
    /// Fails if the file is missing, too long, or not UTF-8.
    pub fn read(&self) -> Result<String> {
        let cannot = |reason: String| Error::usage(format!("cannot read what the editor wrote: {reason}"));
        let mut bytes = Vec::new();
        match fs::File::open(&self.file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)) {
            Ok(_) if bytes.len() as u64 > MOST => Err(cannot(format!("it is longer than {MOST} bytes"))),
            Ok(_) => String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text".into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(cannot("the file is gone".into())),
            Err(error) => Err(cannot(reason(&error))),
        }
    }

    /// Returns whether the file differs from the text written last, as far as it can be read.
    pub fn was_edited(&self) -> bool {
        fs::read(&self.file).is_ok_and(|bytes| bytes != self.written.as_bytes())
    }

    /// Deletes the file, and anything the editor put beside it.
    pub fn discard(self) {
        if let Some(folder) = self.file.parent() {
            // Files left behind do no harm.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_for_its_owner_alone_and_goes_with_all_that_is_beside_it() {
        let mut draft = Draft::new("checkout").unwrap();
        draft.write("a: 1\n").unwrap();
        let folder = draft.path().parent().unwrap().to_owned();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(draft.path())), (0o700, 0o600));
        assert_eq!(draft.read().unwrap(), "a: 1\n");
        draft.write("b\n").unwrap();
        assert_eq!(draft.read().unwrap(), "b\n");
        assert!(!draft.was_edited());
        fs::write(draft.path(), "c\n").unwrap();
        assert!(draft.was_edited());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::write(folder.join("checkout.yaml~"), "backup").unwrap();
        draft.discard();
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_no_short_text_is_refused_with_the_reason_and_stays() {
        let draft = Draft::new("checkout").unwrap();
        let said = || draft.read().unwrap_err().message().to_owned();
        assert_eq!(said(), "cannot read what the editor wrote: the file is gone");
        fs::write(draft.path(), b"\xff\x00").unwrap();
        assert_eq!(said(), "cannot read what the editor wrote: it is not UTF-8 text");
        fs::write(draft.path(), vec![b'a'; 300_000]).unwrap();
        assert_eq!(said(), "cannot read what the editor wrote: it is longer than 262144 bytes");
        assert!(draft.path().exists());
        draft.discard();
    }
}
