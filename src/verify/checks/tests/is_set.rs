//! Which pages have to set the cookie.

use super::*;

#[test]
fn a_page_that_bypasses_the_traefik_service_is_found_if_a_route_covers_it() {
    let elsewhere: fn(&str) -> Option<Answer> = |path| {
        let answer = Answer { status: 302, set_cookies: Vec::new(), location: Some("/home".into()) };
        (path == "/callback").then_some(answer)
    };
    let message = |why: &str| {
        format!("set: the cookie is not set at https://shop.example/callback (status 302): {why} [describe checkout]")
    };
    let mut site = Site::new(GOOD);
    site.elsewhere = elsewhere;
    assert_eq!(site.failures(), [""; 0], "it may be somebody else's");
    let own = ("Host(`shop.example`)", 5, "TraefikService", "checkout");
    site.route(&[own]);
    assert_eq!(site.failures(), [message("a middleware answers first, or no pod is ready")]);
    site.route(&[own, ("Path(`/callback`)", 6, "Service", "api")]);
    assert_eq!(site.failures(), [""; 0], "it is somebody else's");
    site.route(&[own, ("Path(`/callback`)", 5, "Service", "api")]);
    assert_eq!(site.failures(), [""; 0], "it may be somebody else's");
    site.route(&[own, ("Path(`/callback`)", 6, "Service", "checkout-primary")]);
    assert_eq!(site.failures(), [message("IngressRoute `shop/web` bypasses TraefikService `checkout`")]);
    let mut site = Site::new(GOOD);
    (site.elsewhere, site.setup.pages) = (elsewhere, vec![page("https://shop.example/callback")]);
    assert_eq!(
        site.failures()[0],
        message("another route bypasses TraefikService `checkout`, or a middleware answers first")
    );
    site.route(&[own, ("Path(`/callback`)", 6, "Service", "api")]);
    assert_eq!(site.failures()[0], message("IngressRoute `shop/web` serves it, not TraefikService `checkout`"));
}

#[test]
fn a_redirect_to_https_needs_no_cookie_and_the_page_behind_it_does() {
    let upgraded = |attributes, to| {
        let mut site = Site::new(attributes);
        site.setup.pages = vec![page("http://shop.example/login")];
        site.upgraded = Some(to);
        (site.entry, site.setup.entry) = ("/login", vec!["/login".into()]);
        site
    };
    // Over http browsers have the cookie (without Secure), or not.
    for attributes in [GOOD, "Path=/; Secure"] {
        let mut site = upgraded(attributes, "");
        let verification = site.verified();
        assert_eq!(failures(&verification), [""; 0]);
        assert_eq!(outcome(&verification, Check::Entry), &Outcome::Holds);
        assert!(verification.sticks());
    }
    // Another page counts, too.
    let mut site = upgraded(GOOD, "/login");
    site.setup.pages = vec![page("http://shop.example/")];
    assert_eq!(site.failures(), [""; 0]);
    site.elsewhere =
        |path| (path == "/login").then(|| Answer { status: 302, location: Some("/home".into()), ..Answer::default() });
    assert_eq!(
        site.failures(),
        ["set: the cookie is not set at https://shop.example/login (status 302): another route bypasses \
          TraefikService `checkout`, or a middleware answers first [describe checkout]"]
    );
}

#[test]
fn a_page_of_another_server_counts_for_no_track() {
    let mut site = Site::new("Path=/callback");
    site.setup.pages = vec![page("https://shop.example/cart"), page("https://shop.example/callback")];
    site.elsewhere = |path| (path == "/cart").then(|| Answer { status: 200, ..Answer::default() });
    site.route(&[("Path(`/callback`) || Path(`/home`)", 5, "TraefikService", "checkout")]);
    let verification = site.verified();
    assert_eq!(verification.tracks.iter().map(|track| track.requests).sum::<usize>(), 3 * 2 * 2 + 2);
    assert!(
        failures(&verification).iter().all(|line| !line.contains("/cart: its Path is")),
        "the cookie is not needed there: {verification:?}"
    );
}

#[test]
fn a_cookie_of_the_application_alone_is_none_of_the_traefik_service() {
    let mut site = Site::new("");
    site.behind = Some("login=0123456789abcdef; Path=/");
    let verification = site.verified();
    assert_eq!(
        failures(&verification),
        [
            "set: no page sets the cookie `login`, although TraefikService `checkout` has it: https://shop.example/login \
             does not lead there (status 302) [describe checkout]",
            "name: the cookie gets a value that belongs to neither track at https://shop.example/login and 2 more pages: another \
             TraefikService or the application uses the name `login`, too [sticky set checkout --name checkout-track]",
        ]
    );
    assert_eq!(outcome(&verification, Check::MaxAge), &Outcome::Skipped("no page sets the cookie".into()));
}

#[test]
fn without_any_cookie_nothing_else_is_checked() {
    let mut site = Site::new("");
    assert_eq!(
        site.failures(),
        [
            "set: no page sets the cookie `login`, although TraefikService `checkout` has it: https://shop.example/login \
          does not lead there (status 302) [describe checkout]"
        ]
    );
    site.setup.live = Err("user `me` may not get traefikservices.traefik.io".into());
    assert_eq!(
        site.failures(),
        [
            "set: no page sets the cookie `login`; whether TraefikService `checkout` has it is not known: user `me` may not \
          get traefikservices.traefik.io [rbac verify]"
        ]
    );
    site.setup.live = Ok(true);
    site.elsewhere =
        |_| Some(Answer { status: 301, location: Some("https://www.shop.example/?a=1".into()), ..Answer::default() });
    assert_eq!(
        site.failures(),
        [
            "set: no page sets the cookie `login`, although TraefikService `checkout` has it: https://shop.example/login \
          redirects to another host [verify checkout --url https://www.shop.example/]"
        ]
    );
    site.setup.live = Ok(false);
    assert_eq!(
        site.failures(),
        ["set: no page sets the cookie `login`: TraefikService `checkout` has none [sticky apply checkout]"]
    );
    let verification = site.verified();
    assert_eq!(outcome(&verification, Check::Split), &Outcome::Skipped("no page sets the cookie".into()));
}
