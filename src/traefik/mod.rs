//! What Traefik does: its TraefikService, the routes that lead to one, and the cookie it sends. Pure.
//! Each fact names its place in Traefik's source.

pub mod cookie_value;
pub mod entry;
pub mod installation;
mod matches;
pub mod near_miss;
pub mod reference;
pub mod refusal;
pub mod route;
pub mod router;
pub mod routing;
pub mod rule;
pub mod serving;
pub mod throttle;
pub mod traefik_service;

pub use installation::Installation;
pub use near_miss::NearMiss;
pub use reference::Requirement;
pub use refusal::Refusal;
pub use route::{Route, Routes, RoutesAndEvents};
pub use routing::Routing;
pub use serving::Serving;
pub use traefik_service::{Live, TraefikService, Weight};
