//! The Standard security handler (ISO 32000-2, 7.6), revisions 2 to 6: what a password opens and how bytes are hidden.
//!
//! This is confidentiality of documents only; signatures are not known here. Public-key handlers and handlers of other
//! makers are refused by name.

mod cipher;
mod password;

use std::collections::HashMap;

use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, PdfString, Reference};

use cipher::{Md5Sum, cbc_decrypt, cbc_encrypt, md5, rc4};

/// How strings or streams are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// An opened security handler.
pub(crate) struct Security {
    key: Vec<u8>,
    strings: Method,
    streams: Method,
    named: HashMap<Vec<u8>, Method>,
    encrypt_metadata: bool,
    pub(crate) permissions: i32,
    pub(crate) owner: bool,
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security").field("strings", &self.strings).field("streams", &self.streams).finish_non_exhaustive()
    }
}

/// Makes initialisation vectors out of the caller's random bytes, never the same twice.
pub(crate) struct Vectors {
    seed: [u8; 16],
    count: u64,
}

impl Vectors {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Vectors { seed, count: 0 }
    }

    fn next(&mut self) -> [u8; 16] {
        self.count += 1;
        cipher::vector(&self.seed, self.count)
    }
}

impl Security {
    /// Opens the handler that a resolved `/Encrypt` dictionary describes.
    pub(crate) fn open(encrypt: &Dictionary, id: &[u8], given: Option<&[u8]>) -> Result<Self> {
        if !encrypt.is("Filter", "Standard") {
            let name = encrypt.value("Filter").as_name().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
            return Err(PdfError::unsupported(format!("security handler /{name}")));
        }
        let integer = |key: &str| encrypt.value(key).as_integer();
        let version = integer("V").unwrap_or(0);
        let revision = integer("R").unwrap_or(0);
        if !matches!((version, revision), (1 | 2 | 4, 2..=4) | (5, 5 | 6)) {
            return Err(PdfError::unsupported(format!("encryption V {version} R {revision}")));
        }
        let (named, strings, streams) = if version >= 4 { crypt_filters(encrypt)? } else { (HashMap::new(), Method::Rc4, Method::Rc4) };
        let stated = integer("Length").filter(|bits| (40..=256).contains(bits)).map(|bits| bits as usize / 8);
        let key_len = match version {
            1 => 5,
            2 => stated.unwrap_or(5).min(16),
            4 if streams == Method::Rc4 || strings == Method::Rc4 => filter_length(encrypt).unwrap_or(16),
            4 => 16,
            _ => 32,
        };
        let string = |key: &'static str| encrypt.value(key).as_string().map(|string| string.bytes.clone()).ok_or(PdfError::Missing { what: key });
        // Written as unsigned by some.
        let permissions = integer("P").map(|bits| bits as i32).unwrap_or(-1);
        let encrypt_metadata = encrypt.value("EncryptMetadata").as_bool().unwrap_or(true);
        let facts = password::Facts {
            revision,
            key_len,
            owner: string("O")?,
            user: string("U")?,
            owner_key: encrypt.value("OE").as_string().map(|string| string.bytes.clone()).unwrap_or_default(),
            user_key: encrypt.value("UE").as_string().map(|string| string.bytes.clone()).unwrap_or_default(),
            permissions,
            id: id.to_vec(),
            encrypt_metadata,
        };
        let opened = password::candidates(given, revision).iter().find_map(|candidate| facts.try_password(candidate));
        match opened {
            Some((key, owner)) => Ok(Security { key, strings, streams, named, encrypt_metadata, permissions, owner }),
            None if given.is_some() => Err(PdfError::PasswordWrong),
            None => Err(PdfError::PasswordNeeded),
        }
    }

    /// The method for a stream, by its dictionary: a Crypt filter of its own, clear metadata, else the document's.
    pub(crate) fn stream_method(&self, dictionary: &Dictionary) -> Method {
        let first = |key: &str| match dictionary.value(key) {
            Object::Array(elements) => elements.first().cloned().unwrap_or_default(),
            other => other.clone(),
        };
        if dictionary.is("Type", "XRef") {
            return Method::Identity;
        }
        if first("Filter").as_name() == Some(b"Crypt") {
            let name = first("DecodeParms").as_dictionary().and_then(|parameters| parameters.value("Name").as_name().map(<[u8]>::to_vec));
            return name.and_then(|name| self.named.get(&name).copied()).unwrap_or(Method::Identity);
        }
        if dictionary.is("Type", "Metadata") && !self.encrypt_metadata {
            return Method::Identity;
        }
        self.streams
    }

