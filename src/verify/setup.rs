//! What a cluster says about the cookie, and what is under test.

use super::page::Page;
use crate::traefik::{Serving, cookie_value::Track, rule::Request, serving::Server};

/// What the cookie should be like, and what is under test.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The Canary's name.
    pub canary: String,
    /// The name of its TraefikService.
    pub service: String,
    /// The names that the cookie can have: without and with safeNaming.
    pub names: Vec<String>,
    /// The tracks.
    pub tracks: Vec<Track>,
    /// Whether the TraefikService has a cookie, or why that is not known.
    pub live: Result<bool, String>,
    /// The paths of the declared entry.
    pub entry: Vec<String>,
    /// How long a flow takes, in seconds.
    pub flow: i64,
    /// The pages that browsers open.
    pub pages: Vec<Page>,
    /// The routers that can serve these pages.
    pub serving: Serving,
}

impl Setup {
    /// Returns whether a host is under test.
    pub fn has_host(&self, host: &str) -> bool {
        self.pages.iter().any(|page| page.host == host)
    }

    /// Returns whether a flow begins at a page.
    pub fn is_entry(&self, page: &Page) -> bool {
        self.entry.contains(&page.path)
    }

    /// Returns whether browsers open a page of their own accord.
    pub fn opens(&self, page: &Page) -> bool {
        self.pages.iter().any(|opened| opened.without_query() == page.without_query())
    }

    /// Returns what serves a page.
    pub fn server(&self, page: &Page) -> Server<'_> {
        self.serving.server(Request { host: Some(&page.host), path: &page.path })
    }

    /// Returns the canary's share of what is drawn, from 0 to 1; `None` if the weights are not known.
    #[expect(clippy::cast_precision_loss, reason = "weights are small")]
    pub fn share(&self) -> Option<f64> {
        let weights = || self.tracks.iter().filter_map(|track| Some((track, track.weight?.in_traefik().max(0))));
        let all: i64 = weights().map(|(_, weight)| weight).sum();
        let canary: i64 = weights().filter(|(track, _)| track.name == "canary").map(|(_, weight)| weight).sum();
        (all > 0).then(|| canary as f64 / all as f64)
    }
}
