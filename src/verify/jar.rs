//! A browser's cookies: what it stores (RFC 6265bis section 5.7) and what it sends (section 5.8), with the reason where
//! it does not. All requests are navigations that the user began, so that `SameSite` withholds nothing.

use super::{
    page::Page,
    set_cookie::{LONGEST_LIFE, SameSite, SetCookie},
};
use crate::model::cookie::path_matches;

/// The most cookies of one domain, as in most browsers. At least 50 should be kept (section 6.1).
const MOST_OF_DOMAIN: usize = 180;
/// The most cookies, likewise.
const MOST: usize = 3000;

/// A browser, which is its cookies.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// In the order of their creation. Expired ones stay, to tell them from those that never were.
    cookies: Vec<Stored>,
}

#[derive(Debug, Clone)]
struct Stored {
    name: String,
    value: String,
    /// The host, or the domain of `Domain`.
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    /// In Unix seconds; `None` until the browser closes.
    expires: Option<i64>,
}

/// Why a browser does not store a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// `Domain` does not include the host (section 5.7 step 10), or is a top-level domain (step 9).
    Domain,
    /// `Secure`, but set over http (step 13).
    Secure,
    /// Set over http, where there is one with `Secure` (step 16).
    ShadowsSecure,
    /// `SameSite=None` without `Secure` (step 19).
    SameSiteNone,
    /// A name with the prefix `__Secure-`, without `Secure` (step 20).
    SecurePrefix,
    /// A name with the prefix `__Host-`, without `Secure` and `Path=/`, or with `Domain` (step 21).
    HostPrefix,
    /// Expired when it is set.
    Expired,
}

/// Why a browser does not send a cookie that it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// It is for another host.
    Host,
    /// It is for this path.
    Path(String),
    /// It has `Secure`, and the page is not https.
    Secure,
    /// It has expired.
    Expired,
}

impl Browser {
    /// Stores a cookie that a page sets, at this time in Unix seconds, or returns why a browser does not.
    pub(super) fn store(&mut self, cookie: &SetCookie, page: &Page, now: i64) -> Result<(), Rejection> {
        // A top-level domain stands for all public suffixes, whose list is long.
        let domain = cookie.domain.as_deref().filter(|domain| *domain != page.host);
        if domain.is_some_and(|domain| !domain.contains('.') || !domain_matches(&page.host, domain)) {
            return Err(Rejection::Domain);
        }
        let stored = Stored {
            name: cookie.name.clone(),
            value: cookie.value.clone(),
            domain: cookie.domain.clone().unwrap_or_else(|| page.host.clone()),
            host_only: cookie.domain.is_none(),
            path: cookie.path.clone().unwrap_or_else(|| default_path(&page.path).to_owned()),
            secure: cookie.secure,
            expires: cookie
                .max_age
                .map(|age| if age <= 0 { i64::MIN } else { now + age })
                .or(cookie.expires)
                .map(|expires| expires.min(now + LONGEST_LIFE)),
        };
        if !page.is_secure && stored.secure {
            return Err(Rejection::Secure);
        }
        if !page.is_secure && self.cookies.iter().any(|other| other.is_shadowed_by(&stored)) {
            return Err(Rejection::ShadowsSecure);
        }
        if cookie.same_site == SameSite::None && !stored.secure {
            return Err(Rejection::SameSiteNone);
        }
        let has_prefix =
            |prefix: &str| stored.name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
        if has_prefix("__Secure-") && !stored.secure {
            return Err(Rejection::SecurePrefix);
        }
        let is_of_host = stored.secure && stored.host_only && cookie.path.as_deref() == Some("/");
        if has_prefix("__Host-") && !is_of_host {
            return Err(Rejection::HostPrefix);
        }
        let is_expired = stored.has_expired(now);
        match self.cookies.iter().position(|other| other.is_same(&stored)) {
            Some(at) if is_expired => drop(self.cookies.remove(at)),
            Some(at) => self.cookies[at] = stored,
            None if is_expired => {}
            None => {
                let domain = stored.domain.clone();
                self.cookies.push(stored);
                self.evict(now, MOST_OF_DOMAIN, |cookie| cookie.domain == domain);
                self.evict(now, MOST, |_| true);
            }
        }
        if is_expired { Err(Rejection::Expired) } else { Ok(()) }
    }

