//! The image beside an API server that the tests start.

mod guard;
