//! The tests of the policies, unchanged, against the webhook: the two forms of the guard cannot be told apart. Included by
//! path, because a test must be in the binary that runs it, beside the `form` that it is about.
#![expect(dead_code, reason = "the other tests of the policies use the rest")]
#![expect(clippy::disallowed_methods, reason = "the tests read the documentation and a variable of their own")]

#[path = "../../guard/cluster.rs"]
mod cluster;
#[path = "../../guard/event.rs"]
mod event;
mod form;
#[path = "../../guard/generate.rs"]
mod generate;
#[path = "../../guard/random.rs"]
mod random;
#[path = "../../guard/story.rs"]
mod story;
#[path = "../../guard/table.rs"]
mod table;
