//! The jar by the steps of RFC 6265bis, and beside another implementation.

use cookie_store::CookieStore;
use proptest::prelude::*;
use url::Url;

use super::*;

fn page(url: &str) -> Page {
    Page::of(&url.parse().unwrap()).unwrap()
}

fn set(text: &str) -> SetCookie {
    SetCookie::parse(text).unwrap()
}

/// What a browser that got these cookies from a page sends to another.
fn sent(from: &str, cookies: &[&str], to: &str) -> String {
    let mut jar = Browser::default();
    for cookie in cookies {
        jar.store(&set(cookie), &page(from), 0).unwrap();
    }
    jar.cookies(&page(to), 1)
}

fn rejected(from: &str, cookie: &str) -> Option<Rejection> {
    Browser::default().store(&set(cookie), &page(from), 0).err()
}

const SHOP: &str = "https://shop.example/sso/login";

#[test]
fn what_a_browser_does_not_store_is_refused_with_the_reason() {
    let http = "http://shop.example/";
    let cases = [
        (SHOP, "a=1; Domain=other.example", Some(Rejection::Domain)),
        (SHOP, "a=1; Domain=a.shop.example", Some(Rejection::Domain)),
        (SHOP, "a=1; Domain=hop.example", Some(Rejection::Domain)),
        (SHOP, "a=1; Domain=example", Some(Rejection::Domain)),
        (SHOP, "a=1; Domain=shop.example", None),
        ("https://a.shop.example/", "a=1; Domain=.shop.example", None),
        ("http://localhost/", "a=1; Domain=localhost", None),
        ("http://10.0.0.1/", "a=1; Domain=0.0.1", Some(Rejection::Domain)),
        (http, "a=1; Secure", Some(Rejection::Secure)),
        (SHOP, "a=1; SameSite=None", Some(Rejection::SameSiteNone)),
        (SHOP, "a=1; SameSite=None; Secure", None),
        (SHOP, "__Secure-a=1", Some(Rejection::SecurePrefix)),
        (SHOP, "__secure-a=1; Secure", None),
        (SHOP, "__Host-a=1; Secure", Some(Rejection::HostPrefix)),
        (SHOP, "__HOST-a=1; Secure; Path=/sso", Some(Rejection::HostPrefix)),
        (SHOP, "__Host-a=1; Secure; Path=/; Domain=shop.example", Some(Rejection::HostPrefix)),
        (SHOP, "__Host-a=1; Path=/", Some(Rejection::HostPrefix)),
        (SHOP, "__Host-a=1; Secure; Path=/", None),
        (SHOP, "a=1; Max-Age=0", Some(Rejection::Expired)),
        (SHOP, "a=1; Max-Age=-1", Some(Rejection::Expired)),
        (SHOP, "a=1; Expires=Wed, 31 Dec 1969 23:59:59 GMT", Some(Rejection::Expired)),
        (SHOP, "a=1; Expires=Wed, 31 Dec 1969 23:59:59 GMT; Max-Age=5", None),
    ];
    for (from, cookie, reason) in cases {
        assert_eq!(rejected(from, cookie), reason, "{cookie} from {from}");
    }
}

#[test]
fn a_cookie_over_http_does_not_replace_a_secure_one() {
    let mut jar = Browser::default();
    jar.store(&set("a=1; Secure; Path=/sso"), &page(SHOP), 0).unwrap();
    let over_http = page("http://shop.example/");
    assert_eq!(jar.store(&set("a=2; Path=/sso/x"), &over_http, 0), Err(Rejection::ShadowsSecure));
    assert_eq!(jar.store(&set("a=2; Path=/"), &over_http, 0), Ok(()));
    assert_eq!(jar.cookies(&page(SHOP), 0), "a=1; a=2");
    assert_eq!(jar.value(&["a".into()], &page(SHOP), 0), Some("1"), "a server reads the first");
}

#[test]
fn what_a_browser_does_not_send_is_withheld_with_the_reason() {
    let cases = [
        ("a=1", "https://shop.example/sso/x", None),
        ("a=1", "http://shop.example:8080/sso", None),
        ("a=1", "https://shop.example/callback", Some(Withheld::Path("/sso".into()))),
        ("a=1; Path=/sso", "https://shop.example/ssox", Some(Withheld::Path("/sso".into()))),
        ("a=1; Path=/", "https://www.shop.example/", Some(Withheld::Host)),
        ("a=1; Path=/; Domain=shop.example", "https://www.shop.example/", None),
        ("a=1; Path=/; Secure", "http://shop.example/", Some(Withheld::Secure)),
        ("a=1; Path=/; Max-Age=2", "https://shop.example/", None),
        ("a=1; Path=/; Max-Age=1", "https://shop.example/", Some(Withheld::Expired)),
    ];
    for (cookie, to, reason) in cases {
        let mut jar = Browser::default();
        jar.store(&set(cookie), &page(SHOP), 0).unwrap();
        let names = ["a".to_owned()];
        assert_eq!(jar.withheld(&names, &page(to), 1), reason, "{cookie} to {to}");
        assert_eq!(jar.value(&names, &page(to), 1).is_none(), reason.is_some());
    }
}

