//! Whether a cookie keeps browsers on their track: browsers with cookie jars by RFC 6265bis
//! (draft-ietf-httpbis-rfc6265bis), and checks of what they saw. Pure; the requests themselves are made elsewhere.

mod binomial;
mod browser;
mod checks;
mod finding;
mod jar;
mod page;
pub mod pages;
mod set_cookie;
mod setup;
mod wilson;

pub use self::{
    browser::{Answer, Browser, Exchange, bytes, text},
    checks::judge,
    finding::{Check, Finding, Outcome, Split, TrackCount, Verification},
    page::Page,
    setup::Setup,
};
