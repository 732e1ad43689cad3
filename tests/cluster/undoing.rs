//! Changes taken back by what they print.

use snapbox::{assert_data_eq, str};
use testbed::{namespace::Namespace, undoing};

#[test]
fn what_a_change_prints_takes_it_back() {
    let namespace = Namespace::new("undoing");
    undoing::begin(&namespace);
    assert_data_eq!(
        undoing::table(&namespace),
        str![[r#"
nothing     set
            sticky remove NAME
            as before
nothing     set --live-only
            sticky remove NAME --live-only
            as before
nothing     set --declare-only
            sticky remove NAME
            as before
nothing     edit
            sticky remove NAME
            as before
nothing     remove
            as before
nothing     remove --live-only
            as before
nothing     remove --declare-only
            as before
declared    set
            sticky set NAME --name a --max-age 60 --declare-only
            sticky remove NAME --live-only
            as before
declared    set --live-only
            sticky remove NAME --live-only
            as before
declared    set --declare-only
            sticky set NAME --name a --max-age 60 --declare-only
            as before
declared    edit
            sticky set NAME --name a --max-age 60 --http-only --declare-only
            sticky remove NAME --live-only
            as before
declared    remove
            sticky set NAME --name a --max-age 60 --http-only --declare-only
            as before
declared    remove --live-only
            as before
declared    remove --declare-only
            sticky set NAME --name a --max-age 60 --http-only --declare-only
            as before
declared    apply
            sticky remove NAME --live-only
            as before
synced      set
            sticky set NAME --name a --unset max-age
            as before
synced      set --live-only
            sticky set NAME --name a --unset max-age --live-only
            as before
synced      set --declare-only
            sticky set NAME --name a --unset max-age --declare-only
            as before
synced      edit
            sticky set NAME --name a --unset max-age --path '/a'/''b&c' --same-site lax
            as before
synced      remove
            sticky set NAME --name a --path '/a'/''b&c' --same-site lax
            as before
synced      remove --live-only
            sticky set NAME --name a --path '/a'/''b&c' --same-site lax --live-only
            as before
synced      remove --declare-only
            sticky set NAME --name a --path '/a'/''b&c' --same-site lax --declare-only
            as before
synced      apply
            as before
undeclared  set
            sticky remove NAME --declare-only
            sticky set NAME --name a --unset max-age --secure --live-only
            as before
undeclared  set --live-only
            sticky set NAME --name a --unset max-age --secure --live-only
            as before
undeclared  set --declare-only
            sticky remove NAME --declare-only
            as before
undeclared  edit
            sticky remove NAME --declare-only
            sticky set NAME --name a --unset max-age --secure --live-only
            as before
undeclared  remove
            sticky set NAME --name a --secure --live-only
            as before
undeclared  remove --live-only
            sticky set NAME --name a --secure --live-only
            as before
undeclared  remove --declare-only
            as before
derived     set
            sticky set NAME --unset name --unset max-age
            as before
derived     set --live-only
            sticky set NAME --unset name --unset max-age --live-only
            as before
derived     set --declare-only
            sticky set NAME --unset name --unset max-age --declare-only
            as before
derived     edit
            sticky set NAME --unset name --unset max-age
            as before
derived     remove
            sticky set NAME --unset name
            as before
derived     remove --live-only
            sticky set NAME --unset name --live-only
            as before
derived     remove --declare-only
            sticky set NAME --unset name --declare-only
            as before
derived     apply
            as before
differs     set
            sticky set NAME --name a --max-age 60 --declare-only
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
differs     set --live-only
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
differs     set --declare-only
            sticky set NAME --name a --max-age 60 --declare-only
            as before
differs     edit
            sticky set NAME --name a --max-age 60 --declare-only
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
differs     remove
            sticky set NAME --name a --max-age 60 --declare-only
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
differs     remove --live-only
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
differs     remove --declare-only
            sticky set NAME --name a --max-age 60 --unset secure --declare-only
            as before
differs     apply
            sticky set NAME --name b --max-age 90 --secure --live-only
            as before
empty       set
            sticky remove NAME --declare-only
            sticky set NAME --unset name --unset max-age --live-only
            as before
empty       set --live-only
            sticky set NAME --unset name --unset max-age --live-only
            as before
empty       set --declare-only
            sticky remove NAME --declare-only
            as before
empty       edit
            sticky remove NAME --declare-only
            sticky set NAME --unset name --unset max-age --live-only
            as before
empty       remove
            sticky set NAME --unset name --live-only
            as before
empty       remove --live-only
            sticky set NAME --unset name --live-only
            as before
empty       remove --declare-only
            as before
halfway     set
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/sticky-cookie-
            sticky remove NAME --live-only
            as before
halfway     set --live-only
            sticky remove NAME --live-only
            as before
halfway     set --declare-only
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/sticky-cookie-
            as before
halfway     edit
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/sticky-cookie- kubectl-canary-traefik/entry=/login
            sticky remove NAME --live-only
            as before
halfway     remove
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/entry=/login
            as before
halfway     remove --live-only
            as before
halfway     remove --declare-only
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/entry=/login
            as before
halfway     apply
            as before
malformed   set
            exit 2, error: the declaration of Canary `[NS]/malformed-set` is malformed, so it cannot be changed field by field
malformed   set --live-only
            sticky remove NAME --live-only
            as before
malformed   set --declare-only
            exit 2, error: the declaration of Canary `[NS]/malformed-set-decl` is malformed, so it cannot be changed field by field
malformed   edit
            kubectl annotate --overwrite canaries.flagger.app NAME 'kubectl-canary-traefik/sticky-cookie=a; Max-Age=soon'
            sticky remove NAME --live-only
            as before
malformed   remove
            kubectl annotate --overwrite canaries.flagger.app NAME 'kubectl-canary-traefik/sticky-cookie=a; Max-Age=soon'
            as before
malformed   remove --live-only
            as before
malformed   remove --declare-only
            kubectl annotate --overwrite canaries.flagger.app NAME 'kubectl-canary-traefik/sticky-cookie=a; Max-Age=soon'
            as before
malformed   apply
            exit 1, 
no-path     set
            exit 2, error: the entry of Canary `[NS]/no-path-set` is malformed
no-path     set --live-only
            sticky set NAME --name b --max-age 90 --live-only
            as before
no-path     set --declare-only
            exit 2, error: the entry of Canary `[NS]/no-path-set-decl` is malformed
no-path     edit
            kubectl annotate --overwrite canaries.flagger.app NAME kubectl-canary-traefik/sticky-cookie- 'kubectl-canary-traefik/entry=it'/''s'
            sticky set NAME --name b --max-age 90 --live-only
            as before
no-path     remove
            kubectl annotate --overwrite canaries.flagger.app NAME 'kubectl-canary-traefik/entry=it'/''s'
            sticky set NAME --name b --max-age 90 --live-only
            as before
no-path     remove --live-only
            sticky set NAME --name b --max-age 90 --live-only
            as before
no-path     remove --declare-only
            kubectl annotate --overwrite canaries.flagger.app NAME 'kubectl-canary-traefik/entry=it'/''s'
            as before
no-path     apply
            exit 2, error: `it's`: must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..

"#]]
    );
}
