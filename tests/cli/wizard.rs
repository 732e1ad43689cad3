//! `sticky set` without a flag of the cookie, at a terminal, over manifests.

use snapbox::str;
use testbed::{
    directory::Directory,
    editor::Editor,
    pty::{Key, Pty},
    run::{Run, exactly},
};

use crate::manifests::{canary, folder, service};

/// The questions, by what stands on the screen when their turn has come.
pub(crate) const QUESTIONS: [&str; 9] = [
    "How long a cookie pins a user:",
    "name [podinfo-track]:",
    "max-age [2m]:",
    "path [-]:",
    "domain [-]:",
    "secure, y or n [n]:",
    "http-only, y or n [y]:",
    "same-site:",
    "entry [-]:",
];

/// A folder with one Canary that is analysed in five steps of a minute.
pub(crate) fn place(declared: Option<&str>) -> Directory {
    let analysis = "  analysis:\n    interval: 1m\n    stepWeight: 10\n    maxWeight: 50\n";
    folder(&[("canary.yaml", &(canary("podinfo", declared) + analysis + &service("podinfo", None)))])
}

pub(crate) fn set(folder: &Directory, more: &[&str]) -> Run {
    Run::new(["sticky", "set"]).arguments(more).arguments(["-f", "canary.yaml"]).dir(folder.path())
}

pub(crate) fn declared(folder: &Directory) -> Option<String> {
    let text = folder.read("canary.yaml");
    text.lines().find_map(|line| line.split_once("sticky-cookie: ")).map(|(_, declared)| declared.to_owned())
}

/// Answers these questions with the enter key alone.
pub(crate) fn takes(pty: &mut Pty, questions: &[&str]) {
    for question in questions {
        pty.wait_for(question);
        pty.wait_for_keys();
        pty.press(Key::Enter);
    }
}

#[test]
fn the_enter_key_alone_gives_a_good_cookie_for_one_login_flow() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo"]));
    takes(&mut pty, &QUESTIONS);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    let seen = pty.ends();
    seen.shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; there is no cookie
                 to protect; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
duration: one login, 2m
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
name: podinfo-track
How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the firs
t response, not extended. Type - to leave it unset (until the browser closes)
max-age: 120
Path the browser sends the cookie to. Type - to leave it unset (/)
path: unset
Domain the browser sends the cookie to. Type - to leave it unset (the host that
set it)
domain: unset
Send the cookie over HTTPS only. Type - to leave it unset (false)
secure: unset
Hide the cookie from scripts. Type - to leave it unset (false)
http-only: true
Send the cookie on requests that come from other sites: none (always), lax (link
s) or strict (never). Type - to leave it unset (the browser decides, mostly lax)
same-site: lax
Paths where logins begin, such as /login: Traefik chooses a track again, and rem
oves all cookies from the request. Separate several by commas. Type - to leave i
t unset
entry: unset
note: 28 % of logins that take 2m change version during the steps: the cookie ex
pires during the login
note: 55 % of logins under way change version when the promotion replaces the pr
imary's pods
note: to prevent this, start again with --entry PATH; in the Canary, set spec.an
alysis.interval: 2m3s and spec.analysis.stepWeights: [10, 20, 30, 40, 50, 100]
the equivalent command: kubectl canary-traefik sticky set podinfo --name podinfo
-track --max-age 120 --http-only --same-site lax --yes -f canary.yaml
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: podinfo
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: podinfo-track; Max-Age=120; HttpOnly;
 SameSite=Lax
 spec:
   provider: traefik
   targetRef:
warning CT048: podinfo: with Max-Age=120, the cookie expires during 15 % of one-
minute logins, which can then change track
  fix: declare where your logins begin, for example /login: kubectl canary-traef
ik sticky set podinfo --entry /login
canary.flagger.app/podinfo configured

"#]]);
    assert_eq!(declared(&folder).as_deref(), Some("podinfo-track; Max-Age=120; HttpOnly; SameSite=Lax"));
}

