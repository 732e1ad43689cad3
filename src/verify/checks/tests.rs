//! Each thing that can be wrong is found, with the reason, among browsers that visit a small site.

use std::collections::BTreeSet;

use super::*;
use crate::{
    traefik::{
        Serving, Weight,
        cookie_value::{Child, Generation},
        serving::testing,
    },
    verify::{Answer, Browser, Finding},
};

mod is_set;

/// A site with a login of three pages, behind a Traefik.
struct Site {
    setup: Setup,
    /// The attributes of the cookie, as in `Set-Cookie`.
    attributes: &'static str,
    /// Where Traefik sees no cookie.
    entry: &'static str,
    /// What another server answers, by path.
    elsewhere: fn(&str) -> Option<Answer>,
    /// What the Service behind sets, too.
    behind: Option<&'static str>,
    /// Which page the last one of the login redirects to.
    end: Option<&'static str>,
    /// To which path http leads, over https; empty for the same.
    upgraded: Option<&'static str>,
    drawn: usize,
}

fn track(name: &str, weight: i64) -> Track {
    let child = Some(Child(format!("shop-checkout-{name}-80")));
    Track {
        name: name.to_owned(),
        service: format!("checkout-{name}:80"),
        weight: Some(Weight::Number(weight)),
        child: child.clone(),
        safe_child: child,
    }
}

fn page(url: &str) -> Page {
    Page::of(&url.parse().unwrap()).unwrap()
}

impl Site {
    fn new(attributes: &'static str) -> Self {
        let setup = Setup {
            canary: "checkout".into(),
            service: "checkout".into(),
            names: vec!["login".into()],
            tracks: vec![track("primary", 50), track("canary", 50)],
            live: Ok(true),
            entry: Vec::new(),
            flow: 60,
            pages: vec![page("https://shop.example/login")],
            serving: Serving::default(),
        };
        Self { setup, attributes, entry: "-", elsewhere: |_| None, behind: None, end: None, upgraded: None, drawn: 0 }
    }

    /// Sets the routes: what they match, their priorities, and the kind and name of what they lead to.
    fn route(&mut self, routes: &[(&str, i64, &str, &str)]) {
        self.setup.serving = testing::of_ingress_routes(&self.setup.service, routes).1;
    }

    fn is_track(&self, value: &str) -> bool {
        let children = self.setup.tracks.iter().flat_map(|track| [&track.child, &track.safe_child]).flatten();
        children.into_iter().any(|child| child.generation(value).is_some())
    }

    /// As Traefik answers, and the application behind: /login leads to /callback, and that to /home.
    fn answer(&mut self, page: &Page, cookies: &str) -> Answer {
        if let (Some(path), false) = (self.upgraded, page.is_secure) {
            let path = if path.is_empty() { &page.path } else { path };
            let location = Some(format!("https://{}{path}", page.host));
            return Answer { status: 308, location, ..Answer::default() };
        }
        if let Some(answer) = (self.elsewhere)(&page.path) {
            return answer;
        }
        let redirect = match page.path.as_str() {
            "/login" => Some("/callback"),
            "/callback" => self.end.or(Some("/home")),
            _ => None,
        };
        let mut answer = Answer { status: 200, set_cookies: Vec::new(), location: redirect.map(str::to_owned) };
        if redirect.is_some() {
            answer.status = 302;
        }
        let sent = cookies.split("; ").find_map(|pair| pair.strip_prefix("login="));
        let pinned = sent.filter(|_| page.path != self.entry).filter(|value| self.is_track(value));
        if pinned.is_none() && !self.attributes.is_empty() {
            let track = &self.setup.tracks[self.drawn % self.setup.tracks.len()];
            self.drawn += 1;
            let value = track.child.as_ref().unwrap().value(Generation::Sha256);
            answer.set_cookies.push(format!("login={value}; {}", self.attributes));
        }
        answer.set_cookies.extend(self.behind.map(str::to_owned));
        answer
    }

