//! With API servers of their own: tests whose users have rights in all namespaces, and that install the guard.

mod granted;
mod rights;