#[test]
fn the_command_that_stands_for_the_answers_makes_the_same_change() {
    let folder = place(Some("login; Path=/sso; Secure"));
    let mut pty = Pty::start_with(set(&folder, &["podinfo"]), 200);
    takes(&mut pty, &[QUESTIONS[0], "name [login]:"]);
    pty.types_line("path [/sso]:", "-");
    takes(&mut pty, &QUESTIONS[4..5]);
    takes(&mut pty, &["secure, y or n [y]:", "http-only, y or n [n]:", "same-site:", "entry [-]:"]);
    pty.wait_for("Change canary.yaml?");
    let screen = pty.screen();
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    assert_eq!(pty.ends().code, Some(0));
    let command = screen.lines().find_map(|line| line.strip_prefix("the equivalent command: ")).expect("a command");
    let other = place(Some("login; Path=/sso; Secure"));
    let words = command.strip_prefix("kubectl canary-traefik ").expect("a command of this program").split(' ');
    assert_eq!(Run::new(words).dir(other.path()).run().code, Some(0), "{command}");
    assert_eq!(declared(&folder), declared(&other));
}

#[test]
fn the_whole_rollout_takes_its_steps_and_the_promotion() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo", "--dry-run=client"]));
    pty.wait_for(QUESTIONS[0]);
    pty.press(Key::Down);
    pty.press(Key::Enter);
    takes(&mut pty, &["name [podinfo-track]:", "max-age [6m]:"]);
    takes(&mut pty, &QUESTIONS[3..]);
    pty.ends().shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; there is no cookie
                 to protect; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
duration: the whole rollout, 6m
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
name: podinfo-track
How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the firs
t response, not extended. Type - to leave it unset (until the browser closes)
max-age: 360
Path the browser sends the cookie to. Type - to leave it unset (/)
path: unset
Domain the browser sends the cookie to. Type - to leave it unset (the host that
set it)
domain: unset
Send the cookie over HTTPS only. Type - to leave it unset (false)
secure: unset
Hide the cookie from scripts. Type - to leave it unset (false)
http-only: true
Send the cookie on requests that come from other sites: none (always), lax (link
s) or strict (never). Type - to leave it unset (the browser decides, mostly lax)
same-site: lax
Paths where logins begin, such as /login: Traefik chooses a track again, and rem
oves all cookies from the request. Separate several by commas. Type - to leave i
t unset
entry: unset
note: returning users see the canary in 9 % of their page views during the steps
, instead of 30 %
note: 9 % of logins that take 2m change version during the steps: the cookie exp
ires during the login
note: 75 % of logins under way change version when the promotion replaces the pr
imary's pods
note: to prevent this, start again with --entry PATH --max-age 2m; in the Canary
, set spec.analysis.interval: 2m3s and spec.analysis.stepWeights: [10, 20, 30, 4
0, 50, 100]
the equivalent command: kubectl canary-traefik sticky set podinfo --name podinfo
-track --max-age 360 --http-only --same-site lax --yes -f canary.yaml
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: podinfo
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: podinfo-track; Max-Age=360; HttpOnly;
 SameSite=Lax
 spec:
   provider: traefik
   targetRef:
warning CT021: podinfo: with Max-Age=360 and an interval of 60 s, returning user
s see the canary in 9 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo --entry /login --max-age 2m
canary.flagger.app/podinfo configured (dry run)

"#]]);
    assert_eq!(declared(&folder), None);
}

