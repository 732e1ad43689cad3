//! The handler of Flagger's `rollout` webhook: opens pages of a Canary as `verify` does, and fails the analysis if the cookie
//! does not stick.
//!
//! The pages are those that the Canary's own webhooks name, not those of the request, and all connections lead to the
//! configured Traefik. So a client of this port can make the process request nothing else.

use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use jiff::Timestamp;

use crate::{
    apiserver::site::SiteTrust,
    error::Error,
    flagger::{Declared, webhook::metadata_of_webhooks},
    guard::webhook::STICKY,
    guard_server::{
        asked::{self, Found, judged},
        body::{Answer, text},
        parts::{VERIFIED_CANARY, VERIFIED_SERVICE},
        shared::Shared,
        verdicts::{Unjudged, Verified},
    },
    model::NamespacedName,
    observed::{Loaded, Observed},
    text::{escaped, without_userinfo},
    traefik::{Serving, throttle::until_in_force},
    verify::{Outcome, Page, Setup, Verification, judge, pages::with_entry},
    web::{
        TraefikAddress, Way, Web, page,
        visits::{Seen, Until, Visits},
    },
};

/// Timeout for an answer. Flagger waits 10 s, unless the webhook has another `timeout`.
const PATIENCE: Duration = Duration::from_secs(9);
/// Time for the browsers.
const LIMIT: Duration = Duration::from_secs(5);
/// Timeout for a page.
const PAGE: Duration = Duration::from_secs(3);
/// Number of browsers. A prime: see `verify --browsers`.
const BROWSERS: usize = 5;
/// Number of pages that each browser opens; each page at least twice.
const VISITS: usize = 4;
/// Requests per second.
const RATE: u32 = 20;
/// Number of pages that webhooks of one Canary may name.
const MOST_PAGES: usize = 8;
/// The longest flow that a session or another lifetime has to cover, in seconds: the default of `verify --flow`.
const FLOW: i64 = 60;
/// The longest text: Flagger puts it into an event, whose message may have 1024 characters.
const LONGEST: usize = 700;

/// The metadata of the webhook that names the pages.
const URL: &str = "url";

/// Answers Flagger: 200 means that no check fails, everything else that the cookie does not stick, or that this could not be
/// checked. The body states the reason.
pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let verdict = async |target: NamespacedName| shared.verifier.lookups.get(&target, look(shared, &target)).await;
    let (word, status, reason) = match judged(shared, request, (PATIENCE, "the pages"), verdict).await {
        Ok(Verified { holds: true, text }) => ("holds", StatusCode::OK, text),
        Ok(Verified { holds: false, text }) => ("fails", StatusCode::FORBIDDEN, text),
        Err((word, status, reason)) => (word, status, format!("cannot verify the cookie: {reason}")),
    };
    shared.metrics.verified(word);
    text(status, format!("{reason}\n"))
}

/// Opens the pages of a Canary.
async fn look(shared: &Shared, target: &NamespacedName) -> Result<Verified, Unjudged> {
    let traefik = &shared.traefik;
    if *traefik == TraefikAddress::default() {
        return Err(unusable("this guard was started without --traefik-url".into()));
    }
    let loaded = load(shared, target).await?;
    let setup = setup(&loaded)?;
    for page in &setup.pages {
        let scheme = if page.is_secure { "https" } else { "http" };
        traefik.of(page.is_secure).map_err(|_| unusable(format!("this guard has no --traefik-url with {scheme}")))?;
    }
    let now = Timestamp::now().as_second();
    if let Some(service) = &loaded.service {
        tokio::time::sleep(until_in_force(service, now)).await;
    }
    // These browsers have no secrets, and the name in the certificate is that of the public site: whatever answers may be asked.
    let web = Web { way: Way::Traefik(traefik.clone()), trust: SiteTrust::Anyone, timeout: Some(PAGE) };
    let until = Until::Pages(VISITS.max(2 * setup.pages.len()));
    let visits = Visits::new(&web, &setup, RATE, now, &|_| {});
    // Without a cookie there is nothing to ask for.
    let seen = if setup.names.is_empty() {
        Seen::default()
    } else {
        visits.all(BROWSERS, until, Some(LIMIT)).await.map_err(|error| unreachable(&error))?
    };
    if let Some(error) = &seen.ended {
        return Err(unreachable(error));
    }
    let moved = loaded.moved(&load(shared, target).await?);
    let verdict = verdict(&judge(&setup, &seen.exchanges, moved, &str::to_owned));
    let message = if verdict.holds { "the cookie sticks" } else { "the cookie does not stick" };
    let label = if verdict.holds { "holds" } else { "fails" };
    shared.verifier.tell(&shared.log, target, (label, ""), message, &verdict.text);
    Ok(verdict)
}

/// Reads a Canary and its TraefikService.
async fn load(shared: &Shared, target: &NamespacedName) -> Result<Loaded, Unjudged> {
    let (canary, object) = asked::canary(shared, target, &VERIFIED_CANARY).await?;
    let found = asked::service(shared, &canary, &VERIFIED_SERVICE).await?;
    let (service, value) = found.map_or((None, None), |(service, value, _): Found| (Some(service), Some(value)));
    Ok(Loaded::of(Observed::pair(canary, service), object, value))
}

