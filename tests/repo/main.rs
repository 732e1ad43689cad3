//! The repository itself: who may use whom, no forgotten file, heads, sizes, words that do not belong here, claims without a
//! test.
#![expect(clippy::disallowed_methods, reason = "these tests read the repository's files")]

mod documents;
mod files;
mod layers;
mod tree;
