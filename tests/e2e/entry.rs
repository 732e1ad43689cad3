//! A rollout with an entry: where a login begins, its pin begins anew.

use std::{
    net::IpAddr,
    sync::{Mutex, Once, PoisonError},
};

use http::{Request, Response, header};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};
use testbed::wait::until;

use crate::{
    application::STEPS,
    browser::SESSION,
    people::{self, Share},
    rollouts::{PROCESSES, Visited, is_there, visit_by},
    shop::{NAME, Shop},
    traefik::Traefik,
    web,
    webhook::sticky_of,
};

/// Longer than a login takes, and shorter than a step.
pub(crate) const MAX_AGE: u64 = 15;
/// How many people come back: enough for what chance does to be less than 8 points at every step.
const PEOPLE: usize = 96;
/// Where a forwardAuth asks.
const AUTH: u16 = 9010;

/// How often a forwardAuth before the entry was asked about it, and how often with the application's cookie.
static ASKED: Mutex<(usize, usize)> = Mutex::new((0, 0));

/// A rollout with an entry.
pub(crate) struct Entered {
    pub(crate) visited: Visited,
    /// How often the forwardAuth was asked about the entry, and how often with the application's cookie.
    pub(crate) asked: (usize, usize),
    /// The routers that Traefik had of this namespace: name, rule, priority and status.
    pub(crate) routers: Vec<Value>,
}

/// Creates the Canary, whose route has a forwardAuth.
pub(crate) fn create(shop: &Shop) {
    static SERVER: Once = Once::new();
    SERVER.call_once(|| web::serve(AUTH, allow));
    shop.create(&json!({ "interval": "30s", "threshold": 2, "stepWeights": [10, 25, 50, 100] }), None);
    let address = format!("http://127.0.0.1:{AUTH}/");
    shop.namespace().create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": "auth" },
        "spec": { "forwardAuth": { "address": address } },
    }));
    let middlewares = json!([{ "op": "add", "path": "/spec/routes/0/middlewares", "value": [{ "name": "auth" }] }]);
    let path = shop.namespace().path("IngressRoute", NAME);
    let admin = shop.namespace().server().admin();
    let answer = admin.ask(&http::Method::PATCH, &path, "application/json-patch+json", middlewares.to_string());
    answer.expect("the route gets a middleware");
}

/// Rolls it out after the program has set the cookie with its entry.
pub(crate) fn roll_out(shop: &Shop, traefik: &Traefik) -> Entered {
    let mut routers = Vec::new();
    let visited = visit_by(PEOPLE, shop, traefik, &sticky_of(MAX_AGE), |sampler| {
        is_there(sampler);
        let max_age = MAX_AGE.to_string();
        let set = [
            "sticky",
            "set",
            NAME,
            "--name",
            "login",
            "--path",
            "/",
            "--max-age",
            &max_age,
            "--entry",
            STEPS[0],
            "--yes",
        ];
        let output = shop.namespace().run(set).run();
        assert_eq!(output.code, Some(0), "{output}");
        routers = until("Traefik to have the entry", || {
            let routers = traefik.routers(shop.namespace().name());
            (routers.len() == 2).then_some(routers)
        });
        is_there(sampler)
    });
    let asked = *ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    Entered { visited, asked, routers }
}

fn allow(_: IpAddr, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("x-forwarded-uri") == STEPS[0] {
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        asked.0 += 1;
        asked.1 += usize::from(text(header::COOKIE.as_str()).split("; ").any(|cookie| cookie == SESSION));
    }
    Response::new(Empty::new())
}

fn entered() -> &'static Entered {
    &PROCESSES.webhook.get().entered
}

fn shares() -> Vec<Share> {
    let visited = &entered().visited;
    people::shares(&visited.returning, &visited.seen.weights)
}

pub(crate) fn with_an_entry_at_most_one_login_in_500_changes_version_promotion_included() {
    let (logins, moved) = people::moved(&entered().visited.returning);
    assert!(logins >= 500, "{logins} logins");
    assert!(moved * 500 <= logins, "{moved} of {logins}");
    assert_eq!(entered().visited.failures, [""; 0]);
}

#[expect(clippy::cast_precision_loss, reason = "some hundred pins")]
pub(crate) fn with_an_entry_people_who_come_back_see_the_canary_as_its_weight_says_at_every_step() {
    let shares = shares();
    // Flagger leaves the primary's weight out at 100, and Traefik takes 1.
    assert_eq!(shares.iter().map(|share| share.weight).collect::<Vec<_>>(), [10, 25, 50, 99]);
    for share in shares {
        // What chance does to so many pins in 99 of 100 steps.
        let weight = share.weight as f64;
        let chance = 2.6 * (weight * (100.0 - weight) / share.pins as f64).sqrt();
        assert!(chance <= 8.0, "{share:?}: within {chance:.1}");
        assert!((share.percent() - weight).abs() <= 8.0, "{share:?} is {:.1} %", share.percent());
    }
}

pub(crate) fn at_the_entry_the_application_sees_no_cookie_and_everywhere_else_all_of_them() {
    let visits = &entered().visited.returning;
    let first = |visit: &&people::Visit| visit.is_login;
    for visit in visits.iter().filter(first) {
        assert_eq!(visit.answers[0].received, None);
        assert!(visit.answers[0].begins_pin, "{visit:?}");
    }
    let others = visits.iter().flat_map(|visit| &visit.answers[usize::from(visit.is_login)..]);
    for answer in others {
        assert!(answer.has_session(), "{answer:?}");
    }
    // A forwardAuth that comes before sees them even there. Others, who have no such cookie, come too.
    let (all, with) = entered().asked;
    let logins = visits.iter().filter(first).count();
    assert!(with >= logins && all > with, "{with} of {all}, {logins} logins");
}

pub(crate) fn traefik_has_the_entrys_route_enabled_and_just_above_the_one_it_is_made_after() {
    let mut routers = entered().routers.clone();
    routers.sort_by_key(|router| router["priority"].as_i64());
    let [model, own] = routers.as_slice() else { panic!("{routers:?}") };
    assert_eq!([&model["status"], &own["status"]], [&json!("enabled"); 2]);
    let rule = model["rule"].as_str().expect("a rule");
    assert_eq!(own["rule"], json!(format!("({rule}) && (Path(`{}`))", STEPS[0])));
    assert_eq!(own["priority"].as_i64(), model["priority"].as_i64().map(|priority| priority + 1));
}
