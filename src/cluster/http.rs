//! The one way to speak to the server: sends a request, waits for a bounded time, asks a busy server again,
//! and sorts what comes back. The only file that sends.
#![expect(clippy::disallowed_methods, reason = "this is the one place that sends requests")]

use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::BodyExt;
use kube::client::Body;

use super::{
    Cluster,
    error::{Endpoint, Failure, is_broken},
    progress::shown,
    retry::{Retries, TRIES},
    status::Refusal,
    warnings,
};
use crate::guard::webhook::IS_HERE;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a request wants to do, as access control calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
}

impl Verb {
    /// The word that access control and messages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// What a request is about, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is done.
    pub verb: Verb,
    /// The resource with its group: `canaries.flagger.app`.
    pub resource: &'a str,
    /// The namespace, unless it is about all of them or has none.
    pub namespace: Option<&'a str>,
    /// The object's name, unless it is about many.
    pub name: Option<&'a str>,
}

/// A success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// JSON.
    pub body: Vec<u8>,
    /// What the server warns of, each once.
    pub warnings: Vec<String>,
    /// The server's own time, as it says it (`Date`).
    pub date: Option<String>,
}

/// An answer whose body is still to come.
pub(crate) struct Opened {
    pub(crate) response: Response<Body>,
    /// What the server warns of, each once.
    pub(crate) warnings: Vec<String>,
    since: Instant,
}

