//! Consent as a value: only [`decide`] makes a [`Confirmed`], it contains the plans that were shown, and the
//! writer takes nothing else.

use super::{Plan, Step};
use crate::error::{Error, Kind, Result};

/// What the flags and the person say to a plan that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--yes`.
    Flag,
    /// The person said yes.
    Yes,
    /// The person said no, or closed the question.
    No,
    /// Nobody could be asked: no terminal.
    NobodyToAsk,
}

impl Consent {
    /// The answer to a question; `None` when nobody could be asked.
    pub fn from_answer(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NobodyToAsk,
        }
    }
}

/// Something that was shown and agreed to.
#[derive(Debug, Clone)]
pub struct Confirmed<T> {
    agreed: T,
}

/// One patch that was agreed to: what the writer takes.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    step: &'a Step,
}

impl Write<'_> {
    /// The patch.
    pub fn step(&self) -> &Step {
        self.step
    }
}

impl<T> Confirmed<T> {
    /// What was agreed to.
    pub fn agreed(&self) -> &T {
        &self.agreed
    }
}

impl Confirmed<Plan> {
    /// The patches to write, in this order.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        self.agreed.steps.iter().map(|step| Write { step })
    }

    /// What is left to do after the objects changed under us: the same consent, when `plan` brings nothing
    /// but changes that were agreed to, from the same values; else `None`, and `plan` has to be shown.
    pub fn rest(&self, plan: Plan) -> Option<Self> {
        plan.is_rest_of(&self.agreed).then_some(Self { agreed: plan })
    }
}

/// Turns what was shown and the consent into what the writer takes.
///
/// # Errors
///
/// Kind `Refused` when nobody agreed.
pub fn decide<T>(shown: Vec<T>, consent: Consent) -> Result<Vec<Confirmed<T>>> {
    match consent {
        Consent::Flag | Consent::Yes => Ok(shown.into_iter().map(|agreed| Confirmed { agreed }).collect()),
        Consent::No => Err(Error::cancelled()),
        Consent::NobodyToAsk => {
            Err(Error::new(Kind::Refused, "refusing to change anything without a yes: no terminal to ask on")
                .hint("add --yes to agree to the change shown above"))
        }
    }
}
