//! Whether every page sets the cookie.

use std::collections::BTreeMap;

use super::{Evidence, Exchange, Findings, Outcome, Page, Sent};
use crate::{text::quoted, traefik::serving::Server};

/// The most pages of which the routes are asked what serves them.
const MOST: usize = 1000;

impl<'a> Evidence<'a> {
    pub(super) fn is_set(&self) -> Outcome {
        if self.own_pages.is_empty() {
            return self.is_set_nowhere();
        }
        let is_without =
            |exchange: &&&Exchange| !matches!(exchange.sent, Sent::Value(_)) && exchange.received.is_empty();
        let mut servers: BTreeMap<&Page, Server<'a>> = BTreeMap::new();
        let mut found = Findings::default();
        for Exchange { page, status, .. } in self.exchanges.iter().filter(is_without) {
            if servers.len() == MOST && !servers.contains_key(page) {
                continue;
            }
            let server = *servers.entry(page).or_insert_with(|| self.setup.server(page));
            if let Some(why) = self.why_not(page, *status, server) {
                let after = format!(" (status {status}): {why}");
                found.add_at("the cookie is not set at", page, after, || Some(self.about_canary("describe")));
            }
        }
        found.outcome(None)
    }

    /// Returns why a page does not set the cookie; `None` if it does not have to.
    fn why_not(&self, page: &Page, status: u16, server: Server<'_>) -> Option<String> {
        let service = &self.setup.service;
        match server {
            Server::TraefikService if status == 404 => {
                Some("Traefik does not have the route, or a middleware answers first".into())
            }
            Server::TraefikService => Some("a middleware answers first, or no pod is ready".into()),
            Server::Around(route) => Some(format!("{route} bypasses TraefikService `{service}`")),
            // What serves it is none of this Canary's business, unless it was asked for.
            Server::Other(_) | Server::Unknown if !self.setup.opens(page) && !self.behind.contains(page) => None,
            Server::Other(route) => Some(format!("{route} serves it, not TraefikService `{service}`")),
            Server::Unknown => {
                Some(format!("another route bypasses TraefikService `{service}`, or a middleware answers first"))
            }
        }
    }

    fn is_set_nowhere(&self) -> Outcome {
        let service = &self.setup.service;
        let mut found = Findings::default();
        let Some(name) = self.setup.names.first() else {
            found.add("no cookie is declared, and none is live".into(), || Some(self.about_canary("sticky set")));
            return found.outcome(None);
        };
        let unset = format!("no page sets the cookie `{name}`");
        let (why, fix) = match (&self.setup.live, self.exchanges.first()) {
            (Ok(false), _) => (format!(": TraefikService `{service}` has none"), self.about_canary("sticky apply")),
            (Err(reason), _) => (
                format!("; whether TraefikService `{service}` has it is not known: {reason}"),
                (self.command)("rbac verify"),
            ),
            (_, Some(Exchange { page, redirect: Some(to), .. })) if !self.setup.has_host(&to.host) => (
                format!(", although TraefikService `{service}` has it: {page} redirects to another host"),
                self.about_canary("verify") + &format!(" --url {}", quoted(&to.to_string())),
            ),
            (_, Some(Exchange { page, status, .. })) => (
                format!(", although TraefikService `{service}` has it: {page} does not lead there (status {status})"),
                self.about_canary("describe"),
            ),
            (_, None) => (String::new(), self.about_canary("describe")),
        };
        found.add(unset + &why, || Some(fix));
        found.outcome(None)
    }
}
