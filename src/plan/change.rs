//! Requested changes of a cookie's fields.

use crate::model::{Cookie, Field, FieldValue};

/// Fields to set and fields to unset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldChanges {
    /// Fields with their new values; `None` turns a switch off.
    pub set: Vec<(&'static Field, Option<FieldValue>)>,
    /// Fields to remove.
    pub unset: Vec<&'static Field>,
}

impl FieldChanges {
    /// Returns whether nothing is requested.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns the cookie with the requested changes; other fields stay as they were.
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
