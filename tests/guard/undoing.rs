//! Changes taken back by what they print, with the guard on.

use snapbox::{assert_data_eq, file};
use testbed::{namespace::Namespace, undoing};

use super::lone::lone;

#[test]
fn what_a_change_prints_under_the_policies_takes_it_back() {
    let lone = lone();
    let namespace = Namespace::on(&lone, "undoing");
    undoing::begin(&namespace);
    lone.install(&[]);
    assert_data_eq!(undoing::table(&namespace), file!["../testbed/undone_under_a_guard.txt"]);
}