    /// Lets three browsers make five visits each, and asks for each page without cookies.
    fn exchanges(&mut self) -> Vec<Exchange> {
        let mut browsers = vec![Browser::default(); 3];
        let mut all: Vec<Exchange> = Vec::new();
        for visit in 0..5 {
            for (number, browser) in browsers.iter_mut().enumerate() {
                let mut next = Some(self.setup.pages[visit % self.setup.pages.len()].clone());
                while let Some(page) = next.take() {
                    let answer = self.answer(&page, &browser.cookies(&page, 0));
                    let seen = browser.take(&answer, &page, &self.setup.names, 0);
                    next = seen.redirect.clone().filter(|to| self.setup.has_host(&to.host));
                    all.push(Exchange { browser: Some(number), visit, ..seen });
                }
            }
        }
        let seen: BTreeSet<_> = all.iter().map(|exchange| exchange.page.clone()).collect();
        for page in seen {
            let answer = self.answer(&page, "");
            all.push(Browser::default().take(&answer, &page, &self.setup.names, 0));
        }
        all
    }

    /// Returns what is wrong, one line each: the check, the sentence, the fix.
    fn failures(&mut self) -> Vec<String> {
        let exchanges = self.exchanges();
        failures(&judge(&self.setup, &exchanges, None, &|arguments| arguments.to_owned()))
    }

    fn verified(&mut self) -> Verification {
        let exchanges = self.exchanges();
        judge(&self.setup, &exchanges, None, &|arguments| arguments.to_owned())
    }
}

fn failures(verification: &Verification) -> Vec<String> {
    let mut lines = Vec::new();
    for (check, outcome) in &verification.checks {
        let Outcome::Fails(findings) = outcome else { continue };
        for Finding { message, fix, .. } in findings {
            let check = serde_json::to_value(check).unwrap();
            lines.push(format!("{}: {message} [{}]", check.as_str().unwrap(), fix.as_deref().unwrap_or("-")));
        }
    }
    lines
}

fn outcome(verification: &Verification, check: Check) -> &Outcome {
    &verification.checks.iter().find(|(other, _)| *other == check).unwrap().1
}

const GOOD: &str = "Path=/; Max-Age=120; HttpOnly; SameSite=Lax";

#[test]
fn a_cookie_that_sticks_passes() {
    let mut site = Site::new(GOOD);
    let verification = site.verified();
    assert_eq!(failures(&verification), [""; 0]);
    assert!(verification.holds());
    assert_eq!(outcome(&verification, Check::Entry), &Outcome::Skipped("no entry is declared".into()));
    let Split { canary, drawn, expected, .. } = verification.split;
    assert_eq!((canary, drawn, expected), (3, 6, Some(0.5)), "three browsers, and three pages without cookies");
    let counts: Vec<_> = verification.tracks.iter().map(|track| (track.pins, track.requests)).collect();
    assert_eq!(counts, [(3, 31), (3, 17)]);
    assert_eq!((verification.browsers, verification.requests), (3, 48));
}

#[test]
fn a_flow_that_begins_anew_at_its_entry_passes_although_its_track_changes_there() {
    let mut site = Site::new(GOOD);
    (site.entry, site.setup.entry) = ("/login", vec!["/login".into()]);
    let verification = site.verified();
    assert_eq!(failures(&verification), [""; 0]);
    assert_eq!(outcome(&verification, Check::Entry), &Outcome::Holds);
}

/// What changes the track is random on a real site; here Traefik draws in turns.
const CHANGED: &str = "track: browsers change track; first: browser 1, from primary to canary at \
                       https://shop.example/callback [-]";

