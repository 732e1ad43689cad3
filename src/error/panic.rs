//! Panics as errors: what was said and where is noted as it happens, for whoever catches the panic.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Error, Kind, Result};

/// The first panic that nobody has caught yet; what others say after it follows from it.
static NOTED: Mutex<Option<Error>> = Mutex::new(None);

fn noted() -> MutexGuard<'static, Option<Error>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has panics of all threads noted instead of printed.
pub fn note_panics() {
    set_hook(Box::new(|panic| {
        let said = panic.payload_as_str().unwrap_or("no reason given");
        let error = Error::new(Kind::Bug, format!("internal error: {said}"));
        let error = match panic.location() {
            Some(place) => error.caused_by(format!("panicked at {}:{}", from_crate(place.file()), place.line())),
            None => error,
        };
        noted().get_or_insert(error);
    }));
}

/// Takes the panic that was noted, if any was: of a task or a thread whose end somebody else has seen.
pub fn noted_panic() -> Option<Error> {
    noted().take()
}

/// Does the work; a panic in it is an error of kind `Bug`.
///
/// # Errors
///
/// As the work, and the panic.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(noted_panic().unwrap_or_else(|| Error::new(Kind::Bug, "internal error"))))
}

/// The place from its crate's folder on, without what is above it on the machine that the program was built on:
/// `tokio-1.54.1/src/…`.
fn from_crate(file: &str) -> &str {
    let above = file.rfind("/src/").and_then(|at| file[..at].rfind('/'));
    above.map_or(file, |above| &file[above + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_folder_of_the_machine_it_was_built_on() {
        for (file, shown) in [
            ("src/cli.rs", "src/cli.rs"),
            ("/somewhere/registry/src/an-index-1949cf8c/a-1.0.0/src/b.rs", "a-1.0.0/src/b.rs"),
            ("/rustc/59807/library/core/src/option.rs", "core/src/option.rs"),
        ] {
            assert_eq!(from_crate(file), shown);
        }
    }
}
