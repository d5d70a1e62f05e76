//! The key usage extension: which jobs a key is for. It states what a certificate says, not what it may be used for ([`crate::usable`]).

use crate::asn1::{self, Asn1Error, Element, tag};

/// The key usage extension (RFC 5280 §4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage {
    /// Bit n is named bit n of the standard.
    bits: u16,
    present: bool,
}

impl KeyUsage {
    /// What holds if the extension is absent: no statement.
    pub const ABSENT: Self = Self { bits: 0, present: false };

    /// From the named bits: bit 0 digitalSignature … bit 8 decipherOnly.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self { bits: bits & 0x1ff, present: true }
    }

    /// digitalSignature and nonRepudiation, as a signing certificate has them.
    pub const SIGNING: Self = Self::from_bits(0b11);
    /// keyEncipherment, dataEncipherment and keyAgreement, as an encryption certificate has them.
    pub const ENCRYPTION: Self = Self::from_bits(0b1_1100);
    /// keyCertSign and cRLSign, as a certification authority has them.
    pub const AUTHORITY: Self = Self::from_bits(0b110_0000);

    #[must_use]
    pub const fn bits(self) -> u16 {
        self.bits
    }

    /// Whether the certificate has the extension at all.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.present
    }

    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.bits & 1 != 0
    }

    #[must_use]
    pub const fn non_repudiation(self) -> bool {
        self.bits & (1 << 1) != 0
    }

    #[must_use]
    pub const fn key_encipherment(self) -> bool {
        self.bits & (1 << 2) != 0
    }

    #[must_use]
    pub const fn data_encipherment(self) -> bool {
        self.bits & (1 << 3) != 0
    }

    #[must_use]
    pub const fn key_agreement(self) -> bool {
        self.bits & (1 << 4) != 0
    }

    #[must_use]
    pub const fn key_cert_sign(self) -> bool {
        self.bits & (1 << 5) != 0
    }

    #[must_use]
    pub const fn crl_sign(self) -> bool {
        self.bits & (1 << 6) != 0
    }

    /// DER of the extension's value: a BIT STRING without trailing zero bits (X.690 §11.2.2).
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        // Named bit 0 is the most significant bit of the first byte.
        let mut bytes = [0_u8; 2];
        for bit in 0..9_usize {
            if self.bits & (1 << bit) != 0
                && let Some(byte) = bytes.get_mut(bit / 8)
            {
                *byte |= 0x80 >> (bit % 8);
            }
        }
        let used = if bytes[1] != 0 { 2 } else { usize::from(bytes[0] != 0) };
        let last = bytes.get(used.wrapping_sub(1)).copied().unwrap_or(0);
        let mut content = vec![if used == 0 { 0 } else { u8::try_from(last.trailing_zeros()).unwrap_or(0) }];
        content.extend(bytes.iter().take(used));
        asn1::encode(tag::BIT_STRING, &content)
    }

    pub(super) fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let element = Element::parse(der)?.expect(tag::BIT_STRING)?;
        let (unused, bytes) = element.content().split_first().ok_or(Asn1Error::Value)?;
        if *unused > 7 || (bytes.is_empty() && *unused != 0) {
            return Err(Asn1Error::Value);
        }
        let mut bits = 0_u16;
        for bit in 0..9_usize {
            if bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0) {
                bits |= 1 << bit;
            }
        }
        Ok(Self { bits, present: true })
    }
}
