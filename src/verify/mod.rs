//! Whether a cookie keeps browsers on their track: browsers with cookie jars by RFC 6265bis
//! (draft-ietf-httpbis-rfc6265bis), and checks of what they saw. Pure; the requests themselves are made elsewhere.

mod binomial;
mod browser;
mod checks;
mod finding;
mod header;
mod jar;
mod page;
pub mod pages;
mod set_cookie;
mod setup;
mod wilson;

pub use self::{
    browser::{Answer, Exchange},
    checks::judge,
    finding::{Check, Finding, Outcome, Split, TrackCount, Verification},
    header::{bytes, text},
    jar::Browser,
    page::Page,
    setup::Setup,
};
