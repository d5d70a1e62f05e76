//! Renewal: who may carry a binding over, in which order it is asked, and what a remembered path does not forgive.

use std::sync::Arc;

use sealbridge_pki::oid;
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::statement::{Claims, Kind, Unsigned};
use sealbridge_relying_party::known::KnownPaths;
use sealbridge_relying_party::renewal::{self, Bound, Proven, Step, commitment};
use sealbridge_relying_party::{
    Account, Algorithm, Binding, Certificate, CertificateId, Code, Evidence, Failure, Policy, Revocation, RevocationList, StatusDemand, bind,
    challenge::Challenge, login,
};

use crate::world::{ACCOUNT, Attempt, Authority, CREDIT_CODE, DAY, Key, NOW, ORIGIN, Wish, binding, id, origin};

/// An old and a new certificate, each with its key.
struct Two {
    authority: Authority,
    old: (Certificate, Key),
    new: (Certificate, Key),
    policy: Policy,
}

impl Two {
    fn new(old: &Wish, new: &Wish) -> Self {
        Self::with(old, new, Key::p256(8))
    }

    fn with(old: &Wish, new: &Wish, new_key: Key) -> Self {
        let authority = Authority::new(1);
        let old_key = Key::p256(7);
        let (old, new) = (authority.issue(old, &old_key), authority.issue(new, &new_key));
        let policy = Policy::new(&[ORIGIN], &authority.root.to_pem()).unwrap();
        Two { authority, old: (old, old_key), new: (new, new_key), policy }
    }

    fn plain() -> Self {
        Self::new(&Wish::holder(), &Wish { serial: 0x22, ..Wish::holder() })
    }

    fn sign(&self, (leaf, key): &(Certificate, Key), challenge: &Challenge) -> bind::Unverified {
        self.sign_for(ACCOUNT, (leaf, key), challenge)
    }

    fn sign_for(&self, account: &str, (leaf, key): (&Certificate, &Key), challenge: &Challenge) -> bind::Unverified {
        let claims = Claims::bind(origin(ORIGIN), challenge.nonce.clone(), NOW + 5, OperationId::new([9; 16]), Account::new(account).unwrap());
        let chain = [leaf.der().to_vec(), self.authority.issuing.der().to_vec()];
        let unsigned = Unsigned::new(Kind::Bind, Algorithm::Es256, &chain, &leaf.sha256(), claims).unwrap();
        bind::read(&unsigned.attach(&key.sign(Algorithm::Es256, unsigned.signing_input().as_bytes()))).unwrap()
    }

    /// The new key's step, where the portal knows the certificate and the anchor of the old one or not.
    fn present(&self, stored: &Binding, knows: bool) -> Result<Step, Failure> {
        let (challenge, pending) = renewal::start(&self.policy, stored, NOW, [1; 32])?;
        let statement = self.sign(&self.new, &challenge);
        let bound = Bound { binding: stored, certificate: knows.then_some(&self.old.0), anchor: knows.then(|| id(&self.authority.root)) };
        renewal::present(pending, statement, bound, None, &self.policy, NOW + 10, [2; 32])
    }
}

fn code<T>(done: Result<T, Failure>) -> Option<Code> {
    done.err().map(|failure| failure.code)
}