#[test]
fn the_browser_session_has_no_max_age_to_ask_for() {
    let folder = place(Some("login; Max-Age=60"));
    let mut pty = Pty::start(set(&folder, &["podinfo"]));
    pty.wait_for(QUESTIONS[0]);
    // Own values come first for whoever has a cookie of another kind.
    pty.press(Key::Up);
    pty.press(Key::Enter);
    takes(
        &mut pty,
        &[
            "name [login]:",
            "path [-]:",
            QUESTIONS[4],
            QUESTIONS[5],
            "http-only, y or n [n]:",
            QUESTIONS[7],
            QUESTIONS[8],
        ],
    );
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <unknown>
  └─ canary    podinfo-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          missing, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      <unset>
  max-age   60         <unset>
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; its effect on the
                 cookie is <unknown>; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT048: with Max-Age=60, the cookie expires during 32 % of one-minute
    logins, which can then change track
    fix: declare where your logins begin, for example /login: kubectl
      canary-traefik sticky set podinfo -f canary.yaml --entry /login
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
duration: the browser session
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
name: login
Path the browser sends the cookie to. Type - to leave it unset (/)
path: unset
Domain the browser sends the cookie to. Type - to leave it unset (the host that
set it)
domain: unset
Send the cookie over HTTPS only. Type - to leave it unset (false)
secure: unset
Hide the cookie from scripts. Type - to leave it unset (false)
http-only: unset
Send the cookie on requests that come from other sites: none (always), lax (link
s) or strict (never). Type - to leave it unset (the browser decides, mostly lax)
same-site: unset
Paths where logins begin, such as /login: Traefik chooses a track again, and rem
oves all cookies from the request. Separate several by commas. Type - to leave i
t unset
entry: unset
note: returning users see the canary in 0 % of their page views during the steps
, instead of 30 %
note: 100 % of logins under way change version when the promotion replaces the p
rimary's pods
note: to prevent this, start again with --entry PATH --max-age 2m; in the Canary
, set spec.analysis.interval: 2m3s and spec.analysis.stepWeights: [10, 20, 30, 4
0, 50, 100]
the equivalent command: kubectl canary-traefik sticky set podinfo --name login -
-unset max-age --yes -f canary.yaml
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
+    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:
warning CT020: podinfo: a session cookie lives until the browser closes, so user
s stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for ex
ample /login and 2m: kubectl canary-traefik sticky set podinfo --entry /login --
max-age 2m
canary.flagger.app/podinfo configured

"#]]);
    assert_eq!(declared(&folder).as_deref(), Some("login"));
}

#[test]
fn own_values_are_typed_and_what_is_wrong_is_asked_again() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo"]));
    pty.wait_for(QUESTIONS[0]);
    pty.press(Key::Up);
    pty.press(Key::Enter);
    pty.types_line("name [podinfo-track]:", "a b");
    pty.wait_for("`a b`:");
    pty.types_line("name [podinfo-track]:", "login");
    pty.types_line("max-age [-]:", "soon");
    pty.wait_for("`soon`:");
    pty.types_line("max-age [-]:", "1h30m");
    pty.types_line("path [-]:", "/sso");
    pty.types_line("domain [-]:", "example.com");
    pty.types_line("secure, y or n [n]:", "maybe");
    pty.wait_for("`maybe`:");
    pty.types_line("secure, y or n [n]:", "y");
    pty.types_line("http-only, y or n [y]:", "no");
    pty.wait_for("same-site:");
    pty.press(Key::Up);
    pty.press(Key::Enter);
    takes(&mut pty, &["entry [-]:"]);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; there is no cookie
                 to protect; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
duration: custom
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
`a b`: may contain only letters, digits and !#$%&'*+-.^_`|~
name: login
How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the firs
t response, not extended. Type - to leave it unset (until the browser closes)
`soon`: must be whole seconds of at most ten digits, such as 300, or a duration
such as 5m or 1h30m
max-age: 5400
Path the browser sends the cookie to. Type - to leave it unset (/)
path: /sso
Domain the browser sends the cookie to. Type - to leave it unset (the host that
set it)
domain: example.com
Send the cookie over HTTPS only. Type - to leave it unset (false)
`maybe`: must be y or n
secure: true
Hide the cookie from scripts. Type - to leave it unset (false)
http-only: unset
Send the cookie on requests that come from other sites: none (always), lax (link
s) or strict (never). Type - to leave it unset (the browser decides, mostly lax)
same-site: none
Paths where logins begin, such as /login: Traefik chooses a track again, and rem
oves all cookies from the request. Separate several by commas. Type - to leave i
t unset
entry: unset
note: returning users see the canary in 1 % of their page views during the steps
, instead of 30 %
note: 98 % of logins under way change version when the promotion replaces the pr
imary's pods
note: to prevent this, start again with --entry PATH --max-age 2m; in the Canary
, set spec.analysis.interval: 2m3s and spec.analysis.stepWeights: [10, 20, 30, 4
0, 50, 100]
the equivalent command: kubectl canary-traefik sticky set podinfo --name login -
-max-age 5400 --path /sso --domain example.com --secure --same-site none --yes -
f canary.yaml
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: podinfo
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=5400; Path=/sso; Domai
n=example.com; Secure; SameSite=None
 spec:
   provider: traefik
   targetRef:
