//! What `cookie` shows, sent to the real Traefik.

use std::net::Ipv4Addr;

use serde_json::json;
use testbed::wait::until;

use super::{SITE_OF_COOKIES, SITE_OF_SAFE_NAMES, site::Site};
use crate::{
    application::{PAGE, TRACK},
    shop::NAME,
    traefik::{Traefik, WEB, numbers},
    web::{Connection, block_on},
};

/// How often each cookie is sent: without a pin, the weights of 50 to 50 would show in one of a million runs.
const REQUESTS: usize = 20;

/// The first Traefik with SHA-256 hashes in cookies.
const FIRST_WITH_SHA_256: &str = "3.3.4";
/// The first Traefik with safeNaming.
const FIRST_WITH_SAFE_NAMES: &str = "3.7.11";

/// The tracks that answer requests with this cookie.
fn tracks(traefik: Ipv4Addr, host: &str, cookie: &str) -> Vec<String> {
    let (host, cookie) = (host.to_owned(), cookie.to_owned());
    block_on(async move {
        let mut connection = Connection::open((traefik, WEB)).await.expect("a connection");
        let mut tracks = Vec::new();
        for _ in 0..REQUESTS {
            let answer = connection.get(&host, PAGE, &cookie).await.expect("an answer");
            tracks.push(answer.headers[TRACK].to_str().expect("a track").to_owned());
        }
        tracks.sort_unstable();
        tracks.dedup();
        tracks
    })
}

pub(crate) fn each_cookie_that_is_shown_pins_to_its_track_with_and_without_safe_naming() {
    let site = Site::new("cookies");
    let rule = format!("Host(`{}`)", site.host);
    site.ingress_route(&rule, &json!({}));
    let set = site.run(["sticky", "set", NAME, "--name", "login", "--yes"]);
    assert_eq!(set.code, Some(0), "{set}");
    let namespaces = [site.namespace.name()];
    let plain = super::start(SITE_OF_COOKIES, &namespaces, &[]);
    site.waits(&plain, vec![rule]);
    let version = plain.version();
    let has_safe_names = version >= numbers(FIRST_WITH_SAFE_NAMES);
    let safe = has_safe_names
        .then(|| super::start(SITE_OF_SAFE_NAMES, &namespaces, &["--providers.kubernetescrd.safenaming=true"]));
    if let Some(safe) = &safe {
        has_pods(safe, namespaces[0]);
    }
    let shown = site.run(["cookie", NAME]);
    let mut sent = Vec::new();
    for line in shown.stdout.lines().skip(1) {
        let words: Vec<_> = line.split_whitespace().collect();
        let (track, cookie) = (words[0], words[words.len() - 1]);
        // What a later version writes does not pin yet.
        let is_known = words[2] == "before" || version >= numbers(words[2].trim_end_matches(','));
        if !is_known {
            continue;
        }
        let traefik = if line.contains("safeNaming") { SITE_OF_SAFE_NAMES } else { SITE_OF_COOKIES };
        assert_eq!(tracks(traefik, &site.host, cookie), [track], "{line}");
        sent.push(track);
    }
    // Hashes with SHA-256, and safe names, came with later versions.
    let generations =
        2 + [FIRST_WITH_SHA_256, FIRST_WITH_SAFE_NAMES].iter().filter(|it| version >= numbers(it)).count();
    sent.sort_unstable();
    assert_eq!(sent, [vec!["canary"; generations], vec!["primary"; generations]].concat(), "{shown}");
    // What pins on none is drawn.
    assert_eq!(tracks(SITE_OF_COOKIES, &site.host, "login=0123456789abcdef"), ["canary", "primary"]);
}

/// Waits until Traefik with safe names has the cookie and the pods.
fn has_pods(traefik: &Traefik, namespace: &str) {
    let is_there = |id: &str, part: &str| {
        let service = traefik.service(&format!("{namespace}_{NAME}{id}@kubernetescrd"));
        service.is_some_and(|service| service.pointer(part).is_some())
    };
    let child = |at: usize, track: &str| format!("_wrr_{at}_{namespace}_{NAME}-{track}_80");
    until("Traefik to have the cookie and the pods", || {
        (is_there("", "/weighted/sticky/cookie/name")
            && is_there(&child(0, "primary"), "/serverStatus")
            && is_there(&child(1, "canary"), "/serverStatus"))
        .then_some(())
    });
}
