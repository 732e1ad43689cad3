//! An interactive change of a cookie, in the editor or by answering questions. Shared by both: the change is shown,
//! confirmed and written like any other, and problems lead back to the editor.

mod drafts;

use crate::{
    commands::args::WriteArgs,
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    files::Draft,
    flagger::Declared,
    model::Stickiness,
    observed::Loaded,
    output::draft::{self, EditError, Page},
    plan::{
        CookieChange,
        change::before,
        merge::{Conflict, merge},
        support::Support,
    },
    source::{self, Source},
    traefik::entry::Need,
};

/// After so many rejections, the editor is taken for a script that will never succeed.
const ROUNDS: usize = 100;

/// An interactive change of the cookie of one Canary.
pub(super) struct Session<'a> {
    ctx: &'a Context,
    write: &'a WriteArgs,
    files: &'a FileArgs,
    /// Where the Canary is.
    pub(super) source: Source,
    /// Which of several manifests was chosen.
    place: Option<String>,
    /// The Canary as last read.
    pub(super) loaded: Loaded,
    /// Which fields the cluster can store and its Traefik honours.
    pub(super) support: Support,
    /// What the change starts from.
    pub(super) base: Stickiness,
    /// The next text for the editor, and the file that holds it.
    text: String,
    draft: Option<Draft>,
}

/// Why the editor is opened, which decides what an unchanged text means.
enum Reason {
    /// The first time: an unchanged text changes nothing.
    Begin,
    /// To continue with this: an unchanged text confirms it.
    Again(Stickiness),
    /// After this error: an unchanged text gives up.
    Failed(Error),
}

/// The outcome of an attempt to make the change, if not an error.
enum Attempt {
    Done(Exit),
    /// The user wants to continue in the editor.
    Editor,
    /// Others changed the same fields.
    Clash(Conflict, Box<Loaded>),
}

impl<'a> Session<'a> {
    /// Reads the Canary, and determines which fields its cluster supports.
    pub(super) async fn begin(
        ctx: &'a Context,
        name: &str,
        write: &'a WriteArgs,
        files: &'a FileArgs,
        source: Source,
    ) -> Result<Self> {
        super::check(&source, write)?;
        let (source, place) = super::pick(ctx, source, name).await?;
        let (loaded, support) = match &source {
            Source::Cluster(server) => {
                let loaded =
                    source.load(ctx.namespace(), name, super::reading(Need::IfDeclared, write.scope())).await?;
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
        let base = before(&loaded, write.scope());
        Ok(Self { ctx, write, files, source, place, loaded, support, base, text: String::new(), draft: None })
    }

    /// Opens the editor and makes the change.
    pub(super) async fn edit(mut self) -> Result<Exit> {
        self.text = self.page(&self.base);
        if let Declared::Malformed(_, malformed) = &self.loaded.observed.canary.declared {
            self.complain(format!("the declaration is malformed: {malformed}"));
        } else if let Some(Err(malformed)) = &self.loaded.observed.canary.entry {
            self.complain(format!("the entry is malformed: {malformed}"));
        }
        match self.ask_editor(Reason::Begin).await? {
            Some(mine) => self.carry_out(mine).await,
            None => Ok(Exit::Ok),
        }
    }

    /// Makes the change to this cookie and entry.
    pub(super) async fn carry_out(mut self, mut mine: Stickiness) -> Result<Exit> {
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
                Some(edited) => mine = edited,
                None => return Ok(Exit::Ok),
            }
        }
        Err(Error::usage(format!("the change was refused {ROUNDS} times")))
    }

