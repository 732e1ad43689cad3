//! The application that is rolled out: pods are addresses of this host, and one server answers for all of
//! them, as the pod whose address was asked.
//!
//! A login goes /login → /auth → /callback → /home, as with single sign-on. Every answer says which version
//! gave it, and on which track. A pod that was taken out of its Service goes on answering, as one does that
//! ends gracefully.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, Once, PoisonError},
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};

use crate::web;

/// The port of every pod.
pub(crate) const PORT: u16 = 9898;
/// The steps of a login, each redirecting to the next.
pub(crate) const STEPS: [&str; 4] = ["/login", "/auth", "/callback", "/home"];
/// A page that redirects nowhere.
pub(crate) const PAGE: &str = STEPS[3];
/// What pages load beside themselves.
pub(crate) const ASSET: &str = "/style.css";
/// Which version answered.
pub(crate) const VERSION: &str = "x-version";
/// Which track answered.
pub(crate) const TRACK: &str = "x-track";
/// The `Cookie` header that the application got, if it got one.
pub(crate) const RECEIVED: &str = "x-received";

/// What an address answers as.
#[derive(Debug, Clone)]
struct Pod {
    track: &'static str,
    version: String,
}

static PODS: Mutex<BTreeMap<Ipv4Addr, Pod>> = Mutex::new(BTreeMap::new());

/// A new pod that answers from now on.
pub(crate) fn start_pod(track: &'static str, version: &str) -> Ipv4Addr {
    static SERVER: Once = Once::new();
    SERVER.call_once(|| web::serve(PORT, answer));
    let mut pods = PODS.lock().unwrap_or_else(PoisonError::into_inner);
    let next = pods.keys().last().map_or(Ipv4Addr::new(198, 18, 1, 1).to_bits(), |last| last.to_bits() + 1);
    let address = Ipv4Addr::from_bits(next);
    pods.insert(address, Pod { track, version: version.to_owned() });
    address
}

fn answer(address: IpAddr, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    let IpAddr::V4(address) = address else { unreachable!("it listens on IPv4 alone") };
    let pod = PODS.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned();
    let step = STEPS.iter().position(|step| *step == request.uri().path());
    let (Some(pod), true) = (pod, step.is_some() || request.uri().path() == ASSET) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let version = HeaderValue::from_str(&pod.version).expect("a version is printable");
    response.headers_mut().insert(VERSION, version);
    response.headers_mut().insert(TRACK, HeaderValue::from_static(pod.track));
    if let Some(cookies) = request.headers().get(header::COOKIE) {
        response.headers_mut().insert(RECEIVED, cookies.clone());
    }
    if let Some(next) = step.and_then(|step| STEPS.get(step + 1)) {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(next));
    }
    response
}
