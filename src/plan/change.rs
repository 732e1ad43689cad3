//! Wishes: a cookie before and what someone asks for become the cookie after.

use crate::model::{Cookie, Field, FieldValue};

/// Fields to set and fields to unset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Fields with their new values; `None` turns a switch off.
    pub set: Vec<(&'static Field, Option<FieldValue>)>,
    /// Fields to take away.
    pub unset: Vec<&'static Field>,
}

impl Wish {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// The cookie after: the wished fields changed, every other left as it was.
    pub fn on(&self, before: Option<&Cookie>) -> Cookie {
        let mut cookie = before.cloned().unwrap_or_default();
        for field in &self.unset {
            cookie.unset(field);
        }
        for (field, value) in &self.set {
            match value {
                Some(value) => cookie.set(field, value.clone()),
                None => cookie.unset(field),
            }
        }
        cookie
    }
}
