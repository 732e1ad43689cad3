//! A browser: its cookies come, go and are sent as RFC 6265bis says (`cookie_store`), with Secure, Path and Max-Age.

use std::{net::Ipv4Addr, time::Duration};

use cookie_store::CookieStore;
use http::header;
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::{
    application::{RECEIVED, TRACK, VERSION},
    traefik::WEB,
    web::Connection,
};

/// The application's own cookie, which everybody has from before.
pub(crate) const SESSION: &str = "session=1";

/// An answer of the application.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) track: String,
    pub(crate) version: String,
    /// The cookies with which the request arrived.
    pub(crate) received: Option<String>,
    /// Whether Traefik drew a track for it, and began a pin.
    pub(crate) begins_pin: bool,
}

impl Answer {
    /// Whether the request arrived with the application's own cookie.
    pub(crate) fn has_session(&self) -> bool {
        self.received.as_deref().unwrap_or_default().split("; ").any(|cookie| cookie == SESSION)
    }
}

/// A browser on one site.
pub(crate) struct Browser {
    traefik: Ipv4Addr,
    host: String,
    /// The certificate of the site, which is then asked over TLS.
    certificate: Option<CertificateDer<'static>>,
    /// What it loads beside each page that redirects.
    asset: Option<&'static str>,
    cookies: CookieStore,
}

impl Browser {
    /// One that has the application's cookie.
    pub(crate) fn new(traefik: Ipv4Addr, host: String) -> Self {
        Self::with(traefik, host, None)
    }

    /// The same, which asks over TLS.
    pub(crate) fn over_tls(traefik: Ipv4Addr, host: String, certificate: CertificateDer<'static>) -> Self {
        Self::with(traefik, host, Some(certificate))
    }

    /// Has it load this beside each page that redirects.
    pub(crate) fn loading(self, asset: Option<&'static str>) -> Self {
        Self { asset, ..self }
    }

    fn with(traefik: Ipv4Addr, host: String, certificate: Option<CertificateDer<'static>>) -> Self {
        let mut browser = Self { traefik, host, certificate, asset: None, cookies: CookieStore::default() };
        let url = browser.url("/").expect("a host");
        browser.cookies.parse(&format!("{SESSION}; Path=/"), &url).expect("a cookie");
        browser
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{}{path}", self.host)).map_err(|error| error.to_string())
    }

    /// Follows a page and its redirects to the end, `thinking` at each; the answers are added to those there are.
    pub(crate) async fn visit(
        &mut self,
        path: &str,
        thinking: Duration,
        answers: &mut Vec<Answer>,
    ) -> Result<(), String> {
        let mut connection = match &self.certificate {
            Some(certificate) => Connection::open_tls((self.traefik, WEB), &self.host, certificate.clone()).await?,
            None => Connection::open((self.traefik, WEB)).await?,
        };
        let mut path = path.to_owned();
        loop {
            let (answer, next) = self.get(&mut connection, &path).await?;
            answers.push(answer);
            tokio::time::sleep(thinking).await;
            let Some(next) = next else { return Ok(()) };
            if let Some(asset) = self.asset {
                answers.push(self.get(&mut connection, asset).await?.0);
            }
            path = next;
        }
    }

    /// Asks for one page; returns the answer, and where it redirects to.
    async fn get(&mut self, connection: &mut Connection, path: &str) -> Result<(Answer, Option<String>), String> {
        let url = self.url(path)?;
        let cookies: Vec<_> =
            self.cookies.get_request_values(&url).map(|(name, value)| format!("{name}={value}")).collect();
        let answer = connection.get(&self.host, path, &cookies.join("; ")).await?;
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (Some(track), Some(version)) = (text(TRACK), text(VERSION)) else {
            return Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body).trim()));
        };
        let begins_pin = answer.headers.contains_key(header::SET_COOKIE);
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            // A cookie that a browser would not take is not taken.
            let _ = cookie.to_str().map(|cookie| self.cookies.parse(cookie, &url).map(|_| ()));
        }
        Ok((Answer { track, version, received: text(RECEIVED), begins_pin }, text("location")))
    }
}