    /// The key for one object (7.6.3.2, 7.6.3.3).
    fn object_key(&self, method: Method, owner: Reference) -> Vec<u8> {
        if matches!(method, Method::Aes256 | Method::Identity) {
            return self.key.clone();
        }
        let mut input = self.key.clone();
        input.extend_from_slice(owner.number.to_le_bytes().get(..3).unwrap_or_default());
        input.extend_from_slice(&owner.generation.to_le_bytes());
        if method == Method::Aes128 {
            input.extend_from_slice(b"sAlT");
        }
        let sum: Md5Sum = md5(&[&input]);
        sum.get(..(self.key.len() + 5).min(16)).unwrap_or(&sum).to_vec()
    }

    pub(crate) fn decrypt(&self, method: Method, owner: Reference, data: &mut Vec<u8>) {
        match method {
            Method::Identity => {}
            Method::Rc4 => rc4(&self.object_key(method, owner), data),
            Method::Aes128 | Method::Aes256 => aes_decrypt(&self.object_key(method, owner), data),
        }
    }

    pub(crate) fn encrypt(&self, method: Method, owner: Reference, data: &mut Vec<u8>, vectors: &mut Vectors) {
        match method {
            Method::Identity => {}
            Method::Rc4 => rc4(&self.object_key(method, owner), data),
            Method::Aes128 | Method::Aes256 => {
                let vector = vectors.next();
                let padding = 16 - data.len() % 16;
                data.resize(data.len() + padding, padding as u8);
                cbc_encrypt(&self.object_key(method, owner), &vector, data);
                data.splice(0..0, vector);
            }
        }
    }

    /// Decrypts every string in an object as read from the file.
    pub(crate) fn decrypt_strings(&self, object: &mut Object, owner: Reference) {
        if self.strings != Method::Identity {
            each_string(object, &mut |string| self.decrypt(self.strings, owner, &mut string.bytes));
        }
    }

    /// Encrypts every string in an object about to be written.
    pub(crate) fn encrypt_strings(&self, object: &mut Object, owner: Reference, vectors: &mut Vectors) {
        if self.strings != Method::Identity {
            each_string(object, &mut |string| {
                string.hex = true; // cipher text in parentheses is legal but needlessly fragile
                self.encrypt(self.strings, owner, &mut string.bytes, vectors);
            });
        }
    }
}

/// Visits the strings that encryption applies to: all but `/Contents` of a signature dictionary (7.6.2).
fn each_string(object: &mut Object, visit: &mut dyn FnMut(&mut PdfString)) {
    match object {
        Object::String(string) => visit(string),
        Object::Array(elements) => elements.iter_mut().for_each(|element| each_string(element, visit)),
        Object::Dictionary(dictionary) => {
            let signature = is_signature(dictionary);
            for (key, value) in dictionary.iter_mut() {
                if !(signature && key.as_bytes() == b"Contents") {
                    each_string(value, visit);
                }
            }
        }
        Object::Stream(stream) => stream.dictionary.iter_mut().for_each(|(_, value)| each_string(value, visit)),
        _ => {}
    }
}

/// A signature or time-stamp dictionary: by its type, or by having a byte range and contents.
pub(crate) fn is_signature(dictionary: &Dictionary) -> bool {
    dictionary.has("Contents") && (dictionary.has("ByteRange") || dictionary.is("Type", "Sig") || dictionary.is("Type", "DocTimeStamp"))
}

