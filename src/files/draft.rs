//! A text that a person edits: a file of its own in a folder of its own, for its owner alone. It stays until it is
//! taken away: what was typed outlives whatever goes wrong.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{
    fs::{self, OpenOptions},
    hash::{BuildHasher, RandomState},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::scratch::private_folder;
use crate::error::{Error, Result, reason};

/// A cookie needs no more than this many bytes, comments and all.
const MOST: u64 = 1 << 18;

/// The file.
#[derive(Debug)]
pub struct Draft {
    file: PathBuf,
    /// What was written last.
    written: String,
}

impl Draft {
    /// An empty file of this name, in a fresh folder for temporary files.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn new(name: &str) -> Result<Self> {
        let unique = RandomState::new().hash_one(std::process::id());
        let folder = std::env::temp_dir().join(format!("kubectl-canary-traefik-{unique:016x}"));
        private_folder(&folder).map_err(|error| unwritable(&folder, &error))?;
        // What has no name in a cluster stands in a manifest, where it may be anything.
        let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
        Ok(Self { file: folder.join(format!("{name}.yaml")), written: String::new() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Gives it this text, in the place of the one that it has: which stays where that fails.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn write(&mut self, text: &str) -> Result<()> {
        if let Some(folder) = self.file.parent().filter(|folder| !folder.exists()) {
            // The editor has taken it away.
            private_folder(folder).map_err(|error| unwritable(folder, &error))?;
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
            // It may be what there is no room for.
            let _ = fs::remove_file(&new);
            unwritable(&self.file, &error)
        })?;
        text.clone_into(&mut self.written);
        Ok(())
    }

    /// The text that it has now.
    ///
    /// # Errors
    ///
    /// It is gone, too long, or no text.
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

    /// Whether it has something else than was written last, as far as can be seen.
    pub fn was_edited(&self) -> bool {
        fs::read(&self.file).is_ok_and(|bytes| bytes != self.written.as_bytes())
    }

    /// Takes it away, with whatever the editor put beside it.
    pub fn discard(self) {
        if let Some(folder) = self.file.parent() {
            // Nothing is lost with what stays behind.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot write `{}`", path.display())).caused_by(reason(error))
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
