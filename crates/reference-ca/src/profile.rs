//! CA profiles as data: what an institution offers, asks and charges (R103, R104). Where the guides contradict each other
//! they speak of different institutions, so each gets its own file instead of a blend. A profile that contradicts itself
//! is refused when it is read; nothing is filled in by guess.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::business::Kind;
use crate::business::fields::Values;

/// An institution.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in addresses and in the database.
    pub id: String,
    /// What it is called, Chinese and English.
    pub name: [String; 2],
    /// One sentence, Chinese and English.
    pub about: [String; 2],
    /// Terms in months; the first is the default (K15).
    pub terms: Vec<u16>,
    /// How the PIN reaches its owner (R103).
    pub pin: PinPolicy,
    /// Fewest characters of a new PIN (R49, R87, K13: enforced).
    pub pin_minimum: u8,
    /// How often the seal is stamped on the form (K7).
    pub impressions: u8,
    /// Whether the seal has a form of its own (K5).
    pub separate_seal_form: bool,
    /// Ways to pay, where a business names none of its own (R38).
    pub payments: Vec<Payment>,
    /// Working days that the first review takes at most (R45).
    pub review_days: u8,
    /// Whom to call.
    pub hotline: String,
    /// Where originals go.
    pub post: Post,
    /// The upload slots, by name.
    #[serde(rename = "slot")]
    pub slots: Vec<Slot>,
    /// What is offered.
    #[serde(rename = "business")]
    pub businesses: Vec<Business>,
}

/// How the PIN reaches its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinPolicy {
    /// The owner sets it at activation.
    AtActivation,
    /// Handed over with the key.
    GivenAtIssue,
    /// In the memo of a transfer to the unit's account, or by short message.
    BankMemoOrSms,
}

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payment {
    /// 银联在线支付
    Unionpay,
    /// 支付宝
    Alipay,
    /// 微信支付
    Wechat,
    /// 对公转账
    Transfer,
}

impl Payment {
    /// The name in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Payment::Unionpay => "unionpay",
            Payment::Alipay => "alipay",
            Payment::Wechat => "wechat",
            Payment::Transfer => "transfer",
        }
    }

    /// What it is called, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Payment::Unionpay => ["银联在线支付", "UnionPay online"],
            Payment::Alipay => ["支付宝", "Alipay"],
            Payment::Wechat => ["微信支付", "WeChat Pay"],
            Payment::Transfer => ["对公转账", "Bank transfer"],
        }
    }
}

/// Where originals go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// The address.
    pub address: String,
    /// A sentence with its rules, Chinese and English.
    pub rules: [String; 2],
}

/// An upload slot (R32): one document, one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its name in addresses.
    pub id: String,
    /// What it is called, Chinese and English.
    pub name: [String; 2],
    /// What to look after, Chinese and English.
    #[serde(default)]
    pub hint: [String; 2],
    /// Largest file, in bytes (R34, R71).
    pub max_bytes: u64,
    /// Whether it takes the form that this business generated (R29).
    #[serde(default)]
    pub form: bool,
    /// Whether an electronic seal on it is no fault: a bank's voucher has one (R37).
    #[serde(default)]
    pub electronic: bool,
    /// Whether the impressions of the seal stand on it (R31).
    #[serde(default)]
    pub impressions: bool,
}

/// What is offered for one kind of business.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Business {
    /// The kind.
    #[serde(deserialize_with = "kind")]
    pub kind: Kind,
    /// Where it is done (K2, K3).
    pub channel: Channel,
    /// Fee for each year of the term, in fen (K16).
    #[serde(default)]
    pub fee_fen_per_year: u32,
    /// Fee for each time, in fen.
    #[serde(default)]
    pub fee_fen_once: u32,
    /// Slots and when they must hold a file.
    #[serde(default)]
    pub slots: Vec<(String, Wanted)>,
    /// Sets of originals (K6); 0: no paper.
    #[serde(default)]
    pub originals: u8,
    /// Whether another handler may unlock online (K14).
    #[serde(default)]
    pub other_handler_online: bool,
    /// Ways to pay, where they differ from the profile's.
    #[serde(default)]
    pub payments: Option<Vec<Payment>>,
}