/// `/CF`, `/StrF` and `/StmF` (7.6.6).
fn crypt_filters(encrypt: &Dictionary) -> Result<(HashMap<Vec<u8>, Method>, Method, Method)> {
    let mut named = HashMap::from([(b"Identity".to_vec(), Method::Identity)]);
    if let Some(filters) = encrypt.value("CF").as_dictionary() {
        for (name, filter) in filters.iter() {
            let method = filter.as_dictionary().map(|filter| filter.value("CFM").clone()).unwrap_or_default();
            let method = match method.as_name() {
                Some(b"V2") => Method::Rc4,
                Some(b"AESV2") => Method::Aes128,
                Some(b"AESV3") => Method::Aes256,
                None | Some(b"None") => Method::Identity,
                Some(other) => return Err(PdfError::unsupported(format!("crypt filter method /{}", String::from_utf8_lossy(other)))),
            };
            named.insert(name.as_bytes().to_vec(), method);
        }
    }
    let choose = |key: &str| match encrypt.value(key).as_name() {
        None => Ok(Method::Identity),
        Some(name) => named.get(name).copied().ok_or(PdfError::Missing { what: "CF" }),
    };
    let (strings, streams) = (choose("StrF")?, choose("StmF")?);
    Ok((named, strings, streams))
}

/// `/Length` of the stream's crypt filter, which is in bytes by the standard and in bits by habit.
fn filter_length(encrypt: &Dictionary) -> Option<usize> {
    let name = encrypt.value("StmF").as_name()?;
    let filter = encrypt.value("CF").as_dictionary()?.iter().find(|(key, _)| key.as_bytes() == name)?.1;
    match filter.as_dictionary()?.value("Length").as_integer()? {
        bytes @ 5..=16 => Some(bytes as usize),
        bits @ 40..=128 => Some(bits as usize / 8),
        _ => None,
    }
}

fn aes_decrypt(key: &[u8], data: &mut Vec<u8>) {
    let Some((vector, rest)) = data.split_first_chunk::<16>() else {
        data.clear();
        return;
    };
    let mut plain = rest.to_vec();
    plain.truncate(plain.len() / 16 * 16);
    cbc_decrypt(key, vector, &mut plain);
    if let Some(padding @ 1..=16) = plain.last().copied() {
        plain.truncate(plain.len().saturating_sub(usize::from(padding)));
    }
    *data = plain;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(method: Method, key: &[u8]) -> Security {
        Security { key: key.to_vec(), strings: method, streams: method, named: HashMap::new(), encrypt_metadata: false, permissions: -1, owner: true }
    }

    #[test]
    fn every_method_gives_back_what_it_hid() {
        for (method, key) in
            [(Method::Rc4, &[7u8; 5][..]), (Method::Rc4, &[7; 16]), (Method::Aes128, &[9; 16]), (Method::Aes256, &[3; 32]), (Method::Identity, &[])]
        {
            let security = security(method, key);
            let owner = Reference::new(70_000, 3);
            let mut vectors = Vectors::new([5; 16]);
            for len in [0, 1, 15, 16, 17, 1000] {
                let plain: Vec<u8> = (0..len).map(|n| n as u8).collect();
                let mut data = plain.clone();
                security.encrypt(method, owner, &mut data, &mut vectors);
                assert!(method == Method::Identity || len == 0 || data != plain);
                security.decrypt(method, owner, &mut data);
                assert_eq!(data, plain, "{method:?} {len}");
            }
        }
    }

    #[test]
    fn contents_of_signatures_stay_in_the_clear() {
        let security = security(Method::Rc4, &[1; 16]);
        let plain = Object::Dictionary(
            Dictionary::typed("Sig")
                .with("Contents", PdfString::hex(vec![1, 2, 3]))
                .with("Reason", Object::text("hello"))
                .with("ByteRange", Object::Array(vec![])),
        );
        let mut hidden = plain.clone();
        security.encrypt_strings(&mut hidden, Reference::new(4, 0), &mut Vectors::new([0; 16]));
        let dictionary = hidden.as_dictionary().unwrap();
        assert_eq!(dictionary.get("Contents"), plain.as_dictionary().unwrap().get("Contents"));
        assert_ne!(dictionary.get("Reason"), plain.as_dictionary().unwrap().get("Reason"));
    }

    #[test]
    fn broken_cipher_text_does_not_panic() {
        let security = security(Method::Aes256, &[1; 32]);
        for len in 0..40 {
            security.decrypt(Method::Aes256, Reference::new(1, 0), &mut vec![0xFF; len]);
        }
    }
}
