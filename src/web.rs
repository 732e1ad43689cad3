//! The pages under test: one GET at a time, on connections of their own, within limits.
#![expect(clippy::disallowed_methods, reason = "these requests go to websites, not to the API server")]

use std::{net::IpAddr, time::Duration};

use http::{HeaderMap, HeaderValue, Request, Uri, header};
use http_body_util::BodyExt as _;
use kube::client::Body;

use crate::{
    apiserver::site::{self, SiteTrust},
    error::{Error, Result},
    verify::{Answer, Page},
};

/// The most that is read of a page, in bytes: the rest of a larger one is not needed.
const MOST: usize = 1 << 20;

/// How sites are reached.
#[derive(Debug, Clone)]
pub struct Web {
    /// Addresses to use instead of what names resolve to.
    pub resolve: Vec<Resolve>,
    /// Which servers are trusted.
    pub trust: SiteTrust,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

/// The address of a host and port, as in curl's `--resolve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host in lower case; an IPv6 address with its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address.
    pub address: IpAddr,
}

/// A site: the connection to one scheme, host and port. Opened at the first request, and kept.
pub struct Site {
    client: kube::Client,
    timeout: Duration,
}

impl Web {
    /// Returns the site of a page.
    ///
    /// # Errors
    ///
    /// The certificates to trust cannot be used.
    pub fn site(&self, page: &Page) -> Result<Site> {
        let is_it = |resolve: &&Resolve| resolve.host == page.host && resolve.port == page.port;
        let host = match self.resolve.iter().find(is_it).map(|resolve| resolve.address) {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(IpAddr::V4(address)) => address.to_string(),
            None => page.host.clone(),
        };
        let scheme = if page.is_secure { "https" } else { "http" };
        let url = Uri::builder().scheme(scheme).authority(format!("{host}:{}", page.port)).path_and_query("/").build();
        let url = url.map_err(|_| Error::usage(format!("{page} is not a URL")))?;
        Ok(Site { client: site::client(url, &page.host, &self.trust)?, timeout: self.timeout })
    }
}

impl Site {
    /// Requests a page with these cookies, as one header.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn get(&self, page: &Page, cookies: &str) -> Result<Answer> {
        let text = |text: &str| HeaderValue::from_str(text);
        let request = Request::get(page.target()).header(header::ACCEPT, "text/html,*/*;q=0.8");
        let mut request = request.body(Body::empty()).map_err(|_| Error::usage(format!("{page} is not a URL")))?;
        // With --resolve, the connection goes elsewhere.
        let host = text(&page.authority()).map_err(|_| Error::usage(format!("{page} is not a URL")))?;
        request.headers_mut().insert(header::HOST, host);
        if let Some(cookies) = Some(cookies).filter(|cookies| !cookies.is_empty()).and_then(|all| text(all).ok()) {
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        let address = format!("{}:{}", page.host, page.port);
        let asked = async {
            let (head, mut body) = self.client.send(request).await?.into_parts();
            let mut size = 0;
            while let Some(frame) = body.frame().await {
                size += frame?.data_ref().map_or(0, hyper::body::Bytes::len);
                if size > MOST {
                    break;
                }
            }
            Ok::<_, kube::Error>(answer(head.status.as_u16(), &head.headers))
        };
        match tokio::time::timeout(self.timeout, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(site::reason(&error, &page.host, &address)),
            Err(_) => {
                let wait = self.timeout.as_secs_f64();
                Err(Error::cluster(format!("no answer from the server {address} within {wait} s"))
                    .hint(format!("--url URL, or --resolve {address}:ADDRESS")))
            }
        }
    }
}

fn answer(status: u16, headers: &HeaderMap) -> Answer {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    Answer {
        status,
        set_cookies: headers.get_all(header::SET_COOKIE).iter().filter_map(text).collect(),
        location: headers.get(header::LOCATION).and_then(text),
    }
}
