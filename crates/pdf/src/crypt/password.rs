//! Passwords to file keys (ISO 32000-2, 7.6.4): algorithms 2, 2.A, 2.B, 4 to 7, 11 and 12.

use sha2::{Digest, Sha256, Sha384, Sha512};
use unicode_normalization::UnicodeNormalization;

use super::cipher::{cbc_decrypt, cbc_encrypt, md5, rc4};

const PADDING: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08, 0x2E, 0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C,
    0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];

/// What the `/Encrypt` dictionary and the trailer say about passwords.
pub(crate) struct Facts {
    pub(crate) revision: i64,
    pub(crate) key_len: usize,
    pub(crate) owner: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) owner_key: Vec<u8>,
    pub(crate) user_key: Vec<u8>,
    pub(crate) permissions: i32,
    pub(crate) id: Vec<u8>,
    pub(crate) encrypt_metadata: bool,
}

/// The spellings of a password worth trying, the empty one last.
pub(crate) fn candidates(given: Option<&[u8]>, revision: i64) -> Vec<Vec<u8>> {
    let mut tries: Vec<Vec<u8>> = Vec::new();
    if let Some(given) = given {
        tries.push(given.to_vec());
        if let Ok(text) = std::str::from_utf8(given) {
            if revision < 5 {
                tries.extend(crate::text_string::encode_pdf_doc(text));
            } else {
                tries.push(prepared(text).into_bytes());
            }
        }
    }
    tries.push(Vec::new());
    let mut seen = std::collections::HashSet::new();
    tries.retain(|candidate| seen.insert(candidate.clone()));
    tries
}

/// SASLprep (RFC 4013) as far as it changes what was typed: odd spaces become spaces, invisible characters vanish,
/// compatibility forms (full-width letters, ligatures) become what they stand for. Prohibited characters are not refused:
/// a password that fails opens nothing anyway.
fn prepared(text: &str) -> String {
    let mapped = |c: char| match c {
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200B}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => Some(' '),
        '\u{AD}' | '\u{34F}' | '\u{1806}' | '\u{180B}'..='\u{180D}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => None,
        other => Some(other),
    };
    text.chars().filter_map(mapped).nfkc().collect()
}

impl Facts {
    /// The file key, and whether the password is the owner's.
    pub(crate) fn try_password(&self, password: &[u8]) -> Option<(Vec<u8>, bool)> {
        if self.revision >= 5 { self.try_modern(password) } else { self.try_classic(password) }
    }

    fn try_classic(&self, password: &[u8]) -> Option<(Vec<u8>, bool)> {
        if self.owner.len() < 32 || self.user.len() < 16 {
            return None;
        }
        let as_owner = self.user_password_behind(password);
        if let Some(key) = self.classic_user(&as_owner) {
            return Some((key, true));
        }
        self.classic_user(password).map(|key| (key, false))
    }

    /// Algorithm 6: the key if this is the user password.
    fn classic_user(&self, password: &[u8]) -> Option<Vec<u8>> {
        let key = self.classic_key(password);
        if self.revision == 2 {
            let mut check = PADDING;
            rc4(&key, &mut check);
            return (self.user.get(..32) == Some(&check[..])).then_some(key);
        }
        let mut check = md5(&[&PADDING, &self.id]);
        for round in 0..20u8 {
            rc4(&mask(&key, round), &mut check);
        }
        (self.user.get(..16) == Some(&check[..])).then_some(key)
    }

    /// Algorithm 2.
    fn classic_key(&self, password: &[u8]) -> Vec<u8> {
        let padded = pad(password);
        let clear_metadata: &[u8] = if self.revision >= 4 && !self.encrypt_metadata { &[0xFF; 4] } else { &[] };
        let owner = self.owner.get(..32).unwrap_or_default();
        let sum = md5(&[&padded, owner, &self.permissions.to_le_bytes(), &self.id, clear_metadata]);
        self.stretched(sum)
    }