    /// Tries to change the cookie to `mine`, unless others changed the same fields meanwhile.
    async fn attempt(&mut self, mine: &Stickiness) -> Result<Attempt> {
        // Manifests may have changed while the user was typing; one that can be read only once has not.
        if matches!(self.source, Source::Files(_)) && !self.files.is_read_once() {
            self.source = self.ctx.source(self.files).await?;
            if let (Source::Files(manifests), Some(place)) = (&self.source, &self.place) {
                let name = &self.loaded.observed.canary.target.name;
                self.source = Source::Files(source::narrowed(manifests, name, place));
            }
        }
        let (base, mine_now) = (self.base.clone(), mine.clone());
        let change = CookieChange::Merge { base, mine: mine_now, scope: self.write.scope() };
        let name = &self.loaded.observed.canary.target.name;
        match super::change(self.ctx, &self.source, name, self.write, &change).await {
            Ok(exit) => Ok(Attempt::Done(exit)),
            Err(error) if error.kind() == Kind::Editor => Ok(Attempt::Editor),
            // If the Canary cannot be read again, the conflict is what there is to report.
            Err(error) if error.kind() == Kind::Conflict => self.find_clash(mine).await.ok().flatten().ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Reads the Canary again after a conflict, and returns what others changed in the same fields, if that was it.
    async fn find_clash(&self, mine: &Stickiness) -> Result<Option<Attempt>> {
        let (name, scope) = (&self.loaded.observed.canary.target.name, self.write.scope());
        let now = match &self.source {
            Source::Cluster(_) => {
                self.source.load(self.ctx.namespace(), name, super::reading(Need::IfDeclared, scope)).await?
            }
            Source::Files(manifests) => source::to_change(manifests, self.ctx.namespace(), name)?.1,
        };
        let merged = merge(&self.base, mine, &before(&now, scope));
        Ok(merged.err().map(|conflict| Attempt::Clash(conflict, Box::new(now))))
    }

    /// Puts both versions into the text. From here on, the change starts from the current state.
    fn clash(&mut self, mine: &Stickiness, conflict: Conflict, now: Loaded) -> Error {
        let error = Error::new(Kind::Conflict, conflict.to_string());
        self.ctx.ui.status(&format!("{}: the editor says more", error.message()));
        self.base = before(&now, self.write.scope());
        self.loaded = now;
        match conflict {
            Conflict::TakenAway => {
                self.text = self.page(mine);
                self.complain("the cookie was removed while you were editing; delete this line to restore it".into());
            }
            Conflict::Fields { mine, clashes } => self.text = draft::clashing(&self.page(&mine), &clashes),
        }
        error
    }

    /// Opens the editor until the text is a valid cookie; returns `None` if nothing is to be changed.
    async fn ask_editor(&mut self, mut reason: Reason) -> Result<Option<Stickiness>> {
        for _ in 0..ROUNDS {
            let text = match self.edited().await {
                Ok(text) => text,
                Err(error) => return Err(self.give_up(error)),
            };
            let is_as_it_was = text == self.text;
            match reason {
                Reason::Begin if is_as_it_was => return Ok(self.cancelled("no changes were made")),
                Reason::Again(mine) if is_as_it_was => return Ok(Some(mine)),
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
                Ok(mine) if self.is_the_same(&mine) => return Ok(self.cancelled("no changes were made")),
                Ok(mine) => return Ok(Some(mine)),
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
            Reason::Begin | Reason::Again(_) => Error::usage(format!("no valid cookie was saved in {ROUNDS} attempts")),
        })
    }

    /// Runs the editor and returns the edited text.
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

    /// Returns whether nothing was changed.
    fn is_the_same(&self, mine: &Stickiness) -> bool {
        let canary = &self.loaded.observed.canary;
        let malformed = matches!(canary.declared, Declared::Malformed(..)) || matches!(canary.entry, Some(Err(_)));
        self.base == *mine && !malformed
    }

    fn complain(&mut self, reason: String) {
        self.text = draft::mark(&self.text, &[EditError { line: None, reason }]);
    }

    /// Returns the text for this cookie and entry.
    fn page(&self, stickiness: &Stickiness) -> String {
        let observed = &self.loaded.observed;
        let live = observed.live_cookie().filter(|_| observed.canary.declared.cookie().is_some());
        let (canary, scope) = (observed.canary.target.to_string(), self.write.scope());
        draft::write(Page { canary: &canary, stickiness, live, support: &self.support, scope })
    }
}