#[test]
fn the_old_key_signs_for_the_new_certificate() {
    let two = Two::plain();
    let stored = binding(&two.old.0, ACCOUNT);
    let bound = Bound { binding: &stored, certificate: None, anchor: None };
    let Step::OldKeyNeeded(challenge, successor) = two.present(&stored, true).unwrap() else { panic!("nothing else carries it over") };
    // The nonce is made of the new certificate, and of nothing that another certificate gives.
    assert_eq!(challenge.nonce, commitment(&[2; 32], &id(&two.new.0)).unwrap());
    assert_ne!(challenge.nonce, commitment(&[2; 32], &id(&two.old.0)).unwrap());
    let record = successor.into_record();
    let json = serde_json::to_string(&record).unwrap();
    let again = || renewal::Successor::from_record(serde_json::from_str(&json).unwrap());
    let verified = renewal::confirm(again(), two.sign(&two.old, &challenge), bound, &two.policy, NOW + 20).unwrap();
    assert_eq!((verified.proven(), verified.record().certificate), (Proven::OldKey, id(&two.new.0)));
    assert_eq!((verified.statements().len(), verified.anchor()), (2, Some(id(&two.authority.root))));
    assert_eq!((verified.record().account.as_str(), verified.record().credit_code.as_str()), (ACCOUNT, CREDIT_CODE));

    // The new key can not speak for the old one.
    assert_eq!(code(renewal::confirm(again(), two.sign(&two.new, &challenge), bound, &two.policy, NOW + 20)), Some(Code::RenewalOldKeyNeeded));
    // Another account's statement, another time, another binding in the meantime.
    let other = two.sign_for("supplier-2", (&two.old.0, &two.old.1), &challenge);
    assert_eq!(code(renewal::confirm(again(), other, bound, &two.policy, NOW + 20)), Some(Code::AccountMismatch));
    assert_eq!(code(renewal::confirm(again(), two.sign(&two.old, &challenge), bound, &two.policy, NOW + 200)), Some(Code::NonceExpired));
    let changed = binding(&two.new.0, ACCOUNT);
    let changed = Bound { binding: &changed, certificate: None, anchor: None };
    assert_eq!(code(renewal::confirm(again(), two.sign(&two.old, &challenge), changed, &two.policy, NOW + 20)), Some(Code::NothingBound));
    let lost = Binding { suspended_at: Some(NOW), ..stored.clone() };
    let lost = Bound { binding: &lost, certificate: None, anchor: None };
    assert_eq!(code(renewal::confirm(again(), two.sign(&two.old, &challenge), lost, &two.policy, NOW + 20)), Some(Code::BindingSuspended));
    // A record whose certificate was exchanged in the database is damaged, not obeyed.
    let mut exchanged = record;
    exchanged.certificate.0 = two.old.0.der().to_vec();
    let exchanged = renewal::Successor::from_record(exchanged);
    assert_eq!(code(renewal::confirm(exchanged, two.sign(&two.old, &challenge), bound, &two.policy, NOW + 20)), Some(Code::Internal));
    // An old certificate that has ended can not carry anything over.
    let ended = Two::new(&Wish { not_after: NOW + 15, ..Wish::holder() }, &Wish { serial: 0x22, ..Wish::holder() });
    let stored = binding(&ended.old.0, ACCOUNT);
    let Step::OldKeyNeeded(challenge, successor) = ended.present(&stored, true).unwrap() else { panic!() };
    let bound = Bound { binding: &stored, certificate: None, anchor: None };
    assert_eq!(code(renewal::confirm(*successor, ended.sign(&ended.old, &challenge), bound, &ended.policy, NOW + 20)), Some(Code::CertificateExpired));
}

#[test]
fn the_cas_own_number_carries_it_over() {
    // The CA writes the subject's number where NETCA does; here it is the credit code.
    let numbered = |serial| Wish { serial, credit_code_kind: Some(oid::NETCA_IDENTITY), ..Wish::holder() };
    let two = Two::new(&numbered(0x11), &numbered(0x22));
    let stored = binding(&two.old.0, ACCOUNT);
    let Step::Carried(verified) = two.present(&stored, true).unwrap() else { panic!("the numbers are the same") };
    assert_eq!((verified.proven(), verified.record().certificate), (Proven::SubjectId, id(&two.new.0)));
    // Not known, under another anchor, or not where this portal looks: the old key is asked.
    assert!(matches!(two.present(&stored, false).unwrap(), Step::OldKeyNeeded(..)));
    let (challenge, pending) = renewal::start(&two.policy, &stored, NOW, [1; 32]).unwrap();
    let elsewhere = Bound { binding: &stored, certificate: Some(&two.old.0), anchor: Some(id(&Authority::new(2).root)) };
    let step = renewal::present(pending, two.sign(&two.new, &challenge), elsewhere, None, &two.policy, NOW + 10, [2; 32]).unwrap();
    assert!(matches!(step, Step::OldKeyNeeded(..)));
    let blind = Two { policy: Policy { subject_ids: Vec::new(), ..two.policy.clone() }, ..two };
    assert!(matches!(blind.present(&stored, true).unwrap(), Step::OldKeyNeeded(..)));
    // Only one of the two has a number, or they have it in different places.
    for old in [Wish::holder(), Wish { credit_code_kind: Some(oid::GDCA_TRUST_ID), ..Wish::holder() }] {
        let two = Two::new(&old, &numbered(0x22));
        assert!(matches!(two.present(&binding(&two.old.0, ACCOUNT), true).unwrap(), Step::OldKeyNeeded(..)));
    }
}

