//! `sticky edit -f`: the editor, what it can do wrong, and what becomes of what was typed.
#![expect(clippy::disallowed_methods, reason = "what was kept is read as it is, be it text or not")]

use snapbox::str;
use testbed::{
    directory::Directory,
    editor::Editor,
    pty::{Key, Pty},
    run::{Output, Run, exactly},
    running::Running,
};

use crate::manifests::{canary, folder};

const DECLARED: &str = "login; Max-Age=300; HttpOnly";

/// A folder with one Canary, and one for temporary files.
struct Place {
    folder: Directory,
    temporary: Directory,
}

impl Place {
    fn new(declared: Option<&str>) -> Self {
        Self { folder: folder(&[("canary.yaml", &canary("podinfo", declared))]), temporary: Directory::new() }
    }

    /// `sticky edit podinfo -f canary.yaml` with this editor, and what else is on the line.
    fn edit(&self, editor: &Editor, more: &[&str]) -> Run {
        editor.of(self.bare(more))
    }

    fn bare(&self, more: &[&str]) -> Run {
        Run::new(["sticky", "edit", "podinfo", "-f", "canary.yaml"])
            .arguments(more)
            .dir(self.folder.path())
            .env("TMPDIR", self.temporary.path())
            .redact(&self.temporary.path().display().to_string(), "[TMP]")
    }

    fn declared(&self) -> Option<String> {
        let text = self.folder.read("canary.yaml");
        let line = text.lines().find_map(|line| line.split_once("sticky-cookie: "))?;
        Some(line.1.to_owned())
    }

    /// The texts that were kept.
    fn kept(&self) -> Vec<Vec<u8>> {
        let folders = self.temporary.names();
        let path = |folder: &String| self.temporary.path().join(folder).join("podinfo.yaml");
        folders.iter().map(|folder| std::fs::read(path(folder)).unwrap_or_default()).collect()
    }

    /// The one text that was kept.
    fn kept_text(&self) -> String {
        let mut kept = self.kept();
        assert_eq!(kept.len(), 1, "one text is kept");
        String::from_utf8(kept.remove(0)).expect("UTF-8")
    }
}

/// Runs it with an editor of one round.
fn edited(round: &str) -> (Place, Editor, Output) {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[round]);
    let output = place.edit(&editor, &["--yes"]).run();
    (place, editor, output)
}

