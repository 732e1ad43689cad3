//! What pins people to a track: the cookie, and where its pin begins anew.

use super::{cookie::Cookie, entry::Entry};

/// A cookie with its entry: as declared on a Canary, as live, or as wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stickiness {
    /// The cookie.
    pub cookie: Option<Cookie>,
    /// The entry.
    pub entry: Option<Entry>,
}