#[test]
fn a_newer_certificate_of_the_same_key_carries_it_over() {
    // Where the CA's number is the same too, the key is what was proven.
    for kind in [None, Some(oid::NETCA_IDENTITY)] {
        let wish = Wish { credit_code_kind: kind, ..Wish::holder() };
        let renewed = Wish { serial: 0x22, not_after: wish.not_after + 365 * DAY, ..wish.clone() };
        let two = Two::with(&wish, &renewed, Key::p256(7));
        let stored = binding(&two.old.0, ACCOUNT);
        let Step::Carried(verified) = two.present(&stored, true).unwrap() else { panic!("the key is the same") };
        assert_eq!((verified.proven(), verified.record().certificate), (Proven::SameKey, id(&two.new.0)));
        assert_eq!((verified.statements().len(), verified.anchor()), (1, Some(id(&two.authority.root))));
        assert_eq!(serde_json::to_string(&verified.proven()).unwrap(), "\"same-key\"");
        assert!(matches!(two.present(&stored, false).unwrap(), Step::OldKeyNeeded(..)), "the portal has not kept the certificate");
    }
    // Also where the old one has ended meanwhile; not backwards, and not where the old one was revoked: then it has to speak for itself.
    let ended = Wish { not_after: NOW - 1, ..Wish::holder() };
    let two = Two::with(&ended, &Wish { serial: 0x22, ..Wish::holder() }, Key::p256(7));
    assert!(matches!(two.present(&binding(&two.old.0, ACCOUNT), true).unwrap(), Step::Carried(_)));
    let two = Two::with(&Wish::holder(), &Wish { serial: 0x22, not_after: NOW + DAY, ..Wish::holder() }, Key::p256(7));
    assert!(matches!(two.present(&binding(&two.old.0, ACCOUNT), true).unwrap(), Step::OldKeyNeeded(..)));
    let mut two = Two::with(&Wish { not_after: NOW + DAY, ..Wish::holder() }, &Wish { serial: 0x22, ..Wish::holder() }, Key::p256(7));
    two.policy.revocation = listed(&[&two.old.0]);
    let stored = binding(&two.old.0, ACCOUNT);
    let Step::OldKeyNeeded(challenge, successor) = two.present(&stored, true).unwrap() else { panic!("it is revoked") };
    let bound = Bound { binding: &stored, certificate: None, anchor: None };
    assert_eq!(code(renewal::confirm(*successor, two.sign(&two.old, &challenge), bound, &two.policy, NOW + 20)), Some(Code::CertificateRevoked));
}

fn listed(revoked: &[&Certificate]) -> Revocation {
    Revocation::Listed(RevocationList { revoked: revoked.iter().map(|one| (id(one), NOW - DAY)).collect(), fresh_until: NOW + DAY })
}

/// A login with a newer certificate of the bound key. As it is made it carries the binding over; a test spoils one thing.
struct Renewed {
    attempt: Attempt,
    bound: Binding,
    old: Option<Certificate>,
    anchor: Option<CertificateId>,
    of_new: Option<Binding>,
    evidence: Evidence,
}

impl Renewed {
    fn new() -> Self {
        Self::from(&Self::old_wish(), &Key::p256(7))
    }

    fn old_wish() -> Wish {
        Wish { serial: 0x10, not_after: NOW + DAY, ..Wish::holder() }
    }

