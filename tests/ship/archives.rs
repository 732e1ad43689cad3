//! The archives: what is in them, and that they are the same wherever and whenever they are made.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    run::{Run, exactly},
};

use super::release::{PATH, VERSION, all_platforms, pack, release};

/// Of a release; CONTRIBUTING.md names it too.
const MOST_BYTES: u64 = 9_950_000;
/// What more of it is glibc, where that stands in for musl.
const GLIBC_BYTES: u64 = 700_000;

fn listing(archive: &Path) -> String {
    let path = archive.display().to_string();
    let zip = archive.extension().is_some_and(|extension| extension == "zip");
    let run = if zip {
        Run::of("/usr/bin/unzip", ["-Z", "-T", &path])
    } else {
        Run::of("/usr/bin/env", ["tar", "--utc", "--full-time", "--numeric-owner", "-tvzf", &path])
    };
    run.env("PATH", PATH).run().stdout
}

#[test]
fn the_executable_of_a_release_is_no_larger_than_it_may_be() {
    let bytes = fs::metadata(&release().executable).expect("it was built").len();
    let most = if release().target.ends_with("-gnu") { MOST_BYTES + GLIBC_BYTES } else { MOST_BYTES };
    assert!(bytes <= most, "{bytes} bytes, of {most}");
}

#[test]
fn no_path_of_the_machine_that_built_it_is_in_the_executable() {
    let bytes = fs::read(&release().executable).expect("it was built");
    let home = std::env::var("HOME").expect("a home");
    let root = bed::root().display().to_string();
    for path in [root, format!("{home}/.cargo"), "registry/src".to_owned()] {
        let found = bytes.windows(path.len()).position(|window| window == path.as_bytes());
        let near = found.map(|at| String::from_utf8_lossy(&bytes[at..(at + 120).min(bytes.len())]));
        assert_eq!(near, None, "{path}");
    }
}

#[test]
fn an_archive_has_the_executable_and_the_licence_and_nothing_of_who_made_it() {
    let out = Directory::new();
    all_platforms(out.path(), "https://example.com/canary-traefik");
    let size = fs::metadata(&release().executable).expect("it was built").len().to_string();
    let show = |text: &str| {
        let members = text.lines().filter(|line| line.starts_with('-'));
        members.map(|line| squeeze(&line.replace(&size, "[SIZE]"))).collect::<String>()
    };
    let archive = |of: &str| out.path().join(format!("kubectl-canary_traefik_{VERSION}_{of}"));
    exactly(
        &show(&listing(&archive("linux_amd64.tar.gz"))),
        str![[r#"
-rw-r--r-- 0/0 11358 2023-11-14 22:13:20 LICENSE
-rwxr-xr-x 0/0 [SIZE] 2023-11-14 22:13:20 kubectl-canary_traefik

"#]],
    );
    exactly(
        &show(&listing(&archive("windows_arm64.zip"))),
        str![[r#"
-rw-r--r-- 3.0 unx 11358 t- defX 20231114.221320 LICENSE
-rwxr-xr-x 3.0 unx [SIZE] b- defX 20231114.221320 kubectl-canary_traefik.exe

"#]],
    );
}

/// One blank between the words of a line.
fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n"
}

#[test]
fn the_same_executable_gives_the_same_archives_at_another_time_place_and_umask() {
    let sums = |umask: &str, zone: &str| {
        let out = Directory::new();
        let executable = out.write("somewhere/else", fs::read(&release().executable).expect("it was built"));
        let (folder, executable) = (out.path().display(), executable.display());
        let targets = format!("x86_64-unknown-linux-musl={executable} x86_64-pc-windows-msvc={executable}");
        let inner = format!("umask {umask}; exec \"$0\" --out {folder} {targets}");
        let build = bed::root().join("krew/build").display().to_string();
        let run = Run::of("/bin/sh", ["-c", &inner, &build]).env("PATH", PATH).env("TZ", zone);
        let output = run.env("SOURCE_DATE_EPOCH", "1700000000").run();
        assert_eq!(output.code, Some(0), "{output}");
        out.read("sha256sums")
    };
    assert_eq!(sums("022", "UTC"), sums("077", "Asia/Tokyo"));
}

/// A Rust for Linux without any standard library.
const RUSTC: &str = r#"#!/bin/sh
case "$*" in
  -vV) echo "host: x86_64-unknown-linux-gnu" ;;
  *) echo /nowhere ;;
esac
"#;

#[test]
fn what_cannot_be_built_here_is_listed_with_the_reason_and_refused_when_named() {
    let out = Directory::new();
    let tools = Directory::new();
    for (name, text) in [("rustc", RUSTC), ("cargo-zigbuild", "#!/bin/sh\n")] {
        let path = tools.write(name, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("one's own file");
    }
    let path = format!("{}:{PATH}", tools.path().display());
    let build = |arguments: &[&str]| pack(out.path(), arguments).env("PATH", &path).run();
    build(&[]).shows(str![[r#"
exit: 1
--- stdout
version [VERSION], second 1700000000
not built  linux/amd64  x86_64-unknown-linux-musl  needs its standard library (rustup target add x86_64-unknown-linux-musl)
not built  linux/arm64  aarch64-unknown-linux-musl  needs its standard library (rustup target add aarch64-unknown-linux-musl)
not built  darwin/amd64  x86_64-apple-darwin  is built on that system
not built  darwin/arm64  aarch64-apple-darwin  is built on that system
not built  windows/amd64  x86_64-pc-windows-msvc  is built on that system
not built  windows/arm64  aarch64-pc-windows-msvc  is built on that system
--- stderr
krew: error: nothing can be built here
krew: hint: see the reasons above

"#]]);
    build(&["x86_64-pc-windows-msvc"]).shows(str![[r#"
exit: 1
--- stdout
--- stderr
krew: error: x86_64-pc-windows-msvc cannot be built here
krew: hint: is built on that system

"#]]);
    build(&["aarch64-unknown-linux-musl"]).shows(str![[r#"
exit: 1
--- stdout
--- stderr
krew: error: aarch64-unknown-linux-musl cannot be built here
krew: hint: needs its standard library (rustup target add aarch64-unknown-linux-musl)

"#]]);
    build(&["z80-unknown-none"]).shows(str![[r#"
exit: 1
--- stdout
--- stderr
krew: error: no target z80-unknown-none
krew: hint: krew/build --help

"#]]);
    build(&["--nope"]).shows(str![[r#"
exit: 1
--- stdout
--- stderr
krew: error: unknown flag --nope
krew: hint: krew/build --help

"#]]);
}
