//! Set-ups that are bad show as bad: three sites side by side, whose weights go up as in a rollout.

use std::{net::Ipv4Addr, sync::LazyLock, time::Duration};

use serde_json::{Value, json};
use testbed::objects;

use super::{
    CUSTOMERS,
    report::{Bad, Report, Step},
};
use crate::{
    people::People,
    routes::{self, site::Site},
    shop::NAME,
    traefik::{Live, Sampler, Traefik},
};

/// Where users of these sites come in.
const BAD_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 7);
const STEPS: [u64; 3] = [10, 30, 50];
/// How long a weight stays: a login of somebody and some pages.
const STEP: Duration = Duration::from_secs(8);
/// The flags of each set-up for `sticky set`.
const SETUPS: [(&str, &[&str]); 3] = [
    ("secure", &["--max-age", "300", "--path", "/", "--secure"]),
    ("path", &["--max-age", "300", "--path", "/login"]),
    ("long", &["--max-age", "300", "--path", "/"]),
];

/// What the playground prints of each, in their order.
static REPORTS: LazyLock<Vec<Report>> = LazyLock::new(|| {
    let sites = SETUPS.map(|(hint, flags)| {
        let site = Site::new(hint);
        site.ingress_route(&format!("Host(`{}`)", site.host), &json!({}));
        let set = ["sticky", "set", NAME, "--name", "login", "--yes"];
        let output = site.namespace.run(set.iter().chain(flags)).run();
        assert_eq!(output.code, Some(0), "{output}");
        site
    });
    let names: Vec<_> = sites.iter().map(|site| site.namespace.name()).collect();
    let traefik = routes::start(BAD_SITE, &names, &[]);
    std::thread::scope(|scope| {
        let rollouts: Vec<_> = sites.iter().map(|site| scope.spawn(|| roll_out(site, &traefik))).collect();
        rollouts.into_iter().map(|rollout| rollout.join().expect("customers")).collect()
    })
});

/// Gives the canary this weight, and leaves the cookie.
fn weigh(site: &Site, canary: u64) {
    let services = objects::services(NAME, site.namespace.name(), 100 - canary, canary);
    site.namespace.patch("TraefikService", NAME, &json!({ "spec": { "weighted": { "services": services } } }));
}

fn roll_out(site: &Site, traefik: &Traefik) -> Report {
    site.waits(traefik, vec![format!("Host(`{}`)", site.host)]);
    weigh(site, 0);
    let sampler = Sampler::start(traefik, site.namespace.name(), NAME);
    let begun = sampler.wait("no weight on the canary", |live| matches!(live, Live::Sticky(_, 0)));
    let customers = People::of(BAD_SITE, &site.host, CUSTOMERS);
    customers.have_all_come();
    for weight in STEPS {
        weigh(site, weight);
        std::thread::sleep(STEP);
    }
    let visits = customers.stop();
    Report::of(&visits, &sampler.stop(begun, &Value::Null).weights)
}

fn report(hint: &str) -> &'static Report {
    let number = SETUPS.iter().position(|(other, _)| *other == hint).expect("a set-up");
    let report = &REPORTS[number];
    assert_eq!(report.steps.iter().map(|step| step.weight).collect::<Vec<_>>(), STEPS, "{report}");
    report
}

pub(crate) fn a_secure_cookie_over_http_shows_as_bad_for_it_pins_nobody() {
    let report = report("secure");
    assert_eq!(report.bad(), [Bad::Routing], "{report}");
}

pub(crate) fn a_cookie_for_the_path_of_the_login_alone_shows_as_bad_for_the_redirects_leave_it() {
    let report = report("path");
    assert_eq!(report.bad(), [Bad::Routing], "{report}");
}

pub(crate) fn a_max_age_longer_than_the_rollout_shows_as_bad_for_returning_users_do_not_see_the_canary() {
    let report = report("long");
    assert_eq!(report.bad(), [Bad::Starved], "{report}");
}

pub(crate) fn what_the_playground_prints_names_everything_that_is_bad() {
    let step = |weight, views, logins| Step { weight, views: (views, 40), logins: (logins, 20) };
    let report = Report { logins: 200, by_routing: 30, by_promotion: 4, steps: vec![step(10, 0, 2), step(50, 4, 11)] };
    let shown = format!("the rollout has succeeded: {report}");
    snapbox::assert_data_eq!(
        shown,
        snapbox::str![[r#"
the rollout has succeeded: 200 logins, 30 changed version because routing moved them, 4 because the promotion replaced their pods
  the canary's weight                      10     50
  its share of returning users' pages     0 %   10 %
  its share of logins                    10 %   55 %
  bad: routing broke 15 % of the logins
  bad: the promotion broke 2 % of the logins
  bad: returning users saw the canary in 5 % of their pages, instead of 30 %

"#]]
    );
}