/// Where a business is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// On these pages.
    Online,
    /// At the counter or by post only.
    CounterOrPost,
}

/// When a slot must hold a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Always.
    Must,
    /// Where the seal service was ticked.
    WithSeal,
    /// Never.
    Optional,
}

/// Why a profile is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile {profile}: {what}")]
pub struct ProfileError {
    /// Whose.
    pub profile: String,
    /// What is wrong.
    pub what: String,
}

const EMBEDDED: [(&str, &str); 3] = [
    ("netca", include_str!("../profiles/netca.toml")),
    ("guangdong", include_str!("../profiles/guangdong.toml")),
    ("szca", include_str!("../profiles/szca.toml")),
];

/// The profiles that the desk comes with.
///
/// # Errors
/// [`ProfileError`] names the profile and what is wrong.
pub fn embedded() -> Result<Vec<Profile>, ProfileError> {
    EMBEDDED.iter().map(|(name, text)| parse(name, text)).collect()
}

/// Reads and checks a profile; `name` is for the error.
///
/// # Errors
/// [`ProfileError`].
pub fn parse(name: &str, text: &str) -> Result<Profile, ProfileError> {
    let wrong = |what: String| ProfileError { profile: name.to_owned(), what };
    let profile: Profile = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
    profile.check().map_err(wrong)?;
    Ok(profile)
}

impl Profile {
    /// What is offered for this kind.
    #[must_use]
    pub fn business(&self, kind: Kind) -> Option<&Business> {
        self.businesses.iter().find(|business| business.kind == kind)
    }

