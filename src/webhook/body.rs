//! Bodies: what comes in is read within size, room and time, and what goes out says what it is.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use tokio::sync::SemaphorePermit;

use super::Shared;

/// etcd takes objects of at most 1.5 MiB, and a review holds two of them.
pub(super) const LARGEST_BODY: usize = 3 << 20;
/// What a body may take when it is read, in bytes.
const MOST_ROOM: usize = 32 << 20;
/// Nearly every body is smaller; of larger ones only [`LARGE_BODIES`] are in memory at a time.
pub(super) const SMALL_BODY: usize = 32 << 10;
/// How many large bodies are in memory at a time.
pub(super) const LARGE_BODIES: usize = 8;
const MOST_THROWN_AWAY: usize = 32 << 20;
const BODY_TIME: Duration = Duration::from_secs(5);
pub(super) type Answer = Response<Full<Bytes>>;
/// Among [`LARGE_BODIES`].
type Place<'a> = SemaphorePermit<'a>;

/// The whole body, within size and time, and its place. Of one that is too large some is thrown away, so that a client
/// that sends first and reads then gets to see why.
pub(super) async fn read(
    shared: &Shared,
    mut body: Incoming,
    largest: usize,
) -> Result<(Vec<u8>, Option<Place<'_>>), (StatusCode, String)> {
    let (mut all, mut size, mut place, mut is_full) = (Vec::new(), 0, None, false);
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| ())?.into_data() else { continue };
            size += data.len();
            if size > MOST_THROWN_AWAY {
                break;
            }
            if size > SMALL_BODY && place.is_none() {
                place = shared.large.try_acquire().ok();
                is_full = is_full || place.is_none();
            }
            if size > largest || is_full {
                all = Vec::new();
                continue;
            }
            all.extend_from_slice(&data);
        }
        Ok::<_, ()>(())
    };
    let result = tokio::time::timeout(BODY_TIME, reading).await;
    match result {
        _ if size > largest => Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {largest} bytes\n"))),
        _ if is_full => Err((StatusCode::SERVICE_UNAVAILABLE, "too many large bodies at a time\n".into())),
        Ok(Ok(())) if room(&all) > MOST_ROOM => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "a body has not that many parts\n".into()))
        }
        Ok(Ok(())) => Ok((all, place)),
        Ok(Err(())) => Err((StatusCode::BAD_REQUEST, "the body broke off\n".into())),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long\n".into())),
    }
}

/// What a body takes as values, about: a mapping that holds anything has room for eleven entries (`BTreeMap`), an entry
/// of a list 32 bytes and as much again in a list that grows.
fn room(body: &[u8]) -> usize {
    let mappings = body.windows(2).filter(|pair| pair[0] == b'{' && pair[1] != b'}').count();
    let entries = body.iter().filter(|&&byte| matches!(byte, b',' | b'[')).count();
    body.len() + 640 * mappings + 64 * entries
}

/// An answer in words.
pub(super) fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// An answer in JSON.
pub(super) fn json(text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