#[test]
fn the_header_has_longer_paths_first_and_a_new_value_in_the_place_of_the_old() {
    assert_eq!(sent(SHOP, &["a=1; Path=/", "b=2; Path=/sso", "c=3; Path=/", "=d; Path=/"], SHOP), "b=2; a=1; c=3; d");
    assert_eq!(sent(SHOP, &["a=1", "b=2", "a=3"], SHOP), "a=3; b=2");
    let mut jar = Browser::default();
    jar.store(&set("a=1"), &page(SHOP), 0).unwrap();
    assert_eq!(jar.store(&set("a=1; Max-Age=0"), &page(SHOP), 0), Err(Rejection::Expired));
    assert_eq!(jar.cookies(&page(SHOP), 0), "", "it was deleted");
}

#[test]
fn a_cookie_lives_for_400_days_at_most_however_its_end_is_given() {
    for end in ["Max-Age=99999999", "Expires=Fri, 31 Dec 2100 23:59:59 GMT"] {
        let mut jar = Browser::default();
        jar.store(&set(&format!("a=1; {end}")), &page(SHOP), 1_000).unwrap();
        let sent = |days: i64| jar.cookies(&page(SHOP), 1_000 + days * 86_400 - 1);
        assert_eq!([sent(400), sent(401)], ["a=1", ""], "{end}");
    }
}

#[test]
fn of_too_many_cookies_the_expired_ones_go_first_and_then_the_oldest_without_secure() {
    let mut jar = Browser::default();
    jar.store(&set("first=1; Path=/; Secure"), &page(SHOP), 0).unwrap();
    jar.store(&set("second=1; Path=/"), &page(SHOP), 0).unwrap();
    jar.store(&set("expired=1; Path=/; Max-Age=1"), &page(SHOP), 0).unwrap();
    jar.store(&set("other=1; Path=/"), &page("https://other.example/"), 0).unwrap();
    let mut add = |from: usize, to: usize| {
        for number in from..to {
            jar.store(&set(&format!("n{number}=1; Path=/")), &page(SHOP), 5).unwrap();
        }
        let header = jar.cookies(&page(SHOP), 5);
        let names: Vec<_> = header.split("; ").map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect();
        (names.len(), names[..3].join(" "), jar.cookies(&page("https://other.example/"), 5))
    };
    let other = || "other=1".to_owned();
    assert_eq!(add(0, MOST_OF_DOMAIN - 2), (MOST_OF_DOMAIN, "first second n0".into(), other()));
    assert_eq!(add(MOST_OF_DOMAIN, MOST_OF_DOMAIN + 1), (MOST_OF_DOMAIN, "first n0 n1".into(), other()));
    for domain in 0..=(MOST / MOST_OF_DOMAIN) {
        for number in 0..MOST_OF_DOMAIN {
            let from = page(&format!("https://d{domain}.example/"));
            jar.store(&set(&format!("n{number}=1; Secure")), &from, 5).unwrap();
        }
    }
    assert_eq!(jar.cookies.len(), MOST);
}

/// Pages of a few hosts and paths, and cookies that often concern them.
fn pages() -> impl Strategy<Value = String> {
    "(http|https)://(www[.])?(shop|cart)[.]example(:8080)?/((sso|ssox)(/(login|)(/x)?)?)?"
}

/// One name has no Domain, and the other has one: in RFC 6265, a cookie of the same domain replaced one of the host.
fn cookies() -> impl Strategy<Value = String> {
    let more = "(; Path=(/|/sso|/sso/|sso))?(; Secure)?(; SameSite=(Lax|Strict))?";
    let domain = "; Domain=[.]?(shop|cart|www[.]shop)[.]example";
    let pattern = format!("(a=[0-9]{{1,2}}|b=[0-9]{{1,2}}{domain}){more}");
    prop::string::string_regex(&pattern).expect("a pattern")
}

proptest! {
    /// `cookie_store` implements RFC 6265, without what the newer one refuses over http.
    #[test]
    fn what_is_stored_is_sent_where_another_implementation_sends_it(
        set_by in prop::collection::vec((pages(), cookies()), 1..5), to in pages(),
    ) {
        let (mut jar, mut other) = (Browser::default(), CookieStore::default());
        for (from, cookie) in &set_by {
            let stored = jar.store(&set(cookie), &page(from), 0);
            let url = Url::parse(from).unwrap();
            match stored {
                Err(Rejection::Domain) => prop_assert!(other.parse(cookie, &url).is_err(), "{cookie} from {from}"),
                Err(_) => {}
                Ok(()) => prop_assert!(other.parse(cookie, &url).is_ok(), "{cookie} from {from}"),
            }
        }
        let sorted = |header: String| {
            let mut pairs: Vec<_> = header.split("; ").map(str::to_owned).collect();
            pairs.sort();
            pairs
        };
        let url = Url::parse(&to).unwrap();
        let others: Vec<_> = other.get_request_values(&url).map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert_eq!(sorted(jar.cookies(&page(&to), 0)), sorted(others.join("; ")));
    }
}
