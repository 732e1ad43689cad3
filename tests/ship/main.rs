//! What people install: the archives, krew's manifest and the image, taken apart and run; and the workflow files.
#![expect(clippy::too_many_lines, reason = "a test holds what is shown, in full")]
#![expect(clippy::disallowed_methods, reason = "these tests read files and the environment")]

mod archives;
mod dedicated_server;
mod image;
mod krew;
mod release;
mod workflows;
