//! Writes a file so that it has either the old text or the new one, whatever happens in between.
#![expect(clippy::disallowed_methods, reason = "this file is where manifests are written")]

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Source;
use crate::error::{Error, Kind, Result, reason};

/// Gives the file of this source a new text, if it still has the one that was read.
///
/// # Errors
///
/// A conflict when the file has changed since; else as [`write_atomically`]. Standard input has no file.
pub fn replace(source: &Source, text: &str) -> Result<()> {
    let Some(path) = &source.path else { return Err(Error::usage("standard input cannot be written to")) };
    let now = fs::read(path).map_err(|error| unwritable(path, &error))?;
    if now != source.text.as_bytes() {
        let message = format!("`{}` has changed since it was read, and was left as it is", path.display());
        return Err(Error::new(Kind::Conflict, message).hint("run the command again"));
    }
    write_atomically(path, text)
}

/// Writes a file by way of a temporary one beside it: mode and owner stay, a symbolic link stays a link and
/// the file it leads to gets the text.
///
/// # Errors
///
/// The operating system's; then the file is as it was.
pub fn write_atomically(path: &Path, text: &str) -> Result<()> {
    write(path, text).map_err(|error| unwritable(path, &error))
}

/// Writes a file into a folder, which is made if it is not there.
///
/// # Errors
///
/// The operating system's.
pub fn write_into(folder: &Path, name: &str, text: &str) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    write_atomically(&folder.join(name), text)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = if fs::symlink_metadata(path).is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
    let old = fs::metadata(&path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    sweep(&path);
    let (temporary, file) = create_beside(&path, old.is_some())?;
    // Held until the end, also of a process that is killed: what nobody holds was left behind.
    let _ = file.try_lock();
    let written = fill(&file, text, old.as_ref()).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // Already failing: what became of the temporary file is not what the person needs to hear.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The name is in the folder now; a folder that cannot be opened or synced does not undo that.
    let _ = path.parent().map(|folder| File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

/// Takes away what runs that were killed have left beside this file. It is no manifest by its name; this keeps the folder
/// clean. What cannot be taken away is in nobody's way.
fn sweep(path: &Path) {
    let (Some(name), Some(folder)) = (path.file_name().and_then(OsStr::to_str), path.parent()) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.file_name();
        let of_ours = other.to_str().and_then(|other| other.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.'));
        let number = of_ours.and_then(|rest| rest.strip_suffix(".tmp")).and_then(|rest| rest.split_once('-'));
        let is_ours =
            number.is_some_and(|(process, attempt)| [process, attempt].iter().all(|it| it.parse::<u32>().is_ok()));
        if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn create_beside(path: &Path, private: bool) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("not the name of a file"))?;
    let mut attempt = 0;
    loop {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = path.with_file_name(temporary);
        match options(private).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// A temporary file is for its owner alone until it gets the mode of the file that it replaces.
#[cfg_attr(not(unix), expect(unused_variables, reason = "modes are a thing of Unix"))]
fn options(private: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o666 });
    options
}

fn fill(mut file: &File, text: &str, old: Option<&fs::Metadata>) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    if let Some(old) = old {
        keep_owner(file, old);
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

/// Only root can give a file away, and only root needs to: anyone else owns what they write.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot write `{}`", path.display())).caused_by(reason(error))
}
