//! Changes taken back by what they print, with the guard on.

use snapbox::{assert_data_eq, file};
use testbed::{namespace::Namespace, undoing};

use super::guard::{Guard, Turn};

#[test]
fn what_a_change_prints_under_the_webhook_takes_it_back() {
    let turn = Turn::take();
    let namespace = Namespace::on(turn.server(), "undoing");
    undoing::begin(&namespace);
    let acting = turn.shops("acting", &["shop"]);
    // It only answers: it would bring what differs up to what is declared before anybody changes it.
    let guard = Guard::start(&acting, "shop", &["--no-repairs"]);
    assert_data_eq!(undoing::table(&namespace), file!["../testbed/undone_under_a_guard.txt"]);
    let _ = guard.ends("TERM");
}
