//! All HTTP traffic with the API server: sends requests with a timeout, retries when the server is busy, and classifies
//! the answers. No other file sends requests to it.
#![expect(clippy::disallowed_methods, reason = "this is the one place that sends requests")]

use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::upgrade::Upgraded;
use kube::client::Body;

use crate::apiserver::{
    ApiServer,
    call::{Call, Verb},
    endpoint::Endpoint,
    error::Failure,
    progress::shown,
    retry::{Retries, TRIES},
    status::Refusal,
    warnings,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A successful answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The body, which is JSON.
    pub body: Vec<u8>,
    /// The server's warnings, without duplicates.
    pub warnings: Vec<String>,
    /// The server's time, from the `Date` header.
    pub date: Option<String>,
    /// The `X-Next-Page` header, by which a server that is not a Kubernetes API server continues a list.
    pub next_page: Option<String>,
}

/// An answer whose body has not been read.
pub(crate) struct Opened {
    pub(crate) response: Response<Body>,
    /// The server's warnings, without duplicates.
    pub(crate) warnings: Vec<String>,
    since: Instant,
}

impl ApiServer {
    /// Sends the request and reads the whole answer, within the time limit.
    ///
    /// The URI is a path with its query; authentication and user-agent headers are added.
    pub async fn call(&self, call: &Call<'_>, request: Request<Vec<u8>>) -> Result<Answer, Failure> {
        let mut opened = self.open(call, request).await?;
        for warning in opened.warnings.iter().filter(|warning| self.silenced != Some(warning.as_str())) {
            self.progress.warning(warning);
        }
        let what = format!("the rest of the answer from {}", self.endpoint.url);
        let size =
            opened.response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let most = most(call.verb);
        let reading = read(opened.response.body_mut(), size.unwrap_or(0), most);
        let body = match shown(&*self.progress, &what, within(self.left(opened.since), reading)).await {
            Some(Ok(Some(body))) => body,
            Some(Ok(None)) => return Err(Endpoint::too_large(most, call)),
            Some(Err(_)) => return Err(self.endpoint.broke_off()),
            None => return Err(Endpoint::timed_out(self.timeout.unwrap_or_default())),
        };
        self.log_body(call, "answer", &body);
        let is_json =
            body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b'['));
        if !is_json {
            return Err(self.endpoint.not_json(opened.response.status(), opened.response.headers()));
        }
        let text = |name: &str| Some(opened.response.headers().get(name)?.to_str().ok()?.to_owned());
        let (date, next_page) = (text("date"), text("x-next-page"));
        Ok(Answer { body, warnings: opened.warnings, date, next_page })
    }

    /// Sends the request once and reads the answer; `None` on any failure. For callers that would rather have nothing
    /// than wait for retries.
    pub(crate) async fn once(&self, request: Request<Vec<u8>>) -> Option<Vec<u8>> {
        let mut opened = self.send(request).await.ok()?;
        let is_success = opened.response.status().is_success();
        read(opened.response.body_mut(), 0, MANY).await.ok().flatten().filter(|_| is_success)
    }

    /// Sends the request until it succeeds, is refused, or the retries are exhausted. The body of a success is left to
    /// read.
    pub(crate) async fn open(&self, call: &Call<'_>, request: Request<Vec<u8>>) -> Result<Opened, Failure> {
        self.log_body(call, "request", request.body());
        let mut retries = Retries::default();
        let (mut may_reconnect, mut may_log_in) = (request.method() == Method::GET, self.login.is_renewable());
        loop {
            let opened = match self.send(request.clone()).await {
                Err(Failure::Broken(_)) if may_reconnect => {
                    may_reconnect = false;
                    continue;
                }
                opened => opened?,
            };
            if opened.response.status().is_success() {
                return Ok(opened);
            }
            let (failure, headers) = self.refusal(call, opened).await?;
            if failure.is_unauthorized() && may_log_in {
                may_log_in = false;
                self.log_in_again().await?;
                continue;
            }
            let Failure::Status(refusal, _) = &failure else { return Err(failure) };
            let Some(wait) = retries.next(&headers, refusal) else { return Err(failure) };
            self.wait(wait, refusal, retries.tries).await;
        }
    }

    /// Sends a request for a WebSocket once, and returns the connection that it becomes. `accepted` is what the server must
    /// answer.
    pub(crate) async fn upgrade(
        &self,
        call: &Call<'_>,
        request: Request<Vec<u8>>,
        accepted: &HeaderValue,
    ) -> Result<Upgraded, Failure> {
        let opened = self.send(request).await?;
        let is_accepted = opened.response.headers().get(header::SEC_WEBSOCKET_ACCEPT) == Some(accepted);
        if opened.response.status() != StatusCode::SWITCHING_PROTOCOLS || !is_accepted {
            return Err(self.refusal(call, opened).await?.0);
        }
        hyper::upgrade::on(opened.response).await.map_err(|_| self.endpoint.broke_off())
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Opened, Failure> {
        let client = self.client().await?;
        let line = format!("{} {}{}", request.method(), self.endpoint.url, request.uri());
        let mut request = request.map(Body::from);
        request.headers_mut().entry(header::ACCEPT).or_insert(JSON);
        let since = Instant::now();
        let what = format!("the server {}", self.endpoint.url);
        match shown(&*self.progress, &what, within(self.timeout, client.send(request))).await {
            Some(Ok(response)) => {
                self.log(6, || format!("{line} {} in {} milliseconds", response.status(), since.elapsed().as_millis()));
                Ok(Opened { warnings: warnings::read(response.headers()), response, since })
            }
            Some(Err(error)) => {
                self.log(6, || format!("{line} failed in {} milliseconds", since.elapsed().as_millis()));
                Err(self.endpoint.classify(&error))
            }
            None => {
                self.log(6, || format!("{line} no answer in {} milliseconds", since.elapsed().as_millis()));
                Err(Endpoint::timed_out(self.timeout.unwrap_or_default()))
            }
        }
    }

    /// Reads an answer with an error status.
    async fn refusal(&self, call: &Call<'_>, opened: Opened) -> Result<(Failure, HeaderMap), Failure> {
        let limit = self.left(opened.since);
        let (head, mut body) = opened.response.into_parts();
        // An error status without a readable body is still an error.
        let body = within(limit, read(&mut body, 0, ONE)).await.and_then(Result::ok).flatten().unwrap_or_default();
        self.log_body(call, "answer", &body);
        let failure = self.endpoint.refused(call, head.status, &head.headers, &body);
        Ok((failure, head.headers))
    }

    async fn wait(&self, wait: Duration, refusal: &Refusal, tries: u32) {
        let what = format!("the busy server ({}), before try {} of {TRIES}", refusal.code, tries + 1);
        shown(&*self.progress, &what, tokio::time::sleep(wait)).await;
    }

    /// Returns the rest of the time limit.
    fn left(&self, since: Instant) -> Option<Duration> {
        self.timeout.map(|limit| limit.saturating_sub(since.elapsed()))
    }

    fn log(&self, level: u8, line: impl FnOnce() -> String) {
        if self.verbosity >= level {
            self.progress.log(&line());
        }
    }

    /// Logs a body as kubectl does: 1024 characters at level 8, 10240 at 9, all at 10. Secrets are never logged.
    fn log_body(&self, call: &Call<'_>, whose: &str, body: &[u8]) {
        let longest = match self.verbosity {
            0..8 => return,
            8 => 1024,
            9 => 10_240,
            _ => usize::MAX,
        };
        if !body.is_empty() && !call.resource.starts_with("secrets") {
            let text = String::from_utf8_lossy(body);
            let shown: String = text.chars().take(longest).collect();
            let rest = text.len() - shown.len();
            let end = if rest == 0 { String::new() } else { format!(" [{rest} more bytes]") };
            self.progress.log(&format!("{whose}: {shown}{end}"));
        }
    }
}

/// Maximum size of an answer with one object, decompressed: the server stores none above 3 MiB.
const ONE: usize = 16 << 20;
/// Maximum size of a list, decompressed: 25,000 objects of 10 KB. A few compressed megabytes can expand to gigabytes.
const MANY: usize = 256 << 20;

fn most(verb: Verb) -> usize {
    if verb == Verb::List { MANY } else { ONE }
}

/// Reads the whole body; `None` if it is larger than `most` bytes.
async fn read(body: &mut Body, size: usize, most: usize) -> Result<Option<Vec<u8>>, kube::Error> {
    // A false content length must not cost memory.
    const MOST_TRUSTED: usize = 64 << 20;
    let mut all = Vec::with_capacity(size.min(MOST_TRUSTED));
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if all.len() + data.len() > most {
                return Ok(None);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(Some(all))
}

/// Returns the result, or `None` after the time limit.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}

#[cfg(test)]
mod tests;