    /// Removes one of these cookies if they are too many (section 5.7): one that has expired, else the oldest without
    /// `Secure`, else the oldest.
    fn evict(&mut self, now: i64, most: usize, is_one: impl Fn(&Stored) -> bool) {
        let these = || self.cookies.iter().enumerate().filter(|(_, cookie)| is_one(cookie));
        if these().count() > most
            && let Some((at, _)) = these().min_by_key(|(_, cookie)| (!cookie.has_expired(now), cookie.secure))
        {
            self.cookies.remove(at);
        }
    }

    /// Returns the `Cookie` header for a page, at this time in Unix seconds; empty without cookies. Each character
    /// stands for one byte.
    pub fn cookies(&self, page: &Page, now: i64) -> String {
        let pair = |cookie: &Stored| match cookie.name.as_str() {
            "" => cookie.value.clone(),
            name => format!("{name}={}", cookie.value),
        };
        self.sent(page, now).into_iter().map(pair).collect::<Vec<_>>().join("; ")
    }

    /// Returns the value of the cookie of one of these names that a server reads: of several of a name the first.
    pub(super) fn value(&self, names: &[String], page: &Page, now: i64) -> Option<&str> {
        self.sent(page, now).into_iter().find(|cookie| names.contains(&cookie.name)).map(|cookie| cookie.value.as_str())
    }

    /// Returns why no cookie of these names is sent to a page; `None` if there is none.
    pub(super) fn withheld(&self, names: &[String], page: &Page, now: i64) -> Option<Withheld> {
        let own = self.cookies.iter().filter(|cookie| names.contains(&cookie.name));
        // The most recent reason that has to do with this host counts.
        let reasons = own.filter_map(|cookie| cookie.withheld(page, now));
        reasons.min_by_key(|reason| *reason == Withheld::Host)
    }

    /// Returns the cookies for a page: longer paths first, else in the order of their creation.
    fn sent(&self, page: &Page, now: i64) -> Vec<&Stored> {
        let mut sent: Vec<_> = self.cookies.iter().filter(|cookie| cookie.withheld(page, now).is_none()).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        sent
    }
}

impl Stored {
    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.host_only, &self.path)
            == (&other.name, &other.domain, other.host_only, &other.path)
    }

    fn is_shadowed_by(&self, other: &Self) -> bool {
        self.secure
            && self.name == other.name
            && (domain_matches(&self.domain, &other.domain) || domain_matches(&other.domain, &self.domain))
            && path_matches(&other.path, &self.path)
    }

    fn has_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn withheld(&self, page: &Page, now: i64) -> Option<Withheld> {
        let is_for_host =
            if self.host_only { page.host == self.domain } else { domain_matches(&page.host, &self.domain) };
        if !is_for_host {
            Some(Withheld::Host)
        } else if self.has_expired(now) {
            Some(Withheld::Expired)
        } else if !path_matches(&page.path, &self.path) {
            Some(Withheld::Path(self.path.clone()))
        } else if self.secure && !page.is_secure {
            Some(Withheld::Secure)
        } else {
            None
        }
    }
}

/// Returns whether a host is the domain or below it (section 5.1.3). An address is below none.
fn domain_matches(host: &str, domain: &str) -> bool {
    let is_address = || host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    host == domain
        || (host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')) && !domain.is_empty() && !is_address())
}

/// Returns the folder of a path, which is the path of a cookie without one (section 5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

#[cfg(test)]
mod tests;
