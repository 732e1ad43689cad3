//! The pages under test: one GET at a time, on connections of their own, within limits.
#![expect(clippy::disallowed_methods, reason = "these requests go to websites, not to the API server")]

pub(crate) mod visits;

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Request, Response, Uri, header, uri::Authority};
use http_body_util::BodyExt as _;
use kube::client::Body;

use crate::{
    apiserver::{
        ApiServer,
        port_forward::PodPort,
        read_url,
        site::{self, SiteTrust},
    },
    error::{Error, Result},
    traefik::installation::TraefikPod,
    verify::{self, Answer, Page},
};

/// The most that is read of a page, in bytes: the rest of a larger one is not needed.
const MOST: usize = 1 << 20;
/// How long to wait for the rest of a page whose headers are there. It is read so that the connection can be used again.
const PATIENCE: Duration = Duration::from_secs(1);
/// What to type if a pod does not answer.
const ANOTHER_POD: &str = "use --url URL, or --through-cluster=NAMESPACE/POD";
/// The longest `Location` that is followed, in bytes: the most that common servers accept in a request.
const LONGEST_LOCATION: usize = 8 << 10;

/// How sites are reached.
#[derive(Clone)]
pub(crate) struct Web {
    /// Where connections lead.
    pub way: Way,
    /// Which servers are trusted.
    pub trust: SiteTrust,
    /// How long to wait for an answer; `None` for ever.
    pub timeout: Option<Duration>,
}

/// Where connections lead.
#[derive(Clone)]
pub(crate) enum Way {
    /// To what the names of hosts resolve to, except for these.
    Names(Vec<Resolve>),
    /// To a pod of Traefik, through the API server.
    Pod(Through),
    /// To Traefik at these addresses, whatever the host.
    Traefik(TraefikAddress),
}

/// The addresses of Traefik for pages over http and https.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraefikAddress {
    /// Host and port for http; `None` if none is known.
    pub http: Option<Authority>,
    /// Likewise for https.
    pub https: Option<Authority>,
}

impl TraefikAddress {
    /// Returns the address for pages of this kind.
    pub(crate) fn of(&self, is_secure: bool) -> Result<&Authority> {
        let (scheme, address) = if is_secure { ("https", &self.https) } else { ("http", &self.http) };
        address.as_ref().ok_or_else(|| Error::usage(format!("no address of Traefik for {scheme} is known")))
    }
}

/// The address of a host and port, as in curl's `--resolve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolve {
    /// The host in lower case; an IPv6 address with its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address.
    pub address: IpAddr,
}

/// A pod of Traefik, which is reached through the API server.
#[derive(Clone)]
pub(crate) struct Through {
    /// The API server.
    pub server: Arc<ApiServer>,
    /// The pod.
    pub pod: TraefikPod,
}

impl Through {
    /// Returns the port for pages of this kind.
    pub(crate) fn port(&self, is_secure: bool) -> Result<PodPort> {
        let Self { server, pod } = self;
        let (scheme, port) = if is_secure { ("https", pod.https) } else { ("http", pod.http) };
        let Some(port) = port else {
            return Err(Error::usage(format!("pod `{}` has no entry point for {scheme}", pod.target)).hint(ANOTHER_POD));
        };
        Ok(PodPort { server: Arc::clone(server), pod: pod.target.clone(), port })
    }
}

/// Parses the URL of a page.
pub(crate) fn page(text: &str) -> Result<Page, &'static str> {
    let url = read_url(text)?;
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it must not have a user or a password");
    }
    Page::of(&url).ok_or("its scheme must be http or https")
}

/// A site: one scheme, host and port, with its connection.
pub(crate) struct Site {
    client: kube::Client,
    timeout: Option<Duration>,
    /// Whether it is reached through the API server.
    is_forwarded: bool,
    /// Where the connection leads, as `HOST:PORT`.
    address: String,
}

impl Web {
    /// Returns the site of a page.
    pub(crate) fn site(&self, page: &Page) -> Result<Site> {
        let named = format!("{}:{}", page.host, page.port);
        let (authority, address, pod) = match &self.way {
            Way::Names(resolve) => (resolved(page, resolve), named, None),
            Way::Pod(through) => (named.clone(), named, Some(through.port(page.is_secure)?)),
            Way::Traefik(traefik) => {
                let address = traefik.of(page.is_secure)?.to_string();
                (address.clone(), address, None)
            }
        };
        let scheme = if page.is_secure { "https" } else { "http" };
        let url = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
        let url = url.map_err(|_| not_a_url(page))?;
        let is_forwarded = pod.is_some();
        let client = site::client(url, &page.host, &self.trust, pod)?;
        Ok(Site { client, timeout: self.timeout, is_forwarded, address })
    }
}

