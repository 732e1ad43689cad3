//! A cookie that a person changes by hand, in the editor or by answering questions, while others write too.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    directory::Directory,
    editor::Editor,
    flagger,
    namespace::Namespace,
    objects,
    pty::{Key, Pty, Signal},
    run::{Run, exactly},
    running::Running,
};

use crate::{
    definitions,
    rollout::{declare, declared, live, rollout, set_live, versions},
};

/// `sticky edit podinfo` with this editor and a folder of its own for temporary files.
fn edit(namespace: &Namespace, editor: &Editor, temporary: &Directory, more: &[&str]) -> Run {
    let run = namespace.run(["sticky", "edit", "podinfo"]).arguments(more).env("TMPDIR", temporary.path());
    editor.of(run.redact(&temporary.path().display().to_string(), "[TMP]"))
}

/// A rollout whose cookie is declared and live.
fn synced(hint: &str) -> Namespace<'static> {
    let namespace = rollout(hint);
    declare(&namespace, "podinfo", "login; Max-Age=300");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 300 }));
    namespace
}

fn takes(pty: &mut Pty, questions: &[&str]) {
    for question in questions {
        pty.wait_for(question);
        pty.wait_for_keys();
        pty.press(Key::Enter);
    }
}

#[test]
fn an_edit_changes_both_objects_and_leaves_no_file() {
    let namespace = synced("edit");
    let (editor, temporary) = (Editor::new(&[r#"sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#]), Directory::new());
    let mut pty = Pty::start(edit(&namespace, &editor, &temporary, &[]));
    pty.answers("Change 2 objects? [y]es / [N]o / [e]dit", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=600
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: edit-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -28,5 +28,5 @@
       weight: 10
     sticky:
       cookie:
-        maxAge: 300
+        maxAge: 600
         name: login
warning CT021: edit-[NS]/podinfo: with Max-Age=600 and an interval of 60 s, retu
rning users see the canary in 6 % of their page views during the steps, instead
of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n edit-[NS] --entry /login --max-age
 2m
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
not protected: Flagger removes this cookie at its next write (a weight step, pro
motion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --max-age 300

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=600"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 600 } }));
    assert_eq!(temporary.names(), [""; 0]);
}

#[test]
fn a_live_cookie_that_nobody_declares_is_edited_and_what_differs_is_said() {
    let namespace = rollout("undeclared");
    set_live(&namespace, "podinfo", &json!({ "name": "old", "secure": true }));
    let (editor, temporary) = (Editor::new(&[":"]), Directory::new());
    assert_eq!(edit(&namespace, &editor, &temporary, &["--yes"]).run().code, Some(0));
    let given = editor.given(1);
    let values: Vec<_> = given.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(values, ["name: old", "secure: true"]);

    declare(&namespace, "podinfo", "login; Max-Age=300");
    let editor = Editor::new(&[":"]);
    assert_eq!(edit(&namespace, &editor, &temporary, &["--yes"]).run().code, Some(0));
    let said: Vec<_> = editor.given(1).lines().filter(|line| line.starts_with("# live")).map(str::to_owned).collect();
    assert_eq!(said, ["# live it is old", "# live it is unset", "# live it is true"]);
}

#[test]
fn flaggers_steps_meanwhile_change_nothing_for_the_person() {
    let namespace = synced("steps");
    let (editor, temporary) = (Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#]), Directory::new());
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    // It drops the cookie, as ever; the declaration is what is edited.
    let written = flagger::writes(&namespace, "podinfo", 60, 40).expect("nobody else wrote");
    editor.release(1);
    let output = running.ends();
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=600"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 600 } }));
    let service = namespace.get("TraefikService", "podinfo");
    assert_eq!(service["spec"]["weighted"]["services"], written["spec"]["weighted"]["services"]);
}

#[test]
fn changes_of_other_fields_by_others_meanwhile_are_kept() {
    let namespace = synced("merged");
    let (editor, temporary) = (Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#]), Directory::new());
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    assert_eq!(namespace.run(["sticky", "set", "podinfo", "--secure", "--name", "sso", "--yes"]).run().code, Some(0));
    editor.release(1);
    let output = running.ends();
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(declared(&namespace, "podinfo"), json!("sso; Max-Age=600; Secure"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "sso", "maxAge": 600, "secure": true } }));
}

#[test]
fn a_change_of_the_same_field_meanwhile_is_shown_and_decided_by_the_person() {
    let namespace = synced("clash");
    let editor = Editor::new(&[
        r#"hold; sed -i -e 's/^maxAge:.*/maxAge: 10m/' -e 's/^#secure/secure/' "$1""#,
        r#"sed -i '/^#!/d' "$1""#,
    ]);
    let temporary = Directory::new();
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    assert_eq!(namespace.run(["sticky", "set", "podinfo", "--max-age", "60", "--yes"]).run().code, Some(0));
    editor.release(1);
    let output = running.ends();
    assert_eq!(output.code, Some(0), "{output}");
    let marks: Vec<_> = editor.given(2).lines().filter(|line| line.starts_with("#!")).map(str::to_owned).collect();
    assert_eq!(
        marks.last().map(String::as_str),
        Some(
            "#! maxAge was changed by someone else while you were editing, from 300 to 60; delete this line to overwrite that"
        )
    );
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=600; Secure"));
}

#[test]
fn a_clash_that_is_left_as_it_is_changes_nothing_and_the_text_is_kept() {
    let namespace = synced("undecided");
    let (editor, temporary) =
        (Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#, ":"]), Directory::new());
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    assert_eq!(namespace.run(["sticky", "set", "podinfo", "--max-age", "60", "--yes"]).run().code, Some(0));
    let theirs = versions(&namespace, "podinfo");
    editor.release(1);
    running.ends().shows(str![[r#"
exit: 5
--- stdout
--- stderr
someone else also changed maxAge in the meantime: the editor says more
error: someone else also changed maxAge in the meantime
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    assert_eq!((versions(&namespace, "podinfo"), temporary.names().len()), (theirs, 1));
}

#[test]
fn a_cookie_that_was_removed_meanwhile_comes_back_only_if_the_person_wants_that() {
    let namespace = synced("removed");
    let editor = Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#, r#": >"$1""#]);
    let temporary = Directory::new();
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    assert_eq!(namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().code, Some(0));
    editor.release(1);
    let output = running.ends();
    assert_eq!((output.code, declared(&namespace, "podinfo")), (Some(0), Value::Null), "{output}");
    assert_eq!(temporary.names(), [""; 0]);
}

#[test]
fn a_change_of_the_same_field_between_the_diff_and_the_yes_opens_the_editor_again() {
    let namespace = synced("late");
    let editor = Editor::new(&[r#"sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#, r#"sed -i '/^#!/d' "$1""#]);
    let temporary = Directory::new();
    let mut pty = Pty::start(edit(&namespace, &editor, &temporary, &[]));
    pty.wait_for("Change 2 objects? [y]es / [N]o / [e]dit");
    assert_eq!(namespace.run(["sticky", "set", "podinfo", "--max-age", "60", "--yes"]).run().code, Some(0));
    pty.answers("Change 2 objects? [y]es / [N]o / [e]dit", "y");
    editor.opens(2);
    pty.wait_for("sticky-cookie: login; Max-Age=60\n");
    pty.answers("Change 2 objects? [y]es / [N]o / [e]dit", "y");
    let seen = pty.ends();
    assert_eq!((seen.code, declared(&namespace, "podinfo")), (Some(0), json!("login; Max-Age=600")), "{seen:?}");
}

#[test]
fn a_canary_that_goes_away_meanwhile_is_an_error_and_the_text_is_kept() {
    let namespace = synced("gone");
    let (editor, temporary) = (Editor::new(&[r#"hold; echo 'maxAge: 7' >"$1""#]), Directory::new());
    let running = Running::start(edit(&namespace, &editor, &temporary, &["--yes"]));
    editor.opens(1);
    namespace.delete("Canary", "podinfo");
    editor.release(1);
    running.ends().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in namespace `gone-[NS]`
hint: kubectl canary-traefik show -A lists the Canaries of all namespaces
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    let folder = temporary.names().pop().expect("a folder");
    assert_eq!(temporary.read(&format!("{folder}/podinfo.yaml")), "maxAge: 7\n");
}

#[test]
fn the_wizard_chooses_asks_and_changes_both_objects() {
    let namespace = rollout("wizard");
    namespace.create_rollout("search", 100, 0);
    namespace.patch_status("Canary", "podinfo", &objects::status("Progressing", 10));
    let mut pty = Pty::start(namespace.run(["sticky", "set"]));
    pty.wait_for("search    <none>        none");
    exactly(
        &pty.screen(),
        str![[r#"
Which Canary? |
> podinfo   Progressing   none
  search    <none>        none

"#]],
    );
    pty.types("pod");
    pty.wait_for("Which Canary? pod|");
    pty.press(Key::Enter);
    takes(&mut pty, &QUESTIONS);
    pty.answers(CONSENT, "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       wizard-[NS]
Phase:           Progressing
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90   <none>
  └─ canary    podinfo-canary:80    10   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      the step to 20, or a rollback, within 60s if its checks pass;
                 weights 80/20; there is no cookie to protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
Events:          <none>
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
-track --max-age 120 --http-only --same-site lax --yes
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: podinfo-track; Max-Age=120; HttpOnly;
 SameSite=Lax
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: wizard-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,9 @@
       namespace: wizard-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 120
+        name: podinfo-track
+        sameSite: lax
warning CT048: wizard-[NS]/podinfo: with Max-Age=120, the cookie expires during
15 % of one-minute logins, which can then change track
  fix: declare where your logins begin, for example /login: kubectl canary-traef
ik sticky set podinfo -n wizard-[NS] --entry /login
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
not protected: Flagger removes this cookie at its next write (the step to 20, or
 a rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("podinfo-track; Max-Age=120; HttpOnly; SameSite=Lax"));
    let cookie = json!({ "name": "podinfo-track", "maxAge": 120, "httpOnly": true, "sameSite": "lax" });
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": cookie }));
}

const QUESTIONS: [&str; 9] = [
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
const CONSENT: &str = "Change 2 objects? [y]es / [N]o / [e]dit";

#[test]
fn escape_and_control_c_at_any_question_leave_both_objects_as_they_are() {
    let namespace = rollout("left");
    let before = versions(&namespace, "podinfo");
    for count in 0..=QUESTIONS.len() {
        for (key, code) in [(Key::Escape, 3), (Key::CtrlC, 130)] {
            let mut pty = Pty::start(namespace.run(["sticky", "set", "podinfo"]));
            takes(&mut pty, &QUESTIONS[..count]);
            pty.wait_for(QUESTIONS.get(count).unwrap_or(&CONSENT));
            pty.wait_for_keys();
            pty.press(key);
            let seen = pty.ends();
            assert_eq!((seen.code, seen.restored), (Some(code), true), "{count}: {seen:?}");
            assert_eq!(versions(&namespace, "podinfo"), before, "{count}");
        }
    }
}

#[test]
fn a_signal_at_the_question_leaves_both_objects_as_they_are_and_the_terminal_whole() {
    let namespace = rollout("signalled");
    let before = versions(&namespace, "podinfo");
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        let mut pty = Pty::start(namespace.run(["sticky", "set", "podinfo", "--max-age", "5m"]));
        pty.wait_for("Change 2 objects? [y]es / [N]o");
        pty.wait_for_keys();
        pty.signals(signal);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?}: {seen:?}");
        assert_eq!(versions(&namespace, "podinfo"), before, "{signal:?}");
    }
}

#[test]
fn answers_go_on_in_the_editor_in_40_columns_and_without_colour_too() {
    let namespace = rollout("narrow");
    let (editor, temporary) = (Editor::new(&[r#"sed -i 's/^maxAge:.*/maxAge: 10m/' "$1""#]), Directory::new());
    let run = namespace.run(["sticky", "set", "podinfo"]).env("NO_COLOR", "1").env("TMPDIR", temporary.path());
    let mut pty = Pty::start_with(editor.of(run), 40);
    takes(&mut pty, &QUESTIONS);
    pty.answers(CONSENT, "e");
    pty.wait_for("maxAge: 600");
    pty.answers(CONSENT, "y");
    let seen = pty.ends();
    assert_eq!((seen.code, seen.colored), (Some(0), false), "{seen:?}");
    // The only moment on the screen, and it does not fit into a line.
    let canary = namespace.get("Canary", "podinfo");
    let (front, back) = canary["metadata"]["creationTimestamp"].as_str().expect("a moment").split_at(17);
    let text = seen.text.replace(&format!("{front}\n{back}"), "[TIME]");
    exactly(
        &text,
        str![[r#"
exit: 0
--- screen
Name:            podinfo
Namespace:       narrow-[NS]
Phase:           <none>
Strategy:        canary, steps of 10 up
to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90
 <none>
  └─ canary    podinfo-canary:80    10
 <none>
Cookie:          none, nothing is declar
ed
Protected:       -
Next write:      a weight step, promotio
n or rollback; there is no cookie to
                 protect
Routes:          <none>: nothing leads t
o the TraefikService
Findings:        <none>
Events:          <none>
duration: one login, 2m
Cookie name. Type - to leave it unset (T
raefik derives one, such as _8d2a5)
name: podinfo-track
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
raefik sticky set podinfo --name podinfo
-track --max-age 120 --http-only --same-
site lax --yes
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cooki
e: podinfo-track; Max-Age=120; HttpOnly;
 SameSite=Lax
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: narrow-[NS]
--- traefikservice.traefik.io/podinfo (l
ive)
+++ traefikservice.traefik.io/podinfo (a
fter)
@@ -26,3 +26,9 @@
       namespace: narrow-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 120
+        name: podinfo-track
+        sameSite: lax
warning CT048: narrow-[NS]/podinfo: with
 Max-Age=120, the cookie expires during
15 % of one-minute logins, which can the
n change track
  fix: declare where your logins begin,
for example /login: kubectl canary-traef
ik sticky set podinfo -n narrow-[NS] --e
ntry /login
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cooki
e: podinfo-track; Max-Age=600; HttpOnly;
 SameSite=Lax
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: narrow-[NS]
--- traefikservice.traefik.io/podinfo (l
ive)
+++ traefikservice.traefik.io/podinfo (a
fter)
@@ -26,3 +26,9 @@
       namespace: narrow-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 600
+        name: podinfo-track
+        sameSite: lax
warning CT021: narrow-[NS]/podinfo: with
 Max-Age=600 and an interval of 60 s, re
turning users see the canary in 6 % of t
heir page views during the steps, instea
d of 30 %
  fix: set spec.analysis.interval to Max
-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just ov
er one login, for example /login and 2m:
 kubectl canary-traefik sticky set podin
fo -n narrow-[NS] --entry /login --max-a
ge 2m
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo config
ured
not protected: Flagger removes this cook
ie at its next write (a weight step, pro
motion or rollback)
to protect it: kubectl canary-traefik gu
ard install
to undo: kubectl canary-traefik sticky r
emove podinfo

"#]],
    );
    assert_eq!(declared(&namespace, "podinfo"), json!("podinfo-track; Max-Age=600; HttpOnly; SameSite=Lax"));
    assert_eq!(temporary.names(), [""; 0]);
}

mod dedicated_server {
    use super::*;

    /// A Deployment of this Traefik, as its chart makes it.
    fn traefik(namespace: &Namespace, image: &str) {
        let labels = json!({ "app.kubernetes.io/name": "traefik" });
        namespace.create_value(&json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "traefik", "labels": labels },
            "spec": { "selector": { "matchLabels": labels }, "template": {
                "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "traefik", "image": image }] },
            } },
        }));
    }

    #[test]
    fn fields_that_the_cluster_cannot_store_or_its_traefik_ignores_are_not_asked_and_are_marked() {
        let namespace = Namespace::on(definitions::older(), "older");
        namespace.create_rollout("podinfo", 90, 10);
        traefik(&namespace, "docker.io/traefik:v2.11.0");
        let mut pty = Pty::start(namespace.run(["sticky", "set", "podinfo"]));
        takes(&mut pty, &["How long a cookie pins a user:", "name [podinfo-track]:", "secure, y or n [n]:"]);
        pty.wait_for("http-only, y or n [y]:");
        pty.press(Key::Escape);
        pty.ends().shows(str![[r#"
exit: 3
--- screen
Name:            podinfo
Namespace:       older-[NS]
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90   <none>
  └─ canary    podinfo-canary:80    10   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a weight step, promotion or rollback; there is no cookie to
                 protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
Events:          <none>
duration: one login, 2m
Cookie name. Type - to leave it unset (Traefik derives one, such as _8d2a5)
name: podinfo-track
max-age: skipped, Traefik 2.11 (older-[NS]/traefik) ignores it: it needs 3.0
path: skipped, the TraefikServices of this cluster have no such field: it needs
the CRDs of Traefik 3.3
domain: skipped, the TraefikServices of this cluster have no such field: it need
s the CRDs of Traefik 3.4
Send the cookie over HTTPS only. Type - to leave it unset (false)
secure: unset
Hide the cookie from scripts. Type - to leave it unset (false)
cancelled: nothing was changed

"#]]);

        // In the editor they are marked, and one that cannot be stored is refused at its line.
        let (editor, temporary) =
            (Editor::new(&[r#"printf 'name: a\npath: /\n' >"$1""#, r#"sed -i /^path/d "$1""#]), Directory::new());
        let output = edit(&namespace, &editor, &temporary, &["--yes"]).run();
        assert_eq!((output.code, declared(&namespace, "podinfo")), (Some(0), json!("a")), "{output}");
        let marked: Vec<_> =
            editor.given(1).lines().filter(|line| line.starts_with("# NOT")).map(str::to_owned).collect();
        assert_eq!(marked.len(), 6, "{marked:?}");
        exactly(
            &editor.given(2),
            str![[r#"
#! line 4 is invalid; see the note above that line
name: a
#! path: the TraefikServices of this cluster have no such field: it needs the CRDs of Traefik 3.3
path: /

"#]],
        );
        namespace.delete("Deployment", "traefik");
    }

    #[test]
    fn a_value_that_the_server_refuses_opens_again_with_its_words() {
        let namespace = Namespace::on(definitions::older(), "refused");
        namespace.create_rollout("podinfo", 90, 10);
        let editor = Editor::new(&[r#"echo 'maxAge: 999999' >"$1""#, r#"echo 'maxAge: 99' >"$1""#]);
        let temporary = Directory::new();
        let output = edit(&namespace, &editor, &temporary, &["--yes"]).run();
        assert_eq!((output.code, declared(&namespace, "podinfo")), (Some(0), json!("; Max-Age=99")), "{output}");
        exactly(
            &editor.given(2),
            str![[r#"
#! traefikservices.traefik.io `podinfo` is invalid
#! spec.weighted.sticky.cookie.maxAge: Invalid value: 999999: spec.weighted.sticky.cookie.maxAge in body should be less than or equal to 100000
maxAge: 999999

"#]],
        );
    }
}
