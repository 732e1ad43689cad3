//! Finds, reads and merges kubeconfig files, and selects a cluster, a user and a namespace according to the flags.
//! Makes no API requests.

use std::{
    io,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};

use crate::{
    apiserver::flags::ConnectionArgs,
    environment::Environment,
    error::{Error, Result, reason},
    model::name::near,
};

/// The merged kubeconfig files.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    config: Kubeconfig,
    /// The file names, for messages.
    files: String,
}

/// The selected cluster, user and namespace.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) cluster: Cluster,
    pub(crate) cluster_name: String,
    pub(crate) user: AuthInfo,
    pub(crate) user_name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) files: String,
}

/// Reads the files named by `--kubeconfig`, `KUBECONFIG` or the home directory. `None` if there is none, or if they are
/// empty.
///
/// Of several files only missing ones are skipped (client-go `tools/clientcmd/loader.go:Load`): an unreadable file may
/// name another cluster and user than the next one.
pub(crate) fn load(args: &ConnectionArgs, environment: &Environment) -> Result<Option<Loaded>> {
    if let Some(file) = &args.kubeconfig {
        let missing = || Error::usage(format!("no file `{}`", file.display())).hint("--kubeconfig FILE");
        let config = read(file)?.ok_or_else(missing)?;
        return merge([(file.clone(), config)]).map(Some);
    }
    let mut found = Vec::new();
    for file in candidates(environment) {
        if let Some(config) = read(&file)? {
            found.push((file, config));
        }
    }
    let loaded = merge(found)?;
    let config = &loaded.config;
    let is_empty = config.clusters.is_empty() && config.contexts.is_empty() && config.auth_infos.is_empty();
    Ok((!is_empty || config.current_context.is_some()).then_some(loaded))
}

/// The kind of a named entry in a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Part {
    Context,
    Cluster,
    User,
}

/// Returns the names of this kind; empty if no kubeconfig can be read.
pub fn names(args: &ConnectionArgs, environment: &Environment, part: Part) -> Vec<String> {
    let Ok(Some(Loaded { config, .. })) = load(&args.without_empty(), environment) else { return Vec::new() };
    match part {
        Part::Context => config.contexts.into_iter().map(|named| named.name).collect(),
        Part::Cluster => config.clusters.into_iter().map(|named| named.name).collect(),
        Part::User => config.auth_infos.into_iter().map(|named| named.name).collect(),
    }
}

/// Returns the error for a missing kubeconfig.
pub(crate) fn none_found(environment: &Environment) -> Error {
    let looked: Vec<_> = candidates(environment).iter().map(|file| file.display().to_string()).collect();
    let error = Error::usage("no kubeconfig found");
    let error = if looked.is_empty() { error } else { error.caused_by(format!("looked for {}", looked.join(", "))) };
    error.hint("--kubeconfig FILE, or --server URL")
}

/// Returns the files to look for, in order. `KUBECONFIG` replaces the home directory's file.
fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = environment.kubeconfig.iter().flat_map(std::env::split_paths).collect();
    let listed: Vec<PathBuf> = listed.into_iter().filter(|file| !file.as_os_str().is_empty()).collect();
    if listed.is_empty() {
        environment.home.iter().map(|home| home.join(".kube").join("config")).collect()
    } else {
        listed
    }
}

