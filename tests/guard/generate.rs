//! Random declarations, entries and events, from a fixed seed.

use std::collections::BTreeMap;

use canary_traefik::model::{
    Entry,
    declaration::{self, MAX_LENGTH},
    entry::MAX_PATHS,
};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::{
    event::{Event, Kind, Owner, Writer},
    story::Start,
};

/// Where the random values come from, so that they are the same each time.
const SEED: [u8; 32] = *b"kubectl-canary-traefik: guard 01";

/// Values of one strategy, without end.
pub(super) fn values<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Iterator<Item = T> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    std::iter::repeat_with(move || strategy.new_tree(&mut runner).expect("nothing is rejected").current())
}

/// What has to be said of a failure.
pub(super) fn seed() -> String {
    format!("seed {:?}", String::from_utf8_lossy(&SEED))
}

/// A well-formed declaration, in whatever case, order and with whatever blanks.
pub(super) fn declarations() -> impl Strategy<Value = String> {
    let attribute = |names: &'static [&'static str], value: &'static str| {
        let pair = (proptest::sample::select(names), "[ \t]{0,2}=[ \t]{0,2}", value);
        proptest::option::of(pair.prop_map(|(name, equals, value)| format!("{name}{equals}{value}")))
    };
    let switch =
        |names: &'static [&'static str]| proptest::option::of(proptest::sample::select(names).prop_map(str::to_owned));
    let attributes = (
        attribute(&["Max-Age", "max-age", "mAX-aGE"], "0|-?[1-9][0-9]{0,9}"),
        attribute(&["Path", "path", "PATH"], "/[!-:<-~]{0,30}"),
        attribute(&["Domain", "domain"], "[.]?[a-zA-Z0-9]([a-z0-9-]{0,10}[a-z0-9])?([.][a-z0-9]{1,5}){0,3}"),
        switch(&["Secure", "secure", "SECURE"]),
        switch(&["HttpOnly", "httponly", "httpOnly"]),
        attribute(&["SameSite", "samesite"], "[nN][oO]ne|[lL]a[xX]|[sS]tric[tT]"),
    );
    let attributes = attributes.prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect());
    let parts = ("|[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}", attributes.prop_flat_map(|all: Vec<_>| Just(all).prop_shuffle()));
    (parts, "[ \t]{0,2}", "[ \t]{0,2}").prop_map(|((name, attributes), before, after)| {
        std::iter::once(name)
            .chain(attributes)
            .map(|part| format!("{before}{part}{after}"))
            .collect::<Vec<_>>()
            .join(";")
    })
}

/// These texts, with some characters put between or in place of others.
fn damaged(texts: impl Strategy<Value = String>, strange: &'static str) -> impl Strategy<Value = String> {
    (texts, any::<proptest::sample::Index>(), 0_usize..3, strange).prop_map(|(text, place, gone, strange)| {
        let letters: Vec<_> = text.chars().collect();
        let place = place.index(letters.len() + 1);
        let (before, after) = letters.split_at(place);
        before.iter().copied().chain(strange.chars()).chain(after.iter().skip(gone).copied()).collect()
    })
}

/// A text that is hardly a declaration: a damaged one, anything, a long one.
pub(super) fn texts() -> impl Strategy<Value = String> {
    let strange = "[;=,\" \t\n\r\u{0}\u{1}\u{7f}\u{a0}\u{e9}\u{663}\u{17f}\u{212a}\u{1f600}0-9a-z/.-]{1,3}";
    let damaged = damaged(declarations(), strange);
    let twice = (declarations(), declarations()).prop_map(|(first, second)| format!("{first};{second}"));
    let long = (declarations(), 1000_usize..1040).prop_map(|(text, length)| {
        let path = format!("{text}; Path=/");
        let more = length.saturating_sub(path.len());
        path + &"x".repeat(more)
    });
    let many = (proptest::sample::select(&[";", "; a", ";Secure", "; Path=/;", "; Max-Age=1"][..]), 1_usize..1400)
        .prop_map(|(part, length)| part.repeat(length / part.len() + 1));
    prop_oneof![8 => damaged, 3 => twice, 2 => long, 2 => many, 3 => "[ -~\t]{0,80}", 2 => "\\PC{0,40}", 1 => "(?s).{0,40}"]
}