warning CT021: podinfo: with Max-Age=5400 and an interval of 60 s, returning use
rs see the canary in 1 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo --entry /login --max-age 2m
canary.flagger.app/podinfo configured

"#]]);
    assert_eq!(
        declared(&folder).as_deref(),
        Some("login; Max-Age=5400; Path=/sso; Domain=example.com; Secure; SameSite=None")
    );
}

#[test]
fn a_line_is_mended_with_the_usual_keys() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo", "--dry-run=client"]));
    takes(&mut pty, &QUESTIONS[..1]);
    pty.wait_for("name [podinfo-track]:");
    // ab, back and X before the b, away with it, Y at the beginning, and all of it anew.
    for keys in ["ab", "\x1b[D", "X", "\x7f", "\x01", "Y"] {
        pty.types(keys);
    }
    pty.wait_for("Yab");
    pty.types("\x05\x15");
    pty.types_line("name [podinfo-track]:", "done");
    pty.wait_for("name: done");
    pty.wait_for(QUESTIONS[2]);
    pty.press(Key::Escape);
    assert_eq!(pty.ends().code, Some(3));
}

#[test]
fn escape_at_any_question_leaves_everything_as_it_is() {
    for count in 0..=QUESTIONS.len() {
        let folder = place(None);
        let before = folder.read("canary.yaml");
        let mut pty = Pty::start(set(&folder, &["podinfo"]));
        takes(&mut pty, &QUESTIONS[..count]);
        pty.wait_for(QUESTIONS.get(count).unwrap_or(&"Change canary.yaml? [y]es / [N]o / [e]dit"));
        pty.wait_for_keys();
        pty.press(Key::Escape);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(3), true), "{count}: {seen:?}");
        assert_eq!(folder.read("canary.yaml"), before, "{count}");
    }
}

#[test]
fn control_c_at_any_question_leaves_everything_as_it_is() {
    for count in 0..=QUESTIONS.len() {
        let folder = place(None);
        let before = folder.read("canary.yaml");
        let mut pty = Pty::start(set(&folder, &["podinfo"]));
        takes(&mut pty, &QUESTIONS[..count]);
        pty.wait_for(QUESTIONS.get(count).unwrap_or(&"Change canary.yaml? [y]es / [N]o / [e]dit"));
        pty.wait_for_keys();
        pty.press(Key::CtrlC);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(130), true), "{count}: {seen:?}");
        assert_eq!(folder.read("canary.yaml"), before, "{count}");
    }
}

