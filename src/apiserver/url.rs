//! Strict parsing of server and proxy URLs: errors that the HTTP library overlooks, such as an invalid port, would lead
//! to another server than the one named.

use http::Uri;

/// Parses a URL with its scheme.
///
/// # Errors
///
/// The reason the URL cannot be used. The URL is not quoted, because it may contain a password.
pub(crate) fn read(text: &str) -> Result<Uri, &'static str> {
    let url: Uri = text.parse().map_err(|_| "it is not a URL")?;
    if url.scheme().is_none() {
        return Err("it has no scheme");
    }
    let place = place(&url);
    let host = url.host().unwrap_or_default();
    if host.trim_matches(['[', ']']).is_empty() {
        return Err("it names no host");
    }
    match place.strip_prefix(host).map(|rest| rest.strip_prefix(':')) {
        Some(None) if place == host => Ok(url),
        Some(Some(port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse().is_ok_and(|port: u16| port > 0) =>
        {
            Ok(url)
        }
        _ => Err("its port is not a number from 1 to 65535"),
    }
}

/// Parses the URL of a server that gets no credentials.
///
/// # Errors
///
/// As [`read`], or the reason why it cannot be such a URL.
pub(crate) fn read_without_credentials(text: &str) -> Result<Uri, &'static str> {
    let url = read(text)?;
    match url.scheme_str() {
        _ if userinfo(&url).is_some() => Err("it contains a user, and no credentials are sent"),
        _ if url.query().is_some() => Err("it contains a query"),
        Some("http" | "https") => Ok(url),
        _ => Err("it is neither http nor https"),
    }
}

/// Returns the URL without user, password and query, and with the path that client-go makes of it
/// (`rest/request.go:NewRequest`, Go's `path.Clean`).
pub(crate) fn without_userinfo(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("http");
    let mut path = Vec::new();
    for part in url.path().split('/') {
        match part {
            "" | "." => {}
            ".." => _ = path.pop(),
            part => path.push(part),
        }
    }
    let path: String = path.into_iter().flat_map(|part| ["/", part]).collect();
    format!("{scheme}://{}{path}", place(url))
}

/// Returns `HOST:PORT` of a URL.
pub(crate) fn place(url: &Uri) -> &str {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    authority.rsplit_once('@').map_or(authority, |(_, place)| place)
}

/// Returns the user and password of a URL, percent-decoded; the password is empty if there is only a user.
pub(crate) fn userinfo(url: &Uri) -> Option<(Vec<u8>, Vec<u8>)> {
    let (userinfo, _) = url.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let plain = |text| percent_encoding::percent_decode_str(text).collect();
    Some((plain(user), plain(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_none_is_no_default_port() {
        for text in
            ["https://a", "https://a:1/x", "http://a:65535", "https://[::1]", "https://u:p@[::1]:6443/", "https://u@a"]
        {
            assert_eq!(
                read(text).map(|url| url.to_string().trim_end_matches('/').to_owned()),
                Ok(text.trim_end_matches('/').to_owned())
            );
        }
        for port in ["99999", "0", "", "x", "-1", "+1", "65536", "4294967296", "1x"] {
            for host in ["a", "[::1]", "u:p@a", "127.0.0.1"] {
                let text = format!("https://{host}:{port}/");
                let problem = read(&text).unwrap_err();
                // Some of them are not URLs at all.
                assert!(problem.starts_with("its port") || problem == "it is not a URL", "{text}: {problem}");
            }
        }
        for (text, problem) in
            [("a:1", "it has no scheme"), ("https://:1", "it names no host"), ("", "it is not a URL")]
        {
            assert_eq!(read(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_path_is_cleaned_as_client_go_does() {
        for (path, cleaned) in [
            ("", ""),
            ("/", ""),
            ("/a//b/", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/../a", "/a"),
            ("/a%2f../b?c", "/a%2f../b"),
        ] {
            let url = format!("https://u:p@h:1{path}").parse().unwrap();
            assert_eq!(without_userinfo(&url), format!("https://h:1{cleaned}"), "{path}");
        }
    }

    #[test]
    fn user_and_password_are_unescaped() {
        let read = |text: &str| {
            userinfo(&text.parse().unwrap())
                .map(|(user, password)| [user, password].map(|part| String::from_utf8(part).unwrap()))
        };
        assert_eq!(read("socks5://me:p%40ss%3A@h:1"), Some(["me".into(), "p@ss:".into()]));
        assert_eq!(read("socks5://me@h:1"), Some(["me".into(), String::new()]));
        assert_eq!(read("socks5://h:1"), None);
    }
}