#[test]
fn the_cookie_is_edited_as_yaml_and_written_to_the_file() {
    let (place, editor, output) = edited(r#"sed -i -e 's/^maxAge:.*/maxAge: 1h30m/' -e 's/^#secure/secure/' "$1""#);
    output.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=5400; Secure; HttpOnly
 spec:
   provider: traefik
   targetRef:

"#]]);
    exactly(
        &editor.given(1),
        str![[r#"
# The sticky cookie of Canary podinfo. Lines that begin with # are ignored.
# Save an empty or unchanged file to cancel. {} means a cookie with default settings.
# If something is wrong, this file opens again with the reason above the line.

# Cookie name; unset = Traefik derives one, such as _8d2a5 (Traefik 2.0+)
name: login

# How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the first response, not extended; unset = until the browser closes (Traefik 3.0+)
maxAge: 300

# Path the browser sends the cookie to; unset = / (Traefik 3.3+)
#path: /

# Domain the browser sends the cookie to; unset = the host that set it (Traefik 3.4+)
#domain: example.com

# Send the cookie over HTTPS only; unset = false (Traefik 2.0+)
#secure: true

# Hide the cookie from scripts; unset = false (Traefik 2.0+)
httpOnly: true

# Send the cookie on requests that come from other sites: none (always), lax (links) or strict (never); unset = the browser decides, mostly lax (Traefik 3.0+)
#sameSite: lax

# Paths where logins begin, such as /login: Traefik chooses a track again, and removes all cookies from the request; unset = none
#entry: /login

"#]],
    );
    assert_eq!(place.declared().as_deref(), Some("login; Max-Age=5400; Secure; HttpOnly"));
    assert_eq!(place.temporary.names(), [""; 0], "no temporary file is left");
}

#[test]
fn wrong_input_opens_again_with_the_reason_above_its_line_until_it_is_right() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[
        r#"printf 'name: a b\n# mine\nmaxAge: 5 minutes\n' >"$1""#,
        r#"sed -i 's/a b/a/' "$1""#,
        r#"printf 'name: [\n' >"$1""#,
        r#"printf 'maxAge: 5m\n' >"$1""#,
    ]);
    let output = place.edit(&editor, &["--yes"]).run();
    output.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    exactly(
        &editor.given(2),
        str![[r#"
#! lines 3 and 6 are invalid; see the notes above them
#! name: may contain only letters, digits and !#$%&'*+-.^_`|~
name: a b
# mine
#! maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m
maxAge: 5 minutes

"#]],
    );
    exactly(
        &editor.given(3),
        str![[r#"
#! line 5 is invalid; see the note above that line
name: a
# mine
#! maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m
maxAge: 5 minutes

"#]],
    );
    exactly(
        &editor.given(4),
        str![[r#"
#! line 3 is invalid; see the note above that line
#! unclosed bracket '['
name: [

"#]],
    );
    assert_eq!(place.declared().as_deref(), Some("; Max-Age=300"));
    assert_eq!(place.temporary.names(), [""; 0]);
}

#[test]
fn nothing_is_changed_by_a_file_that_is_empty_or_as_it_was() {
    for (round, expected) in [
        (":", "edit cancelled: no changes were made\n"),
        (r#"touch "$1""#, "edit cancelled: no changes were made\n"),
        // Another text for the same cookie.
        (
            r#"printf '# mine\n{httpOnly: true, maxAge: "5m", name: login}' >"$1""#,
            "edit cancelled: no changes were made\n",
        ),
        (r#": >"$1""#, "edit cancelled: the file was left empty\n"),
        (r#"printf '# only this\n\n' >"$1""#, "edit cancelled: the file was left empty\n"),
    ] {
        let (place, _editor, output) = edited(round);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", expected), "{round}");
        assert_eq!(place.declared().as_deref(), Some(DECLARED), "{round}");
        assert_eq!(place.temporary.names(), [""; 0], "{round}");
    }
}

#[test]
fn an_empty_file_is_a_way_out_also_after_a_refusal() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: x' >"$1""#, r#": >"$1""#]);
    let output = place.edit(&editor, &["--yes"]).run();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), "edit cancelled: the file was left empty\n"));
    assert_eq!(place.temporary.names(), [""; 0]);
}

#[test]
fn a_refused_text_that_is_saved_as_it_is_ends_the_command_and_is_kept() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: x' >"$1""#, ":"]);
    let output = place.edit(&editor, &["--yes"]).run();
    output.shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the edited cookie is not valid
caused by: maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    exactly(
        &place.kept_text(),
        str![[r#"
#! line 3 is invalid; see the note above that line
#! maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m
maxAge: x

"#]],
    );
    assert_eq!(place.declared().as_deref(), Some(DECLARED));
}

#[test]
fn an_editor_that_fails_before_anything_was_typed_leaves_nothing_behind() {
    for (round, code, said) in [
        ("exit 1", 2, "error: the editor `[COMMAND]` ended with status 1\n"),
        ("kill -9 $$", 130, "error: the editor `[COMMAND]` was killed by signal 9\n"),
        (r#"rm "$1""#, 2, "error: cannot read what the editor wrote: the file is gone\n"),
        (r#"rm -r "$(dirname "$1")""#, 2, "error: cannot read what the editor wrote: the file is gone\n"),
    ] {
        let (place, editor, output) = edited(round);
        let first = output.stderr.replace(&editor.command(), "[COMMAND]");
        assert_eq!(first.lines().next().map(|line| format!("{line}\n")).as_deref(), Some(said), "{round}");
        assert_eq!((output.code, place.temporary.names().len()), (Some(code), 0), "{round}\n{output}");
        assert_eq!(place.declared().as_deref(), Some(DECLARED), "{round}");
    }
}

#[test]
fn whatever_goes_wrong_what_was_typed_is_kept_and_named() {
    for (round, code, said) in [
        (r#"echo 'maxAge: 7' >"$1"; exit 1"#, 2, "error: the editor `[COMMAND]` ended with status 1"),
        (r#"echo 'maxAge: 7' >"$1"; kill -9 $$"#, 130, "error: the editor `[COMMAND]` was killed by signal 9"),
        (r#"printf '\377\376' >"$1""#, 2, "error: cannot read what the editor wrote: it is not UTF-8 text"),
        (
            r#"head -c 10000000 /dev/zero >"$1""#,
            2,
            "error: cannot read what the editor wrote: it is longer than 262144 bytes",
        ),
    ] {
        let (place, editor, output) = edited(round);
        let stderr = output.stderr.replace(&editor.command(), "[COMMAND]");
        assert_eq!(output.code, Some(code), "{round}\n{output}");
        assert_eq!(stderr.lines().next(), Some(said), "{round}");
        let folder = place.temporary.names().pop().unwrap_or_else(|| panic!("nothing is kept: {round}"));
        let path = place.temporary.path().join(folder).join("podinfo.yaml");
        let hint = format!("hint: your edit was saved to {}", path.display());
        assert_eq!(stderr.lines().last(), Some(hint.as_str()), "{round}");
        let kept = std::fs::read(&path).expect("the text is kept");
        assert!(kept == b"maxAge: 7\n" || kept == b"\xff\xfe" || kept == vec![0; 10_000_000], "{round}");
        assert_eq!(place.declared().as_deref(), Some(DECLARED), "{round}");
    }
}

#[test]
fn a_text_that_the_editor_deletes_after_a_refusal_is_written_anew() {
    for second in [r#"rm "$1""#, r#"rm -r "$(dirname "$1")""#] {
        let place = Place::new(Some(DECLARED));
        let editor = Editor::new(&[r#"echo 'maxAge: x' >"$1""#, second]);
        let output = place.edit(&editor, &["--yes"]).run();
        output.shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read what the editor wrote: the file is gone
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
        exactly(
            &place.kept_text(),
            str![[r#"
#! line 3 is invalid; see the note above that line
#! maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m
maxAge: x

"#]],
        );
    }
}

#[test]
fn an_editor_that_is_not_there_is_an_error_with_the_way_out() {
    let place = Place::new(Some(DECLARED));
    place.bare(&["--yes"]).env("EDITOR", "no-such-editor --wait").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot run the editor `no-such-editor --wait`: no such program on the PATH
hint: set KUBE_EDITOR to an installed editor, for example vi; it must wait until the file is closed (code --wait)

"#]]);
    // Without any variable it is vi, and an empty one is none.
    place.bare(&["--yes"]).env("KUBE_EDITOR", "").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot run the editor `vi`: no such program on the PATH
hint: set KUBE_EDITOR to an installed editor, for example vi; it must wait until the file is closed (code --wait)

"#]]);
    assert_eq!(place.temporary.names(), [""; 0]);
}

#[test]
fn kube_editor_comes_before_editor() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1""#]);
    let output = place.edit(&editor, &["--yes"]).env("EDITOR", "no-such-editor").run();
    assert_eq!(output.code, Some(0), "{output}");
    let other = Editor::new(&[r#"echo 'maxAge: 61' >"$1""#]);
    let output = place.bare(&["--yes"]).env("EDITOR", other.command()).run();
    assert_eq!((output.code, place.declared().as_deref()), (Some(0), Some("; Max-Age=61")), "{output}");
}

#[test]
fn an_editor_with_quotes_blanks_and_flags_is_left_to_the_shell() {
    let place = Place::new(Some(DECLARED));
    let programs = Directory::new();
    let program = programs.write("my editor", "test \"$1\" = --wait && echo 'maxAge: 62' >\"$2\"\n");
    let command = format!("/bin/sh '{}' --wait", program.display());
    let output = place.bare(&["--yes"]).env("KUBE_EDITOR", command).env("SHELL", "/bin/sh").run();
    assert_eq!((output.code, place.declared().as_deref()), (Some(0), Some("; Max-Age=62")), "{output}");
}

#[test]
fn without_a_terminal_and_without_yes_the_editor_is_not_even_opened() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[":"]);
    place.edit(&editor, &[]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
error: confirmation needed, but there is no terminal
hint: add --yes to confirm whatever is saved in the editor

"#]]);
    assert_eq!(editor.rounds(), 0);
}

#[test]
fn a_dry_run_shows_the_change_and_keeps_nothing() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1""#]);
    let output = place.edit(&editor, &["--dry-run=client"]).run();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "canary.flagger.app/podinfo configured (dry run)\n"));
    assert_eq!((place.declared().as_deref(), place.temporary.names().len()), (Some(DECLARED), 0));
}

#[test]
fn manifests_from_a_pipe_are_edited_and_printed() {
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1""#]);
    let manifest = canary("podinfo", Some(DECLARED));
    let run = Run::new(["sticky", "edit", "podinfo", "-f", "-"]).stdin(&manifest);
    let output = editor.of(run).run();
    assert_eq!(output.code, Some(0), "{output}");
    exactly(&output.stdout, manifest.replace(DECLARED, "; Max-Age=60"));
}

#[test]
fn a_malformed_declaration_can_be_mended() {
    let place = Place::new(Some("login; Max-Age=5m"));
    let editor = Editor::new(&[r#"echo 'maxAge: 5m' >"$1""#]);
    let output = place.edit(&editor, &["--yes"]).run();
    assert_eq!((output.code, place.declared().as_deref()), (Some(0), Some("; Max-Age=300")), "{output}");
    let first = editor.given(1).lines().next().map(str::to_owned);
    let reason = "must be whole seconds of at most ten digits, such as 300";
    assert_eq!(first, Some(format!("#! the declaration is malformed: `Max-Age=5m`: {reason}")));
}

#[test]
fn a_change_of_another_field_that_the_file_got_meanwhile_is_kept() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 60/' "$1""#]);
    let running = Running::start(place.edit(&editor, &["--yes"]));
    editor.opens(1);
    place.folder.write("canary.yaml", "# a comment, too\n".to_owned() + &canary("podinfo", Some("other; Max-Age=300")));
    editor.release(1);
    let output = running.ends();
    assert_eq!((output.code, place.declared().as_deref()), (Some(0), Some("other; Max-Age=60")), "{output}");
    assert_eq!(place.folder.read("canary.yaml").lines().next(), Some("# a comment, too"));
}

#[test]
fn a_change_of_the_same_field_that_the_file_got_meanwhile_is_shown_beside_ones_own() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 60/' "$1""#, r#"sed -i '/^#!/d' "$1""#]);
    let running = Running::start(place.edit(&editor, &["--yes"]));
    editor.opens(1);
    place.folder.write("canary.yaml", canary("podinfo", Some("login; Max-Age=900; Secure")));
    editor.release(1);
    let output = running.ends();
    assert_eq!((output.code, place.declared().as_deref()), (Some(0), Some("login; Max-Age=60; Secure")), "{output}");
    let marks: Vec<_> = editor.given(2).lines().filter(|line| line.starts_with("#!")).map(str::to_owned).collect();
    assert_eq!(
        marks,
        [
            "#! line 11 is invalid; see the note above that line",
            "#! maxAge was changed by someone else while you were editing, from 300 to 900; delete this line to overwrite that"
        ]
    );
    assert_eq!(editor.given(2).lines().nth(10), Some("maxAge: 60"));
    assert_eq!(place.temporary.names(), [""; 0]);
}

#[test]
fn a_clash_that_is_not_decided_ends_as_a_conflict_and_the_text_is_kept() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"hold; sed -i 's/^maxAge:.*/maxAge: 60/' "$1""#, ":"]);
    let running = Running::start(place.edit(&editor, &["--yes"]));
    editor.opens(1);
    // Taken away as a whole.
    place.folder.write("canary.yaml", canary("podinfo", None));
    editor.release(1);
    running.ends().shows(str![[r#"
exit: 5
--- stdout
--- stderr
the cookie was removed by someone else in the meantime: the editor says more
error: the cookie was removed by someone else in the meantime
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    assert_eq!(place.declared(), None);
    let first = place.kept_text().lines().next().map(str::to_owned);
    assert_eq!(
        first.as_deref(),
        Some("#! the cookie was removed while you were editing; delete this line to restore it")
    );
}

#[test]
fn a_no_keeps_what_was_typed_and_e_goes_on_with_it() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"sed -i 's/^maxAge:.*/maxAge: 60/' "$1""#, r#"sed -i 's/60/61/' "$1""#, ":"]);
    let mut pty = Pty::start_with(place.edit(&editor, &[]), 160);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "e");
    pty.wait_for("Max-Age=61");
    // Once more, and left as it is.
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "e");
    editor.opens(3);
    pty.wait_for_times("Max-Age=61", 2);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "n");
    pty.ends().shows(str![[r#"
exit: 3
--- screen
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60; HttpOnly
 spec:
   provider: traefik
   targetRef:
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=61; HttpOnly
 spec:
   provider: traefik
   targetRef:
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=61; HttpOnly
 spec:
   provider: traefik
   targetRef:
cancelled: nothing was changed
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    assert_eq!(place.declared().as_deref(), Some(DECLARED));
    assert_eq!(place.kept_text().lines().find(|line| line.starts_with("maxAge")), Some("maxAge: 61"));
}

#[test]
fn control_c_at_the_question_keeps_what_was_typed() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1""#]);
    let mut pty = Pty::start_with(place.edit(&editor, &[]), 160);
    pty.wait_for("Change canary.yaml? [y]es / [N]o / [e]dit");
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   provider: traefik
   targetRef:
error: interrupted
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/podinfo.yaml

"#]]);
    assert_eq!((place.declared().as_deref(), place.kept_text().as_str()), (Some(DECLARED), "maxAge: 60\n"));
}

#[test]
fn control_c_in_the_editor_is_for_the_editor() {
    let place = Place::new(Some(DECLARED));
    // It takes it as vi does: it goes on.
    let round = r#"trap 'touch "$dir/go.1"' INT; stty -echo; echo editing; hold; echo 'maxAge: 60' >"$1""#;
    let editor = Editor::new(&[round]);
    let mut pty = Pty::start(place.edit(&editor, &[]));
    pty.wait_for("editing");
    pty.press(Key::CtrlC);
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
editing
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: podinfo
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   provider: traefik
   targetRef:
canary.flagger.app/podinfo configured

"#]]);
    assert_eq!(place.declared().as_deref(), Some("; Max-Age=60"));
}

#[test]
fn control_c_twice_in_the_editor_is_for_the_editor() {
    let place = Place::new(Some(DECLARED));
    // It goes on for longer than the program takes to end a command that does not notice a signal.
    let round = r#"trap 'times="$times."; echo "interrupted$times"; [ "$times" = . ] || touch "$dir/go.1"' INT
stty -echo; echo editing; hold; sleep 2; echo 'maxAge: 60' >"$1""#;
    let editor = Editor::new(&[round]);
    let mut pty = Pty::start(place.edit(&editor, &[]));
    pty.wait_for("editing");
    pty.press(Key::CtrlC);
    pty.wait_for("interrupted.");
    pty.press(Key::CtrlC);
    pty.wait_for("interrupted..");
    pty.answers("Change canary.yaml? [y]es / [N]o / [e]dit", "y");
    let seen = pty.ends();
    assert_eq!((seen.code, place.declared().as_deref()), (Some(0), Some("; Max-Age=60")), "{seen:?}");
}

#[test]
fn an_editor_that_dies_of_control_c_takes_the_command_along_and_the_text_is_kept() {
    let place = Place::new(Some(DECLARED));
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1"; stty raw -echo isig; echo editing; hold"#]);
    let mut pty = Pty::start(place.edit(&editor, &[]));
    pty.wait_for("editing");
    pty.press(Key::CtrlC);
    let seen = pty.ends();
    assert_eq!((seen.code, place.kept_text().as_str()), (Some(130), "maxAge: 60\n"), "{seen:?}");
    assert!(seen.restored, "{seen:?}");
    assert_eq!(place.declared().as_deref(), Some(DECLARED));
}
