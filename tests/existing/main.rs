//! The cluster's tests against a cluster that is there already, with objects of somebody else's on it: they have
//! to pass, and to leave it as it was.

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod cluster_tests;
mod namespaces;
