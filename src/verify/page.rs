//! URLs of pages, and where their redirects lead (RFC 3986 section 5.2). Never shows a query, which can hold a secret.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::header::bytes;

/// What browsers escape in a `Location` header, besides all that is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

/// A page, by its URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    /// Whether the scheme is `https`.
    pub is_secure: bool,
    /// The host in lower case; an IPv6 address with its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, which begins with `/`.
    pub path: String,
    query: Option<String>,
}

impl Page {
    /// Returns the page of a URL; `None` if it is not an http or https URL with a host.
    pub fn of(url: &Uri) -> Option<Self> {
        let is_secure = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let path = if url.path().is_empty() { "/" } else { url.path() };
        Some(Self {
            is_secure,
            host,
            port: url.port_u16().unwrap_or(default_port(is_secure)),
            path: path.to_owned(),
            query: url.query().map(str::to_owned),
        })
    }

    /// Returns this page with another path and no query.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Self { path: path.to_owned(), query: None, ..self.clone() }
    }

    /// Returns this page without its query.
    #[must_use]
    pub fn without_query(&self) -> Self {
        self.at(&self.path)
    }

    /// Returns the page that a `Location` header leads to, of which each character stands for a byte; `None` if that is
    /// not a page.
    pub fn redirect(&self, location: &str) -> Option<Self> {
        let location = location.split('#').next().unwrap_or_default().trim();
        let location = &*percent_encode(&bytes(location), ESCAPED).to_string();
        let has_scheme = location
            .split_once(':')
            .is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let scheme = if self.is_secure { "https" } else { "http" };
        let url = match location {
            "" => return Some(self.clone()),
            absolute if has_scheme => absolute.to_owned(),
            rest if rest.starts_with("//") => format!("{scheme}:{rest}"),
            path if path.starts_with('/') => self.origin() + path,
            query if query.starts_with('?') => format!("{}{}{query}", self.origin(), self.path),
            relative => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{}{folder}/{relative}", self.origin())
            }
        };
        let mut page = Self::of(&url.parse().ok()?)?;
        page.path = without_dots(&page.path);
        Some(page)
    }

    /// Returns scheme, host and port, without a default port: `https://shop.example`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.authority())
    }

    /// Returns host and port, without a default port, as in a `Host` header.
    pub fn authority(&self) -> String {
        if self.port == default_port(self.is_secure) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Returns the path with the query, to be requested.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl fmt::Display for Page {
    /// Formats the URL without its query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

/// Removes the segments `.` and `..` (RFC 3986 section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn page(url: &str) -> Page {
        Page::of(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_page_is_an_http_url_with_a_host() {
        assert_eq!(page("HTTPS://Shop.Example").to_string(), "https://shop.example/");
        assert_eq!(page("http://[::1]:8080/a?code=1").to_string(), "http://[::1]:8080/a");
        assert_eq!(page("http://a/b?code=1").target(), "/b?code=1");
        for other in ["ftp://a/", "/a", "a:1"] {
            assert_eq!(Page::of(&other.parse().unwrap()), None, "{other}");
        }
    }

    /// The examples of RFC 3986 section 5.4.1, as far as they are pages, and what browsers meet besides.
    #[test]
    fn a_redirect_leads_where_its_location_says() {
        let cases = [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("https://Idp.Example:444/auth?state=x", "https://idp.example:444/auth?state=x"),
            ("/caf\u{c3}\u{a9} {1}?q=%20", "http://a/caf%C3%A9%20%7B1%7D?q=%20"),
        ];
        for (location, url) in cases {
            let to = page("http://a/b/c/d;p?q").redirect(location).unwrap();
            assert_eq!(to.origin() + &to.target(), page(url).origin() + &page(url).target(), "{location}");
        }
        for nowhere in ["mailto:me@example.com", "app://open", "http://"] {
            assert_eq!(page("http://a/").redirect(nowhere), None, "{nowhere}");
        }
    }
}