/// A well-formed entry, in whatever order and with whatever blanks.
pub(super) fn entries() -> impl Strategy<Value = String> {
    let path = "/|(/[.]{0,2}[A-Za-z0-9_~!$&()*+=:@-][A-Za-z0-9._~!$&()*+=:@-]{0,6}){1,3}/?";
    let paths = proptest::collection::btree_set(path, 1..=MAX_PATHS);
    let paths = paths.prop_flat_map(|paths| Just(paths.into_iter().collect::<Vec<_>>()).prop_shuffle());
    let blanks = proptest::collection::vec(("[ \t]{0,2}", "[ \t]{0,2}"), MAX_PATHS);
    (paths, blanks).prop_map(|(paths, blanks)| {
        let paths = paths.iter().zip(&blanks).map(|(path, (before, after))| format!("{before}{path}{after}"));
        paths.collect::<Vec<_>>().join(",")
    })
}

/// A text that is hardly an entry: a damaged one, odd segments, paths that are there twice, too many or too long ones.
pub(super) fn entry_texts() -> impl Strategy<Value = String> {
    let strange = "[,/. \t\n\r\u{0}\u{7f}\u{a0}\u{e9}\u{2028}\u{1f600}%?#{}`'\"|\\\\;^<>\\[\\]a-z0-9-]{1,3}";
    let segments =
        &["", ".", "..", "...", "....", ".a", "..a", "...a", "a.", "a..", "a", "b", "%61", "a b", "{a}", "a;b"];
    let segments = proptest::collection::vec(proptest::sample::select(&segments[..]), 1..4);
    let odd = (proptest::sample::select(&["/", "/", "/", ""][..]), segments, "/?")
        .prop_map(|(begin, segments, end)| format!("{begin}{}{end}", segments.join("/")));
    let paths = |path: BoxedStrategy<String>, number| {
        proptest::collection::vec(path, number).prop_map(|paths| paths.join(", "))
    };
    let parts = proptest::sample::select(&[",", "/,", "/a, ", "/a\t,/b,", ", /a", "/a/", "/\u{e9}", "\t"][..]);
    let many = (parts, 1_usize..1400).prop_map(|(part, length)| part.repeat(length / part.len() + 1));
    let fill = proptest::sample::select(&["x", "/", " ", "\u{e9}", "/x", "\u{1f600}"][..]);
    let long = (entries(), fill, MAX_LENGTH - 20..MAX_LENGTH + 20)
        .prop_map(|(text, fill, length)| format!("{text}, /{}", fill.repeat(length)).chars().take(length).collect());
    let numbered = (MAX_PATHS - 2..MAX_PATHS + 4, proptest::option::of((0..MAX_PATHS, "|a|/0|/1|\u{e9}")));
    let numbered = numbered.prop_map(|(number, other)| {
        let mut paths: Vec<_> = (0..number).map(|path| format!("/{path}")).collect();
        if let Some((place, text)) = other {
            paths.insert(place.min(number), text);
        }
        paths.join(",")
    });
    prop_oneof![
        6 => damaged(entries(), strange),
        4 => paths(odd.boxed(), 1..5),
        4 => paths("/[ab]?/?".boxed(), 2..6),
        3 => numbered,
        3 => long,
        2 => many,
        2 => "[ -~\t]{0,80}",
        1 => "\\PC{0,40}",
        1 => "(?s).{0,40}"
    ]
}