impl Cluster {
    /// Sends the request and reads the whole answer, within the time limit.
    ///
    /// The URI is a path with its query; headers that say who we are come by themselves.
    pub async fn call(&self, call: &Call<'_>, request: Request<Vec<u8>>) -> Result<Answer, Failure> {
        let mut opened = self.open(call, request).await?;
        for warning in opened.warnings.iter().filter(|warning| *warning != IS_HERE) {
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
        let date = opened.response.headers().get(header::DATE).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok(Answer { body, warnings: opened.warnings, date })
    }

    /// Sends the request once and reads the answer: for who would rather have nothing than wait.
    pub(crate) async fn once(&self, request: Request<Vec<u8>>) -> Option<Vec<u8>> {
        let (parts, body) = request.into_parts();
        let mut opened = self.send(&parts, body).await.ok()?;
        let is_success = opened.response.status().is_success();
        read(opened.response.body_mut(), 0, MANY).await.ok().flatten().filter(|_| is_success)
    }

    /// Sends the request until it succeeds, is refused for good, or too much time went by; the body of the
    /// success is left to read.
    pub(crate) async fn open(&self, call: &Call<'_>, request: Request<Vec<u8>>) -> Result<Opened, Failure> {
        let (parts, body) = request.into_parts();
        self.log_body(call, "request", &body);
        let mut retries = Retries::default();
        let (mut may_reconnect, mut may_log_in) = (parts.method == ::http::Method::GET, self.login.is_renewable());
        loop {
            let opened = match self.send(&parts, body.clone()).await {
                Ok(opened) => opened,
                Err(Sent::Broken(_)) if may_reconnect => {
                    may_reconnect = false;
                    continue;
                }
                Err(Sent::Broken(failure) | Sent::Failed(failure)) => return Err(failure),
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
            let Failure::Status(refusal) = &failure else { return Err(failure) };
            let Some(wait) = retries.next(&headers, refusal) else { return Err(failure) };
            self.wait(wait, refusal, retries.tries).await;
        }
    }

    async fn send(&self, parts: &Parts, body: Vec<u8>) -> Result<Opened, Sent> {
        let client = self.client().await.map_err(Sent::Failed)?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        request.headers_mut().entry(header::ACCEPT).or_insert(JSON);
        let line = format!("{} {}{}", parts.method, self.endpoint.url, parts.uri);
        let since = Instant::now();
        let what = format!("the server {}", self.endpoint.url);
        match shown(&*self.progress, &what, within(self.timeout, client.send(request))).await {
            Some(Ok(response)) => {
                self.log(6, || format!("{line} {} in {} milliseconds", response.status(), since.elapsed().as_millis()));
                Ok(Opened { warnings: warnings::read(response.headers()), response, since })
            }
            Some(Err(error)) => {
                self.log(6, || format!("{line} failed in {} milliseconds", since.elapsed().as_millis()));
                let failure = self.endpoint.classify(&error);
                let is_broken = is_broken(&error) && matches!(failure, Failure::Unreachable(_));
                Err(if is_broken { Sent::Broken(failure) } else { Sent::Failed(failure) })
            }
            None => {
                self.log(6, || format!("{line} no answer in {} milliseconds", since.elapsed().as_millis()));
                Err(Sent::Failed(Endpoint::timed_out(self.timeout.unwrap_or_default())))
            }
        }
    }

    /// Reads an answer that is not a success.
    async fn refusal(&self, call: &Call<'_>, opened: Opened) -> Result<(Failure, HeaderMap), Failure> {
        let limit = self.left(opened.since);
        let (head, mut body) = opened.response.into_parts();
        // A refusal without its words still is one.
        let body = within(limit, read(&mut body, 0, ONE)).await.and_then(Result::ok).flatten().unwrap_or_default();
        self.log_body(call, "answer", &body);
        let failure = self.endpoint.refused(head.status, &head.headers, &body);
        Ok((failure, head.headers))
    }

    async fn wait(&self, wait: Duration, refusal: &Refusal, tries: u32) {
        let what = format!("the busy server ({}), before try {} of {TRIES}", refusal.code, tries + 1);
        shown(&*self.progress, &what, tokio::time::sleep(wait)).await;
    }

    /// What is left of the time limit.
    fn left(&self, since: Instant) -> Option<Duration> {
        self.timeout.map(|limit| limit.saturating_sub(since.elapsed()))
    }

    fn log(&self, level: u8, line: impl FnOnce() -> String) {
        if self.verbosity >= level {
            self.progress.log(&line());
        }
    }

    /// Logs a body as kubectl does: 1024 characters at level 8, 10240 at 9, all at 10. Never a Secret's.
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

/// Why there is no answer.
enum Sent {
    /// The connection came about, and broke.
    Broken(Failure),
    Failed(Failure),
}

/// The most that an answer about one object may take, unpacked: the server stores none above 3 MiB.
const ONE: usize = 16 << 20;
/// The most that a list may take, unpacked: 25,000 objects of 10 KB. Some megabytes can be packed gigabytes.
const MANY: usize = 256 << 20;

fn most(verb: Verb) -> usize {
    if verb == Verb::List { MANY } else { ONE }
}

/// Reads the whole; `None` when it is larger than `most`.
async fn read(body: &mut Body, size: usize, most: usize) -> Result<Option<Vec<u8>>, kube::Error> {
    // A size that is not true must not cost memory.
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

/// The result, or `None` after the time limit.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{
            ConnectionArgs, connect,
            testing::{Heard, Reply, Server, json, reply},
        },
        environment::Environment,
    };
    use std::sync::Arc;

    const CALL: Call<'static> =
        Call { verb: Verb::Get, resource: "canaries.flagger.app", namespace: Some("shop"), name: Some("podinfo") };
    const BUSY: &str = r#"{"kind":"Status","code":503,"reason":"ServiceUnavailable","message":"starting"}"#;

    fn get() -> Request<Vec<u8>> {
        Request::get("/x?a=b").body(Vec::new()).unwrap()
    }

    fn patch() -> Request<Vec<u8>> {
        Request::patch("/x").body(b"{}".to_vec()).unwrap()
    }

    fn busy() -> Reply {
        reply("503 Service Unavailable", &["content-type: application/json", "retry-after: 0"], BUSY)
    }

    fn message(result: Result<Answer, Failure>) -> String {
        result.unwrap_err().into_error(&CALL).message().to_owned()
    }

    #[tokio::test]
    async fn an_answer_comes_with_its_warnings_and_its_time() {
        const DATE: &str = "Wed, 25 Nov 2026 13:00:00 GMT";
        let warning = r#"warning: 299 - "old""#;
        let headers = ["content-type: application/json", warning, warning, &format!("date: {DATE}")];
        let server = Server::start([reply("200 OK", &headers, r#"{"a":1}"#)]).await;
        let answer = server.connect().await.call(&CALL, get()).await.unwrap();
        assert_eq!((answer.body, answer.warnings), (br#"{"a":1}"#.to_vec(), vec!["old".to_owned()]));
        assert_eq!(answer.date.as_deref(), Some(DATE));
    }

    #[tokio::test]
    async fn a_server_that_stays_busy_is_asked_four_times() {
        let server = Server::start([busy()]).await;
        let result = server.connect().await.call(&CALL, patch()).await;
        let expected = "the server could not get canaries.flagger.app `podinfo` in namespace `shop`: it answers 503 Service Unavailable";
        assert_eq!(message(result), expected);
        assert_eq!(server.asked().len(), 4);
    }

    #[tokio::test]
    async fn a_server_that_was_busy_is_asked_again_with_the_same_request() {
        let server = Server::start([busy(), busy(), json("200 OK", "{}")]).await;
        assert_eq!(server.connect().await.call(&CALL, patch()).await.map(|answer| answer.body), Ok(b"{}".to_vec()));
        let asked = server.asked();
        assert_eq!((asked.len(), &asked[0]), (3, &asked[2]));
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let server = Server::start([json("403 Forbidden", r#"{"kind":"Status","message":"no"}"#)]).await;
        let failure = server.connect().await.call(&CALL, get()).await.unwrap_err();
        assert_eq!((failure.is_forbidden(), server.asked().len()), (true, 1));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_or_stops_in_the_middle_is_given_up() {
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{";
        for reply in [Reply::Hang, Reply::Text(half.to_owned())] {
            let server = Server::start([reply]).await;
            let args = ConnectionArgs { request_timeout: Some(Duration::from_millis(50)), ..server.args() };
            let cluster = connect(&args, &Environment::default(), Arc::new(Heard::default())).await.unwrap();
            let error = cluster.call(&CALL, get()).await.unwrap_err().into_error(&CALL);
            assert_eq!(error.message(), "no answer from the server within 50 ms");
            assert_eq!(error.hints(), ["--request-timeout 1s"]);
        }
    }

    #[tokio::test]
    async fn a_read_survives_one_broken_connection_and_a_write_none() {
        let server = Server::start([Reply::Close, json("200 OK", "{}")]).await;
        assert_eq!(server.connect().await.call(&CALL, get()).await.map(|answer| answer.body), Ok(b"{}".to_vec()));

        let server = Server::start([Reply::Close, json("200 OK", "{}")]).await;
        let broke = format!("the connection to the server {} broke before it answered", server.address);
        assert_eq!(message(server.connect().await.call(&CALL, patch()).await), broke);
        assert_eq!(server.asked().len(), 1);

        let server = Server::start([Reply::Close]).await;
        let broke = format!("the connection to the server {} broke before it answered", server.address);
        assert_eq!(message(server.connect().await.call(&CALL, get()).await), broke);
        assert_eq!(server.asked().len(), 2);
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_none() {
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{";
        let server = Server::start([Reply::Cut(half.to_owned())]).await;
        let broke = format!("the connection to the server {} broke in the middle of the answer", server.address);
        assert_eq!(message(server.connect().await.call(&CALL, get()).await), broke);
    }

    #[tokio::test]
    async fn an_answer_that_would_fill_the_memory_is_given_up() {
        let server = Server::start([json("200 OK", &format!("{{{}}}", " ".repeat(ONE)))]).await;
        let error = server.connect().await.call(&CALL, get()).await.unwrap_err().into_error(&CALL);
        assert_eq!(error.message(), "the server's answer is larger than 16 MiB");
        assert_eq!(error.causes(), ["it was asked to get canaries.flagger.app"]);
        // A list may be larger, and a refusal of that size is one without words.
        let list = Call { verb: Verb::List, ..CALL };
        let answer = server.connect().await.call(&list, get()).await.unwrap();
        assert_eq!(answer.body.len(), ONE + 2);
        let refusal = format!(r#"{{"kind":"Status","message":"{}"}}"#, "x".repeat(ONE));
        let server = Server::start([json("403 Forbidden", &refusal)]).await;
        let failure = server.connect().await.call(&CALL, get()).await.unwrap_err();
        assert_eq!(failure.into_error(&CALL).message(), "the answer is not from a Kubernetes API server");
    }

    #[tokio::test]
    async fn nothing_is_kept_beyond_the_limit() {
        let mut body = Body::from(b"{\"a\":1}".to_vec());
        assert_eq!(read(&mut body, 0, 6).await.unwrap(), None);
        let mut body = Body::from(b"{\"a\":1}".to_vec());
        assert_eq!(read(&mut body, usize::MAX, 7).await.unwrap().as_deref(), Some(&b"{\"a\":1}"[..]));
    }

    #[tokio::test]
    async fn a_page_is_not_taken_for_an_answer() {
        let server = Server::start([reply("200 OK", &["content-type: text/html"], "<html>Sign in</html>")]).await;
        let error = server.connect().await.call(&CALL, get()).await.unwrap_err().into_error(&CALL);
        assert_eq!(error.message(), "the answer is not from a Kubernetes API server");
        assert_eq!(error.causes(), [format!("http://{} answers 200 OK, text/html", server.address)]);

        let server = Server::start([Reply::Text("SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned())]).await;
        let error = server.connect().await.call(&CALL, get()).await.unwrap_err().into_error(&CALL);
        assert_eq!(error.causes(), ["it does not speak HTTP"]);
    }

    #[tokio::test]
    async fn the_log_tells_requests_and_bodies_and_no_token_and_no_password() {
        let server = Server::start_tls("server.pem", [json("200 OK", r#"{"a":1}"#)]).await;
        let heard = Arc::new(Heard::default());
        let url = Some(format!("https://bob:s3cr3t@{}", server.address));
        let args = ConnectionArgs { verbosity: 8, token: "s3cr3t".parse().ok(), server: url, ..server.args() };
        let cluster = connect(&args, &Environment::default(), heard.clone()).await.unwrap();
        cluster.call(&CALL, patch()).await.unwrap();
        // On a busy machine an answer may take so long that the wait is told.
        let said = heard.lines().into_iter().filter(|line| !line.starts_with("waiting for ") && line != "done");
        let lines: Vec<String> = said.map(|line| line.split(" in ").next().unwrap().to_owned()).collect();
        let request = format!("PATCH https://{}/x 200 OK", server.address);
        assert_eq!(lines, ["request: {}", request.as_str(), r#"answer: {"a":1}"#]);
    }

    #[tokio::test]
    async fn a_long_wait_is_told_and_ended() {
        let server =
            Server::start([reply("503 Service Unavailable", &["retry-after: 1"], ""), json("200 OK", "{}")]).await;
        let heard = Arc::new(Heard::default());
        let cluster = connect(&server.args(), &Environment::default(), heard.clone()).await.unwrap();
        cluster.call(&CALL, get()).await.unwrap();
        let lines = heard.lines();
        let busy = "waiting for the busy server (503), before try 2 of 4";
        // It is told again each second.
        let mut rest = lines.iter().skip_while(|line| *line != busy).skip_while(|line| *line == busy);
        assert_eq!(rest.next().map(String::as_str), Some("done"), "{lines:?}");
    }
}
