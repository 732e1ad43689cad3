//! The cluster's tests against a cluster that is there already, with objects of somebody else's on it: they have
//! to pass, and to leave it as it was.

mod cluster_tests;
mod namespaces;