#[test]
fn a_cookie_that_browsers_refuse_is_found_with_the_reason() {
    let cases = [
        ("Path=/; Domain=other.example", "its Domain does not include shop.example", "--unset domain"),
        ("Path=/; SameSite=None", "SameSite=None requires Secure", "--secure"),
        ("Path=/; Max-Age=0", "it has expired already (Max-Age)", "--max-age 2m"),
    ];
    for (attributes, reason, flags) in cases {
        let refused = format!(
            "returned: browsers reject the cookie of https://shop.example/login and 2 more pages: {reason} [sticky set \
             checkout {flags}]"
        );
        assert_eq!(Site::new(attributes).failures(), [refused.as_str(), CHANGED]);
    }
    let mut site = Site::new("Path=/; Secure");
    site.setup.pages = vec![page("http://shop.example/home")];
    assert_eq!(
        site.failures()[0],
        "returned: browsers reject the cookie of http://shop.example/home: it has Secure, and the page is not https \
         [sticky set checkout --secure=false]"
    );
    for (name, needs) in [("__Host-login", "Secure and Path=/, and no Domain"), ("__Secure-login", "Secure")] {
        let mut site = Site::new("Path=/");
        site.setup.names = vec![name.to_owned()];
        let page = page("https://shop.example/");
        let value = site.setup.tracks[0].child.as_ref().unwrap().value(Generation::Sha256);
        let answer = Answer { status: 200, set_cookies: vec![format!("{name}={value}; Path=/")], location: None };
        let seen = Browser::default().take(&answer, &page, &site.setup.names, 0);
        let found = failures(&judge(&site.setup, &[seen], None, &|arguments| arguments.to_owned()));
        let (prefix, _) = name.split_once("login").unwrap();
        let flags = if prefix == "__Host-" { "--secure --path / --unset domain" } else { "--secure" };
        assert_eq!(
            found,
            [format!(
                "returned: browsers reject the cookie of https://shop.example/: a name that begins with {prefix} requires \
                 {needs} [sticky set checkout {flags}]"
            )]
        );
    }
}

#[test]
fn a_path_that_leaves_a_page_out_is_found() {
    assert_eq!(
        Site::new("Path=/login").failures(),
        [
            "returned: browsers do not send the cookie to https://shop.example/callback and one more page: its Path is \
             /login [sticky set checkout --path /]",
            CHANGED,
        ]
    );
}

#[test]
fn a_flow_to_another_host_needs_a_domain_and_another_page_there_does_not() {
    let mut site = Site::new(GOOD);
    site.end = Some("https://www.shop.example/home");
    site.setup.pages.push(page("https://www.shop.example/home"));
    assert_eq!(
        site.failures()[0],
        "returned: browsers do not send the cookie to https://www.shop.example/home, to which shop.example redirects: the \
         cookie is only for the redirecting host [sticky set checkout --domain shop.example]"
    );
    let mut site = Site::new(GOOD);
    site.setup.pages = vec![page("https://a.example/home"), page("https://b.example/home")];
    assert_eq!(site.failures(), [""; 0]);
    let mut site = Site::new("Path=/; Domain=shop.example; SameSite=Lax");
    site.end = Some("https://www.shop.example/home");
    site.setup.pages.push(page("https://www.shop.example/home"));
    assert_eq!(site.failures(), [""; 0]);
}

#[test]
fn same_site_strict_is_found_where_the_flow_leaves_the_site() {
    let mut site = Site::new("Path=/; SameSite=Strict");
    site.end = Some("https://idp.test/authorize?state=secret");
    assert_eq!(
        site.failures(),
        [
            "returned: with SameSite=Strict, browsers do not send the cookie when another site redirects back, for example after \
          https://shop.example/callback, which redirects to https://idp.test [sticky set checkout --same-site lax]"
        ]
    );
    site.end = None;
    assert_eq!(site.failures(), [""; 0]);
    let mut site = Site::new(GOOD);
    site.end = Some("https://idp.test/");
    assert_eq!(site.failures(), [""; 0]);
}

#[test]
fn a_cookie_of_the_same_name_is_found_whoever_sets_it() {
    let mut site = Site::new(GOOD);
    site.behind = Some("login=0123456789abcdef; Path=/");
    assert_eq!(
        site.failures()[0],
        "track: browsers change track; first: browser 1, from primary to canary at \
         https://shop.example/callback [-]"
    );
    assert_eq!(
        site.failures()[1],
        "name: the cookie is set twice, once to a value that belongs to neither track, at https://shop.example/login and 2 more pages: \
         the Service behind it (pod-level stickiness) or the application uses the name `login`, too [sticky set checkout \
         --name checkout-track]"
    );
    // One that is deleted, as by a logout, is somebody else's, too.
    let mut site = Site::new(GOOD);
    site.behind = Some("login=; Path=/; Max-Age=0");
    assert!(site.failures().iter().all(|line| !line.starts_with("returned: ")));
    let mut site = Site::new(GOOD);
    site.setup.pages.push(page("https://shop.example/cart"));
    site.elsewhere = |path| {
        let set_cookies = vec!["login=0123456789abcdef; Path=/".to_owned()];
        (path == "/cart").then_some(Answer { status: 200, set_cookies, location: None })
    };
    assert_eq!(
        site.failures().last().unwrap(),
        "name: the cookie gets a value that belongs to neither track at https://shop.example/cart: another TraefikService or the application \
         uses the name `login`, too [sticky set checkout --name checkout-track]"
    );
}

