//! A cookie that a person changes by hand: in the editor, or by answering questions. Here is what both share: the
//! change is shown, asked about and written as any other, and what stands in its way leads back to the editor.

use std::{cell::RefCell, path::Path};

use super::prepared;
use crate::{
    commands::args::WriteArgs,
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    files::Draft,
    model::{Cookie, Declared, Loaded},
    output::draft::{self, Page, Wrong},
    plan::{
        merge::{Conflict, merge},
        support::Support,
    },
    source::{self, Source},
};

/// So many times a text is handed back before that is taken for a script that will never get it right.
const ROUNDS: usize = 100;

/// What someone makes of the cookie of one Canary.
pub(super) struct Session<'a> {
    ctx: &'a Context,
    write: &'a WriteArgs,
    files: &'a FileArgs,
    source: Source,
    /// The Canary as it was when it was last looked at.
    loaded: Loaded,
    support: Support,
    /// The cookie that the change starts from.
    base: Option<Cookie>,
    /// What the editor is given next, and the file that it is in.
    text: String,
    draft: Option<Draft>,
}

/// Why the editor is opened, which decides what a text means that is left as it is.
enum Reason {
    /// To begin with: nothing is to be changed.
    Begin,
    /// The person wants to go on with this cookie: that is it, then.
    Again(Cookie),
    /// Something was wrong: it cannot be had.
    Failed(Error),
}

/// How an attempt to make a change ended, if not with an error.
enum Attempt {
    Done(Exit),
    /// The person wants to go on in the editor.
    Editor,
    /// Others changed the same.
    Clash(Conflict, Box<Loaded>),
}

impl<'a> Session<'a> {
    /// Looks at the Canary, and at what its cluster can.
    pub(super) async fn begin(
        ctx: &'a Context,
        name: &str,
        write: &'a WriteArgs,
        files: &'a FileArgs,
        source: Source,
    ) -> Result<Self> {
        super::check(&source, write)?;
        let (loaded, support) = match &source {
            Source::Cluster(server) => {
                let loaded = source.load(ctx.namespace(), name, true).await?;
                let support = server.support(&loaded).await;
                (loaded, support)
            }
            Source::Files(manifests) => {
                super::files::check(ctx, manifests, name, write)?;
                let loaded = source::to_change(manifests, ctx.namespace(), name)?.1;
                let support = Support::default().with_native(&loaded.native);
                (loaded, support)
            }
        };
        let base = prepared::before(&loaded, write.scope()).cloned();
        Ok(Self { ctx, write, files, source, loaded, support, base, text: String::new(), draft: None })
    }

    /// The Canary.
    pub(super) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Where it comes from.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// What the cluster can store, and its Traefik honours.
    pub(super) fn support(&self) -> &Support {
        &self.support
    }

    /// The cookie as it is.
    pub(super) fn cookie(&self) -> Option<&Cookie> {
        self.base.as_ref()
    }

    /// From the editor to the end.
    pub(super) async fn edit(mut self) -> Result<Exit> {
        self.text = self.page(&self.base.clone().unwrap_or_default());
        if let Declared::Malformed(_, malformed) = &self.loaded.observed.canary.declared {
            self.complain(format!("what is declared is malformed: {malformed}"));
        }
        match self.ask_editor(Reason::Begin).await? {
            Some(cookie) => self.carry_out(cookie).await,
            None => Ok(Exit::Ok),
        }
    }

    /// From a cookie that someone wants to the end.
    pub(super) async fn carry_out(mut self, mut mine: Cookie) -> Result<Exit> {
        self.ctx.ui.offer_editor(true);
        for _ in 0..ROUNDS {
            let attempt = self.attempt(&mine).await;
            if self.draft.is_none() {
                self.text = self.page(&mine);
            }
            let reason = match attempt {
                Ok(Attempt::Done(exit)) => {
                    self.discard();
                    return Ok(exit);
                }
                Ok(Attempt::Editor) => Reason::Again(mine),
                Ok(Attempt::Clash(conflict, now)) => Reason::Failed(self.clash(&mine, conflict, *now)),
                Err(error) if error.kind() == Kind::Invalid => {
                    let said: Vec<_> = error.causes().iter().map(String::as_str).collect();
                    self.complain(format!("{}\n{}", error.message(), said.join("\n")));
                    Reason::Failed(error)
                }
                Err(error) => return Err(error),
            };
            match self.ask_editor(reason).await? {
                Some(cookie) => mine = cookie,
                None => return Ok(Exit::Ok),
            }
        }
        Err(Error::usage(format!("the change was refused {ROUNDS} times")))
    }

    /// Tries to make `mine` of what there is, unless others made something else of the same meanwhile.
    async fn attempt(&mut self, mine: &Cookie) -> Result<Attempt> {
        // Manifests may have changed while someone was typing; what can be read but once has not.
        if matches!(self.source, Source::Files(_)) && !self.files.is_read_once() {
            self.source = self.ctx.source(self.files).await?;
        }
        let clash = RefCell::new(None);
        let (base, scope) = (self.base.as_ref(), self.write.scope());
        let wished = |loaded: &Loaded| {
            merge(base, mine, prepared::before(loaded, scope)).map(Some).map_err(|conflict| {
                let error = conflicting(&conflict);
                clash.replace(Some((conflict, loaded.clone())));
                error
            })
        };
        let name = &self.loaded.observed.canary.target.name;
        let ended = super::change_in(self.ctx, &self.source, name, self.write, &wished).await;
        match (ended, clash.into_inner()) {
            (Err(error), Some((conflict, now))) if error.kind() == Kind::Conflict => {
                Ok(Attempt::Clash(conflict, Box::new(now)))
            }
            (Err(error), _) if error.kind() == Kind::Editor => Ok(Attempt::Editor),
            (Err(error), _) => Err(error),
            (Ok(exit), _) => Ok(Attempt::Done(exit)),
        }
    }

