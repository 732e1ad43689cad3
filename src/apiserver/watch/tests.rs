//! Tests of list and watch with a fake server.

use crate::apiserver::{
    testing::{Reply, Server, json, reply},
    watch::*,
};

const EXPIRED: &str = r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}"#;

fn page(version: &str, next: &str, names: &[&str]) -> Reply {
    let items: Vec<_> = names.iter().map(|name| serde_json::json!({"metadata": {"name": name}})).collect();
    let metadata = serde_json::json!({"resourceVersion": version, "continue": next});
    json("200 OK", &serde_json::json!({"kind": "CanaryList", "metadata": metadata, "items": items}).to_string())
}

fn event(kind: &str, name: &str, version: &str) -> String {
    let object = serde_json::json!({"metadata": {"name": name, "resourceVersion": version}});
    format!("{}\n", serde_json::json!({"type": kind, "object": object}))
}

fn watched(events: &[String]) -> Reply {
    json("200 OK", &events.concat())
}

/// Returns the events of this many calls, each call's with its result and the resourceVersion after it, and the queries
/// that were sent.
async fn told(replies: impl IntoIterator<Item = Reply>, calls: usize) -> (Vec<String>, Vec<String>) {
    let server = Server::start(replies).await;
    let cluster = server.connect().await;
    let collection = Collection::new("flagger.app/v1beta1", "canaries.flagger.app", Some("shop"), &Part::Whole);
    let (mut place, mut lines) = (String::new(), Vec::new());
    for _ in 0..calls {
        let mut take = |event: Event| {
            let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            lines.push(match event {
                Event::Init => "begin".to_owned(),
                Event::InitApply(object) => format!("{} is there", name(&object)),
                Event::Apply(object) => format!("{} is", name(&object)),
                Event::TooLarge(target) => format!("{target:?} too large"),
                Event::InitDone => "listed".to_owned(),
                Event::Delete(object) => format!("{} was", name(&object)),
            });
        };
        let result = cluster.follow(&collection, &mut place, &mut take).await;
        let result = result.map_err(Failure::into_log_message);
        lines.push(format!("{result:?} at {place:?}"));
    }
    let query = |request: String| request.lines().next()?.split(['?', ' ']).nth(2).map(str::to_owned);
    (lines, server.asked().into_iter().filter_map(query).collect())
}

#[tokio::test]
async fn pages_are_listed_then_changes_are_told_and_the_next_call_goes_on_behind_them() {
    let first = [event("ADDED", "c", "11"), event("MODIFIED", "a", "12"), event("BOOKMARK", "", "20")];
    let second = [event("DELETED", "b", "21")];
    let replies = [page("10", "n/1", &["a"]), page("10", "", &["b"]), watched(&first), watched(&second)];
    let (lines, asked) = told(replies, 2).await;
    assert_eq!(
        lines,
        [
            "begin",
            "a is there",
            "b is there",
            "listed",
            "c is",
            "a is",
            r#"Ok(()) at "20""#,
            "b was",
            r#"Ok(()) at "21""#
        ]
    );
    let watch = "watch=true&allowWatchBookmarks=true&timeoutSeconds=10&resourceVersion=";
    assert_eq!(
        asked,
        ["limit=100&continue=", "limit=100&continue=n%2F1", &format!("{watch}10"), &format!("{watch}20")]
    );
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_place_is_asked_for_everything_anew() {
    let in_the_watch = watched(&[format!(r#"{{"type":"ERROR","object":{EXPIRED}}}{}"#, "\n")]);
    for gone in [json("410 Gone", EXPIRED), in_the_watch] {
        let (lines, _) = told([page("10", "", &["a"]), gone, page("30", "", &["b"]), watched(&[])], 2).await;
        assert_eq!(
            lines,
            ["begin", "a is there", "listed", r#"Ok(()) at """#, "begin", "b is there", "listed", r#"Ok(()) at "30""#]
        );
    }
}

#[tokio::test]
async fn whatever_a_server_calls_a_version_or_a_page_is_one_value_of_the_query() {
    let odd = "1 0&watch=false#%\u{1b}";
    let (lines, asked) = told([page(odd, odd, &[]), page(odd, "", &[]), watched(&[])], 1).await;
    assert_eq!(lines.last().map(String::as_str), Some(format!("Ok(()) at {odd:?}").as_str()));
    assert_eq!(asked[1], "limit=100&continue=1%200%26watch%3Dfalse%23%25%1B");
    assert_eq!(asked[2].rsplit('&').next(), Some("resourceVersion=1%200%26watch%3Dfalse%23%25%1B"));
}

#[tokio::test]
async fn a_version_that_fits_into_no_request_is_a_failure() {
    let (lines, _) = told([page(&"1".repeat(70_000), "", &[])], 1).await;
    let expected = "Err(\"a request for an address of 70121 characters cannot be sent\") at";
    assert_eq!(lines.last().map(|line| &line[..expected.len()]), Some(expected));
}

#[tokio::test]
async fn a_list_that_ran_out_between_two_pages_begins_again() {
    let replies = [page("10", "n", &["a"]), json("410 Gone", EXPIRED), page("30", "", &["b"]), watched(&[])];
    let (lines, asked) = told(replies, 2).await;
    let [begin, a, refused, rest @ ..] = &*lines else { panic!("{lines:?}") };
    assert_eq!((begin.as_str(), a.as_str(), refused.ends_with(r#" at """#)), ("begin", "a is there", true));
    assert_eq!(rest, ["begin", "b is there", "listed", r#"Ok(()) at "30""#]);
    assert_eq!(asked[2], "limit=100&continue=");
}

#[tokio::test]
async fn a_watch_that_breaks_off_in_an_event_keeps_the_place_before_it() {
    let whole = event("ADDED", "c", "11");
    let cut =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n2\r\n{{\"\r\n", whole.len());
    let (lines, asked) = told([page("10", "", &[]), Reply::Cut(cut), watched(&[])], 2).await;
    assert_eq!((&lines[..3], lines[3].starts_with("Err(")), (&["begin", "listed", "c is"].map(String::from)[..], true));
    assert!(lines[3].ends_with(r#" at "11""#), "{lines:?}");
    assert_eq!(asked[2].rsplit('=').next(), Some("11"));
}

#[tokio::test]
async fn an_event_in_pieces_is_one_event() {
    let event = event("ADDED", "c", "11");
    let (front, back) = event.split_at(9);
    let body = format!("9\r\n{front}\r\n{:x}\r\n{back}\r\n0\r\n\r\n", back.len());
    let pieces = Reply::Text(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}"));
    let (lines, _) = told([page("10", "", &[]), pieces], 1).await;
    assert_eq!(lines, ["begin", "listed", "c is", r#"Ok(()) at "11""#]);
}

#[tokio::test]
async fn a_failure_that_the_server_tells_in_a_watch_is_one() {
    let status = r#"{"kind":"Status","code":500,"message":"etcd is away"}"#;
    let failed = watched(&[format!(r#"{{"type":"ERROR","object":{status}}}{}"#, "\n")]);
    let (lines, _) = told([page("10", "", &[]), failed, reply("200 OK", &[], "")], 2).await;
    assert_eq!(lines[3..], [r#"Ok(()) at "10""#]);
    assert!(lines[2].starts_with("Err(") && lines[2].ends_with(r#" at "10""#), "{lines:?}");
}