    /// The slot of this name.
    #[must_use]
    pub fn slot(&self, id: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.id == id)
    }

    /// The ways to pay for this business.
    #[must_use]
    pub fn payments(&self, kind: Kind) -> &[Payment] {
        self.business(kind).and_then(|business| business.payments.as_deref()).unwrap_or(&self.payments)
    }

    /// The fee in fen for what was filled in.
    #[must_use]
    pub fn fee_fen(&self, kind: Kind, values: &Values) -> u32 {
        let Some(business) = self.business(kind) else { return 0 };
        let months: u32 =
            values.get("termMonths").and_then(|months| months.parse().ok()).filter(|months: &u16| self.terms.contains(months)).map_or(0, u32::from);
        business.fee_fen_once.saturating_add(business.fee_fen_per_year.saturating_mul(months / 12))
    }

    /// The slots of a business, and whether each must hold a file for what was filled in.
    #[must_use]
    pub fn slots_of(&self, kind: Kind, values: &Values) -> Vec<(&Slot, bool)> {
        let with_seal = values.get("sealService").is_some_and(|value| value == "yes");
        let slots = self.business(kind).map_or(&[][..], |business| business.slots.as_slice());
        slots
            .iter()
            .filter(|(_, wanted)| *wanted != Wanted::WithSeal || with_seal)
            .filter_map(|(id, wanted)| self.slot(id).map(|slot| (slot, *wanted != Wanted::Optional)))
            .collect()
    }

    /// The slot whose scan shows the impressions, where this business wants a seal.
    #[must_use]
    pub fn impressions_slot(&self, kind: Kind, values: &Values) -> Option<&Slot> {
        let wanted = matches!(kind, Kind::SealApply | Kind::SealChange) || values.get("sealService").is_some_and(|value| value == "yes");
        self.slots_of(kind, values).into_iter().map(|(slot, _)| slot).find(|slot| wanted && slot.impressions)
    }

    fn check(&self) -> Result<(), String> {
        let name =
            |text: &str| !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let said = |pair: &[String; 2]| pair.iter().all(|text| !text.trim().is_empty());
        if !name(&self.id) {
            return Err("id: lower-case letters, digits and hyphens".into());
        }
        if !said(&self.name) || !said(&self.about) || !said(&self.post.rules) || self.post.address.is_empty() || self.hotline.is_empty() {
            return Err("name, about, hotline and post need their words in both languages".into());
        }
        // No test CA may be taken for a licensed one.
        if !self.name.iter().any(|text| text.contains("测试")) || !self.post.address.contains("测试") {
            return Err("name and address must say 测试".into());
        }
        if self.terms.is_empty() || self.terms.iter().any(|months| *months == 0 || months % 12 != 0 || *months > 60) {
            return Err("terms: whole years, one to five".into());
        }
        if !(8..=16).contains(&self.pin_minimum) || self.impressions < 2 || self.payments.is_empty() || self.review_days == 0 {
            return Err("pin_minimum is 8 to 16, impressions at least 2, payments and review_days are not empty".into());
        }
        let slots: BTreeSet<&str> = self.slots.iter().map(|slot| slot.id.as_str()).collect();
        if slots.len() != self.slots.len() {
            return Err("two slots have one name".into());
        }
        for slot in &self.slots {
            if !name(&slot.id) || !said(&slot.name) || slot.max_bytes == 0 || slot.max_bytes > MAX_UPLOAD {
                return Err(format!("slot {}: name, words in both languages, and 1 byte to 5 MiB", slot.id));
            }
        }
        let kinds: BTreeSet<Kind> = self.businesses.iter().map(|business| business.kind).collect();
        if kinds.len() != self.businesses.len() || !kinds.contains(&Kind::New) {
            return Err("each business once, and `new` among them".into());
        }
        for business in &self.businesses {
            let what = business.kind.as_str();
            let mut seen = BTreeSet::new();
            for (slot, _) in &business.slots {
                if !slots.contains(slot.as_str()) || !seen.insert(slot) {
                    return Err(format!("{what}: slot {slot} is unknown or named twice"));
                }
            }
            // R31, R76: a seal on its own is made from impressions.
            let shows = business.slots.iter().filter_map(|(slot, _)| self.slot(slot)).filter(|slot| slot.impressions).count();
            if shows > 1 || (shows == 0 && matches!(business.kind, Kind::SealApply | Kind::SealChange)) {
                return Err(format!("{what}: the impressions stand in one slot"));
            }
            // R86: where a key is activated after papers, there are papers.
            if business.kind.on_paper() != (business.originals > 0) && business.kind != Kind::Unlock {
                return Err(format!("{what}: originals are asked for exactly where paper is verified"));
            }
            if business.kind.on_paper() && !business.slots.iter().any(|(slot, wanted)| slot == "form" && *wanted == Wanted::Must) {
                return Err(format!("{what}: the form must be sent in"));
            }
            // R67, R80: what is free cannot be priced by accident.
            let free = matches!(business.kind, Kind::Change | Kind::Unlock | Kind::SealApply | Kind::SealChange | Kind::Revoke);
            let per_year = matches!(business.kind, Kind::New | Kind::Additional | Kind::Renewal);
            if (free && (business.fee_fen_once, business.fee_fen_per_year) != (0, 0)) || (business.fee_fen_per_year > 0 && !per_year) {
                return Err(format!("{what}: this business has no such fee"));
            }
            if business.other_handler_online && (business.kind != Kind::Unlock || business.slots.is_empty()) {
                return Err(format!("{what}: another handler online is for unlocking, with papers"));
            }
            if business.payments.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!("{what}: no way to pay"));
            }
        }
        Ok(())
    }
}

/// Larger than this no slot may be (R34).
pub const MAX_UPLOAD: u64 = 5 * 1024 * 1024;

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    let name = String::deserialize(deserializer)?;
    Kind::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no business {name}")))
}

#[cfg(test)]
mod tests {
    use super::{Channel, EMBEDDED, PinPolicy, embedded, parse};
    use crate::business::Kind;
    use crate::business::fields::Values;

