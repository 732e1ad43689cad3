//! Choice of the proxy, by the rules of Go's HTTP client, which kubectl follows. The HTTP library's own handling of the
//! environment is not used.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use crate::{
    apiserver::url,
    environment::Environment,
    error::{Error, Result},
};

/// A proxy and where it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// The address, including credentials if any.
    pub(crate) url: Uri,
    /// Where it is configured: `HTTPS_PROXY`, or the `proxy-url` of a cluster.
    pub(crate) named_by: String,
    /// Whether it comes from the environment, where `NO_PROXY` can switch it off.
    pub(crate) from_environment: bool,
}

/// Returns the proxy for this server. `proxy-url` of the kubeconfig always wins; `HTTPS_PROXY` applies to an https
/// server that is neither this machine nor listed in `NO_PROXY`.
pub(crate) fn choose(
    server: &Uri,
    kubeconfig: Option<(&str, &str)>,
    environment: &Environment,
) -> Result<Option<Proxy>> {
    if let Some((cluster, url)) = kubeconfig.filter(|(_, url)| !url.is_empty()) {
        let named_by = format!("proxy-url of cluster `{cluster}`");
        return parse(url, &named_by).map(|url| Some(Proxy { url, named_by, from_environment: false }));
    }
    let Some(url) = environment.https_proxy.as_deref().filter(|_| server.scheme_str() == Some("https")) else {
        return Ok(None);
    };
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
    let port = server.port_u16().unwrap_or(443);
    if is_this_machine(&host) || environment.no_proxy.as_deref().is_some_and(|list| is_listed(list, &host, port)) {
        return Ok(None);
    }
    let named_by = "HTTPS_PROXY".to_owned();
    parse(url, &named_by).map(|url| Some(Proxy { url, named_by, from_environment: true }))
}

