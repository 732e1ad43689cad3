//! The vocabulary of all other modules: names of objects, the cookie and its declaration, owners and field managers.
//! Pure: values in, values out; never waits, prints or fails for reasons outside its arguments.

pub mod cookie;
pub mod declaration;
mod duration;
pub mod entry;
pub mod event;
pub mod field;
pub mod managers;
pub mod name;
pub mod object;
pub mod owner;
pub mod selector;
pub mod stickiness;
pub mod version;
pub(crate) mod view;

pub use cookie::Cookie;
pub use entry::Entry;
pub use event::Event;
pub use field::{FIELDS, Field, FieldValue};
pub use name::NamespacedName;
pub use object::{FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL, ObjectKind, ObjectRef};
pub use owner::Owner;
pub use stickiness::Stickiness;
