//! With API servers of their own: tests whose users have rights in all namespaces or certificates, and that install the
//! guard.

mod certificates;
mod granted;
mod rights;