    fn from(old: &Wish, key: &Key) -> Self {
        let attempt = Attempt::with(Kind::Login, Algorithm::Es256, &Wish::holder(), Key::p256(7));
        let old = Authority::new(1).issue(old, key);
        let anchor = Some(id(&attempt.policy.anchors[0]));
        Self { bound: binding(&old, ACCOUNT), old: Some(old), anchor, of_new: None, evidence: Evidence::default(), attempt }
    }

    fn old(&self) -> &Certificate {
        self.old.as_ref().unwrap()
    }

    fn log_in(&self) -> Result<(login::VerifiedLogin, renewal::VerifiedRenewal), Failure> {
        let Attempt { policy, issued_at, now, .. } = &self.attempt;
        let (_, pending) = login::start(policy, *issued_at, [5; 32])?;
        let signed = login::prove(pending, login::read(&self.attempt.token())?, policy, *now)?;
        let bound = Bound { binding: &self.bound, certificate: self.old.as_ref(), anchor: self.anchor };
        renewal::at_login(signed, bound, self.of_new.as_ref(), &self.evidence, policy, *now)
    }
}

#[test]
fn a_login_with_the_newer_certificate_carries_it_over() {
    let renewed = Renewed::new();
    let (login, carried) = renewed.log_in().unwrap();
    assert_eq!((login.account().as_str(), login.certificate().id()), (ACCOUNT, renewed.attempt.leaf().id()));
    let record = carried.record();
    assert_eq!((record.certificate, record.account.as_str(), record.bound_at), (id(renewed.attempt.leaf()), ACCOUNT, renewed.attempt.now));
    assert_eq!((carried.proven(), carried.anchor()), (Proven::SameKey, renewed.anchor));
    assert_eq!(carried.statements(), [login.statement()]);

    let check = |what: &str, expected: Option<Code>, change: fn(&mut Renewed)| {
        let mut renewed = Renewed::new();
        change(&mut renewed);
        assert_eq!(code(renewed.log_in()), expected, "{what}");
    };
    let not_bound = Some(Code::NotBound);
    let numbered = Wish { credit_code_kind: Some(oid::NETCA_IDENTITY), ..Renewed::old_wish() };
    for (what, old, key) in [("another key", &Renewed::old_wish(), Key::p256(8)), ("another key of the same subject number", &numbered, Key::p256(8))] {
        let mut renewed = Renewed::from(old, &key);
        let new = Wish { credit_code_kind: old.credit_code_kind, ..Wish::holder() };
        renewed.attempt.chain[0] = Authority::new(1).issue(&new, &Key::p256(7));
        assert_eq!(code(renewed.log_in()), not_bound, "{what}");
    }
    for (what, not_after) in [("as old", Wish::holder().not_after), ("older", Wish::holder().not_after + 1)] {
        assert_eq!(code(Renewed::from(&Wish { not_after, ..Renewed::old_wish() }, &Key::p256(7)).log_in()), not_bound, "{what}");
    }
    let ended = Renewed::from(&Wish { not_after: NOW - 1, ..Renewed::old_wish() }, &Key::p256(7));
    assert_eq!(code(ended.log_in()), None, "the old one may have ended");
    check("not kept", not_bound, |r| r.old = None);
    check("another certificate kept than bound", not_bound, |r| r.bound.certificate = id(&r.attempt.chain[1]));
    check("bound under a forgotten anchor", not_bound, |r| r.anchor = None);
    check("bound under another anchor", not_bound, |r| r.anchor = Some(id(&Authority::new(2).root)));
    check("reported lost", Some(Code::BindingSuspended), |r| r.bound.suspended_at = Some(NOW));
    check("another organisation", Some(Code::CreditCodeMismatch), |r| r.bound.credit_code = "91440300MA5DEMA00Y".to_owned());
    check("no credit code", Some(Code::CreditCodeMissing), |r| {
        r.attempt.chain[0] = Authority::new(1).issue(&Wish { credit_code: None, ..Wish::holder() }, &Key::p256(7));
    });
    check("bound elsewhere", Some(Code::CertificateAlreadyBound), |r| r.of_new = Some(binding(r.attempt.leaf(), "supplier-2")));
    check("carried over meanwhile", None, |r| r.of_new = Some(binding(r.attempt.leaf(), ACCOUNT)));
    check("reported lost itself", Some(Code::BindingSuspended), |r| {
        r.of_new = Some(Binding { suspended_at: Some(NOW), ..binding(r.attempt.leaf(), ACCOUNT) });
    });
    check("an authority's silence", Some(Code::RevocationUnknown), |r| r.attempt.policy.status = StatusDemand::Required);
}

