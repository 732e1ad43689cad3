//! Finds the files named by `-f`: files, directories, and patterns such as `deploy/*.yaml`, as kubectl does.
#![expect(clippy::disallowed_methods, reason = "manifests are found and read in src/files")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::skipped::{Reason, Skipped};
use crate::{
    error::{Error, Result, reason},
    text::{quoted, without_password},
};

/// File extensions of manifests in a directory.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The one manifest without an extension: kustomize reads it, too.
pub(super) const KUSTOMIZATION: &str = "Kustomization";

/// Whether the user named the file, or it was found in a directory or by a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Yes,
    No,
}

/// One input.
pub(super) enum Input {
    Stdin,
    File(PathBuf, Named),
}

/// Returns the inputs in their order; what is found and cannot be read is added to `skipped`.
///
/// # Errors
///
/// Fails if an input does not exist, nothing matches a pattern, or a directory has no manifests.
pub(super) fn find(named: &[PathBuf], recursive: bool, skipped: &mut Vec<Skipped>) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in named {
        if path == Path::new("-") {
            inputs.push(Input::Stdin);
            continue;
        }
        match (fs::metadata(path), matches(path)) {
            (Ok(metadata), _) if metadata.is_dir() => inputs.extend(manifests_in(path, recursive, skipped)?),
            (Ok(_), _) => inputs.push(Input::File(path.clone(), Named::Yes)),
            (Err(_), Some(found)) if found.is_empty() => {
                return Err(Error::usage(format!("no file matches `{}`", path.display())));
            }
            (Err(_), Some(found)) => {
                for path in found {
                    if path.is_dir() {
                        walk(&path, recursive, &mut inputs, skipped);
                    } else if !path.is_file() {
                        skipped.push(Skipped::whole(&path, Reason::NotRegular));
                    } else {
                        inputs.push(Input::File(path, Named::No));
                    }
                }
            }
            (Err(error), None) => return Err(missing(path, &error)),
        }
    }
    Ok(inputs)
}

/// Returns what matches a pattern, sorted; `None` if this is no pattern. Files that are no manifests by their names only
/// count if nothing else matches.
fn matches(pattern: &Path) -> Option<Vec<PathBuf>> {
    // An address is no pattern, and may hold a password.
    let text = pattern.to_str().filter(|text| text.contains(['*', '?', '[']) && !text.contains("://"))?;
    let all: Vec<PathBuf> = glob::glob(text).ok()?.filter_map(Result::ok).collect();
    let (manifests, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|path| path.is_dir() || is_manifest(path));
    Some(if manifests.is_empty() { others } else { manifests })
}

fn manifests_in(directory: &Path, recursive: bool, skipped: &mut Vec<Skipped>) -> Result<Vec<Input>> {
    fs::read_dir(directory).map_err(|error| unreadable(&format!("`{}`", directory.display()), &error))?;
    let mut found = Vec::new();
    walk(directory, recursive, &mut found, skipped);
    if found.is_empty() && skipped.is_empty() {
        let name = directory.display();
        let error = Error::usage(format!("no manifest in `{name}`: no file ends in .json, .yaml or .yml"));
        return Err(if recursive {
            error
        } else {
            error.hint(format!("to search subdirectories too: -R -f {}", quoted(&name.to_string())))
        });
    }
    Ok(found)
}

/// Finds the manifests in a directory, sorted by name.
fn walk(directory: &Path, recursive: bool, found: &mut Vec<Input>, skipped: &mut Vec<Skipped>) {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return skipped.push(Skipped::whole(directory, Reason::Unreadable(reason(&error)))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to directories are not followed, because they may lead back here.
        let into = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if into && recursive {
            walk(&path, recursive, found, skipped);
        } else if is_manifest(&path) && !path.is_dir() {
            if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                skipped.push(Skipped::whole(&path, Reason::NotRegular));
            } else {
                found.push(Input::File(path, Named::No));
            }
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|it| EXTENSIONS.iter().any(|known| it == *known))
        || path.file_name().is_some_and(|name| name == KUSTOMIZATION)
}

/// Returns the error for an input that does not exist.
fn missing(input: &Path, error: &io::Error) -> Error {
    let name = input.display().to_string();
    let name = without_password(&name);
    if name.starts_with("https://") || name.starts_with("http://") {
        return Error::usage(format!("-f does not read URLs: `{name}`"))
            .hint(format!("curl -fsSL {} | kubectl canary-traefik … -f -", quoted(&name)));
    }
    unreadable(&format!("`{name}`"), error)
}

/// Returns the error for an input that cannot be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::usage(format!("cannot read {name}")).caused_by(reason(error))
}