#[test]
fn escape_and_control_c_say_that_nothing_was_changed() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo"]));
    takes(&mut pty, &QUESTIONS[..2]);
    pty.wait_for(QUESTIONS[2]);
    pty.press(Key::Escape);
    pty.ends().shows(str![[r#"
exit: 3
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; there is no cookie
                 to protect; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
duration: one login, 2m
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
name: podinfo-track
How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the firs
t response, not extended. Type - to leave it unset (until the browser closes)
cancelled: nothing was changed

"#]]);
    let mut pty = Pty::start(set(&folder, &["podinfo"]));
    pty.wait_for(QUESTIONS[0]);
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; there is no cookie
                 to protect; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
How long a cookie pins a user:
> one login            2m     longer than one step (1m); at weight 50, returni…
  the whole rollout    6m     (5 steps + 1 to promote) x 1m; at weight 50, ret…
  the browser session         until the browser closes
  custom                      set every field yourself
error: interrupted

"#]]);
}

#[test]
fn a_window_of_40_columns_is_wide_enough() {
    let folder = place(None);
    let mut pty = Pty::start_with(set(&folder, &["podinfo", "--yes"]), 40);
    pty.wait_for(QUESTIONS[0]);
    pty.press(Key::Down);
    pty.press(Key::Up);
    pty.press(Key::Enter);
    // A name that is longer than the window.
    pty.wait_for("track]:");
    pty.types(&"n".repeat(50));
    pty.wait_for(&"n".repeat(17));
    pty.press(Key::Enter);
    for question in [
        "max-age [2m]:",
        "path [-]:",
        "domain [-]:",
        "secure, y or n [n]:",
        "http-only, y or n [y]:",
        "same-site:",
        "entry [-]:",
    ] {
        takes(&mut pty, &[question]);
    }
    pty.ends().shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        canary, steps of 10 up
to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70
 <none>
  └─ canary    podinfo-canary:80    30
 <none>
Cookie:          none, nothing is declar
ed
Protected:       -
Next write:      a reset to what Flagger
 generates at its next check, because
                 Flagger did not create
it; weights 100/100; there is no cookie
                 to protect; stop whatev
er applies or changes this
                 TraefikService
Routes:          <none>: nothing leads t
o the TraefikService
Findings:
  warning CT052: Flagger overwrites the
weights and the cookie of TraefikService
    `podinfo`, which is among the manife
sts
    fix: remove it from the manifests, a
nd declare the cookie with sticky set
duration: one login, 2m
Cookie name. Type - to leave it unset (T
raefik derives one, such as _8d2a5)
name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
nnnnnnnnnnnnnnnn
How long a user stays on one track: seco
nds, or 5m, 1h30m. Counted from the firs
t response, not extended. Type - to leav
e it unset (until the browser closes)
max-age: 120
Path the browser sends the cookie to. Ty
pe - to leave it unset (/)
path: unset
Domain the browser sends the cookie to.
Type - to leave it unset (the host that
set it)
domain: unset
Send the cookie over HTTPS only. Type -
to leave it unset (false)
secure: unset
Hide the cookie from scripts. Type - to
leave it unset (false)
http-only: true
Send the cookie on requests that come fr
om other sites: none (always), lax (link
s) or strict (never). Type - to leave it
 unset (the browser decides, mostly lax)
same-site: lax
Paths where logins begin, such as /login
: Traefik chooses a track again, and rem
oves all cookies from the request. Separ
ate several by commas. Type - to leave i
t unset
entry: unset
note: 28 % of logins that take 2m change
 version during the steps: the cookie ex
pires during the login
note: 55 % of logins under way change ve
rsion when the promotion replaces the pr
imary's pods
note: to prevent this, start again with
--entry PATH; in the Canary, set spec.an
alysis.interval: 2m3s and spec.analysis.
stepWeights: [10, 20, 30, 40, 50, 100]
the equivalent command: kubectl canary-t
raefik sticky set podinfo --name nnnnnnn
nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
nnn --max-age 120 --http-only --same-sit
e lax --yes -f canary.yaml
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: podinfo
+  annotations:
+    kubectl-canary-traefik/sticky-cooki
e: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
nnnnnnnnnnnnn; Max-Age=120; HttpOnly; Sa
meSite=Lax
 spec:
   provider: traefik
   targetRef:
warning CT048: podinfo: with Max-Age=120
, the cookie expires during 15 % of one-
minute logins, which can then change tra
ck
  fix: declare where your logins begin,
for example /login: kubectl canary-traef
ik sticky set podinfo --entry /login
canary.flagger.app/podinfo configured

"#]]);
    let name = "n".repeat(50);
    assert_eq!(declared(&folder), Some(format!("{name}; Max-Age=120; HttpOnly; SameSite=Lax")));
}

#[test]
fn nothing_is_coloured_where_colour_is_not_wanted() {
    for (name, value, colored) in [("NO_COLOR", "1", false), ("CLICOLOR_FORCE", "1", true)] {
        let folder = folder(&[("canary.yaml", &(canary("one", None) + &canary("two", None)))]);
        let mut pty = Pty::start(set(&folder, &[]).env(name, value));
        pty.wait_for("Which Canary?");
        pty.types("tw");
        pty.wait_for("tw");
        pty.press(Key::Enter);
        pty.wait_for(QUESTIONS[0]);
        pty.press(Key::Escape);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.colored), (Some(3), colored), "{name}: {seen:?}");
    }
}

