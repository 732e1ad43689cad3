//! Webhooks of Flagger's that pass as often as a test lets them: how it holds a rollout at a step, and makes it fail.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};

use crate::web;

const PORT: u16 = 9000;

/// How often each path still passes; one that is not here, always.
static LEFT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Opens the gates of all namespaces, if they are not open.
pub(crate) fn start() {
    static SERVER: Once = Once::new();
    SERVER.call_once(|| web::serve(PORT, answer));
}

/// The gate of this name in a namespace.
pub(crate) fn url(namespace: &str, name: &str) -> String {
    format!("http://127.0.0.1:{PORT}{}", path(namespace, name))
}

/// From now on it passes so often, and then no more.
pub(crate) fn passes(namespace: &str, name: &str, times: usize) {
    left().insert(path(namespace, name), times);
}

/// From now on it passes always.
pub(crate) fn opens(namespace: &str, name: &str) {
    left().remove(&path(namespace, name));
}

fn path(namespace: &str, name: &str) -> String {
    format!("/{namespace}/{name}")
}

fn left() -> MutexGuard<'static, BTreeMap<String, usize>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(_: IpAddr, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    match left().get_mut(request.uri().path()) {
        Some(0) => *response.status_mut() = StatusCode::FORBIDDEN,
        Some(left) => *left -= 1,
        None => {}
    }
    response
}
