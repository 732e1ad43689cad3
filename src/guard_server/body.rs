//! Request and response bodies: requests are limited in size, memory and time.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Largest request body. etcd stores objects of at most 1.5 MiB by default, and a review contains two.
pub(super) const LARGEST_BODY: usize = 8 << 20;
/// Largest body that does not count towards [`ROOM`]. Nearly all bodies are smaller.
pub(super) const SMALL_BODY: usize = 32 << 10;
/// Memory for all concurrent large bodies, in bytes.
const ROOM: usize = 24 << 20;
/// Unit of allocation from [`ROOM`], in bytes.
const UNIT: usize = 64 << 10;
const MOST_THROWN_AWAY: usize = 32 << 20;
const BODY_TIME: Duration = Duration::from_secs(5);
pub(super) type Answer = Response<Full<Bytes>>;

/// Memory budget for large bodies. Small bodies never wait for it.
#[derive(Debug)]
pub(super) struct Room(Semaphore);

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(ROOM / UNIT))
    }
}

impl Room {
    /// Extends a permit to a body of this size; `None` if the budget is exhausted.
    fn grow<'a>(&'a self, taken: Option<SemaphorePermit<'a>>, size: usize) -> Option<SemaphorePermit<'a>> {
        let have = taken.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = u32::try_from(size.div_ceil(UNIT).saturating_sub(have)).ok()?;
        let more = self.0.try_acquire_many(more).ok()?;
        Some(match taken {
            Some(mut taken) => {
                taken.merge(more);
                taken
            }
            None => more,
        })
    }
}

/// Reads a whole body within its limits and returns it with its permit. The rest of a body that is too large is read
/// and discarded up to a limit, so that a client that sends everything before reading receives the reason.
pub(super) async fn read(
    room: &Room,
    mut body: Incoming,
    largest: usize,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), (StatusCode, String)> {
    let (mut all, mut size, mut place, mut is_full) = (Vec::new(), 0, None, false);
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| ())?.into_data() else { continue };
            size += data.len();
            if size > MOST_THROWN_AWAY {
                break;
            }
            if size > SMALL_BODY && size <= largest && !is_full {
                place = room.grow(place.take(), size);
                is_full = place.is_none();
            }
            if size > largest || is_full {
                (all, place) = (Vec::new(), None);
                continue;
            }
            // Doubling the vector could use twice the permitted memory.
            if all.len() + data.len() > all.capacity() && size > SMALL_BODY {
                all.reserve_exact(size.div_ceil(UNIT) * UNIT - all.len());
            }
            all.extend_from_slice(&data);
        }
        Ok::<_, ()>(())
    };
    let result = tokio::time::timeout(BODY_TIME, reading).await;
    match result {
        _ if size > largest => Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {largest} bytes\n"))),
        _ if is_full => Err((StatusCode::SERVICE_UNAVAILABLE, "too many large bodies at a time\n".into())),
        Ok(Ok(())) => Ok((all, place)),
        Ok(Err(())) => Err((StatusCode::BAD_REQUEST, "the body ended early\n".into())),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long\n".into())),
    }
}

/// Returns a plain-text response.
pub(super) fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Returns a JSON response.
pub(super) fn json(text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