    #[test]
    fn the_three_institutions() {
        let profiles = embedded().unwrap();
        // Seed tables: fees in fen for one year and for three; K2, K3, K7, K14, K16, R103.
        for (id, kind, months, fee) in [
            ("netca", Kind::New, "12", 20_000),
            ("netca", Kind::New, "60", 100_000),
            ("netca", Kind::Renewal, "36", 60_000),
            ("netca", Kind::Reissue, "", 20_000),
            ("netca", Kind::Change, "", 0),
            ("netca", Kind::SealApply, "", 0),
            ("szca", Kind::New, "12", 60_000),
            // Nobody pays for a term that is not offered; the field itself is refused.
            ("szca", Kind::New, "24", 0),
            ("guangdong", Kind::Unlock, "", 0),
        ] {
            let profile = profiles.iter().find(|profile| profile.id == id).unwrap();
            let values = Values::from([("termMonths".to_owned(), months.to_owned())]);
            assert_eq!(profile.fee_fen(kind, &values), fee, "{id} {kind:?} {months}");
        }
        let of = |id: &str| profiles.iter().find(|profile| profile.id == id).unwrap();
        assert_eq!([of("netca").pin, of("guangdong").pin, of("szca").pin], [PinPolicy::AtActivation, PinPolicy::GivenAtIssue, PinPolicy::BankMemoOrSms]);
        assert_eq!([of("netca").impressions, of("guangdong").impressions], [2, 3]);
        assert_eq!(of("netca").business(Kind::Reissue).unwrap().channel, Channel::Online);
        assert_eq!(of("guangdong").business(Kind::Reissue).unwrap().channel, Channel::CounterOrPost);
        assert!(of("netca").business(Kind::Unlock).unwrap().other_handler_online);
        assert!(!of("guangdong").business(Kind::Unlock).unwrap().other_handler_online);
        // R66: the official record of the change, with its originals.
        let change = of("guangdong").slots_of(Kind::Change, &Values::new());
        assert!(change.iter().any(|(slot, must)| slot.id == "change-record" && *must));
        assert_eq!(of("guangdong").business(Kind::Change).unwrap().originals, 2);
        // R33, R71: the seal form only with the seal; 1024 KB for unlocking.
        let slots = |seal: &str| of("netca").slots_of(Kind::New, &Values::from([("sealService".to_owned(), seal.to_owned())])).len();
        assert_eq!((slots("yes"), slots("")), (4, 3));
        let unlock = of("netca").slots_of(Kind::Unlock, &Values::new());
        assert!(unlock.iter().all(|(slot, must)| slot.max_bytes == 1024 * 1024 && *must));
    }

    /// One change each, to the first profile; each must be refused, and for its own reason.
    #[test]
    fn contradictions_are_refused() {
        let (name, good) = EMBEDDED[0];
        for (from, to, why) in [
            ("id = \"netca\"", "id = \"Net CA\"", "id"),
            ("网证通式测试CA\", \"NETCA-like test CA\"", "网证通\", \"NETCA\"", "测试"),
            ("terms = [12,", "terms = [13,", "terms"),
            ("pin_minimum = 8", "pin_minimum = 4", "pin_minimum"),
            ("impressions = 2", "impressions = 1", "impressions"),
            ("pin = \"at-activation\"", "pin = \"by-phone\"", "by-phone"),
            ("hotline =", "hotlines =", "hotlines"),
            ("max_bytes = 5242880", "max_bytes = 5242881", "slot form"),
            ("id = \"licence\"", "id = \"form\"", "two slots"),
            ("[\"licence\", \"must\"]", "[\"licences\", \"must\"]", "licences"),
            ("[\"form\", \"must\"], ", "", "form must be sent in"),
            ("impressions = true", "impressions = false", "impressions stand"),
            ("kind = \"additional\"", "kind = \"new\"", "each business once"),
            ("kind = \"additional\"", "kind = \"extra\"", "extra"),
            ("originals = 1", "originals = 0", "originals"),
            ("kind = \"change\"\nchannel = \"online\"", "kind = \"change\"\nfee_fen_once = 100\nchannel = \"online\"", "no such fee"),
            ("fee_fen_once = 20000", "fee_fen_per_year = 20000", "no such fee"),
            ("kind = \"renewal\"", "kind = \"renewal\"\nother_handler_online = true", "another handler"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = parse(name, &good.replacen(from, to, 1)).unwrap_err();
            assert!(error.what.contains(why), "{from} → {to}: {error}");
        }
    }
}
