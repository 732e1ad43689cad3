//! Consent as a value: only [`decide`] creates a [`Confirmed`], and [`Confirmed::rest`] one from another; it contains the plans
//! that were shown, and the writer accepts nothing else.

use super::{Plan, Step};
use crate::error::{Error, Kind, Result};

/// The answer to a plan that was shown, from flags or from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--yes`.
    Flag,
    /// The user said yes.
    Yes,
    /// The user said no, or left the question.
    No,
    /// There was no terminal to ask on.
    NoTerminal,
}

impl Consent {
    /// Converts the answer to a question; `None` means that there was no terminal.
    pub fn from_answer(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NoTerminal,
        }
    }
}

/// Something that was shown and confirmed.
#[derive(Debug, Clone)]
pub struct Confirmed<T> {
    agreed: T,
}

/// A confirmed patch, as the writer accepts it.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    step: &'a Step,
}

impl Write<'_> {
    /// Returns the patch.
    pub fn step(&self) -> &Step {
        self.step
    }
}

impl<T> Confirmed<T> {
    /// Returns what was confirmed.
    pub fn agreed(&self) -> &T {
        &self.agreed
    }
}

impl Confirmed<Plan> {
    /// Returns the patches in the order in which to write them.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        self.agreed.steps.iter().map(|step| Write { step })
    }

    /// Returns the consent for a plan made after the objects changed, if `plan` has nothing but confirmed changes, from
    /// the same values; else `None`, and `plan` has to be shown.
    pub fn rest(&self, plan: Plan) -> Option<Self> {
        plan.is_rest_of(&self.agreed).then_some(Self { agreed: plan })
    }
}

/// Converts what was shown into what the writer accepts, given the consent.
///
/// # Errors
///
/// Kind `Cancelled` if the user said no, kind `Refused` if there was no terminal to ask on.
pub fn decide<T>(shown: Vec<T>, consent: Consent) -> Result<Vec<Confirmed<T>>> {
    match consent {
        Consent::Flag | Consent::Yes => Ok(shown.into_iter().map(|agreed| Confirmed { agreed }).collect()),
        Consent::No => Err(Error::cancelled()),
        Consent::NoTerminal => Err(Error::new(Kind::Refused, "confirmation needed, but there is no terminal")
            .hint("add --yes to agree to the change shown above")),
    }
}
