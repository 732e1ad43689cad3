//! Gives an executable a second name: a link, so that upgrading one upgrades the other, or a copy where creating links
//! needs special rights.
#![expect(clippy::disallowed_methods, reason = "files are read and written in src/files")]

use std::{fs, io, path::Path};

use crate::error::{Error, Result, reason};

/// What happened to the second name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// The name was created.
    Made,
    /// The name led elsewhere and was changed.
    Moved,
    /// The name was already right.
    AsBefore,
}

/// Makes `path` another name of the executable.
///
/// # Errors
///
/// Fails if something other than a link is there, or if the operating system refuses.
pub fn link(executable: &Path, path: &Path) -> Result<Linked> {
    let before = fs::symlink_metadata(path).ok();
    if is_right(executable, path) {
        return Ok(Linked::AsBefore);
    }
    // On Windows the second name is a copy, which looks like any other file.
    if before.as_ref().is_some_and(|before| cfg!(unix) && !before.is_symlink()) {
        return Err(Error::usage(format!("`{}` exists and is not a symbolic link", path.display()))
            .hint("delete it, or choose another folder with --dir"));
    }
    replace(executable, path)
        .map_err(|error| Error::usage(format!("cannot make `{}`", path.display())).caused_by(reason(&error)))?;
    Ok(if before.is_some() { Linked::Moved } else { Linked::Made })
}

/// Returns the target of the link. Beside the executable it is relative, so that the folder can be moved.
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
    // Replace the old link atomically, so that there always is one.
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
