//! Tests of kubeconfigs.

use super::*;
use crate::apiserver::testing::Folder;
use std::ffi::OsString;

fn environment(home: &Folder, files: &[&Path]) -> Environment {
    let kubeconfig = Some(std::env::join_paths(files).unwrap()).filter(|list| list != &OsString::new());
    Environment { home: Some(home.0.clone()), kubeconfig, ..Environment::default() }
}

const PROD: &str = "
current-context: ''
contexts:
- name: prod
  context: {cluster: prod, user: admin, namespace: shop}
clusters:
- name: prod
  cluster: {server: 'https://prod', certificate-authority: pki/ca.pem}
users:
- name: admin
  user: {token: first}
";
const STAGING: &str = "
current-context: staging
contexts:
- {name: staging, context: {cluster: staging, user: nobody}}
- {name: broken, context: {cluster: stagging}}
clusters:
- {name: staging, cluster: {server: 'https://staging'}}
- {name: prod, cluster: {server: 'https://other'}}
users:
- {name: admin, user: {token: second, username: me}}
";

fn error(result: Result<Choice>) -> (String, Vec<String>, Vec<String>) {
    let error = result.err().unwrap();
    (error.message().to_owned(), error.causes().to_vec(), error.hints().into_iter().map(str::to_owned).collect())
}

#[test]
fn the_first_file_wins_and_missing_files_are_skipped() {
    let home = Folder::new("merge");
    let (one, two) = (home.write("one", PROD), home.write("two", STAGING));
    let found = environment(&home, &[Path::new(""), &home.0.join("missing"), &one, &two]);
    let loaded = load(&ConnectionArgs::default(), &found).unwrap().unwrap();
    // The first file leaves the current context empty: the second one sets it.
    let choice = choose(&loaded, &ConnectionArgs::default()).unwrap();
    assert_eq!((choice.cluster.server.as_deref(), choice.namespace), (Some("https://staging"), None));

    let args = ConnectionArgs { context: Some("prod".to_owned()), ..ConnectionArgs::default() };
    let choice = choose(&loaded, &args).unwrap();
    assert_eq!(choice.cluster.server.as_deref(), Some("https://prod"));
    assert_eq!(choice.user.username, None);
    assert_eq!(choice.namespace.as_deref(), Some("shop"));
    assert_eq!(choice.files, format!("{}, {}", one.display(), two.display()));
}

#[test]
fn an_empty_authority_is_none_and_that_of_the_file_counts() {
    let home = Folder::new("empty-authority");
    let text = PROD.replace("current-context: ''", "current-context: prod");
    let file = home.write("one", &text.replace("pki/ca.pem", "pki/ca.pem, certificate-authority-data: ''"));
    let loaded = load(&ConnectionArgs::default(), &environment(&home, &[&file])).unwrap().unwrap();
    let cluster = choose(&loaded, &ConnectionArgs::default()).unwrap().cluster;
    assert_eq!(cluster.certificate_authority_data, None);
    assert_eq!(cluster.certificate_authority, Some(home.0.join("pki/ca.pem").display().to_string()));
}

#[test]
fn relative_paths_start_at_the_file_that_holds_them() {
    let home = Folder::new("relative");
    let file = home.write(".kube/config", PROD);
    let loaded = load(&ConnectionArgs::default(), &environment(&home, &[])).unwrap().unwrap();
    let args = ConnectionArgs { context: Some("prod".to_owned()), ..ConnectionArgs::default() };
    let authority = choose(&loaded, &args).unwrap().cluster.certificate_authority;
    assert_eq!(authority.as_deref().map(Path::new), Some(&*file.with_file_name("pki/ca.pem")));
}

#[test]
fn a_named_file_must_be_there_and_is_the_only_one() {
    let home = Folder::new("named");
    let (one, two) = (home.write("one", PROD), home.write("two", STAGING));
    let args = ConnectionArgs { kubeconfig: Some(two), ..ConnectionArgs::default() };
    let choice = choose(&load(&args, &environment(&home, &[&one])).unwrap().unwrap(), &args).unwrap();
    assert_eq!(choice.cluster.server.as_deref(), Some("https://staging"));

    let args = ConnectionArgs { kubeconfig: Some("missing".into()), ..ConnectionArgs::default() };
    assert_eq!(load(&args, &environment(&home, &[&one])).unwrap_err().message(), "no file `missing`");
}