/// Reads one file; `None` if it does not exist.
fn read(file: &Path) -> Result<Option<Kubeconfig>> {
    match Kubeconfig::read_from(file) {
        Ok(config) => Ok(Some(config)),
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn merge(files: impl IntoIterator<Item = (PathBuf, Kubeconfig)>) -> Result<Loaded> {
    let (mut config, mut names) = (Kubeconfig::default(), Vec::new());
    for (file, mut next) in files {
        if let Some(kind) = next.kind.as_deref().filter(|kind| *kind != "Config") {
            return Err(Error::usage(format!("`{}` is not a kubeconfig", file.display()))
                .caused_by(format!("its kind is `{kind}`"))
                .hint("--kubeconfig FILE"));
        }
        // An empty value is unset: a later file may set it.
        next.current_context = next.current_context.filter(|name| !name.is_empty());
        config = config.merge(next).map_err(|error| unreadable(&file, &error))?;
        names.push(file.display().to_string());
    }
    Ok(Loaded { config, files: names.join(", ") })
}

/// Returns the error for a file that cannot be read. The parser's own message can quote the line and thus a token, so
/// only the location is shown.
fn unreadable(file: &Path, error: &KubeconfigError) -> Error {
    let file = file.display();
    match error {
        KubeconfigError::ReadConfig(error, _) => Error::usage(format!("cannot read `{file}`")).caused_by(reason(error)),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            Error::usage(format!("`{file}` has a different kind or version than the kubeconfig before it"))
        }
        KubeconfigError::Parse(error) => {
            let refusal = Error::usage(format!("`{file}` is not a kubeconfig"));
            match error.location() {
                Some(place) => refusal.caused_by(format!("line {}, column {}", place.line(), place.column())),
                None => refusal,
            }
        }
        _ => Error::usage(format!("`{file}` cannot be used as a kubeconfig")),
    }
}

/// Selects the context, its cluster and its user, or those that the flags name.
pub(crate) fn choose(loaded: &Loaded, args: &ConnectionArgs) -> Result<Choice> {
    let Loaded { config, files } = loaded;
    let (context_name, context) = context(loaded, args)?;

    let wanted = args.cluster.as_deref().unwrap_or(&context.cluster);
    let found = config.clusters.iter().find(|named| named.name == wanted).and_then(|named| named.cluster.clone());
    let cluster = match found {
        Some(cluster) => cluster,
        // `--server` is enough.
        None if args.cluster.is_none() && args.server.is_some() => Cluster::default(),
        None => {
            let names = config.clusters.iter().map(|named| named.name.as_str()).collect();
            let error = unknown("cluster", wanted, files, names, args.cluster.is_some());
            return Err(if args.cluster.is_some() {
                error
            } else {
                error.caused_by(format!("context `{context_name}` names it"))
            });
        }
    };

    let wanted = args.user.as_deref().or(context.user.as_deref()).unwrap_or_default();
    let found = config.auth_infos.iter().find(|named| named.name == wanted).and_then(|named| named.auth_info.clone());
    let user = match found {
        Some(user) => user,
        // Like kubectl: a context may have no user, or one that does not exist.
        None if args.user.is_none() => AuthInfo::default(),
        None => {
            let names = config.auth_infos.iter().map(|named| named.name.as_str()).collect();
            return Err(unknown("user", wanted, files, names, true));
        }
    };

    Ok(Choice {
        cluster,
        cluster_name: args.cluster.clone().unwrap_or(context.cluster),
        user,
        user_name: wanted.to_owned(),
        namespace: context.namespace.filter(|name| !name.is_empty()),
        files: files.clone(),
    })
}

fn context(loaded: &Loaded, args: &ConnectionArgs) -> Result<(String, Context)> {
    let Loaded { config, files } = loaded;
    let known: Vec<&str> = config.contexts.iter().map(|named| named.name.as_str()).collect();
    let Some(name) = args.context.as_ref().or(config.current_context.as_ref()) else {
        if args.server.is_some() || args.cluster.is_some() {
            return Ok(Default::default());
        }
        let error = Error::usage(format!("no context is chosen in {files}")).hint("--context NAME");
        return Err(with_known("contexts", &known, error));
    };
    if let Some(found) = config.contexts.iter().find(|named| &named.name == name) {
        return Ok((name.clone(), found.context.clone().unwrap_or_default()));
    }
    let error = unknown("context", name, files, known, true);
    Err(if args.context.is_some() { error } else { error.caused_by("current-context names it") })
}

/// Returns the error for an unknown name, listing the known ones, most similar first.
fn unknown(what: &str, name: &str, files: &str, known: Vec<&str>, has_flag: bool) -> Error {
    let near = near(name, known.iter().copied());
    let mut error = Error::usage(format!("no {what} named `{name}` in {files}"));
    if let Some(best) = near.first().filter(|_| has_flag) {
        error = error.hint(format!("--{what} {best}"));
    }
    let rest: Vec<&str> = known.into_iter().filter(|name| !near.contains(name)).collect();
    with_known(&format!("{what}s"), &[near, rest].concat(), error)
}

fn with_known(what: &str, known: &[&str], error: Error) -> Error {
    const SHOWN: usize = 10;
    match known.len() {
        0 => error,
        all if all > SHOWN => {
            error.hint(format!("known {what}: {} and {} more", known[..SHOWN].join(", "), all - SHOWN))
        }
        _ => error.hint(format!("known {what}: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
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
        let hints = vec!["--context staging".to_owned(), "known contexts: staging, broken".to_owned()];
        assert_eq!(chosen(args), (format!("no context named `stagin` in {file}"), vec![], hints));

        let args = ConnectionArgs { cluster: Some("producton".to_owned()), ..ConnectionArgs::default() };
        let hints = vec!["--cluster production".to_owned(), "known clusters: production, staging".to_owned()];
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
        let hints = vec!["--context NAME".to_owned(), "known contexts: prod".to_owned()];
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
}