impl Site {
    /// Requests a page with these cookies, as one header. `is_last` closes the connection, so that the next request can
    /// come to another replica of the server.
    pub(crate) async fn get(&self, page: &Page, cookies: &str, is_last: bool) -> Result<Answer> {
        let address = &self.address;
        let way = if self.is_forwarded {
            ANOTHER_POD.to_owned()
        } else {
            format!("use --url URL, or --resolve {address}:ADDRESS")
        };
        // Through the API server, there is one replica.
        let is_last = is_last && !self.is_forwarded;
        let asked = async {
            let first = self.client.send(request(page, cookies, is_last)?).await;
            // The server may close a connection that was kept just when it is used again.
            let answer = match first {
                Err(error) if site::is_broken(&error) => self.client.send(request(page, cookies, is_last)?).await,
                first => first,
            };
            answer.map_err(|error| site::reason(&error, &page.host, address, &way))
        };
        let response = match self.timeout {
            None => asked.await?,
            Some(limit) => tokio::time::timeout(limit, asked).await.map_err(|_| {
                Error::cluster(format!("no answer from the server {address} within {} s", limit.as_secs_f64()))
                    .hint(way.as_str())
            })??,
        };
        let answer = answer(response.status().as_u16(), response.headers());
        let patience = self.timeout.map_or(PATIENCE, |limit| limit.min(PATIENCE));
        let _ = tokio::time::timeout(patience, drain(response)).await;
        Ok(answer)
    }
}

fn request(page: &Page, cookies: &str, is_last: bool) -> Result<Request<Body>> {
    let request = Request::get(page.target()).header(header::ACCEPT, "text/html,*/*;q=0.8");
    let mut request = request.body(Body::empty()).map_err(|_| not_a_url(page))?;
    let headers = request.headers_mut();
    // With --resolve, the connection goes elsewhere.
    headers.insert(header::HOST, HeaderValue::from_str(&page.authority()).map_err(|_| not_a_url(page))?);
    if is_last {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(cookies) = HeaderValue::from_bytes(&verify::bytes(cookies))
        && !cookies.is_empty()
    {
        headers.insert(header::COOKIE, cookies);
    }
    Ok(request)
}

/// Returns the address and port to connect to for a page.
fn resolved(page: &Page, resolve: &[Resolve]) -> String {
    let is_it = |resolve: &&Resolve| resolve.host == page.host && resolve.port == page.port;
    let host = match resolve.iter().find(is_it).map(|resolve| resolve.address) {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => page.host.clone(),
    };
    format!("{host}:{}", page.port)
}

fn not_a_url(page: &Page) -> Error {
    Error::usage(format!("{page} is not a URL"))
}

/// Reads the rest of an answer, as far as it comes.
async fn drain(response: Response<Body>) {
    let (mut body, mut size) = (response.into_body(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        size += frame.data_ref().map_or(0, hyper::body::Bytes::len);
        if size > MOST {
            return;
        }
    }
}

fn answer(status: u16, headers: &HeaderMap) -> Answer {
    let text = |value: &HeaderValue| verify::text(value.as_bytes());
    let location = headers.get(header::LOCATION).filter(|location| location.len() <= LONGEST_LOCATION);
    Answer {
        status,
        set_cookies: headers.get_all(header::SET_COOKIE).iter().map(text).collect(),
        location: location.map(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_of_8_kib_is_followed_and_a_longer_one_is_not() {
        let location = |length: usize| {
            let value = HeaderValue::from_str(&"/".repeat(length)).unwrap();
            answer(302, &HeaderMap::from_iter([(header::LOCATION, value)])).location.map(|location| location.len())
        };
        assert_eq!([location(8192), location(8193)], [Some(8192), None]);
    }

    #[test]
    fn each_byte_of_a_header_is_kept() {
        let bytes: Vec<u8> = (0x20..0x7f).chain(0x80..=0xff).collect();
        let value = HeaderValue::from_bytes(&bytes).unwrap();
        let answer = answer(200, &HeaderMap::from_iter([(header::SET_COOKIE, value)]));
        let page = Page::of(&"http://a/".parse().unwrap()).unwrap();
        let request = request(&page, &answer.set_cookies[0], false).unwrap();
        assert_eq!(request.headers()[header::COOKIE].as_bytes(), bytes);
    }
}
