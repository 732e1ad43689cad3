//! Links the executable that the tests start, some thousand times, at a fixed address: relocating it takes a third of each
//! start. A release stays relocatable, as the compiler makes it.
#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script by variables alone")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "debug") && is("TARGET", "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
