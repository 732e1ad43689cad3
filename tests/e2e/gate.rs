//! A webhook of Flagger's that passes until it is closed: how a test makes a rollout fail.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};

use crate::web;

const PORT: u16 = 9000;

/// The paths that nothing passes.
static CLOSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Opens the gates of all namespaces.
pub(crate) fn start() {
    web::serve(PORT, answer);
}

/// The gate of a namespace.
pub(crate) fn url(namespace: &str) -> String {
    format!("http://127.0.0.1:{PORT}/{namespace}")
}

/// From now on nothing passes in this namespace.
pub(crate) fn close(namespace: &str) {
    CLOSED.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("/{namespace}"));
}

fn answer(_: IpAddr, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    if CLOSED.lock().unwrap_or_else(PoisonError::into_inner).contains(request.uri().path()) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}