fn parse(text: &str, named_by: &str) -> Result<Uri> {
    // The text may contain a password, so it is not shown.
    let wrong = |reason: &str| {
        Error::usage(format!("the proxy of {named_by} cannot be used"))
            .caused_by(reason)
            .hint("a proxy is http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
    };
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // The SOCKS connector always leaves name resolution to the proxy.
    let text = text.strip_prefix("socks5h://").map_or(text.clone(), |rest| format!("socks5://{rest}"));
    let url = url::read(&text).map_err(wrong)?;
    match url.scheme_str() {
        Some("http" | "https" | "socks5") => {}
        other => return Err(wrong(&format!("its scheme is `{}`", other.unwrap_or_default()))),
    }
    let long = |part: &[u8]| part.len() > 255 || std::str::from_utf8(part).is_err();
    if url::userinfo(&url).is_some_and(|(user, password)| long(&user) || long(&password)) {
        return Err(wrong("its user or password is not text, or longer than 255 characters"));
    }
    Ok(url)
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Returns whether `NO_PROXY` lists this host and port. Invalid entries match nothing.
fn is_listed(list: &str, host: &str, port: u16) -> bool {
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    list.split(',').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Ok(network) = entry.parse::<IpNet>() {
            return address.is_some_and(|address| network.contains(&address));
        }
        let (name, only_port) = split_port(&entry);
        if only_port.is_some_and(|only| only != port) {
            return false;
        }
        if let Ok(listed) = name.parse::<IpAddr>() {
            return address == Some(listed.to_canonical());
        }
        let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
        match name.strip_prefix('.') {
            // A leading dot matches subdomains only.
            Some(domain) => !domain.is_empty() && host.strip_suffix(name).is_some_and(|front| !front.is_empty()),
            None => {
                !name.is_empty() && (host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.')))
            }
        }
    })
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => port.parse().map_or((entry, None), |port| (name, Some(port))),
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(https_proxy: &str, no_proxy: &str) -> Environment {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Environment { https_proxy: text(https_proxy), no_proxy: text(no_proxy), ..Environment::default() }
    }

    fn proxied(server: &str, no_proxy: &str) -> bool {
        let server = server.parse().unwrap();
        choose(&server, None, &environment("http://proxy:3128", no_proxy)).unwrap().is_some()
    }

    #[test]
    fn no_proxy_is_held_against_the_cluster() {
        let cases = [
            // server, NO_PROXY, whether the proxy is used
            ("https://api.example.com:6443", "", true),
            ("https://api.example.com:6443", "proxy", true),
            ("https://api.example.com:6443", "api.example.com", false),
            ("https://api.example.com:6443", "API.Example.com", false),
            ("https://api.example.com:6443", "example.com", false),
            ("https://api.example.com:6443", "ample.com", true),
            ("https://api.example.com:6443", ".example.com", false),
            ("https://example.com:6443", ".example.com", true),
            ("https://example.com:6443", "*.example.com", true),
            ("https://api.example.com:6443", "*.example.com", false),
            ("https://api.example.com:6443", "api.example.com:6443", false),
            ("https://api.example.com:6443", "api.example.com:443", true),
            ("https://api.example.com", "api.example.com:443", false),
            ("https://api.example.com:6443", "other, ,, api.example.com", false),
            ("https://api.example.com:6443", "no/host,%%%,[,:6443", true),
            ("https://api.example.com:6443", "*", false),
            ("https://10.1.2.3:6443", "10.0.0.0/8", false),
            ("https://11.1.2.3:6443", "10.0.0.0/8", true),
            ("https://10.1.2.3:6443", "10.1.2.3", false),
            ("https://10.1.2.3:6443", "10.1.2.3:443", true),
            ("https://[fd00::1]:6443", "fd00::1", false),
            ("https://[fd00::1]:6443", "[fd00::1]:6443", false),
            ("https://[fd00::1]:6443", "fd00::/8", false),
            // This machine is never proxied, whatever the list says.
            ("https://localhost:6443", "", false),
            ("https://127.0.0.1:6443", "", false),
            ("https://127.9.9.9:6443", "", false),
            ("https://[::1]:6443", "", false),
            // The variable applies to https only.
            ("http://api.example.com:8080", "", false),
        ];
        for (server, no_proxy, expected) in cases {
            assert_eq!(proxied(server, no_proxy), expected, "{server} NO_PROXY={no_proxy}");
        }
    }

    #[test]
    fn the_kubeconfig_wins_over_everything() {
        let server = "https://127.0.0.1:6443".parse().unwrap();
        let proxy =
            choose(&server, Some(("kind", "socks5://bastion:1080")), &environment("http://proxy:1", "*")).unwrap();
        let proxy = proxy.unwrap();
        assert_eq!(url::without_userinfo(&proxy.url), "socks5://bastion:1080");
        assert_eq!(proxy.named_by, "proxy-url of cluster `kind`");
    }

    #[test]
    fn a_proxy_without_scheme_is_http() {
        let server = "https://api.example.com".parse().unwrap();
        let proxy = choose(&server, None, &environment("proxy:3128", "")).unwrap().unwrap();
        assert_eq!(proxy.url.to_string(), "http://proxy:3128/");
    }

    #[test]
    fn a_password_is_never_shown() {
        let server = "https://api.example.com".parse().unwrap();
        let proxy = choose(&server, None, &environment("http://me:s3cr3t@proxy:3128", "")).unwrap().unwrap();
        assert_eq!(url::without_userinfo(&proxy.url), "http://proxy:3128");
        let error = choose(&server, None, &environment("ftp://me:s3cr3t@proxy", "")).unwrap_err();
        assert_eq!(error.message(), "the proxy of HTTPS_PROXY cannot be used");
        assert_eq!(error.causes(), ["its scheme is `ftp`"]);
    }

    #[test]
    fn an_unusable_proxy_that_is_not_needed_does_not_matter() {
        let server = "https://localhost:6443".parse().unwrap();
        assert_eq!(choose(&server, None, &environment("::::", "")), Ok(None));
    }

    #[test]
    fn what_a_proxy_cannot_be_is_said_without_the_address() {
        let server = "https://api.example.com".parse().unwrap();
        let cause = |url: &str| choose(&server, None, &environment(url, "")).unwrap_err().causes().join(", ");
        assert_eq!(cause("http://me:s3cr3t@proxy:99999"), "its port is not a number from 1 to 65535");
        assert_eq!(cause("me:s3cr3t@proxy:"), "its port is not a number from 1 to 65535");
        assert_eq!(cause("http://me:s3 cr3t@proxy"), "it is not a URL");
        assert_eq!(cause("https://"), "it is not a URL");
        let long = format!("socks5://{}:p@proxy", "u".repeat(256));
        assert_eq!(cause(&long), "its user or password is not text, or longer than 255 characters");
        assert_eq!(cause("socks5://me:%ff@proxy"), "its user or password is not text, or longer than 255 characters");
    }
}
