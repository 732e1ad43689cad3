//! What should be live: a declared cookie stays on the TraefikService through every write, and no malformed annotation
//! gets onto a Canary. No I/O.
//!
//! [`decide()`] and [`refusal`] are the reference definitions; the admission policies ([`policy`]) express the same in
//! CEL. On clusters without them, a webhook server answers instead; [`webhook`] is its registration.

mod account;
mod alike;
mod cel;
pub mod check;
pub mod decide;
mod declared_in_cel;
pub mod deployment;
mod entry_in_cel;
pub mod gate;
pub mod install;
pub mod limits;
mod object;
pub mod policy;
pub mod proving;
pub mod webhook;

pub(crate) use alike::is_ours;
pub use check::refusal;
pub use decide::{Decision, Request, decide};
pub use deployment::{CertificateOwner, Placement};
pub use install::{Change, Form, Installed, ObjectState, Part};
pub use object::{GuardKind, GuardObject};
pub use policy::Coverage;