    /// Puts both into the text. What is there now is what the change starts from from here on.
    fn clash(&mut self, mine: &Cookie, conflict: Conflict, now: Loaded) -> Error {
        let error = conflicting(&conflict);
        self.ctx.ui.status(&format!("{}: the editor says more", error.message()));
        self.base = prepared::before(&now, self.write.scope()).cloned();
        self.loaded = now;
        match conflict {
            Conflict::TakenAway => {
                self.text = self.page(mine);
                self.complain("others took the cookie away meanwhile; take this line away to bring it back".into());
            }
            Conflict::Fields { mine, clashes } => self.text = draft::clashing(&self.page(&mine), &clashes),
        }
        error
    }

    /// Has the text edited until it is a cookie; `None` when nothing is to be changed.
    async fn ask_editor(&mut self, mut reason: Reason) -> Result<Option<Cookie>> {
        for _ in 0..ROUNDS {
            let text = match self.edited().await {
                Ok(text) => text,
                Err(error) => return Err(self.give_up(error)),
            };
            let is_as_it_was = text == self.text;
            match reason {
                Reason::Begin if is_as_it_was => return Ok(self.cancelled("no changes were made")),
                Reason::Again(cookie) if is_as_it_was => return Ok(Some(cookie)),
                Reason::Failed(error) if is_as_it_was => {
                    self.keep();
                    return Err(error);
                }
                _ if draft::is_blank(&text) => return Ok(self.cancelled("the file was left empty")),
                _ => {}
            }
            self.text = text;
            self.keep();
            let refusal = |field: &_| self.support.refusal(field, self.write.scope());
            match draft::read(&self.text, refusal) {
                Ok(cookie) if self.is_the_same(&cookie) => return Ok(self.cancelled("no changes were made")),
                Ok(cookie) => return Ok(Some(cookie)),
                Err(wrong) => {
                    self.text = draft::mark(&self.text, &wrong);
                    let error = Error::usage("the edited cookie is not valid");
                    reason =
                        Reason::Failed(wrong.into_iter().fold(error, |error, wrong| error.caused_by(wrong.reason)));
                }
            }
        }
        Err(match reason {
            Reason::Failed(error) => error,
            Reason::Begin | Reason::Again(_) => Error::usage(format!("nothing was accepted in {ROUNDS} rounds")),
        })
    }

    /// The text as the editor leaves it.
    async fn edited(&mut self) -> Result<String> {
        let draft = match self.draft.take() {
            Some(draft) => draft,
            None => Draft::new(&self.loaded.observed.canary.target.name)?,
        };
        let draft = self.draft.insert(draft);
        draft.write(&self.text)?;
        self.ctx.ui.edit(&self.ctx.environment, draft.path()).await?;
        draft.read()
    }

    /// Whether this is what there is already.
    fn is_the_same(&self, cookie: &Cookie) -> bool {
        let malformed = matches!(self.loaded.observed.canary.declared, Declared::Malformed(..));
        self.base.as_ref() == Some(cookie) && !malformed
    }

    /// After a failure around the editor: keeps what was typed, and nothing else.
    fn give_up(&mut self, error: Error) -> Error {
        let typed_before = self.typed().is_some();
        let Some(draft) = &mut self.draft else { return error };
        if typed_before && !draft.path().exists() {
            // The editor took it away. What was typed is in the text still.
            if draft.write(&self.text).is_err() {
                self.ctx.ui.status(&format!("your edit could not be saved, so here it is:\n{}", self.text));
            }
        } else if draft.was_edited() {
            self.keep();
        }
        error
    }

    fn cancelled(&mut self, why: &str) -> Option<Cookie> {
        self.ctx.ui.status(&format!("edit cancelled: {why}"));
        self.discard();
        None
    }

    fn typed(&self) -> std::sync::MutexGuard<'_, Option<std::path::PathBuf>> {
        self.ctx.typed.lock().expect("nothing panics while it is held")
    }

    /// From here on every failure says where the text is.
    fn keep(&self) {
        *self.typed() = self.draft.as_ref().map(Draft::path).map(Path::to_owned);
    }

    /// There is nothing to keep any more.
    fn discard(&mut self) {
        self.typed().take();
        if let Some(draft) = self.draft.take() {
            draft.discard();
        }
    }

    fn complain(&mut self, reason: String) {
        self.text = draft::mark(&self.text, &[Wrong { line: None, reason }]);
    }

    /// The text for this cookie.
    fn page(&self, cookie: &Cookie) -> String {
        let observed = &self.loaded.observed;
        let live = observed.live_cookie().filter(|_| observed.canary.declared.cookie().is_some());
        let (canary, scope) = (observed.canary.target.to_string(), self.write.scope());
        draft::write(Page { canary: &canary, cookie, live, support: &self.support, scope })
    }
}

fn conflicting(conflict: &Conflict) -> Error {
    let what = match conflict {
        Conflict::TakenAway => "others have taken the cookie away meanwhile".to_owned(),
        Conflict::Fields { clashes, .. } => {
            let keys: Vec<_> = clashes.iter().map(|clash| clash.field.key).collect();
            format!("others have changed {} meanwhile, too", keys.join(", "))
        }
    };
    Error::new(Kind::Conflict, what)
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // A signal may have come while the editor ran.
        if self.draft.as_ref().is_some_and(Draft::was_edited) {
            self.keep();
        }
        if self.typed().is_none() {
            self.discard();
        }
    }
}
