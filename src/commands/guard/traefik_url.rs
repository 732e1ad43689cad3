//! `--traefik-url`: where the guard reaches Traefik, to verify cookies.

use std::fmt;

use http::uri::Authority;

use crate::{
    apiserver::read_url,
    error::{Error, Result},
    web::TraefikAddress,
};

/// The address of Traefik for one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraefikUrl {
    is_secure: bool,
    authority: Authority,
}

impl fmt::Display for TraefikUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_secure { "https" } else { "http" }, self.authority)
    }
}

/// Parses a URL of Traefik; nothing from an empty text.
pub(super) fn traefik_url(text: &str) -> Result<Option<TraefikUrl>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = read_url(text)?;
    let is_plain = matches!(url.path(), "/" | "") && url.query().is_none();
    let authority = url.authority().filter(|authority| is_plain && !authority.as_str().contains('@'));
    let authority = authority.ok_or("must be http://HOST[:PORT] or https://HOST[:PORT]")?;
    let is_secure = match url.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err("its scheme must be http or https"),
    };
    let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let authority = format!("{}:{port}", authority.host()).parse().map_err(|_| "it names no host")?;
    Ok(Some(TraefikUrl { is_secure, authority }))
}

/// Returns the addresses for both schemes.
pub(super) fn address<'a>(urls: impl IntoIterator<Item = &'a TraefikUrl>) -> Result<TraefikAddress> {
    let mut address = TraefikAddress::default();
    for url in urls {
        let place = if url.is_secure { &mut address.https } else { &mut address.http };
        if place.replace(url.authority.clone()).is_some() {
            return Err(Error::usage("--traefik-url is given twice with the same scheme")
                .hint("use --traefik-url http://HOST --traefik-url https://HOST"));
        }
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_behind_them() {
        let read = |text: &str| traefik_url(text).map(|url| url.map(|url| url.to_string()).unwrap_or_default());
        assert_eq!(read("http://traefik.traefik.svc"), Ok("http://traefik.traefik.svc:80".into()));
        assert_eq!(read("https://[::1]:8443/"), Ok("https://[::1]:8443".into()));
        assert_eq!(read(""), Ok(String::new()));
        for wrong in ["traefik:80", "http://a/x", "http://a?b", "ftp://a", "http://bob:hunter2@a", "http://"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_scheme_has_one_address() {
        let urls: Vec<_> =
            ["http://a", "https://a", "http://b"].iter().filter_map(|text| traefik_url(text).unwrap()).collect();
        let both = address(&urls[..2]).unwrap();
        assert_eq!([both.http, both.https].map(|one| one.unwrap().to_string()), ["a:80", "a:443"]);
        assert!(address(&urls).is_err());
    }
}
