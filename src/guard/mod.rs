//! What should be live: a declared cookie stays on the TraefikService through every write. No I/O.
//!
//! [`decide()`] is the reference definition; the admission policies ([`policy`]) express the same in CEL. On clusters
//! without them, a webhook server answers instead; [`webhook`] is its registration.

mod account;
mod alike;
pub mod decide;
mod declared_in_cel;
pub mod deployment;
pub mod gate;
pub mod install;
pub mod limits;
pub mod policy;
pub mod proving;
pub mod webhook;

pub use decide::{Decision, Request, decide};
pub use deployment::{CertificateOwner, Placement};
pub use install::{Change, Form, Installed, ObjectState, Part};
pub use policy::Coverage;
