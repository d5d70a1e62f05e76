//! Statements: one spelling each, no kind that reads as another, and bytes that are no ASN.1.

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use sealbridge_protocol::Code;
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::{self, Algorithm, Claims, Kind, STATEMENT_MAX, Unsigned};

use crate::vectors;

/// Cases of each property, but for the one that kinds stand and fall with.
pub(crate) const CASES: u32 = 25_000;
/// Pairs of statements that are tried for being taken for each other.
const PAIRS: u32 = 100_000;

#[test]
fn the_table() {
    let rows = vectors("statements.tsv");
    assert!(rows.len() >= 80);
    for row in rows {
        let [outcome, header, claims, signature, reason] = row.as_slice() else { panic!("five columns: {row:?}") };
        let text = [
            Base64UrlUnpadded::encode_string(header.as_bytes()),
            Base64UrlUnpadded::encode_string(claims.as_bytes()),
            Base64UrlUnpadded::encode_string(&vec![7; signature.parse().unwrap()]),
        ]
        .join(".");
        let read = match statement::parse(&text) {
            Ok(_) => "ok",
            Err(failure) => failure.code.as_str(),
        };
        assert_eq!(read, outcome, "{reason}: {header} {claims}");
    }
}

#[test]
fn the_envelope() {
    let sample = sample();
    let refuse = |text: &str, code: Code, reason: &str| {
        let read = statement::parse(text).map(|_| ()).map_err(|failure| failure.code);
        assert_eq!(read, Err(code), "{reason}");
    };
    assert!(statement::parse(&sample).is_ok());
    refuse("", Code::TokenMalformed, "empty");
    refuse("..", Code::TokenMalformed, "three empty parts");
    refuse(&sample.replacen('.', "", 1), Code::TokenMalformed, "two parts");
    refuse(&format!("{sample}.AAAA"), Code::TokenMalformed, "four parts");
    refuse(&format!("{sample}="), Code::TokenMalformed, "padding");
    refuse(&format!(" {sample}"), Code::TokenMalformed, "space before");
    refuse(&format!("{sample}\n"), Code::TokenMalformed, "line feed after");
    refuse(&sample.to_uppercase(), Code::TokenMalformed, "another case");
    refuse(&"a".repeat(STATEMENT_MAX + 1), Code::TokenTooLarge, "size before anything else");
    refuse(&"a".repeat(STATEMENT_MAX), Code::TokenMalformed, "largest size");
}

#[test]
fn the_writer_refuses_what_the_reader_would() {
    let claims = || Claims::login(origin(), nonce(), 1_795_000_000, OperationId::new([7; 16]));
    let bind = || Claims { sub: Some(Account::new("a").unwrap()), ..claims() };
    let certificate = || vec![vec![0x30, 0]];
    let check = |kind, chain: Vec<Vec<u8>>, claims, ok| {
        let written = Unsigned::new(kind, Algorithm::Es256, &chain, &[0; 32], claims);
        assert_eq!(written.is_ok(), ok);
    };
    check(Kind::Login, certificate(), claims(), true);
    check(Kind::Bind, certificate(), bind(), true);
    check(Kind::Bind, certificate(), claims(), false);
    check(Kind::Login, certificate(), bind(), false);
    check(Kind::Login, vec![], claims(), false);
    check(Kind::Login, vec![vec![0x30, 0]; 7], claims(), false);
    check(Kind::Login, vec![vec![]], claims(), false);
    check(Kind::Login, vec![vec![0x30; 20_000]], claims(), false);
    check(Kind::Login, certificate(), Claims { iat: -1, ..claims() }, false);
    check(Kind::Login, certificate(), Claims { iat: i64::MAX, ..claims() }, false);
}

#[test]
fn every_byte_of_a_statement_matters() {
    let sample = sample();
    let before = statement::parse(&sample).unwrap();
    for position in 0..sample.len() {
        for replacement in (0_u8..128).filter(|byte| *byte != sample.as_bytes()[position]) {
            let mut changed = sample.clone().into_bytes();
            changed[position] = replacement;
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(after) = statement::parse(&changed) {
                assert!(after.signing_input != before.signing_input || after.signature != before.signature, "byte {position} to {replacement:#x}");
            }
        }
    }
}

fn origin() -> Origin {
    Origin::from_browser("https://bid.example.cn", false).unwrap()
}

fn nonce() -> Nonce {
    Nonce::new("q83vEjRWeJCrze8SNFZ4kA").unwrap()
}

fn sample() -> String {
    let claims = Claims::login(origin(), nonce(), 1_795_000_000, OperationId::new([7; 16]));
    let chain = [b"certificate in DER".to_vec()];
    Unsigned::new(Kind::Login, Algorithm::Es256, &chain, &[9; 32], claims).unwrap().attach(&[0xA5; 64])
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    kind: Kind,
    algorithm: Algorithm,
    chain: Vec<Vec<u8>>,
    leaf: [u8; 32],
    claims: Claims,
    pub(crate) signature: Vec<u8>,
}

impl Case {
    pub(crate) fn unsigned(&self) -> Unsigned {
        Unsigned::new(self.kind, self.algorithm, &self.chain, &self.leaf, self.claims.clone()).unwrap()
    }
}

