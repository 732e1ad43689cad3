//! Whether browsers store the cookie and send it back, by the rules of browsers.

use super::{Evidence, Exchange, Findings, Outcome, Page, Sent};
use crate::verify::{
    jar::{Rejection, Withheld},
    set_cookie::SameSite,
};

impl Evidence<'_> {
    pub(super) fn returned(&self) -> Outcome {
        let mut found = Findings::default();
        let mut before: Option<&Exchange> = None;
        for &exchange in &self.exchanges {
            let page = &exchange.page;
            // What somebody else sets under this name is found by another check.
            for rejection in self.own(exchange).filter_map(|received| received.stored.err()) {
                let why = format!(": {}", reason(rejection, page));
                let fix = || Some(self.set_fields(fix(rejection, page)));
                found.add_at("browsers reject the cookie of", page, why, fix);
            }
            // Elsewhere it is not needed, nor where a flow begins.
            let is_needed = self.own(exchange).next().is_some() && !self.setup.is_entry(page);
            if let (Sent::Withheld(withheld), true) = (&exchange.sent, is_needed) {
                let from = before.filter(|before| (before.browser, before.visit) == (exchange.browser, exchange.visit));
                self.add_withheld(&mut found, withheld, page, from.map(|from| &from.page));
            }
            before = Some(exchange);
        }
        self.add_strict(&mut found);
        let is_returned = self.exchanges.iter().any(|exchange| self.is_pinned(exchange));
        found.outcome((!is_returned).then_some("no browser sent a cookie of a track"))
    }

    /// `from` is the page that redirected here.
    fn add_withheld(&self, found: &mut Findings, withheld: &Withheld, page: &Page, from: Option<&Page>) {
        let kept = "browsers do not send the cookie to";
        match withheld {
            // Drawn anew, as it should be.
            Withheld::Expired => {}
            Withheld::Path(path) => {
                found.add_at(kept, page, format!(": its Path is {path}"), || Some(self.set_fields("--path /")));
            }
            Withheld::Secure => {
                let why = ": it has Secure, and the page is not https";
                found.add_at(kept, page, why.into(), || Some(self.set_fields("--secure=false")));
            }
            Withheld::Host => {
                // Whoever opens another host begins anew; a flow that leads there does not.
                let Some(from) = from else { return };
                let why = format!(", to which {} redirects: the cookie is only for the redirecting host", from.host);
                let domain = common_domain(&from.host, &page.host);
                found.add_at(kept, page, why, || domain.map(|domain| self.set_fields(&format!("--domain {domain}"))));
            }
        }
    }

    /// A flow that leaves the site comes back by a redirect of another site, with which `SameSite=Strict` is not sent
    /// (RFC 6265bis section 5.2).
    fn add_strict(&self, found: &mut Findings) {
        let received = || self.exchanges.iter().flat_map(|exchange| &exchange.received);
        if !received().any(|received| received.cookie.same_site == SameSite::Strict) {
            return;
        }
        for Exchange { page, redirect, .. } in &self.exchanges {
            let Some(to) = redirect.as_ref().filter(|to| !self.setup.has_host(&to.host)) else { continue };
            if common_domain(&page.host, &to.host).is_none() {
                let before = "with SameSite=Strict, browsers do not send the cookie when another site redirects back, for example after";
                let why = format!(", which redirects to {}", to.origin());
                found.add_at(before, page, why, || Some(self.set_fields("--same-site lax")));
            }
        }
    }
}

fn reason(rejection: Rejection, page: &Page) -> String {
    match rejection {
        Rejection::Domain => format!("its Domain does not include {}", page.host),
        Rejection::Secure => "it has Secure, and the page is not https".into(),
        Rejection::ShadowsSecure => "a Secure cookie of this name exists, and the page is not https".into(),
        Rejection::SameSiteNone => "SameSite=None requires Secure".into(),
        Rejection::SecurePrefix => "a name that begins with __Secure- requires Secure".into(),
        Rejection::HostPrefix => "a name that begins with __Host- requires Secure and Path=/, and no Domain".into(),
        Rejection::Expired => "it has expired already (Max-Age)".into(),
    }
}

fn fix(rejection: Rejection, page: &Page) -> &'static str {
    match rejection {
        Rejection::Domain => "--unset domain",
        Rejection::Secure | Rejection::ShadowsSecure => "--secure=false",
        Rejection::SameSiteNone if !page.is_secure => "--same-site lax",
        Rejection::SameSiteNone | Rejection::SecurePrefix => "--secure",
        Rejection::HostPrefix => "--secure --path / --unset domain",
        Rejection::Expired => "--max-age 2m",
    }
}

/// Returns the longest domain that both hosts are below, of two labels at least: a single one is for nobody, and neither is
/// one such as `co.uk`. Hosts of one such domain count as one site.
fn common_domain<'a>(host: &'a str, other: &str) -> Option<&'a str> {
    let is_name = |host: &str| !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err();
    let dots = std::iter::once(0).chain(host.match_indices('.').map(|(at, _)| at + 1));
    let is_public = |domain: &str| match domain.split_once('.') {
        Some((second, top)) => !top.contains('.') && top.len() == 2 && second.len() <= 3,
        None => true,
    };
    let mut domains = dots.map(|at| &host[at..]).filter(|domain| !is_public(domain));
    domains.find(|domain| {
        let rest = other.strip_suffix(domain);
        is_name(host) && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_a_common_domain_of_two_labels_at_least() {
        for (host, other, common) in [
            ("shop.example.com", "idp.example.com", Some("example.com")),
            ("a.shop.example.com", "shop.example.com", Some("shop.example.com")),
            ("shop.example.com", "shop.example.com", Some("shop.example.com")),
            ("shop.example", "idp.example", None),
            ("shop.co.uk", "idp.co.uk", None),
            ("www.shop.co.uk", "shop.co.uk", Some("shop.co.uk")),
            ("shop.example.com", "other-shop.example.org", None),
            ("aexample.com", "bexample.com", None),
            ("10.0.0.1", "11.0.0.1", None),
        ] {
            assert_eq!(common_domain(host, other), common, "{host} {other}");
        }
    }
}
