//! One command over several Canaries: what fails for one is said at once, and does not keep the others from
//! their turn.

use crate::{
    context::Context,
    error::{Error, Kind, Result},
    model::Target,
};

/// How it went so far.
#[derive(Debug)]
pub(super) struct Several {
    all: usize,
    failed: usize,
    /// The kind of the first failure.
    kind: Option<Kind>,
}

impl Several {
    pub(super) fn new(all: usize) -> Self {
        Self { all, failed: 0, kind: None }
    }

    /// Whether it is about one Canary alone.
    pub(super) fn is_one(&self) -> bool {
        self.all == 1
    }

    /// Hands on the result for one Canary; an error of one among several is said, and there is nothing to hand on.
    ///
    /// # Errors
    ///
    /// The error, when there is but one Canary, or when nothing can go on after it.
    pub(super) fn take<T>(&mut self, ctx: &Context, target: &Target, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.is_one() || matches!(error.kind(), Kind::Interrupted | Kind::BrokenPipe) => Err(error),
            Err(error) => {
                self.failed += 1;
                self.kind.get_or_insert(error.kind());
                ctx.ui.error(&error.about(target));
                Ok(None)
            }
        }
    }

    /// The end of it.
    ///
    /// # Errors
    ///
    /// Some failed; the kind is that of the first of them.
    pub(super) fn end(&self) -> Result<()> {
        match self.kind {
            Some(kind) => Err(Error::new(kind, format!("{} of {} Canaries failed, see above", self.failed, self.all))),
            None => Ok(()),
        }
    }
}

/// Whether these are in more than one namespace: then each has to be said.
pub(super) fn several_namespaces<'a>(targets: impl IntoIterator<Item = &'a Target>) -> bool {
    let mut namespaces = targets.into_iter().map(|target| &target.namespace);
    namespaces.next().is_some_and(|first| namespaces.any(|other| other != first))
}
