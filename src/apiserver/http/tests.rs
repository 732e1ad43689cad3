//! Tests of the HTTP layer with a fake server.

use crate::{
    apiserver::{
        ConnectionArgs, connect,
        http::*,
        testing::{Heard, Reply, Server, json, reply},
    },
    environment::Environment,
    error::Error,
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
    result.unwrap_err().into_message()
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
    let expected = "the server could not get canaries.flagger.app `podinfo` in namespace `shop`: it answered 503 Service Unavailable";
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
        let error = Error::from(cluster.call(&CALL, get()).await.unwrap_err());
        assert_eq!(error.message(), "no answer from the server within 50 ms");
        assert_eq!(error.hints(), ["wait longer: --request-timeout 1s"]);
    }
}

#[tokio::test]
async fn a_read_survives_one_broken_connection_and_a_write_none() {
    let server = Server::start([Reply::Close, json("200 OK", "{}")]).await;
    assert_eq!(server.connect().await.call(&CALL, get()).await.map(|answer| answer.body), Ok(b"{}".to_vec()));

    let server = Server::start([Reply::Close, json("200 OK", "{}")]).await;
    let broke = format!("the connection to the server {} was closed before it answered", server.address);
    assert_eq!(message(server.connect().await.call(&CALL, patch()).await), broke);
    assert_eq!(server.asked().len(), 1);

    let server = Server::start([Reply::Close]).await;
    let broke = format!("the connection to the server {} was closed before it answered", server.address);
    assert_eq!(message(server.connect().await.call(&CALL, get()).await), broke);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{";
    let server = Server::start([Reply::Cut(half.to_owned())]).await;
    let broke = format!("the connection to the server {} was closed in the middle of the answer", server.address);
    assert_eq!(message(server.connect().await.call(&CALL, get()).await), broke);
}

#[tokio::test]
async fn an_answer_that_would_fill_the_memory_is_given_up() {
    let server = Server::start([json("200 OK", &format!("{{{}}}", " ".repeat(ONE)))]).await;
    let error = Error::from(server.connect().await.call(&CALL, get()).await.unwrap_err());
    assert_eq!(error.message(), "the server's answer is larger than 16 MiB");
    assert_eq!(error.causes(), ["the request was to get canaries.flagger.app"]);
    // A list may be larger, and an error status with a body of that size counts as one without a body.
    let list = Call { verb: Verb::List, ..CALL };
    let answer = server.connect().await.call(&list, get()).await.unwrap();
    assert_eq!(answer.body.len(), ONE + 2);
    let refusal = format!(r#"{{"kind":"Status","message":"{}"}}"#, "x".repeat(ONE));
    let server = Server::start([json("403 Forbidden", &refusal)]).await;
    let failure = server.connect().await.call(&CALL, get()).await.unwrap_err();
    assert_eq!(Error::from(failure).message(), "the answer is not from a Kubernetes API server");
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
    let error = Error::from(server.connect().await.call(&CALL, get()).await.unwrap_err());
    assert_eq!(error.message(), "the answer is not from a Kubernetes API server");
    assert_eq!(error.causes(), [format!("http://{} answers 200 OK, text/html", server.address)]);

    let server = Server::start([Reply::Text("SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned())]).await;
    let error = Error::from(server.connect().await.call(&CALL, get()).await.unwrap_err());
    assert_eq!(error.causes(), ["it does not speak HTTP"]);
}

#[tokio::test]
async fn the_log_tells_requests_and_bodies_and_no_token_and_no_password() {
    let server = Server::start_tls("server.pem", [json("200 OK", r#"{"a":1}"#)]).await;
    let heard = Arc::new(Heard::default());
    let url = Some(format!("https://bob:s3cr3t@{}", server.address));
    let args = ConnectionArgs { verbosity: 8, token: Some("s3cr3t".into()), server: url, ..server.args() };
    let cluster = connect(&args, &Environment::default(), heard.clone()).await.unwrap();
    cluster.call(&CALL, patch()).await.unwrap();
    // On a slow machine the wait itself may be reported.
    let said = heard.lines().into_iter().filter(|line| !line.starts_with("waiting for ") && line != "done");
    let lines: Vec<String> = said.map(|line| line.split(" in ").next().unwrap().to_owned()).collect();
    let request = format!("PATCH https://{}/x 200 OK", server.address);
    assert_eq!(lines, ["request: {}", request.as_str(), r#"answer: {"a":1}"#]);
}

#[tokio::test]
async fn a_long_wait_is_told_and_ended() {
    let server = Server::start([reply("503 Service Unavailable", &["retry-after: 1"], ""), json("200 OK", "{}")]).await;
    let heard = Arc::new(Heard::default());
    let cluster = connect(&server.args(), &Environment::default(), heard.clone()).await.unwrap();
    cluster.call(&CALL, get()).await.unwrap();
    let lines = heard.lines();
    let busy = "waiting for the busy server (503), before try 2 of 4";
    // The wait is reported again each second.
    let mut rest = lines.iter().skip_while(|line| *line != busy).skip_while(|line| *line == busy);
    assert_eq!(rest.next().map(String::as_str), Some("done"), "{lines:?}");
}
