//! The transitions, one row each, with the requirements that a row obeys. A row's first matching condition wins; what is
//! still missing then is a refusal with its own words, and changes nothing.

use super::{Act, Actor, Effect, Kind, State};

/// One transition.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Businesses that it belongs to.
    pub kinds: &'static [Kind],
    /// States that it leaves.
    pub from: &'static [State],
    /// The act.
    pub act: Act,
    /// Who does it.
    pub by: By,
    /// Whether this row is the one, among several of the same act.
    pub when: When,
    /// What must be there first.
    pub needs: &'static [Need],
    /// Where it leads.
    pub to: To,
    /// What else happens.
    pub effects: &'static [Effect],
    /// The requirements that it obeys.
    pub cites: &'static [u8],
}

/// Who may do an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The applicant.
    Applicant,
    /// Any officer; which one is a matter of [`Need::OtherOfficer`].
    Officer,
    /// The desk itself.
    Desk,
}

impl By {
    /// Whether the actor is one of these.
    #[must_use]
    pub fn fits(self, actor: Actor) -> bool {
        matches!((self, actor), (By::Applicant, Actor::Applicant) | (By::Officer, Actor::Officer(_)) | (By::Desk, Actor::Desk))
    }
}

/// Where a row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// To this state.
    State(State),
    /// It stays.
    Same,
    /// To where it was when time ran out.
    Before,
}

/// Chooses among rows of one act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// There is a fee and it is not paid.
    FeeDue,
    /// There is no fee, or it is paid (K4).
    NothingDue,
    /// The originals are here.
    PaperHere,
    /// They are not.
    PaperNotHere,
    /// The handler of the last business.
    HandlerSame,
    /// Another handler.
    HandlerOther,
    /// The state's time is over.
    TimeOver,
}

/// What an act needs; each has its own words for whoever is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// All mandatory fields.
    Fields,
    /// A file in every mandatory slot.
    Attachments,
    /// An officer other than the first.
    OtherOfficer,
    /// The existing key's signature on this application.
    KeySignature,
    /// A certificate that is neither expired nor revoked.
    ValidCertificate,
    /// The profile lets another handler unlock online.
    HandlerOnline,
    /// The warning about encrypted files was answered.
    Decrypted,
    /// The originals were verified, by somebody other than the first officer.
    PaperVerified,
    /// Two different officers agreed.
    TwoOfficers,
}

impl Need {
    /// All of them.
    pub const ALL: [Need; 9] = [
        Need::Fields,
        Need::Attachments,
        Need::OtherOfficer,
        Need::KeySignature,
        Need::ValidCertificate,
        Need::HandlerOnline,
        Need::Decrypted,
        Need::PaperVerified,
        Need::TwoOfficers,
    ];
}

/// Seconds after which a state without movement times out (R81: it can be resumed).
#[must_use]
pub const fn limit(state: State) -> Option<i64> {
    const DAY: i64 = 86_400;
    match state {
        State::Draft => Some(30 * DAY),
        State::Collecting | State::Payment | State::Returned => Some(60 * DAY),
        State::AwaitingCode => Some(DAY),
        State::TimedOut => Some(90 * DAY),
        _ => None,
    }
}

const ALL: &[Kind] = &Kind::ALL;
/// Papers and copies are sent in online first.
const WITH_ATTACHMENTS: &[Kind] = &[Kind::New, Kind::SealApply, Kind::SealChange, Kind::Revoke];
/// The key goes out and the originals come in, in either order (K9).
const KEY_THEN_PAPER: &[Kind] = &[Kind::New, Kind::Reissue];
const PAPERLESS: &[Kind] = &[Kind::Additional, Kind::SealApply, Kind::SealChange, Kind::Unlock];
const SEALS: &[Kind] = &[Kind::SealApply, Kind::SealChange];
const WITH_IMPRESSIONS: &[Kind] = &[Kind::New, Kind::Reissue, Kind::Change, Kind::SealApply, Kind::SealChange];
const CHANGE: &[Kind] = &[Kind::Change];
const BEFORE_REVIEW_ENDS: &[State] =
    &[State::Draft, State::Collecting, State::Payment, State::PaymentCheck, State::FirstReview, State::SecondReview, State::Returned];
const BEFORE_ACTIVATION: &[State] = &[
    State::Collecting,
    State::Payment,
    State::PaymentCheck,
    State::FirstReview,
    State::SecondReview,
    State::Returned,
    State::Making,
    State::AwaitingPaper,
    State::PaperReview,
    State::Activatable,
    State::Installable,
    State::AwaitingCode,
];

