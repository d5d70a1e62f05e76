//! What the desk does for an applicant, as a state machine: businesses, states, who may do what when. Pure: no file, no
//! database, no clock; `now` is an argument, and what happened outside comes in as [`Facts`].
//!
//! The transitions are rows of [`table::ROWS`], each with the requirements that it obeys. Nothing else moves a business:
//! whoever wants a new way adds a row, and the sweep in `tests` walks all of them.

pub mod fields;
mod names;
pub mod number;
pub mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::names::{Act, Kind, State};
use self::table::{Need, ROWS, Row, To, When};

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The applicant, in whose session the business was opened.
    Applicant,
    /// An officer, by number.
    Officer(i64),
    /// The desk itself: payment providers, the clock.
    Desk,
}

/// What is known about a business besides its state. The desk fills in what lies outside (attachments, signatures,
/// the register); the state machine writes officers, payment and paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// All mandatory fields are filled in and well formed.
    pub fields_complete: bool,
    /// Every mandatory slot holds a file.
    pub attachments_complete: bool,
    /// The profile asks a fee for this business.
    pub has_fee: bool,
    /// The existing key signed this application.
    pub key_signed: bool,
    /// The certificate that it is about has not expired and is not revoked.
    pub certificate_valid: bool,
    /// The handler is the one of the last business.
    pub handler_same: bool,
    /// The profile lets another handler unlock online.
    pub handler_change_online: bool,
    /// The applicant confirmed that files encrypted to the old certificate have been decrypted.
    pub decrypted_first: bool,
    /// The fee is here.
    pub paid: bool,
    /// Who reviewed first.
    pub first_officer: Option<i64>,
    /// Who reviewed second.
    pub second_officer: Option<i64>,
    /// The originals arrived.
    pub paper_received: bool,
    /// The second officer found the originals in order: the activation gate (R86).
    pub paper_verified: bool,
}

/// A business at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Case {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Where it stood when time ran out.
    pub before: Option<State>,
    /// Since when, Unix seconds.
    pub since: i64,
    /// What is known.
    pub facts: Facts,
}

/// What has to happen beside the change of state, in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// A message to the handler.
    Notify,
    /// The invoice is ordered.
    Invoice,
    /// What was paid, if anything was, goes back.
    Refund,
    /// The courier is ordered.
    Courier,
    /// A code goes to the handler's phone.
    Code,
    /// The certificate is revoked.
    Revoke,
    /// A new seal is queued, because a seal names its certificate (R92).
    Seal,
}

/// A change of state that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The business afterwards.
    pub after: Case,
    /// What has to happen with it.
    pub effects: &'static [Effect],
}

/// Why an act is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody can do this here.
    #[error("{act:?} is not possible in {state:?}")]
    State {
        /// The state.
        state: State,
        /// The act.
        act: Act,
    },
    /// Somebody else does this.
    #[error("this is not for whoever asks")]
    Role,
    /// Something is missing first.
    #[error("{0:?}")]
    Need(Need),
}

impl Case {
    /// A new business.
    #[must_use]
    pub fn open(kind: Kind, facts: Facts, now: i64) -> Self {
        Case { kind, state: State::Draft, before: None, since: now, facts }
    }

    /// What `act` of `actor` leads to.
    ///
    /// # Errors
    /// [`Refused`]: the state, the role, or what is missing.
    pub fn apply(&self, act: Act, actor: Actor, now: i64) -> Result<Step, Refused> {
        let rows = || ROWS.iter().filter(|row| row.act == act && row.from.contains(&self.state) && row.kinds.contains(&self.kind));
        if rows().next().is_none() {
            return Err(Refused::State { state: self.state, act });
        }
        if !rows().any(|row| row.by.fits(actor)) {
            return Err(Refused::Role);
        }
        let row = rows().find(|row| row.when.holds(self, now)).ok_or(Refused::State { state: self.state, act })?;
        if let Some(need) = row.needs.iter().find(|need| !need.is_met(self, actor)) {
            return Err(Refused::Need(*need));
        }
        Ok(Step { after: self.after(row, actor, now), effects: row.effects })
    }

    /// What `actor` can do here; what is missing for it does not count.
    #[must_use]
    pub fn possible(&self, actor: Actor, now: i64) -> Vec<Act> {
        let mut acts: Vec<Act> = ROWS
            .iter()
            .filter(|row| row.kinds.contains(&self.kind) && row.from.contains(&self.state) && row.by.fits(actor) && row.when.holds(self, now))
            .map(|row| row.act)
            .collect();
        acts.dedup();
        acts
    }

    /// When time runs out, Unix seconds; `None` where it does not.
    #[must_use]
    pub fn deadline(&self) -> Option<i64> {
        table::limit(self.state).map(|seconds| self.since.saturating_add(seconds))
    }

    fn after(&self, row: &Row, actor: Actor, now: i64) -> Case {
        let mut after = *self;
        after.since = now;
        after.before = None;
        let officer = match actor {
            Actor::Officer(number) => Some(number),
            Actor::Applicant | Actor::Desk => None,
        };
        match row.act {
            Act::Pay | Act::ConfirmPayment => after.facts.paid = true,
            Act::Accept => after.facts.first_officer = officer,
            // What was approved before does not cover what is sent in anew.
            Act::Send => (after.facts.first_officer, after.facts.second_officer) = (None, None),
            Act::Confirm => after.facts.second_officer = officer,
            Act::ReceivePaper => after.facts.paper_received = true,
            Act::VerifyPaper => (after.facts.second_officer, after.facts.paper_verified) = (officer, true),
            Act::RefusePaper => after.facts.paper_received = false,
            _ => {}
        }
        after.state = match row.to {
            To::State(state) => state,
            To::Same => self.state,
            To::Before => self.before.unwrap_or(State::Draft),
        };
        if row.act == Act::Expire && after.state == State::TimedOut {
            after.before = Some(self.state);
        }
        after
    }
}

impl When {
    fn holds(self, case: &Case, now: i64) -> bool {
        let facts = &case.facts;
        match self {
            When::Always => true,
            When::FeeDue => facts.has_fee && !facts.paid,
            When::NothingDue => !facts.has_fee || facts.paid,
            When::PaperHere => facts.paper_received,
            When::PaperNotHere => !facts.paper_received,
            When::HandlerSame => facts.handler_same,
            When::HandlerOther => !facts.handler_same,
            When::TimeOver => case.deadline().is_some_and(|deadline| now >= deadline),
        }
    }
}

impl Need {
    fn is_met(self, case: &Case, actor: Actor) -> bool {
        let facts = &case.facts;
        match self {
            Need::Fields => facts.fields_complete,
            Need::Attachments => facts.attachments_complete,
            Need::OtherOfficer => matches!(actor, Actor::Officer(officer) if facts.first_officer.is_some_and(|first| first != officer)),
            Need::KeySignature => facts.key_signed,
            Need::ValidCertificate => facts.certificate_valid,
            Need::HandlerOnline => facts.handler_change_online,
            Need::Decrypted => facts.decrypted_first,
            Need::PaperVerified => facts.paper_verified && facts.second_officer.is_some() && facts.first_officer != facts.second_officer,
            Need::TwoOfficers => facts.first_officer.is_some() && facts.second_officer.is_some() && facts.first_officer != facts.second_officer,
        }
    }
}
