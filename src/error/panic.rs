//! Turns panics into errors: a hook records the message and the location until the panic is handled.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Error, Kind, Result};

/// The first panic that is not handled yet; later ones follow from it.
static NOTED: Mutex<Option<Error>> = Mutex::new(None);

/// Locks a mutex. What a thread that panicked has left behind is taken as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes panics of all threads be recorded instead of printed.
pub fn install_panic_hook() {
    set_hook(Box::new(|panic| {
        let said = panic.payload_as_str().unwrap_or("no reason given");
        let error = Error::new(Kind::Bug, format!("internal error: {said}"));
        let error = match panic.location() {
            Some(place) => error.caused_by(format!("panicked at {}:{}", from_crate(place.file()), place.line())),
            None => error,
        };
        lock(&NOTED).get_or_insert(error);
    }));
}

/// Takes the recorded panic, if any, of a task or thread that has ended.
pub fn take_panic() -> Option<Error> {
    lock(&NOTED).take()
}

/// Runs the work and turns a panic into an error of kind `Bug`.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(take_panic().unwrap_or_else(|| Error::new(Kind::Bug, "internal error"))))
}

/// Returns the source path from its crate's folder on, without the folders of the machine that built the program:
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
