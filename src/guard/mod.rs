//! What should stand: a declared cookie stays on the TraefikService through every write. Pure.
//!
//! [`decide()`] says what the stanza shall be; the policies that the cluster itself runs ([`policy`]) say the
//! same in CEL. Where a cluster has none, a process answers in their place; [`webhook`] is how it is asked.

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
pub use deployment::{Keeper, Placement};
pub use install::{Change, Form, Installed, Part, Standing};
pub use policy::Coverage;