    fn stretched(&self, sum: [u8; 16]) -> Vec<u8> {
        let len = self.key_len.min(16);
        let mut sum = sum;
        if self.revision >= 3 {
            for _ in 0..50 {
                sum = md5(&[sum.get(..len).unwrap_or_default()]);
            }
        }
        sum.get(..len).unwrap_or_default().to_vec()
    }

    /// Algorithm 7: the user password that an owner password opens.
    fn user_password_behind(&self, owner_password: &[u8]) -> Vec<u8> {
        let key = self.stretched(md5(&[&pad(owner_password)]));
        let mut password = self.owner.get(..32).unwrap_or_default().to_vec();
        if self.revision == 2 {
            rc4(&key, &mut password);
        } else {
            for round in (0..20u8).rev() {
                rc4(&mask(&key, round), &mut password);
            }
        }
        password
    }

    /// Algorithm 2.A.
    fn try_modern(&self, password: &[u8]) -> Option<(Vec<u8>, bool)> {
        let password = password.get(..127).unwrap_or(password);
        let user = self.user.get(..48)?;
        let unlock = |entry: &[u8], wrapped: &[u8], extra: &[u8]| -> Option<Vec<u8>> {
            let (check, salts) = entry.get(..48)?.split_at_checked(32)?;
            let (validation, key_salt) = salts.split_at_checked(8)?;
            if self.hash(password, validation, extra) != check {
                return None;
            }
            let mut key = wrapped.get(..32)?.to_vec();
            cbc_decrypt(&self.hash(password, key_salt, extra), &[0; 16], &mut key);
            Some(key)
        };
        if let Some(key) = unlock(&self.owner, &self.owner_key, user) {
            return Some((key, true));
        }
        unlock(&self.user, &self.user_key, &[]).map(|key| (key, false))
    }

    /// SHA-256 for revision 5, algorithm 2.B for revision 6.
    fn hash(&self, password: &[u8], salt: &[u8], extra: &[u8]) -> Vec<u8> {
        let mut key = Sha256::new().chain_update(password).chain_update(salt).chain_update(extra).finalize().to_vec();
        if self.revision < 6 {
            return key;
        }
        // The last byte is at most 255, so the loop ends before round 288.
        for round in 0..300u32 {
            let once = [password, &key, extra].concat();
            let mut data = once.repeat(64);
            let (aes_key, vector) = key.split_at_checked(16).unwrap_or_default();
            let vector: [u8; 16] = vector.first_chunk().copied().unwrap_or_default();
            cbc_encrypt(aes_key, &vector, &mut data);
            let rest = data.iter().take(16).map(|byte| u32::from(*byte)).sum::<u32>() % 3; // 256 is 1 modulo 3
            key = match rest {
                0 => Sha256::digest(&data).to_vec(),
                1 => Sha384::digest(&data).to_vec(),
                _ => Sha512::digest(&data).to_vec(),
            };
            let last = data.last().copied().map(u32::from).unwrap_or_default();
            if round >= 63 && last + 32 <= round + 1 {
                break;
            }
        }
        key.truncate(32);
        key
    }
}

fn pad(password: &[u8]) -> [u8; 32] {
    let mut padded = [0; 32];
    for (place, byte) in padded.iter_mut().zip(password.iter().chain(&PADDING)) {
        *place = *byte;
    }
    padded
}

fn mask(key: &[u8], round: u8) -> Vec<u8> {
    key.iter().map(|byte| byte ^ round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_prepared() {
        for (typed, want) in
            [("user", "user"), ("ＰＩＮ１", "PIN1"), ("a\u{AD}b", "ab"), ("\u{2168}", "IX"), ("\u{AA}", "a"), ("a\u{3000}b", "a b"), ("密码", "密码")]
        {
            assert_eq!(prepared(typed), want);
        }
    }

    #[test]
    fn the_empty_password_is_always_tried_last() {
        assert_eq!(candidates(None, 4), vec![Vec::<u8>::new()]);
        assert_eq!(candidates(Some("€".as_bytes()), 4), vec!["€".as_bytes().to_vec(), vec![0xA0], vec![]]);
    }
}
