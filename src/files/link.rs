//! Gives an executable a second name. A link, so that an upgrade of the one is an upgrade of the other; a copy where
//! links need rights that people lack.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{fs, io, path::Path};

use crate::error::{Error, Result, reason};

/// What became of the second name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// There was nothing of that name.
    Made,
    /// It led elsewhere.
    Moved,
    /// It was right already.
    AsBefore,
}

/// Makes `path` another name of the executable.
///
/// # Errors
///
/// Something else than a link is there, or the operating system refuses.
pub fn link(executable: &Path, path: &Path) -> Result<Linked> {
    let before = fs::symlink_metadata(path).ok();
    if is_right(executable, path) {
        return Ok(Linked::AsBefore);
    }
    // On Windows the second name is a copy, which cannot be told from anything else.
    if before.as_ref().is_some_and(|before| cfg!(unix) && !before.is_symlink()) {
        return Err(Error::usage(format!("`{}` is there and is no link", path.display()))
            .hint("take it away, or name another folder with --dir"));
    }
    replace(executable, path)
        .map_err(|error| Error::usage(format!("cannot make `{}`", path.display())).caused_by(reason(&error)))?;
    Ok(if before.is_some() { Linked::Moved } else { Linked::Made })
}

/// Beside the executable the link names it alone, so that the folder can be moved.
#[cfg(unix)]
fn target<'a>(executable: &'a Path, path: &Path) -> &'a Path {
    match executable.file_name() {
        Some(name) if executable.parent() == path.parent() => Path::new(name),
        _ => executable,
    }
}

#[cfg(unix)]
fn is_right(executable: &Path, path: &Path) -> bool {
    fs::read_link(path).is_ok_and(|now| now == target(executable, path))
}

#[cfg(unix)]
fn replace(executable: &Path, path: &Path) -> io::Result<()> {
    // A new link in the place of the old one, so that there is one all the time.
    let new = path.with_extension(format!("{}.tmp", std::process::id()));
    std::os::unix::fs::symlink(target(executable, path), &new)?;
    fs::rename(&new, path).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

#[cfg(not(unix))]
fn is_right(executable: &Path, path: &Path) -> bool {
    fs::read(path).is_ok_and(|now| fs::read(executable).is_ok_and(|wanted| now == wanted))
}

#[cfg(not(unix))]
fn replace(executable: &Path, path: &Path) -> io::Result<()> {
    fs::copy(executable, path).map(|_| ())
}