#[test]
fn what_was_not_seen_is_skipped_with_the_reason() {
    let once = |attributes: &'static str, entry: &[&str]| {
        let mut site = Site::new(attributes);
        site.setup.pages = vec![page("https://shop.example/home")];
        site.setup.entry = entry.iter().map(|path| (*path).to_owned()).collect();
        let page = &site.setup.pages[0].clone();
        let answer = site.answer(page, "");
        let seen = Browser::default().take(&answer, page, &site.setup.names, 0);
        judge(&site.setup, &[Exchange { browser: Some(0), ..seen }], None, &|arguments| arguments.to_owned())
    };
    let verification = once(GOOD, &["/login"]);
    let skipped = |reason: &str| Outcome::Skipped(reason.into());
    let expected = [
        (Check::Set, Outcome::Holds),
        (Check::Returned, skipped("no browser sent a cookie of a track")),
        (Check::Track, skipped("no browser with a track opened another page")),
        (Check::Name, Outcome::Holds),
        (Check::MaxAge, Outcome::Holds),
        (Check::Entry, skipped("no browser with a cookie came to the entry")),
        (Check::Split, Outcome::Holds),
    ];
    assert_eq!(verification.checks, expected);
    assert_eq!((verification.holds(), verification.sticks()), (true, false));
}

#[test]
fn a_max_age_shorter_than_the_flow_is_found() {
    assert_eq!(
        Site::new("Path=/; Max-Age=59").failures(),
        ["maxAge: the cookie lives for 59 s (Max-Age), but a flow takes up to 60 s: users can change \
          track [sticky set checkout --max-age 60]"]
    );
    assert_eq!(Site::new("Path=/; Max-Age=60").failures(), [""; 0]);
    assert_eq!(Site::new("Path=/").failures(), [""; 0], "a session cookie");
}

#[test]
fn an_entry_that_is_declared_but_not_in_force_is_found_and_so_is_one_that_is_left_over() {
    let mut site = Site::new(GOOD);
    site.setup.entry = vec!["/login".into()];
    assert_eq!(
        site.failures(),
        [
            "entry: a browser with a cookie gets no new one at https://shop.example/login, where a flow begins [sticky apply \
          checkout]"
        ]
    );
    let mut site = Site::new(GOOD);
    site.entry = "/home";
    assert_eq!(
        site.failures()[1],
        "entry: a browser with a cookie gets a new one at https://shop.example/home, where no flow begins: something \
         removes the cookie from the request, such as an entry that is no longer declared [sticky apply checkout]"
    );
}

#[test]
fn a_split_is_compared_with_the_weights_unless_they_change() {
    let mut site = Site::new("Path=/login");
    site.setup.tracks = vec![track("primary", 95), track("canary", 5)];
    let exchanges = site.exchanges();
    let verification = judge(&site.setup, &exchanges, None, &|arguments| arguments.to_owned());
    assert_eq!(
        failures(&verification).last().unwrap(),
        "split: the canary was chosen 18 of 36 times, but has 5 % of the weight; by chance, this happens less than once in \
         100,000 runs [describe checkout]"
    );
    let verification =
        judge(&site.setup, &exchanges, Some("the weights changed meanwhile"), &|arguments| arguments.to_owned());
    assert_eq!(outcome(&verification, Check::Split), &Outcome::Skipped("the weights changed meanwhile".into()));
    assert_eq!(
        outcome(&verification, Check::Track),
        &Outcome::Skipped("the weights changed meanwhile".into()),
        "a weight step may move browsers"
    );
    for track in &mut site.setup.tracks {
        track.weight = None;
    }
    let verification = judge(&site.setup, &exchanges, None, &|arguments| arguments.to_owned());
    assert_eq!(outcome(&verification, Check::Split), &Outcome::Skipped("the weights are not known".into()));
}
