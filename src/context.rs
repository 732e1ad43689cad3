//! The context of a command: the terminal, the environment, the connection flags and the source they select.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;

use crate::{
    apiserver::{self, ConnectionArgs, Progress},
    cluster::Cluster,
    environment::Environment,
    error::{Error, Exit, Kind, Result},
    files,
    model::NamespacedName,
    output,
    source::{self, Source, mention},
    text::{quoted, without_password},
    ui::Ui,
};

/// The context of a command.
#[derive(Debug)]
pub struct Context {
    /// The terminal.
    pub ui: Arc<Ui>,
    /// The environment the program was started in.
    pub environment: Environment,
    /// The connection flags.
    pub connection: ConnectionArgs,
    /// The URL of Traefik's own API.
    pub traefik_api: Option<Uri>,
    /// Current time in Unix seconds.
    pub now: i64,
    /// Warnings from API servers, without duplicates.
    pub warned: Arc<Mutex<BTreeSet<String>>>,
    /// The file with a user's edit that is not carried out yet.
    pub typed: Mutex<Option<PathBuf>>,
    /// The command, such as `sticky set`.
    pub command: String,
}

/// Flags that select manifests instead of a cluster.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FileArgs {
    /// Read manifests instead of a cluster: files, directories, patterns ('*.yaml'), or - for standard input;
    /// repeat or separate with commas
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_delimiter = ',',
          value_hint = clap::ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// With -f, also read the subdirectories of a directory
    #[arg(short = 'R', long, requires = "files")]
    pub recursive: bool,
}

impl FileArgs {
    /// Returns whether standard input is among the files.
    pub fn is_stdin(&self) -> bool {
        self.files.iter().any(|file| file.as_os_str() == "-")
    }

    /// Returns whether one of the files can be read only once: standard input or a pipe.
    pub fn is_read_once(&self) -> bool {
        self.is_stdin() || self.files.iter().any(|file| file.exists() && !file.is_file() && !file.is_dir())
    }

    /// Returns a command line of this program for the same files, for hints.
    pub fn command(&self, arguments: &str) -> String {
        let path = |file: &PathBuf| quoted(&without_password(&file.display().to_string()));
        let files: String = self.files.iter().map(|file| format!(" -f {}", path(file))).collect();
        format!("kubectl canary-traefik {arguments}{files}{}", if self.recursive { " -R" } else { "" })
    }
}

impl Context {
    /// Returns the manifests of `-f`, else the cluster.
    ///
    /// # Errors
    ///
    /// Fails if the manifests cannot be read, or where [`Self::cluster`] does.
    pub async fn source(&self, files: &FileArgs) -> Result<Source> {
        if files.files.is_empty() {
            return Ok(Source::Cluster(self.cluster().await?));
        }
        // `diff` can compare manifests with a cluster.
        if self.command != "diff" {
            self.refuse_traefik_api()?;
        }
        // Reading a pipe or a network file may block forever, and signals still have to be noticed.
        let (named, recursive) = (files.files.clone(), files.recursive);
        let read = tokio::task::spawn_blocking(move || files::read(&named, recursive, mention));
        let manifests = read.await.map_err(|error| Error::new(Kind::Bug, error.to_string()))??;
        for skipped in manifests.skipped() {
            self.ui.warning(&skipped);
        }
        for one in source::unusable(&manifests) {
            self.ui.warning(&format!("{}: skipped, {}", one.place, one.problem));
        }
        Ok(Source::Files(manifests))
    }

    /// Returns the cluster.
    ///
    /// # Errors
    ///
    /// Fails if there is no usable configuration, or Traefik's API does not answer.
    pub async fn cluster(&self) -> Result<Box<Cluster>> {
        let progress = Arc::new(Terminal { ui: Arc::clone(&self.ui), warned: Arc::clone(&self.warned) });
        let mut cluster = Cluster::connect(&self.connection, &self.environment, progress.clone()).await?;
        if let Some(url) = &self.traefik_api {
            let traefik =
                apiserver::connect_anonymously(url.clone(), &self.connection, &self.environment, progress).await?;
            cluster = cluster.with_routers_of(&traefik).await?;
        }
        Ok(Box::new(cluster))
    }

    /// Refuses `--traefik-api` where nothing but manifests is read.
    ///
    /// # Errors
    ///
    /// The flag is given.
    pub fn refuse_traefik_api(&self) -> Result<()> {
        if self.traefik_api.is_none() {
            return Ok(());
        }
        Err(Error::usage("--traefik-api needs a cluster: with -f, no routes but those of the files count")
            .hint("leave out --traefik-api, or leave out -f"))
    }

    /// Turns success into a failure if `--warnings-as-errors` is given and a server sent warnings.
    pub fn end(&self, exit: Exit) -> Result<Exit> {
        let warned = self.warned.lock().expect("nothing panics while it is held").len();
        if warned == 0 || self.connection.warnings_as_errors != Some(true) {
            return Ok(exit);
        }
        Err(Error::cluster(format!("{} received", output::count(warned, "warning", "warnings"))))
    }

    /// Returns the maximum width of output lines: `COLUMNS`, else the terminal's width, else no limit.
    pub fn width(&self) -> usize {
        self.environment.columns.or_else(|| self.ui.width()).unwrap_or(usize::MAX)
    }

    /// Adds the path of the user's edit to an error, if there is one.
    pub fn with_typed(&self, error: Error) -> Error {
        match self.typed.lock().expect("nothing panics while it is held").take() {
            Some(path) if path.is_file() => error.hint(format!("your edit was saved to {}", path.display())),
            _ => error,
        }
    }

    /// Adds the flags that select the cluster and the user to a text that ends with a command of kubectl.
    pub fn again(&self, command: &str) -> String {
        format!("{command}{}", self.connection.to_command_line())
    }

    /// Returns the namespace of `-n`, if given.
    pub fn namespace(&self) -> Option<&str> {
        self.connection.namespace.as_deref()
    }

    /// Returns a command line of this program for the target on the same cluster and as the same user, for hints.
    /// `default` is the namespace used if none is given.
    pub fn command(&self, arguments: &str, target: &NamespacedName, default: &str) -> String {
        self.kubectl(&format!("canary-traefik {arguments}"), target, default)
    }

    /// Returns a command line of kubectl for the target, likewise.
    pub fn kubectl(&self, arguments: &str, target: &NamespacedName, default: &str) -> String {
        let mut line = format!("kubectl {arguments}");
        if let Some(namespace) = &target.namespace
            && (self.namespace().is_some() || namespace != default)
        {
            line.push_str(&format!(" -n {namespace}"));
        }
        line.push_str(&self.connection.to_command_line());
        line
    }
}

/// Reports the cluster's progress on the terminal.
struct Terminal {
    ui: Arc<Ui>,
    warned: Arc<Mutex<BTreeSet<String>>>,
}

impl Progress for Terminal {
    fn waiting(&self, what: &str, since: Duration) {
        self.ui.waiting(&format!("waiting for {what}, {} s (Ctrl-C to stop)", since.as_secs()));
    }

    fn done(&self) {
        self.ui.clear_status();
    }

    fn has_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn warning(&self, text: &str) {
        let mut warned = self.warned.lock().expect("nothing panics while it is held");
        if warned.insert(text.to_owned()) {
            self.ui.warning(text);
        }
    }

    fn log(&self, line: &str) {
        self.ui.status(line);
    }
}