#[test]
fn e_goes_on_in_the_editor_and_a_change_of_mind_is_a_no() {
    let folder = place(None);
    let editor = Editor::new(&[r#"sed -i 's/^maxAge: 120/maxAge: 77/' "$1""#, ":"]);
    let temporary = Directory::new();
    let mut pty = Pty::start(editor.of(set(&folder, &["podinfo"])).env("TMPDIR", temporary.path()));
    takes(&mut pty, &QUESTIONS);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "e");
    pty.wait_for("Max-Age=77");
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(declared(&folder).as_deref(), Some("podinfo-track; Max-Age=77; HttpOnly; SameSite=Lax"));
    assert_eq!(temporary.names(), [""; 0]);
}

#[test]
fn answers_that_were_only_looked_at_in_the_editor_leave_no_file_after_a_no() {
    let folder = place(None);
    let editor = Editor::new(&[":"]);
    let temporary = Directory::new();
    let mut pty = Pty::start(editor.of(set(&folder, &["podinfo"])).env("TMPDIR", temporary.path()));
    takes(&mut pty, &QUESTIONS);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "e");
    editor.opens(1);
    pty.wait_for_times("+++ canary.yaml", 2);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "n");
    assert_eq!(pty.ends().code, Some(3));
    assert_eq!((declared(&folder), temporary.names().len()), (None, 0));
}

#[test]
fn one_of_many_canaries_is_found_by_its_letters() {
    let canaries: String = ["checkout", "podinfo", "search"].into_iter().map(|name| canary(name, None)).collect();
    let folder = folder(&[("canary.yaml", &(canaries + &service("search", Some("{cookie: {}}"))))]);
    let mut pty = Pty::start(set(&folder, &["--dry-run=client"]));
    pty.wait_for("search     <none>   undeclared");
    let list = pty.screen();
    exactly(
        &list,
        str![[r#"
Which Canary? |
> checkout   <none>   none
  podinfo    <none>   none
  search     <none>   undeclared

"#]],
    );
    pty.types("sch");
    pty.wait_for("Which Canary? sch|");
    pty.press(Key::Enter);
    pty.wait_for("set every field yourself");
    let screen = pty.screen();
    pty.press(Key::Escape);
    assert_eq!(pty.ends().code, Some(3));
    exactly(
        &screen,
        str![[r#"
Name:            search
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/search
Applied by:      <none>
Tracks:
  search
  ├─ primary   search-primary:80   70   <unknown>
  └─ canary    search-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          undeclared, only live
  FIELD   DECLARED   LIVE
  name    <unset>    <derived>
Protected:       none: Flagger's next write removes the cookie
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; it removes the
                 cookie; stop whatever applies or changes this TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT020: a session cookie lives until the browser closes, so users stay
    on their track into the next rollout
    fix: declare where your logins begin and a Max-Age just over one login, for
      example /login and 2m: kubectl canary-traefik sticky set search -f
      canary.yaml --entry /login --max-age 2m
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `search`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
How long a cookie pins a user:
  one login            2m     longer than one step (1m)
> the browser session         until the browser closes
  custom                      set every field yourself

"#]],
    );
}

#[test]
fn escape_and_control_c_leave_the_list_of_canaries() {
    for (key, code) in [(Key::Escape, 3), (Key::CtrlC, 130)] {
        let folder = folder(&[("canary.yaml", &(canary("one", None) + &canary("two", None)))]);
        let mut pty = Pty::start(set(&folder, &[]));
        pty.wait_for("Which Canary?");
        pty.wait_for_keys();
        pty.press(key);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{seen:?}");
    }
}

#[test]
fn with_a_flag_of_the_cookie_only_the_canary_is_asked_for() {
    let folder = folder(&[("canary.yaml", &(canary("one", None) + &canary("two", None)))]);
    let mut pty = Pty::start(set(&folder, &["--max-age", "5m"]));
    pty.wait_for("Which Canary?");
    pty.press(Key::Down);
    pty.press(Key::Enter);
    pty.answers("Change canary.yaml? [y]es / [N]o", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -16,6 +16,8 @@
 kind: Canary
 metadata:
   name: two
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:
canary.flagger.app/two configured

"#]]);
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let folder = place(None);
    set(&folder, &["podinfo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set podinfo --name login --max-age 300 --http-only -f canary.yaml

"#]]);
    set(&folder, &["--max-age", "5m"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Canary named, and no terminal to ask on
hint: name it after `sticky set`; kubectl canary-traefik show lists the Canaries

"#]]);
}

#[test]
fn where_there_is_no_canary_nothing_can_be_chosen() {
    let folder = folder(&[("canary.yaml", &service("podinfo", None))]);
    let pty = Pty::start(set(&folder, &[]));
    pty.ends().shows(str![[r#"
exit: 4
--- screen
error: no Canary on Traefik in the files

"#]]);
}