/// A start and some events that can happen one after the other.
pub(super) fn sequences() -> impl Strategy<Value = (Start, Vec<Event>)> {
    let start = prop_oneof![
        6 => Just(Start::Rollout), 2 => Just(Start::Named), 1 => Just(Start::Older), 1 => Just(Start::HandWritten)
    ];
    (start, proptest::collection::vec(events(), 40), 3_usize..=6).prop_map(|(start, events, length)| {
        let mut can = Can { declare: start != Start::HandWritten, step: true };
        let possible = events.into_iter().filter(|event| can.happen(event));
        let events = possible.take(length).collect();
        (start, events)
    })
}

fn events() -> impl Strategy<Value = Event> {
    let text =
        || prop_oneof![8 => declarations(), 1 => Just("login; Max-Age=soon".to_owned()), 1 => Just(String::new())];
    let cookie = || {
        let names = proptest::sample::select(&["login", "sso", "hand"][..]);
        (names, proptest::option::of(0..1000_u32)).prop_map(|(name, age)| {
            let mut cookie = json!({ "name": name });
            if let Some(age) = age {
                cookie["maxAge"] = json!(age);
            }
            cookie
        })
    };
    let writer = || proptest::sample::select(&[Writer::Kubectl, Writer::Nameless][..]);
    let owner = proptest::sample::select(&[Owner::AnotherCanary, Owner::Deployment, Owner::Nobody][..]);
    let provider = proptest::sample::select(&[None, Some("traefik"), Some("istio"), Some("kubernetes")][..]);
    prop_oneof![
        8 => text().prop_map(Event::Declare),
        3 => Just(Event::Undeclare),
        3 => cookie().prop_map(Event::Native),
        2 => Just(Event::Native(Value::Null)),
        2 => provider.prop_map(Event::Provider),
        1 => Just(Event::Delete),
        2 => proptest::option::of(declarations()).prop_map(Event::Create),
        10 => Just(Event::Step),
        4 => Just(Event::NativeStep),
        2 => Just(Event::Generate),
        4 => (writer(), cookie()).prop_map(|(writer, cookie)| Event::Set(writer, cookie)),
        4 => writer().prop_map(Event::Unset),
        2 => (writer(), proptest::option::of(cookie())).prop_map(|(writer, cookie)| Event::Make(writer, cookie)),
        2 => owner.prop_map(Event::Control),
        1 => proptest::sample::select(&[Kind::Mirroring, Kind::Failover][..]).prop_map(Event::Turn),
    ]
}

/// What can happen next.
struct Can {
    /// There is a Canary.
    declare: bool,
    /// The TraefikService is weighted; else Flagger crashes.
    step: bool,
}

impl Can {
    fn happen(&mut self, event: &Event) -> bool {
        match event {
            Event::Declare(_) | Event::Undeclare | Event::Native(_) | Event::Provider(_) => self.declare,
            Event::Delete => std::mem::take(&mut self.declare),
            Event::Create(_) => {
                self.declare = true;
                true
            }
            Event::Step | Event::NativeStep => self.step,
            Event::Generate | Event::Set(..) | Event::Unset(_) | Event::Make(..) => {
                self.step = true;
                true
            }
            Event::Control(_) => true,
            Event::Turn(_) => {
                self.step = false;
                true
            }
        }
    }
}

#[test]
fn what_is_generated_is_what_it_says() {
    for text in values(declarations()).take(2000) {
        assert_eq!(declaration::parse(&text).map(drop), Ok(()), "{text:?}");
    }
    let mut malformed = values(texts()).take(2000).filter(|text| declaration::parse(text).is_err());
    assert_ne!(malformed.nth(1000), None, "half of the texts are malformed");
    for text in values(entries()).take(2000) {
        assert_eq!(Entry::parse(&text).map(drop), Ok(()), "{text:?}");
    }
    let mut reasons = BTreeMap::<_, usize>::new();
    for malformed in values(entry_texts()).take(1000).filter_map(|text| Entry::parse(&text).err()) {
        *reasons.entry(malformed.reason).or_default() += 1;
    }
    let rare = reasons.iter().find(|(_, count)| **count < 25);
    assert_eq!((reasons.len(), rare), (6, None), "{reasons:?}");
}
