//! The data model: the cookie and its declaration, the Canary, the TraefikService, and the two together. Pure: values
//! in, values out; never waits, prints or fails for reasons outside its arguments.

pub mod canary;
pub mod cookie;
pub mod declaration;
pub mod event;
pub mod field;
pub mod name;
pub mod observed;
pub mod owner;
pub mod pin;
pub mod rollout;
pub mod route;
pub mod selector;
pub mod traefik_service;
pub mod version;
mod view;

pub use canary::{Canary, Declared};
pub use cookie::Cookie;
pub use event::Event;
pub use field::{FIELDS, Field, FieldValue};
pub use name::NamespacedName;
pub use observed::{Guarded, Loaded, NativeField, Observed, Protection, State, TraefikServiceState};
pub use owner::Owner;
pub use rollout::{Rollout, Strategy};
pub use route::{Lookup, Route, RouteKind, RoutesAndEvents};
pub use traefik_service::{Live, TraefikService, Weight};
