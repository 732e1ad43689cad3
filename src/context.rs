//! What a command is handed: the terminal, the environment, the connection flags, and from them the source.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    cluster::{self, ConnectionArgs, Progress},
    environment::Environment,
    error::{Error, Exit, Kind, Result},
    files,
    model::Target,
    output,
    source::Source,
    ui::Ui,
};

/// What every command is handed.
#[derive(Debug)]
pub struct Context {
    /// The terminal.
    pub ui: Arc<Ui>,
    /// The environment the program was started in.
    pub environment: Environment,
    /// The connection flags.
    pub connection: ConnectionArgs,
    /// Now, in seconds since 1970.
    pub now: i64,
    /// What servers warned of, each once.
    pub warned: Arc<Mutex<BTreeSet<String>>>,
    /// The file with what a person typed in the editor and what is not done yet.
    pub typed: Mutex<Option<PathBuf>>,
}

/// Which manifests a command reads instead of a cluster.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FileArgs {
    /// Read manifests instead of a cluster: a file, a folder, or - for standard input; can be repeated
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// With -f, go into the folders of a folder too
    #[arg(short = 'R', long, requires = "files")]
    pub recursive: bool,
}

impl FileArgs {
    /// Whether one of them is standard input.
    pub fn is_stdin(&self) -> bool {
        self.files.iter().any(|file| file.as_os_str() == "-")
    }

    /// Whether one of them can be read but once: standard input, or a pipe.
    pub fn is_read_once(&self) -> bool {
        self.files.iter().any(|file| !file.is_file() && !file.is_dir())
    }
}

impl Context {
    /// The manifests of `-f`, else the cluster.
    pub async fn source(&self, files: &FileArgs) -> Result<Source> {
        if files.files.is_empty() {
            let progress = Arc::new(Terminal { ui: Arc::clone(&self.ui), warned: Arc::clone(&self.warned) });
            let cluster = cluster::connect(&self.connection, &self.environment, progress).await?;
            Ok(Source::Cluster(Box::new(cluster)))
        } else {
            // On a thread of its own: whoever is waited for (a pipe, a network) may never come, and a signal has to be noticed.
            let (named, recursive) = (files.files.clone(), files.recursive);
            let read = tokio::task::spawn_blocking(move || files::read(&named, recursive));
            let manifests = read.await.map_err(|error| Error::new(Kind::Bug, error.to_string()))??;
            for left_out in manifests.left_out() {
                self.ui.warning(left_out);
            }
            Ok(Source::Files(manifests))
        }
    }

    /// Turns a success into a failure where `--warnings-as-errors` asks for that and a server warned.
    pub fn end(&self, exit: Exit) -> Result<Exit> {
        let warned = self.warned.lock().expect("nothing panics while it is held").len();
        if warned == 0 || self.connection.warnings_as_errors != Some(true) {
            return Ok(exit);
        }
        Err(Error::cluster(format!("{} received", output::count(warned, "warning", "warnings"))))
    }

    /// How wide lines of results may be: as `COLUMNS` says, else as the terminal is; without bounds elsewhere.
    pub fn width(&self) -> usize {
        self.environment.columns.or_else(|| self.ui.width()).unwrap_or(usize::MAX)
    }

    /// A failure with where to find what was typed, if anything was.
    pub fn with_typed(&self, error: Error) -> Error {
        match self.typed.lock().expect("nothing panics while it is held").take() {
            Some(path) if path.is_file() => error.hint(format!("your edit was saved to {}", path.display())),
            _ => error,
        }
    }

    /// The namespace of `-n`, if given.
    pub fn namespace(&self) -> Option<&str> {
        self.connection.namespace.as_deref()
    }

    /// A command line of this program that acts on this object of the same cluster as the same user, to be typed.
    /// `default` is the namespace that is looked in when none is named.
    pub fn command(&self, arguments: &str, target: &Target, default: &str) -> String {
        let mut line = format!("kubectl canary-traefik {arguments}");
        if let Some(namespace) = &target.namespace
            && (self.namespace().is_some() || namespace != default)
        {
            line.push_str(&format!(" -n {namespace}"));
        }
        line.push_str(&self.connection.typed());
        line
    }
}

/// The terminal as the cluster sees it.
struct Terminal {
    ui: Arc<Ui>,
    warned: Arc<Mutex<BTreeSet<String>>>,
}

impl Progress for Terminal {
    fn waiting(&self, what: &str, since: Duration) {
        self.ui.waiting(&format!("waiting for {what}, {} s (Ctrl-C stops)", since.as_secs()));
    }

    fn done(&self) {
        self.ui.clear_status();
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