#[test]
fn what_is_revoked_carries_nothing_over() {
    let check = |what: &str, expected: Option<Code>, change: fn(&mut Renewed)| {
        let mut renewed = Renewed::new();
        change(&mut renewed);
        assert_eq!(code(renewed.log_in()), expected, "{what}");
    };
    check("the old one on the portal's list", Some(Code::NotBound), |r| r.attempt.policy.revocation = listed(&[r.old()]));
    check("the new one on the portal's list", Some(Code::CertificateRevoked), |r| r.attempt.policy.revocation = listed(&[r.attempt.leaf()]));
    // The CA's list; a lost key's certificates are all revoked, and 6 is a certificate on hold.
    let told = |r: &Renewed, revoked: &[(&Certificate, u8)]| Evidence { crls: vec![Authority::new(1).list(revoked)], ..r.evidence.clone() };
    for (reason, expected) in [(0, Some(Code::NotBound)), (1, Some(Code::NotBound)), (4, None), (5, Some(Code::NotBound)), (6, Some(Code::NotBound))] {
        let mut renewed = Renewed::new();
        renewed.evidence = told(&renewed, &[(renewed.old(), reason)]);
        assert_eq!(code(renewed.log_in()), expected, "the old one for reason {reason}");
        renewed.evidence = told(&renewed, &[(renewed.old(), reason), (renewed.attempt.leaf(), reason)]);
        assert_eq!(code(renewed.log_in()), Some(Code::CertificateRevoked), "both for reason {reason}");
    }
    let mut renewed = Renewed::new();
    renewed.evidence = told(&renewed, &[]);
    assert_eq!(code(renewed.log_in()), None);

    // Whom to ask about the old one, also where it has ended; nobody about another key's.
    let ask = |renewed: &Renewed| {
        let Attempt { policy, issued_at, now, .. } = &renewed.attempt;
        let (_, pending) = login::start(policy, *issued_at, [5; 32]).unwrap();
        let signed = login::prove(pending, login::read(&renewed.attempt.token()).unwrap(), policy, *now).unwrap();
        let bound = Bound { binding: &renewed.bound, certificate: renewed.old.as_ref(), anchor: renewed.anchor };
        renewal::also_ask(&signed, bound, policy, *now).map(|path| (path.leaf().unwrap().id(), path.at()))
    };
    assert_eq!(ask(&renewed), Some((renewed.old().id(), renewed.attempt.now)));
    let ended = Renewed::from(&Wish { not_after: NOW - 1, ..Renewed::old_wish() }, &Key::p256(7));
    assert_eq!(ask(&ended), Some((ended.old().id(), NOW - 1)));
    assert_eq!(ask(&Renewed::from(&Renewed::old_wish(), &Key::p256(8))), None);
    assert_eq!(ask(&Renewed::from(&Wish::holder(), &Key::p256(7))), None, "it is the one that is bound");
}