/// Puts together what is under test. The routes are not read: every page has to set the cookie.
fn setup(loaded: &Loaded) -> Result<Setup, Unjudged> {
    let canary = &loaded.observed.canary;
    if let Declared::Malformed(..) = canary.declared {
        return Err(unusable("the declared cookie is malformed".into()));
    }
    let namespace = canary.target.namespace.as_deref();
    let entry = canary.declared_entry().map_or_else(Vec::new, |entry| entry.paths().to_vec());
    let serving = Serving::default();
    let names = loaded.cookie_names(namespace);
    Ok(Setup {
        canary: canary.target.name.clone(),
        service: canary.service_name.clone().unwrap_or_default(),
        names,
        tracks: loaded.tracks(namespace),
        live: Ok(loaded.observed.live_cookie().is_some()),
        pages: with_entry(&named(&loaded.canary)?, &entry, &serving),
        entry,
        flow: FLOW,
        serving,
    })
}

/// Returns the pages that the webhooks of a Canary name.
fn named(canary: &serde_json::Value) -> Result<Vec<Page>, Unjudged> {
    let mut pages = Vec::new();
    let texts = metadata_of_webhooks(canary, STICKY, URL);
    let words = texts.iter().flat_map(|text| text.split([',', ' ', '\n', '\t'])).filter(|word| !word.is_empty());
    for word in words {
        let page = page(word).map_err(|reason| {
            unusable(format!("`{}` in metadata.{URL} cannot be opened: {reason}", escaped(&without_userinfo(word))))
        })?;
        if !pages.contains(&page) {
            pages.push(page);
        }
    }
    match pages.len() {
        0 => Err(unusable(format!("no webhook of the Canary with the path {STICKY} names a page in metadata.{URL}"))),
        1..=MOST_PAGES => Ok(pages),
        _ => Err(unusable(format!("metadata.{URL} names more than {MOST_PAGES} pages"))),
    }
}

fn verdict(verification: &Verification) -> Verified {
    let failed = verification.checks.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Fails(findings) => Some(findings.iter().map(|finding| finding.message.as_str())),
        Outcome::Holds | Outcome::Skipped(_) => None,
    });
    let failed: Vec<_> = failed.flatten().collect();
    let Verification { browsers, requests, .. } = verification;
    let mut text = escaped(&match failed.as_slice() {
        [] => format!("{} ({browsers} browsers, {requests} requests)", verification.verdict()),
        failed => format!("{}: {}", verification.verdict(), failed.join("; ")),
    });
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    Verified { holds: verification.holds(), text }
}

fn unusable(reason: String) -> Unjudged {
    ("not_set_up", StatusCode::BAD_REQUEST, reason)
}

fn unreachable(error: &Error) -> Unjudged {
    let causes: Vec<_> = std::iter::once(error.message()).chain(error.causes().iter().map(String::as_str)).collect();
    ("unreachable", StatusCode::BAD_GATEWAY, escaped(&causes.join(": ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_those_of_the_canarys_webhooks() {
        let named = |urls: &[&str]| {
            let webhook = |url: &&str| json!({"url": "http://guard/verify/sticky", "metadata": {"url": url}});
            let webhooks: Vec<_> = urls.iter().map(webhook).collect();
            let canary = json!({"spec": {"analysis": {"webhooks": webhooks}}});
            super::named(&canary)
                .map_err(|(_, status, reason)| (status.as_u16(), reason))
                .map(|pages| pages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            named(&["https://a/login, https://b/", "https://a/login\nhttp://c:8000/x"]),
            Ok("https://a/login https://b/ http://c:8000/x".into())
        );
        let wrong = |reason: &str| Err((400, reason.to_owned()));
        assert_eq!(
            named(&[]),
            wrong("no webhook of the Canary with the path /verify/sticky names a page in metadata.url")
        );
        assert_eq!(
            named(&["https://bob:hunter2@a/"]),
            wrong("`https://a/` in metadata.url cannot be opened: it must not have a user or a password")
        );
        let many: Vec<_> = (0..9).map(|number| format!("http://a/{number}")).collect();
        assert_eq!(named(&[&many.join(",")]), wrong("metadata.url names more than 8 pages"));
    }

    #[test]
    fn what_flagger_is_told_fits_into_an_event() {
        let finding = |message: &str| {
            Outcome::Fails(vec![crate::verify::Finding { message: message.to_owned(), fix: None, times: 1 }])
        };
        let mut verification = judge(&setup(&loaded()).unwrap(), &[], None, &str::to_owned);
        verification.checks = vec![(crate::verify::Check::Set, finding(&"é\n".repeat(1_000)))];
        let verdict = verdict(&verification);
        assert_eq!((verdict.holds, verdict.text.chars().count()), (false, LONGEST + 1));
        assert!(!verdict.text.chars().any(char::is_control));
    }

    fn loaded() -> Loaded {
        let webhook = json!({"url": "http://guard/verify/sticky", "metadata": {"url": "http://a/"}});
        let object =
            json!({"metadata": {"name": "shop", "namespace": "web"}, "spec": {"analysis": {"webhooks": [webhook]}}});
        let canary = crate::flagger::Canary::from_object(&object).unwrap();
        Loaded::of(Observed::pair(canary, None), object, None)
    }
}