prop_compose! {
    fn case()(
        kind in prop::sample::select(&Kind::ALL[..]),
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        chain in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 1..=6),
        leaf in any::<[u8; 32]>(),
        host in "[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z]{1,8}){0,3}",
        port in prop::option::of(1_u16..),
        nonce in "[A-Za-z0-9_-]{22,128}",
        iat in 0_i64..=253_402_300_799,
        jti in any::<[u8; 16]>(),
        account in "[^\\p{C}\\p{Z}]{1,40}",
        signature in prop::collection::vec(any::<u8>(), 1024),
    ) -> Option<Case> {
        let origin = match port {
            Some(port) => format!("https://{host}:{port}"),
            None => format!("https://{host}"),
        };
        let aud = Origin::from_browser(&origin, false).ok()?;
        let account = Account::new(account).ok()?;
        let length = match algorithm {
            Algorithm::Es256 => 64,
            Algorithm::Es384 => 96,
            Algorithm::Rs256 => 256,
            Algorithm::Ps256 => 1024,
        };
        Some(Case {
            kind,
            algorithm,
            chain,
            leaf,
            claims: Claims {
                aud,
                nonce: Nonce::new(nonce).unwrap(),
                iat,
                jti: OperationId::new(jti),
                sub: (kind == Kind::Bind).then_some(account),
            },
            signature: signature[..length].to_vec(),
        })
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    case().prop_filter_map("origin or account that is refused", |case| case)
}

/// Whether the bytes are one element of ASN.1 in DER from beginning to end (X.690 8.1.2, 8.1.3).
fn is_der_element(bytes: &[u8]) -> bool {
    let Some((&tag, rest)) = bytes.split_first() else { return false };
    if tag & 0x1F == 0x1F {
        return true; // High tag numbers: not examined further, so counted as ASN.1.
    }
    let Some((&first, rest)) = rest.split_first() else { return false };
    if first < 0x80 {
        return rest.len() == usize::from(first);
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 8 || rest.len() < count {
        return false;
    }
    let length = rest[..count].iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    (rest.len() - count) as u64 == length
}

#[test]
fn the_examination_of_asn1_knows_asn1() {
    assert!(is_der_element(&[0x30, 0x03, 0x02, 0x01, 0x07]));
    assert!(is_der_element(&[[0x31, 0x81, 0x80].to_vec(), vec![0; 128]].concat()));
    assert!(!is_der_element(&[0x30, 0x04, 0x02, 0x01, 0x07]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn reading_gives_what_was_written(case in cases()) {
        let text = case.unsigned().attach(&case.signature);
        let read = statement::parse(&text).unwrap();
        prop_assert_eq!(read.kind, case.kind);
        prop_assert_eq!(read.algorithm, case.algorithm);
        prop_assert_eq!(&read.unverified_chain, &case.chain);
        prop_assert_eq!(read.leaf_sha256, case.leaf);
        prop_assert_eq!(&read.claims, &case.claims);
        prop_assert_eq!(&read.signature, &case.signature);
        let unsigned = case.unsigned();
        prop_assert_eq!(read.signing_input.as_str(), unsigned.signing_input());
    }

    #[test]
    fn signed_bytes_are_no_asn1(case in cases()) {
        let unsigned = case.unsigned();
        let bytes = unsigned.signing_input().as_bytes();
        prop_assert!(bytes.starts_with(b"eyJ"));
        prop_assert!(bytes.is_ascii());
        prop_assert!(!matches!(bytes.first(), Some(0x30 | 0x31)));
        prop_assert!(!is_der_element(bytes));
        prop_assert!(!is_der_element(unsigned.attach(&case.signature).as_bytes()));
    }

    #[test]
    fn a_changed_byte_is_refused_or_seen(case in cases(), position in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let text = case.unsigned().attach(&case.signature);
        let mut changed = text.clone().into_bytes();
        let position = position.index(changed.len());
        prop_assume!(changed[position] != byte);
        changed[position] = byte;
        if let Ok(read) = statement::parse(&String::from_utf8(changed).unwrap()) {
            prop_assert!(
                read.signing_input != case.unsigned().signing_input() || read.signature != case.signature
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(PAIRS))]

    #[test]
    fn no_kind_reads_as_the_other(one in cases(), other in cases()) {
        let text = |case: &Case| case.unsigned().attach(&case.signature);
        let (mine, yours) = (text(&one), text(&other));
        let kind_of = |text: &str| statement::parse(text).map(|read| read.kind);
        prop_assert_eq!(kind_of(&mine), Ok(one.kind));
        // Parts of two statements put together never make a statement of another kind than its parts.
        let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (mine, yours) = (parts(&mine), parts(&yours));
        for pick in 0..4_usize {
            let take = |part: usize| if pick >> part & 1 == 0 { &mine[part] } else { &yours[part] };
            let mixed = [take(0).as_str(), take(1), if pick & 1 == 0 { &mine[2] } else { &yours[2] }].join(".");
            let kinds = |part: usize| if pick >> part & 1 == 0 { one.kind } else { other.kind };
            if let Ok(read) = statement::parse(&mixed) {
                prop_assert_eq!(read.kind, kinds(0));
                prop_assert_eq!(read.kind, kinds(1));
            } else {
                prop_assert!(pick != 0);
            }
        }
    }
}
