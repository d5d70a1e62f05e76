//! The businesses and states of a CA's desk by the names that travel in hand-overs, with words for people, and the menu that
//! offers them. Nothing here decides anything; a name that is not known here is shown as it came.

/// The business that only looks.
pub const PROGRESS: &str = "progress";
/// The change of unit name or address, before which everything is decrypted (R64, R93).
pub const CHANGE: &str = "change";

/// An entry of the menu 【CA管理】.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// For element ids.
    pub id: &'static str,
    /// What it is called, Chinese and English.
    pub words: [&'static str; 2],
    /// What it is for, Chinese and English.
    pub about: [&'static str; 2],
    /// The businesses that it begins, one button for each.
    pub businesses: &'static [&'static str],
}

/// What is handed over, in the order of the menu; 【绑定】 stays at the portal.
pub const MENU: [Entry; 8] = [
    Entry {
        id: "apply", words: ["CA办理", "Apply"], about: ["新申请或增加证书", "A first or a further certificate"], businesses: &["new", "additional"]
    },
    Entry { id: "renew", words: ["续期", "Renew"], about: ["证书到期前办理", "Before the certificate ends"], businesses: &["renewal"] },
    Entry { id: "reissue", words: ["补办", "Reissue"], about: ["USB Key 丢失或损坏", "The USB key is lost or broken"], businesses: &["reissue"] },
    Entry {
        id: "change",
        words: ["变更", "Change"],
        about: ["单位名称或住所变更；请先解密文件", "Unit name or address; decrypt your files first"],
        businesses: &[CHANGE],
    },
    Entry {
        id: "seal", words: ["印章办理", "Seal service"], about: ["申请或变更电子印章", "Electronic seals"], businesses: &["seal-apply", "seal-change"]
    },
    Entry { id: "unlock", words: ["解锁", "Unlock"], about: ["PIN 码输错次数过多", "Too many wrong PINs"], businesses: &["unlock"] },
    Entry { id: "revoke", words: ["注销", "Revoke"], about: ["不再使用证书", "The certificate is no longer used"], businesses: &["revoke"] },
    Entry {
        id: "progress",
        words: ["办理进度查询", "Application progress"],
        about: ["查看已提交的业务", "What became of your applications"],
        businesses: &[PROGRESS],
    },
];

const BUSINESSES: [(&str, [&str; 2]); 10] = [
    ("new", ["新申请", "New application"]),
    ("additional", ["增加证书", "Additional certificate"]),
    ("renewal", ["续期", "Renew"]),
    ("reissue", ["补办", "Reissue"]),
    (CHANGE, ["变更", "Change"]),
    ("seal-apply", ["申请印章", "Apply for a seal"]),
    ("seal-change", ["变更印章", "Change the seal"]),
    ("unlock", ["解锁", "Unlock"]),
    ("revoke", ["注销", "Revoke"]),
    (PROGRESS, ["办理进度查询", "Application progress"]),
];

const STATES: [(&str, [&str; 2]); 18] = [
    ("draft", ["填写中", "Being filled in"]),
    ("collecting", ["待上传资料", "Waiting for your documents"]),
    ("payment", ["待支付", "To be paid"]),
    ("payment-check", ["支付结果待确认", "Payment being checked"]),
    ("first-review", ["业务审核中（初审）", "Under review (first officer)"]),
    ("second-review", ["业务审核中（复核）", "Under review (second officer)"]),
    ("returned", ["已退回，待修改", "Sent back for correction"]),
    ("making", ["制作中", "Being made"]),
    ("awaiting-paper", ["待收到纸质资料", "Waiting for the originals"]),
    ("paper-review", ["业务审核中（纸质资料复审）", "Under review (originals)"]),
    ("activatable", ["可以激活", "Ready to activate"]),
    ("activated", ["已激活", "Activated"]),
    ("installable", ["待安装", "Ready to install"]),
    ("awaiting-code", ["待输入验证码", "Waiting for the code"]),
    ("timed-out", ["已超时，可继续办理", "Timed out; can be resumed"]),
    ("done", ["已完成", "Finished"]),
    ("withdrawn", ["已撤销", "Withdrawn"]),
    ("closed", ["已关闭", "Closed"]),
];

/// A business of the menu: its own name, and its words in Chinese and English.
#[must_use]
pub fn offered(name: &str) -> Option<(&'static str, [&'static str; 2])> {
    BUSINESSES.into_iter().find(|(known, _)| *known == name)
}

/// What a business is called, Chinese and English.
#[must_use]
pub fn business(name: &str) -> [String; 2] {
    words(&BUSINESSES, name)
}

/// What a state is called, Chinese and English.
#[must_use]
pub fn state(name: &str) -> [String; 2] {
    words(&STATES, name)
}

fn words(table: &[(&str, [&str; 2])], name: &str) -> [String; 2] {
    let found = table.iter().find(|(known, _)| *known == name).map_or([name, name], |(_, words)| *words);
    found.map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{BUSINESSES, MENU, offered};

    #[test]
    fn every_business_stands_once_in_the_menu() {
        let listed: Vec<&str> = MENU.iter().flat_map(|entry| entry.businesses).copied().collect();
        assert_eq!(listed.len(), BUSINESSES.len());
        assert!(BUSINESSES.iter().all(|(name, _)| listed.contains(name) && offered(name).is_some()));
    }
}
