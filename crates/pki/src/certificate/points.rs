//! Where a certificate says that its revocation is told: CRL distribution points (RFC 5280 §4.2.1.13) and addresses of authority information access
//! (§4.2.2.1). Names are kept as they stand; nothing is fetched here, and an address is only text.

use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::name::Name;
use crate::oid::{self, ObjectIdentifier};
use crate::suite;

/// The most distribution points, names of one, and addresses that are looked at.
const MAX: usize = 32;

/// Reasons for revocation as a set of bits (RFC 5280 §4.2.1.13 ReasonFlags): bit 0 is unused, bit 1 key compromise, up to bit 8.
pub(crate) type Reasons = u16;

/// All reasons: nothing was left out.
pub(crate) const ALL_REASONS: Reasons = 0b1_1111_1110;

/// One distribution point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    pub(crate) name: PointName,
    /// None: all of them.
    pub(crate) reasons: Option<Reasons>,
    /// Names of those who issue the list, where that is not who issued the certificate.
    pub(crate) issuers: Vec<Name>,
}

/// DistributionPointName.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum PointName {
    #[default]
    Absent,
    /// GeneralNames, each as it stands.
    Full(Vec<Vec<u8>>),
    /// The relative name's content, to be appended to the list issuer's name.
    Relative(Vec<u8>),
}

impl PointName {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, Asn1Error> {
        let mut fields = element.reader()?;
        let choice = fields.element()?;
        fields.finish()?;
        match choice.tag() {
            tag::CONTEXT_0 => {
                let (mut names, mut reader) = (Vec::new(), choice.reader()?);
                while let Some(name) = reader.next()? {
                    if names.len() >= MAX {
                        return Err(Asn1Error::Value);
                    }
                    names.push(name.raw().to_vec());
                }
                Ok(Self::Full(names))
            }
            tag::CONTEXT_1 => Ok(Self::Relative(choice.content().to_vec())),
            _ => Err(Asn1Error::Value),
        }
    }

    /// The names in full, where relative ones hang below `issuer`.
    pub(crate) fn in_full(&self, issuer: &Name) -> Vec<Vec<u8>> {
        match self {
            Self::Absent => Vec::new(),
            Self::Full(names) => names.clone(),
            Self::Relative(attributes) => {
                let above = Element::parse(issuer.der()).map(|name| name.content().to_vec()).unwrap_or_default();
                let name = asn1::encode_all(tag::SEQUENCE, &[&above, &asn1::encode(tag::SET, attributes)]);
                vec![asn1::encode(0xa4, &name)]
            }
        }
    }

    /// Web addresses among the names.
    fn addresses(&self) -> Vec<String> {
        let Self::Full(names) = self else { return Vec::new() };
        names.iter().filter_map(|name| address(&Element::parse(name).ok()?)).collect()
    }
}

/// Whether two GeneralNames are the same: as they stand, or the same directory name in another spelling.
pub(crate) fn same_general_name(one: &[u8], other: &[u8]) -> bool {
    let directory = |name: &[u8]| {
        let element = Element::parse(name).ok()?;
        (element.tag() == 0xa4).then(|| Name::parse(element.content()).ok()).flatten()
    };
    one == other || matches!((directory(one), directory(other)), (Some(one), Some(other)) if one.is_same(&other))
}

/// CRLDistributionPoints, also those of the freshest-CRL extension.
pub(super) fn read_points(value: &[u8]) -> Result<Vec<DistributionPoint>, Asn1Error> {
    let mut points = Vec::new();
    let mut reader = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
    while let Some(point) = reader.next()? {
        if points.len() >= MAX {
            return Err(Asn1Error::Value);
        }
        let mut fields = point.expect(tag::SEQUENCE)?.reader()?;
        let name = match fields.optional(tag::CONTEXT_0)? {
            Some(name) => PointName::read(&name)?,
            None => PointName::Absent,
        };
        let reasons = match fields.optional(0x81)? {
            Some(reasons) => Some(read_reasons(reasons.content())?),
            None => None,
        };
        let issuers = match fields.optional(0xa2)? {
            Some(issuers) => read_directory_names(&mut issuers.reader()?)?,
            None => Vec::new(),
        };
        fields.finish()?;
        points.push(DistributionPoint { name, reasons, issuers });
    }
    Ok(points)
}

/// Content of a BIT STRING of ReasonFlags.
pub(crate) fn read_reasons(content: &[u8]) -> Result<Reasons, Asn1Error> {
    let (unused, bits) = content.split_first().ok_or(Asn1Error::Value)?;
    if *unused > 7 || bits.len() > 2 {
        return Err(Asn1Error::Value);
    }
    let mut reasons = 0;
    for (index, byte) in bits.iter().enumerate() {
        for bit in 0..8 {
            if byte & (0x80 >> bit) != 0 {
                reasons |= 1_u16.checked_shl(u32::try_from(index * 8 + bit).unwrap_or(u32::MAX)).unwrap_or(0);
            }
        }
    }
    Ok(reasons & ALL_REASONS)
}

/// The directory names of GeneralNames.
pub(crate) fn read_directory_names(reader: &mut Reader<'_>) -> Result<Vec<Name>, Asn1Error> {
    let mut names = Vec::new();
    while let Some(name) = reader.next()? {
        if names.len() >= MAX {
            return Err(Asn1Error::Value);
        }
        if name.tag() == 0xa4 {
            names.push(Name::parse(name.content()).map_err(|_| Asn1Error::Value)?);
        }
    }
    Ok(names)
}

/// Web addresses of the points.
pub(super) fn list_addresses(points: &[DistributionPoint]) -> Vec<String> {
    points.iter().flat_map(|point| point.name.addresses()).collect()
}

/// Addresses of authority information access with this method.
pub(super) fn access_addresses(value: &[u8], method: &ObjectIdentifier) -> Result<Vec<String>, Asn1Error> {
    let mut addresses = Vec::new();
    let mut reader = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
    while let Some(description) = reader.next()? {
        let mut fields = description.expect(tag::SEQUENCE)?.reader()?;
        let kind = suite::decode_oid(&fields.element()?)?;
        let location = fields.element()?;
        if kind == *method && addresses.len() < MAX {
            addresses.extend(address(&location));
        }
    }
    Ok(addresses)
}

/// A uniformResourceIdentifier that is plain ASCII text.
fn address(name: &Element<'_>) -> Option<String> {
    let text = core::str::from_utf8(name.content()).ok()?;
    (name.tag() == 0x86 && text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}

/// Methods of authority information access.
pub(super) const OCSP: ObjectIdentifier = oid::AD_OCSP;
/// See [`OCSP`].
pub(super) const CA_ISSUERS: ObjectIdentifier = oid::AD_CA_ISSUERS;