#[cfg(unix)]
#[test]
fn a_missing_file_is_passed_over_and_nothing_else() {
    let home = Folder::new("unreadable");
    let good = home.write("good", PROD);
    std::os::unix::fs::symlink("loop", home.0.join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", home.0.join("dangling")).unwrap();
    for missing in ["missing", "missing/config", "dangling"] {
        let loaded = load(&ConnectionArgs::default(), &environment(&home, &[&home.0.join(missing), &good]));
        assert_eq!(loaded.unwrap().unwrap().files, good.display().to_string());
    }
    let cases = [
        ("loop", "too many levels of symbolic links"),
        ("loop/config", "too many levels of symbolic links"),
        ("good/config", "not a directory"),
        (".", "is a directory"),
    ];
    for (name, why) in cases {
        let bad = home.0.join(name);
        let named = ConnectionArgs { kubeconfig: Some(bad.clone()), ..ConnectionArgs::default() };
        for (args, environment) in [
            (ConnectionArgs::default(), environment(&home, &[&bad, &good])),
            (ConnectionArgs::default(), environment(&home, &[&good, &bad])),
            (named, environment(&home, &[&good])),
        ] {
            let error = load(&args, &environment).unwrap_err();
            assert_eq!(error.message(), format!("cannot read `{}`", bad.display()));
            assert_eq!(error.causes()[0].split(" (").next(), Some(why));
        }
    }
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    let home = Folder::new("unknown");
    let file = home.write("one", &STAGING.replace("name: prod", "name: production"));
    let found = environment(&home, &[&file]);
    let loaded = load(&ConnectionArgs::default(), &found).unwrap().unwrap();
    let file = file.display();
    let chosen = |args: ConnectionArgs| error(choose(&loaded, &args));

    let args = ConnectionArgs { context: Some("stagin".to_owned()), ..ConnectionArgs::default() };
    let hints = vec!["use --context staging".to_owned(), "known contexts: staging, broken".to_owned()];
    assert_eq!(chosen(args), (format!("no context named `stagin` in {file}"), vec![], hints));

    let args = ConnectionArgs { cluster: Some("producton".to_owned()), ..ConnectionArgs::default() };
    let hints = vec!["use --cluster production".to_owned(), "known clusters: production, staging".to_owned()];
    assert_eq!(chosen(args), (format!("no cluster named `producton` in {file}"), vec![], hints));

    let args = ConnectionArgs { user: Some("jane".to_owned()), ..ConnectionArgs::default() };
    let hints = vec!["known users: admin".to_owned()];
    assert_eq!(chosen(args), (format!("no user named `jane` in {file}"), vec![], hints));

    let args = ConnectionArgs { context: Some("broken".to_owned()), ..ConnectionArgs::default() };
    let (causes, hints) =
        (vec!["context `broken` names it".to_owned()], vec!["known clusters: staging, production".to_owned()]);
    assert_eq!(chosen(args), (format!("no cluster named `stagging` in {file}"), causes, hints));
}

#[test]
fn without_a_current_context_one_must_be_named() {
    let home = Folder::new("current");
    let file = home.write("one", PROD);
    let loaded = load(&ConnectionArgs::default(), &environment(&home, &[&file])).unwrap().unwrap();
    let hints = vec!["use --context NAME".to_owned(), "known contexts: prod".to_owned()];
    let expected = (format!("no context is chosen in {}", file.display()), vec![], hints);
    assert_eq!(error(choose(&loaded, &ConnectionArgs::default())), expected);
    // Unless the flags name both cluster and user.
    let args = ConnectionArgs {
        cluster: Some("prod".to_owned()),
        user: Some("admin".to_owned()),
        ..ConnectionArgs::default()
    };
    assert_eq!(choose(&loaded, &args).unwrap().user_name, "admin");
}

#[test]
fn a_broken_file_is_named_and_not_quoted() {
    let home = Folder::new("broken");
    let file = home.write("one", "users:\n- name: admin\n  user: {token: [s3cr3t]}\n");
    let error = load(&ConnectionArgs::default(), &environment(&home, &[&file])).unwrap_err();
    assert_eq!(error.message(), format!("`{}` is not a kubeconfig", file.display()));
    assert_eq!(error.causes(), ["line 3, column 17"]);
}

#[test]
fn nothing_found_is_said_with_the_places() {
    let home = Folder::new("none");
    let found = environment(&home, &[]);
    assert!(load(&ConnectionArgs::default(), &found).unwrap().is_none());
    let error = none_found(&found);
    assert_eq!(error.message(), "no kubeconfig found");
    assert_eq!(error.causes(), [format!("looked for {}", home.0.join(".kube/config").display())]);
}
