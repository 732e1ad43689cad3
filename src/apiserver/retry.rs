//! Retries while the server is busy, and their backoff. No I/O.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use http::{HeaderMap, StatusCode, header};

use crate::apiserver::status::Refusal;

/// Maximum number of attempts for a request.
pub(crate) const TRIES: u32 = 4;
/// Maximum total wait between the attempts of one call.
const WAIT_IN_ALL: Duration = Duration::from_secs(30);
const FIRST: Duration = Duration::from_millis(200);

/// The retry state of a call.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Number of refusals so far.
    pub(crate) tries: u32,
    /// Total wait so far.
    waited: Duration,
}

impl Retries {
    /// Counts a refusal. Returns the wait before the next attempt, or `None` if there is none.
    pub(crate) fn next(&mut self, headers: &HeaderMap, refusal: &Refusal) -> Option<Duration> {
        self.tries += 1;
        let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
        if !busy.iter().any(|code| code.as_u16() == refusal.code) || self.tries >= TRIES {
            return None;
        }
        let named = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let wait = match named.or(refusal.retry_after) {
            Some(seconds) => Duration::from_secs(seconds),
            None => (FIRST * 2_u32.pow(self.tries - 1)).mul_f64(0.5 + random()),
        };
        self.waited = self.waited.checked_add(wait).filter(|waited| *waited <= WAIT_IN_ALL)?;
        Some(wait)
    }
}

/// Returns a random number from 0 to 1, to spread clients that were all rejected at the same moment.
fn random() -> f64 {
    // Each `RandomState` has different keys.
    let bits = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: [Duration; 0] = [];

    fn refusal(code: u16, retry_after: Option<u64>) -> Refusal {
        Refusal { code, retry_after, ..Refusal::default() }
    }

    fn waits(code: u16, header: Option<&str>, details: Option<u64>) -> Vec<Duration> {
        let headers = header.map(|value| (header::RETRY_AFTER, value.parse().unwrap())).into_iter().collect();
        let mut retries = Retries::default();
        std::iter::from_fn(|| retries.next(&headers, &refusal(code, details))).collect()
    }

    #[test]
    fn the_server_says_how_long_header_first() {
        let seconds = |count: u64| vec![Duration::from_secs(count); 3];
        assert_eq!(waits(429, Some("2"), Some(5)), seconds(2));
        assert_eq!(waits(503, None, Some(5)), seconds(5));
        assert_eq!(waits(504, Some("0"), None), seconds(0));
    }

    #[test]
    fn a_wait_that_is_too_long_is_not_begun() {
        assert_eq!(waits(503, Some("60"), None), NEVER);
        assert_eq!(waits(503, Some("20"), None), [Duration::from_secs(20)]);
        assert_eq!(waits(503, Some("18446744073709551615"), None), NEVER);
    }

    #[test]
    fn without_a_word_the_wait_doubles_with_some_luck() {
        for _ in 0..100 {
            let all = waits(503, Some("Wed, 21 Oct 2026 07:28:00 GMT"), None);
            assert_eq!(all.len(), 3);
            for (wait, base) in all.into_iter().zip([200, 400, 800]) {
                let range = Duration::from_millis(base / 2)..=Duration::from_millis(base * 3 / 2);
                assert!(range.contains(&wait), "{wait:?} around {base} ms");
            }
        }
    }

    #[test]
    fn other_refusals_are_final() {
        for code in [400, 401, 403, 404, 409, 422, 500, 502] {
            assert_eq!(waits(code, Some("0"), Some(0)), NEVER, "{code}");
        }
    }
}
