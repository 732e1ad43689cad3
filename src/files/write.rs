//! Writes a file so that it always has either the old text or the new one, and so that several concurrent writers do
//! not overwrite each other's changes.
#![expect(clippy::disallowed_methods, reason = "this file is where manifests are written")]

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Source;
use crate::{
    error::{Error, Kind, Result, reason},
    text::quoted,
};

/// Time to wait for a lock of another program; this one holds it only as long as the disk takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks that the file of this source can be rewritten, before the user is asked or types anything.
///
/// # Errors
///
/// Fails if it is not a regular file, is not writable or has other hard links; standard input has no file.
pub fn in_place(source: &Source) -> Result<()> {
    checked(source).map(|_| ())
}

/// Rewrites the file of this source, if it still has the text that was read.
///
/// # Errors
///
/// Fails with a conflict if the file has changed since, or if another program keeps it locked; otherwise as
/// [`in_place`] and [`write_atomically`].
pub fn replace(source: &Source, text: &str) -> Result<()> {
    let (named, path) = checked(source)?;
    let failed = |error: &io::Error| unwritable(named, error);
    let Some(mut held) = lock(&path).map_err(|error| failed(&error))? else {
        let message = format!("`{}` is locked by another program and was not changed", named.display());
        return Err(Error::new(Kind::Conflict, message).hint("run the command again"));
    };
    let mut now = Vec::new();
    held.read_to_end(&mut now).map_err(|error| failed(&error))?;
    if now != source.text.as_bytes() {
        let message = format!("`{}` has changed since it was read and was not written", named.display());
        return Err(Error::new(Kind::Conflict, message).hint("run the command again"));
    }
    write_beside(&path, text, Some(&held)).map_err(|error| failed(&error))
}

/// Returns the file of a source as it was named, and its canonical path.
fn checked(source: &Source) -> Result<(&Path, PathBuf)> {
    let Some(named) = &source.path else { return Err(Error::usage("standard input cannot be written to")) };
    let refused = |why: &str| Error::usage(format!("`{}` cannot be edited in place: {why}", named.display()));
    let failed = |error: io::Error| unwritable(named, &error);
    // A shell may redirect these to a file, which is not the one that was named.
    if ["/dev/stdin", "/dev/fd", "/proc"].iter().any(|folder| named.starts_with(folder)) {
        return Err(refused("it is not a regular file").hint("use -f - to print the result instead"));
    }
    let path = fs::canonicalize(named).map_err(failed)?;
    let metadata = fs::metadata(&path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file").hint("use -f - to print the result instead"));
    }
    let typed = quoted(&named.display().to_string());
    if metadata.permissions().readonly() {
        return Err(refused("it is read-only").hint(format!("chmod u+w {typed}")));
    }
    if names(&metadata) > 1 {
        // Replacing it would leave the other names with the old text, and writing into it could be interrupted.
        return Err(refused("it has other names too (hard links)")
            .hint(format!("cp {typed} {typed}.new && mv {typed}.new {typed} makes it a file of its own")));
    }
    // Let the operating system check whether this user may write.
    OpenOptions::new().write(true).open(&path).map_err(failed)?;
    Ok((named, path))
}

/// Locks the file of this name. The lock belongs to the file, not to its name: if the name gets another file meanwhile,
/// that one is locked instead. Returns `None` if the lock cannot be had in time.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // On NFS, locking requires write access (flock(2)).
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) if is_still(&file, path) => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => return Ok(None),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(5)),
            // The file system does not support locks.
            Err(TryLockError::Error(_)) => return Ok(Some(file)),
        }
    }
}

/// Writes a file by way of a temporary one beside it. Mode and owner stay; a symbolic link stays a link, and its target
/// gets the text.
///
/// # Errors
///
/// Returns the operating system's error; the file is then unchanged.
pub fn write_atomically(path: &Path, text: &str) -> Result<()> {
    write(path, text).map_err(|error| unwritable(path, &error))
}

/// Writes a file into a folder, which is created if it does not exist.
pub fn write_into(folder: &Path, name: &str, text: &str) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    write_atomically(&folder.join(name), text)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return write_beside(path, text, None);
    }
    let path = fs::canonicalize(path)?;
    if !fs::metadata(&path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let held = lock(&path)?.ok_or_else(|| io::Error::other("locked by another program"))?;
    write_beside(&path, text, Some(&held))
}

/// Writes a temporary file and renames it to `path`. `old` is the file that has this name now, locked.
fn write_beside(path: &Path, text: &str, old: Option<&File>) -> io::Result<()> {
    let old = old.map(File::metadata).transpose()?;
    if old.is_some() {
        sweep(path);
    }
    let (temporary, file) = create_beside(path, old.is_some())?;
    let written = fill(&file, text, old.as_ref()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Already failing: an error about the temporary file would only distract.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The file is renamed; a folder that cannot be opened or synced does not undo that.
    let _ = path.parent().map(|folder| File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

/// Deletes temporary files that killed runs left beside this file: whoever creates them holds the lock on this file, as
/// the caller does now; version 0.1.0 locked its own instead. Their names are not those of manifests, so it does no
/// harm if they cannot be deleted.
fn sweep(path: &Path) {
    let (Some(name), Some(folder)) = (path.file_name().and_then(OsStr::to_str), path.parent()) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.file_name();
        let of_ours = other.to_str().and_then(|other| other.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.'));
        let number = of_ours.and_then(|rest| rest.strip_suffix(".tmp")).and_then(|rest| rest.split_once('-'));
        let is_ours =
            number.is_some_and(|(process, attempt)| [process, attempt].iter().all(|it| it.parse::<u32>().is_ok()));
        // Opening a pipe of such a name would block.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours && is_file && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
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

/// Returns options that keep a temporary file private until it gets the mode of the file that it replaces.
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

/// Only root can change the owner, and only root needs to: all others own what they write.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// Returns the number of hard links.
#[cfg(unix)]
fn names(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(file)
}

#[cfg(not(unix))]
fn names(_: &fs::Metadata) -> u64 {
    1
}

/// Returns whether this is still the file of this name.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(number).ok() == fs::metadata(path).map(number).ok()
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot write `{}`", path.display())).caused_by(reason(error))
}
