//! Something that is worked out on a thread of its own, for several tests to look at.

use std::{
    any::Any,
    sync::{Mutex, OnceLock, PoisonError},
    thread::JoinHandle,
};

/// What a thread is working out.
pub(crate) struct Later<T> {
    name: &'static str,
    thread: Mutex<Option<JoinHandle<T>>>,
    outcome: OnceLock<Result<T, String>>,
}

impl<T: Send + 'static> Later<T> {
    /// Starts to work it out.
    pub(crate) fn start(name: &'static str, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread can be started");
        Self { name, thread: Mutex::new(Some(thread)), outcome: OnceLock::new() }
    }

    /// Waits for it. Panics, with what went wrong, if it could not be worked out.
    pub(crate) fn get(&self) -> &T {
        let outcome = self.outcome.get_or_init(|| {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            thread.expect("it is joined once").join().map_err(|panic| message(&*panic))
        });
        outcome.as_ref().unwrap_or_else(|message| panic!("{}: {message}", self.name))
    }

    /// What was worked out, if it was already waited for and is there.
    pub(crate) fn known(&self) -> Option<&T> {
        self.outcome.get().and_then(|outcome| outcome.as_ref().ok())
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
