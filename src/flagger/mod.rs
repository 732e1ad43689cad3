//! What Flagger does: its Canary and the analysis in it, the TraefikService it generates, and its next write. Pure.
//! Each fact names its place in Flagger's source, as of 1.44.0.

pub mod analysis;
pub mod canary;
pub mod generated;
pub mod mesh_provider;
pub mod native;
pub mod next_write;
pub mod progress;
pub mod webhook;

pub use analysis::{Rollout, Strategy};
pub use canary::{Canary, Declared};
pub use native::NativeField;
pub use progress::Progress;