/// What most rows have in common.
const PLAIN: Row = Row { kinds: ALL, from: &[], act: Act::Submit, by: By::Applicant, when: When::Always, needs: &[], to: To::Same, effects: &[], cites: &[] };

/// Every transition there is.
#[rustfmt::skip] // one row, one line
pub const ROWS: &[Row] = &[
    // ---- filling in ------------------------------------------------------------------------------------------------
    // R26, R27: submitted once, after a review; what is locked then is in `fields`.
    Row { kinds: WITH_ATTACHMENTS, from: &[State::Draft], act: Act::Submit, needs: &[Need::Fields], to: To::State(State::Collecting), cites: &[26, 27, 28], ..PLAIN },
    // R62, R94: what takes over the end of another certificate needs one that has not ended and was not replaced before.
    Row { kinds: &[Kind::Reissue], from: &[State::Draft], act: Act::Submit, needs: &[Need::Fields, Need::ValidCertificate], to: To::State(State::Collecting), cites: &[26, 61, 62, 94], ..PLAIN },
    // R64: nothing encrypted may be left behind when a certificate is changed.
    Row { kinds: CHANGE, from: &[State::Draft], act: Act::Submit, needs: &[Need::Fields, Need::ValidCertificate, Need::Decrypted], to: To::State(State::Collecting), cites: &[26, 64, 93], ..PLAIN },
    // R12: the existing, valid certificate signs; no paper.
    Row { kinds: &[Kind::Additional], from: &[State::Draft], act: Act::Submit, when: When::FeeDue, needs: &[Need::Fields, Need::ValidCertificate, Need::KeySignature], to: To::State(State::Payment), cites: &[12, 44], ..PLAIN },
    Row { kinds: &[Kind::Additional], from: &[State::Draft], act: Act::Submit, when: When::NothingDue, needs: &[Need::Fields, Need::ValidCertificate, Need::KeySignature], to: To::State(State::FirstReview), cites: &[12], ..PLAIN },
    // R58, R60, R99: online only while the certificate is valid, signed with the PIN.
    Row { kinds: &[Kind::Renewal], from: &[State::Draft], act: Act::Submit, when: When::FeeDue, needs: &[Need::Fields, Need::ValidCertificate, Need::KeySignature], to: To::State(State::Payment), cites: &[58, 60, 99], ..PLAIN },
    Row { kinds: &[Kind::Renewal], from: &[State::Draft], act: Act::Submit, when: When::NothingDue, needs: &[Need::Fields, Need::ValidCertificate, Need::KeySignature], to: To::State(State::Installable), effects: &[Effect::Seal], cites: &[58, 60, 92, 99], ..PLAIN },
    // R69: the handler of the last business needs no papers. R70: another one does. R73, K14: where the profile allows it.
    Row { kinds: &[Kind::Unlock], from: &[State::Draft], act: Act::Submit, when: When::HandlerSame, needs: &[Need::Fields], to: To::State(State::AwaitingCode), effects: &[Effect::Code], cites: &[68, 69], ..PLAIN },
    Row { kinds: &[Kind::Unlock], from: &[State::Draft], act: Act::Submit, when: When::HandlerOther, needs: &[Need::Fields, Need::HandlerOnline], to: To::State(State::Collecting), cites: &[70, 73], ..PLAIN },
    // ---- papers and money ------------------------------------------------------------------------------------------
    // R12: what was corrected after it was sent back is signed again; it was paid before the review began.
    Row { kinds: &[Kind::Additional], from: &[State::Returned], act: Act::Send, needs: &[Need::Attachments, Need::KeySignature], to: To::State(State::FirstReview), cites: &[12, 44], ..PLAIN },
    // R32, R33: every named slot. K4: where the fee is nothing, no payment is asked.
    Row { from: &[State::Collecting, State::Returned], act: Act::Send, when: When::FeeDue, needs: &[Need::Attachments], to: To::State(State::Payment), cites: &[32, 33, 38], ..PLAIN },
    Row { from: &[State::Collecting, State::Returned], act: Act::Send, when: When::NothingDue, needs: &[Need::Attachments], to: To::State(State::FirstReview), cites: &[32, 33, 67, 80], ..PLAIN },
    // R24, R38, R39: the term is locked and the invoice ordered.
    Row { kinds: &[Kind::Renewal], from: &[State::Payment, State::PaymentCheck], act: Act::Pay, by: By::Desk, to: To::State(State::Installable), effects: &[Effect::Invoice, Effect::Notify, Effect::Seal], cites: &[38, 39, 58, 92], ..PLAIN },
    Row { from: &[State::Payment, State::PaymentCheck], act: Act::Pay, by: By::Desk, to: To::State(State::FirstReview), effects: &[Effect::Invoice, Effect::Notify], cites: &[24, 38, 39], ..PLAIN },
    // R43, R45: a transfer, with its voucher. E18: paid, and no answer yet.
    Row { from: &[State::Payment], act: Act::ReportTransfer, to: To::State(State::PaymentCheck), cites: &[43, 45], ..PLAIN },
    Row { kinds: &[Kind::Renewal], from: &[State::PaymentCheck], act: Act::ConfirmPayment, by: By::Officer, to: To::State(State::Installable), effects: &[Effect::Invoice, Effect::Notify, Effect::Seal], cites: &[43, 45, 92], ..PLAIN },
    Row { from: &[State::PaymentCheck], act: Act::ConfirmPayment, by: By::Officer, to: To::State(State::FirstReview), effects: &[Effect::Invoice, Effect::Notify], cites: &[43, 45], ..PLAIN },
    Row { from: &[State::PaymentCheck], act: Act::RefusePayment, by: By::Officer, to: To::State(State::Payment), effects: &[Effect::Notify], cites: &[43], ..PLAIN },
    // ---- two officers ----------------------------------------------------------------------------------------------
    // R40: after the first review the key goes out.
    Row { kinds: KEY_THEN_PAPER, from: &[State::FirstReview], act: Act::Accept, by: By::Officer, to: To::State(State::Making), effects: &[Effect::Notify], cites: &[40, 101], ..PLAIN },
    // R65, R79, K20: the old key comes in before anything goes out.
    Row { kinds: &[Kind::Change, Kind::Revoke], from: &[State::FirstReview], act: Act::Accept, by: By::Officer, when: When::PaperNotHere, to: To::State(State::AwaitingPaper), effects: &[Effect::Notify], cites: &[65, 79, 101], ..PLAIN },
    Row { kinds: &[Kind::Change, Kind::Revoke], from: &[State::FirstReview], act: Act::Accept, by: By::Officer, when: When::PaperHere, to: To::State(State::PaperReview), cites: &[65, 79, 101], ..PLAIN },
    Row { kinds: PAPERLESS, from: &[State::FirstReview], act: Act::Accept, by: By::Officer, to: To::State(State::SecondReview), cites: &[44, 70, 76, 101], ..PLAIN },
    // R101: never the same officer twice.
    Row { kinds: SEALS, from: &[State::SecondReview], act: Act::Confirm, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::Installable), effects: &[Effect::Notify, Effect::Seal], cites: &[77, 101], ..PLAIN },
    Row { kinds: &[Kind::Additional], from: &[State::SecondReview], act: Act::Confirm, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::Making), effects: &[Effect::Notify], cites: &[44, 101], ..PLAIN },
    Row { kinds: &[Kind::Unlock], from: &[State::SecondReview], act: Act::Confirm, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::AwaitingCode), effects: &[Effect::Code], cites: &[70, 89, 101], ..PLAIN },
    // R31, R101: which seal comes out is agreed to by two officers, so it is settled before the first of them agrees.
    Row { kinds: WITH_IMPRESSIONS, from: &[State::FirstReview], act: Act::Pick, by: By::Officer, cites: &[31, 77, 101], ..PLAIN },
    Row { from: &[State::FirstReview, State::SecondReview], act: Act::Return, by: By::Officer, to: To::State(State::Returned), effects: &[Effect::Notify], cites: &[83], ..PLAIN },
    // ---- key and originals -----------------------------------------------------------------------------------------
    // K9: the originals may be there before the key goes out.
    Row { kinds: KEY_THEN_PAPER, from: &[State::FirstReview, State::Making], act: Act::ReceivePaper, by: By::Officer, when: When::PaperNotHere, to: To::Same, cites: &[42, 43], ..PLAIN },
    Row { kinds: &[Kind::Change, Kind::Revoke], from: &[State::FirstReview], act: Act::ReceivePaper, by: By::Officer, when: When::PaperNotHere, to: To::Same, cites: &[65, 66], ..PLAIN },
    Row { kinds: KEY_THEN_PAPER, from: &[State::Making], act: Act::Ship, by: By::Officer, when: When::PaperNotHere, to: To::State(State::AwaitingPaper), effects: &[Effect::Courier, Effect::Notify], cites: &[40, 42], ..PLAIN },
    Row { kinds: KEY_THEN_PAPER, from: &[State::Making], act: Act::Ship, by: By::Officer, when: When::PaperHere, to: To::State(State::PaperReview), effects: &[Effect::Courier, Effect::Notify], cites: &[40, 42], ..PLAIN },
    Row { kinds: CHANGE, from: &[State::Making], act: Act::Ship, by: By::Officer, needs: &[Need::PaperVerified], to: To::State(State::Activatable), effects: &[Effect::Courier, Effect::Notify], cites: &[65, 86], ..PLAIN },
    Row { kinds: &[Kind::Additional], from: &[State::Making], act: Act::Ship, by: By::Officer, needs: &[Need::TwoOfficers, Need::KeySignature], to: To::State(State::Activatable), effects: &[Effect::Courier, Effect::Notify], cites: &[44, 86], ..PLAIN },
    Row { from: &[State::AwaitingPaper], act: Act::ReceivePaper, by: By::Officer, to: To::State(State::PaperReview), cites: &[40, 42, 65], ..PLAIN },
    // R40, R41, R86: only this opens the activation gate, and only another officer can do it.
    Row { kinds: KEY_THEN_PAPER, from: &[State::PaperReview], act: Act::VerifyPaper, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::Activatable), effects: &[Effect::Notify], cites: &[40, 41, 86, 101], ..PLAIN },
    Row { kinds: CHANGE, from: &[State::PaperReview], act: Act::VerifyPaper, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::Making), cites: &[65, 86, 101], ..PLAIN },
    Row { kinds: &[Kind::Revoke], from: &[State::PaperReview], act: Act::VerifyPaper, by: By::Officer, needs: &[Need::OtherOfficer], to: To::State(State::Done), effects: &[Effect::Revoke, Effect::Notify], cites: &[79, 101], ..PLAIN },
    Row { from: &[State::PaperReview], act: Act::RefusePaper, by: By::Officer, to: To::State(State::AwaitingPaper), effects: &[Effect::Notify], cites: &[41], ..PLAIN },
    // ---- in the applicant's hands ----------------------------------------------------------------------------------
    // R46, R86: against a grant that the CA signed. R92: the seal has to be made anew for the new certificate.
    Row { kinds: &[Kind::New, Kind::Reissue, Kind::Change], from: &[State::Activatable], act: Act::Activate, needs: &[Need::PaperVerified], to: To::State(State::Activated), effects: &[Effect::Seal], cites: &[46, 48, 86, 92], ..PLAIN },
    Row { kinds: &[Kind::Additional], from: &[State::Activatable], act: Act::Activate, needs: &[Need::TwoOfficers, Need::KeySignature], to: To::State(State::Activated), effects: &[Effect::Seal], cites: &[44, 48, 86], ..PLAIN },
    Row { from: &[State::Activated], act: Act::Finish, to: To::State(State::Done), cites: &[51, 63], ..PLAIN },
    Row { kinds: &[Kind::Renewal, Kind::SealApply, Kind::SealChange], from: &[State::Installable], act: Act::Install, to: To::State(State::Done), cites: &[58, 77], ..PLAIN },
    Row { kinds: &[Kind::Unlock], from: &[State::AwaitingCode], act: Act::EnterCode, to: To::State(State::Done), cites: &[69, 89], ..PLAIN },
    // ---- taken back, closed, timed out -----------------------------------------------------------------------------
    // R70, R76, E19: during the review too; what was paid goes back.
    Row { from: BEFORE_REVIEW_ENDS, act: Act::Withdraw, to: To::State(State::Withdrawn), effects: &[Effect::Refund, Effect::Notify], cites: &[70, 76], ..PLAIN },
    // R27: support closes what was filled in wrongly. R50: what is activated stays.
    Row { from: BEFORE_ACTIVATION, act: Act::Close, by: By::Officer, to: To::State(State::Closed), effects: &[Effect::Refund, Effect::Notify], cites: &[27, 50], ..PLAIN },
    // R81, R83: nothing is lost by waiting too long, until nobody has asked for a quarter of a year.
    Row { from: &[State::Draft, State::Collecting, State::Payment, State::Returned, State::AwaitingCode], act: Act::Expire, by: By::Desk, when: When::TimeOver, to: To::State(State::TimedOut), effects: &[Effect::Notify], cites: &[81, 83], ..PLAIN },
    Row { from: &[State::TimedOut], act: Act::Expire, by: By::Desk, when: When::TimeOver, to: To::State(State::Closed), effects: &[Effect::Refund], cites: &[83], ..PLAIN },
    Row { from: &[State::TimedOut], act: Act::Resume, to: To::Before, cites: &[81, 83], ..PLAIN },
];