#[test]
fn what_the_new_certificate_must_be() {
    let two = Two::plain();
    let stored = binding(&two.old.0, ACCOUNT);
    let lost = Binding { suspended_at: Some(NOW - DAY), ..stored.clone() };
    assert_eq!(code(renewal::start(&two.policy, &lost, NOW, [1; 32])), Some(Code::BindingSuspended));
    let check = |new: &Wish, expected: Code| {
        let two = Two::new(&Wish::holder(), new);
        assert_eq!(code(two.present(&stored, true)), Some(expected));
    };
    check(&Wish { credit_code: Some("91440300MA5DEMA00Y"), ..Wish::holder() }, Code::CreditCodeMismatch);
    check(&Wish { credit_code: None, ..Wish::holder() }, Code::CreditCodeMissing);
    check(&Wish { not_after: NOW - 1, ..Wish::holder() }, Code::CertificateExpired);
    let same = Two { new: (two.old.0.clone(), Key::p256(7)), ..Two::plain() };
    assert_eq!(code(same.present(&stored, true)), Some(Code::RenewalSameCertificate));
    let (challenge, pending) = renewal::start(&two.policy, &stored, NOW, [1; 32]).unwrap();
    let bound = Bound { binding: &stored, certificate: Some(&two.old.0), anchor: None };
    let others = binding(&two.new.0, "supplier-2");
    let done = renewal::present(pending, two.sign(&two.new, &challenge), bound, Some(&others), &two.policy, NOW + 10, [2; 32]);
    assert_eq!(code(done), Some(Code::CertificateAlreadyBound));
}

#[test]
fn a_suspended_binding_opens_nothing() {
    let mut attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    attempt.of_certificate = attempt.of_certificate.map(|binding| Binding { suspended_at: Some(NOW), ..binding });
    let failure = attempt.log_in(&attempt.token()).unwrap_err();
    assert_eq!(failure.code, Code::BindingSuspended);
    assert!(failure.fact("since").unwrap().starts_with("2026-"));
    let mut attempt = Attempt::new(Kind::Bind, Algorithm::Es256);
    attempt.of_certificate = Some(Binding { suspended_at: Some(NOW), ..binding(attempt.leaf(), ACCOUNT) });
    assert_eq!(code(attempt.bind(&attempt.token())), Some(Code::BindingSuspended));
}

#[test]
fn a_known_path_forgives_nothing() {
    let mut attempt = Attempt::with(Kind::Login, Algorithm::Es256, &Wish { not_after: NOW + 60, ..Wish::holder() }, Key::p256(7));
    let known = Arc::new(KnownPaths::new(2));
    attempt.policy.known = Some(Arc::clone(&known));
    for _ in 0..2 {
        attempt.log_in(&attempt.token()).unwrap();
        assert_eq!(known.len(), 1);
    }
    let log_in = |attempt: &Attempt| code(attempt.log_in(&attempt.token()));
    // Time goes on, the portal trusts others, the certificate is revoked: the memory is of no help.
    let later = Attempt { issued_at: NOW + 61, iat: NOW + 61, now: NOW + 61, ..attempt.clone() };
    assert_eq!(log_in(&later), Some(Code::CertificateExpired));
    let mut elsewhere = attempt.clone();
    elsewhere.policy.anchors = vec![Authority::new(2).root];
    assert_eq!(log_in(&elsewhere), Some(Code::CertificateUntrusted));
    let mut revoked = attempt.clone();
    let list = RevocationList { revoked: [(id(attempt.leaf()), NOW)].into(), fresh_until: NOW + DAY };
    revoked.policy.revocation = Revocation::Listed(list);
    assert_eq!(log_in(&revoked), Some(Code::CertificateRevoked));
    // A spoilt statement of a known certificate.
    let mut token = attempt.token();
    let last = if token.pop() == Some('A') { 'Q' } else { 'A' };
    token.push(last);
    assert_eq!(code(attempt.log_in(&token)), Some(Code::SignatureInvalid));
    assert_eq!(log_in(&attempt), None);
    // A full memory begins anew; one without room remembers nothing.
    for number in 20..23 {
        let other = Attempt::with(Kind::Login, Algorithm::Es256, &Wish { serial: number, ..Wish::holder() }, Key::p256(number));
        let other = Attempt { policy: Policy { known: Some(Arc::clone(&known)), ..other.policy.clone() }, ..other };
        assert_eq!(log_in(&other), None);
        assert!(known.len() <= 2);
    }
    assert!(login::start(&attempt.policy, NOW, [0; 32]).is_ok());
}
